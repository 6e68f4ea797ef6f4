// Producer batching under Poisson arrivals of rate r: at most N records a batch, linger T from the first.
//
// With F(k) = P(Poisson(r T) >= k), the chance that k more records arrive within the linger:
//   full             F(N - 1)
//   size             1 + sum of F(j) over j = 1 .. N - 1
//   batch_delay_s    sum of F(k + 1) over k = 0 .. N - 2, divided by r
//   record_linger_s  sum of (k + 1) F(k + 1) over k = 0 .. N - 2, divided by r size
// (Paolieri et al., "Analytical characterization and efficient simulation of batched arrivals in the Kafka
// broker", MASCOTS 2025: the time to fill is a truncated Erlang, the size at the time-out a truncated Poisson
// variable.)
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
