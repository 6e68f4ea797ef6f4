// Defaults that were others in earlier versions of Kafka: `[kafka] version` selects them for settings that a scenario does
// not give.
#pragma once

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

}  // namespace models::kafka
