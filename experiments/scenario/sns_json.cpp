#include "experiments/scenario/sns_json.hpp"

#include <nlohmann/json.hpp>

#include "experiments/errors.hpp"

namespace experiments {
namespace {

using Parsed = nlohmann::ordered_json;
using models::sns::Json;

Json converted(const Parsed& from) {
  Json out;
  if (from.is_boolean()) {
    out.type = Json::Type::boolean;
    out.boolean = from.get<bool>();
  } else if (from.is_number()) {
    out.type = Json::Type::number;
    out.number = from.get<double>();
  } else if (from.is_string()) {
    out.type = Json::Type::string;
    out.string = from.get<std::string>();
  } else if (from.is_array()) {
    out.type = Json::Type::array;
    for (const Parsed& item : from) out.items.push_back(converted(item));
  } else if (from.is_object()) {
    out.type = Json::Type::object;
    for (const auto& [name, value] : from.items()) {
      out.names.push_back(name);
      out.values.push_back(converted(value));
    }
  }
  return out;
}

}  // namespace

models::sns::Json parse_sns_json(std::string_view text, const Place& place, std::string_view path) {
  const Parsed parsed = Parsed::parse(text, nullptr, false);
  if (!parsed.is_object())
    throw BadScenario(place, std::string(path),
                      "must be a JSON object in a text: '{\"event\": [\"order_placed\"]}'");
  return converted(parsed);
}

}  // namespace experiments
