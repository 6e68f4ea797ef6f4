// `mqlab run --describe-group G --at T`: consumer groups as an operator would see them at a moment of the run.
#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "experiments/commands/commands.hpp"
#include "models/kafka/group/describe.hpp"
#include "models/scenario.hpp"
#include "models/world.hpp"

namespace experiments {

/// A consumer group as it stood at a time.
struct Described {
  sim::Time at{};
  models::kafka::GroupDescription group;
};

/// What fills `described` while the run goes on. Both outlive it. Throws UsageError for a group that the scenario has not
/// and a time at which it cannot be looked at.
std::vector<models::Look> looks_of(const RunCommand& o, const models::Scenario& scenario,
                                   std::vector<Described>& described);

nlohmann::ordered_json as_json(const Described& d);

}  // namespace experiments
