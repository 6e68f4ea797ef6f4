// What operators do to applications.
#pragma once

#include "models/faults/catalogue.hpp"

namespace models::faults {

/// Instances that stand by elsewhere take over from those that ran until now. There is no way back.
Striker failover(const FaultBinding& binding);
/// A producer writes its next messages with a version of their schema that is not its own.
Striker wrong_schema(const FaultBinding& binding);
Striker deny_delivery(const FaultBinding& binding);

}  // namespace models::faults
