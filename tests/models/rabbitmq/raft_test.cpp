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

using namespace models::rabbitmq;
using models::Pool;
using models::Ref;

namespace {

class Quorum final : public RaftHost {
 public:
  Quorum(std::uint16_t size, std::uint64_t seed)
      : draw_(sim::stream_key(seed, "raft")), up_(size, true), waiting_(size, false), applied(size) {
    for (std::uint16_t i = 0; i < size; ++i) members.push_back(std::make_unique<RaftMember>(*this, i, size));
    for (const auto& m : members) m->begin(0);
  }

  Ref<RaftFrame> raft_frame() override { return frames_.take(); }
  void raft_send(RaftMember& from, std::uint16_t to, Ref<RaftFrame> frame) override {
    frame->to = to;
    if (!up_[from.self()] || !up_[to] || cut(from.self(), to)) return;
    flights_.push_back(std::move(frame));
  }
  void raft_write(RaftMember& m, std::uint64_t index) override {
    writes_.push_back({m.self(), index, m.write_life()});
  }
  void raft_wait(RaftMember& m, ElectionTimeout) override { waiting_[m.self()] = true; }
  void raft_stop_waiting(RaftMember& m) override { waiting_[m.self()] = false; }
  void raft_apply(RaftMember& m, std::uint64_t index, const RaftEntry& entry) override {
    invariants.applied(index, entry.term);
    std::vector<std::uint64_t>& mine = applied[m.self()];
    mine.resize(index + 1);
    mine[index] = entry.command ? entry.command->number : 0;
    if (compacting && index > 8 && m.written_index() >= index && below(4) == 0) m.compact(index - 4);
  }
  void raft_installed(RaftMember& m, std::uint64_t index) override {
    installed = true;
    // The snapshot holds what somebody has applied.
    for (const auto& other : applied) {
      if (other.size() > index) {
        applied[m.self()].assign(other.begin(), other.begin() + static_cast<std::ptrdiff_t>(index) + 1);
        return;
      }
    }
  }
  void raft_role_changed(RaftMember& m) override {
    if (!m.leads()) return;
    invariants.leads(m.term(), m.self());
    elected.insert(m.self());
  }

  std::uint64_t below(std::uint64_t n) { return draw_.uniform_int(n); }
  bool cut(std::uint16_t a, std::uint16_t b) const {
    return apart_ != kNobodyApart && (apart_ == a) != (apart_ == b);
  }
  RaftMember* leader() {
    RaftMember* best = nullptr;
    for (const auto& m : members) {
      if (up_[m->self()] && m->leads() && (best == nullptr || m->term() > best->term())) best = m.get();
    }
    return best;
  }
  void command(RaftMember& m) {
    Ref<Command> c = commands_.take();
    c->number = ++next_command_;
    m.command(std::move(c));
  }
  void heal() {
    apart_ = kNobodyApart;
    links_up();
  }
  void split(std::uint16_t one) {
    heal();
    apart_ = one;
    for (std::size_t i = 0; i < flights_.size();) {
      if (cut(flights_[i]->from, flights_[i]->to))
        flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(i));
      else
        ++i;
    }
    for (const auto& m : members) {
      if (!up_[m->self()]) continue;
      for (std::uint16_t peer = 0; peer < members.size(); ++peer) {
        if (cut(m->self(), peer)) below(2) == 0 ? m->peer_down(peer) : m->peer_suspected(peer);
      }
    }
  }
  void crash(std::uint16_t one) {
    up_[one] = false;
    waiting_[one] = false;
    std::erase_if(flights_, [&](const auto& f) { return f->to == one || f->from == one; });
    std::erase_if(writes_, [&](const Write& w) { return w.member == one; });
    members[one]->crash();
    applied[one].resize(std::min<std::size_t>(applied[one].size(), members[one]->applied() + 1));
    for (const auto& m : members) {
      if (up_[m->self()] && !cut(m->self(), one)) m->peer_down(one);
    }
  }
  void restart(std::uint16_t one) {
    up_[one] = true;
    members[one]->restart();
    links_up();
  }
  bool up(std::uint16_t one) const { return up_[one]; }

  /// One thing that can happen does. False: nothing can.
  bool step(bool timeouts = true) {
    const std::size_t waiters =
        timeouts ? static_cast<std::size_t>(std::count(waiting_.begin(), waiting_.end(), true)) : 0;
    const std::size_t things = flights_.size() + writes_.size();
    // Time-outs are rare beside messages.
    if (waiters > 0 && (things == 0 || below(20) == 0)) {
      std::size_t nth = below(waiters);
      for (std::uint16_t i = 0; i < members.size(); ++i) {
        if (!waiting_[i] || nth-- > 0) continue;
        waiting_[i] = false;
        members[i]->election_timeout();
        return true;
      }
    }
    if (things == 0) return false;
    const std::size_t chosen = below(things);
    if (chosen < flights_.size()) return deliver(chosen);
    // A member's writes end in order.
    const std::uint16_t whose = writes_[chosen - flights_.size()].member;
    const auto first =
        std::find_if(writes_.begin(), writes_.end(), [&](const Write& w) { return w.member == whose; });
    const Write w = *first;
    writes_.erase(first);
    members[w.member]->written(w.index, w.life);
    return true;
  }

  std::vector<std::unique_ptr<RaftMember>> members;
  RaftInvariants invariants{"q"};
  std::set<std::uint16_t> elected;
  bool compacting = false;
  bool installed = false;

 private:
  static constexpr std::uint16_t kNobodyApart = 0xffff;
  struct Write {
    std::uint16_t member;
    std::uint64_t index;
    std::uint64_t life;
  };
  /// What one member sends another arrives in order.
  bool deliver(std::size_t chosen) {
    const auto same = [&](const Ref<RaftFrame>& f) {
      return f->from == flights_[chosen]->from && f->to == flights_[chosen]->to;
    };
    const auto first = std::find_if(flights_.begin(), flights_.end(), same);
    const Ref<RaftFrame> frame = *first;
    flights_.erase(first);
    members[frame->to]->receive(*frame);
    return true;
  }
  void links_up() {
    for (const auto& m : members) {
      for (std::uint16_t peer = 0; peer < members.size(); ++peer) {
        if (peer != m->self() && up_[m->self()] && up_[peer] && !cut(peer, m->self())) {
          m->peer_trusted(peer);
          m->peer_up(peer);
        }
      }
    }
  }

  sim::Stream draw_;
  std::vector<bool> up_;
  std::vector<bool> waiting_;
  std::uint16_t apart_ = kNobodyApart;
  std::uint64_t next_command_ = 0;
  Pool<RaftFrame> frames_;
  Pool<Command> commands_;
  std::vector<Ref<RaftFrame>> flights_;
  std::vector<Write> writes_;

 public:
  std::vector<std::vector<std::uint64_t>> applied;  // by member, by index
};

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
