#include "experiments/results/report.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/results/csv.hpp"
#include "experiments/results/datapackage.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/spread.hpp"
#include "experiments/shell.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/model_version.hpp"
#include "sim/digest.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;
/// All but the manifest, in the order of the tables' weight.
constexpr std::array kFiles{"trials.csv",     "summary.csv",   "labelled.csv",
                            "timeseries.csv", "anomalies.csv", "datapackage.json"};

void add_point(CsvRow& row, const Experiment& experiment, std::uint64_t point) {
  const std::vector<std::size_t> at = axis_indices(experiment.axes, point);
  for (std::size_t i = 0; i < at.size(); ++i) row.text(axis_value(experiment.axes[i].values[at[i]]));
}

void write_trials(const std::string& path, const Experiment& experiment,
                  const std::vector<StoredTrial>& trials) {
  OutputFile file(path);
  std::string line;
  CsvRow header(line);
  header.text("run_id").text("point").text("variant").text("seed").text("digest");
  for (const Axis& axis : experiment.axes) header.text(axis.path.text());
  for (const models::MetricInfo& m : models::metric_catalogue()) header.text(m.name);
  header.end();
  file.append(line);
  for (const StoredTrial& t : trials) {
    line.clear();
    CsvRow row(line);
    row.text(t.result.run_id).integer(static_cast<std::int64_t>(t.key.point));
    row.text(experiment.variants[t.key.variant].name);
    row.integer(static_cast<std::int64_t>(t.key.seed)).text(t.result.digest);
    add_point(row, experiment, t.key.point);
    for (const auto& m : t.result.metrics) row.number(m);
    row.end();
    file.append(line);
  }
  file.commit();
}

std::string summary_csv(const Experiment& experiment, const Spreads& spreads) {
  std::string out;
  CsvRow header(out);
  header.text("point").text("variant");
  for (const Axis& axis : experiment.axes) header.text(axis.path.text());
  for (const char* name :
       {"metric", "unit", "trials", "mean", "half_width_95", "min", "p25", "p50", "p75", "max"})
    header.text(name);
  header.end();
  for (const auto& [cell, metrics] : spreads) {
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const Spread& spread = metrics[m];
      if (spread.trials() == 0) continue;
      CsvRow row(out);
      row.integer(static_cast<std::int64_t>(cell.first)).text(experiment.variants[cell.second].name);
      add_point(row, experiment, cell.first);
      row.text(models::metric_catalogue()[m].name).text(models::metric_catalogue()[m].unit);
      row.integer(static_cast<std::int64_t>(spread.trials()));
      row.number(spread.mean()).number(spread.half_width());
      for (const double q : {0.0, 0.25, 0.5, 0.75, 1.0}) row.number(spread.quantile(q));
      row.end();
    }
  }
  return out;
}

/// The long tables go through here trial by trial: they may be larger than memory.
void write_rows(const std::string& folder, const Experiment& experiment, const Grid& grid,
                ResultsStore& store) {
  OutputFile labelled(folder + "/labelled.csv");
  OutputFile series(folder + "/timeseries.csv");
  OutputFile anomalies(folder + "/anomalies.csv");
  labelled.append(kLabelledHeader);
  series.append(kTimeseriesHeader);
  anomalies.append(kAnomaliesHeader);
  store.for_each(true, [&](const StoredTrial& t) {
    if (!grid.holds(t.key)) return;
    labelled.append(labelled_rows(t, experiment.variants[t.key.variant].name));
    series.append(t.result.timeseries);
    anomalies.append(t.result.anomalies);
  });
  labelled.commit();
  series.commit();
  anomalies.commit();
}

Json manifest(const std::string& folder, const Experiment& experiment, const Grid& grid,
              const std::vector<StoredTrial>& trials) {
  Json m;
  m["program"] = version_text();
  m["commit"] = source_commit();
  m["model_version"] = models::kModelVersion;
  m["scenario"] = experiment.name;
  m["question"] = experiment.question;
  m["file"] = experiment.file;
  m["identity"] = grid.identity();
  m["points"] = experiment.points;
  m["first_seed"] = experiment.first_seed;
  m["trials"] = experiment.trials;
  for (const Variant& v : experiment.variants) m["variants"].push_back(v.name);
  m["axes"] = Json::object();
  for (const Axis& axis : experiment.axes) {
    for (const Value& value : axis.values) m["axes"][axis.path.text()].push_back(axis_value(value));
  }
  m["resolved"] = Json::array();
  for (const TrialKey& key : grid.keys()) {
    if (key.seed != experiment.first_seed) continue;
    m["resolved"].push_back({{"point", key.point},
                             {"variant", experiment.variants[key.variant].name},
                             {"scenario", Json::parse(grid.at(key).json)}});
  }
  sim::Digest all;
  for (const StoredTrial& t : trials) all.add_text(t.result.digest);
  m["finished_trials"] = trials.size();
  m["digest"] = all.hex();
  if (!trials.empty()) m["replay"] = replay_line(folder, trials.front().result.run_id);
  return m;
}

}  // namespace

std::string axis_value(const Value& value) {
  return value.is_text() ? value.text : to_toml(value);
}

std::string labelled_rows(const StoredTrial& trial, const std::string& variant) {
  std::string rows;
  for (const LabelledValue& value : trial.result.labelled) {
    CsvRow(rows)
        .text(trial.result.run_id)
        .integer(static_cast<std::int64_t>(trial.key.point))
        .text(variant)
        .integer(static_cast<std::int64_t>(trial.key.seed))
        .text(models::metric_catalogue()[value.metric].name)
        .text(value.group)
        .text(value.subject)
        .number(value.value)
        .end();
  }
  return rows;
}

std::string version_text() {
  return fmt::format("mqlab 0.1.0 (models {})", models::kModelVersion);
}

std::string replay_line(const std::string& folder, const std::string& run_id) {
  return shell_line({"mqlab", "replay", folder, "--run", run_id, "--check"});
}

void clear_results(const std::string& folder) {
  remove_file(folder + "/manifest.json");  // first: without it the rest is no result
  for (const char* name : kFiles) remove_file(folder + "/" + name);
  remove_file(folder + "/trace.csv");
  remove_file(folder + "/wall_clock.json");
}

std::vector<std::string> write_results(const std::string& folder, const Experiment& experiment,
                                       const Grid& grid, ResultsStore& store) {
  const std::vector<StoredTrial> trials = trials_of(grid, store);
  write_trials(folder + "/trials.csv", experiment, trials);
  write_file(folder + "/summary.csv", summary_csv(experiment, spreads_of(trials)));
  write_rows(folder, experiment, grid, store);
  write_file(folder + "/datapackage.json", datapackage_json(experiment));
  write_file(folder + "/manifest.json", manifest(folder, experiment, grid, trials).dump(2) + "\n");
  std::vector<std::string> paths;
  for (const char* name : kFiles) paths.push_back(folder + "/" + name);
  paths.push_back(folder + "/manifest.json");
  return paths;
}

void write_wall_clock(const std::string& folder, double wall_s, unsigned threads, std::uint64_t events) {
  const Json facts{{"wall_s", wall_s}, {"threads", threads}, {"events", events}};
  write_file(folder + "/wall_clock.json", facts.dump(2) + "\n");
}

}  // namespace experiments
