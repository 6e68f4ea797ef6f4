// The identities and small words of Kafka's protocol.
#pragma once

#include <cstdint>
#include <string_view>

#include "models/ids.hpp"

namespace models::kafka {

/// Number of a broker, from 0, dense.
using BrokerId = Id<struct BrokerTag, std::int32_t>;
inline constexpr BrokerId kNoBroker{-1};

/// Dense index over the partitions of all topics of a cluster, in order of declaration.
using PartitionIndex = Id<struct PartitionTag>;
/// Dense index over the topics of a cluster.
using TopicIndex = Id<struct TopicTag>;

/// Position in a partition's log. A committed offset or a fetch position is the next offset to read.
using Offset = std::int64_t;
inline constexpr Offset kNoOffset = -1;

/// Raised by the controller at each leader election of a partition; -1 is "unknown".
using LeaderEpoch = std::int32_t;
inline constexpr LeaderEpoch kNoEpoch = -1;

using ProducerId = std::int64_t;
inline constexpr ProducerId kNoProducerId = -1;

/// Sequences wrap from 2147483647 to 0 (DefaultRecordBatch.incrementSequence).
constexpr std::int32_t advance_sequence(std::int32_t sequence, std::int32_t by) {
  constexpr std::int64_t kWrap = 2147483648;
  return static_cast<std::int32_t>((static_cast<std::int64_t>(sequence) + by) % kWrap);
}

/// Kafka's own numbers (clients/src/main/java/org/apache/kafka/common/protocol/Errors.java).
enum class ErrorCode : std::uint16_t {
  none = 0,
  unknown_server_error = 65535,  ///< -1 on the wire
  offset_out_of_range = 1,
  unknown_topic_or_partition = 3,
  leader_not_available = 5,
  not_leader_or_follower = 6,
  request_timed_out = 7,
  message_too_large = 10,
  network_exception = 13,
  coordinator_load_in_progress = 14,
  coordinator_not_available = 15,
  not_coordinator = 16,
  record_list_too_large = 18,
  not_enough_replicas = 19,
  not_enough_replicas_after_append = 20,
  invalid_timestamp = 32,
  stale_controller_epoch = 11,
  illegal_generation = 22,
  inconsistent_group_protocol = 23,
  unknown_member_id = 25,
  invalid_session_timeout = 26,
  rebalance_in_progress = 27,
  not_controller = 41,
  invalid_request = 42,
  out_of_order_sequence_number = 45,
  duplicate_sequence_number = 46,
  invalid_producer_epoch = 47,
  invalid_txn_state = 48,
  invalid_producer_id_mapping = 49,
  invalid_transaction_timeout = 50,
  concurrent_transactions = 51,
  transaction_coordinator_fenced = 52,
  policy_violation = 44,
  kafka_storage_error = 56,
  unknown_producer_id = 59,
  group_id_not_found = 69,
  fetch_session_id_not_found = 70,
  fenced_leader_epoch = 74,
  unknown_leader_epoch = 75,
  stale_broker_epoch = 77,
  offset_not_available = 78,
  invalid_record = 87,
  unstable_offset_commit = 88,
  throttling_quota_exceeded = 89,
  producer_fenced = 90,
  duplicate_broker_registration = 101,
  member_id_required = 79,
  group_max_size_reached = 81,
  fenced_instance_id = 82,
  invalid_update_version = 95,
  ineligible_replica = 107,
  offset_moved_to_tiered_storage = 109,
  fenced_member_epoch = 110,
  unreleased_instance_id = 111,
  unsupported_assignor = 112,
  stale_member_epoch = 113,
  transaction_abortable = 120,
  invalid_record_state = 121,
  share_session_not_found = 122,
  invalid_share_session_epoch = 123,
  share_session_limit_reached = 133,
  session_expired = 999,  ///< ZooKeeper's
  // Not on the wire: what a client concludes by itself.
  delivery_timed_out = 1000,
  disconnected = 1001,
  client_closed = 1002,  ///< its process died or closed before the outcome was known
  transaction_aborted =
      1003,  ///< a batch was never sent, because its transaction aborts (TransactionAbortedException)
};
std::string_view error_name(ErrorCode code);

/// The errors after which a client asks for fresh metadata (InvalidMetadataException and its children).
constexpr bool means_stale_metadata(ErrorCode code) {
  return code == ErrorCode::not_leader_or_follower || code == ErrorCode::unknown_topic_or_partition ||
         code == ErrorCode::leader_not_available || code == ErrorCode::fenced_leader_epoch ||
         code == ErrorCode::network_exception || code == ErrorCode::disconnected ||
         code == ErrorCode::kafka_storage_error;
}

/// RetriableException and its children, for produce.
constexpr bool is_retriable(ErrorCode code) {
  return means_stale_metadata(code) || code == ErrorCode::request_timed_out ||
         code == ErrorCode::not_enough_replicas || code == ErrorCode::not_enough_replicas_after_append ||
         code == ErrorCode::unknown_leader_epoch || code == ErrorCode::coordinator_load_in_progress ||
         code == ErrorCode::coordinator_not_available || code == ErrorCode::not_coordinator ||
         code == ErrorCode::concurrent_transactions || code == ErrorCode::unstable_offset_commit;
}

}  // namespace models::kafka
