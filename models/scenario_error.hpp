// A scenario that cannot be run: an unknown name, an impossible value. Thrown before anything runs. The
// reader of scenario files turns the path into file, line and column; an outside program reads what() as it
// stands.
#pragma once

#include <stdexcept>
#include <string>

namespace models {

class ScenarioError : public std::runtime_error {
 public:
  /// `path` as --set would write it: "faults.outage.target".
  ScenarioError(std::string path, const std::string& message)
      : std::runtime_error(path + ": " + message), path_(std::move(path)), message_(message) {}

  const std::string& path() const noexcept { return path_; }
  const std::string& message() const noexcept { return message_; }

 private:
  std::string path_;
  std::string message_;
};

}  // namespace models
