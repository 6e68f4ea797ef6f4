// Reading a replay's timestamps; declared in sim/arrivals.hpp.
#include <algorithm>

#include "sim/arrivals.hpp"
#include "sim/wide.hpp"

namespace sim {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool blank(char c) {
  return c == ' ' || c == '\t';
}

/// One line of the text, read from the left.
class LineReader {
 public:
  LineReader(std::string_view line, std::size_t number, Duration unit)
      : line_(line), number_(number), unit_(unit) {}

  Time read() {
    while (at_ < line_.size() && blank(line_[at_])) ++at_;
    const bool quoted = at_ < line_.size() && line_[at_] == '"';
    if (quoted) ++at_;
    const std::int64_t time_ns = number();
    if (quoted && (at_ == line_.size() || line_[at_++] != '"')) fail("a quote is not closed");
    while (at_ < line_.size() && blank(line_[at_])) ++at_;
    if (at_ < line_.size() && line_[at_] != ',')
      fail("a time must be a decimal number, alone in the first column");
    return Time{Duration{time_ns}};
  }

  [[noreturn]] void fail(const std::string& what) const {
    const std::string place = "line " + std::to_string(number_) + ", column " + std::to_string(at_ + 1);
    throw TimestampError(place + ": " + what, number_, at_ + 1);
  }

 private:
  /// Digits with an optional fraction, times the unit, in integers throughout.
  std::int64_t number() {
    if (at_ < line_.size() && line_[at_] == '-') fail("a time must not be negative");
    if (at_ == line_.size() || !digit(line_[at_])) fail("a time must be a decimal number");
    WideSum total = 0;
    for (; at_ < line_.size() && digit(line_[at_]); ++at_) {
      total = total * 10 + static_cast<WideSum>(line_[at_] - '0') * unit_.count();
      if (total > nanoseconds(kNever) / 2) fail("a time must be less than 146 years");
    }
    if (at_ < line_.size() && line_[at_] == '.') {
      ++at_;
      WideSum scale = 1;
      WideSum fraction = 0;
      for (; at_ < line_.size() && digit(line_[at_]); ++at_) {
        if (scale > 1'000'000'000'000'000'000) continue;
        fraction = fraction * 10 + (line_[at_] - '0');
        scale *= 10;
      }
      total += fraction * unit_.count() / scale;
    }
    return static_cast<std::int64_t>(total);
  }

  std::string_view line_;
  std::size_t number_;
  std::size_t at_ = 0;
  Duration unit_;
};

bool is_header(std::string_view line) {
  const auto letter = std::find_if(line.begin(), line.end(), [](char c) { return !blank(c) && c != '"'; });
  return letter != line.end() && ((*letter >= 'a' && *letter <= 'z') || (*letter >= 'A' && *letter <= 'Z'));
}

}  // namespace

std::vector<Time> parse_timestamps(std::string_view csv, Duration unit) {
  if (unit.count() <= 0) throw std::invalid_argument("unit must be above 0");
  std::vector<Time> times;
  if (csv.substr(0, 3) == "\xEF\xBB\xBF") csv.remove_prefix(3);
  bool header_possible = true;
  for (std::size_t number = 1; !csv.empty(); ++number) {
    const std::size_t end = csv.find('\n');
    std::string_view line = csv.substr(0, end);
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (std::all_of(line.begin(), line.end(), blank) || line.front() == '#') continue;
    const bool header = header_possible && is_header(line);
    header_possible = false;
    if (header) continue;
    LineReader reader(line, number, unit);
    const Time time = reader.read();
    if (!times.empty() && time < times.back()) {
      throw TimestampError(
          "line " + std::to_string(number) + ", column 1: a time must not be before the one above it", number,
          1);
    }
    times.push_back(time);
  }
  return times;
}

}  // namespace sim
