#include "experiments/scenario/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/errors.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;

Value from_json(const Json& json, const Place& place) {
  Value out;
  if (json.is_boolean())
    out = Value::of(json.get<bool>());
  else if (json.is_number_integer())
    out = Value::of(json.get<std::int64_t>());
  else if (json.is_number())
    out = Value::of(json.get<double>());
  else if (json.is_string())
    out = Value::of(json.get<std::string>());
  else if (json.is_array()) {
    out.type = Value::Type::array;
    for (const Json& item : json) out.items.push_back(from_json(item, place));
  } else if (json.is_object()) {
    for (const auto& [key, member] : json.items()) out.members.emplace_back(key, from_json(member, place));
  } else {
    throw BadScenario(place, "", "null has no place in a scenario");
  }
  out.place = out.key_place = place;
  return out;
}

}  // namespace

std::string json_string(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string canonical_json(const Value& value) {
  std::string out;
  switch (value.type) {
    case Value::Type::boolean:
      return value.boolean ? "true" : "false";
    case Value::Type::integer:
      return std::to_string(value.integer);
    case Value::Type::number:
      return number_text(value.number);
    case Value::Type::text:
    case Value::Type::date:
      return json_string(value.text);
    case Value::Type::array:
      for (const Value& item : value.items) out += (out.empty() ? "" : ",") + canonical_json(item);
      return "[" + out + "]";
    case Value::Type::table: {
      std::vector<const Value::Member*> sorted;
      for (const Value::Member& member : value.members) sorted.push_back(&member);
      std::sort(sorted.begin(), sorted.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
      for (const Value::Member* m : sorted) {
        out += (out.empty() ? "" : ",") + json_string(m->first) + ":" + canonical_json(m->second);
      }
      return "{" + out + "}";
    }
  }
  return out;
}

Value parse_json(std::string_view text, const Place& place) {
  try {
    return from_json(Json::parse(text), place);
  } catch (const Json::exception&) {
    throw BadScenario(place, "", "is no JSON");
  }
}

}  // namespace experiments
