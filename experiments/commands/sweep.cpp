#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <ostream>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/expectations.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/notes.hpp"
#include "experiments/results/folder.hpp"
#include "experiments/results/report.hpp"
#include "experiments/results/screen.hpp"
#include "experiments/results/spread.hpp"
#include "experiments/shell.hpp"
#include "experiments/sweep.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;

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

Json axes_json(const Experiment& experiment, std::uint64_t point) {
  Json axes = Json::object();
  const std::vector<std::size_t> at = axis_indices(experiment.axes, point);
  for (std::size_t i = 0; i < at.size(); ++i)
    axes[experiment.axes[i].path.text()] = axis_value(experiment.axes[i].values[at[i]]);
  return axes;
}

int list_as_json(const Experiment& experiment, const Grid& grid, const std::vector<TrialKey>& keys,
                 std::ostream& out) {
  Json list = Json::array();
  for (const TrialKey& key : keys) {
    list.push_back({{"run_id", run_id(grid.at(key), key.seed)},
                    {"point", key.point},
                    {"variant", experiment.variants[key.variant].name},
                    {"seed", key.seed},
                    {"axes", axes_json(experiment, key.point)}});
  }
  out << list.dump(2) << '\n';
  return 0;
}

int list_trials(const Experiment& experiment, const Grid& grid, const std::vector<TrialKey>& keys,
                std::ostream& out) {
  for (const TrialKey& key : keys) {
    out << fmt::format("{} {} {} {} {}\n", run_id(grid.at(key), key.seed), key.point,
                       experiment.variants[key.variant].name, key.seed, point_text(experiment, key.point));
  }
  return 0;
}

/// Digests alone, in canonical order, nothing written: for comparing builds. Every repetition has a line of its
/// own, next to the others of its trial, and comes after the whole list has run once more.
int print_digests(const Experiment& experiment, const Grid& grid, const std::vector<TrialKey>& keys,
                  const SweepCommand& o, std::ostream& out) {
  std::vector<TrialKey> repeated;
  for (unsigned i = 0; i < o.repeat; ++i) repeated.insert(repeated.end(), keys.begin(), keys.end());
  std::multimap<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>, std::string> digests;
  const bool whole = run_trials(grid, repeated, thread_count(o.threads), [&](const StoredTrial& t) {
    digests.emplace(std::tuple(t.key.point, t.key.variant, t.key.seed), t.result.digest);
  });
  if (!whole) throw Interrupted();
  for (const auto& [key, digest] : digests) {
    out << fmt::format("{} {} {} {} {}\n", experiment.name, std::get<0>(key),
                       experiment.variants[std::get<1>(key)].name, std::get<2>(key), digest);
  }
  return 0;
}

/// A scenario's own folder, results/NAME, goes on with what it holds of the same sweep; one that is named has
/// to be asked for with --resume.
void prepare(const std::string& folder, const SweepCommand& o, const Grid& grid) {
  const Earlier earlier = o.force                     ? Earlier::replace
                          : o.resume || o.out.empty() ? Earlier::keep
                                                      : Earlier::refuse;
  take_folder(folder, grid.identity(), earlier,
              o.resume ? "choose another --out, or --force to write into it"
                       : "--resume goes on with the same sweep, --force replaces what is there");
}

std::uint64_t count_of(const std::vector<TrialKey>& keys, ResultsStore& store) {
  std::uint64_t found = 0;
  for (const TrialKey& key : keys) found += store.has(key) ? 1 : 0;
  return found;
}

/// Says what was not run again, where nobody asked for that.
void note_kept(const SweepCommand& o, const std::vector<TrialKey>& keys, const std::string& folder,
               ResultsStore& store, std::ostream& err) {
  if (o.quiet || o.resume || !o.out.empty()) return;
  const std::uint64_t kept = count_of(keys, store);
  if (kept == 0) return;
  err << fmt::format("{}: {} of {} trials are there already; --force runs them again\n", folder, kept,
                     keys.size());
}

std::string resume_line(const SweepCommand& o, const std::string& folder) {
  std::vector<std::string> words{"mqlab", "sweep", o.scenario};
  if (o.trials) words.insert(words.end(), {"--trials", std::to_string(*o.trials)});
  if (o.seed) words.insert(words.end(), {"--seed", std::to_string(*o.seed)});
  for (const std::string& set : o.sets) words.insert(words.end(), {"--set", set});
  for (const std::string& axis : o.axes) words.insert(words.end(), {"--axis", axis});
  if (!o.shard.empty()) words.insert(words.end(), {"--shard", o.shard});
  words.insert(words.end(), {"--out", folder, "--resume"});
  return shell_line(words);
}

struct Ran {
  double wall_s = 0;
  std::uint64_t events = 0;
};

/// Runs what the store does not have. Throws Interrupted with the line that goes on.
Ran run_missing(const SweepCommand& o, const Grid& grid, const std::vector<TrialKey>& keys,
                const std::string& folder, ResultsStore& store, Streams io) {
  std::vector<TrialKey> missing;
  for (const TrialKey& key : keys) {
    if (!store.has(key)) missing.push_back(key);
  }
  Ran ran;
  bool whole = true;
  const auto began = std::chrono::steady_clock::now();
  {
    ProgressLine line(io.err, o.quiet);
    whole = run_trials(
        grid, missing, thread_count(o.threads),
        [&](const StoredTrial& trial) {
          store.put(trial);
          ran.events += trial.result.outcome.events;
        },
        [&](const SweepProgress& p) { line.show(p); });
  }
  ran.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (whole) return ran;
  throw Interrupted(fmt::format("interrupted: {} of {} trials are kept; go on with\n{}",
                                count_of(keys, store), keys.size(), resume_line(o, folder)));
}

/// Prints what failed and how to see it again.
void print_judgements(const std::vector<Judgement>& judged, const Grid& grid, const std::string& folder,
                      std::ostream& out) {
  std::size_t held = 0;
  for (const Judgement& j : judged) {
    if (!j.skipped.empty()) {
      out << fmt::format("skip {} [{}]: {}\n", j.expectation, j.where, j.skipped);
    } else if (j.met) {
      ++held;
    } else {
      const TrialKey key{j.point, j.variant, j.seed};
      out << fmt::format("FAIL {} [{}]: held in {} of {}; seed {}: {}\n     see it: {}\n     replay: {}\n",
                         j.expectation, j.where, j.held, j.of, j.seed, j.failure, grid.command(key),
                         replay_line(folder, run_id(grid.at(key), key.seed)));
    }
  }
  if (held > 0) out << fmt::format("ok   {} of {} expectations hold\n", held, judged.size());
}

Json as_json(const Experiment& experiment, const std::string& folder, const std::vector<StoredTrial>& trials,
             const std::vector<Judgement>& judged, const std::vector<std::string>& paths) {
  Json out;
  out["scenario"] = experiment.name;
  out["folder"] = folder;
  out["points"] = experiment.points;
  out["trials"] = trials.size();
  out["summary"] = Json::array();
  for (const auto& [cell, metrics] : spreads_of(trials)) {
    Json row{{"point", cell.first}, {"variant", experiment.variants[cell.second].name}};
    if (!experiment.axes.empty()) row["axes"] = axes_json(experiment, cell.first);
    for (const models::MetricInfo& m : models::metric_catalogue()) {
      const Spread& spread = metrics[static_cast<std::size_t>(m.metric)];
      if (spread.trials() == 0) continue;
      const auto half = spread.half_width();
      row["metrics"][std::string(m.name)] = {{"trials", spread.trials()},
                                             {"mean", spread.mean()},
                                             {"half_width_95", half ? Json(*half) : Json()}};
    }
    out["summary"].push_back(std::move(row));
  }
  out["expectations"] = Json::array();
  for (const Judgement& j : judged) {
    out["expectations"].push_back({{"name", j.expectation},
                                   {"where", j.where},
                                   {"met", j.met},
                                   {"held", j.held},
                                   {"of", j.of},
                                   {"seen", j.failure},
                                   {"skipped", j.skipped}});
  }
  out["files"] = paths;
  return out;
}

}  // namespace

int sweep_command(const SweepCommand& o, Streams io) {
  const Experiment experiment =
      load_experiment(o.scenario, {.sets = o.sets, .axes = o.axes, .trials = o.trials, .first_seed = o.seed});
  const Shard shard = parse_shard(o.shard);
  const Grid grid(experiment);
  const std::vector<TrialKey> keys = grid.keys(shard.index, shard.of);
  if (o.list) return (o.format == "json" ? list_as_json : list_trials)(experiment, grid, keys, io.out);
  if (!o.quiet) print_notes(grid.cells(), io.err);
  if (o.digests) return print_digests(experiment, grid, keys, o, io.out);

  const std::string folder = o.out.empty() ? "results/" + experiment.name : o.out;
  prepare(folder, o, grid);
  ResultsStore store(store_path(folder), grid.identity());
  note_kept(o, keys, folder, store, io.err);
  const Ran ran = run_missing(o, grid, keys, folder, store, io);
  const std::vector<TrialKey> all = grid.keys();
  if (const std::uint64_t there = count_of(all, store); there < all.size()) {
    io.out << fmt::format(
        "shard {}/{}: {} of all {} trials are in {}/results.sqlite; tables are written when none is "
        "missing\n",
        shard.index, shard.of, there, all.size(), folder);
    return 0;
  }
  write_wall_clock(folder, ran.wall_s, thread_count(o.threads), ran.events);
  store.finish();
  const std::vector<std::string> paths = write_results(folder, experiment, grid, store);
  const std::vector<StoredTrial> trials = trials_of(grid, store);
  const std::vector<Judgement> judged = judge(experiment, trials);
  if (o.format == "json") {
    io.out << as_json(experiment, folder, trials, judged, paths).dump(2) << '\n';
  } else {
    io.out << experiment.name << ": " << experiment.question << "\n\n"
           << summary_table(experiment, trials) << '\n';
    print_judgements(judged, grid, folder, io.out);
    for (const std::string& path : paths) io.out << path << '\n';
    io.out << "replay a row: " << replay_line(folder, trials.front().result.run_id) << '\n';
  }
  const auto passes = [](const Judgement& j) { return j.met || !j.skipped.empty(); };
  return std::all_of(judged.begin(), judged.end(), passes) ? 0 : 1;
}

}  // namespace experiments
