#include "experiments/scenario/toml_document.hpp"

#include <sys/stat.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "experiments/errors.hpp"

namespace experiments {
namespace {

/// toml++ builds a chain of tables for a dotted key, and what walks that chain recurses: what no person
/// writes is refused first. (Nested values are bounded by toml++ itself, the product of both by the tree's
/// depth: every level costs the walk several frames of stack.)
constexpr int kMostDotsInKey = 32;
constexpr int kMostLevels = 64;

Place place_of(const toml::source_region& region, const std::shared_ptr<const std::string>& source) {
  return {source, static_cast<std::uint32_t>(region.begin.line),
          static_cast<std::uint32_t>(region.begin.column)};
}

void refuse_binary_and_deep(std::string_view text, const std::shared_ptr<const std::string>& source) {
  Place place{source, 1, 1};
  int dots = 0;
  char quote = '\0';  // of the quoted part that this is in, on this line
  char before = '\0';
  for (const char c : text) {
    if (c == '\0') throw BadScenario(place, "", "holds a NUL byte: this is no text file");
    if (c == '"' || c == '\'') {
      const bool escaped = quote == '"' && before == '\\';
      if (quote == '\0')
        quote = c;
      else if (quote == c && !escaped)
        quote = '\0';
    }
    if (c == '#' && quote == '\0') quote = c;  // a comment is quoted by the end of its line
    if (c == '\n') quote = '\0';
    if (c == '\n' || (quote == '\0' && (c == '=' || c == ','))) dots = 0;
    if (quote == '\0' && c == '.' && ++dots > kMostDotsInKey)
      throw BadScenario(place, "", "a key is nested too deeply");
    before = c;
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
}

Value convert(const toml::node& node, const std::shared_ptr<const std::string>& source, int level);

Value convert_table(const toml::table& table, const std::shared_ptr<const std::string>& source, int level) {
  Value out;
  out.is_inline = table.is_inline();
  for (const auto& [key, node] : table) {
    Value member = convert(node, source, level + 1);
    member.key_place = place_of(key.source(), source);
    out.members.emplace_back(std::string(key.str()), std::move(member));
  }
  // toml++ sorts by key; people read and are told in the order of the file.
  std::stable_sort(out.members.begin(), out.members.end(),
                   [](const Value::Member& a, const Value::Member& b) {
                     const Place& p = a.second.key_place;
                     const Place& q = b.second.key_place;
                     return p.line != q.line ? p.line < q.line : p.column < q.column;
                   });
  return out;
}

Value convert(const toml::node& node, const std::shared_ptr<const std::string>& source, int level) {
  if (level > kMostLevels)
    throw BadScenario(place_of(node.source(), source), "", "a value is nested too deeply");
  Value out;
  switch (node.type()) {
    case toml::node_type::boolean:
      out = Value::of(**node.as_boolean());
      break;
    case toml::node_type::integer:
      out = Value::of(**node.as_integer());
      break;
    case toml::node_type::floating_point:
      out = Value::of(**node.as_floating_point());
      break;
    case toml::node_type::string:
      out = Value::of(**node.as_string());
      break;
    case toml::node_type::table:
      out = convert_table(*node.as_table(), source, level);
      break;
    case toml::node_type::array:
      out.type = Value::Type::array;
      for (const toml::node& item : *node.as_array()) out.items.push_back(convert(item, source, level + 1));
      break;
    default:
      out.type = Value::Type::date;
      out.text = "date";
  }
  out.place = place_of(node.source(), source);
  out.key_place = out.place;
  return out;
}

void place_all(Value& value, const Place& place) {
  value.place = value.key_place = place;
  for (Value& item : value.items) place_all(item, place);
  for (auto& [key, member] : value.members) place_all(member, place);
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

}  // namespace

std::string read_text_file(const std::string& path, const Place& place, std::string_view what,
                           std::size_t most_bytes) {
  struct stat info {};
  const std::string name = std::string(what) + " '" + path + "'";
  if (::stat(path.c_str(), &info) != 0)
    throw BadScenario(place, "", "cannot open " + name + ": " + std::strerror(errno));
  if (S_ISDIR(info.st_mode)) throw BadScenario(place, "", name + " is a directory");
  if (static_cast<std::uint64_t>(info.st_size) > most_bytes) {
    throw BadScenario(place, "",
                      name + " has " + std::to_string(info.st_size) + " bytes, more than the " +
                          std::to_string(most_bytes) + " that are read");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw BadScenario(place, "", "cannot open " + name + ": " + std::strerror(errno));
  std::string text;
  // A device or a pipe has no size: it is read up to the limit.
  std::vector<char> chunk(1U << 16U);
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > most_bytes)
      throw BadScenario(place, "", name + " does not end within " + std::to_string(most_bytes) + " bytes");
  }
  if (file.bad()) throw BadScenario(place, "", "cannot read " + name + ": " + std::strerror(errno));
  return text;
}

Value parse_toml(std::string_view text, const std::string& source_name) {
  const auto source = std::make_shared<const std::string>(source_name);
  refuse_binary_and_deep(text, source);
  std::optional<BadScenario> failure;
  try {
    const toml::table table = toml::parse(text, source_name);
    Value out = convert_table(table, source, 0);
    out.place = out.key_place = {source, 1, 1};
    return out;
  } catch (const toml::parse_error& e) {
    failure.emplace(place_of(e.source(), source), "", one_line(e.description()));
  }
  throw *failure;
}

Value read_toml_file(const std::string& path) {
  return parse_toml(read_text_file(path, Place::option(path), "scenario", kMostFileBytes), path);
}

Value parse_toml_value(std::string_view text, const Place& place) {
  std::optional<Value> value;
  if (text.find('\n') == std::string_view::npos) {
    try {
      Value document = parse_toml("value = " + std::string(text), *place.source);
      if (document.members.size() == 1) value = std::move(document.members.front().second);
    } catch (const BadScenario&) {
      // Not TOML: a bare word, unless it was meant to be something with structure.
      if (text.find_first_of("[]{}\"'") != std::string_view::npos) {
        throw BadScenario(place, "", "'" + std::string(text) + "' is neither a TOML value nor a bare word");
      }
    }
  }
  if (!value || value->is(Value::Type::date)) value = Value::of(std::string(text));
  place_all(*value, place);
  return *value;
}

}  // namespace experiments
