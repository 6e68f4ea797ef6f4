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

constexpr std::size_t kBuffered = std::size_t{1} << 20U;

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

template <class Wanted>
std::vector<std::string> entries_below(const std::string& path, Wanted wanted) {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (wanted(*at)) found.push_back(at->path().generic_string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

OutputFile::OutputFile(std::string path) : path_(std::move(path)), beside_(path_ + ".part") {
  file_ = ::open(beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file_ < 0) fail(path_, errno);
}

OutputFile::~OutputFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(beside_.c_str());
}

void OutputFile::append(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() < kBuffered) return;
  write_all(file_, path_, buffer_);
  buffer_.clear();
}

void OutputFile::commit() {
  write_all(file_, path_, buffer_);
  if (::fsync(file_) != 0 && errno != EINVAL) fail(path_, errno);
  const int file = file_;
  file_ = -1;
  if (::close(file) != 0 || ::rename(beside_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(beside_.c_str());
    fail(path_, error);
  }
}

void write_file(const std::string& path, std::string_view content) {
  OutputFile file(path);
  file.append(content);
  file.commit();
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  const bool there = std::filesystem::exists(path);
  if (there && !std::filesystem::is_directory(path)) throw ResultsError(path + ": is no folder");
  if (error || !there) throw ResultsError(path + ": cannot be made: " + error.message());
}

bool file_exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

void remove_file(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) throw ResultsError(path + ": cannot be removed: " + error.message());
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw ResultsError(path + ": cannot be read");
  return text.str();
}

std::vector<std::string> entries_of(const std::string& path) {
  return entries_below(path, [](const std::filesystem::directory_entry&) { return true; });
}

std::vector<std::string> folders_below(const std::string& path) {
  return entries_below(path, [](const std::filesystem::directory_entry& entry) {
    std::error_code error;
    return entry.is_directory(error);
  });
}

std::vector<std::string> files_below(const std::string& path, std::string_view ending) {
  return entries_below(path, [&](const std::filesystem::directory_entry& entry) {
    return entry.path().extension() == ending;
  });
}

}  // namespace experiments
