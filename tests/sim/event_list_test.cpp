#include "sim/event_list.hpp"

#include <rapidcheck.h>

#include <set>
#include <utility>
#include <vector>

#include "sim/assert.hpp"
#include "tests/catch.hpp"

namespace {

using sim::detail::before;
using sim::detail::Entry;
using sim::detail::EventList;
using sim::detail::SlotPool;

struct Earlier {
  bool operator()(const Entry& a, const Entry& b) const {
    return std::pair(a.time, a.word) < std::pair(b.time, b.word);
  }
};

/// An event list beside a std::set that must always agree with it. Moves as a clock does: never back.
class Pair {
 public:
  Pair() { slots_.take(); }

  void push(std::int64_t delay) { push_word(delay, next_word_ += std::uint64_t{1} << 24); }
  /// As a timer does that is pushed on, or shuffled ties: a word older than others in the list.
  void push_word(std::int64_t delay, std::uint64_t word) {
    const Entry entry{now_ + std::min(delay, EventList::kForever - 1 - now_), word};
    list_.push(entry);
    set_.insert(entry);
  }
  std::uint64_t draw() { return next_word_ += std::uint64_t{1} << 24; }

  bool pop(std::int64_t limit = EventList::kForever - 1) {
    const Entry* const front = list_.front(limit);
    const bool any = !set_.empty() && set_.begin()->time <= limit;
    RC_ASSERT((front != nullptr) == any);
    if (!any) {
      if (limit != EventList::kForever - 1) now_ = std::max(now_, limit);
      return false;
    }
    RC_ASSERT(front->time == set_.begin()->time);
    RC_ASSERT(front->word == set_.begin()->word);
    now_ = front->time;
    list_.pop();
    set_.erase(set_.begin());
    RC_ASSERT(list_.size() == set_.size());
    return true;
  }
  void pop_until(std::int64_t span) {
    const std::int64_t limit = now_ + std::min(span, EventList::kForever - 1 - now_);
    while (pop(limit)) {
    }
  }
  void remove_every(std::uint64_t n) {
    const auto gone = [n](const Entry& e) { return (e.word >> 24) % n == 0; };
    list_.remove_if(gone);
    for (auto it = set_.begin(); it != set_.end();) it = gone(*it) ? set_.erase(it) : std::next(it);
    RC_ASSERT(list_.size() == set_.size());
  }
  void drain() {
    while (pop()) {
    }
    RC_ASSERT(list_.empty());
  }

  const EventList& list() const { return list_; }
  std::size_t size() const { return set_.size(); }

 private:
  SlotPool slots_;
  EventList list_{slots_};
  std::set<Entry, Earlier> set_;
  std::uint64_t next_word_ = 0;
  std::int64_t now_ = 0;
};

/// Delays as models have them: none, ties on a grid, spread over any power of two, the far end of time.
rc::Gen<std::int64_t> a_delay() {
  return rc::gen::oneOf(
      rc::gen::just<std::int64_t>(0),
      rc::gen::element<std::int64_t>(1, 63, 64, 1'000'000, 5'000'000, 30'000'000'000),
      rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 62), rc::gen::arbitrary<std::uint64_t>()),
                   [](const std::pair<int, std::uint64_t>& p) {
                     return static_cast<std::int64_t>(p.second & ((std::uint64_t{1} << p.first) - 1));
                   }));
}

}  // namespace

TEST_CASE("entries come out in order of time and sequence, whatever goes in") {
  REQUIRE(rc::check([] {
    Pair pair;
    const int steps = *rc::gen::inRange(0, 300);
    for (int i = 0; i < steps; ++i) {
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
        case 1:
          pair.push(*a_delay());
          break;
        case 2: {
          const std::int64_t delay = *a_delay();
          for (int k = *rc::gen::inRange(1, 200); k > 0; --k) pair.push(delay);
          break;
        }
        case 3:
          for (int k = *rc::gen::inRange(1, 60); k > 0; --k) pair.push(*a_delay());
          break;
        case 4: {  // sequence numbers out of order
          const std::int64_t delay = *a_delay();
          const std::uint64_t first = pair.draw();
          const std::uint64_t second = pair.draw();
          pair.push_word(delay, second);
          pair.push_word(delay, first);
          break;
        }
        case 5:
          for (int k = *rc::gen::inRange(1, 200); k > 0 && pair.pop(); --k) {
          }
          break;
        case 6:
          pair.pop_until(*a_delay());
          break;
        default:
          pair.remove_every(static_cast<std::uint64_t>(*rc::gen::inRange(1, 5)));
          break;
      }
    }
    pair.drain();
  }));
}

TEST_CASE("a queue that grows and shrinks moves between its two structures and back") {
  Pair pair;
  CHECK(pair.list().is_small());
  std::uint64_t x = 1;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5000; ++i) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      pair.push(static_cast<std::int64_t>(x >> 34));
    }
    CHECK_FALSE(pair.list().is_small());
    while (pair.size() > EventList::kGatherMost / 2) pair.pop();
    CHECK(pair.list().is_small());
  }
  pair.drain();
}

TEST_CASE("a queue that hovers about the border does not swing between its structures") {
  Pair pair;
  std::uint64_t x = 1;
  const auto push = [&] {
    x = x * 6364136223846793005u + 1442695040888963407u;
    pair.push(static_cast<std::int64_t>(x >> 34));
  };
  for (std::size_t i = 0; i < 3 * EventList::kNearMost; ++i) push();
  int swings = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool small = pair.list().is_small();
    pair.pop();
    push();
    if (pair.list().is_small() != small) ++swings;
  }
  CHECK(swings <= 2);
}

TEST_CASE("a burst at one instant keeps its order and its cost") {
  Pair pair;
  for (int i = 0; i < 20'000; ++i) pair.push(7'000'000'000);
  for (int i = 0; i < 20'000; ++i) pair.push(7'000'000'000 + i % 2);
  pair.drain();
}

TEST_CASE("looking ahead in small steps disturbs nothing") {
  Pair pair;
  for (int i = 0; i < 1000; ++i) pair.push(1'000'000'000 + i % 3);
  for (int i = 0; i < 1000; ++i) {
    pair.pop_until(999'999);
    pair.push(i % 7);
  }
  pair.drain();
}

TEST_CASE("the topmost bucket holds the end of time") {
  Pair pair;
  for (int i = 0; i < 100; ++i) pair.push(EventList::kForever - 1);
  for (int i = 0; i < 100; ++i) pair.push((std::int64_t{7} << 60) + i);
  pair.drain();
}

TEST_CASE("an entry before the last one taken is an assertion once the array is tidied") {
  SlotPool slots;
  EventList list(slots);
  for (std::uint64_t i = 1; i <= 40; ++i)
    list.push({static_cast<std::int64_t>(1000 + i), i << sim::detail::kSlotBits});
  REQUIRE(list.front(EventList::kForever) != nullptr);
  list.pop();
  CHECK_THROWS_AS(
      [&] {
        for (std::uint64_t i = 41; i <= 400; ++i) list.push({5, i << sim::detail::kSlotBits});
      }(),
      sim::AssertionError);
}
