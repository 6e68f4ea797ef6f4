// The scenario format as data: every key once, with its type, bounds, default and meaning.
//
// The same rows refuse what is wrong (check.hpp), say how a checked value becomes a field of models::Scenario
// (bind.cpp), and print the JSON Schema and `mqlab list keys`, so that these cannot disagree. To add a key:
// one row in key_tables.cpp or event_tables.cpp.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/scenario/value.hpp"
#include "models/kafka/config.hpp"
#include "models/scenario.hpp"

namespace experiments {

enum class KeyType : std::uint8_t {
  text,   ///< words for people; not part of what a run is
  name,   ///< a text that names something: not empty, no control characters
  names,  ///< a list of names, or one
  boolean,
  integer,
  number,
  share,  ///< a number from 0 to 1, or a percentage
  duration,
  size,
  bandwidth,
  rate,          ///< a number of events per second, or "1/10min"
  choice,        ///< one of the row's choices
  numbers,       ///< a list of integers
  number_lists,  ///< a list of lists of integers
  scalar,        ///< a boolean, number or text whose meaning others know
  distribution,  ///< of durations, sizes or ranks, see Draws
  arrivals,
  keys,    ///< a distribution of ranks and what keys look like
  config,  ///< a broker's own settings, see scope
  table,
  tables,   ///< an array of tables
  paths,    ///< a table whose keys are paths
  refused,  ///< the broker has it, mqlab does not; `about` says so
};

enum class Draws : std::uint8_t { durations, sizes, ranks };

struct Section;

/// One key. Text members are literals.
struct Key {
  std::string_view name;
  KeyType type = KeyType::text;
  std::string_view about = {};
  std::string_view default_value = {};  ///< as a scenario would write it; empty: none
  bool required = false;
  double low = -std::numeric_limits<double>::infinity();  ///< of integer, number
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string_view> choices = {};
  Draws draws = Draws::durations;
  models::kafka::KeyScope scope = models::kafka::KeyScope::broker;
  const Section* section = nullptr;  ///< of table, tables
};

struct Section {
  std::string_view about = {};
  std::vector<Key> keys;
};

/// What binding needs beside the tree.
struct BindContext {
  std::string directory;  ///< of the scenario file, for the data files that it names
};

/// A key and what becomes of its checked value.
template <class Target>
struct Row {
  Key key;
  void (*bind)(const Value& value, Target& target, const BindContext& context);
};

template <class Target>
Section section_of(std::string_view about, const std::vector<Row<Target>>& rows) {
  Section section{about, {}};
  for (const Row<Target>& row : rows) section.keys.push_back(row.key);
  return section;
}

/// Hands every member of a checked table to its row.
template <class Target>
void bind_rows(const Value& table, const std::vector<Row<Target>>& rows, Target& target,
               const BindContext& context) {
  for (const Row<Target>& row : rows) {
    if (const Value* value = table.find(row.key.name)) row.bind(*value, target, context);
  }
}

/// The whole file, as a section whose keys are the sections.
const Section& scenario_format();

}  // namespace experiments
