#include "models/kafka/iso_duration.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>

namespace models::kafka {
namespace {

/// Takes "5" of "5M…" and the letter; nothing where there is no number. `nanos`: of seconds, which may have a fraction.
bool take_part(std::string_view& text, char& unit, std::int64_t& whole, std::int64_t& nanos) {
  const char* const end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, whole);
  if (ec != std::errc{} || at == end || whole < 0) return false;
  const char* next = at;
  nanos = 0;
  if (*next == '.') {
    std::int64_t unit_of_digit = 100'000'000;
    for (++next; next != end && *next >= '0' && *next <= '9'; ++next, unit_of_digit /= 10)
      nanos += (*next - '0') * unit_of_digit;
  }
  if (next == end || (*at == '.' && *next != 'S')) return false;
  unit = *next;
  text.remove_prefix(static_cast<std::size_t>(next + 1 - text.data()));
  return true;
}

}  // namespace

std::optional<sim::Duration> iso_duration(std::string_view text) {
  struct Unit {
    char letter;
    bool of_time;
    std::int64_t seconds;
  };
  constexpr std::array<Unit, 4> kUnits{Unit{'D', false, 86'400}, Unit{'H', true, 3'600}, Unit{'M', true, 60},
                                       Unit{'S', true, 1}};
  constexpr std::int64_t kMostSeconds = 9'000'000'000;
  if (text.size() < 3 || text.front() != 'P') return std::nullopt;
  text.remove_prefix(1);
  std::int64_t seconds = 0, nanos = 0;
  std::size_t from = 0;
  bool time = false;
  while (!text.empty()) {
    if (!time && text.front() == 'T') {
      time = true;
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
      continue;
    }
    char letter = 0;
    std::int64_t whole = 0;
    if (!take_part(text, letter, whole, nanos)) return std::nullopt;
    while (from < kUnits.size() && kUnits[from].letter != letter) ++from;
    if (from == kUnits.size() || kUnits[from].of_time != time || whole > kMostSeconds / kUnits[from].seconds)
      return std::nullopt;
    seconds += whole * kUnits[from++].seconds;
  }
  if (seconds > kMostSeconds) return std::nullopt;
  return std::chrono::seconds{seconds} + sim::Duration{nanos};
}

}  // namespace models::kafka
