// Members of a quorum queue among themselves, for tests: what one sends, what is written and which time-outs are due happens in
// an order that is drawn; members crash and come back, and one of them is cut off from the others.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "models/rabbitmq/raft.hpp"
#include "models/rabbitmq/raft_invariants.hpp"
#include "sim/random.hpp"

namespace rabbitmq_test {

using namespace models::rabbitmq;
using models::Pool;
using models::Ref;

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
    if (applies) applies(m, index, entry);
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
  /// What a new command says is what it said when it was used last.
  Ref<Command> command() { return commands_.take(); }
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
    if (crashed) crashed(one);
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
  std::function<void(RaftMember&, std::uint64_t, const RaftEntry&)> applies;
  std::function<void(std::uint16_t)> crashed;
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

}  // namespace rabbitmq_test
