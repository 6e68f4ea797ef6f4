// What a schema registry promises of a subject's versions: which of them can read what others have written.
//
// The levels of Confluent's Schema Registry (CompatibilityLevel, CompatibilityChecker): BACKWARD: the new schema reads what the
// last one wrote; FORWARD: the last one reads what the new one writes; FULL: both; _TRANSITIVE: the same with every version
// before, not the last alone. BACKWARD is the default: readers are upgraded first; with FORWARD writers are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/schema/schema.hpp"

namespace models::schema {

enum class Compatibility : std::uint8_t {
  none,
  backward,
  backward_transitive,
  forward,
  forward_transitive,
  full,
  full_transitive,
};

/// In the order of the enumeration, by the registry's names.
std::vector<std::string_view> compatibility_names();
std::optional<Compatibility> parse_compatibility(std::string_view name);

/// Why a version is refused: one pair that the level promises and that does not resolve.
struct Conflict {
  std::size_t version = 0;  ///< which of the registered ones
  bool candidate_reads =
      false;  ///< the new one does not read what that one wrote; false: the other way round
  Resolution resolution = Resolution::resolves;
};

/// Whether `candidate` may come after `registered`, which are in their order; nothing: it may.
std::optional<Conflict> conflict(Compatibility level, std::span<const Schema* const> registered,
                                 const Schema& candidate);

}  // namespace models::schema
