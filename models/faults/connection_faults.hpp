// Faults of a connection: response-loss, connection-reset.
#pragma once

#include "models/faults/catalogue.hpp"

namespace models::faults {

Striker response_loss(const FaultBinding& binding);
Striker connection_reset(const FaultBinding& binding);

}  // namespace models::faults
