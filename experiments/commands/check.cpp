#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/expectations.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/notes.hpp"
#include "experiments/sweep.hpp"

namespace experiments {
namespace {

/// Expectations hold over a hundred seeds unless the command says otherwise.
constexpr std::uint64_t kSeeds = 100;

std::vector<StoredTrial> run_all(const Grid& grid, const CheckCommand& o, unsigned threads, Streams io) {
  std::vector<StoredTrial> trials;
  ProgressLine line(io.err, o.quiet);
  const bool whole = run_trials(
      grid, grid.keys(), threads,
      [&](StoredTrial t) {
        t.result.forget_tables();
        if (!grid.judges_groups()) t.result.labelled.clear();
        trials.push_back(std::move(t));
      },
      [&](const SweepProgress& p) { line.show(p); });
  if (!whole) throw Interrupted("interrupted: nothing was judged");
  return trials;
}

void print(const Judgement& j, const Experiment& experiment, const Grid& grid, std::ostream& out) {
  out << fmt::format("{:<4} {}: {} [{}]", j.met ? "ok" : "FAIL", experiment.name, j.expectation, j.where);
  if (!j.skipped.empty()) {
    out << ": nothing was judged: " << j.skipped << '\n';
    return;
  }
  out << fmt::format(", {} of {}\n", j.held, j.of);
  if (j.met) return;
  out << fmt::format("     seed {}: {}\n     see it: {}\n", j.seed, j.failure,
                     grid.command({j.point, j.variant, j.seed}));
}

/// What was not judged has not held: a scenario that expects nothing fails, and so does an expectation that
/// needs more seeds than ran.
int check_one(const std::string& path, const CheckCommand& o, unsigned threads, Streams io) {
  const Experiment experiment =
      load_experiment(path, {.trials = o.trials.value_or(kSeeds), .judged_axes = true});
  const Grid grid(experiment);
  if (!o.quiet) print_notes(grid.cells(), io.err);
  const std::vector<StoredTrial> trials = run_all(grid, o, threads, io);
  int code = 0;
  std::size_t held = 0;
  for (const Judgement& j : judge(experiment, trials)) {
    if (j.met)
      ++held;
    else
      code = 1;
    if (!j.met || !o.quiet) print(j, experiment, grid, io.out);
  }
  if (experiment.expectations.empty()) {
    code = 1;
    io.out << fmt::format("FAIL {}: nothing was judged: it has no [[expect]]\n", experiment.name);
  }
  if (o.quiet && code == 0)
    io.out << fmt::format("ok   {}: {} held on {} seeds\n", experiment.name, held, experiment.trials);
  io.out.flush();
  return code;
}

}  // namespace

int check_command(const CheckCommand& o, Streams io) {
  const unsigned threads = thread_count(o.threads);
  int code = 0;
  for (const std::string& path : o.paths) {
    try {
      code = std::max(code, check_one(path, o, threads, io));
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& error) {  // this file cannot be judged; the others can
      io.err << "mqlab: " << error.what() << '\n';
      code = 2;
    }
  }
  return code;
}

}  // namespace experiments
