// The command line of mqlab.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace experiments {

/// Runs one command and returns its exit code: 0 done and all expectations met; 1 an expectation or a
/// comparison failed; 2 bad usage, a bad scenario, or results that cannot be written; 130 the user stopped
/// it. `arguments` without the program's name.
int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace experiments
