// A node is a running program: a broker, a producer, a member of a group. It can crash, come back, and be
// paused (a garbage collection, a stopped virtual machine). Everything a node does happens inside callbacks
// that ask it first: deliveries by the Network and timers of class NodeTimer are held back while it is paused
// and dropped when it crashes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/ids.hpp"
#include "sim/distributions.hpp"
#include "sim/simulation.hpp"
#include "sim/timer.hpp"

namespace models {

class Disk;

/// What a node's program does when its node crashes or comes back. crashed() must forget all volatile state
/// and disarm timers; the object itself stays.
class NodeProgram {
 public:
  virtual ~NodeProgram() = default;
  virtual void crashed() = 0;
  virtual void restarted() = 0;
  /// After crashed(): the machine stopped too, and forgot what was in its memory.
  virtual void power_lost() {}
  /// The node stands still from now on. For programs that have worked ahead in virtual time; others need not
  /// care.
  virtual void paused() {}
  /// It goes on: called before what was held back runs.
  virtual void resumed() {}
  /// Whether take_part() and withdraw() mean anything: true for a member of a group. For faults "join" and
  /// "leave".
  virtual bool can_withdraw() const { return false; }
  /// Begins to take part. No effect when it does already.
  virtual void take_part() {}
  /// A clean close: what is in hand is finished, committed, and the group is told. No effect when closed.
  virtual void withdraw() {}
  /// Whether shut_down() and start_up() mean anything. For faults "restart" and "rolling".
  virtual bool can_shut_down() const { return false; }
  /// Told to end in an orderly way (SIGTERM), which may take a while.
  virtual void shut_down() {}
  /// Started again, once it has ended.
  virtual void start_up() {}
  /// Its work takes time, of which a slow machine needs more. For the fault "slowdown".
  virtual bool takes_time() const { return false; }
  /// Node::slowness() is another one. For programs that have worked ahead in virtual time; others need not care.
  virtual void slowed() {}
  /// It decides something by its machine's wall clock. For the fault "clock-skew".
  virtual bool reads_wall_clock() const { return false; }
  /// Its connection has heartbeats of its own (AMQP). For the fault "heartbeat-loss"; brokers and members always send some.
  virtual bool sends_heartbeats() const { return false; }
  /// The disk that it writes to; null where it keeps nothing.
  virtual Disk* disk() { return nullptr; }
};

class Network;

class Node {
 public:
  Node(sim::Simulation& simulation, Network& network, EntityId entity, HostId host, std::string name);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void set_program(NodeProgram& program) { program_ = &program; }
  /// Null before set_program().
  NodeProgram* program() const { return program_; }

  EntityId entity() const { return entity_; }
  HostId host() const { return host_; }
  const std::string& name() const { return name_; }

  bool up() const { return up_; }
  bool paused() const { return paused_; }
  /// Rises with every crash; closures of an earlier life compare it.
  std::uint32_t incarnation() const { return incarnation_; }
  /// Heartbeats to a coordinator are dropped on the floor while true (fault "heartbeat-loss").
  bool heartbeats_lost() const { return heartbeats_lost_; }
  void set_heartbeats_lost(bool lost) { heartbeats_lost_ = lost; }
  /// How many times as long its work takes as it should (fault "slowdown"); 1 as a rule.
  double slowness() const { return slowness_; }
  sim::Duration stretched(sim::Duration work) const {
    return slowness_ == 1 ? work
                          : sim::Distribution::to_duration(slowness_ * static_cast<double>(work.count()));
  }
  /// The machine gets slower by a factor, until speed_up(); those of several faults multiply. program.slowed() runs.
  void slow_down(double factor);
  void speed_up(double factor);
  /// How far its wall clock is ahead of the true time (fault "clock-skew"); those of several faults add up.
  sim::Duration clock_ahead() const { return clock_ahead_; }
  void step_clock(sim::Duration by) { clock_ahead_ += by; }

  /// Process death: connections are reset, held-back work is dropped, program.crashed() runs. No effect when
  /// down.
  void crash();
  /// The machine stops: the process dies, if it lives, and program.power_lost() runs.
  void lose_power();
  /// No effect when up.
  void restart();
  /// Stands still until resume(); program.paused() runs. No effect when down or paused.
  void pause();
  /// Runs program.resumed(), then what was held back, in order.
  void resume();

  /// Runs `work` now, or on resume while paused; dropped on a crash. For rare paths: the closure may
  /// allocate.
  void run_or_hold(std::function<void()> work);

 private:
  sim::Simulation& simulation_;
  Network& network_;
  NodeProgram* program_ = nullptr;
  EntityId entity_;
  HostId host_;
  std::string name_;
  std::uint32_t incarnation_ = 0;
  bool up_ = true;
  bool paused_ = false;
  bool heartbeats_lost_ = false;
  double slowness_ = 1;
  std::vector<double> slowdowns_;  // factors in force
  sim::Duration clock_ahead_{};
  std::deque<std::function<void()>> held_;
};

/// A timer that belongs to a node: due while paused, it fires on resume. The program disarms it in crashed().
template <class F>
class NodeTimer {
 public:
  NodeTimer(sim::Simulation& simulation, Node& node, F work)
      : node_(node), work_(std::move(work)), timer_(simulation, [this, &node] { fire(node); }) {}

  void arm_at(sim::Time t) { timer_.arm_at(t); }
  void arm_after(sim::Duration d) { timer_.arm_after(d); }
  void disarm() {
    ++generation_;
    timer_.disarm();
  }
  bool armed() const { return timer_.armed(); }
  sim::Time deadline() const { return timer_.deadline(); }

 private:
  /// The node is told, though it is known: it and this are then read from memory at once, not one after the other.
  void fire(const Node& node) {
    if (!node.paused()) return work_();
    // What is held may outlast this timer: its owner may end for another reason when the node goes on.
    if (!alive_) alive_ = std::make_shared<bool>(true);
    node_.run_or_hold([this, mine = generation_, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired() && mine == generation_ && !timer_.armed()) work_();
    });
  }

  Node& node_;
  F work_;
  std::uint32_t generation_ = 0;
  std::shared_ptr<bool> alive_;  // made when first held
  sim::Timer timer_;
};

}  // namespace models
