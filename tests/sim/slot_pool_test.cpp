#include "sim/slot_pool.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "sim/assert.hpp"
#include "tests/catch.hpp"

using sim::detail::Slot;
using sim::detail::SlotPool;

namespace {

/// Bytes of addresses that this process has.
rlim_t addresses() {
  unsigned long pages = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

/// What `act` returns in a process that may have only `more` bytes of addresses beyond those it has.
template <class Act>
int with_addresses(rlim_t more, Act act) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{addresses() + more, addresses() + more};
    setrlimit(RLIMIT_AS, &limit);
    _exit(act());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("slots are distinct, keep their place, and the one freed last is given out next") {
  SlotPool pool;
  std::set<Slot*> taken;
  for (int i = 0; i < 1000; ++i) {
    Slot& slot = pool.take();
    CHECK_FALSE(slot.live());
    CHECK(&pool[slot.word] == &slot);
    taken.insert(&slot);
  }
  CHECK(taken.size() == 1000);
  CHECK(pool.size() >= 1000);
  const std::size_t size = pool.size();
  Slot& last = **taken.begin();
  for (Slot* slot : taken) {
    if (slot != &last) pool.give_back(*slot);
  }
  pool.give_back(last);
  CHECK(&pool.take() == &last);
  CHECK(pool.size() == size);
}

// Sanitizers take terabytes of addresses for themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("where addresses are scarce fewer slots do, and one more than fits is an assertion") {
  const auto take_too_many = [] {
    SlotPool pool;
    try {
      for (std::size_t i = 0; i < SlotPool::kSlotsMost; ++i) pool.take();
    } catch (const sim::AssertionError&) {
      return pool.size() >= 65'536 ? 7 : 8;
    }
    return 9;
  };
  CHECK(with_addresses(rlim_t{24} << 20, take_too_many) == 7);
}

TEST_CASE("where there are no addresses at all the pool says that there is no memory") {
  const auto take_one = [] {
    SlotPool pool;
    try {
      pool.take();
    } catch (const std::bad_alloc&) {
      return 7;
    }
    return 8;
  };
  CHECK(with_addresses(rlim_t{1} << 20, take_one) == 7);
}
#endif
