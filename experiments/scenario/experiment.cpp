#include "experiments/scenario/experiment.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/errors.hpp"
#include "experiments/scenario/bind.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/coherence.hpp"
#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/json.hpp"
#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/model_version.hpp"
#include "models/scenario_error.hpp"
#include "models/world.hpp"
#include "sim/digest.hpp"

namespace experiments {
namespace {

constexpr std::uint64_t kMostTrials = 10'000'000;  // of a whole sweep
constexpr std::uint64_t kMostSeed = std::uint64_t{1} << 62U;

/// Takes a section out of the tree and checks it against its row of the format.
Value take_section(Value& root, std::string_view name) {
  const Value* section = root.find(name);
  if (section == nullptr) return Value::table_at(root.place);
  const std::vector<Key>& keys = scenario_format().keys;
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; });
  Value out = check_value(*section, *key, std::string(name));
  root.erase(name);
  return out;
}

std::string safe_name(const Value& root) {
  const Value* scenario = root.find("scenario");
  const Value* name = scenario == nullptr ? nullptr : scenario->find("name");
  if (name == nullptr || !name->is_text()) return {};  // the format's check says what is missing
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (!std::all_of(name->text.begin(), name->text.end(), plain)) {
    throw BadScenario(name->place, "scenario.name", "is also a folder's name: letters, digits, _ and - only");
  }
  return name->text;
}

std::vector<std::pair<Path, Value>> settings_in(const Value& table) {
  std::vector<std::pair<Path, Value>> out;
  for (const auto& [path, value] : paths_in(table)) out.emplace_back(path, *value);
  return out;
}

/// Builds variant `index` after what it extends. `under_way` finds the circle.
void collect_sets(const Value& variants, std::size_t index, std::vector<std::size_t>& under_way,
                  Variant& out) {
  const Value& table = variants.items[index];
  if (std::find(under_way.begin(), under_way.end(), index) != under_way.end()) {
    throw BadScenario(table.find("extends")->place,
                      join_path("variant", table.find("name")->text) + ".extends",
                      "variants extend each other in a circle");
  }
  under_way.push_back(index);
  if (const Value* extends = table.find("extends")) {
    std::vector<std::string_view> names;
    std::optional<std::size_t> parent;
    for (std::size_t i = 0; i < variants.items.size(); ++i) {
      names.push_back(variants.items[i].find("name")->text);
      if (names.back() == extends->text) parent = i;
    }
    if (!parent) {
      throw BadScenario(extends->place, join_path("variant", table.find("name")->text) + ".extends",
                        "there is no variant '" + extends->text + "'" + hint(extends->text, names));
    }
    collect_sets(variants, *parent, under_way, out);
  }
  if (const Value* set = table.find("set")) {
    for (auto& setting : settings_in(*set)) out.set.push_back(std::move(setting));
  }
}

std::vector<Variant> read_variants(const Value& section) {
  std::vector<Variant> variants;
  bool base_named = false;
  for (std::size_t i = 0; i < section.items.size(); ++i) {
    Variant variant{section.items[i].find("name")->text, {}};
    std::vector<std::size_t> under_way;
    collect_sets(section, i, under_way, variant);
    base_named = base_named || variant.set.empty();
    variants.push_back(std::move(variant));
  }
  const bool taken =
      std::any_of(variants.begin(), variants.end(), [](const Variant& v) { return v.name == kBaseVariant; });
  if (!base_named && !taken) variants.insert(variants.begin(), Variant{std::string(kBaseVariant), {}});
  return variants;
}

std::optional<std::size_t> find_variant(const std::vector<Variant>& variants, std::string_view name) {
  for (std::size_t i = 0; i < variants.size(); ++i) {
    if (variants[i].name == name) return i;
  }
  return std::nullopt;
}

std::size_t variant_index(const std::vector<Variant>& variants, const Value& name, const std::string& path) {
  if (const auto index = find_variant(variants, name.text)) return *index;
  std::vector<std::string_view> names;
  for (const Variant& v : variants) names.push_back(v.name);
  throw BadScenario(name.place, path, "there is no variant '" + name.text + "'" + hint(name.text, names));
}

std::optional<double> number_at(const Value& table, std::string_view key) {
  const Value* value = table.find(key);
  return value == nullptr ? std::nullopt : std::optional<double>(value->as_double());
}

/// Nothing is compared with itself: that would be judged nowhere, and hold for ever.
void check_versus(const Value& versus, const Expectation& e, std::size_t variants, const std::string& path) {
  if (variants == 1)
    throw BadScenario(versus.place, path,
                      "'" + versus.text + "' is the only variant: there is none to compare with it");
  if (std::find(e.variants.begin(), e.variants.end(), *e.versus) != e.variants.end())
    throw BadScenario(versus.place, path, "'" + versus.text + "' would be compared with itself");
}

void check_expectation(const Value& table, const Expectation& e, const std::string& path) {
  const bool bounds = e.equals || e.min || e.max || e.absent;
  const bool ratios = e.min_ratio || e.max_ratio;
  if (e.versus && !ratios) throw BadScenario(table.place, path, "versus needs min_ratio or max_ratio");
  if (ratios && !e.versus) throw BadScenario(table.place, path, "min_ratio and max_ratio need versus");
  if (ratios && bounds)
    throw BadScenario(table.place, path, "compares with versus, or with equals, min, max; not with both");
  if (!ratios && !bounds) throw BadScenario(table.place, path, "needs equals, min, max, absent or versus");
  if (e.equals && (e.min || e.max))
    throw BadScenario(table.find("equals")->place, path + ".equals", "goes without min and max");
  if (e.absent && (e.equals || e.min || e.max))
    throw BadScenario(table.find("absent")->place, path + ".absent", "goes without equals, min and max");
  if (e.min && e.max && *e.min > *e.max)
    throw BadScenario(table.find("min")->place, path + ".min", "is above max");
  if (e.per_point && e.at_least_seeds)
    throw BadScenario(table.place, path, "at_least_seeds counts trials: it does not go with per = \"point\"");
}

/// A group of the scenario, and a metric that groups have.
std::string group_of(const Value& name, const Value& base, const Expectation& e, const std::string& path) {
  std::vector<std::string_view> names;
  if (const Value* groups = base.find("groups"); groups != nullptr && groups->is_array()) {
    for (const Value& group : groups->items) {
      if (const Value* known = group.find("name"); known != nullptr && known->is_text())
        names.push_back(known->text);
    }
  }
  if (std::find(names.begin(), names.end(), name.text) == names.end())
    throw BadScenario(name.place, path, "there is no group '" + name.text + "'" + hint(name.text, names));
  for (const MetricSum::Term& term : e.metric.terms) {
    if (models::measured_by_group(static_cast<models::Metric>(term.metric))) continue;
    throw BadScenario(name.place, path,
                      std::string(models::metric_catalogue()[term.metric].name) +
                          " is measured for the whole run, not for each group");
  }
  return name.text;
}

Expectation read_expectation(const Value& table, const std::vector<Variant>& variants, const Value& base,
                             std::size_t index) {
  const std::string path = "expect." + std::to_string(index);
  Expectation e;
  e.name = table.find("name")->text;
  e.metric = read_metric_sum(*table.find("metric"), path + ".metric");
  if (const Value* group = table.find("group")) e.group = group_of(*group, base, e, path + ".group");
  e.equals = number_at(table, "equals");
  e.min = number_at(table, "min");
  e.max = number_at(table, "max");
  if (const Value* absent = table.find("absent")) e.absent = absent->boolean;
  e.min_ratio = number_at(table, "min_ratio");
  e.max_ratio = number_at(table, "max_ratio");
  if (const Value* per = table.find("per")) e.per_point = per->text == "point";
  if (const Value* names = table.find("variant")) {
    for (const Value& name : names->items)
      e.variants.push_back(variant_index(variants, name, path + ".variant"));
  }
  if (const Value* n = table.find("at_least_seeds"))
    e.at_least_seeds = static_cast<std::uint64_t>(n->integer);
  if (const Value* versus = table.find("versus"))
    e.versus = variant_index(variants, *versus, path + ".versus");
  if (const Value* where = table.find("where")) e.where = settings_in(*where);
  check_expectation(table, e, path);
  if (e.versus) check_versus(*table.find("versus"), e, variants.size(), path + ".versus");
  return e;
}

std::uint64_t count_at(const Value& value, std::string_view key, std::uint64_t low, std::uint64_t high) {
  if (!value.is(Value::Type::integer) || value.integer < 0 ||
      static_cast<std::uint64_t>(value.integer) < low || static_cast<std::uint64_t>(value.integer) > high) {
    throw BadScenario(value.place, "sweep." + std::string(key),
                      "must be an integer from " + std::to_string(low) + " to " + std::to_string(high) +
                          ", not " + to_toml(value));
  }
  return static_cast<std::uint64_t>(value.integer);
}

/// [sweep] first, then --axis, which replaces an axis of the same path; --set leaves no axis on its path. Returns
/// the axes of the file.
std::vector<Axis> read_sweep(const Value& section, const Overrides& overrides, Experiment& out) {
  out.trials = kDefaultTrials;
  for (const auto& [path, value] : paths_in(section)) {
    if (path.segments() == std::vector<std::string>{"trials"})
      out.trials = count_at(*value, "trials", 1, kMostTrials);
    else if (path.segments() == std::vector<std::string>{"seed"})
      out.first_seed = count_at(*value, "seed", 0, kMostSeed);
    else if (path.segments().size() == 1) {
      throw BadScenario(value->key_place, "sweep." + path.text(),
                        "is neither trials nor seed nor a path" +
                            hint(path.text(), std::vector<std::string_view>{"trials", "seed"}));
    } else {
      out.axes.push_back(read_axis(path, *value));
    }
  }
  std::vector<Axis> of_file = out.axes;
  const auto drop = [&](const Path& path) {
    out.axes.erase(
        std::remove_if(out.axes.begin(), out.axes.end(), [&](const Axis& a) { return a.path == path; }),
        out.axes.end());
  };
  if (overrides.without_axes) out.axes.clear();
  std::vector<Path> given;
  const auto give = [&](const Path& path, const std::string& option) {
    if (std::find(given.begin(), given.end(), path) != given.end())
      throw UsageError(option + " " + path.text() + ": this path is given a second time");
    given.push_back(path);
  };
  for (const std::string& text : overrides.sets) {
    const Place place = Place::option("--set " + text);
    const auto [path, value] = split_assignment(text, "--set");
    out.sets.emplace_back(Path::parse(path, place), parse_toml_value(value, place));
    give(out.sets.back().first, "--set");
    drop(out.sets.back().first);
  }
  for (const std::string& text : overrides.axes) {
    Axis axis = parse_axis(text);
    give(axis.path, "--axis");
    const auto same_path =
        std::find_if(out.axes.begin(), out.axes.end(), [&](const Axis& a) { return a.path == axis.path; });
    if (same_path != out.axes.end())
      *same_path = std::move(axis);
    else
      out.axes.push_back(std::move(axis));
  }
  out.trials = overrides.trials.value_or(out.trials);
  out.first_seed = overrides.first_seed.value_or(out.first_seed);
  if (out.trials == 0 || out.trials > kMostTrials)
    throw UsageError("--trials must be from 1 to " + std::to_string(kMostTrials));
  if (out.first_seed > kMostSeed) throw UsageError("--seed is too large");
  return of_file;
}

/// Leaves out the axes of which no expectation speaks.
void keep_judged_axes(Experiment& out) {
  std::erase_if(out.axes, [&](const Axis& axis) {
    return std::none_of(out.expectations.begin(), out.expectations.end(), [&](const Expectation& e) {
      return std::any_of(e.where.begin(), e.where.end(),
                         [&](const auto& at) { return at.first == axis.path; });
    });
  });
}

bool equal(const Value& a, const Value& b) {
  return same(a, b) || (a.is_numeric() && b.is_numeric() && a.as_double() == b.as_double());
}

/// Refuses a `where` that is true at no point: its expectation would never be judged, and hold for ever. The
/// file has to have such a point, or the options that add axes.
void check_where(const Experiment& e, std::vector<Axis> axes) {
  axes.insert(axes.end(), e.axes.begin(), e.axes.end());
  for (std::size_t i = 0; i < e.expectations.size(); ++i) {
    for (const auto& [path, wanted] : e.expectations[i].where) {
      const std::string key = "expect." + std::to_string(i) + ".where";
      bool swept = false, reached = false;
      for (const Axis& axis : axes) {
        if (axis.path != path) continue;
        swept = true;
        reached = reached || std::any_of(axis.values.begin(), axis.values.end(),
                                         [v = &wanted](const Value& at) { return equal(at, *v); });
      }
      const Value* fixed = look_up(e.base, path);
      if (!swept && fixed == nullptr)
        throw BadScenario(wanted.place, key, "there is no '" + path.text() + "'");
      if (swept && !reached) {
        throw BadScenario(wanted.place, key,
                          "the sweep has no point at which " + path.text() + " is " + to_toml(wanted));
      }
      if (!swept && !equal(*fixed, wanted)) {
        throw BadScenario(wanted.place, key,
                          path.text() + " is never " + to_toml(wanted) + ": it is " + to_toml(*fixed) +
                              ", and no axis of [sweep] changes it");
      }
    }
  }
}

/// A run id stands for what happens in a run: not for names and texts.
Value without_texts(const Value& checked) {
  Value out = checked;
  Value* scenario = out.find("scenario");
  for (const std::string_view key : {"name", "question", "about"}) scenario->erase(key);
  return out;
}

/// What only the connected parts can tell: whom a fault's target names, whether cables reach every host.
void check_world(const Resolved& resolved) {
  try {
    models::World(resolved.scenario, 1);
  } catch (const models::ScenarioError& error) {
    const Path path = Path::parse(error.path(), resolved.checked.place);
    throw BadScenario(place_of(resolved.checked, path), path.text(), error.message());
  }
}

Resolved bind_tree(const Value& tree, const std::string& directory) {
  const BindContext context{directory};
  Resolved out;
  out.checked = check_table(tree, scenario_format(), "");
  pin_replays(out.checked, context);
  out.scenario = bind_scenario(out.checked, context);
  check_coherence(out.checked, out.scenario);
  check_world(out);
  out.json = canonical_json(without_texts(out.checked));
  return out;
}

}  // namespace

std::size_t Experiment::variant_named(std::string_view wanted) const {
  if (const auto index = find_variant(variants, wanted)) return *index;
  std::vector<std::string_view> names;
  for (const Variant& v : variants) names.push_back(v.name);
  throw UsageError(file + ": there is no variant '" + std::string(wanted) + "'" + hint(wanted, names));
}

Experiment load_experiment(const std::string& file, const Overrides& overrides) {
  Experiment out;
  out.file = file;
  out.directory = directory_of(file);
  out.base = read_toml_file(file);
  flatten_configs(out.base);
  out.name = safe_name(out.base);
  const Value variants = take_section(out.base, "variant");
  const Value expectations = take_section(out.base, "expect");
  const Value sweep = take_section(out.base, "sweep");
  out.variants = read_variants(variants);
  const std::vector<Axis> axes_of_file = read_sweep(sweep, overrides, out);
  for (std::size_t i = 0; i < expectations.items.size(); ++i) {
    out.expectations.push_back(read_expectation(expectations.items[i], out.variants, out.base, i));
  }
  check_where(out, axes_of_file);
  if (overrides.judged_axes) keep_judged_axes(out);
  out.points = count_points(out.axes, kMostTrials / out.trials / out.variants.size());
  const Value* scenario = out.base.find("scenario");
  const Value* question = scenario == nullptr ? nullptr : scenario->find("question");
  if (question != nullptr) out.question = question->text;
  return out;
}

Resolved resolve(const Experiment& experiment, std::uint64_t point, std::size_t variant) {
  Value tree = experiment.base;
  for (const auto& [path, value] : experiment.variants[variant].set) assign(tree, path, value);
  for (const auto& [path, value] : experiment.sets) assign(tree, path, value);
  const std::vector<std::size_t> at = axis_indices(experiment.axes, point);
  for (std::size_t i = 0; i < at.size(); ++i)
    assign(tree, experiment.axes[i].path, experiment.axes[i].values[at[i]]);
  return bind_tree(tree, experiment.directory);
}

Resolved resolve_json(const std::string& json, const std::string& directory, const Place& place) {
  Value tree = parse_json(json, place);
  Value* scenario = tree.find("scenario");
  if (scenario == nullptr || !scenario->is_table())
    throw BadScenario(place, "", "is no record of a scenario");
  scenario->put("name", Value::of("replay"));
  return bind_tree(tree, directory);
}

Resolved resolve_toml(const std::string& text, const std::string& source_name) {
  Value tree = parse_toml(text, source_name);
  flatten_configs(tree);
  return bind_tree(tree, {});
}

std::string directory_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? std::string{} : slash == 0 ? "/" : file.substr(0, slash);
}

std::string run_id(const Resolved& resolved, std::uint64_t seed) {
  sim::Digest digest;
  digest.add_text("mqlab run");
  digest.add(models::kModelVersion);
  digest.add_text(resolved.json);
  digest.add(seed);
  return digest.hex().substr(0, 16);
}

bool applies_at(const Expectation& expectation, const Experiment& experiment, std::uint64_t point) {
  const std::vector<std::size_t> at = axis_indices(experiment.axes, point);
  for (const auto& [path, wanted] : expectation.where) {
    const Value* actual = look_up(experiment.base, path);
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (experiment.axes[i].path == path) actual = &experiment.axes[i].values[at[i]];
    }
    for (const auto& [set_path, value] : experiment.sets) {
      if (set_path == path) actual = &value;
    }
    if (actual == nullptr || !equal(*actual, wanted)) return false;
  }
  return true;
}

}  // namespace experiments
