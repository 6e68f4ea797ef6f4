// What a scenario draws: distributions, arrivals and keys from their inline tables, against the catalogues of
// sim/.
//
// The check_* functions bring a table into one spelling and try it; the make_* functions build from what was
// checked.
#pragma once

#include <optional>
#include <string>

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/value.hpp"
#include "models/clients/workload.hpp"
#include "sim/distributions.hpp"

namespace experiments {

/// { distribution = "lognormal", mean = "1ms", cv = 0.5 }, or "1ms" for a constant. Durations and sizes carry
/// their unit; a constant size may be written { distribution = "constant", bytes = 100 }.
Value check_distribution(const Value& value, Draws draws, const std::string& path);
sim::Distribution make_distribution(const Value& checked, Draws draws);

/// { process = "poisson", rate = 2000 }.
Value check_arrivals(const Value& value, const std::string& path);
/// Sets arrivals or closed_loop. Reads the file of a replay; throws BadScenario when it cannot.
void make_arrivals(const Value& checked, models::ProducerOptions& producer, const BindContext& context);
/// Writes into the arrivals of every producer that replays a file what the file holds (a digest), so that a
/// record of the scenario stands for its data too.
void pin_replays(Value& checked_scenario, const BindContext& context);

/// { distribution = "zipf", count = 10000, exponent = 1.1, prefix = "user", on_wire = true }.
Value check_keys(const Value& value, const std::string& path);
models::KeyOptions make_keys(const Value& checked);

}  // namespace experiments
