// Durations as ISO 8601 writes them.
#pragma once

#include <optional>
#include <string_view>

#include "sim/time.hpp"

namespace models::kafka {

/// java.time.Duration.parse: PnDTnHnMn.nS, not negative (AutoOffsetResetStrategy.java). Nothing where the text is none.
std::optional<sim::Duration> iso_duration(std::string_view text);

}  // namespace models::kafka
