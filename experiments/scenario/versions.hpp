// What `[kafka] version` has to do with a scenario: defaults that were others, and what was not there yet or is there no more.
#pragma once

#include <string>

#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// That of the scenario; the newest unless given.
models::kafka::Version version_of(const Value& checked);

/// Settings that the scenario does not give are as that version had them.
void set_earlier_defaults(const Value& checked, models::Scenario& scenario);

/// The first thing that this version does not have, with the version and the KIP that brought or took it; both empty when
/// there is none.
struct OutOfVersion {
  std::string path;
  std::string message;
};
OutOfVersion out_of_version(const Value& checked, const models::Scenario& scenario);

}  // namespace experiments
