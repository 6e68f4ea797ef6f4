#include "models/schema/compatibility.hpp"

#include <algorithm>
#include <array>

namespace models::schema {
namespace {

struct Level {
  std::string_view name;
  bool backward;
  bool forward;
  bool transitive;
};

constexpr std::array kLevels{
    Level{"NONE", false, false, false},
    Level{"BACKWARD", true, false, false},
    Level{"BACKWARD_TRANSITIVE", true, false, true},
    Level{"FORWARD", false, true, false},
    Level{"FORWARD_TRANSITIVE", false, true, true},
    Level{"FULL", true, true, false},
    Level{"FULL_TRANSITIVE", true, true, true},
};

}  // namespace

std::vector<std::string_view> compatibility_names() {
  std::vector<std::string_view> names;
  for (const Level& level : kLevels) names.push_back(level.name);
  return names;
}

std::optional<Compatibility> parse_compatibility(std::string_view name) {
  const auto at =
      std::find_if(kLevels.begin(), kLevels.end(), [name](const Level& l) { return l.name == name; });
  if (at == kLevels.end()) return std::nullopt;
  return static_cast<Compatibility>(at - kLevels.begin());
}

std::optional<Conflict> conflict(Compatibility level, std::span<const Schema* const> registered,
                                 const Schema& candidate) {
  const Level& rules = kLevels[static_cast<std::size_t>(level)];
  if (registered.empty() || (!rules.backward && !rules.forward)) return std::nullopt;
  const std::size_t last = registered.size() - 1;
  // From the newest on, as CompatibilityChecker.isCompatible does.
  for (std::size_t v = last + 1; v-- > (rules.transitive ? 0 : last);) {
    const Schema& other = *registered[v];
    if (rules.backward) {
      if (const Resolution found = resolve(candidate, other); found != Resolution::resolves)
        return Conflict{v, true, found};
    }
    if (rules.forward) {
      if (const Resolution found = resolve(other, candidate); found != Resolution::resolves)
        return Conflict{v, false, found};
    }
  }
  return std::nullopt;
}

}  // namespace models::schema
