#include "experiments/scenario/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "experiments/errors.hpp"
#include "experiments/scenario/value.hpp"
#include "models/near_miss.hpp"

namespace experiments {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::array kTimeUnits{Unit{"ns", 1},
                                Unit{"us", 1'000},
                                Unit{"ms", 1'000'000},
                                Unit{"s", kSecond},
                                Unit{"min", 60 * kSecond},
                                Unit{"h", 3600 * kSecond},
                                Unit{"d", 86400 * kSecond}};
constexpr std::array kSizeUnits{Unit{"B", 1},
                                Unit{"kB", 1'000},
                                Unit{"MB", 1'000'000},
                                Unit{"GB", 1'000'000'000},
                                Unit{"TB", 1'000'000'000'000},
                                Unit{"KiB", std::int64_t{1} << 10U},
                                Unit{"MiB", std::int64_t{1} << 20U},
                                Unit{"GiB", std::int64_t{1} << 30U},
                                Unit{"TiB", std::int64_t{1} << 40U}};
constexpr std::array kBandwidthUnits{Unit{"bit/s", 1},
                                     Unit{"kbit/s", 1'000},
                                     Unit{"Mbit/s", 1'000'000},
                                     Unit{"Gbit/s", 1'000'000'000},
                                     Unit{"B/s", 8},
                                     Unit{"kB/s", 8'000},
                                     Unit{"MB/s", 8'000'000},
                                     Unit{"GB/s", 8'000'000'000},
                                     Unit{"KiB/s", std::int64_t{8} << 10U},
                                     Unit{"MiB/s", std::int64_t{8} << 20U},
                                     Unit{"GiB/s", std::int64_t{8} << 30U}};
constexpr std::int64_t kHundredYears = 3'155'760'000 * kSecond;
constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

std::string listed(std::span<const Unit> units) {
  std::string out;
  for (const Unit& u : units) out += (out.empty() ? "" : ", ") + std::string(u.name);
  return out;
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

const Unit& find_unit(std::string_view whole, std::string_view name, std::span<const Unit> units,
                      std::string_view what) {
  std::vector<std::string_view> names;
  for (const Unit& u : units) {
    if (u.name == name) return u;
    names.push_back(u.name);
  }
  if (name.empty()) throw BadValue(in_quotes(whole) + " needs a unit: " + listed(units));
  throw BadValue(in_quotes(whole) + " is no " + std::string(what) + ": " + in_quotes(name) + " is none of " +
                 listed(units));
}

/// number * factor, exactly: digits are added one by one, so that "1.5" * 1000 is 1500 and 0.3 * 1 is
/// refused.
std::int64_t exact(std::string_view whole, std::string_view number, std::int64_t factor, std::int64_t most,
                   std::string_view smallest) {
  const std::size_t point = number.find('.');
  const std::string_view before = number.substr(0, point);
  const std::string_view after =
      point == std::string_view::npos ? std::string_view{} : number.substr(point + 1);
  __extension__ using Wide = __int128;
  Wide total = 0;
  for (const char c : before) {
    total = total * 10 + (c - '0');
    if (total > most) throw BadValue(in_quotes(whole) + " is too large");
  }
  total *= factor;
  Wide part = factor;
  for (const char c : after) {
    const Wide digit = c - '0';
    if (part % 10 != 0 && digit * part % 10 != 0) {
      throw BadValue(in_quotes(whole) + " is not a whole number of " + std::string(smallest));
    }
    total += digit * part / 10;
    part /= 10;
    if (part == 0 && digit != 0)
      throw BadValue(in_quotes(whole) + " is not a whole number of " + std::string(smallest));
  }
  if (total > most) throw BadValue(in_quotes(whole) + " is too large");
  return static_cast<std::int64_t>(total);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::int64_t parse_exact(std::string_view text, std::span<const Unit> units, std::string_view what,
                         std::int64_t most, std::string_view smallest) {
  const WithUnit parts = split_unit(text);
  if (parts.number.empty())
    throw BadValue(in_quotes(text) + " is no " + std::string(what) + ": write a number and " + listed(units));
  if (parts.number.front() == '-') throw BadValue(in_quotes(text) + " is negative");
  const Unit& unit = find_unit(text, parts.unit, units, what);
  return exact(text, parts.number, unit.factor, most, smallest);
}

}  // namespace

WithUnit split_unit(std::string_view text) {
  std::size_t i = 0;
  const std::size_t n = text.size();
  if (i < n && text[i] == '-') ++i;
  const std::size_t digits = i;
  while (i < n && is_digit(text[i])) ++i;
  if (i == digits) return {};
  if (i + 1 < n && text[i] == '.' && is_digit(text[i + 1])) {
    ++i;
    while (i < n && is_digit(text[i])) ++i;
  }
  std::size_t unit = i;
  while (unit < n && text[unit] == ' ') ++unit;
  return {std::string(text.substr(0, i)), std::string(text.substr(unit))};
}

sim::Duration parse_duration(std::string_view text) {
  return sim::Duration{parse_exact(text, kTimeUnits, "duration", kHundredYears, "nanoseconds")};
}

sim::Duration duration_option(std::string_view option, std::string_view text) {
  try {
    return parse_duration(text);
  } catch (const BadValue& error) {
    throw UsageError(std::string(option) + ": " + error.what());
  }
}

std::int64_t parse_size(std::string_view text) {
  return parse_exact(text, kSizeUnits, "size", kInt64Max, "bytes");
}

std::int64_t parse_bandwidth(std::string_view text) {
  const std::int64_t bits = parse_exact(text, kBandwidthUnits, "bandwidth", kInt64Max, "bits per second");
  if (bits == 0) throw BadValue(in_quotes(text) + ": a bandwidth is above zero");
  return bits;
}

double parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  const WithUnit count = split_unit(text.substr(0, slash));
  if (slash == std::string_view::npos || count.number.empty() || !count.unit.empty()) {
    throw BadValue(in_quotes(text) +
                   " is no rate: write a number, a slash and a time, as in 1/10min or 500/s");
  }
  std::string per(text.substr(slash + 1));
  if (!per.empty() && !is_digit(per.front())) per = "1" + per;
  const sim::Duration span = parse_duration(per);
  double number = 0;
  std::from_chars(count.number.data(), count.number.data() + count.number.size(), number);
  if (!(number > 0) || span.count() == 0) throw BadValue(in_quotes(text) + ": a rate is above zero");
  return number * 1e9 / static_cast<double>(span.count());
}

double parse_percent(std::string_view text) {
  const WithUnit parts = split_unit(text);
  if (parts.number.empty() || parts.unit != "%") {
    throw BadValue(in_quotes(text) + " is no share: write a number from 0 to 1, or a percentage as in 0.1%");
  }
  double number = 0;
  std::from_chars(parts.number.data(), parts.number.data() + parts.number.size(), number);
  return number / 100;
}

std::string duration_text(sim::Duration d) {
  const std::int64_t ns = d.count();
  for (std::size_t i = 4; i-- > 1;) {
    if (ns % kTimeUnits[i].factor == 0) {
      return std::to_string(ns / kTimeUnits[i].factor) + std::string(kTimeUnits[i].name);
    }
  }
  return std::to_string(ns) + "ns";
}

std::string size_text(std::int64_t bytes) {
  return std::to_string(bytes) + "B";
}

}  // namespace experiments
