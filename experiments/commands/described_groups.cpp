#include "experiments/commands/described_groups.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "experiments/errors.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

/// The times of --at, in order; with none, the latest at which the run can end.
std::vector<sim::Time> times_of(const RunCommand& o, const models::Scenario& scenario) {
  const sim::Duration last = scenario.duration + scenario.drain;
  if (o.at.empty()) return {sim::Time{last}};
  std::vector<sim::Time> times;
  for (const std::string& text : o.at) {
    times.push_back(sim::Time{duration_option("--at", text)});
    if (times.back() > sim::Time{last})
      throw UsageError("--at " + text + ": the run ends at " + duration_text(last) + " at the latest");
  }
  std::sort(times.begin(), times.end());
  return times;
}

void check_groups(const RunCommand& o, const models::Scenario& scenario) {
  std::vector<std::string_view> names;
  for (const models::GroupOptions& group : scenario.groups) names.push_back(group.name);
  for (const std::string& wanted : o.described) {
    if (std::find(names.begin(), names.end(), wanted) == names.end())
      throw UsageError("--describe-group: the scenario has no group '" + wanted + "'" + hint(wanted, names));
  }
}

}  // namespace

std::vector<models::Look> looks_of(const RunCommand& o, const models::Scenario& scenario,
                                   std::vector<Described>& described) {
  std::vector<models::Look> looks;
  if (o.described.empty()) return looks;
  check_groups(o, scenario);
  for (const sim::Time at : times_of(o, scenario)) {
    looks.push_back({at, [&o, &described](models::World& world) {
                       for (const std::string& group : o.described)
                         described.push_back(
                             {world.simulation().now(), models::kafka::describe_group(world.kafka(), group)});
                     }});
  }
  return looks;
}

nlohmann::ordered_json as_json(const Described& d) {
  using Json = nlohmann::ordered_json;
  const auto or_null = [](auto value) { return value ? Json(*value) : Json(); };
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json rows = Json::array();
  for (const auto& row : d.group.rows) {
    if (d.group.share) {
      rows.push_back({{"topic", row.topic},
                      {"partition", row.partition},
                      {"start_offset", or_null(row.current_offset)},
                      {"lag", or_null(row.lag())}});
      continue;
    }
    rows.push_back({{"topic", row.topic},
                    {"partition", row.partition},
                    {"current_offset", or_null(row.current_offset)},
                    {"log_end_offset", or_null(row.log_end_offset)},
                    {"lag", or_null(row.lag())},
                    {"consumer_id", text_or_null(row.consumer_id)},
                    {"host", text_or_null(row.host)},
                    {"client_id", text_or_null(row.client_id)}});
  }
  return {{"at_s", sim::seconds(d.at)},
          {"group", d.group.group},
          {"coordinator_available", d.group.coordinator_available},
          {"state", text_or_null(d.group.state)},
          {"rows", std::move(rows)}};
}

}  // namespace experiments
