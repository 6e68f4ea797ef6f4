// The faults that a scenario can name: what `mqlab list faults` prints, and how each is carried out.
//
// To add one: a function that binds a spec to what it acts on (in a file pair of its own, or beside its kin),
// its row in catalogue.cpp, a FaultCode, and a test in which it is seen to strike and to heal.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/context.hpp"
#include "models/faults/fault_spec.hpp"
#include "models/faults/targets.hpp"
#include "models/trace_kinds.hpp"
#include "sim/catalogue.hpp"
#include "sim/random.hpp"

namespace models {

/// One blow: whom it hits, what it does, how it is undone.
struct Strike {
  EntityId actor{};  ///< who is hit
  EntityId place{};  ///< the other end of a link
  /// Carries it out. A strike that is `later` calls `struck` when it takes effect, others need not.
  std::function<void(const std::function<void()>& struck)> act;
  std::function<void()> heal;
  bool later = false;
  /// Over as soon as it has taken effect; `heal` then only calls off what has not happened yet.
  bool instant = false;
  /// So long after it has been undone the fault strikes once more.
  std::optional<sim::Duration> again{};
  /// Undone at the end of arrivals when nothing was said of it (FaultSpec::heals, duration).
  bool heals_by_itself = true;
};

/// What a fault is bound to. Lives as long as the run.
struct FaultBinding {
  Context& context;
  const FaultSpec& spec;
  std::string path;  ///< of the fault in the scenario, for errors: "faults.outage"
  const FaultTargets& targets;
  sim::Stream& choice;  ///< who of several is hit

  /// "faults.outage.target"
  std::string key(std::string_view name) const { return path + "." + std::string(name); }
};

/// The next blow; nullopt when there is nothing to hit (it is down already).
using Striker = std::function<std::optional<Strike>()>;

struct FaultInfo {
  sim::CatalogueEntry entry;  ///< name, doc, the parameters of its own
  FaultCode code{};
  /// Throws ScenarioError when the spec makes no sense or names nothing that exists.
  Striker (*bind)(const FaultBinding& binding);
};

std::span<const FaultInfo> fault_catalogue();
/// The row of that name, or null.
const FaultInfo* find_fault(std::string_view kind);
/// The parameters that every fault has: name, target, at, spread, rate, when, for, heals.
std::span<const sim::ParameterInfo> common_fault_parameters();

}  // namespace models
