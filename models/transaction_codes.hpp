// What a producer says of its own transactions: codes of Kind::transaction_state beside kCommitted and kAborted, which a
// coordinator says. Then the actor is the producer, and nothing else is given.
//
// Coordinator and producer may be of different minds: a request to end a transaction that comes late may end the next one
// (KAFKA-17754).
#pragma once

#include <cstdint>

namespace models {

inline constexpr std::uint16_t kBegun = 2;          // beginTransaction()
inline constexpr std::uint16_t kAbortReturned = 3;  // abortTransaction() has returned without an error

}  // namespace models
