// Ctrl-C: a flag that the handler sets, and what is thrown where work stops because of it.
#pragma once

#include <atomic>
#include <stdexcept>
#include <string>

namespace experiments {

/// Set by the handler of SIGINT and SIGTERM; looked at between trials, and inside one at every block of its
/// trace.
extern std::atomic<bool> interrupted;

/// The user asked to stop. Its text is for people; the program exits with 130, as shells expect.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(const std::string& text = "interrupted") : std::runtime_error(text) {}
};

}  // namespace experiments
