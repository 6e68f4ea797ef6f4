// Axes: the values that a sweep gives to one path, and the grid of all axes' points.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/value.hpp"

namespace experiments {

struct Axis {
  Path path;
  std::vector<Value> values;
};

/// From the command line: PATH=a,b,c; PATH=from..to/steps; PATH=from..to/log/steps. Both ends are points;
/// they may carry one unit ("1s..60s/log/4"). Whole ends give whole values where these stay distinct.
Axis parse_axis(std::string_view assignment);
/// From [sweep]: a list, or { from, to, steps } with scale = "log" if wanted.
Axis read_axis(Path path, const Value& value);

/// The index into each axis's values at `point`; the last axis moves fastest. No axes: one point.
std::vector<std::size_t> axis_indices(const std::vector<Axis>& axes, std::uint64_t point);
/// How many points there are; throws BadScenario where they exceed `most`.
std::uint64_t count_points(const std::vector<Axis>& axes, std::uint64_t most);

}  // namespace experiments
