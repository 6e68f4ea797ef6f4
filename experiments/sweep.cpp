#include "experiments/sweep.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <ostream>
#include <thread>

#include <fmt/format.h>

#include "experiments/errors.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/shell.hpp"
#include "sim/digest.hpp"

namespace experiments {

Grid::Grid(const Experiment& experiment) : experiment_(experiment), variants_(experiment.variants.size()) {
  for (std::uint64_t point = 0; point < experiment.points; ++point) {
    for (std::size_t variant = 0; variant < experiment.variants.size(); ++variant) {
      cells_.push_back(std::make_unique<Resolved>(resolve(experiment, point, variant)));
    }
  }
}

std::vector<const Resolved*> Grid::cells() const {
  std::vector<const Resolved*> cells;
  for (const auto& cell : cells_) cells.push_back(cell.get());
  return cells;
}

std::vector<TrialKey> Grid::keys(std::uint64_t shard, std::uint64_t shards) const {
  std::vector<TrialKey> keys;
  std::uint64_t number = 0;
  for (std::uint64_t cell = 0; cell < cells_.size(); ++cell) {
    for (std::uint64_t t = 0; t < experiment_.trials; ++t, ++number) {
      if (number % shards == shard)
        keys.push_back({cell / variants_, cell % variants_, experiment_.first_seed + t});
    }
  }
  return keys;
}

bool Grid::holds(const TrialKey& key) const {
  return key.variant < variants_ && key.point < experiment_.points && key.seed >= experiment_.first_seed &&
         key.seed - experiment_.first_seed < experiment_.trials;
}

bool Grid::judges_groups() const {
  return std::any_of(experiment_.expectations.begin(), experiment_.expectations.end(),
                     [](const Expectation& e) { return e.group.has_value(); });
}

std::string Grid::identity() const {
  sim::Digest digest;
  for (const auto& cell : cells_) digest.add_text(run_id(*cell, 0));
  for (const Variant& variant : experiment_.variants) digest.add_text(variant.name);
  for (const Axis& axis : experiment_.axes) digest.add_text(axis.path.text());
  return digest.hex();
}

std::string Grid::command(const TrialKey& key) const {
  std::vector<std::string> words{"mqlab", "run", experiment_.file};
  if (variants_ > 1) words.insert(words.end(), {"--variant", experiment_.variants[key.variant].name});
  words.insert(words.end(), {"--seed", std::to_string(key.seed)});
  const auto set = [&](const Path& path, const Value& value) {
    words.insert(words.end(), {"--set", path.text() + "=" + to_toml(value)});
  };
  for (const auto& [path, value] : experiment_.sets) set(path, value);
  const std::vector<std::size_t> at = axis_indices(experiment_.axes, key.point);
  for (std::size_t i = 0; i < at.size(); ++i)
    set(experiment_.axes[i].path, experiment_.axes[i].values[at[i]]);
  return shell_line(words);
}

std::vector<StoredTrial> trials_of(const Grid& grid, ResultsStore& store) {
  std::vector<StoredTrial> trials;
  store.for_each(grid.judges_groups(), [&](const StoredTrial& t) {
    if (!grid.holds(t.key)) return;
    trials.push_back(t);
    trials.back().result.forget_tables();
  });
  return trials;
}

namespace {

/// What threads share while they work through the keys.
class Pool {
 public:
  Pool(const Grid& grid, const std::vector<TrialKey>& keys, const std::function<void(StoredTrial)>& finished,
       const std::function<void(const SweepProgress&)>& progress, const models::WorldOptions& world)
      : grid_(grid), keys_(keys), finished_(finished), progress_(progress), world_(world) {
    so_far_.total = keys.size();
  }

  void work() {
    for (std::size_t i = next_.fetch_add(1); i < keys_.size(); i = next_.fetch_add(1)) {
      if (interrupted.load()) return;
      try {
        note(run(keys_[i]));
      } catch (const Interrupted&) {
        return;
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_.store(keys_.size());
        return;
      }
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  StoredTrial run(const TrialKey& key) const {
    try {
      return {key, run_trial(grid_.at(key), key.seed, {.world = world_})};
    } catch (const TrialError& error) {
      throw error.with_replay(grid_.command(key));
    }
  }

  void note(StoredTrial trial) {
    const std::lock_guard lock(mutex_);
    if (error_) return;
    ++so_far_.done;
    so_far_.events += trial.result.outcome.events;
    so_far_.simulated_s += sim::seconds(trial.result.outcome.end);
    so_far_.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    finished_(std::move(trial));
    if (progress_) progress_(so_far_);
  }

  const Grid& grid_;
  const std::vector<TrialKey>& keys_;
  const std::function<void(StoredTrial)>& finished_;
  const std::function<void(const SweepProgress&)>& progress_;
  const models::WorldOptions& world_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  ///< of what follows
  std::exception_ptr error_;
  SweepProgress so_far_;
};

}  // namespace

unsigned thread_count(unsigned wanted) {
  return wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

bool run_trials(const Grid& grid, const std::vector<TrialKey>& keys, unsigned threads,
                const std::function<void(StoredTrial)>& finished,
                const std::function<void(const SweepProgress&)>& progress,
                const models::WorldOptions& world) {
  Pool pool(grid, keys, finished, progress, world);
  {
    std::vector<std::jthread> others;
    for (unsigned t = 1; t < threads && t < keys.size(); ++t) others.emplace_back([&] { pool.work(); });
    pool.work();
  }
  pool.rethrow();
  return !interrupted.load();
}

ProgressLine::ProgressLine(std::ostream& err, bool quiet)
    : err_(err), shown_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (used_) err_ << "\r\033[K" << std::flush;
}

void ProgressLine::show(const SweepProgress& p) {
  if (!shown_ || (p.wall_s - last_ < 0.1 && p.done < p.total)) return;
  last_ = p.wall_s;
  used_ = true;
  const double rate = static_cast<double>(p.done) / p.wall_s;
  err_ << fmt::format("\r\033[K{}/{} trials, {:.2f} M events/s, {:.0f} simulated s per s, {:.0f} s left",
                      p.done, p.total, static_cast<double>(p.events) / p.wall_s / 1e6,
                      p.simulated_s / p.wall_s, static_cast<double>(p.total - p.done) / rate)
       << std::flush;
}

}  // namespace experiments
