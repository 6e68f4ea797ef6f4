#include "experiments/results/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "experiments/errors.hpp"

namespace experiments {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw ResultsError(path + ": cannot be written: " + std::strerror(error));
}

void write_all(int file, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void write_file(const std::string& path, std::string_view content) {
  const std::string beside = path + ".part";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail(path, errno);
  try {
    write_all(file, path, content);
    if (::fsync(file) != 0 && errno != EINVAL) fail(path, errno);
  } catch (...) {
    ::close(file);
    ::unlink(beside.c_str());
    throw;
  }
  if (::close(file) != 0 || ::rename(beside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(beside.c_str());
    fail(path, error);
  }
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path)) {
    throw ResultsError(path + ": cannot be made: " + (error ? error.message() : "it is a file"));
  }
}

bool file_exists(const std::string& path) {
  return std::filesystem::exists(path);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw ResultsError(path + ": cannot be read");
  return text.str();
}

std::vector<std::string> folders_below(const std::string& path) {
  std::vector<std::string> folders;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (entry.is_directory()) folders.push_back(entry.path().generic_string());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

}  // namespace experiments
