#include "sim/assert.hpp"

namespace sim {

[[gnu::cold]] void assertion_failed(const char* expression, const char* file, int line, const char* message) {
  assertion_failed(expression, file, line, std::string(message));
}

[[gnu::cold]] void assertion_failed(const char* expression, const char* file, int line,
                                    const std::string& message) {
  throw AssertionError(std::string(file) + ":" + std::to_string(line) + ": " + message + " (" + expression +
                       ")");
}

}  // namespace sim
