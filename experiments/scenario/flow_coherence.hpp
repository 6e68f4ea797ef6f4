// Whether what regulates load fits together.
#pragma once

#include <string>

#include "models/scenario.hpp"

namespace experiments {

struct Misfit {
  std::string path;  ///< of the key that is wrong; empty: none is
  std::string message;
};
/// The first that is found.
Misfit flow_misfit(const models::Scenario& scenario);

}  // namespace experiments
