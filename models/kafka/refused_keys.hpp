// Configuration keys that Kafka has and mqlab leaves out, beyond those that config.cpp gives with type and default: what a
// scenario asks for in vain is refused by name, with the reason, rather than taken for a misspelling.
//
// From Kafka's own definitions (KafkaConfig and the classes that it gathers, TopicConfig, ProducerConfig, ConsumerConfig;
// trunk of October 2024 and 4.x's documentation). A name that ends in * stands for all that begin so.
#pragma once

#include <span>
#include <string_view>

#include "models/kafka/config.hpp"

namespace models::kafka {

struct RefusedKeys {
  KeyScope scope;
  std::string_view reason;
  std::string_view names;  ///< separated by one blank
};
std::span<const RefusedKeys> refused_keys();

/// Calls visit(name, reason) for each name of the scope.
template <class Visit>
void for_each_refused(KeyScope scope, Visit&& visit) {
  for (const RefusedKeys& row : refused_keys()) {
    if (row.scope != scope) continue;
    for (std::string_view rest = row.names; !rest.empty();) {
      const std::size_t blank = rest.find(' ');
      visit(rest.substr(0, blank), row.reason);
      rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
    }
  }
}

/// Whether `name` is one of the keys that `listed` stands for.
inline bool stands_for(std::string_view listed, std::string_view name) {
  if (listed.empty() || listed.back() != '*') return listed == name;
  listed.remove_suffix(1);
  return name.size() > listed.size() && name.substr(0, listed.size()) == listed;
}

}  // namespace models::kafka
