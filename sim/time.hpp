// Virtual time: integer nanoseconds since the start of a run, behind a std::chrono clock type, so that
// `time + time` does not compile and literals such as `5ms` read as they should.
#pragma once

#include <chrono>
#include <cstdint>

namespace sim {

using namespace std::chrono_literals;

/// A signed span of virtual time, in nanoseconds.
using Duration = std::chrono::duration<std::int64_t, std::nano>;

/// The clock of a run. It has no now(): only a Simulation knows the time.
struct Clock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};

/// An instant of virtual time. `Time{}` is the start of the run.
using Time = Clock::time_point;

/// Later than every instant that a run can reach.
inline constexpr Time kNever = Time::max();

/// Nanoseconds since the start of the run.
constexpr std::int64_t nanoseconds(Time t) noexcept {
  return t.time_since_epoch().count();
}
constexpr double seconds(Time t) noexcept {
  return static_cast<double>(nanoseconds(t)) / 1e9;
}
constexpr double seconds(Duration d) noexcept {
  return static_cast<double>(d.count()) / 1e9;
}

}  // namespace sim
