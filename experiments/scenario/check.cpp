#include "experiments/scenario/check.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "experiments/errors.hpp"
#include "experiments/scenario/draws.hpp"
#include "experiments/scenario/kafka_keys.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/units.hpp"
#include "models/near_miss.hpp"

namespace experiments {
namespace {

/// The settings of this table are those of the client that it names.
Key as_of_client(const Key& key, const Value& table) {
  const Value* client = key.type == KeyType::config ? table.find("client") : nullptr;
  Key own = key;
  if (client == nullptr || !client->is_text() || client->text != "librdkafka") return own;
  own.scope = key.scope == models::kafka::KeyScope::producer ? models::kafka::KeyScope::librdkafka_producer
                                                             : models::kafka::KeyScope::librdkafka_consumer;
  return own;
}

/// A value of the same place as `old`.
Value in_place_of(const Value& old, Value made) {
  made.place = old.place;
  made.key_place = old.key_place;
  return made;
}

[[noreturn]] void wrong_type(const Value& value, const std::string& path, std::string_view wanted) {
  throw BadScenario(value.place, path,
                    "must be " + std::string(wanted) + ", not " + std::string(type_name(value.type)) +
                        (value.is_table() || value.is_array() ? "" : " (" + to_toml(value) + ")"));
}

std::string bounds(const Key& key) {
  const bool below = std::isfinite(key.low);
  const bool above = std::isfinite(key.high);
  if (below && above) return "from " + number_text(key.low) + " to " + number_text(key.high);
  return below ? "at least " + number_text(key.low) : "at most " + number_text(key.high);
}

Value check_number(const Value& value, const Key& key, const std::string& path) {
  const bool whole = key.type == KeyType::integer;
  if (whole ? !value.is(Value::Type::integer) : !value.is_numeric())
    wrong_type(value, path, whole ? "an integer" : "a number");
  const double x = value.as_double();
  if (!std::isfinite(x)) throw BadScenario(value.place, path, "must be finite");
  if (x < key.low || x > key.high)
    throw BadScenario(value.place, path, to_toml(value) + " must be " + bounds(key));
  return whole ? value : in_place_of(value, Value::of(x));
}

/// Runs a parser of units and puts file and key to what it says.
template <class Parse>
auto parsed(const Value& value, const std::string& path, Parse parse) {
  try {
    return parse(value.text);
  } catch (const BadValue& bad) {
    throw BadScenario(value.place, path, bad.what());
  }
}

Value check_unit(const Value& value, const Key& key, const std::string& path) {
  switch (key.type) {
    case KeyType::duration:
      if (!value.is_text()) wrong_type(value, path, "a duration in quotes, as in \"45s\"");
      return in_place_of(value, Value::of(duration_text(parsed(value, path, parse_duration))));
    case KeyType::size:
      if (!value.is_text()) wrong_type(value, path, "a size in quotes, as in \"16KiB\"");
      return in_place_of(value, Value::of(size_text(parsed(value, path, parse_size))));
    case KeyType::bandwidth:
      if (!value.is_text()) wrong_type(value, path, "a bandwidth in quotes, as in \"1Gbit/s\"");
      return in_place_of(value, Value::of(std::to_string(parsed(value, path, parse_bandwidth)) + "bit/s"));
    case KeyType::rate: {
      if (!value.is_text() && !value.is_numeric())
        wrong_type(value, path, "a number per second, or a rate as in \"1/10min\"");
      const double rate = value.is_text() ? parsed(value, path, parse_rate) : value.as_double();
      if (!(rate > 0) || !std::isfinite(rate))
        throw BadScenario(value.place, path, "must be above 0 and finite");
      return in_place_of(value, Value::of(rate));
    }
    default: {
      if (!value.is_text() && !value.is_numeric())
        wrong_type(value, path, "a number from 0 to 1, or a percentage as in \"0.1%\"");
      const double share = value.is_text() ? parsed(value, path, parse_percent) : value.as_double();
      if (!(share >= 0 && share <= 1))
        throw BadScenario(value.place, path, to_toml(value) + " must be from 0 to 1");
      return in_place_of(value, Value::of(share));
    }
  }
}

Value check_name(const Value& value, const std::string& path) {
  if (!value.is_text()) wrong_type(value, path, "a text");
  if (value.text.empty()) throw BadScenario(value.place, path, "must not be empty");
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; };
  if (std::any_of(value.text.begin(), value.text.end(), control)) {
    throw BadScenario(value.place, path, "a name holds no control characters");
  }
  if (value.text.size() > 249) throw BadScenario(value.place, path, "a name has at most 249 characters");
  return value;
}

Value check_names(const Value& value, const std::string& path) {
  Value list = Value::array_at(value.place);
  list.key_place = value.key_place;
  if (value.is_text())
    list.items.push_back(value);
  else if (value.is_array())
    list.items = value.items;
  else
    wrong_type(value, path, "a list of names");
  for (std::size_t i = 0; i < list.items.size(); ++i)
    check_name(list.items[i], path + "." + std::to_string(i));
  return list;
}

/// The only choice that is written like this number, as far as numbers tell: 4.3 is "4.3", 0.1 "0.10", and 1 is not "1ms".
std::string_view choice_of(double number, const Key& key) {
  std::string_view found;
  for (const std::string_view choice : key.choices) {
    double read = 0;
    const auto [end, error] = std::from_chars(choice.data(), choice.data() + choice.size(), read);
    if (error != std::errc{} || end != choice.data() + choice.size() || read != number) continue;
    if (!found.empty()) return {};
    found = choice;
  }
  return found;
}

Value check_choice(const Value& value, const Key& key, const std::string& path) {
  if (value.is_numeric()) {
    // `version = 4.3`, which --set takes for a number, too.
    if (const std::string_view choice = choice_of(value.as_double(), key); !choice.empty())
      return in_place_of(value, Value::of(std::string(choice)));
    throw BadScenario(
        value.place, path,
        "the number " + to_toml(value) + " is not allowed here" + hint(to_toml(value), key.choices));
  }
  if (!value.is_text()) wrong_type(value, path, "a text");
  if (std::find(key.choices.begin(), key.choices.end(), value.text) == key.choices.end()) {
    throw BadScenario(value.place, path,
                      "'" + value.text + "' is not allowed here" + hint(value.text, key.choices));
  }
  return value;
}

Value check_number_lists(const Value& value, const std::string& path) {
  if (!value.is_array()) wrong_type(value, path, "a list of lists of integers");
  for (const Value& list : value.items) {
    if (!list.is_array()) wrong_type(list, path, "a list of lists of integers");
    for (const Value& item : list.items) {
      if (!item.is(Value::Type::integer) || item.integer < 0 ||
          item.integer > std::numeric_limits<std::int32_t>::max()) {
        wrong_type(item, path, "a list of lists of integers that are not negative");
      }
    }
  }
  return value;
}

/// Where an element of an array stands: by its name if it has one.
std::string element_path(const std::string& path, const Value& element, std::size_t index) {
  const Value* name = element.find("name");
  return name != nullptr && name->is_text() ? join_path(path, name->text)
                                            : path + "." + std::to_string(index);
}

Value check_tables(const Value& value, const Key& key, const std::string& path) {
  if (!value.is_array()) wrong_type(value, path, "an array of tables, written as [[" + path + "]]");
  Value out = in_place_of(value, Value::array_at(value.place));
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const Value& item = value.items[i];
    const std::string here = element_path(path, item, i);
    if (!item.is_table()) wrong_type(item, here, "a table");
    for (std::size_t j = 0; j < i; ++j) {
      const Value* mine = item.find("name");
      const Value* other = value.items[j].find("name");
      if (mine != nullptr && other != nullptr && same(*mine, *other)) {
        throw BadScenario(mine->place, here,
                          "this name is taken; the other one is at " + other->place.text());
      }
    }
    out.items.push_back(check_table(item, *key.section, here));
  }
  return out;
}

}  // namespace

std::string hint(std::string_view word, std::span<const std::string_view> allowed) {
  return models::did_you_mean(word, allowed);
}

Value check_value(const Value& value, const Key& key, const std::string& path) {
  switch (key.type) {
    case KeyType::text:
      if (!value.is_text()) wrong_type(value, path, "a text");
      return value;
    case KeyType::name:
      return check_name(value, path);
    case KeyType::names:
      return check_names(value, path);
    case KeyType::boolean:
      if (!value.is(Value::Type::boolean)) wrong_type(value, path, "true or false");
      return value;
    case KeyType::integer:
    case KeyType::number:
      return check_number(value, key, path);
    case KeyType::share:
    case KeyType::duration:
    case KeyType::size:
    case KeyType::bandwidth:
    case KeyType::rate:
      return check_unit(value, key, path);
    case KeyType::choice:
      return check_choice(value, key, path);
    case KeyType::numbers: {
      const bool good =
          value.is_array() && std::all_of(value.items.begin(), value.items.end(), [](const Value& item) {
            return item.is(Value::Type::integer) && item.integer >= -1'000'000 && item.integer <= 1'000'000;
          });
      if (!good) wrong_type(value, path, "a list of integers");
      return value;
    }
    case KeyType::refused:
      throw BadScenario(value.key_place, path, std::string(key.about));
    case KeyType::number_lists:
      return check_number_lists(value, path);
    case KeyType::scalar:
      if (value.is_table() || value.is_array() || value.is(Value::Type::date))
        wrong_type(value, path, "a boolean, a number or a text");
      return value;
    case KeyType::distribution:
      return check_distribution(value, key.draws, path);
    case KeyType::arrivals:
      return check_arrivals(value, path);
    case KeyType::keys:
      return check_keys(value, path);
    case KeyType::config:
      return check_kafka_config(value, key.scope, path);
    case KeyType::table:
      if (!value.is_table()) wrong_type(value, path, "a table");
      return check_table(value, *key.section, path);
    case KeyType::tables:
      return check_tables(value, key, path);
    case KeyType::paths:
      if (!value.is_table()) wrong_type(value, path, "a table");
      return value;
  }
  return value;
}

Value check_table(const Value& table, const Section& section, const std::string& path) {
  Value out = in_place_of(table, Value::table_at(table.place));
  out.is_inline = table.is_inline;
  std::vector<std::string_view> names;
  for (const Key& key : section.keys) names.push_back(key.name);
  for (const auto& [name, member] : table.members) {
    const std::string_view wanted = name;
    const auto key = std::find_if(section.keys.begin(), section.keys.end(),
                                  [&](const Key& k) { return k.name == wanted; });
    if (key == section.keys.end()) {
      throw BadScenario(member.key_place, join_path(path, name), "unknown key" + hint(name, names));
    }
    out.members.emplace_back(name, check_value(member, as_of_client(*key, table), join_path(path, name)));
  }
  for (const Key& key : section.keys) {
    if (key.required && table.find(key.name) == nullptr) {
      throw BadScenario(table.place, path,
                        "needs the key '" + std::string(key.name) + "': " + std::string(key.about));
    }
  }
  return out;
}

}  // namespace experiments
