// What does not fit together in a scenario whose keys are each right.
#pragma once

#include <optional>
#include <string>

namespace experiments {

struct Misfit {
  std::string path;  ///< of the key that is wrong
  std::string message;
};
using FoundMisfit = std::optional<Misfit>;

}  // namespace experiments
