// A scenario file as a plain tree: what TOML says, with the place where it says so.
//
// Everything that changes a scenario before it is bound (variants, --set, axes) changes this tree, and a
// value that it puts there carries its own place, so that an error points to the option or to the [sweep]
// line that is to blame. Tables keep the order of the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace experiments {

/// Where something was written: a file with line and column, or an option of the command line (line 0).
struct Place {
  std::shared_ptr<const std::string> source;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  static Place option(std::string text) {
    return {std::make_shared<const std::string>(std::move(text)), 0, 0};
  }
  /// "file:line:column", or the option.
  std::string text() const;
};

class Value {
 public:
  enum class Type : std::uint8_t { boolean, integer, number, text, array, table, date };
  using Member = std::pair<std::string, Value>;

  Type type = Type::table;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;             ///< of a date: as written is lost, "date"
  std::vector<Value> items;     ///< of an array
  std::vector<Member> members;  ///< of a table
  Place place;                  ///< of the value
  Place key_place;              ///< of its key; for an element of an array, of the element
  bool is_inline = false;       ///< a table in braces: a value, not a name for what lies below it

  // Defined where Member is complete: members is a vector of what holds a Value.
  Value();
  ~Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;

  static Value of(bool b);
  static Value of(std::int64_t i);
  static Value of(double d);
  static Value of(std::string s);
  static Value of(const char* s) { return of(std::string(s)); }
  static Value table_at(Place place);
  static Value array_at(Place place);

  bool is(Type t) const { return type == t; }
  bool is_table() const { return type == Type::table; }
  bool is_array() const { return type == Type::array; }
  bool is_text() const { return type == Type::text; }
  bool is_numeric() const { return type == Type::integer || type == Type::number; }
  double as_double() const { return type == Type::integer ? static_cast<double>(integer) : number; }

  /// Member `key` of a table, or null.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Replaces or appends.
  Value& put(std::string_view key, Value value);
  void erase(std::string_view key);
};

/// "a text", "an integer" …: for messages.
std::string_view type_name(Value::Type type);
/// The value in one line as TOML would write it, for messages and replay lines; long ones are not cut.
std::string to_toml(const Value& value);
/// Shortest text that reads back as the same double; whole numbers without point and exponent.
std::string number_text(double value);

/// Equal in what they say; places do not count.
bool same(const Value& a, const Value& b);

}  // namespace experiments
