// Numbers of records are signed in the trace, and unsigned in the tables of checkers.
#pragma once

#include <cstdint>

namespace models {

constexpr std::uint64_t unsigned_of(std::int64_t n) {
  return static_cast<std::uint64_t>(n);
}
constexpr std::int64_t signed_of(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}

}  // namespace models
