// Named steps: the moments inside a model at which a fault can be made to strike ("the 100th record of billing/1 has been
// processed and not committed").
//
// A model counts a step through a StepCell, which costs one comparison while nobody watches. A model that works ahead in
// virtual time asks `until_next()` first and ends its run-ahead exactly at the watched occurrence; it then calls `advance()`
// at the instant of that occurrence, and the watcher's action runs synchronously, before the model does anything else.
// A model must therefore be ready to be crashed inside advance(): it returns at once when its node is no longer up. And to be
// paused there: what it does next waits until its node goes on (step_then.hpp).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "models/ids.hpp"

namespace models {

enum class Step : std::uint8_t {
  delivered,                    ///< member: a record was handed to the application
  effect_applied,               ///< member: the outside effect of a record was applied
  processed_not_committed,      ///< member: a record's processing ended, its commit has not been sent
  commit_sent,                  ///< member: an offset commit left the member
  committed,                    ///< member: the response to an offset commit arrived
  acknowledged,                 ///< producer: a record was acknowledged
  appended,                     ///< broker: a record was appended to a log it leads, before any response
  acknowledged_not_replicated,  ///< broker: a record was acknowledged that no follower has fetched yet
  heartbeat_sent,               ///< member: a heartbeat left the member
  offsets_added,                ///< member: its offsets are part of the transaction, which is still open
  end_txn_sent,                 ///< producer: a request to end a transaction left it
  transaction_ended,            ///< producer: the answer to that arrived
  transaction_prepared,  ///< broker: a coordinator has decided a transaction, and written no marker yet
  id_recorded,  ///< member: a record is in the table of processed messages, its effect is not applied yet
  transaction_sent,       ///< service: a transaction has left it for its database
  transaction_committed,  ///< service: it has heard that one was committed, and has done nothing since
  event_acknowledged,     ///< service: an event of its own was acknowledged, and it has done nothing since
  rows_read,              ///< relay: it has rows in hand, and has sent none of them
  rows_sent,     ///< relay: all events of what it had in hand were acknowledged, and it has noted it nowhere
  rows_marked,   ///< relay: it has heard that they are noted
  row_inserted,  ///< database: a row has its id, and its transaction is open
  transaction_stored,  ///< database: a transaction was committed, and nobody has been told
  prepare_sent,        ///< service: participants have been asked for their votes
  votes_collected,     ///< service: all have voted yes, and nothing was decided
  decision_recorded,   ///< service: the decision is in its log, and nobody has been told
  vote_given,          ///< database: it has prepared a transaction, and waits for the decision
  participant_asked,   ///< service: one participant has been asked for its vote, and the other has not
  participant_told,    ///< service: one participant has been told the decision, and the other has not
};

struct StepInfo {
  Step step;
  std::string_view name;  ///< as scenario files write it: "processed-not-committed"
  std::string_view subject;
};
/// Every step, for the scenario reader and `mqlab list`.
std::span<const StepInfo> step_catalogue();

class StepCell {
 public:
  /// Occurrences from now until a watched one, itself included (1: the next); a huge number when nobody watches.
  std::int64_t until_next() const noexcept { return fires_at_ - count_; }
  /// `n` occurrences happened at this instant. Must not step over a watched one: n <= until_next().
  void advance(std::int64_t n) {
    count_ += n;
    if (count_ >= fires_at_) fire();
  }
  std::int64_t count() const noexcept { return count_; }

 private:
  friend class Steps;
  static constexpr std::int64_t kNobody = std::numeric_limits<std::int64_t>::max() / 2;
  struct Watch {
    std::int64_t nth;
    std::function<void()> action;
  };
  void fire();

  std::int64_t count_ = 0;
  std::int64_t fires_at_ = kNobody;
  std::deque<Watch> watches_;  // sorted by nth
};

class Steps {
 public:
  /// The cell of (subject, step), made at the first call; its address stays.
  StepCell& cell(EntityId subject, Step step);
  /// Runs `action` when the n-th occurrence (from 1) of `step` happens at `subject`.
  void watch(EntityId subject, Step step, std::int64_t nth, std::function<void()> action);

 private:
  std::map<std::pair<EntityId, Step>, StepCell> cells_;
};

}  // namespace models
