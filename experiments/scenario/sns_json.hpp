// The JSON that scenarios of SNS hold as texts: filter policies, message attributes, message bodies.
#pragma once

#include <string_view>

#include "experiments/scenario/value.hpp"
#include "models/sns/json.hpp"

namespace experiments {

/// Throws BadScenario at `place` when `text` is no JSON object.
models::sns::Json parse_sns_json(std::string_view text, const Place& place, std::string_view path);

}  // namespace experiments
