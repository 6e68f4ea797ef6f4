#include "experiments/expectations.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace experiments {
namespace {

using Seeds = std::map<std::uint64_t, const StoredTrial*>;
/// Trials by (point, variant), then seed.
using Cells = std::map<std::pair<std::uint64_t, std::uint64_t>, Seeds>;

std::optional<double> metric_of(const StoredTrial& trial, const Expectation& e) {
  return e.metric.of([&](std::size_t metric) -> std::optional<double> {
    if (!e.group) return trial.result.metrics[metric];
    for (const LabelledValue& row : trial.result.labelled) {
      if (row.metric == metric && row.group == *e.group && row.subject.empty()) return row.value;
    }
    return std::nullopt;
  });
}

std::string metric_name(const Expectation& e) {
  return e.metric.text + (e.group ? " of " + *e.group : "");
}

std::string bounds_text(const Expectation& e) {
  if (e.absent) return "none";
  if (e.equals) return fmt::format("= {}", number_text(*e.equals));
  std::string text;
  if (e.min) text += fmt::format(">= {}", number_text(*e.min));
  if (e.max) text += fmt::format("{}<= {}", text.empty() ? "" : " and ", number_text(*e.max));
  return text;
}

bool within(const Expectation& e, const std::optional<double>& value) {
  if (e.absent || !value) return e.absent && !value;
  return (!e.equals || *value == *e.equals) && (!e.min || *value >= *e.min) && (!e.max || *value <= *e.max);
}

bool ratio_holds(const Expectation& e, const std::optional<double>& value,
                 const std::optional<double>& other) {
  if (!value || !other) return false;
  if (*value == 0 && *other == 0) return false;  // nothing was compared
  return (!e.max_ratio || *value <= *e.max_ratio * *other) &&
         (!e.min_ratio || *value >= *e.min_ratio * *other);
}

std::string ratio_text(const Expectation& e) {
  std::string text;
  if (e.max_ratio) text += fmt::format("at most {}", number_text(*e.max_ratio));
  if (e.min_ratio)
    text += fmt::format("{}at least {}", text.empty() ? "" : " and ", number_text(*e.min_ratio));
  return text;
}

std::string seen(std::string_view metric, const std::optional<double>& value) {
  return fmt::format("{} is {}", metric, value ? number_text(*value) : "missing");
}

std::string seen_against(const Expectation& e, std::string_view metric, const std::optional<double>& value,
                         const std::optional<double>& other) {
  return fmt::format("{} against {}, wanted {} times that", seen(metric, value),
                     other ? number_text(*other) : "nothing", ratio_text(e));
}

void note(Judgement& j, bool held, std::uint64_t seed, const std::string& failure) {
  ++j.of;
  if (held) {
    ++j.held;
  } else if (j.failure.empty()) {
    j.failure = failure;
    j.seed = seed;
  }
}

std::optional<double> mean_of(const Seeds& seeds, const Expectation& e) {
  double sum = 0;
  std::uint64_t n = 0;
  for (const auto& [seed, trial] : seeds) {
    if (const auto value = metric_of(*trial, e)) {
      sum += *value;
      ++n;
    }
  }
  return n == 0 ? std::nullopt : std::optional<double>(sum / static_cast<double>(n));
}

void judge_cell(const Expectation& e, const Seeds& seeds, const Seeds* versus, Judgement& j) {
  const std::string metric = metric_name(e);
  if (e.per_point && !e.versus) {
    const auto mean = mean_of(seeds, e);
    note(j, within(e, mean), seeds.begin()->first,
         fmt::format("mean {}, wanted {}", seen(metric, mean), bounds_text(e)));
  } else if (e.per_point) {
    const auto mean = mean_of(seeds, e);
    const auto other = versus == nullptr ? std::nullopt : mean_of(*versus, e);
    note(j, ratio_holds(e, mean, other), seeds.begin()->first,
         "mean " + seen_against(e, metric, mean, other));
  } else {
    for (const auto& [seed, trial] : seeds) {
      const auto value = metric_of(*trial, e);
      if (!e.versus) {
        note(j, within(e, value), seed, fmt::format("{}, wanted {}", seen(metric, value), bounds_text(e)));
        continue;
      }
      const auto it = versus == nullptr ? Seeds::const_iterator{} : versus->find(seed);
      const bool there = versus != nullptr && it != versus->end();
      const auto other = there ? metric_of(*it->second, e) : std::nullopt;
      note(j, ratio_holds(e, value, other), seed, seen_against(e, metric, value, other));
    }
  }
  j.met = j.held >= e.at_least_seeds.value_or(j.of);
  if (e.at_least_seeds && j.of < *e.at_least_seeds) {
    j.skipped = fmt::format("needs {} seeds, {} ran", *e.at_least_seeds, j.of);
    j.met = false;
  }
}

std::string fault_name(const Experiment& experiment, std::size_t fault) {
  const Value* const faults = experiment.base.find("faults");
  const Value* const name =
      faults != nullptr && fault < faults->items.size() ? faults->items[fault].find("name") : nullptr;
  return name != nullptr ? name->text : std::to_string(fault);
}

std::string where_text(const Experiment& experiment, std::uint64_t point, std::uint64_t variant) {
  const std::string at = point_text(experiment, point);
  return experiment.variants[variant].name + (at.empty() ? "" : ", " + at);
}

/// The faults that struck in none of a cell's trials.
void judge_faults(const Experiment& experiment, std::uint64_t point, std::uint64_t variant,
                  const Seeds& seeds, std::vector<Judgement>& out) {
  std::vector<std::uint64_t> fired;
  for (const auto& [seed, trial] : seeds) {
    const auto& one = trial->result.outcome.faults_fired;
    fired.resize(std::max(fired.size(), one.size()));
    for (std::size_t i = 0; i < one.size(); ++i) fired[i] += one[i];
  }
  for (std::size_t i = 0; i < fired.size(); ++i) {
    if (fired[i] > 0) continue;
    Judgement j;
    j.expectation = "fault " + fault_name(experiment, i) + " strikes";
    j.where = where_text(experiment, point, variant);
    j.failure = "it struck in no trial: nothing was tested";
    j.of = seeds.size();
    j.seed = seeds.begin()->first;
    j.point = point;
    j.variant = variant;
    j.is_fault = true;
    out.push_back(std::move(j));
  }
}

}  // namespace

std::string point_text(const Experiment& experiment, std::uint64_t point) {
  std::string text;
  const std::vector<std::size_t> at = axis_indices(experiment.axes, point);
  for (std::size_t i = 0; i < at.size(); ++i) {
    text += (text.empty() ? "" : ", ") + experiment.axes[i].path.text() + "=" +
            to_toml(experiment.axes[i].values[at[i]]);
  }
  return text;
}

std::vector<Judgement> judge(const Experiment& experiment, const std::vector<StoredTrial>& trials) {
  Cells cells;
  for (const StoredTrial& trial : trials)
    cells[{trial.key.point, trial.key.variant}][trial.key.seed] = &trial;
  std::vector<Judgement> out;
  for (const Expectation& e : experiment.expectations) {
    for (const auto& [cell, seeds] : cells) {
      const auto& [point, variant] = cell;
      if (!e.variants.empty() && std::find(e.variants.begin(), e.variants.end(), variant) == e.variants.end())
        continue;
      if (e.versus && *e.versus == variant) continue;
      if (!applies_at(e, experiment, point)) continue;
      const auto other = e.versus ? cells.find({point, *e.versus}) : cells.end();
      Judgement j;
      j.expectation = e.name;
      j.point = point;
      j.variant = variant;
      j.where = where_text(experiment, point, variant);
      judge_cell(e, seeds, other == cells.end() ? nullptr : &other->second, j);
      out.push_back(std::move(j));
    }
  }
  for (const auto& [cell, seeds] : cells) judge_faults(experiment, cell.first, cell.second, seeds, out);
  return out;
}

}  // namespace experiments
