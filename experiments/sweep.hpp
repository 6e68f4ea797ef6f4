// Many trials: every point x variant x seed, over threads, into a store.
//
// Which thread runs a trial, and when it finishes, leaves no mark on the results. Interrupted (Ctrl-C), what
// is finished is kept and the trials under way are given up.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "experiments/results/store.hpp"
#include "experiments/scenario/experiment.hpp"

namespace experiments {

/// All cells of a sweep, resolved before anything runs, so that a bad point is refused first. The experiment
/// outlives it.
class Grid {
 public:
  explicit Grid(const Experiment& experiment);
  const Resolved& at(const TrialKey& key) const { return *cells_[key.point * variants_ + key.variant]; }
  /// Every point and variant, in canonical order.
  std::vector<const Resolved*> cells() const;
  /// The keys of shard `i` of `n`, in canonical order.
  std::vector<TrialKey> keys(std::uint64_t shard = 0, std::uint64_t shards = 1) const;
  bool holds(const TrialKey& key) const;
  /// Does some expectation speak of one group?
  bool judges_groups() const;
  /// Names the sweep: a hash over all cells, and over what tells them apart.
  std::string identity() const;
  /// "mqlab run …", for a shell: runs that trial alone.
  std::string command(const TrialKey& key) const;

 private:
  const Experiment& experiment_;
  std::uint64_t variants_;
  std::vector<std::unique_ptr<Resolved>> cells_;
};

struct SweepProgress {
  std::uint64_t done = 0, total = 0, events = 0;
  double wall_s = 0, simulated_s = 0;
};

/// The trials of a store that a grid asks for, in canonical order, without what is large; with labelled metrics
/// where an expectation speaks of a group.
std::vector<StoredTrial> trials_of(const Grid& grid, ResultsStore& store);

/// As many as asked for; for 0, as many as the machine has.
unsigned thread_count(unsigned wanted);

/// Runs `keys` on `threads` threads; `finished` is called for each, by one thread at a time, `progress` after
/// it. The first failure ends the sweep: a trial's is thrown as TrialError, others as they are. Returns false
/// when interrupted.
bool run_trials(const Grid& grid, const std::vector<TrialKey>& keys, unsigned threads,
                const std::function<void(StoredTrial)>& finished,
                const std::function<void(const SweepProgress&)>& progress = {},
                const models::WorldOptions& world = {});

/// A line on a terminal, rewritten at most ten times a second; nothing when stderr is no terminal or `quiet`.
class ProgressLine {
 public:
  ProgressLine(std::ostream& err, bool quiet);
  ~ProgressLine();
  void show(const SweepProgress& progress);

 private:
  std::ostream& err_;
  bool shown_;
  bool used_ = false;
  double last_ = -1;
};

}  // namespace experiments
