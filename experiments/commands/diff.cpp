#include <ostream>

#include <fmt/format.h>

#include "experiments/commands/commands.hpp"
#include "experiments/scenario/experiment.hpp"
#include "experiments/trial.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{:.6g}", *value) : "-";
}

}  // namespace

int diff_command(const DiffCommand& o, Streams io) {
  const Experiment experiment = load_experiment(o.scenario, {.without_axes = true});
  const auto run = [&](const std::string& variant, std::uint64_t seed) {
    const std::size_t index = variant.empty() ? 0 : experiment.variant_named(variant);
    return run_trial(resolve(experiment, 0, index), seed);
  };
  const TrialResult left = run(o.left_variant, o.left_seed);
  const TrialResult right = run(o.right_variant, o.right_seed);
  io.out << fmt::format("{:<32} {:>16} {:>16}\n", "digest", left.digest.substr(0, 16),
                        right.digest.substr(0, 16));
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    const auto i = static_cast<std::size_t>(m.metric);
    if (left.metrics[i] == right.metrics[i]) continue;
    io.out << fmt::format("{:<32} {:>16} {:>16}\n", m.name, cell(left.metrics[i]), cell(right.metrics[i]));
  }
  return left.digest == right.digest ? 0 : 1;
}

}  // namespace experiments
