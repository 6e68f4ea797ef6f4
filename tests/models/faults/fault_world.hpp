// Two brokers, a producer and two members of a group on hosts of their own, an injector, and the fault
// records it makes.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "models/context.hpp"
#include "models/faults/injector.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "sim/trace.hpp"

namespace fault_tests {

using namespace std::chrono_literals;
using models::FaultSpec;

/// Strikes and heals as "2000 strikes kafka/0": ms, what, actor, and the other end where there is one.
class FaultLog final : public sim::TraceSink {
 public:
  explicit FaultLog(const models::Entities& entities) : entities_(entities) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind != static_cast<std::uint16_t>(models::Kind::fault)) continue;
      std::string line = std::to_string(sim::nanoseconds(r.time) / 1'000'000) +
                         (r.a == 1 ? " strikes " : " heals ") + entities_[r.actor].name;
      if (r.place != 0) line += " " + entities_[r.place].name;
      lines.push_back(line);
      faults.push_back(entities_[r.peer].name);
      codes.push_back(static_cast<models::FaultCode>(r.code));
    }
  }
  std::vector<std::string> lines;
  std::vector<std::string> faults;
  std::vector<models::FaultCode> codes;

 private:
  const models::Entities& entities_;
};

struct Program final : models::NodeProgram {
  void crashed() override { log += "crashed "; }
  void restarted() override { log += "restarted "; }
  void power_lost() override { log += "power-lost "; }
  bool can_withdraw() const override { return member; }
  void take_part() override { log += "joined "; }
  void withdraw() override { log += "left "; }
  bool can_shut_down() const override { return orderly; }
  void shut_down() override { log += "stops "; }
  void start_up() override { log += "starts "; }
  bool member = false;
  bool takes_time() const override { return member; }
  void slowed() override { log += "slowed "; }
  bool reads_wall_clock() const override { return !member; }
  bool orderly = false;
  std::string log;
};

struct FaultWorld {
  explicit FaultWorld(std::uint64_t seed = 1, const models::NetworkOptions& options = {})
      : simulation({.seed = seed}), network(simulation, options), log(entities) {
    trace.add_sink(log);
    add(models::EntityKind::broker, "kafka/0", {"r1", "z1", "eu"});
    add(models::EntityKind::broker, "kafka/1", {"r2", "z2", "eu"});
    add(models::EntityKind::producer, "shop", {"r1", "z1", "eu"});
    add(models::EntityKind::member, "billing/0", {"r1", "z1", "eu"});
    add(models::EntityKind::member, "billing/1", {"r2", "z2", "eu"});
  }

  void add(models::EntityKind kind, const std::string& name, models::Location location) {
    const models::EntityId entity = entities.add(kind, name);
    const models::HostId host = network.add_host(name, std::move(location));
    programs.emplace_back().member = kind == models::EntityKind::member;
    programs.back().orderly = kind != models::EntityKind::producer;
    nodes.emplace_back(simulation, network, entity, host, name).set_program(programs.back());
  }
  models::Node& node(const std::string& name) {
    for (models::Node& n : nodes) {
      if (n.name() == name) return n;
    }
    throw std::logic_error("no node " + name);
  }
  Program& program(const std::string& name) { return static_cast<Program&>(*node(name).program()); }

  models::FaultInjector& inject(const std::vector<FaultSpec>& specs) {
    models::FaultInjector& injector = injectors.emplace_back(context, specs);
    for (models::Node& n : nodes) injector.add_target(n);
    injector.resolve();
    injector.start();
    return injector;
  }
  /// Runs to `end`, when arrivals stop, and hands over the fault records.
  const std::vector<std::string>& run_to(sim::Duration end) {
    simulation.run_until(sim::Time{end});
    injectors.back().heal_all();
    trace.flush();
    return log.lines;
  }

  sim::Simulation simulation;
  sim::Trace trace;
  models::Entities entities;
  models::Network network;
  models::Steps steps;
  models::Context context{simulation, trace, entities, network, steps};
  FaultLog log;
  std::deque<Program> programs;
  std::deque<models::Node> nodes;
  std::deque<models::FaultInjector> injectors;
};

inline FaultSpec fault(std::string kind, std::string target) {
  FaultSpec spec;
  spec.kind = std::move(kind);
  spec.target = std::move(target);
  return spec;
}
inline FaultSpec at(FaultSpec spec, sim::Duration when) {
  spec.at = when;
  return spec;
}
inline FaultSpec lasting(FaultSpec spec, sim::Duration duration) {
  spec.duration = duration;
  return spec;
}
inline FaultSpec between(FaultSpec spec, std::string other) {
  spec.other = std::move(other);
  return spec;
}
inline FaultSpec on_step(FaultSpec spec, models::Step step, std::int64_t nth, std::string subject = {}) {
  spec.when = FaultSpec::When{step, nth, std::move(subject)};
  return spec;
}

}  // namespace fault_tests
