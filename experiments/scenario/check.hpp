// Checks a scenario tree against the format and brings it into one spelling.
//
// After it every key is known, every required key is there, every value has its type and lies in its bounds,
// and equal meanings are spelt equally ("2min" is "120s", 2000.0 is 2000, a bare "1ms" is
// { distribution = "constant", value = "1ms" }). Places are kept. The first fault found, in the order of the
// file, is thrown as BadScenario.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/value.hpp"

namespace experiments {

/// `path` is where the table stands, empty for the whole file.
Value check_table(const Value& table, const Section& section, const std::string& path);
Value check_value(const Value& value, const Key& key, const std::string& path);

/// "; did you mean …?" or "; allowed: …".
std::string hint(std::string_view word, std::span<const std::string_view> allowed);

}  // namespace experiments
