#include <algorithm>
#include <chrono>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/expectations.hpp"
#include "experiments/results/csv.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/report.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/model_version.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;

std::string replay_of(const RunCommand& o) {
  std::string line = "mqlab run " + o.scenario + " --seed " + std::to_string(o.seed);
  if (!o.variant.empty()) line += " --variant " + o.variant;
  for (const std::string& set : o.sets) line += " --set '" + set + "'";
  return line;
}

/// Only what speaks of one trial can be judged by one.
std::vector<Judgement> judge_one(Experiment experiment, const StoredTrial& trial) {
  std::erase_if(experiment.expectations,
                [](const Expectation& e) { return e.versus || e.per_point || e.at_least_seeds; });
  return judge(experiment, {trial});
}

Json as_json(const Experiment& experiment, const RunCommand& o, const StoredTrial& trial,
             const std::vector<Judgement>& judged) {
  Json out;
  out["scenario"] = experiment.name;
  out["variant"] = experiment.variants[trial.key.variant].name;
  out["seed"] = o.seed;
  out["run_id"] = trial.result.run_id;
  out["digest"] = trial.result.digest;
  out["end_s"] = sim::seconds(trial.result.outcome.end);
  out["drained"] = trial.result.outcome.drained;
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    const auto& value = trial.result.metrics[static_cast<std::size_t>(m.metric)];
    out["metrics"][std::string(m.name)] = value ? Json(*value) : Json();
  }
  out["expectations"] = Json::array();
  for (const Judgement& j : judged)
    out["expectations"].push_back({{"name", j.expectation}, {"met", j.met}, {"seen", j.failure}});
  out["replay"] = replay_of(o);
  return out;
}

void print_text(const Experiment& experiment, const RunCommand& o, const StoredTrial& trial,
                const std::vector<Judgement>& judged, double wall_s, std::ostream& out) {
  const TrialResult& r = trial.result;
  out << fmt::format("{}, variant {}, seed {}\n", experiment.name,
                     experiment.variants[trial.key.variant].name, o.seed);
  if (!experiment.question.empty()) out << experiment.question << '\n';
  out << fmt::format("\n{:.3f} simulated s{}, {} events, {} records, {:.2f} M events/s\n",
                     sim::seconds(r.outcome.end), r.outcome.drained ? "" : " (not drained)", r.outcome.events,
                     r.outcome.records, static_cast<double>(r.outcome.events) / std::max(wall_s, 1e-9) / 1e6);
  out << fmt::format("run {}  digest {}\n\n", r.run_id, r.digest);
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    const auto& value = r.metrics[static_cast<std::size_t>(m.metric)];
    if (value) out << fmt::format("  {:<32} {:>14}  {}\n", m.name, fmt::format("{:.6g}", *value), m.about);
  }
  if (!judged.empty()) out << '\n';
  for (const Judgement& j : judged) {
    out << fmt::format("  {} {}{}\n", j.met ? "ok  " : "FAIL", j.expectation, j.met ? "" : ": " + j.failure);
  }
  out << "\nreplay: " << replay_of(o) << '\n';
}

void write_folder(const RunCommand& o, const Experiment& experiment, const Resolved& resolved,
                  const StoredTrial& trial, const std::string& trace, double wall_s) {
  make_folder(o.out);
  std::string trials;
  CsvRow header(trials);
  header.text("run_id").text("variant").text("seed").text("digest");
  for (const models::MetricInfo& m : models::metric_catalogue()) header.text(m.name);
  header.end();
  CsvRow row(trials);
  row.text(trial.result.run_id).text(experiment.variants[trial.key.variant].name);
  row.integer(static_cast<std::int64_t>(o.seed)).text(trial.result.digest);
  for (const auto& m : trial.result.metrics) row.number(m);
  row.end();
  write_file(o.out + "/trials.csv", trials);
  write_file(o.out + "/timeseries.csv", kTimeseriesHeader + trial.result.timeseries);
  write_file(o.out + "/anomalies.csv", kAnomaliesHeader + trial.result.anomalies);
  if (!trace.empty()) write_file(o.out + "/trace.csv", trace);
  write_wall_clock(o.out, wall_s, 1, trial.result.outcome.events);
  Json manifest;
  manifest["program"] = version_text();
  manifest["model_version"] = models::kModelVersion;
  manifest["scenario"] = experiment.name;
  manifest["variant"] = experiment.variants[trial.key.variant].name;
  manifest["seed"] = o.seed;
  manifest["run_id"] = trial.result.run_id;
  manifest["digest"] = trial.result.digest;
  manifest["resolved"] = Json::parse(resolved.json);
  manifest["replay"] = replay_of(o);
  write_file(o.out + "/manifest.json", manifest.dump(2) + "\n");
}

}  // namespace

int run_command(const RunCommand& o, Streams io) {
  for (const std::string& format : o.trace) {
    if (format != "csv") throw UsageError("--trace knows csv, not '" + format + "'");
  }
  if (!o.trace.empty() && o.out.empty()) throw UsageError("--trace needs --out, the folder to write to");
  const Experiment experiment = load_experiment(o.scenario, {.sets = o.sets, .without_axes = true});
  const std::size_t variant = o.variant.empty() ? 0 : experiment.variant_named(o.variant);
  const Resolved resolved = resolve(experiment, 0, variant);
  std::string trace;
  const auto began = std::chrono::steady_clock::now();
  const StoredTrial trial{
      {0, variant, o.seed},
      run_trial(resolved, o.seed, {.all_series = true, .trace_csv = o.trace.empty() ? nullptr : &trace})};
  const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const std::vector<Judgement> judged = judge_one(experiment, trial);
  if (!o.out.empty()) write_folder(o, experiment, resolved, trial, trace, wall_s);
  if (o.format == "json")
    io.out << as_json(experiment, o, trial, judged).dump(2) << '\n';
  else
    print_text(experiment, o, trial, judged, wall_s, io.out);
  const bool all_met = std::all_of(judged.begin(), judged.end(), [](const Judgement& j) { return j.met; });
  return all_met ? 0 : 1;
}

}  // namespace experiments
