#include "experiments/scenario/axes.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "experiments/errors.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

constexpr std::int64_t kMostSteps = 100'000;

/// One end of a range: a number and, if it is a text, its unit.
struct End {
  double number = 0;
  bool whole = false;
  std::string unit;
};

End read_end(const Value& value, const std::string& key) {
  if (value.is_numeric()) return {value.as_double(), value.is(Value::Type::integer), ""};
  if (value.is_text()) {
    const WithUnit parts = split_unit(value.text);
    if (!parts.number.empty()) {
      double number = 0;
      std::from_chars(parts.number.data(), parts.number.data() + parts.number.size(), number);
      return {number, parts.number.find('.') == std::string::npos, parts.unit};
    }
  }
  throw BadScenario(value.place, key, to_toml(value) + " is neither a number nor a number with a unit");
}

/// Twelve significant digits: the same value wherever it was computed, in spite of libm.
double settled(double x) {
  std::array<char, 64> buffer{};
  const auto [end, ec] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), x, std::chars_format::scientific, 11);
  double out = x;
  std::from_chars(buffer.data(), end, out);
  return out;
}

std::vector<Value> range_values(const Value& from, const Value& to, const Value& steps, bool log,
                                const std::string& key) {
  const End a = read_end(from, key);
  const End b = read_end(to, key);
  if (a.unit != b.unit) throw BadScenario(to.place, key, "both ends of a range have the same unit");
  if (!steps.is(Value::Type::integer) || steps.integer < 2 || steps.integer > kMostSteps) {
    throw BadScenario(steps.place, key, "steps is an integer from 2 to 100000, not " + to_toml(steps));
  }
  if (log && (a.number <= 0 || b.number <= 0))
    throw BadScenario(from.place, key, "a log range needs ends above 0");
  std::vector<double> numbers;
  std::set<double> rounded;
  for (std::int64_t i = 0; i < steps.integer; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(steps.integer - 1);
    const double x =
        log ? a.number * std::pow(b.number / a.number, share) : a.number + (b.number - a.number) * share;
    numbers.push_back(settled(x));
    rounded.insert(std::round(numbers.back()));
  }
  const bool whole = a.whole && b.whole && rounded.size() == numbers.size();
  std::vector<Value> values;
  for (const double x : numbers) {
    Value value;
    if (!a.unit.empty())
      value = Value::of(number_text(whole ? std::round(x) : x) + a.unit);
    else if (whole)
      value = Value::of(static_cast<std::int64_t>(std::round(x)));
    else
      value = Value::of(x);
    value.place = value.key_place = from.place;
    values.push_back(std::move(value));
  }
  return values;
}

/// Commas outside of quotes and brackets.
std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '[' || c == '{')) ++depth;
    if (!quoted && (c == ']' || c == '}')) --depth;
    if (c == ',' && depth == 0 && !quoted)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

/// "1..9/3" and not "../data.csv": a range begins with a number.
bool is_range(std::string_view spec) {
  const std::size_t dots = spec.find("..");
  return dots != std::string_view::npos && dots > 0 && !split_unit(spec.substr(0, dots)).number.empty();
}

/// FROM..TO/STEPS or FROM..TO/log/STEPS.
std::vector<Value> parse_range(std::string_view spec, const Place& place, const std::string& key) {
  const std::size_t dots = spec.find("..");
  const std::size_t slash = spec.rfind('/');
  std::string_view to = spec.substr(dots + 2, slash == std::string_view::npos ? slash : slash - dots - 2);
  constexpr std::string_view kLog = "/log";
  const bool log = to.size() > kLog.size() && to.substr(to.size() - kLog.size()) == kLog;
  if (slash == std::string_view::npos || slash < dots)
    throw BadScenario(place, key, "a range is FROM..TO/STEPS or FROM..TO/log/STEPS, with a number of steps");
  if (log) to.remove_suffix(kLog.size());
  return range_values(parse_toml_value(spec.substr(0, dots), place), parse_toml_value(to, place),
                      parse_toml_value(spec.substr(slash + 1), place), log, key);
}

void refuse_repeated(const Axis& axis) {
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (same(axis.values[i], axis.values[j])) {
        throw BadScenario(axis.values[i].place, axis.path.text(),
                          "has the value " + to_toml(axis.values[i]) + " twice");
      }
    }
    if (axis.values.size() > 1000) return;  // a range: distinct by construction
  }
}

}  // namespace

Axis parse_axis(std::string_view assignment) {
  const Place place = Place::option("--axis " + std::string(assignment));
  const auto [path_text, spec] = split_assignment(assignment, "--axis");
  Axis axis{Path::parse(path_text, place), {}};
  if (is_range(spec)) {
    axis.values = parse_range(spec, place, path_text);
  } else {
    for (const std::string& part : split_commas(spec)) {
      if (part.empty()) throw BadScenario(place, path_text, "one of the values is empty");
      axis.values.push_back(parse_toml_value(part, place));
    }
  }
  refuse_repeated(axis);
  return axis;
}

Axis read_axis(Path path, const Value& value) {
  Axis axis{std::move(path), {}};
  const std::string key = axis.path.text();
  if (value.is_array()) {
    axis.values = value.items;
    if (axis.values.empty()) throw BadScenario(value.place, key, "an axis needs at least one value");
  } else if (value.is_table() && value.find("from") != nullptr) {
    for (const auto& [name, member] : value.members) {
      if (name != "from" && name != "to" && name != "steps" && name != "scale") {
        throw BadScenario(member.key_place, key + "." + name, "a range has from, to, steps and scale");
      }
    }
    const Value* to = value.find("to");
    const Value* steps = value.find("steps");
    const Value* scale = value.find("scale");
    if (to == nullptr || steps == nullptr)
      throw BadScenario(value.place, key, "a range needs from, to and steps");
    if (scale != nullptr && !(scale->is_text() && (scale->text == "log" || scale->text == "linear"))) {
      throw BadScenario(scale->place, key + ".scale", to_toml(*scale) + " is neither \"linear\" nor \"log\"");
    }
    axis.values =
        range_values(*value.find("from"), *to, *steps, scale != nullptr && scale->text == "log", key);
  } else {
    throw BadScenario(
        value.place, key,
        "an axis is a list of values or { from, to, steps }, not " + std::string(type_name(value.type)));
  }
  refuse_repeated(axis);
  return axis;
}

std::vector<std::size_t> axis_indices(const std::vector<Axis>& axes, std::uint64_t point) {
  std::vector<std::size_t> indices(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    indices[i] = static_cast<std::size_t>(point % axes[i].values.size());
    point /= axes[i].values.size();
  }
  return indices;
}

std::uint64_t count_points(const std::vector<Axis>& axes, std::uint64_t most) {
  std::uint64_t points = 1;
  for (const Axis& axis : axes) {
    points *= axis.values.size();
    if (points > most) {
      throw BadScenario(axis.values.front().place, axis.path.text(),
                        "makes more than " + std::to_string(most) + " points");
    }
  }
  return points;
}

}  // namespace experiments
