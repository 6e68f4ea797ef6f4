// Which of the trials in a folder of results a command is about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace experiments {

/// Empty fields choose all.
struct TrialChoice {
  std::string what;  ///< a folder of results, or a run id of one below results/
  std::string run;   ///< a run id of that folder
  std::optional<std::uint64_t> point, seed;
  std::string variant;
};

}  // namespace experiments
