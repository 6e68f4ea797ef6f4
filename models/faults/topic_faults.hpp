// What an operator does to a topic: grow.
#pragma once

#include "models/faults/catalogue.hpp"

namespace models::faults {

Striker grow(const FaultBinding& binding);

}  // namespace models::faults
