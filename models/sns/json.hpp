// A value as JSON has them: filter policies, message attributes and message bodies are such.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace models::sns {

struct Json {
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };

  Type type = Type::null;
  bool boolean = false;
  double number = 0;
  std::string string{};
  std::vector<Json> items{};         ///< of an array
  std::vector<std::string> names{};  ///< of an object, in its order …
  std::vector<Json> values{};        ///< … and what they stand for

  bool is(Type t) const { return type == t; }
};

}  // namespace models::sns
