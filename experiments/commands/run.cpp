#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/commands/described_groups.hpp"
#include "experiments/commands/listed_queues.hpp"
#include "experiments/errors.hpp"
#include "experiments/expectations.hpp"
#include "experiments/notes.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/folder.hpp"
#include "experiments/results/perf_test.hpp"
#include "experiments/results/report.hpp"
#include "experiments/results/screen.hpp"
#include "experiments/shell.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;

std::string replay_of(const RunCommand& o) {
  std::vector<std::string> words{"mqlab", "run", o.scenario, "--seed", std::to_string(o.seed)};
  if (!o.variant.empty()) words.insert(words.end(), {"--variant", o.variant});
  for (const std::string& set : o.sets) words.insert(words.end(), {"--set", set});
  return shell_line(words);
}

/// The scenario as a sweep of one variant and one seed, so that a run's files are a sweep's files.
Experiment only(const Experiment& experiment, std::size_t variant, std::uint64_t seed) {
  Experiment one = experiment;
  one.variants = {experiment.variants[variant]};
  one.expectations.clear();
  one.first_seed = seed;
  one.trials = 1;
  return one;
}

struct Verdict {
  std::vector<Judgement> judged;
  std::vector<std::string> silent_faults;  ///< that did not strike; in one run that may be chance
};

/// Only what speaks of one trial can be judged by one.
Verdict judge_one(Experiment experiment, const StoredTrial& trial) {
  std::erase_if(experiment.expectations,
                [](const Expectation& e) { return e.versus || e.per_point || e.at_least_seeds; });
  Verdict verdict;
  for (Judgement& j : judge(experiment, {trial})) {
    if (j.is_fault)
      verdict.silent_faults.push_back(j.expectation);
    else
      verdict.judged.push_back(std::move(j));
  }
  return verdict;
}

/// What was asked for beside the trial's results; empty where it was not.
struct Watched {
  std::vector<Described> groups;
  std::vector<ListedQueues> queues;
  PerfReport perf;
  std::vector<std::string>
      unfinished;  ///< when the run ended: what was under way or left, and what it waits for
};

/// What --perf-test asks for, as Kafka's tools print it.
std::string perf_text(const PerfReport& report) {
  std::string text;
  for (const PerfReport::Producer& producer : report.producers) {
    text += fmt::format("\n{}, as kafka-producer-perf-test reports it\n", producer.name);
    for (const std::string& line : producer.lines) text += line + '\n';
  }
  for (const PerfReport::Group& group : report.groups) {
    text += fmt::format("\n{}, as kafka-consumer-perf-test reports each member\n{}\n", group.name,
                        kConsumerPerfHeader);
    for (const auto& [name, row] : group.members) text += row + '\n';
  }
  return text;
}

Json as_json(const PerfReport& report) {
  Json out;
  for (const PerfReport::Producer& producer : report.producers)
    out["producers"][producer.name] = producer.lines;
  out["consumer_header"] = kConsumerPerfHeader;
  for (const PerfReport::Group& group : report.groups) {
    for (const auto& [name, row] : group.members) out["consumers"][name] = row;
  }
  return out;
}

Json as_json(const Experiment& experiment, const RunCommand& o, const StoredTrial& trial,
             const Verdict& verdict, const Watched& watched) {
  Json out;
  out["scenario"] = experiment.name;
  out["variant"] = experiment.variants[trial.key.variant].name;
  out["seed"] = o.seed;
  out["run_id"] = trial.result.run_id;
  out["digest"] = trial.result.digest;
  out["end_s"] = sim::seconds(trial.result.outcome.end);
  out["drained"] = trial.result.outcome.drained;
  out["unfinished"] = watched.unfinished;
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    const auto& value = trial.result.metrics[static_cast<std::size_t>(m.metric)];
    out["metrics"][std::string(m.name)] = value ? Json(*value) : Json();
  }
  out["expectations"] = Json::array();
  for (const Judgement& j : verdict.judged)
    out["expectations"].push_back({{"name", j.expectation}, {"met", j.met}, {"seen", j.failure}});
  out["faults_fired"] = trial.result.outcome.faults_fired;
  if (!o.described.empty()) {
    out["described_groups"] = Json::array();
    for (const Described& d : watched.groups) out["described_groups"].push_back(as_json(d));
  }
  if (o.queues) {
    out["queues"] = Json::array();
    for (const ListedQueues& list : watched.queues) out["queues"].push_back(as_json(list));
  }
  if (o.perf_test) out["perf_test"] = as_json(watched.perf);
  out["replay"] = replay_of(o);
  return out;
}

/// Who waits for what, or what is left though nobody is waited for.
std::string unfinished_text(const std::vector<std::string>& lines, bool drained, bool all) {
  constexpr std::size_t kMostShown = 12;
  std::string text;
  const std::size_t shown = all ? lines.size() : std::min(lines.size(), kMostShown);
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{}  {}\n", drained ? "left " : "waits", lines[i]);
  if (shown < lines.size()) text += fmt::format("       and {} more (--verbose)\n", lines.size() - shown);
  return text;
}

void print_text(const Experiment& experiment, const RunCommand& o, const StoredTrial& trial,
                const Verdict& verdict, const Watched& watched, double wall_s, std::ostream& out) {
  const TrialResult& r = trial.result;
  out << fmt::format("{}, variant {}, seed {}\n", experiment.name,
                     experiment.variants[trial.key.variant].name, o.seed);
  if (!experiment.question.empty()) out << experiment.question << '\n';
  for (const Described& d : watched.groups)
    out << fmt::format("\n{} at {:.6g} s\n{}", d.group.group, sim::seconds(d.at), as_table(d.group));
  for (const ListedQueues& list : watched.queues) out << '\n' << as_text(list);
  out << perf_text(watched.perf);
  out << '\n' << trial_text(r, o.verbose) << '\n';
  for (const Judgement& j : verdict.judged) {
    out << fmt::format("{:<4} {}{}\n", j.met ? "ok" : "FAIL", j.expectation, j.met ? "" : ": " + j.failure);
  }
  for (const std::string& fault : verdict.silent_faults) out << "note " << fault << ": not in this run\n";
  if (!verdict.judged.empty() || !verdict.silent_faults.empty()) out << '\n';
  out << fmt::format("{:.6g} simulated s{}, {} events, {} trace records, {:.2g} s of wall time\n",
                     sim::seconds(r.outcome.end), r.outcome.drained ? "" : " (not drained)", r.outcome.events,
                     r.outcome.records, wall_s);
  out << unfinished_text(watched.unfinished, r.outcome.drained, o.verbose);
  out << fmt::format("run {}, digest {}\nreplay: {}\n", r.run_id, r.digest, replay_of(o));
}

void write_folder(const RunCommand& o, const Experiment& experiment, const StoredTrial& trial,
                  const std::string& trace, double wall_s) {
  const Experiment one = only(experiment, trial.key.variant, o.seed);
  const Grid grid(one);
  ResultsStore store(store_path(o.out), grid.identity());
  store.put({{0, 0, o.seed}, trial.result});
  if (!o.trace.empty()) write_file(o.out + "/trace.csv", trace);
  write_wall_clock(o.out, wall_s, 1, trial.result.outcome.events);
  write_results(o.out, one, grid, store);
  store.finish();
}

/// The same run again takes the place of its own results: nothing is lost with them.
void take_folder_of_run(const RunCommand& o, const std::string& id) {
  const bool replace = o.force || holds_only(o.out, id);
  take_folder(o.out, {}, replace ? Earlier::replace : Earlier::refuse,
              "choose another --out, or --force to replace what is there");
}

TrialResult run(const Resolved& resolved, const RunCommand& o, std::vector<models::Look> looks,
                std::vector<TrialWatcher*> watchers, std::string& trace) {
  try {
    return run_trial(resolved, o.seed,
                     {.all_series = true,
                      .trace_csv = o.trace.empty() ? nullptr : &trace,
                      .watchers = std::move(watchers),
                      .world = {.looks = std::move(looks)}});
  } catch (const TrialError& error) {
    throw error.with_replay(replay_of(o));
  }
}

/// What is not run now is to be right all the same: a typing error in another variant, or in an axis, is found here, not later.
void check_rest(const std::string& scenario) {
  const Experiment whole = load_experiment(scenario, {});
  for (std::size_t variant = 0; variant < whole.variants.size(); ++variant) resolve(whole, 0, variant);
  if (whole.points > 1) resolve(whole, whole.points - 1, 0);
}

}  // namespace

int run_command(const RunCommand& o, Streams io) {
  for (const std::string& format : o.trace) {
    if (format != "csv") throw UsageError("--trace knows csv, not '" + format + "'");
  }
  if (!o.trace.empty() && o.out.empty()) throw UsageError("--trace needs --out, the folder to write to");
  if (!o.at.empty() && o.described.empty() && !o.queues)
    throw UsageError("--at needs --describe-group, which group to show, or --queues");
  const Experiment experiment =
      load_experiment(o.scenario, {.sets = o.sets, .first_seed = o.seed, .without_axes = true});
  const std::size_t variant = o.variant.empty() ? 0 : experiment.variant_named(o.variant);
  const Resolved resolved = resolve(experiment, 0, variant);
  if (o.sets.empty()) check_rest(o.scenario);
  const Resolved* const cell = &resolved;
  Watched watched;
  std::vector<models::Look> looks = looks_of(o, resolved.scenario, watched.groups);
  std::optional<QueueList> queues;
  if (o.queues) {
    std::vector<models::Look> more = queues.emplace(o, resolved.scenario).looks();
    std::move(more.begin(), more.end(), std::back_inserter(looks));
    std::stable_sort(looks.begin(), looks.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  }
  looks.push_back({sim::Time{resolved.scenario.duration + resolved.scenario.drain},
                   [&watched](models::World& world) { watched.unfinished = world.unfinished(); }});
  if (!o.quiet) print_notes({&cell, 1}, io.err);
  if (!o.out.empty()) take_folder_of_run(o, run_id(resolved, o.seed));
  PerfTest perf(resolved.scenario.producers, resolved.scenario.groups);
  std::string trace;
  std::vector<TrialWatcher*> watchers;
  if (o.perf_test) watchers.push_back(&perf);
  if (queues) watchers.push_back(&queues->watcher());
  const auto began = std::chrono::steady_clock::now();
  const StoredTrial trial{{0, variant, o.seed},
                          run(resolved, o, std::move(looks), std::move(watchers), trace)};
  const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  watched.perf = perf.report();
  if (queues) watched.queues = queues->lists();
  const Verdict verdict = judge_one(experiment, trial);
  if (!o.out.empty()) write_folder(o, experiment, trial, trace, wall_s);
  if (o.format == "json")
    io.out << as_json(experiment, o, trial, verdict, watched).dump(2) << '\n';
  else
    print_text(experiment, o, trial, verdict, watched, wall_s, io.out);
  return std::all_of(verdict.judged.begin(), verdict.judged.end(), [](const Judgement& j) { return j.met; })
             ? 0
             : 1;
}

}  // namespace experiments
