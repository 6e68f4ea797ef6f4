// Files that are whole or not there: written beside their name, flushed to the disk, then renamed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace experiments {

/// A file under way. What is not committed leaves nothing behind, and an older file of that name as it was.
class OutputFile {
 public:
  /// Throws ResultsError with the path and the system's reason (a full disk, no permission, no such folder);
  /// so do append() and commit().
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void append(std::string_view text);
  void commit();

 private:
  std::string path_;
  std::string beside_;
  std::string buffer_;
  int file_ = -1;  ///< closed
};

/// The whole file at once.
void write_file(const std::string& path, std::string_view content);
/// Makes the folder and those above it. Throws ResultsError.
void make_folder(const std::string& path);
bool file_exists(const std::string& path);
/// Throws ResultsError when it is there and cannot be removed.
void remove_file(const std::string& path);
/// Throws ResultsError.
std::string read_file(const std::string& path);

/// Whatever is right below `path`, in order of names; none when it does not exist.
std::vector<std::string> entries_of(const std::string& path);
/// Entries right below `path` that are folders, in order of their names; none when it does not exist.
std::vector<std::string> folders_below(const std::string& path);
/// Files right below `path` whose names end so, in order; none when it does not exist.
std::vector<std::string> files_below(const std::string& path, std::string_view ending);

}  // namespace experiments
