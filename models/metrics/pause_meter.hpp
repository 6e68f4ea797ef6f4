// Who may fetch a partition, and when nobody or more than one may.
//
// Rebalance pause of a partition: from the moment it stops being fetchable for its group to the moment it is
// fetchable again, whether the owner changed or not; counted only while it holds unread records. The time
// regardless of records is kept too.
//
// Silence of a partition: the same from the moment nobody who could fetch owns it (revoked, or its owner dead,
// paused or isolated) to the moment somebody who can owns it again. It is the pause as the records see it: a
// paused owner keeps its partition until its session ends, so that its pause is shorter than the silence.
//
// An overlap lasts while two members of one group own the same partition and both could fetch. A message
// counts as processed in one when a member finished it after another had become the partition's owner, however
// long the poll was that it belonged to. The wait before a group's first assignment is neither pause nor
// silence; what lies in the warm-up is left out; what is open at the end counts to the end.
//
// Model: a member is cut off when it is isolated by name. Behind a cut between it and one broker, or of its
// rack, it is taken for one that could fetch.
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

/// Times of one partition in which something is missing; counted while records wait.
class Gaps {
 public:
  explicit Gaps(const Window& window) : window_(&window) {}

  bool open() const { return since_.has_value(); }
  void begin(sim::Time t, bool waiting);
  void wait(bool waiting, sim::Time t) {
    if (since_ && waiting != waiting_since_.has_value()) change(waiting, t);
  }
  void end(sim::Time t);

  sim::Duration sum() const { return sum_; }
  sim::Duration max() const { return max_; }
  std::uint64_t count() const { return count_; }
  /// Whether records waited or not.
  sim::Duration whole() const { return whole_; }
  /// Adds another partition's.
  void add(const Gaps& other);

 private:
  void change(bool waiting, sim::Time t);

  const Window* window_;
  std::optional<sim::Time> since_;
  std::optional<sim::Time> waiting_since_;
  sim::Duration now_{};  ///< of the one that is open
  sim::Duration sum_{};
  sim::Duration max_{};
  sim::Duration whole_{};
  std::uint64_t count_ = 0;
};

class PauseMeter {
 public:
  PauseMeter(Readings& readings, const Window& window, Anomalies& anomalies)
      : readings_(readings), window_(window), anomalies_(anomalies) {}

  /// An `ownership` record; `unread`: whether the reading has unread records. False when it changes nothing.
  bool ownership(const sim::TraceRecord& r, bool unread, sim::RecordNumber number);
  /// `unread(reading)`: whether it has unread records.
  template <class Unread>
  void fault(const sim::TraceRecord& r, sim::RecordNumber number, const Unread& unread) {
    if (!stops(r)) return;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (owns(states_[i], r.actor)) count_able(i, r, unread(i), number);
    }
  }
  /// The reading has, or no longer has, unread records. Call when that may have changed.
  void unread(std::size_t reading, bool unread, sim::Time t) {
    if (reading >= states_.size()) return;
    states_[reading].pause.wait(unread, t);
    states_[reading].silence.wait(unread, t);
  }
  void processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  void sample(sim::Time t, std::vector<Sample>& points) const;

  void finish(sim::Time end);
  void report(MetricValues& values, std::vector<Labelled>& labelled) const;

 private:
  struct State {
    explicit State(const Window& window) : pause(window), silence(window) {}
    std::vector<std::uint32_t> owners;
    std::size_t able = 0;      ///< of them, those that could fetch
    Gaps pause;                ///< no owner
    Gaps silence;              ///< no able owner
    std::uint32_t latest = 0;  ///< owner
    sim::Time latest_since{};
    std::optional<sim::Time> overlap_since;
    sim::Duration overlap_sum{};
    std::uint64_t overlaps = 0;
    std::uint64_t overlap_processed = 0;
  };
  /// What keeps a living member from fetching.
  struct Stopped {
    bool paused = false;
    bool isolated = false;
  };

  /// Whether a fault changed what its target can do.
  bool stops(const sim::TraceRecord& r);
  static bool owns(const State& s, std::uint32_t member);
  bool able(std::uint32_t member);
  /// The part of [since, t] after the warm-up.
  sim::Duration after_warmup(sim::Time since, sim::Time t) const;
  static void add(State& sum, const State& s);
  /// Owners, or what they can do, changed.
  void count_able(std::size_t reading, const sim::TraceRecord& r, bool unread, sim::RecordNumber number);

  Readings& readings_;
  const Window& window_;
  Anomalies& anomalies_;
  std::vector<State> states_;  ///< by reading
  EntityTable<Stopped> stopped_;
};

}  // namespace models
