// A deliberate leak of the machine into a run, to prove that the determinism gate can fail. 0 unless the build sets
// MQLAB_PLANTED_LEAK, which no build but the gate's own does.
#pragma once

#include <cstdint>

namespace models {

std::int64_t planted_leak();

}  // namespace models
