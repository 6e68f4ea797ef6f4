// `mqlab export`: results for other tools, written beside the tables.
#include <ostream>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/recorded.hpp"
#include "experiments/results/csv.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/manifest.hpp"
#include "experiments/results/openmetrics.hpp"
#include "experiments/results/rabbitmq_metrics.hpp"
#include "experiments/results/report.hpp"
#include "experiments/results/sns_metrics.hpp"
#include "experiments/results/sqs_metrics.hpp"
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

constexpr std::int64_t kScrapesMost = 1'000'000;

/// Every interval from the run's first instant to its end.
std::vector<sim::Time> scrape_times(const ExportCommand& o, const models::Scenario& scenario) {
  const sim::Duration every = duration_option("--every", o.every);
  if (every <= sim::Duration{}) throw UsageError("--every must be more than 0");
  const sim::Duration longest = scenario.duration + scenario.drain;
  if (longest / every >= kScrapesMost)
    throw UsageError("--every " + o.every + ": more than " + std::to_string(kScrapesMost) + " scrapes");
  std::vector<sim::Time> times;
  for (sim::Time at{}; at <= sim::Time{longest}; at += every) times.push_back(at);
  return times;
}

/// A scrape at each, of what there is.
std::vector<models::Look> scrapes(const std::vector<sim::Time>& times, OpenMetrics* kafka, SqsMetrics* sqs,
                                  SnsMetrics* sns, RabbitMetrics* rabbitmq) {
  std::vector<models::Look> looks;
  for (std::size_t i = 0; i < times.size(); ++i) {
    looks.push_back({times[i], [at = times[i], i, kafka, sqs, sns, rabbitmq](models::World& world) {
                       if (world.simulation().now() < at) return;  // the run ended before
                       if (kafka != nullptr) kafka->scrape(sim::seconds(at), world.kafka());
                       if (sqs != nullptr) sqs->scrape(sim::seconds(at), *world.sqs());
                       if (sns != nullptr) sns->scrape(sim::seconds(at), *world.sns());
                       if (rabbitmq != nullptr) rabbitmq->scrape(i, world);
                     }});
  }
  return looks;
}

std::vector<std::string> group_names(const models::Scenario& scenario) {
  std::vector<std::string> names;
  for (const models::GroupOptions& group : scenario.groups) names.push_back(group.name);
  return names;
}

/// The trial once more, and what an exporter would have shown of it.
void export_openmetrics(const ExportCommand& o, std::ostream& out) {
  Recorded recorded(o.trials);
  if (recorded.keys().size() != 1) {
    throw UsageError("openmetrics is of one trial, and " + std::to_string(recorded.keys().size()) +
                     " are meant: choose one by --run, or by --point, --variant and --seed");
  }
  const TrialKey key = recorded.keys().front();
  const Resolved resolved = recorded.scenario(key);
  const models::Scenario& scenario = resolved.scenario;
  if (!scenario.kafka && !scenario.rabbitmq && !scenario.sqs && !scenario.sns)
    throw UsageError("openmetrics: the scenario has no broker to scrape");
  const std::vector<sim::Time> times = scrape_times(o, scenario);
  OpenMetrics kafka(group_names(scenario));
  RabbitMetrics rabbitmq(times);
  SqsMetrics sqs;
  SnsMetrics sns;
  TrialOptions options;
  options.world.looks = scrapes(times, scenario.kafka ? &kafka : nullptr, scenario.sqs ? &sqs : nullptr,
                                scenario.sns ? &sns : nullptr, scenario.rabbitmq ? &rabbitmq : nullptr);
  if (scenario.rabbitmq) options.watchers.push_back(&rabbitmq.watcher());
  const TrialResult again = run_trial(resolved, key.seed, options);
  if (again.digest != recorded.trial(key).result.digest) {
    throw ResultsError(recorded.folder() + ": the run " + again.run_id +
                       " is not the recorded one; see: mqlab replay --check");
  }
  const std::string path = recorded.folder() + "/openmetrics-" + again.run_id + ".txt";
  write_file(path, (scenario.kafka ? kafka.text() : "") + (scenario.rabbitmq ? rabbitmq.text() : "") +
                       (scenario.sqs ? sqs.text() : "") + (scenario.sns ? sns.text() : "") + "# EOF\n");
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
