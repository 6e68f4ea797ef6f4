// The shape of a catalogue row: what `mqlab list` prints of a distribution or an arrival process.
#pragma once

#include <span>
#include <string_view>

namespace sim {

struct ParameterInfo {
  std::string_view name;  ///< the key in a scenario
  /// "value": that of the drawn quantity; "1": a plain number; "1/s"; "duration"; "list of …".
  std::string_view unit;
  std::string_view default_value;  ///< empty: must be given
  std::string_view doc;
};

struct CatalogueEntry {
  std::string_view name;
  std::string_view doc;  ///< one line
  std::span<const ParameterInfo> parameters;
};

}  // namespace sim
