// Paths: how options, axes and variants name one value of a scenario.
//
//   producers.shop.arrivals.rate
//   groups.billing.config.session.timeout.ms      what follows "config." is one key
//   kafka.topics."orders.v1".partitions           an element of an array is its name, in quotes if that holds
//   a dot kafka.racks.0                                 an element without a name is its number
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/scenario/value.hpp"

namespace experiments {

class Path {
 public:
  /// Throws BadScenario at `place` when `text` is no path.
  static Path parse(std::string_view text, const Place& place);
  explicit Path(std::vector<std::string> segments) : segments_(std::move(segments)) {}

  const std::vector<std::string>& segments() const { return segments_; }
  /// The one spelling of the path, with quotes where they are needed.
  std::string text() const;
  bool operator==(const Path&) const = default;

 private:
  std::vector<std::string> segments_;
};

/// `parent`.`segment`, the segment in quotes if need be.
std::string join_path(std::string_view parent, std::string_view segment);

/// "PATH=VALUE" cut at the first equals sign outside of quotes. Throws UsageError, naming `option`, when
/// there is none.
std::pair<std::string, std::string> split_assignment(std::string_view text, std::string_view option);

/// The value at `path`, or null.
const Value* look_up(const Value& root, const Path& path);
/// Where an error about `path` belongs: the value, or the nearest table around it that exists.
Place place_of(const Value& root, const Path& path);

/// Puts `value` at `path`; tables on the way are made, elements of arrays must exist. What selects or judges
/// runs ([sweep], [[variant]], [[expect]], the scenario's name) has no path. Throws BadScenario at
/// value.place.
void assign(Value& root, const Path& path, Value value);

/// Joins the dotted keys of every `config` table into single keys. The same key given in two spellings is an
/// error.
void flatten_configs(Value& root);

/// The leaves of a table whose keys are paths ([sweep], `set`), in order: dotted and quoted spellings are
/// equal; an inline table is a value.
std::vector<std::pair<Path, const Value*>> paths_in(const Value& table);

}  // namespace experiments
