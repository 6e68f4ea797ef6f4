// The verdicts that a run can receive, what each means, and the rows that say when and where.
//
// Verdicts of the ledger judge by the truth: every message, every group. The others follow the published
// definitions of Jepsen's Kafka workload and see what clients could see, so that they can be compared with an
// independent checker's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "models/ids.hpp"
#include "sim/time.hpp"
#include "sim/trace.hpp"

namespace models {

enum class Verdict : std::uint16_t {
  // of the ledger
  lost,
  lost_unacknowledged,
  skipped,
  expired,
  dead_lettered,
  in_flight,
  duplicated,
  log_duplicate,
  resend_duplicate,
  effect_duplicated,
  redelivered,
  reordered_in_log,
  reordered_per_key,
  rewound,
  overlap,
  two_holders,
  discarded,
  // of the checkers, as clients see it
  lost_write,
  unseen,
  duplicate,
  inconsistent_offsets,
  int_poll_skip,
  int_nonmonotonic_poll,
  poll_skip,
  nonmonotonic_poll,
  int_send_skip,
  nonmonotonic_send,
  aborted_read,
  precommitted_read,
  output_duplicated,
  output_missing,
  table_wrong,
  resurrected,
  // of applications with databases
  event_lost,
  event_invented,
  event_duplicated,
  event_reordered,
  saga_stuck,
  saga_inconsistent,
  saga_hidden,
  view_wrong,
  view_stale,
  decision_split,
  count_,
};

struct VerdictInfo {
  Verdict verdict;
  std::string_view name;
  std::string_view judge;  ///< "ledger", "metrics" or the checker's name
  std::string_view definition;
};
/// One row per verdict, in order of the enumeration.
std::span<const VerdictInfo> verdict_catalogue();
std::string_view verdict_name(Verdict verdict);

/// One finding. Fields that do not apply are 0 (offset and seq: -1).
struct Anomaly {
  sim::Time time{};
  Verdict verdict = Verdict::lost;
  EntityId place{};  ///< partition
  EntityId other{};  ///< group, member or producer
  LaneId lane{};
  std::int64_t first_seq = -1;
  std::int64_t offset = -1;
  std::int64_t count = 0;        ///< messages
  sim::RecordNumber record = 0;  ///< the record that did it
};

/// Keeps the first findings of every verdict and counts all of them.
class Anomalies {
 public:
  explicit Anomalies(std::size_t most_rows_each = 100) : most_(most_rows_each) {}

  void add(const Anomaly& found);
  /// Kept rows in order of finding.
  const std::vector<Anomaly>& rows() const { return rows_; }
  /// Messages found, kept or not.
  std::uint64_t counted(Verdict verdict) const { return counted_[static_cast<std::size_t>(verdict)]; }
  /// Findings that were counted without keeping their row.
  std::uint64_t rows_left_out() const { return left_out_; }

 private:
  static constexpr std::size_t kVerdicts = static_cast<std::size_t>(Verdict::count_);
  std::size_t most_;
  std::vector<Anomaly> rows_;
  std::array<std::uint64_t, kVerdicts> counted_{};
  std::array<std::size_t, kVerdicts> kept_{};
  std::uint64_t left_out_ = 0;
};

}  // namespace models
