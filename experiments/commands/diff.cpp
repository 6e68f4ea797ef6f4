#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "experiments/commands/commands.hpp"
#include "experiments/results/screen.hpp"
#include "experiments/scenario/experiment.hpp"
#include "experiments/trial.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

std::string change(const std::optional<double>& left, const std::optional<double>& right) {
  return left && right ? fmt::format("{}{}", *right > *left ? "+" : "", short_number(*right - *left)) : "";
}

}  // namespace

int diff_command(const DiffCommand& o, Streams io) {
  const Experiment experiment = load_experiment(o.scenario, {.sets = o.sets, .without_axes = true});
  const auto index = [&](const std::string& name) {
    return name.empty() ? 0 : experiment.variant_named(name);
  };
  const std::size_t left_variant = index(o.left_variant);
  const std::size_t right_variant = index(o.right_variant);
  const TrialResult left = run_trial(resolve(experiment, 0, left_variant), o.left_seed);
  const TrialResult right = run_trial(resolve(experiment, 0, right_variant), o.right_seed);
  const auto title = [&](std::size_t variant, std::uint64_t seed) {
    return fmt::format("{}, seed {}", experiment.variants[variant].name, seed);
  };
  const std::string names[] = {title(left_variant, o.left_seed), title(right_variant, o.right_seed)};
  const std::size_t width = std::max<std::size_t>({16, names[0].size(), names[1].size()});
  const auto row = [&](std::string_view name, const std::string& l, const std::string& r,
                       const std::string& c) {
    io.out << fmt::format("{:<32}  {:>{}}  {:>{}}", name, l, width, r, width);
    io.out << (c.empty() ? "\n" : fmt::format("  {:>12}\n", c));
  };
  if (left.digest == right.digest) {
    io.out << fmt::format("{} and {} are the same run: digest {}\n", names[0], names[1], left.digest);
    return 0;
  }
  row(experiment.name, names[0], names[1], "change");
  row("digest", left.digest.substr(0, 16), right.digest.substr(0, 16), "");
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    const auto& l = left.metrics[static_cast<std::size_t>(m.metric)];
    const auto& r = right.metrics[static_cast<std::size_t>(m.metric)];
    if (l != r) row(m.name, short_number(l), short_number(r), change(l, r));
  }
  return 1;
}

}  // namespace experiments
