// The ledger: what became of every message, for every group that subscribed. A sink; models never read it.
//
// Identity is (lane, seq). Counts are run-length (RunCounts), the log is an index of extents (LogIndex),
// creation times and keys live in columns that are freed once a message is settled (MessageColumns). So a
// message that waits costs about 12 bytes and its share of an extent, a finished one the one or two bytes by
// which its key is remembered, and nothing else grows with the length of a run but the extents.
//
// It knows per message: offered, acknowledged or failed, stored and truncated how often; per group:
// processed, applied and settled how often; per group and offset: delivered how often. Each message ends in
// one state, given by a named record:
//   processed                        by that group
//   lost, lost_unacknowledged        truncated, never stored (acks=0), or passed by a commit or a position
//                                    reset
//   failed                           reported failed to the application, and not in the log
//   aborted                          in the log only as part of transactions that were aborted
//   expired                          removed by retention before the group had processed them
//   dead-lettered                    archived by a share group without having been processed
//   discarded                        thrown away by a queue that has no dead letter exchange
//   compacted                        removed by compaction before the group read them: a newer record of the key is there,
//                                    or was
//   skipped                          in the log before the group's first position, by
//                                    auto.offset.reset=latest
//   in flight                        none of these when the drain ended; also what was passed or truncated,
//                                    but is in the hands of an application that lives
// The states add up to what was offered, or finish() asserts.
//
// What was done first and what again is found here once and told to one observer, so that metrics need no
// second walk.
//
// Misuse asserts: a lane's seqs offered with a gap, a batch stored below the log's end, a group that reads a
// partition to which it has not subscribed, an outcome reported twice for one message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/checkers/key_order.hpp"
#include "models/checkers/log_index.hpp"
#include "models/checkers/message_columns.hpp"
#include "models/checkers/run_counts.hpp"
#include "models/checkers/verdicts.hpp"
#include "models/ids.hpp"
#include "sim/time.hpp"
#include "sim/trace.hpp"

namespace models {

/// When each message of a `processed` record finished, by its place in the record.
struct FinishTimes {
  bool arithmetic = false;
  std::int64_t first = 0;
  std::int64_t step = 0;
  const std::int64_t* each = nullptr;
  std::int64_t operator[](std::size_t i) const {
    return arithmetic ? first + step * static_cast<std::int64_t>(i) : each[i];
  }
};

/// What the ledger found out about consecutive messages of one lane.
struct MessageRun {
  const sim::TraceRecord& record;
  MessageColumns::Span columns;  ///< created may be null: long settled
  std::size_t index = 0;         ///< place of the first in the record
};

class LedgerObserver {
 public:
  virtual ~LedgerObserver() = default;
  virtual void acknowledged(const MessageRun& run) = 0;
  /// `again`: this group had processed them before.
  virtual void processed(const MessageRun& run, const FinishTimes& finish, bool again) = 0;
};

/// Messages, unless a line says otherwise. Those of groups are sums of messages over groups.
struct GroupTotals {
  EntityId group{};
  std::uint64_t offered = 0;     ///< to partitions that the group reads
  std::uint64_t processed = 0;   ///< at least once
  std::uint64_t duplicated = 0;  ///< processings beyond the first
  std::uint64_t lost = 0;
  std::uint64_t lost_unacknowledged = 0;
  std::uint64_t failed = 0;         ///< reported failed and not in the log
  std::uint64_t skipped = 0;        ///< in the log before the group's first position
  std::uint64_t aborted = 0;        ///< in the log only as part of aborted transactions
  std::uint64_t expired = 0;        ///< removed by retention before they were processed
  std::uint64_t dead_lettered = 0;  ///< archived by a share group before they were processed
  std::uint64_t two_holders = 0;    ///< handed out by a share group while another member held them
  std::uint64_t discarded = 0;      ///< thrown away by a queue before they were processed
  std::uint64_t compacted = 0;      ///< superseded, and removed by compaction before they were read
  std::uint64_t in_flight = 0;
  std::uint64_t redelivered = 0;         ///< offsets handed out beyond the first time
  std::uint64_t effects = 0;             ///< applications of the outside effect
  std::uint64_t effects_duplicated = 0;  ///< of these, beyond the first of their message
  std::uint64_t effects_suppressed = 0;  ///< recognised and left out
  std::uint64_t reordered_per_key = 0;
  std::uint64_t rewound = 0;
  std::uint64_t stale_keys = 0;  ///< keys whose last processing was not of their latest message
};

struct LedgerTotals {
  std::uint64_t offered = 0;
  std::uint64_t refused = 0;  ///< before routing; not part of offered
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;             ///< reported failed to the application
  std::uint64_t failed_in_doubt = 0;    ///< of these, may have been written as far as the producer knows
  std::uint64_t failed_stored = 0;      ///< of these, are in the log
  std::uint64_t stored = 0;             ///< at least once
  std::uint64_t log_duplicates = 0;     ///< copies stored beside another
  std::uint64_t resend_duplicates = 0;  ///< in the log together with the message that they resend
  std::uint64_t reordered_in_log = 0;
  std::uint64_t truncated = 0;  ///< copies that left the log
  std::uint64_t lost = 0;       ///< by any group (without groups: from the log)
  std::uint64_t lost_unacknowledged = 0;
  std::uint64_t skipped = 0;            ///< by any group
  std::uint64_t aborted = 0;            ///< in the log only as part of aborted transactions
  std::uint64_t expired = 0;            ///< for any group
  std::uint64_t dead_lettered = 0;      ///< for any group
  std::uint64_t compacted = 0;          ///< for any group
  std::uint64_t discarded = 0;          ///< for any group
  std::uint64_t in_flight = 0;          ///< for any group
  std::uint64_t mirrored = 0;           ///< that were copied to another cluster
  std::uint64_t mirror_duplicates = 0;  ///< copies there beside another
  std::uint64_t mirror_missing = 0;     ///< acknowledged, to be copied, and not copied when the run ended
  std::uint64_t unmapped = 0;           ///< offsets read that no log ever held
  std::vector<GroupTotals> groups;      ///< in order of subscription
};

class Ledger : public sim::TraceSink {
 public:
  explicit Ledger(Anomalies& anomalies) : anomalies_(anomalies) {}

  /// At most one, set before the first record; must outlive the run.
  void observe(LedgerObserver& observer) { observer_ = &observer; }

  void consume(const sim::TraceBlock& block) override;
  void finish(sim::Time end) override;
  /// One record; consume() calls it for each.
  void apply(const sim::TraceRecord& r, std::span<const std::int64_t> payload, sim::RecordNumber number);

  /// Complete after finish().
  const LedgerTotals& totals() const { return totals_; }

  // ---- state that metrics and checkers read ---------------------------------------------------------------
  struct LaneGroup {
    RunCounts processed;
    RunCounts settled;
    RunCounts effect;
    // Filled by finish():
    RunCounts passed;     ///< unprocessed, and behind a commit or a reset
    RunCounts skipped;    ///< unprocessed, and before the group's first position
    RunCounts expired;    ///< unprocessed, and removed by retention
    RunCounts archived;   ///< unprocessed, and archived by a share group
    RunCounts in_hand;    ///< unprocessed, and an application that lives holds them
    RunCounts compacted;  ///< unprocessed, and its place was empty when a member read it
    RunCounts discarded;  ///< unprocessed, and thrown away by a queue
  };
  struct Loss {
    std::uint64_t seq = 0;
    std::uint64_t count = 0;
    sim::Time time{};
    sim::RecordNumber record = 0;
  };
  struct Lane {
    EntityId producer{};
    EntityId keys_of{};            ///< the producer by whose name its keys go
    std::uint32_t partition = 0;   ///< index + 1 into partitions(); 0: nothing offered yet
    std::uint64_t stored_end = 0;  ///< one past the highest seq in the log
    MessageColumns columns;
    RunCounts acknowledged;
    RunCounts failed;
    RunCounts stored;
    RunCounts truncated;
    RunCounts
        polled;  ///< delivered to anybody, or compacted away where anybody read; complete after finish()
    RunCounts mirrored;  ///< stored as a copy in another cluster
    RunCounts mirror_truncated;
    // Filled by finish(), in copies:
    RunCounts aborted;             ///< part of a transaction that was aborted
    RunCounts undecided;           ///< part of one that was open at the end
    std::int64_t open_since = -1;  ///< offset at which the transaction begins that is open; -1: none
    std::vector<Loss> truncations;
    std::vector<LaneGroup> groups;  ///< by subscription of the partition, its own
    std::uint64_t offered() const { return columns.size(); }
  };
  enum class Why : std::uint8_t { passed, skipped, expired };
  struct Passed {
    std::int64_t first = 0;
    std::int64_t end = 0;
    sim::Time time{};
    sim::RecordNumber record = 0;
    Why why = Why::passed;
  };
  /// Offsets that an application was given and has not processed.
  struct InHand {
    std::uint32_t member = 0;
    std::int64_t first = 0;
    std::int64_t end = 0;
    std::int64_t epoch = 0;
  };
  struct Subscription {
    std::uint32_t group = 0;  ///< index into totals().groups
    RunCounts delivered;      ///< by offset
    RunCounts processed;      ///< by offset
    RunCounts archived;       ///< by offset
    bool shared = false;  ///< records are acknowledged one by one, and members hold the partition together
    RunCounts compacted;  ///< by offset: a member read there, and the log held nothing any more
    std::int64_t settled_end = 0;    ///< highest committed offset
    std::int64_t passed_end = 0;     ///< looked for unprocessed ones up to here
    std::int64_t delivered_end = 0;  ///< highest offset ever handed out + 1
    bool positioned = false;         ///< the group has had a position or a commit here
    bool failed_over = false;        ///< the group reads it no more, but a copy of it
    Loss failover;                   ///< when, and what said so
    std::size_t home = 0;            ///< of a copy: the group's subscription to what it is a copy of
    std::vector<Passed> passed;   ///< unprocessed offsets behind a commit, a reset or the log's start, rising
    std::vector<InHand> in_hand;  ///< oldest first
    LogIndex::Cursor at_processed = 0;
    LogIndex::Cursor at_settled = 0;
    LogIndex::Cursor at_effect = 0;
  };
  /// A transaction that has ended: what the lane holds in [first, marker) is part of it.
  struct Ended {
    LaneId lane{};
    bool aborted = false;
    std::int64_t first = 0;
    std::int64_t marker = 0;
  };
  /// Of a queue, by offset: how its messages left it. Each leaves once.
  struct Departures {
    RunCounts left;
    RunCounts settled;
    RunCounts dead_lettered;
    RunCounts expired;
    RunCounts discarded;
    std::uint64_t forgotten = 0;             ///< messages that a restart took
    std::optional<std::uint64_t> remaining;  ///< what its broker says is there in the end
  };
  struct Partition {
    EntityId id{};
    std::uint32_t copy_of = 0;  ///< index + 1 of the partition whose records are copied here; 0: none
    bool handed_on = false;     ///< the copies are those that a group could not process
    bool copied = false;        ///< its records are copied elsewhere
    LogIndex log;
    std::vector<Ended> transactions;  ///< by rising marker
    std::int64_t expired_end = 0;     ///< what lies below was removed by retention
    RunCounts emptied;                ///< by offset: compaction had emptied the place when the run ended
    EntityId mirror{};                ///< of a copy: the group that copies
    std::vector<Subscription> subscriptions;
    std::vector<LaneId> lanes;
    bool queue = false;                      ///< messages leave it one by one, by rules of its own
    std::unique_ptr<Departures> departures;  ///< of a queue from which something has left
  };
  /// By LaneId; lane 0 and lanes that offered nothing have partition 0.
  const std::vector<Lane>& lanes() const { return lanes_; }
  const std::vector<Partition>& partitions() const { return partitions_; }
  /// Some message was part of a transaction.
  bool has_transactions() const { return has_transactions_; }
  /// Whether a copy of the message is in the log that counts: its transaction, if it has one, was committed.
  static bool counts(std::uint32_t stored, std::uint32_t truncated, std::uint32_t aborted,
                     std::uint32_t undecided) {
    return stored > truncated + aborted + undecided;
  }
  /// The partition of that entity, or null when no record named it.
  const Partition* partition(EntityId id) const;
  /// When the message at that offset was created; nothing when it is unknown or long settled.
  std::optional<sim::Time> created_at(const Partition& partition, std::int64_t offset,
                                      LogIndex::Cursor& cursor) const;

 private:
  struct Resend {
    LaneId lane{};
    std::uint64_t seq = 0;
    std::uint64_t count = 0;
    LaneId old_lane{};
    std::uint64_t old_seq = 0;
    sim::Time time{};
    sim::RecordNumber record = 0;
  };

  EntityId keys_of(std::uint32_t producer) const;
  void offered(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  void acknowledged(const sim::TraceRecord& r);
  void failed(const sim::TraceRecord& r);
  void resent(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  void stored(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  void stored_off_line(const sim::TraceRecord& r, std::int64_t epoch);
  void truncated(const sim::TraceRecord& r);
  void bury(const Partition& p, const LogPiece& piece, sim::Time time);
  void transaction_marker(const sim::TraceRecord& r);
  void truncate_transactions(Partition& p, std::int64_t end);
  void expired(const sim::TraceRecord& r);
  void subscribed(const sim::TraceRecord& r);
  /// The group's subscription to the partition of that index, made if need be.
  std::size_t subscribe(std::uint32_t partition, std::uint32_t group, bool shared);
  void position(const sim::TraceRecord& r);
  void delivered(const sim::TraceRecord& r);
  void processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  void effect(const sim::TraceRecord& r);
  void committed(const sim::TraceRecord& r);
  void abandoned(const sim::TraceRecord& r);
  void archived(const sim::TraceRecord& r);
  void count_two_holders(const Subscription& s, const sim::TraceRecord& r);

  // ---- queues (ledger_queues.cpp) ----
  void settled(const sim::TraceRecord& r);
  void removed(const sim::TraceRecord& r);
  void republished(const sim::TraceRecord& r);
  void queue_depth(const sim::TraceRecord& r);
  void notification(const sim::TraceRecord& r);
  static Departures& depart(Partition& p, const sim::TraceRecord& r);
  /// Lets go of what is both gone from the queue and processed.
  void settle_departed(Partition& p, std::size_t sub, std::int64_t first, std::int64_t end);
  void collect_departed(Partition& p, std::size_t sub);
  void check_queue(const Partition& p) const;
  /// What had been settled before it was processed, and is in nobody's hands any more.
  void lose_settled(const Partition& p, Subscription& s, const InHand& held, sim::Time time);

  // ---- copies in other clusters (ledger_mirrors.cpp) ----
  void mirrors(const sim::TraceRecord& r);
  void failed_over(const sim::TraceRecord& r);
  void copied(const sim::TraceRecord& r, Partition& p, std::int64_t epoch);
  void count_missing_copies();
  std::uint32_t number_of(const Partition& p) const {
    return static_cast<std::uint32_t>(&p - partitions_.data()) + 1;
  }
  bool is_copy(const Partition& p, const Lane& l) const {
    return p.copy_of != 0 && l.partition != number_of(p);
  }
  /// What the group of that subscription has done with a lane found in the partition's log.
  LaneGroup& of_group(const Partition& p, std::size_t sub, Lane& l) {
    return l.groups[is_copy(p, l) ? p.subscriptions[sub].home : sub];
  }

  /// They are no longer in the member's hands.
  static void put_down(Subscription& s, const sim::TraceRecord& r);
  void member_state(const sim::TraceRecord& r);
  void left_out(const sim::TraceRecord& r);
  void emptied(const sim::TraceRecord& r);

  Lane& lane(const sim::TraceRecord& r);
  Partition& partition_at(std::uint32_t place);
  /// Index of the group's subscription to the partition. Asserts that there is one.
  std::size_t subscription(const Partition& p, std::uint32_t group) const;
  void processed_piece(const sim::TraceRecord& r, Partition& p, std::size_t sub, const LogPiece& piece,
                       const FinishTimes& finish);
  void processed_run(const sim::TraceRecord& r, const Partition& p, std::size_t sub, const LogPiece& piece,
                     const FinishTimes& finish, bool again);
  void check_keys(const sim::TraceRecord& r, GroupTotals& totals, const LogPiece& run,
                  const MessageRun& found, const FinishTimes& finish, bool again);
  /// The same for messages that were let go.
  void check_recalled_keys(const sim::TraceRecord& r, GroupTotals& totals, const LogPiece& run,
                           const MessageRun& found, const FinishTimes& finish);
  void note_order(const sim::TraceRecord& r, GroupTotals& totals, const LogPiece& run, KeyOrder::Found sum);
  void settle(Partition& p, std::size_t sub, std::int64_t first, std::int64_t end);
  static void pass(Subscription& s, std::int64_t end, const Passed& how);
  static void unpass(Subscription& s, std::int64_t first, std::int64_t end);
  void note(Verdict verdict, const sim::TraceRecord& r, LaneId lane, std::uint64_t seq, std::int64_t offset,
            std::uint64_t count);

  // ledger_totals.cpp
  void collect_transactions();
  void collect_polled();
  void collect_in_hand(Partition& p, std::size_t sub);
  void collect_waiting(Partition& p, std::size_t sub);
  void collect_archived(Partition& p, std::size_t sub);
  void collect_compacted(Partition& p, std::size_t sub);
  void take_over_compacted(const Partition& copy);
  void collect_passed(Partition& p, std::size_t sub);
  void note_passed(const Partition& p, std::size_t sub, const Passed& passed, const LogPiece& piece);
  void judge_lane(LaneId id, sim::Time end);
  void count_failed_stored(const Lane& l);
  void judge_lane_of_group(LaneId id, std::size_t sub, sim::Time end, RunCounts& lost,
                           RunCounts& lost_unacknowledged, RunCounts& skipped, RunCounts& expired,
                           RunCounts& dead_lettered, RunCounts& discarded, RunCounts& compacted,
                           RunCounts& in_flight);
  void count_resends();
  void check_sums() const;

  Anomalies& anomalies_;
  LedgerObserver* observer_ = nullptr;
  ColumnPool pool_;
  LedgerTotals totals_;
  std::vector<Lane> lanes_;
  std::vector<Partition> partitions_;
  std::vector<std::uint32_t> partition_of_;  ///< by entity: index + 1
  std::vector<std::uint32_t> group_of_;      ///< by entity: index + 1
  std::vector<KeyOrder> key_order_;          ///< by group
  std::vector<std::pair<std::uint32_t, std::uint32_t>>
      same_keys_;  ///< a producer, and by whose name its keys go
  std::vector<Resend> resends_;
  std::vector<std::uint32_t> recalled_;  ///< keys
  sim::RecordNumber number_ = 0;         ///< of the record being applied
  std::uint64_t stored_copies_ = 0;
  std::uint64_t forgotten_copies_ = 0;  ///< that queues lost when their broker restarted
  bool has_transactions_ = false;
};

}  // namespace models
