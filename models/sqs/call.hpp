// A call of the API, its answer included, from a pool: closures on the network carry a reference. Each attempt is a call of its
// own.
#pragma once

#include <cstdint>
#include <vector>

#include "models/ids.hpp"
#include "models/network/network.hpp"
#include "models/pool.hpp"
#include "models/sqs/deduplication.hpp"
#include "models/sqs/fifo_queue.hpp"
#include "models/sqs/message.hpp"
#include "sim/time.hpp"

namespace models::sqs {

class Client;

/// The same with one entry and with several (SendMessage, SendMessageBatch …).
enum class Action : std::uint8_t { send, receive, remove, change_visibility };

/// SendMessageBatchRequestEntry, and its result.
struct SendEntry {
  std::uint64_t seq = 0;
  std::uint32_t size = 0;
  Error error{};
  GroupKey group;
  DeduplicationKey deduplication;
};

struct ReceiptEntry {
  Receipt receipt;
  Error error{};
};

struct Call {
  Action action{};
  QueueIndex queue{};
  Error error{};  ///< of the whole
  Client* client = nullptr;
  ConnectionId connection{};
  std::uint32_t pending = 0;  ///< of the client's
  std::uint32_t attempt = 0;

  // send
  LaneId lane{};
  sim::Duration delay{-1};  ///< below 0: the queue's
  std::vector<SendEntry> entries;
  // receive
  std::uint32_t max = 1;
  sim::Duration wait{};
  std::uint64_t attempt_id = 0;  ///< ReceiveRequestAttemptId; 0: none
  std::vector<Delivered> messages;
  // receive, change_visibility
  sim::Duration visibility{};
  // remove, change_visibility
  bool awaited = false;  ///< the caller does nothing else meanwhile
  std::vector<ReceiptEntry> receipts;

  std::uint32_t refs = 0;
  Shelf<Call>* home = nullptr;
  void clear() {
    error = {};
    entries.clear();
    messages.clear();
    receipts.clear();
  }
  /// The same request once more.
  void ask_again(const Call& other) {
    action = other.action;
    queue = other.queue;
    client = other.client;
    pending = other.pending;
    attempt = other.attempt;
    lane = other.lane;
    delay = other.delay;
    entries = other.entries;
    max = other.max;
    wait = other.wait;
    attempt_id = other.attempt_id;
    visibility = other.visibility;
    awaited = other.awaited;
    receipts = other.receipts;
  }
};

/// Bytes of a request's or an answer's headers, and of an entry's identifiers.
inline constexpr std::uint32_t kCallBytes = 700;
inline constexpr std::uint32_t kEntryBytes = 200;

}  // namespace models::sqs
