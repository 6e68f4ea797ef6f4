// A message as a queue keeps it: 40 bytes.
#pragma once

#include <cstdint>

#include "models/ids.hpp"
#include "sim/time.hpp"

namespace models::sqs {

using QueueIndex = Id<struct SqsQueueTag, std::uint16_t>;

struct Message {
  std::uint64_t number =
      0;  ///< in the order in which they came to the queue (SequenceNumber), and its offset in the trace
  std::uint64_t seq = 0;  ///< with `lane`: which message this is
  sim::Time sent{};       ///< SentTimestamp: retention counts from here
  LaneId lane{};
  std::uint32_t size = 0;    ///< bytes of body and attributes
  std::uint32_t origin = 0;  ///< of a dead letter: which message it was at first (Origins); 0: itself
  std::uint32_t group = 0;   ///< of a FIFO queue: the queue's number of its MessageGroupId
};
static_assert(sizeof(Message) == 40);

/// ReceiptHandle: of one receive of one message.
struct Receipt {
  std::uint64_t number = 0;  ///< of the message
  std::uint32_t slot = 0;
  std::uint32_t receive = 0;  ///< counts what was done with the slot
  bool operator==(const Receipt&) const = default;
};

/// A received message. `lane` and `seq` say which one its sender sent: of a dead letter the first.
struct Delivered {
  Receipt receipt;
  std::uint64_t seq = 0;
  LaneId lane{};
  std::uint32_t receives = 0;  ///< ApproximateReceiveCount
  std::uint32_t size = 0;      ///< bytes
};

/// What SQS answers, by the names of its errors.
enum class Error : std::uint8_t {
  none,
  service_unavailable,      ///< 503
  request_throttled,        ///< ThrottlingException, RequestThrottled
  over_limit,               ///< too many messages are in flight
  receipt_handle_expired,   ///< InvalidParameterValue: the receipt handle has expired (FIFO)
  message_not_inflight,     ///< MessageNotInflight
  visibility_beyond_limit,  ///< InvalidParameterValue: beyond 12 hours since the receive
  message_too_long,         ///< InvalidParameterValue: longer than MaximumMessageSize
  connection_lost,          ///< of the SDK: nobody has answered
  timed_out,                ///< of the SDK: apiCallAttemptTimeout
};

/// What the SDK tries again (standard retry mode: transient errors and throttling).
constexpr bool retryable(Error e) {
  return e == Error::service_unavailable || e == Error::request_throttled || e == Error::connection_lost ||
         e == Error::timed_out;
}
/// Whether what was asked for may have been done all the same.
constexpr bool in_doubt(Error e) {
  return e == Error::connection_lost || e == Error::timed_out;
}

}  // namespace models::sqs
