// What several tables of keys are made with.
#pragma once

#include <string_view>

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

inline Key tables(std::string_view name, std::string_view about, const Section& section) {
  Key key{name, KeyType::tables, about};
  key.section = &section;
  return key;
}

}  // namespace experiments
