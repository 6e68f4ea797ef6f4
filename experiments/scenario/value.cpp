#include "experiments/scenario/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace experiments {

std::string Place::text() const {
  if (!source) return "scenario";
  if (line == 0) return *source;
  return *source + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Value::Value() = default;
Value::~Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;

Value Value::of(bool b) {
  Value v;
  v.type = Type::boolean;
  v.boolean = b;
  return v;
}
Value Value::of(std::int64_t i) {
  Value v;
  v.type = Type::integer;
  v.integer = i;
  return v;
}
Value Value::of(double d) {
  Value v;
  v.type = Type::number;
  v.number = d;
  return v;
}
Value Value::of(std::string s) {
  Value v;
  v.type = Type::text;
  v.text = std::move(s);
  return v;
}
Value Value::table_at(Place place) {
  Value v;
  v.type = Type::table;
  v.place = place;
  v.key_place = std::move(place);
  return v;
}
Value Value::array_at(Place place) {
  Value v = table_at(std::move(place));
  v.type = Type::array;
  return v;
}

const Value* Value::find(std::string_view key) const {
  if (!is_table()) return nullptr;
  const auto at =
      std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.first == key; });
  return at == members.end() ? nullptr : &at->second;
}
Value* Value::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

Value& Value::put(std::string_view key, Value value) {
  if (Value* old = find(key)) return *old = std::move(value);
  return members.emplace_back(std::string(key), std::move(value)).second;
}

void Value::erase(std::string_view key) {
  members.erase(
      std::remove_if(members.begin(), members.end(), [&](const Member& m) { return m.first == key; }),
      members.end());
}

std::string_view type_name(Value::Type type) {
  switch (type) {
    case Value::Type::boolean:
      return "a boolean";
    case Value::Type::integer:
      return "an integer";
    case Value::Type::number:
      return "a number";
    case Value::Type::text:
      return "a text";
    case Value::Type::array:
      return "an array";
    case Value::Type::table:
      return "a table";
    case Value::Type::date:
      return "a date";
  }
  return "a value";
}

std::string number_text(double value) {
  constexpr double kWhole = 1e15;  // below it every whole number is a double
  if (value > -kWhole && value < kWhole && value == static_cast<double>(static_cast<std::int64_t>(value)))
    return std::to_string(static_cast<std::int64_t>(value));
  std::array<char, 64> buffer{};
  const auto [end, ec] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), end);
}

namespace {

std::string basic_string_of(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else
      out += c;
  }
  return out + "\"";
}

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

std::string to_toml(const Value& value) {
  switch (value.type) {
    case Value::Type::boolean:
      return value.boolean ? "true" : "false";
    case Value::Type::integer:
      return std::to_string(value.integer);
    case Value::Type::number: {
      std::string text = number_text(value.number);
      // A double stays a double when it is read again.
      if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
      return text;
    }
    case Value::Type::text:
      return basic_string_of(value.text);
    case Value::Type::date:
      return value.text;
    case Value::Type::array: {
      std::string out = "[";
      for (std::size_t i = 0; i < value.items.size(); ++i)
        out += (i == 0 ? "" : ", ") + to_toml(value.items[i]);
      return out + "]";
    }
    case Value::Type::table: {
      std::string out = "{";
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        const auto& [key, member] = value.members[i];
        out += (i == 0 ? " " : ", ") + (is_bare(key) ? key : basic_string_of(key)) + " = " + to_toml(member);
      }
      return out + (value.members.empty() ? "}" : " }");
    }
  }
  return {};
}

bool same(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case Value::Type::boolean:
      return a.boolean == b.boolean;
    case Value::Type::integer:
      return a.integer == b.integer;
    case Value::Type::number:
      return a.number == b.number;
    case Value::Type::text:
    case Value::Type::date:
      return a.text == b.text;
    case Value::Type::array:
      return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same);
    case Value::Type::table:
      return a.members.size() == b.members.size() &&
             std::all_of(a.members.begin(), a.members.end(), [&](const Value::Member& m) {
               const Value* other = b.find(m.first);
               return other != nullptr && same(m.second, *other);
             });
  }
  return false;
}

}  // namespace experiments
