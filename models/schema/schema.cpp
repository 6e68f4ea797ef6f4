#include "models/schema/schema.hpp"

#include <algorithm>
#include <array>

namespace models::schema {
namespace {

constexpr std::array<std::string_view, 7> kTypes{"boolean", "int",    "long", "float",
                                                 "double",  "string", "bytes"};

/// SchemaCompatibility.lookupWriterField: null where there is none, `several` where there are more.
const Field* find_written(const Schema& writer, const Field& field, bool& several) {
  const Field* found = nullptr;
  for (const Field& written : writer.fields) {
    const bool matches = written.name == field.name || std::find(field.aliases.begin(), field.aliases.end(),
                                                                 written.name) != field.aliases.end();
    if (!matches) continue;
    several = several || found != nullptr;
    found = &written;
  }
  return found;
}

}  // namespace

std::vector<std::string_view> type_names() {
  return {kTypes.begin(), kTypes.end()};
}

std::optional<Type> parse_type(std::string_view name) {
  const auto at = std::find(kTypes.begin(), kTypes.end(), name);
  if (at == kTypes.end()) return std::nullopt;
  return static_cast<Type>(at - kTypes.begin());
}

bool promotes(Type writer, Type reader) {
  if (writer == reader) return true;
  switch (reader) {
    case Type::long_:
      return writer == Type::int_;
    case Type::float_:
      return writer == Type::int_ || writer == Type::long_;
    case Type::double_:
      return writer == Type::int_ || writer == Type::long_ || writer == Type::float_;
    case Type::bytes:
      return writer == Type::string;
    case Type::string:
      return writer == Type::bytes;
    default:
      return false;
  }
}

Resolution resolve(const Schema& reader, const Schema& writer) {
  for (const Field& field : reader.fields) {
    bool several = false;
    const Field* const written = find_written(writer, field, several);
    if (several) return Resolution::ambiguous;
    if (written == nullptr) {
      if (!field.has_default) return Resolution::missing_default;
    } else if (!promotes(written->type, field.type)) {
      return Resolution::type_mismatch;
    }
  }
  return Resolution::resolves;
}

}  // namespace models::schema
