#include "experiments/scenario/paths.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "experiments/errors.hpp"
#include "models/near_miss.hpp"

namespace experiments {
namespace {

constexpr std::string_view kConfig = "config";

std::string name_of(const Value& element) {
  const Value* name = element.find("name");
  return name != nullptr && name->is_text() ? name->text : std::string{};
}

std::optional<std::size_t> index_of(const Value& array, std::string_view segment) {
  for (std::size_t i = 0; i < array.items.size(); ++i) {
    if (array.items[i].is_table() && name_of(array.items[i]) == segment) return i;
  }
  std::size_t index = 0;
  const auto [end, ec] = std::from_chars(segment.data(), segment.data() + segment.size(), index);
  if (ec == std::errc{} && end == segment.data() + segment.size() && index < array.items.size()) return index;
  return std::nullopt;
}

std::string no_such_element(const Value& array, std::string_view segment) {
  std::vector<std::string> names;
  for (const Value& item : array.items) {
    if (item.is_table() && !name_of(item).empty()) names.push_back(name_of(item));
  }
  std::vector<std::string_view> views(names.begin(), names.end());
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "; there are: " : ", ") + name;
  const bool near = !models::nearest(segment, views).empty();
  return "has no element '" + std::string(segment) + "'" +
         (near ? models::did_you_mean(segment, views) : listed);
}

}  // namespace

Path Path::parse(std::string_view text, const Place& place) {
  std::vector<std::string> segments;
  const std::string whole(text);
  std::size_t i = 0;
  do {
    if (!segments.empty() && segments.back() == kConfig && segments.size() > 1) {
      std::string_view rest = text.substr(i);
      if (rest.size() > 2 && rest.front() == '"' && rest.back() == '"')
        rest = rest.substr(1, rest.size() - 2);
      if (rest.empty()) throw BadScenario(place, whole, "names no key after 'config.'");
      segments.emplace_back(rest);
      return Path(std::move(segments));
    }
    std::string segment;
    if (i < text.size() && text[i] == '"') {
      const std::size_t end = text.find('"', i + 1);
      if (end == std::string_view::npos) throw BadScenario(place, whole, "a quote is not closed");
      segment = text.substr(i + 1, end - i - 1);
      i = end + 1;
      if (i < text.size() && text[i] != '.')
        throw BadScenario(place, whole, "a dot must follow a quoted segment");
    } else {
      const std::size_t end = std::min(text.find('.', i), text.size());
      segment = text.substr(i, end - i);
      i = end;
    }
    if (segment.empty())
      throw BadScenario(place, whole, "a path is segments joined by dots; one of them is empty");
    segments.push_back(std::move(segment));
  } while (i++ < text.size());
  return Path(std::move(segments));
}

std::string join_path(std::string_view parent, std::string_view segment) {
  const bool one_key = parent.size() > kConfig.size() &&
                       parent.substr(parent.size() - kConfig.size()) == kConfig &&
                       parent[parent.size() - kConfig.size() - 1] == '.';
  const bool plain = one_key || (segment.find('.') == std::string_view::npos && !segment.empty());
  const std::string last = plain ? std::string(segment) : "\"" + std::string(segment) + "\"";
  return parent.empty() ? last : std::string(parent) + "." + last;
}

std::string Path::text() const {
  std::string out;
  for (const std::string& segment : segments_) out = join_path(out, segment);
  return out;
}

std::pair<std::string, std::string> split_assignment(std::string_view text, std::string_view option) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '=' && !quoted && i > 0)
      return {std::string(text.substr(0, i)), std::string(text.substr(i + 1))};
  }
  throw UsageError(std::string(option) + " '" + std::string(text) + "': write PATH=VALUE");
}

const Value* look_up(const Value& root, const Path& path) {
  const Value* at = &root;
  for (const std::string& segment : path.segments()) {
    if (at->is_array()) {
      const auto index = index_of(*at, segment);
      at = index ? &at->items[*index] : nullptr;
    } else {
      at = at->find(segment);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

Place place_of(const Value& root, const Path& path) {
  std::vector<std::string> segments = path.segments();
  while (!segments.empty()) {
    if (const Value* value = look_up(root, Path(segments))) return value->place;
    segments.pop_back();
  }
  return root.place;
}

void assign(Value& root, const Path& path, Value value) {
  const Place place = value.place;
  const std::vector<std::string>& segments = path.segments();
  const std::string& first = segments.front();
  if (first == "sweep" || first == "variant" || first == "expect" ||
      (first == "scenario" && segments.size() > 1 && (segments[1] == "name" || segments[1] == "question"))) {
    throw BadScenario(place, path.text(), "cannot be set by a path");
  }
  if (segments.size() == 1) throw BadScenario(place, path.text(), "names a whole section; name a key in it");
  Value* at = &root;
  std::string here;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    const std::string parent = here;
    here = join_path(here, segments[i]);
    if (at->is_array()) {
      const auto index = index_of(*at, segments[i]);
      if (!index) throw BadScenario(place, parent, no_such_element(*at, segments[i]));
      at = &at->items[*index];
      if (last && at->is_table()) throw BadScenario(place, here, "names a whole element; name a key in it");
      if (last) *at = std::move(value);
    } else if (at->is_table()) {
      if (last) {
        at->put(segments[i], std::move(value));
        return;
      }
      Value* next = at->find(segments[i]);
      at = next != nullptr ? next : &at->put(segments[i], Value::table_at(place));
    } else {
      throw BadScenario(place, here,
                        "'" + parent + "' is " + std::string(type_name(at->type)) + " and has no keys");
    }
  }
}

namespace {

/// A key that is spread over nested tables stands where its first part does.
void collect_keys(const Value& table, const std::string& prefix, const Place* begins, Value& out) {
  for (const auto& [key, member] : table.members) {
    const std::string full = prefix.empty() ? key : prefix + "." + key;
    const Place& mine = member.key_place;
    // A table's own header may stand before its parent's: only what is on one line belongs together.
    const Place& place =
        begins != nullptr && begins->line == mine.line && begins->column < mine.column ? *begins : mine;
    if (member.is_table() && !member.is_inline) {
      collect_keys(member, full, &place, out);
      continue;
    }
    if (const Value* other = out.find(full)) {
      throw BadScenario(place, full, "is given twice; the other is at " + other->key_place.text());
    }
    out.members.emplace_back(full, member);
    out.members.back().second.key_place = place;
  }
}

void collect_paths(const Value& table, const std::string& prefix,
                   std::vector<std::pair<Path, const Value*>>& out) {
  for (const auto& [key, member] : table.members) {
    // A key at the top is a path as it stands; below it, a key with a dot was written in quotes and is one
    // segment.
    const std::string full = prefix.empty() ? key : join_path(prefix, key);
    if (member.is_table() && !member.is_inline) {
      collect_paths(member, full, out);
      continue;
    }
    Path path = Path::parse(full, member.key_place);
    for (const auto& [other, value] : out) {
      if (other == path) {
        throw BadScenario(member.key_place, full,
                          "is given twice; the other is at " + value->key_place.text());
      }
    }
    out.emplace_back(std::move(path), &member);
  }
}

}  // namespace

void flatten_configs(Value& value) {
  for (Value& item : value.items) flatten_configs(item);
  for (auto& [key, member] : value.members) {
    if (key == kConfig && member.is_table()) {
      Value flat = Value::table_at(member.place);
      flat.key_place = member.key_place;
      flat.is_inline = member.is_inline;
      collect_keys(member, "", nullptr, flat);
      member = std::move(flat);
    } else {
      flatten_configs(member);
    }
  }
}

std::vector<std::pair<Path, const Value*>> paths_in(const Value& table) {
  std::vector<std::pair<Path, const Value*>> out;
  collect_paths(table, "", out);
  return out;
}

}  // namespace experiments
