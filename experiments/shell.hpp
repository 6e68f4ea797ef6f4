// Command lines that are printed, ready to paste into a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace experiments {

/// `word` as a shell reads it: in single quotes where it holds anything but plain characters.
std::string shell_word(std::string_view word);
/// The words with blanks between them.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace experiments
