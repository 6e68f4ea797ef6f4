// Assertions that are always on, in every build: a programmer's error ends the run instead of bending its results.
//
// A failed assertion throws AssertionError. The engine does not know the command that started the run, so the
// program that catches the error adds seed, time and the line to replay; a test catches it to see the guard fire.
// Where an assertion fails inside a destructor or another noexcept function, the process terminates.
#pragma once

#include <stdexcept>
#include <string>

namespace sim {

/// A broken contract inside the program; never a modelled failure and never a bad scenario.
class AssertionError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line, const char* message);
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line,
                                   const std::string& message);

}  // namespace sim

#define MQLAB_ASSERT(condition, message)             \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::sim::assertion_failed(#condition, __FILE__, __LINE__, message))
