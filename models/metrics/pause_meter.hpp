// Who may fetch a partition, and when nobody or more than one may.
//
// Rebalance pause of a partition: from the moment it stops being fetchable for its group to the moment it is
// fetchable again, whether the owner changed or not; counted only while it holds unread records. The time
// regardless of records is kept too. An overlap lasts while two members of one group may fetch the same
// partition; a message counts as processed in one when its own processing ended in it, by whichever member,
// however long the poll was that it belonged to. The wait before a group's first assignment is no pause; what
// lies in the warm-up is left out; what is open at the end counts to the end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/checkers/verdicts.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/metrics/window.hpp"
#include "sim/trace.hpp"

namespace models {

class PauseMeter {
 public:
  PauseMeter(Readings& readings, const Window& window, Anomalies& anomalies)
      : readings_(readings), window_(window), anomalies_(anomalies) {}

  /// An `ownership` record; `unread`: whether the reading has unread records. False when it changes nothing.
  bool ownership(const sim::TraceRecord& r, bool unread, sim::RecordNumber number);
  /// The reading has, or no longer has, unread records. Call when that may have changed.
  void unread(std::size_t reading, bool unread, sim::Time t) {
    if (reading >= states_.size() || !states_[reading].unfetchable_since) return;
    set_waiting(states_[reading], unread, t);
  }
  void processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  void sample(sim::Time t, std::vector<Sample>& points) const;

  void finish(sim::Time end);
  void report(MetricValues& values, std::vector<Labelled>& labelled) const;

 private:
  struct State {
    std::vector<std::uint32_t> owners;
    std::optional<sim::Time> unfetchable_since;
    std::optional<sim::Time> waiting_since;  ///< unfetchable, with unread records
    std::optional<sim::Time> overlap_since;
    std::optional<sim::Time> last_overlap_since;  ///< of the latest overlap, which may go on
    sim::Time last_overlap_end{};
    sim::Duration pause{};  ///< of the pause that is going on
    sim::Duration pause_sum{};
    sim::Duration pause_max{};
    sim::Duration unfetchable_sum{};
    sim::Duration overlap_sum{};
    std::uint64_t pauses = 0;
    std::uint64_t overlaps = 0;
    std::uint64_t overlap_processed = 0;
  };

  /// The part of [since, t] after the warm-up.
  sim::Duration after_warmup(sim::Time since, sim::Time t) const;
  void set_waiting(State& s, bool waiting, sim::Time t);
  void close_pause(State& s, sim::Time t);
  void gained(State& s, const sim::TraceRecord& r, sim::RecordNumber number);
  void dropped(State& s, const sim::TraceRecord& r, bool unread);
  static void add(State& sum, const State& s);

  Readings& readings_;
  const Window& window_;
  Anomalies& anomalies_;
  std::vector<State> states_;  ///< by reading
};

}  // namespace models
