#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <ostream>
#include <thread>
#include <tuple>

#include <fmt/format.h>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/expectations.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/report.hpp"
#include "experiments/sweep.hpp"

namespace experiments {
namespace {

struct Shard {
  std::uint64_t index = 0, of = 1;
};

Shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  Shard shard;
  char slash = 0;
  char rest = 0;
  unsigned long long index = 0, of = 0;
  if (std::sscanf(text.c_str(), "%llu%c%llu%c", &index, &slash, &of, &rest) != 3 || slash != '/' || of == 0 ||
      index >= of) {
    throw UsageError("--shard is I/N with I from 0 to N-1, not '" + text + "'");
  }
  shard.index = index;
  shard.of = of;
  return shard;
}

unsigned thread_count(unsigned wanted) {
  return wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

int list_trials(const Experiment& experiment, const Grid& grid, const std::vector<TrialKey>& keys,
                std::ostream& out) {
  for (const TrialKey& key : keys) {
    out << fmt::format("{} {} {} {} {}\n", run_id(grid.at(key), key.seed), key.point,
                       experiment.variants[key.variant].name, key.seed, point_text(experiment, key.point));
  }
  return 0;
}

/// Digests alone, in canonical order, nothing written: for comparing builds.
int print_digests(const Experiment& experiment, const Grid& grid, const std::vector<TrialKey>& keys,
                  unsigned threads, std::ostream& out) {
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>, std::string> digests;
  run_trials(grid, keys, threads, [&](const StoredTrial& t) {
    digests[{t.key.point, t.key.variant, t.key.seed}] = t.result.digest;
  });
  for (const auto& [key, digest] : digests) {
    out << fmt::format("{} {} {} {} {}\n", experiment.name, std::get<0>(key),
                       experiment.variants[std::get<1>(key)].name, std::get<2>(key), digest);
  }
  return 0;
}

/// Prints what failed and how to see it again; returns the exit code.
int report_judgements(const Experiment& experiment, const Grid& grid, const std::string& folder,
                      const std::vector<Judgement>& judged, std::ostream& out) {
  int code = 0;
  for (const Judgement& j : judged) {
    if (j.met) continue;
    code = 1;
    out << fmt::format("FAIL {} [{}]: held in {} of {}; seed {}: {}\n", j.expectation, j.where, j.held, j.of,
                       j.seed, j.failure);
    const TrialKey key{j.point, j.variant, j.seed};
    out << "     replay: " << replay_line(folder, run_id(grid.at(key), key.seed)) << '\n';
  }
  if (code == 0 && !experiment.expectations.empty()) {
    out << fmt::format("all {} expectations hold\n", experiment.expectations.size());
  }
  return code;
}

}  // namespace

int sweep_command(const SweepCommand& o, Streams io) {
  const Experiment experiment =
      load_experiment(o.scenario, {.sets = o.sets, .axes = o.axes, .trials = o.trials, .first_seed = o.seed});
  const Shard shard = parse_shard(o.shard);
  const Grid grid(experiment);
  const std::vector<TrialKey> keys = grid.keys(shard.index, shard.of);
  if (o.list) return list_trials(experiment, grid, keys, io.out);
  const unsigned threads = thread_count(o.threads);
  if (o.digests) return print_digests(experiment, grid, keys, threads, io.out);

  const std::string folder = o.out.empty() ? "results/" + experiment.name : o.out;
  make_folder(folder);
  const std::string store_path = folder + "/results.sqlite";
  if (!o.resume && file_exists(store_path)) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::remove((store_path + suffix).c_str());
  }
  std::remove((folder + "/manifest.json").c_str());  // incomplete from now on
  ResultsStore store(store_path, grid.identity());
  std::vector<TrialKey> missing;
  for (const TrialKey& key : keys) {
    if (!store.has(key)) missing.push_back(key);
  }
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t events = 0;
  bool whole = true;
  {
    ProgressLine line(io.err, o.quiet);
    whole = run_trials(
        grid, missing, threads,
        [&](const StoredTrial& trial) {
          store.put(trial);
          events += trial.result.outcome.events;
        },
        [&](const SweepProgress& p) { line.show(p); });
  }
  if (!whole) {
    io.err << fmt::format("interrupted: {} of {} trials are kept in {}; go on with --resume\n", store.count(),
                          keys.size(), folder);
    return 1;
  }
  const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (shard.of > 1) {
    io.out << fmt::format("shard {}/{}: {} trials in {}\n", shard.index, shard.of, keys.size(), store_path);
    return 0;
  }
  const std::vector<std::string> paths = write_results(folder, experiment, grid, store);
  write_wall_clock(folder, wall_s, threads, events);
  std::vector<StoredTrial> trials;
  store.for_each(false, [&](const StoredTrial& t) { trials.push_back(t); });
  const std::vector<Judgement> judged = judge(experiment, trials);
  if (o.format == "json") {
    io.out << read_file(folder + "/manifest.json");
    return std::all_of(judged.begin(), judged.end(), [](const Judgement& j) { return j.met; }) ? 0 : 1;
  }
  io.out << experiment.name << ": " << experiment.question << "\n\n"
         << summary_table(experiment, trials) << '\n';
  const int code = report_judgements(experiment, grid, folder, judged, io.out);
  for (const std::string& path : paths) io.out << path << '\n';
  io.out << "replay a row: " << replay_line(folder, trials.front().result.run_id) << '\n';
  return code;
}

}  // namespace experiments
