#include "experiments/results/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/expectations.hpp"
#include "experiments/results/csv.hpp"
#include "experiments/results/datapackage.hpp"
#include "experiments/results/files.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/model_version.hpp"
#include "sim/confidence.hpp"
#include "sim/statistics.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;
using Cell = std::pair<std::uint64_t, std::uint64_t>;

std::string axis_value(const Value& value) {
  return value.is_text() ? value.text : to_toml(value);
}

std::string trials_csv(const Experiment& experiment, ResultsStore& store) {
  std::string out;
  CsvRow header(out);
  header.text("run_id").text("point").text("variant").text("seed").text("digest");
  for (const Axis& axis : experiment.axes) header.text(axis.path.text());
  for (const models::MetricInfo& m : models::metric_catalogue()) header.text(m.name);
  header.end();
  store.for_each(false, [&](const StoredTrial& t) {
    CsvRow row(out);
    row.text(t.result.run_id).integer(static_cast<std::int64_t>(t.key.point));
    row.text(experiment.variants[t.key.variant].name)
        .integer(static_cast<std::int64_t>(t.key.seed))
        .text(t.result.digest);
    const std::vector<std::size_t> at = axis_indices(experiment.axes, t.key.point);
    for (std::size_t i = 0; i < at.size(); ++i) row.text(axis_value(experiment.axes[i].values[at[i]]));
    for (const auto& m : t.result.metrics) row.number(m);
    row.end();
  });
  return out;
}

double quantile(const std::vector<double>& sorted, double q) {
  // Linear between order statistics, as numpy does by default.
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

struct Spread {
  std::vector<double> values;  // in order of seeds
  double mean() const {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  }
  std::optional<double> half_width() const {
    if (values.size() < 2) return std::nullopt;
    sim::MeanVariance spread;
    for (const double v : values) spread.add(v);
    return sim::student_half_width(spread);
  }
};

std::map<Cell, std::vector<Spread>> spreads(ResultsStore& store) {
  std::map<Cell, std::vector<Spread>> cells;
  store.for_each(false, [&](const StoredTrial& t) {
    auto& cell = cells[{t.key.point, t.key.variant}];
    cell.resize(t.result.metrics.size());
    for (std::size_t m = 0; m < t.result.metrics.size(); ++m) {
      if (t.result.metrics[m]) cell[m].values.push_back(*t.result.metrics[m]);
    }
  });
  return cells;
}

std::string summary_csv(const Experiment& experiment, ResultsStore& store) {
  std::string out;
  CsvRow header(out);
  header.text("point").text("variant");
  for (const Axis& axis : experiment.axes) header.text(axis.path.text());
  for (const char* name :
       {"metric", "unit", "trials", "mean", "half_width_95", "min", "p25", "p50", "p75", "max"})
    header.text(name);
  header.end();
  for (const auto& [cell, metrics] : spreads(store)) {
    const std::vector<std::size_t> at = axis_indices(experiment.axes, cell.first);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      std::vector<double> sorted = metrics[m].values;
      if (sorted.empty()) continue;
      std::sort(sorted.begin(), sorted.end());
      CsvRow row(out);
      row.integer(static_cast<std::int64_t>(cell.first)).text(experiment.variants[cell.second].name);
      for (std::size_t i = 0; i < at.size(); ++i) row.text(axis_value(experiment.axes[i].values[at[i]]));
      row.text(models::metric_catalogue()[m].name).text(models::metric_catalogue()[m].unit);
      row.integer(static_cast<std::int64_t>(sorted.size()))
          .number(metrics[m].mean())
          .number(metrics[m].half_width());
      row.number(sorted.front()).number(quantile(sorted, 0.25)).number(quantile(sorted, 0.5));
      row.number(quantile(sorted, 0.75)).number(sorted.back()).end();
    }
  }
  return out;
}

Json manifest(const Experiment& experiment, const Grid& grid, ResultsStore& store) {
  Json m;
  m["program"] = version_text();
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
  std::uint64_t count = 0;
  std::string first;
  store.for_each(false, [&](const StoredTrial& t) {
    all.add_text(t.result.digest);
    if (count++ == 0) first = t.result.run_id;
  });
  m["finished_trials"] = count;
  m["digest"] = all.hex();
  m["replay"] = "mqlab replay RUN-ID --check, with a run_id of trials.csv, for example " + first;
  return m;
}

constexpr std::array kTableMetrics{
    models::Metric::lost,
    models::Metric::duplicated,
    models::Metric::rebalance_pause_max_s,
    models::Metric::lag_max_records,
    models::Metric::e2e_latency_p99_ms,
    models::Metric::processed_per_s,
};

}  // namespace

std::string version_text() {
  return fmt::format("mqlab 0.1.0 (models {})", models::kModelVersion);
}

std::string replay_line(const std::string& folder, const std::string& run_id) {
  return fmt::format("mqlab replay {} --run {} --check", folder, run_id);
}

std::vector<std::string> write_results(const std::string& folder, const Experiment& experiment,
                                       const Grid& grid, ResultsStore& store) {
  std::vector<std::string> paths;
  const auto write = [&](const std::string& name, const std::string& content) {
    paths.push_back(folder + "/" + name);
    write_file(paths.back(), content);
  };
  write("trials.csv", trials_csv(experiment, store));
  write("summary.csv", summary_csv(experiment, store));
  std::string series = kTimeseriesHeader;
  std::string anomalies = kAnomaliesHeader;
  store.for_each(true, [&](const StoredTrial& t) {
    series += t.result.timeseries;
    anomalies += t.result.anomalies;
  });
  write("timeseries.csv", series);
  write("anomalies.csv", anomalies);
  write("datapackage.json", datapackage_json(experiment));
  write("manifest.json", manifest(experiment, grid, store).dump(2) + "\n");
  return paths;
}

void write_wall_clock(const std::string& folder, double wall_s, unsigned threads, std::uint64_t events) {
  const Json facts{{"wall_s", wall_s}, {"threads", threads}, {"events", events}};
  write_file(folder + "/wall_clock.json", facts.dump(2) + "\n");
}

std::string summary_table(const Experiment& experiment, const std::vector<StoredTrial>& trials) {
  std::map<Cell, std::vector<Spread>> cells;
  for (const StoredTrial& t : trials) {
    auto& cell = cells[{t.key.point, t.key.variant}];
    cell.resize(t.result.metrics.size());
    for (std::size_t m = 0; m < t.result.metrics.size(); ++m) {
      if (t.result.metrics[m]) cell[m].values.push_back(*t.result.metrics[m]);
    }
  }
  std::vector<std::vector<std::string>> rows;
  rows.push_back({});
  for (const Axis& axis : experiment.axes) rows.front().push_back(axis.path.segments().back());
  rows.front().push_back("variant");
  rows.front().push_back("trials");
  for (const models::Metric m : kTableMetrics) {
    rows.front().push_back(std::string(models::metric_catalogue()[static_cast<std::size_t>(m)].name));
  }
  for (const auto& [cell, metrics] : cells) {
    std::vector<std::string> row;
    const std::vector<std::size_t> at = axis_indices(experiment.axes, cell.first);
    for (std::size_t i = 0; i < at.size(); ++i) row.push_back(axis_value(experiment.axes[i].values[at[i]]));
    row.push_back(experiment.variants[cell.second].name);
    row.push_back(std::to_string(metrics[static_cast<std::size_t>(models::Metric::offered)].values.size()));
    for (const models::Metric m : kTableMetrics) {
      const Spread& s = metrics[static_cast<std::size_t>(m)];
      if (s.values.empty()) {
        row.push_back("-");
      } else {
        const auto half = s.half_width();
        row.push_back(half && *half > 0 ? fmt::format("{:.4g} ± {:.2g}", s.mean(), *half)
                                        : fmt::format("{:.6g}", s.mean()));
      }
    }
    rows.push_back(std::move(row));
  }
  std::vector<std::size_t> widths(rows.front().size(), 0);
  const auto columns = [](const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  };
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += std::string(widths[i] - columns(row[i]) + (i == 0 ? 0 : 2), ' ') + row[i];
    }
    out += '\n';
  }
  return out;
}

}  // namespace experiments
