// Keys of groups that are applications of Kafka Streams (groups.streams).
#pragma once

#include <vector>

#include "experiments/scenario/keys.hpp"

namespace experiments {

const std::vector<Row<models::GroupOptions>>& streams_rows();
const Section& streams_section();

}  // namespace experiments
