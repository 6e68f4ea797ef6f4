// Lag: what a group could have read of a partition and has not processed yet.
//
// In records: high watermark minus the processed position (the highest offset processed or positioned at,
// plus one), so that work done twice does not count as lag and skipped records stop counting when they are
// skipped. Beside it the lag that brokers' tools show, against the committed offset. In seconds: the age of
// the oldest unprocessed record at the time of a sample. Means are over the steady state, by time (records)
// or by samples (seconds); maxima begin at the end of the warm-up.
//
// A group has a lag on a partition from its first position there on: before that nobody knows what it will
// read (with auto.offset.reset=latest nothing of what is there), and what it leaves behind that position it
// neither processes nor commits. A group that never comes to a position has no lag; its messages are in flight.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "models/checkers/ledger.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/metrics/window.hpp"
#include "sim/statistics.hpp"
#include "sim/trace.hpp"

namespace models {

class LagMeter {
 public:
  LagMeter(Readings& readings, const Ledger& ledger, const Window& window)
      : readings_(readings), ledger_(ledger), window_(window) {}

  void high_watermark(const sim::TraceRecord& r);
  void truncated(const sim::TraceRecord& r);
  void subscribed(const sim::TraceRecord& r) { state(readings_.index(r.place, r.peer)); }
  /// The group has a position in this partition: its lag counts from now on.
  void open(std::size_t reading, sim::Time t);
  /// Told before advanced().
  void positioned(const sim::TraceRecord& r);
  /// `position` and `processed` move the processed position, to the offset `next`.
  void advanced(const sim::TraceRecord& r, std::int64_t next);
  /// Offsets that hold no record for the group: its processed position jumps over them once it comes to them.
  void left_out(const sim::TraceRecord& r);
  void committed(const sim::TraceRecord& r);
  /// A group's members changed: its lag is no longer expected to grow as before.
  void members_changed(std::uint32_t group, sim::Time t);
  void owners_changed(std::uint32_t group, sim::Time t);

  void warmed_up(sim::Time t);
  void arrivals_stopped(sim::Time t);
  void sample(sim::Time t, std::vector<Sample>* points);

  /// Whether the reading has unread records now.
  bool unread(std::size_t reading) const {
    return reading < states_.size() && states_[reading].open && states_[reading].lag() > 0;
  }

  /// A group's lag, and the age of its oldest unprocessed record as of the last sample.
  struct Now {
    double records = 0;
    double age_s = 0;
  };
  Now now(EntityId group) const;

  void report(MetricValues& values, std::vector<Labelled>& labelled) const;

 private:
  struct State {
    bool open = false;
    std::int64_t readable = 0;   ///< high watermark
    std::int64_t processed = 0;  ///< processed position
    std::int64_t committed = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> left_out;  ///< ahead of `processed`, rising
    sim::TimeAverage level;
    std::optional<double> mean;  ///< to the end of arrivals
    std::int64_t committed_lag_max = 0;
    double age_sum = 0;
    double age_max = 0;
    double age = 0;                    ///< when last sampled with a lag
    std::uint64_t samples_before = 0;  ///< it was open
    LogIndex::Cursor cursor = 0;
    std::int64_t lag() const { return readable > processed ? readable - processed : 0; }
  };
  struct Point {
    sim::Time time;
    double lag;
  };
  struct Group {
    bool open = false;
    sim::TimeAverage level;
    std::optional<double> mean;
    std::int64_t at_stop = 0;
    std::vector<Point> points;
    std::optional<sim::Time> first_change;  ///< of its members, after the warm-up
    std::vector<sim::Time> owner_changes;
  };

  State& state(std::size_t reading);
  void changed(std::size_t reading, sim::Time t);
  static void jump(State& s);
  void mark_lagging(std::size_t reading, bool lags);
  bool steady(sim::Time t) const { return t >= window_.warm && t <= window_.stop; }
  double sample_age(std::size_t reading, sim::Time t);
  std::optional<double> growth(const Group& group) const;
  std::optional<double> drain(const Group& group) const;
  void report_partitions(MetricValues& values, std::vector<Labelled>& labelled) const;

  Readings& readings_;
  const Ledger& ledger_;
  const Window& window_;
  EntityTable<std::int64_t> readable_;  ///< high watermark by partition
  std::vector<State> states_;           ///< by reading
  EntityTable<Group> groups_;
  std::vector<std::uint64_t> lagging_;  ///< a bit for each reading
  std::uint64_t samples_ = 0;           ///< in the steady state
};

}  // namespace models
