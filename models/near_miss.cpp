#include "models/near_miss.hpp"

#include <algorithm>
#include <vector>

namespace models {
namespace {

/// Levenshtein distance with swaps of neighbours counted as one edit.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

std::string without_digits(std::string_view word) {
  std::string text(word);
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> allowed) {
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const std::string_view candidate : allowed) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> allowed) {
  const std::string_view near = word.empty() ? std::string_view{} : nearest(word, allowed);
  // Another number is no slip of the pen: kafka/3 of three brokers, version 5.0.
  const bool other_number = !near.empty() && without_digits(near) == without_digits(word);
  if (!near.empty() && !other_number) return "; did you mean '" + std::string(near) + "'?";
  constexpr std::size_t kMostListed = 40;  // more than that is no help in a message
  const auto fits = [&](std::string_view a) {
    return !other_number || without_digits(a) == without_digits(word);
  };
  if (static_cast<std::size_t>(std::count_if(allowed.begin(), allowed.end(), fits)) > kMostListed)
    return other_number ? "; did you mean '" + std::string(near) + "'?" : std::string{};
  std::string listed;
  for (const std::string_view a : allowed) {
    if (!fits(a)) continue;
    listed += (listed.empty() ? "; allowed: " : ", ") + std::string(a);
  }
  return listed;
}

}  // namespace models
