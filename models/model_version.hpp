// The version of what the models do. Raised by hand whenever a run of some scenario and seed may give other records than
// before; it is part of every run id, so that results of different behaviour are never taken for the same run.
#pragma once

#include <cstdint>

namespace models {

inline constexpr std::uint32_t kModelVersion = 8;

}  // namespace models
