// Faults of a process or its machine: crash, power-loss, pause, heartbeat-loss, slowdown, clock-skew, join, leave, restart,
// rolling.
#pragma once

#include "models/faults/catalogue.hpp"

namespace models::faults {

Striker crash(const FaultBinding& binding);
Striker power_loss(const FaultBinding& binding);
Striker pause(const FaultBinding& binding);
Striker heartbeat_loss(const FaultBinding& binding);
/// What its program's work takes, it takes `factor` times as long.
Striker slowdown(const FaultBinding& binding);
/// Its wall clock goes wrong by a step, and right again by another.
Striker clock_skew(const FaultBinding& binding);
Striker join(const FaultBinding& binding);
Striker leave(const FaultBinding& binding);
Striker restart(const FaultBinding& binding);
Striker rolling(const FaultBinding& binding);

}  // namespace models::faults
