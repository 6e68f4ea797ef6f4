// A scenario file as a whole: what is run, its variants, the axes over which it is swept, what is expected of
// it.
//
//   const Experiment experiment = load_experiment("experiments/consumer_death.toml", {});
//   const Resolved run = resolve(experiment, point, variant);
//   run_id(run, seed);
//
// A point is one combination of the axes' values. A run is a point, a variant and a seed. What a run is comes
// about in this order: the file, its variant's `set`, the options --set, the point's values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/scenario/axes.hpp"
#include "experiments/scenario/metric_sum.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/value.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// The name of the scenario as it stands, unless a variant without `set` gives it another.
inline constexpr std::string_view kBaseVariant = "base";

struct Variant {
  std::string name;
  std::vector<std::pair<Path, Value>> set;  ///< those of the variants that it extends come first
};

struct Expectation {
  std::string name;
  MetricSum metric;
  std::optional<std::string> group;  ///< the metric of this group alone
  std::optional<double> equals, min, max;
  bool absent = false;  ///< no value at all
  bool per_point = false;
  std::vector<std::size_t> variants;  ///< empty: all
  std::optional<std::uint64_t> at_least_seeds;
  std::optional<std::size_t> versus;  ///< a variant
  std::optional<double> min_ratio, max_ratio;
  std::vector<std::pair<Path, Value>> where;
};

struct Overrides {
  std::vector<std::string> sets = {};  ///< PATH=VALUE
  std::vector<std::string> axes = {};  ///< PATH=SPEC
  std::optional<std::uint64_t> trials = {}, first_seed = {};
  bool without_axes = false;  ///< one point: the scenario as it stands
  bool judged_axes = false;   ///< of the file's axes those alone that some expectation's `where` names
};

struct Experiment {
  std::string file;       ///< as given
  std::string directory;  ///< of the file
  std::string name, question;
  Value base;                     ///< without what selects and judges runs
  std::vector<Variant> variants;  ///< at least one
  std::vector<Expectation> expectations;
  std::vector<Axis> axes;
  std::vector<std::pair<Path, Value>> sets;
  std::uint64_t points = 1;
  std::uint64_t trials = 0;
  std::uint64_t first_seed = 1;

  std::uint64_t total() const { return points * variants.size() * trials; }
  /// Throws UsageError when there is none of that name.
  std::size_t variant_named(std::string_view name) const;
};

/// What is run, but for its seed.
struct Resolved {
  models::Scenario scenario;
  Value checked;     ///< the tree in its one spelling
  std::string json;  ///< the same, without names and texts: what a run id stands for
};

/// Seeds a point when neither file nor option says.
inline constexpr std::uint64_t kDefaultTrials = 10;

/// Throws BadScenario or UsageError. Points and variants are not yet bound: see resolve().
Experiment load_experiment(const std::string& file, const Overrides& overrides);
Resolved resolve(const Experiment& experiment, std::uint64_t point, std::size_t variant);
/// From a record of an earlier run. `place` is for errors.
Resolved resolve_json(const std::string& json, const std::string& directory, const Place& place);

/// A scenario as it stands, without variants, expectations and sweeps. `source_name` is for errors.
Resolved resolve_toml(const std::string& text, const std::string& source_name);

/// The folder of a file, to which the data files that it names are relative; empty for the current one.
std::string directory_of(const std::string& file);

std::string run_id(const Resolved& resolved, std::uint64_t seed);
/// Does the expectation speak of this point?
bool applies_at(const Expectation& expectation, const Experiment& experiment, std::uint64_t point);

}  // namespace experiments
