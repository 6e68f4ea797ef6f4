#include "experiments/results/datapackage.hpp"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;

Json field(std::string_view name, std::string_view type, std::string_view about, std::string_view unit = {}) {
  Json f{{"name", name}, {"type", type}, {"description", about}};
  if (!unit.empty()) f["unit"] = unit;
  return f;
}

Json resource(std::string_view name, std::string_view about, Json fields) {
  return {{"name", name},
          {"path", std::string(name) + ".csv"},
          {"description", about},
          {"profile", "tabular-data-resource"},
          {"format", "csv"},
          {"encoding", "utf-8"},
          {"schema", {{"fields", std::move(fields)}, {"missingValues", {""}}}}};
}

Json run_id() {
  return field("run_id", "string", "hash of the resolved point, the seed and the version of the models");
}
Json point() {
  return field("point", "integer", "number of the point: one combination of the axes' values");
}
Json variant() {
  return field("variant", "string", "name of the variant; base: the scenario as it stands");
}
Json seed() {
  return field("seed", "integer", "seed of the trial");
}
Json metric() {
  return field("metric", "string", "a metric's name, as the columns of trials.csv");
}
Json time_s() {
  return field("time_s", "number", "virtual time since the start of the run", "s");
}

void add_axes(Json& fields, const Experiment& experiment) {
  for (const Axis& axis : experiment.axes) {
    const bool numeric =
        std::all_of(axis.values.begin(), axis.values.end(), [](const Value& v) { return v.is_numeric(); });
    fields.push_back(field(axis.path.text(), numeric ? "number" : "string", "axis: the value at this point"));
  }
}

Json trials(const Experiment& experiment) {
  Json fields{run_id(), point(), variant(), seed(),
              field("digest", "string", "128 bits over the whole trace, in hexadecimal")};
  add_axes(fields, experiment);
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    fields.push_back(field(m.name, "number", m.about, m.unit));
  }
  return resource("trials", "one row a trial", std::move(fields));
}

Json summary(const Experiment& experiment) {
  Json fields{point(), variant()};
  add_axes(fields, experiment);
  fields.push_back(metric());
  fields.push_back(field("unit", "string", "its unit, that of the columns from mean to max"));
  fields.push_back(field("trials", "integer", "trials in which it has a value"));
  fields.push_back(field("mean", "number", "mean over these trials"));
  fields.push_back(
      field("half_width_95", "number", "half-width of the 95 % confidence interval of the mean (Student)"));
  fields.push_back(field("min", "number", "least"));
  fields.push_back(field("p25", "number", "lower quartile, linear between order statistics"));
  fields.push_back(field("p50", "number", "median"));
  fields.push_back(field("p75", "number", "upper quartile"));
  fields.push_back(field("max", "number", "greatest"));
  return resource("summary", "one row a point, variant and metric", std::move(fields));
}

Json labelled() {
  const Json fields{run_id(),
                    point(),
                    variant(),
                    seed(),
                    metric(),
                    field("group", "string", "the group that it speaks of, or that reads the partition"),
                    field("subject", "string", "partition or member; empty: the group as a whole"),
                    field("value", "number", "the value, in the metric's unit")};
  return resource("labelled", "long form: metrics of single groups, partitions and members, one row each",
                  fields);
}

Json timeseries() {
  Json fields{run_id(), time_s(), field("metric", "string", "name of the series: mqlab list metrics"),
              field("subject", "string", "group it speaks of; empty: the whole run"),
              field("value", "number", "the value, in the unit at the end of the name")};
  return resource("timeseries", "long form: one row a run, time, series and subject", std::move(fields));
}

Json anomalies() {
  Json fields{run_id(),
              time_s(),
              field("verdict", "string", "what is wrong: mqlab list verdicts"),
              field("place", "string", "partition or queue"),
              field("other", "string", "the group, member or broker concerned"),
              field("lane_producer", "string", "producer of the messages"),
              field("first_seq", "integer", "number of the first message within its lane"),
              field("offset", "integer", "offset of the first message"),
              field("count", "integer", "messages"),
              field("record", "integer", "number of the trace record that shows it")};
  return resource("anomalies", "at most 100 rows a run and verdict; all are counted in trials.csv",
                  std::move(fields));
}

}  // namespace

std::string datapackage_json(const Experiment& experiment) {
  const Json package{{"name", experiment.name},
                     {"title", experiment.question},
                     {"profile", "tabular-data-package"},
                     {"resources", Json::array({trials(experiment), summary(experiment), labelled(),
                                                timeseries(), anomalies()})}};
  return package.dump(2) + "\n";
}

}  // namespace experiments
