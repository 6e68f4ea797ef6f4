// What can go wrong outside of a model, one type a meaning. All end the program with one message and exit
// code 2.
#pragma once

#include <stdexcept>
#include <string>

#include "experiments/scenario/value.hpp"

namespace experiments {

/// The command line asks for something that cannot be done.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A scenario that cannot be run as it is written. what() is "file:line:column: key: message".
class BadScenario : public std::runtime_error {
 public:
  BadScenario(const Place& place, const std::string& key, const std::string& message)
      : std::runtime_error(place.text() + ": " + (key.empty() ? "" : key + ": ") + message) {}
};

/// Results that cannot be written, or stored results that cannot be read.
class ResultsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A trial that could not be carried through, by a fault of mqlab itself or by a model that never comes to
/// rest.
class TrialError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// The same with the command that makes it happen again.
  TrialError with_replay(const std::string& command) const {
    return TrialError(std::string(what()) + "\nsee it again: " + command);
  }
};

}  // namespace experiments
