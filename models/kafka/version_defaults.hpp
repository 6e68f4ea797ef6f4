// Defaults that were others in earlier versions of Kafka: `[kafka] version` selects them for settings that a scenario does
// not give.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "models/kafka/config.hpp"
#include "models/kafka/protocol_rules.hpp"

namespace models::kafka {

/// Before that version the setting's default was this.
struct EarlierDefault {
  KeyScope scope;
  std::string_view key;
  Version before;
  std::string_view value;
  std::string_view source;  ///< KIP or issue
};
/// Of several for one setting the oldest comes last.
std::span<const EarlierDefault> earlier_defaults();

/// Since that version the setting is at least this; before it the key's own bound holds.
struct RaisedMinimum {
  KeyScope scope;
  std::string_view key;
  Version since;
  std::int64_t least;
  std::string_view source;  ///< KIP or issue
};
std::span<const RaisedMinimum> raised_minima();

}  // namespace models::kafka
