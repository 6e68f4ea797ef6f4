// A JSON file as a tree with places, as toml_document.hpp reads TOML: errors in it point to line and column.
#pragma once

#include <string>
#include <string_view>

#include "experiments/scenario/value.hpp"

namespace experiments {

/// Members that are null are left out. Throws BadScenario at the place of what is no JSON; no message repeats the text.
Value parse_json_document(std::string_view text, const std::string& source_name);

}  // namespace experiments
