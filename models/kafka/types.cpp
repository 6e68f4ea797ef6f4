#include "models/kafka/types.hpp"

namespace models::kafka {

std::string_view error_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::none:
      return "NONE";
    case ErrorCode::offset_out_of_range:
      return "OFFSET_OUT_OF_RANGE";
    case ErrorCode::unknown_topic_or_partition:
      return "UNKNOWN_TOPIC_OR_PARTITION";
    case ErrorCode::leader_not_available:
      return "LEADER_NOT_AVAILABLE";
    case ErrorCode::not_leader_or_follower:
      return "NOT_LEADER_OR_FOLLOWER";
    case ErrorCode::request_timed_out:
      return "REQUEST_TIMED_OUT";
    case ErrorCode::message_too_large:
      return "MESSAGE_TOO_LARGE";
    case ErrorCode::network_exception:
      return "NETWORK_EXCEPTION";
    case ErrorCode::coordinator_load_in_progress:
      return "COORDINATOR_LOAD_IN_PROGRESS";
    case ErrorCode::coordinator_not_available:
      return "COORDINATOR_NOT_AVAILABLE";
    case ErrorCode::not_coordinator:
      return "NOT_COORDINATOR";
    case ErrorCode::not_enough_replicas:
      return "NOT_ENOUGH_REPLICAS";
    case ErrorCode::not_enough_replicas_after_append:
      return "NOT_ENOUGH_REPLICAS_AFTER_APPEND";
    case ErrorCode::illegal_generation:
      return "ILLEGAL_GENERATION";
    case ErrorCode::inconsistent_group_protocol:
      return "INCONSISTENT_GROUP_PROTOCOL";
    case ErrorCode::invalid_session_timeout:
      return "INVALID_SESSION_TIMEOUT";
    case ErrorCode::unknown_member_id:
      return "UNKNOWN_MEMBER_ID";
    case ErrorCode::rebalance_in_progress:
      return "REBALANCE_IN_PROGRESS";
    case ErrorCode::out_of_order_sequence_number:
      return "OUT_OF_ORDER_SEQUENCE_NUMBER";
    case ErrorCode::duplicate_sequence_number:
      return "DUPLICATE_SEQUENCE_NUMBER";
    case ErrorCode::invalid_producer_epoch:
      return "INVALID_PRODUCER_EPOCH";
    case ErrorCode::unknown_producer_id:
      return "UNKNOWN_PRODUCER_ID";
    case ErrorCode::fetch_session_id_not_found:
      return "FETCH_SESSION_ID_NOT_FOUND";
    case ErrorCode::fenced_leader_epoch:
      return "FENCED_LEADER_EPOCH";
    case ErrorCode::unknown_leader_epoch:
      return "UNKNOWN_LEADER_EPOCH";
    case ErrorCode::stale_broker_epoch:
      return "STALE_BROKER_EPOCH";
    case ErrorCode::offset_not_available:
      return "OFFSET_NOT_AVAILABLE";
    case ErrorCode::duplicate_broker_registration:
      return "DUPLICATE_BROKER_REGISTRATION";
    case ErrorCode::member_id_required:
      return "MEMBER_ID_REQUIRED";
    case ErrorCode::group_max_size_reached:
      return "GROUP_MAX_SIZE_REACHED";
    case ErrorCode::fenced_instance_id:
      return "FENCED_INSTANCE_ID";
    case ErrorCode::invalid_update_version:
      return "INVALID_UPDATE_VERSION";
    case ErrorCode::ineligible_replica:
      return "INELIGIBLE_REPLICA";
    case ErrorCode::group_id_not_found:
      return "GROUP_ID_NOT_FOUND";
    case ErrorCode::fenced_member_epoch:
      return "FENCED_MEMBER_EPOCH";
    case ErrorCode::unreleased_instance_id:
      return "UNRELEASED_INSTANCE_ID";
    case ErrorCode::unsupported_assignor:
      return "UNSUPPORTED_ASSIGNOR";
    case ErrorCode::stale_member_epoch:
      return "STALE_MEMBER_EPOCH";
    case ErrorCode::delivery_timed_out:
      return "DELIVERY_TIMED_OUT";
    case ErrorCode::disconnected:
      return "DISCONNECTED";
    case ErrorCode::client_closed:
      return "CLIENT_CLOSED";
  }
  return "UNKNOWN_SERVER_ERROR";
}

}  // namespace models::kafka
