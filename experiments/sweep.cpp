#include "experiments/sweep.hpp"

#include <unistd.h>

#include <chrono>
#include <mutex>
#include <ostream>
#include <thread>

#include <fmt/format.h>

#include "sim/digest.hpp"

namespace experiments {

std::atomic<bool> interrupted{false};

Grid::Grid(const Experiment& experiment)
    : variants_(experiment.variants.size()), first_seed_(experiment.first_seed), trials_(experiment.trials) {
  for (std::uint64_t point = 0; point < experiment.points; ++point) {
    for (std::size_t variant = 0; variant < experiment.variants.size(); ++variant) {
      cells_.push_back(std::make_unique<Resolved>(resolve(experiment, point, variant)));
    }
  }
}

std::vector<TrialKey> Grid::keys(std::uint64_t shard, std::uint64_t shards) const {
  std::vector<TrialKey> keys;
  std::uint64_t number = 0;
  for (std::uint64_t cell = 0; cell < cells_.size(); ++cell) {
    for (std::uint64_t t = 0; t < trials_; ++t, ++number) {
      if (number % shards == shard) keys.push_back({cell / variants_, cell % variants_, first_seed_ + t});
    }
  }
  return keys;
}

std::string Grid::identity() const {
  sim::Digest digest;
  for (const auto& cell : cells_) digest.add_text(run_id(*cell, 0));
  return digest.hex();
}

bool run_trials(const Grid& grid, const std::vector<TrialKey>& keys, unsigned threads,
                const std::function<void(StoredTrial)>& finished,
                const std::function<void(const SweepProgress&)>& progress) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  SweepProgress so_far;
  so_far.total = keys.size();
  const auto began = std::chrono::steady_clock::now();
  const auto work = [&] {
    for (;;) {
      const std::size_t i = next.fetch_add(1);
      if (i >= keys.size() || interrupted.load()) return;
      try {
        StoredTrial trial{keys[i], run_trial(grid.at(keys[i]), keys[i].seed)};
        const std::lock_guard lock(mutex);
        if (error) return;
        ++so_far.done;
        so_far.events += trial.result.outcome.events;
        so_far.simulated_s += sim::seconds(trial.result.outcome.end);
        so_far.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        finished(std::move(trial));
        if (progress) progress(so_far);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(keys.size());
        return;
      }
    }
  };
  {
    std::vector<std::jthread> pool;
    for (unsigned t = 1; t < threads && t < keys.size(); ++t) pool.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
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
