// What a user should know of a scenario before it runs, though nothing is wrong with it.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "experiments/scenario/experiment.hpp"

namespace experiments {

/// Settings that other settings have changed, one sentence each.
std::vector<std::string> notes_on(const Resolved& resolved);

/// The notes on all of these, each once, a line each.
void print_notes(std::span<const Resolved* const> cells, std::ostream& err);

}  // namespace experiments
