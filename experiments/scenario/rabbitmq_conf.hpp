// What rabbitmq.conf has and mqlab does not.
#pragma once

#include <vector>

#include "experiments/scenario/keys.hpp"

namespace experiments {

std::vector<Key> other_conf_keys();

}  // namespace experiments
