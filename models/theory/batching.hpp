// Producer batching under Poisson arrivals: at most N records a batch, linger T from the first (NUMBERS: section 1.13;
// Paolieri et al., MASCOTS 2025: time to fill is a truncated Erlang, size at the time-out a truncated Poisson variable).
#pragma once

#include <cstdint>

namespace theory {

struct Batching {
  double full = 0;             ///< probability that a batch fills before its linger ends
  double size = 0;             ///< mean records a batch
  double batch_delay_s = 0;    ///< mean time from the first record to the end of the batch
  double record_linger_s = 0;  ///< mean time of a record in its batch
};

/// `records_per_s` per partition, linger > 0, at least 1 record a batch.
Batching batching(double records_per_s, double linger_s, std::uint32_t records_per_batch);

}  // namespace theory
