// Makes a scenario's faults happen: at a time (or somewhere in a spread of times), at random with a rate, or
// at the n-th occurrence of a named step.
//
// Lifecycle: construct (specs are checked), add every target, resolve() (names are looked up), start() at
// time 0, heal_all() when arrivals stop. Each strike and each heal is a record Kind::fault, emitted before
// its consequences and their cause.
//
// A step's strike runs inside the model's StepCell::advance(), before the model does anything else. Random
// times draw from the stream "fault/<name>", the choice among several targets from "fault/<name>/target":
// faults move no other draw. A fault that finds nothing to hit (its target is down already) does not count as
// fired.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/faults/catalogue.hpp"
#include "models/faults/fault_spec.hpp"
#include "models/faults/targets.hpp"
#include "sim/simulation.hpp"

namespace models {

class FaultInjector {
 public:
  /// Throws ScenarioError for an unknown kind or a spec that makes no sense. Adds an entity for each fault.
  FaultInjector(Context& context, const std::vector<FaultSpec>& specs);
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  void add_target(Node& node) { targets_.add(node); }
  void add_topic(std::string name, FaultTargets::Topic topic) {
    targets_.add_topic(std::move(name), std::move(topic));
  }
  void add_application(std::string name, FaultTargets::Application application) {
    targets_.add_application(std::move(name), std::move(application));
  }
  void add_writer(std::string name, FaultTargets::Writer writer) {
    targets_.add_writer(std::move(name), std::move(writer));
  }
  void add_subscription(std::string name, FaultTargets::Subscription subscription) {
    targets_.add_subscription(std::move(name), std::move(subscription));
  }
  void add_role(std::string name, std::function<Node*()> role, std::vector<Node*> players) {
    targets_.add_role(std::move(name), std::move(role), std::move(players));
  }

  /// Looks up what the faults name. Throws ScenarioError for what does not exist. Nodes have their programs
  /// by now.
  void resolve();
  /// Arms every fault; resolves first where that has not been done. Once.
  void start();
  /// No fault strikes any more, and what lasts is undone as FaultSpec::heals says.
  void heal_all();

  /// How often each fault took effect, in the order of the specs.
  std::vector<std::uint64_t> fired() const;

 private:
  /// A strike that lasts.
  struct Lasting {
    std::uint64_t number;
    Strike strike;
    bool struck;  ///< it has taken effect
    sim::EventHandle heal;
  };
  struct Armed {
    Armed(Context& context, const FaultTargets& targets, const FaultSpec& fault, std::string path,
          const std::string& name);
    FaultSpec spec;
    const FaultInfo* info;
    EntityId entity;
    sim::Stream times;
    sim::Stream choice;
    FaultBinding binding;  // refers to the members above
    Striker striker;
    sim::EventHandle next;
    std::uint64_t strikes = 0;
    std::uint64_t fired = 0;
    std::deque<Lasting> lasting;
  };

  void watch_step(Armed& fault);
  void schedule_once(Armed& fault);
  void schedule_random(Armed& fault);
  void strike(Armed& fault);
  sim::RecordNumber took_effect(Armed& fault, std::uint64_t number);
  void heal(Armed& fault, std::uint64_t number);
  static std::deque<Lasting>::iterator find(Armed& fault, std::uint64_t number);
  sim::RecordNumber emit(const Armed& fault, const Strike& strike, bool strikes);

  Context& context_;
  FaultTargets targets_;
  std::deque<Armed> faults_;
  bool resolved_ = false;
  bool started_ = false;
  bool over_ = false;
};

}  // namespace models
