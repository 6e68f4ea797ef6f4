#include "models/faults/steps.hpp"

#include <algorithm>
#include <array>

#include "sim/assert.hpp"

namespace models {

std::span<const StepInfo> step_catalogue() {
  static constexpr std::array kRows{
      StepInfo{Step::delivered, "delivered", "member"},
      StepInfo{Step::effect_applied, "effect-applied", "member"},
      StepInfo{Step::processed_not_committed, "processed-not-committed", "member"},
      StepInfo{Step::commit_sent, "commit-sent", "member"},
      StepInfo{Step::committed, "committed", "member"},
      StepInfo{Step::acknowledged, "acknowledged", "producer"},
      StepInfo{Step::appended, "appended", "broker"},
      StepInfo{Step::acknowledged_not_replicated, "acknowledged-not-replicated", "broker"},
      StepInfo{Step::heartbeat_sent, "heartbeat-sent", "member"},
      StepInfo{Step::offsets_added, "offsets-added", "member"},
      StepInfo{Step::end_txn_sent, "end-txn-sent", "producer"},
      StepInfo{Step::transaction_ended, "transaction-ended", "producer"},
      StepInfo{Step::transaction_prepared, "transaction-prepared", "broker"},
      StepInfo{Step::id_recorded, "id-recorded", "member"},
      StepInfo{Step::transaction_sent, "transaction-sent", "service"},
      StepInfo{Step::transaction_committed, "transaction-committed", "service"},
      StepInfo{Step::event_acknowledged, "event-acknowledged", "service"},
      StepInfo{Step::rows_read, "rows-read", "relay"},
      StepInfo{Step::rows_sent, "rows-sent", "relay"},
      StepInfo{Step::rows_marked, "rows-marked", "relay"},
      StepInfo{Step::row_inserted, "row-inserted", "database"},
      StepInfo{Step::transaction_stored, "transaction-stored", "database"},
      StepInfo{Step::prepare_sent, "prepare-sent", "service"},
      StepInfo{Step::votes_collected, "votes-collected", "service"},
      StepInfo{Step::decision_recorded, "decision-recorded", "service"},
      StepInfo{Step::vote_given, "vote-given", "database"},
      StepInfo{Step::participant_asked, "participant-asked", "service"},
      StepInfo{Step::participant_told, "participant-told", "service"},
  };
  return kRows;
}

void StepCell::fire() {
  while (!watches_.empty() && watches_.front().nth <= count_) {
    MQLAB_ASSERT(watches_.front().nth == count_, "a run-ahead must end at a watched step, not beyond it");
    const std::function<void()> action = std::move(watches_.front().action);
    watches_.pop_front();
    fires_at_ = watches_.empty() ? kNobody : watches_.front().nth;
    action();
  }
}

StepCell& Steps::cell(EntityId subject, Step step) {
  return cells_[{subject, step}];
}

void Steps::watch(EntityId subject, Step step, std::int64_t nth, std::function<void()> action) {
  MQLAB_ASSERT(nth >= 1, "occurrences count from 1");
  StepCell& c = cell(subject, step);
  const auto at = std::upper_bound(c.watches_.begin(), c.watches_.end(), nth,
                                   [](std::int64_t n, const StepCell::Watch& w) { return n < w.nth; });
  c.watches_.insert(at, {nth, std::move(action)});
  c.fires_at_ = c.watches_.front().nth;
}

}  // namespace models
