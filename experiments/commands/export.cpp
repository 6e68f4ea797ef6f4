// `mqlab export`: results for other tools, written beside the tables.
#include <ostream>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/recorded.hpp"
#include "experiments/results/csv.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/manifest.hpp"
#include "experiments/results/openmetrics.hpp"
#include "experiments/results/report.hpp"
#include "experiments/results/store.hpp"
#include "experiments/scenario/units.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/world.hpp"

namespace experiments {
namespace {

void export_csv(const std::string& folder, std::ostream& out) {
  const Manifest manifest = read_manifest(folder);
  ResultsStore store(store_path(folder));
  // Long form, for tools that want one value a row.
  const std::string path = folder + "/metrics_long.csv";
  OutputFile file(path);
  file.append("run_id,point,variant,seed,metric,unit,value\n");
  const std::string labelled_path = folder + "/labelled.csv";
  OutputFile labelled(labelled_path);
  labelled.append(kLabelledHeader);
  store.for_each(true, [&](const StoredTrial& t) {
    if (!covers(manifest, t.key)) return;
    labelled.append(labelled_rows(t, variant_of(manifest, t.key, folder)));
    std::string rows;
    for (const models::MetricInfo& m : models::metric_catalogue()) {
      const auto& value = t.result.metrics[static_cast<std::size_t>(m.metric)];
      if (!value) continue;
      CsvRow(rows)
          .text(t.result.run_id)
          .integer(static_cast<std::int64_t>(t.key.point))
          .text(variant_of(manifest, t.key, folder))
          .integer(static_cast<std::int64_t>(t.key.seed))
          .text(m.name)
          .text(m.unit)
          .number(*value)
          .end();
    }
    file.append(rows);
  });
  file.commit();
  labelled.commit();
  out << path << '\n' << labelled_path << '\n';
}

sim::Duration interval_of(const ExportCommand& o) {
  try {
    const sim::Duration every = parse_duration(o.every);
    if (every > sim::Duration{}) return every;
  } catch (const BadValue& error) {
    throw UsageError(std::string("--every: ") + error.what());
  }
  throw UsageError("--every must be more than 0");
}

/// A scrape of the run at every interval from its first instant to its end.
std::vector<models::Look> scrapes(const models::Scenario& scenario, sim::Duration every, OpenMetrics& into) {
  std::vector<std::string> groups;
  for (const models::GroupOptions& group : scenario.groups) groups.push_back(group.name);
  std::vector<models::Look> looks;
  const sim::Time last{scenario.duration + scenario.drain};
  for (sim::Time at{}; at <= last; at += every) {
    looks.push_back({at, [at, groups, &into](models::World& world) {
                       if (world.simulation().now() < at) return;  // the run ended before
                       into.scrape(sim::seconds(at), world.kafka(), groups);
                     }});
  }
  return looks;
}

/// The trial once more, and what an exporter would have shown of it.
void export_openmetrics(const ExportCommand& o, std::ostream& out) {
  const sim::Duration every = interval_of(o);
  Recorded recorded(o.trials);
  if (recorded.keys().size() != 1) {
    throw UsageError("openmetrics is of one trial, and " + std::to_string(recorded.keys().size()) +
                     " are meant: choose one by --run, or by --point, --variant and --seed");
  }
  const TrialKey key = recorded.keys().front();
  const Resolved resolved = recorded.scenario(key);
  if (!resolved.scenario.kafka) throw UsageError("openmetrics: the scenario has no Kafka cluster to scrape");
  OpenMetrics metrics;
  const TrialResult again =
      run_trial(resolved, key.seed, {.world = {.looks = scrapes(resolved.scenario, every, metrics)}});
  if (again.digest != recorded.trial(key).result.digest) {
    throw ResultsError(recorded.folder() + ": the run " + again.run_id +
                       " is not the recorded one; see: mqlab replay --check");
  }
  const std::string path = recorded.folder() + "/openmetrics-" + again.run_id + ".txt";
  write_file(path, metrics.text());
  out << path << '\n';
}

}  // namespace

int export_command(const ExportCommand& o, Streams io) {
  if (o.format == "openmetrics") {
    export_openmetrics(o, io.out);
    return 0;
  }
  if (o.format != "csv")
    throw UsageError("export knows the formats csv and openmetrics, not '" + o.format + "'");
  const TrialChoice& t = o.trials;
  if (!t.run.empty() || t.point || t.seed || !t.variant.empty())
    throw UsageError(
        "--format csv exports all trials of a folder; it takes no --run, --point, --variant or --seed");
  export_csv(t.what, io.out);
  return 0;
}

}  // namespace experiments
