// Files that are whole or not there: written beside their name, flushed to the disk, then renamed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace experiments {

/// Throws ResultsError with the path and the system's reason (a full disk, no permission, no such folder).
void write_file(const std::string& path, std::string_view content);
/// Makes the folder and those above it. Throws ResultsError.
void make_folder(const std::string& path);
bool file_exists(const std::string& path);
/// Throws ResultsError.
std::string read_file(const std::string& path);

/// Folders right below `path`, in order of their names; none when it does not exist.
std::vector<std::string> folders_below(const std::string& path);

}  // namespace experiments
