// What several tables of keys are made with.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/keys.hpp"

namespace experiments {

/// Of a key whose bounds fit into it.
template <class Int>
Int whole(const Value& v) {
  return static_cast<Int>(v.integer);
}

inline sim::Distribution durations(const Value& v) {
  return make_distribution(v, Draws::durations);
}

inline std::vector<std::string> names(const Value& v) {
  std::vector<std::string> out;
  for (const Value& item : v.items) out.push_back(item.text);
  return out;
}

/// A key that people read and no run depends on.
template <class Target>
Row<Target> unbound(Key key) {
  return {std::move(key), [](const Value&, Target&, const BindContext&) {}};
}

inline Key config_key(std::string_view about, models::kafka::KeyScope scope) {
  Key key{"config", KeyType::config, about};
  key.scope = scope;
  return key;
}

inline Key draw_key(std::string_view name, std::string_view about, std::string_view default_value,
                    Draws draws) {
  Key key{name, KeyType::distribution, about, default_value};
  key.draws = draws;
  return key;
}

inline Key choice_key(std::string_view name, std::string_view about, std::string_view default_value,
                      std::vector<std::string_view> choices) {
  Key key{name, KeyType::choice, about, default_value};
  key.choices = std::move(choices);
  return key;
}

inline Key table_key(std::string_view name, std::string_view about, const Section& section) {
  Key key{name, KeyType::table, about};
  key.section = &section;
  return key;
}

inline Key tables(std::string_view name, std::string_view about, const Section& section) {
  Key key{name, KeyType::tables, about};
  key.section = &section;
  return key;
}

}  // namespace experiments
