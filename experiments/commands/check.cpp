#include <algorithm>
#include <ostream>
#include <thread>

#include <fmt/format.h>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/expectations.hpp"
#include "experiments/sweep.hpp"

namespace experiments {
namespace {

/// Expectations hold over a hundred seeds unless the command says otherwise.
constexpr std::uint64_t kSeeds = 100;

int check_one(const std::string& path, const CheckCommand& o, unsigned threads, Streams io) {
  const Experiment experiment =
      load_experiment(path, {.trials = o.trials.value_or(kSeeds), .without_axes = true});
  const Grid grid(experiment);
  std::vector<StoredTrial> trials;
  {
    ProgressLine line(io.err, o.quiet);
    const bool whole = run_trials(
        grid, grid.keys(), threads,
        [&](StoredTrial t) {
          t.result.timeseries.clear();
          t.result.anomalies.clear();
          trials.push_back(std::move(t));
        },
        [&](const SweepProgress& p) { line.show(p); });
    if (!whole) return 1;
  }
  int code = 0;
  for (const Judgement& j : judge(experiment, trials)) {
    if (!j.met) code = 1;
    if (j.met && o.quiet) continue;
    io.out << fmt::format("{} {}: {} [{}], {} of {}", j.met ? "ok  " : "FAIL", experiment.name, j.expectation,
                          j.where, j.held, j.of);
    if (!j.met) {
      io.out << fmt::format("; seed {}: {}\n     replay: mqlab run {} --seed {} --variant {}", j.seed,
                            j.failure, path, j.seed, experiment.variants[j.variant].name);
    }
    io.out << '\n';
  }
  if (o.quiet && code == 0)
    io.out << fmt::format("ok   {}: {} expectations\n", experiment.name, experiment.expectations.size());
  return code;
}

}  // namespace

int check_command(const CheckCommand& o, Streams io) {
  const unsigned threads = o.threads != 0 ? o.threads : std::max(1u, std::thread::hardware_concurrency());
  int code = 0;
  for (const std::string& path : o.paths) {
    code = std::max(code, check_one(path, o, threads, io));
    if (interrupted.load()) return 1;
  }
  return code;
}

}  // namespace experiments
