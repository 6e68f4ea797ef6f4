// TOML text to a Value tree. The only part that sees toml++.
//
// A file that is missing, unreadable, a directory, larger than a scenario can be, binary, truncated or nested
// beyond reason gives one BadScenario that says which.
#pragma once

#include <string>
#include <string_view>

#include "experiments/scenario/value.hpp"

namespace experiments {

/// Scenario files are text written by people; what is larger is something else.
inline constexpr std::size_t kMostFileBytes = 4U << 20U;

Value read_toml_file(const std::string& path);
/// `source` stands for the file name in errors.
Value parse_toml(std::string_view text, const std::string& source);
/// One value as TOML writes it ("45s" in quotes, 3, [1, 2], { mean = "1ms" }), or the bare word itself as a
/// text. `place` is given to it and to everything in it.
Value parse_toml_value(std::string_view text, const Place& place);

/// The whole of a file, for scenarios and for the data files that they name. `what` is for messages
/// ("scenario").
std::string read_text_file(const std::string& path, const Place& place, std::string_view what,
                           std::size_t most_bytes);

}  // namespace experiments
