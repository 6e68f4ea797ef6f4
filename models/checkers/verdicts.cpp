#include "models/checkers/verdicts.hpp"

namespace models {

std::span<const VerdictInfo> verdict_catalogue() {
  static constexpr std::array kRows{
      VerdictInfo{
          Verdict::lost, "lost", "ledger",
          "an acknowledged message that a subscribed group will never process: truncated with no other copy, "
          "never stored, or passed by a commit or a position reset"},
      VerdictInfo{Verdict::lost_unacknowledged, "lost_unacknowledged", "ledger",
                  "the same for a stored message of which the producer was never told success"},
      VerdictInfo{
          Verdict::skipped, "skipped", "ledger",
          "in the log before the group's first position, which auto.offset.reset=latest put behind it"},
      VerdictInfo{Verdict::expired, "expired", "ledger",
                  "in the log or queue, and removed by retention or its time to live before the group had "
                  "processed it"},
      VerdictInfo{
          Verdict::dead_lettered, "dead_lettered", "ledger",
          "archived by a share group, or given to a dead letter exchange by a queue, and never processed"},
      VerdictInfo{Verdict::in_flight, "in_flight", "ledger",
                  "no terminal state when the drain ended, or in the hands of an application that lives"},
      VerdictInfo{Verdict::duplicated, "duplicated", "ledger", "processed again by the same group"},
      VerdictInfo{Verdict::log_duplicate, "log_duplicate", "ledger",
                  "stored while a copy was in the log already"},
      VerdictInfo{Verdict::resend_duplicate, "resend_duplicate", "ledger",
                  "in the log beside the message that the application meant to replace by it"},
      VerdictInfo{Verdict::effect_duplicated, "effect_duplicated", "ledger",
                  "its outside effect was applied again"},
      VerdictInfo{Verdict::redelivered, "redelivered", "ledger", "an offset handed to the same group again"},
      VerdictInfo{Verdict::reordered_in_log, "reordered_in_log", "ledger",
                  "a first copy stored behind a later message of its producer and partition"},
      VerdictInfo{Verdict::reordered_per_key, "reordered_per_key", "ledger",
                  "processed for the first time after a later-created message of its producer and key"},
      VerdictInfo{Verdict::rewound, "rewound", "ledger",
                  "processed again after a later-created one of its key"},
      VerdictInfo{Verdict::overlap, "overlap", "metrics",
                  "a partition fetchable by two members of one group at once"},
      VerdictInfo{Verdict::two_holders, "two_holders", "ledger",
                  "handed to a member of a share group, or of a queue's, while another still held it"},
      VerdictInfo{
          Verdict::discarded, "discarded", "ledger",
          "thrown away by a queue without a dead letter exchange: rejected, or in the way of others, and "
          "never processed"},
      VerdictInfo{Verdict::lost_write, "lost_write", "lost_write",
                  "an acknowledged record at or below the highest offset read by anybody of its partition, "
                  "never read"},
      VerdictInfo{Verdict::unseen, "unseen", "unseen",
                  "an acknowledged record that nobody had read at the end"},
      VerdictInfo{Verdict::duplicate, "duplicate", "duplicate", "one record at two offsets"},
      VerdictInfo{Verdict::inconsistent_offsets, "inconsistent_offsets", "inconsistent_offsets",
                  "one offset that held two records which were both acknowledged or read"},
      VerdictInfo{Verdict::int_poll_skip, "int_poll_skip", "poll_order",
                  "inside one poll the offsets jump over a record"},
      VerdictInfo{Verdict::int_nonmonotonic_poll, "int_nonmonotonic_poll", "poll_order",
                  "inside one poll the offsets step back"},
      VerdictInfo{Verdict::poll_skip, "poll_skip", "poll_order",
                  "successive polls of one consumer jump over a record, without an assignment change"},
      VerdictInfo{Verdict::nonmonotonic_poll, "nonmonotonic_poll", "poll_order",
                  "successive polls of one consumer step back, without an assignment change"},
      VerdictInfo{Verdict::int_send_skip, "int_send_skip", "send_order",
                  "sends acknowledged together lie around a record of another producer"},
      VerdictInfo{Verdict::nonmonotonic_send, "nonmonotonic_send", "send_order",
                  "a later send of one producer has a lower offset"},
      VerdictInfo{Verdict::aborted_read, "aborted_read", "transaction_reads",
                  "G1a: a record was handed out whose transaction was aborted, then or before"},
      VerdictInfo{
          Verdict::precommitted_read, "precommitted_read", "transaction_reads",
          "a record was handed to the member that had written it, before its transaction was decided"},
      VerdictInfo{Verdict::output_duplicated, "output_duplicated", "outputs",
                  "a second message that a group made of one input, in the log, and not aborted"},
      VerdictInfo{
          Verdict::output_missing, "output_missing", "outputs",
          "an input that a group which transforms has processed and committed, without an output that "
          "counts"},
      VerdictInfo{Verdict::table_wrong, "table_wrong", "tables",
                  "a key whose row in a group's table is not what its last record in the log says"},
      VerdictInfo{Verdict::resurrected, "resurrected", "tables",
                  "of these, a key that was deleted and that the table has"},
      VerdictInfo{Verdict::event_lost, "event_lost", "facts",
                  "a committed fact that was to be published, and no record in the log says it"},
      VerdictInfo{Verdict::event_invented, "event_invented", "facts",
                  "a record in the log that says a fact which no database has"},
      VerdictInfo{Verdict::event_duplicated, "event_duplicated", "facts",
                  "a second record in the log that says the same fact"},
      VerdictInfo{
          Verdict::event_reordered, "event_reordered", "facts",
          "the first record of a fact lies behind one of a fact of the same aggregate that was committed "
          "later"},
      VerdictInfo{Verdict::saga_stuck, "saga_stuck", "sagas", "a saga that neither succeeded nor failed"},
      VerdictInfo{
          Verdict::saga_inconsistent, "saga_inconsistent", "sagas",
          "a saga that succeeded and failed, did something twice, failed without undoing what it had done, "
          "or undid what had succeeded"},
      VerdictInfo{Verdict::saga_hidden, "saga_hidden", "sagas",
                  "a saga of which the database where it began said something else, for a moment, than what "
                  "had happened, one answer that "
                  "was on its way left out"},
      VerdictInfo{Verdict::view_wrong, "view_wrong", "views",
                  "an aggregate of which a view holds something else than its last fact"},
      VerdictInfo{Verdict::view_stale, "view_stale", "views",
                  "somebody read a view, and did not find what they had just written"},
      VerdictInfo{Verdict::decision_split, "decision_split", "commitment",
                  "a transaction that one participant has committed and another has not"},
  };
  static_assert(kRows.size() == static_cast<std::size_t>(Verdict::count_));
  return kRows;
}

std::string_view verdict_name(Verdict verdict) {
  return verdict_catalogue()[static_cast<std::size_t>(verdict)].name;
}

void Anomalies::add(const Anomaly& found) {
  const auto v = static_cast<std::size_t>(found.verdict);
  counted_[v] += static_cast<std::uint64_t>(found.count);
  if (kept_[v] == most_) {
    ++left_out_;
    return;
  }
  ++kept_[v];
  rows_.push_back(found);
}

}  // namespace models
