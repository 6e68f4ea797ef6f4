// Members of a quorum queue among themselves: random schedules of messages, writes, time-outs, cuts and crashes. Whatever
// happens, a term has one leader, members apply the same, and what was applied anywhere is never taken back.
#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "models/rabbitmq/raft.hpp"
#include "models/rabbitmq/raft_invariants.hpp"
#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/raft_group.hpp"

using namespace rabbitmq_test;

namespace {

/// The one applied less than the other, or the same.
bool agree(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  const std::size_t n = std::min(a.size(), b.size());
  for (std::size_t i = 2; i < n; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

void settle(Quorum& q) {
  for (int i = 0; i < 20'000 && q.step(q.leader() == nullptr); ++i) continue;
}

}  // namespace

TEST_CASE("a command is applied by all members once a majority has written it", "[rabbitmq][raft]") {
  Quorum q(3, 1);
  q.command(*q.leader());
  CHECK(q.applied[0].empty());
  settle(q);
  for (const auto& of_member : q.applied) {
    REQUIRE(of_member.size() == 3);
    CHECK(of_member[2] == 1);
  }
}

TEST_CASE("a leader without a majority commits nothing and another one is elected", "[rabbitmq][raft]") {
  Quorum q(3, 2);
  q.split(0);
  q.command(*q.members[0]);
  for (int i = 0; i < 2000; ++i) q.step();
  CHECK(q.members[0]->commit() == 1);
  CHECK(q.leader() != q.members[0].get());
  CHECK(q.leader()->term() > 1);
  q.heal();
  settle(q);
  CHECK_FALSE(q.members[0]->leads());
  CHECK(q.members[0]->entries().last_index() == q.leader()->entries().last_index());
  CHECK_FALSE(q.invariants.broken());
}

TEST_CASE("what a crash finds unwritten is gone, and is no part of any majority", "[rabbitmq][raft]") {
  Quorum q(3, 3);
  q.command(*q.leader());
  q.crash(0);
  CHECK(q.members[0]->entries().last_index() == 1);
  settle(q);
  REQUIRE(q.leader() != nullptr);
  CHECK(q.leader()->self() != 0);
}

TEST_CASE("members agree whatever happens between them", "[rabbitmq][raft]") {
  std::set<std::uint16_t> led;
  bool installed = false;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    Quorum q(seed % 4 == 0 ? 5 : 3, seed);
    q.compacting = seed % 2 == 0;
    std::vector<std::uint64_t> known;  // the longest that anybody has applied
    const auto size = static_cast<std::uint16_t>(q.members.size());
    for (int i = 0; i < 1200; ++i) {
      const std::uint64_t what = q.below(100);
      const auto one = static_cast<std::uint16_t>(q.below(size));
      if (what < 10) {
        if (RaftMember* const leader = q.leader()) q.command(*leader);
      } else if (what == 10) {
        q.split(one);
      } else if (what == 11) {
        q.heal();
      } else if (what == 12 && q.up(one)) {
        q.crash(one);
      } else if (what < 15 && !q.up(one)) {
        q.restart(one);
      } else {
        q.step();
      }
      for (const auto& of_member : q.applied) {
        REQUIRE(agree(of_member, known));
        if (of_member.size() > known.size()) known = of_member;
      }
      REQUIRE_FALSE(q.invariants.broken());
    }
    q.heal();
    for (std::uint16_t i = 0; i < size; ++i) {
      if (!q.up(i)) q.restart(i);
    }
    for (int i = 0; i < 20'000; ++i) {
      if (!q.step()) break;
    }
    REQUIRE(q.leader() != nullptr);
    q.command(*q.leader());
    for (int i = 0; i < 20'000 && q.step(); ++i) continue;
    for (const auto& of_member : q.applied) {
      CHECK(of_member.size() >= known.size());
      CHECK(agree(of_member, known));
      CHECK(of_member.size() == q.applied[0].size());
    }
    led.insert(q.elected.begin(), q.elected.end());
    installed |= q.installed;
  }
  CHECK(led.size() == 5);
  CHECK(installed);
}

TEST_CASE("two leaders in one term are found", "[rabbitmq][raft]") {
  RaftInvariants invariants("jobs");
  invariants.leads(1, 0);
  invariants.leads(1, 0);
  invariants.leads(2, 1);
  CHECK_FALSE(invariants.broken());
  invariants.leads(2, 2);
  CHECK(invariants.broken() == "queue jobs has two leaders in term 2");
}

TEST_CASE("entries that differ at one index are found", "[rabbitmq][raft]") {
  RaftInvariants invariants("jobs");
  for (std::uint64_t i = 2; i <= 5; ++i) invariants.applied(i, 1);
  invariants.applied(6, 3);
  invariants.applied(4, 1);
  invariants.applied(6, 3);
  CHECK_FALSE(invariants.broken());
  invariants.applied(5, 2);
  CHECK(invariants.broken() == "members of queue jobs have applied different entries at index 5");
}
