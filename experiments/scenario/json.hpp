// A Value as JSON: the canonical spelling that run ids are made of, and back.
#pragma once

#include <string>
#include <string_view>

#include "experiments/scenario/value.hpp"

namespace experiments {

/// Keys sorted, no blanks, numbers in their shortest spelling: equal values give equal bytes.
std::string canonical_json(const Value& value);
/// Throws BadScenario at `place` when `text` is no JSON.
Value parse_json(std::string_view text, const Place& place);
/// `text` between double quotes, escaped.
std::string json_string(std::string_view text);

}  // namespace experiments
