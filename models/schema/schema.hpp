// Schemas as Avro's records, and whether data written with one can be read with another.
//
// Schema resolution of the Avro specification, as SchemaCompatibility.checkReaderWriterCompatibility has it
// (lang/java/avro/src/main/java/org/apache/avro/SchemaCompatibility.java): each field of the reader is found in the writer by its
// name or by one of its aliases; a field that the writer has not needs a default; what the reader has not is read over; numbers
// are promoted (int to long, float, double; long to float, double; float to double), string and bytes are read as each other.
//
// Model: one record of fields of primitive types; no unions, enumerations, arrays and records within. A field that may be null
// and is null by default is one with a default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace models::schema {

enum class Type : std::uint8_t { boolean, int_, long_, float_, double_, string, bytes };

/// In the order of the enumeration, by Avro's names.
std::vector<std::string_view> type_names();
std::optional<Type> parse_type(std::string_view name);

struct Field {
  std::string name;
  Type type = Type::string;
  bool has_default = false;
  std::vector<std::string> aliases{};  ///< names that it goes by in writers' schemas

  bool operator==(const Field&) const = default;
};

struct Schema {
  std::vector<Field> fields{};

  bool operator==(const Schema&) const = default;
};

/// Does a reader who expects `reader` take what was written as `writer`?
bool promotes(Type writer, Type reader);

enum class Resolution : std::uint8_t {
  resolves,
  missing_default,  ///< READER_FIELD_MISSING_DEFAULT_VALUE
  type_mismatch,    ///< TYPE_MISMATCH
  ambiguous,        ///< name and aliases of a reader's field match several of the writer's
};

/// Of all that `writer` has written: can it be read as `reader`?
Resolution resolve(const Schema& reader, const Schema& writer);
inline bool can_read(const Schema& reader, const Schema& writer) {
  return resolve(reader, writer) == Resolution::resolves;
}

}  // namespace models::schema
