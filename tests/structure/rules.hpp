// The rules of the source tree that a compiler does not check, as plain functions over a file's path and text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace structure {

/// One line that breaks a rule: "path:line: what".
using Violations = std::vector<std::string>;

/// Includes begin at the root and run experiments -> models -> sim; a broker family includes no other, checkers
/// and metrics include no broker, and nothing but tests includes theory.
Violations layers(std::string_view path, std::string_view text);
/// In sim/ and models/ (models/theory/ excepted): nothing by which a run could differ from machine to machine.
Violations determinism(std::string_view path, std::string_view text);
/// There too, nothing that outlives a run: no variable of a namespace and no static one but constants.
Violations globals(std::string_view path, std::string_view text);
/// Files of at most 700 lines, lines of at most 130 columns, no tabs, a final newline.
Violations shape(std::string_view path, std::string_view text);

}  // namespace structure
