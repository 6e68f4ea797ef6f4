// Faults of the network between hosts: link-cut, isolate, message-loss, delay, bandwidth.
#pragma once

#include "models/faults/catalogue.hpp"

namespace models::faults {

Striker link_cut(const FaultBinding& binding);
Striker isolate(const FaultBinding& binding);
Striker message_loss(const FaultBinding& binding);
Striker delay(const FaultBinding& binding);
Striker bandwidth(const FaultBinding& binding);

}  // namespace models::faults
