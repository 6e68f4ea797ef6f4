#include "models/trace_kinds.hpp"

#include <array>

namespace models {

std::span<const KindInfo> kind_catalogue() {
  static constexpr std::array kRows{
      KindInfo{Kind::none, "none", "", "", ""},
      KindInfo{Kind::offered, "offered", "first_seq", "count", ""},
      KindInfo{Kind::refused, "refused", "", "count", ""},
      KindInfo{Kind::acknowledged, "acknowledged", "first_seq", "count", "base_offset"},
      KindInfo{Kind::failed, "failed", "first_seq", "count", "maybe_written"},
      KindInfo{Kind::resent, "resent", "first_seq", "count", "first_old_seq"},
      KindInfo{Kind::stored, "stored", "first_seq", "count", "base_offset"},
      KindInfo{Kind::truncated, "truncated", "base_offset", "count", "leader_epoch"},
      KindInfo{Kind::high_watermark, "high_watermark", "offset", "", ""},
      KindInfo{Kind::subscribed, "subscribed", "", "", ""},
      KindInfo{Kind::position, "position", "offset", "offset_before", ""},
      KindInfo{Kind::delivered, "delivered", "base_offset", "count", "leader_epoch"},
      KindInfo{Kind::processed, "processed", "base_offset", "count", "leader_epoch"},
      KindInfo{Kind::effect, "effect", "base_offset", "count", "leader_epoch"},
      KindInfo{Kind::committed, "committed", "offset", "offset_before", ""},
      KindInfo{Kind::commit_refused, "commit_refused", "offset", "", ""},
      KindInfo{Kind::ownership, "ownership", "owned", "", ""},
      KindInfo{Kind::group_state, "group_state", "state", "generation", ""},
      KindInfo{Kind::member_state, "member_state", "", "generation", ""},
      KindInfo{Kind::leader_changed, "leader_changed", "leader_epoch", "log_end", ""},
      KindInfo{Kind::isr_changed, "isr_changed", "partition_epoch", "replicas", ""},
      KindInfo{Kind::broker_state, "broker_state", "", "", ""},
      KindInfo{Kind::client_refreshed, "client_refreshed", "leader_epoch", "", ""},
      KindInfo{Kind::fault, "fault", "strikes", "", ""},
      KindInfo{Kind::phase, "phase", "", "", ""},
      KindInfo{Kind::abandoned, "abandoned", "base_offset", "count", "leader_epoch"},
      KindInfo{Kind::transaction_marker, "transaction_marker", "first_offset", "count", "marker_offset"},
      KindInfo{Kind::transaction_state, "transaction_state", "", "producer_id", "producer_epoch"},
      KindInfo{Kind::left_out, "left_out", "base_offset", "count", ""},
      KindInfo{Kind::derived, "derived", "first_seq", "count", "first_input_seq"},
      KindInfo{Kind::diverged, "diverged", "base_offset", "count", ""},
      KindInfo{Kind::expired, "expired", "base_offset", "count", "segments"},
      KindInfo{Kind::controller_changed, "controller_changed", "epoch", "active", ""},
      KindInfo{Kind::archived, "archived", "base_offset", "count", "deliveries"},
      KindInfo{Kind::same_keys, "same_keys", "", "", ""},
      KindInfo{Kind::compacted, "compacted", "cleaned_end", "bytes", "records"},
      KindInfo{Kind::tombstones, "tombstones", "first_seq", "count", ""},
      KindInfo{Kind::mirrors, "mirrors", "", "", ""},
      KindInfo{Kind::failed_over, "failed_over", "", "", ""},
      KindInfo{Kind::tiered, "tiered", "base_offset", "count", "bytes"},
      KindInfo{Kind::called, "called", "attempt", "", ""},
      KindInfo{Kind::call_ended, "call_ended", "attempt", "waited_ns", ""},
      KindInfo{Kind::breaker_state, "breaker_state", "", "", ""},
      KindInfo{Kind::buffered, "buffered", "messages", "", ""},
      KindInfo{Kind::scaled, "scaled", "members", "members_before", "lag"},
      KindInfo{Kind::fact_type, "fact_type", "role", "undoes", ""},
      KindInfo{Kind::fact, "fact", "seq", "aggregate", "log_position"},
      KindInfo{Kind::published, "published", "first_seq", "count", "first_fact_seq"},
      KindInfo{Kind::request, "request", "created_ns", "answered", ""},
      KindInfo{Kind::applied, "applied", "seq", "aggregate", ""},
      KindInfo{Kind::viewed, "viewed", "seq", "found", ""},
      KindInfo{Kind::vote, "vote", "transaction", "", ""},
      KindInfo{Kind::deployed, "deployed", "version", "version_before", ""},
      KindInfo{Kind::registry_answer, "registry_answer", "version", "id", ""},
      KindInfo{Kind::unreadable, "unreadable", "offset", "writer_version", "reader_version"},
      KindInfo{Kind::late, "late", "base_offset", "count", ""},
      KindInfo{Kind::operation_refused, "operation_refused", "partitions", "", ""},
      KindInfo{Kind::window_counts, "window_counts", "windows", "too_high", "too_low"},
      KindInfo{Kind::emptied, "emptied", "base_offset", "count", ""},
      KindInfo{Kind::dispatched, "dispatched", "base_offset", "count", "member"},
      KindInfo{Kind::settled, "settled", "base_offset", "count", ""},
      KindInfo{Kind::requeued, "requeued", "base_offset", "count", ""},
      KindInfo{Kind::removed, "removed", "base_offset", "count", "dead_lettered"},
      KindInfo{Kind::republished, "republished", "first_seq", "count", "offset"},
      KindInfo{Kind::queue_depth, "queue_depth", "ready", "unacknowledged", ""},
      KindInfo{Kind::delayed, "delayed", "base_offset", "count", "begins"},
      KindInfo{Kind::empty_receive, "empty_receive", "", "", "member"},
      KindInfo{Kind::notification, "notification", "first_seq", "count", ""},
      KindInfo{Kind::connection_blocked, "connection_blocked", "blocked", "", ""},
  };
  static_assert(kRows.size() == static_cast<std::size_t>(Kind::count_));
  return kRows;
}

std::string_view kind_name(std::uint16_t kind) {
  const auto rows = kind_catalogue();
  return kind < rows.size() ? rows[kind].name : "unknown";
}

}  // namespace models
