// What goes wrong with a machine's disk: it is slow, it stands still, it is full, it is lost.
#pragma once

#include "models/faults/catalogue.hpp"

namespace models::faults {

Striker disk_slow(const FaultBinding& binding);
Striker disk_stall(const FaultBinding& binding);
Striker disk_full(const FaultBinding& binding);
Striker disk_loss(const FaultBinding& binding);

}  // namespace models::faults
