#include "experiments/definitions/topology_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "experiments/errors.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/json.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/rabbitmq_policies.hpp"
#include "models/rabbitmq/policies.hpp"

namespace experiments {
namespace {

/// Exchanges that every virtual host has, and exports do not list.
constexpr std::pair<std::string_view, std::string_view> kPredeclared[] = {{"amq.direct", "direct"},
                                                                          {"amq.fanout", "fanout"},
                                                                          {"amq.topic", "topic"},
                                                                          {"amq.headers", "headers"},
                                                                          {"amq.match", "headers"}};

bool flag(const Value& table, std::string_view key, bool otherwise) {
  const Value* const value = table.find(key);
  return value != nullptr && value->is(Value::Type::boolean) ? value->boolean : otherwise;
}

const Value* argument(const Value& table, std::string_view key) {
  const Value* const arguments = table.find("arguments");
  return arguments == nullptr || !arguments->is_table() ? nullptr : arguments->find(key);
}

/// A header's value, as headers of scenario files are texts.
std::string header_text(const Value& value) {
  return value.is_text() ? value.text : canonical_json(value);
}

}  // namespace

const std::vector<Value>& items_of(const Value& document, std::string_view section) {
  static const std::vector<Value> none;
  const Value* const items = document.find(section);
  if (items == nullptr) return none;
  if (!items->is_array()) throw BadScenario(items->place, std::string(section), "must be a list");
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    if (!items->items[i].is_table())
      throw BadScenario(items->items[i].place, fmt::format("{}.{}", section, i), "must be an object");
  }
  return items->items;
}

const std::string& text_of(const Value& table, std::string_view key, const std::string& path) {
  const Value* const value = table.find(key);
  if (value == nullptr) throw BadScenario(table.place, path, "has no '" + std::string(key) + "'");
  if (!value->is_text()) throw BadScenario(value->place, path + "." + std::string(key), "must be a text");
  return value->text;
}

std::string toml_text(std::string_view text) {
  return json_string(text);
}

const Key* find_key(const Section& section, std::string_view name) {
  const auto at =
      std::find_if(section.keys.begin(), section.keys.end(), [name](const Key& k) { return k.name == name; });
  return at == section.keys.end() ? nullptr : &*at;
}

TopologyText::TopologyText(const Value& document, const std::optional<std::string>& vhost,
                           const std::string& default_queue_type, const Section& rabbitmq,
                           std::vector<std::string>& left_out)
    : vhost_(vhost), default_queue_type_(default_queue_type), rabbitmq_(rabbitmq), left_out_(left_out) {
  read_exchanges(document);
  read_queues(document);
  read_bindings(document);
  read_policies(document);
}

bool TopologyText::here(const Value& item, const std::string& path) const {
  return !vhost_ || item.find("vhost") == nullptr || text_of(item, "vhost", path) == *vhost_;
}

bool TopologyText::is_exchange(const std::string& name) const {
  return std::any_of(exchanges_.begin(), exchanges_.end(),
                     [&name](const Exchange& e) { return e.name == name; });
}

bool TopologyText::is_queue(const std::string& name) const {
  return std::any_of(queues_.begin(), queues_.end(), [&name](const Queue& q) { return q.name == name; });
}

bool TopologyText::is_second_hand(const std::string& exchange) const {
  return std::find(second_hand_.begin(), second_hand_.end(), exchange) != second_hand_.end();
}

bool TopologyText::takes_dead_letters(const std::string& queue) const {
  return std::find(dead_letter_keys_.begin(), dead_letter_keys_.end(), queue) != dead_letter_keys_.end();
}

std::string TopologyText::settings(const Value* table, const Section& section, const std::string& whose,
                                   const std::string& path) {
  std::string text;
  if (table == nullptr) return text;
  if (!table->is_table()) {
    if (table->is_array() && table->items.empty()) return text;  // as old exports write none
    throw BadScenario(table->place, path, "must be an object");
  }
  for (const auto& [name, value] : table->members) {
    const Key* const key = find_key(section, name);
    if (key == nullptr || key->type == KeyType::refused) {
      left_out_.push_back(toml_text(name) + " of " + whose + ": " +
                          (key == nullptr ? "nothing that mqlab knows of" : std::string(key->about)));
      continue;
    }
    const Value checked = check_value(value, *key, join_path(path, name));
    text += (text.empty() ? "" : ", ") + std::string(key->name) + " = " + to_toml(checked);
  }
  return text;
}

void TopologyText::declare(const std::string& exchange, const std::string& type, const std::string& more) {
  text_ += fmt::format("\n[[rabbitmq.exchanges]]\nname = {}\ntype = {}\n{}", toml_text(exchange),
                       toml_text(type), more);
}

void TopologyText::read_exchanges(const Value& document) {
  const Section& section = *find_key(rabbitmq_, "exchanges")->section;
  const std::vector<std::string_view>& types = find_key(section, "type")->choices;
  const auto& items = items_of(document, "exchanges");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string path = fmt::format("exchanges.{}", i);
    if (!here(items[i], path)) continue;
    const std::string& name = text_of(items[i], "name", path);
    const std::string& type = text_of(items[i], "type", path);
    if (name.empty()) continue;  // the default exchange
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      left_out_.push_back("exchange " + toml_text(name) + ", of the type " + toml_text(type) +
                          ", with its bindings");
      continue;
    }
    const std::string more =
        settings(items[i].find("arguments"), section, "exchange " + toml_text(name), path + ".arguments");
    declare(name, type, more.empty() ? "" : more + "\n");
    exchanges_.push_back({name, type, flag(items[i], "internal", false)});
    if (const Value* const other = argument(items[i], "alternate-exchange"); other != nullptr)
      second_hand_.push_back(other->text);
  }
}

void TopologyText::read_queues(const Value& document) {
  const Section& section = *find_key(rabbitmq_, "queues")->section;
  const Section& arguments = *find_key(section, "arguments")->section;
  const std::vector<std::string_view>& types = find_key(section, "type")->choices;
  const auto& items = items_of(document, "queues");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value& item = items[i];
    const std::string path = fmt::format("queues.{}", i);
    if (!here(item, path)) continue;
    const std::string& name = text_of(item, "name", path);
    const Value* const typed = argument(item, "x-queue-type");
    const std::string type = typed == nullptr ? default_queue_type_ : typed->text;
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      left_out_.push_back("queue " + toml_text(name) + ", of the type " + toml_text(type) +
                          ", with its bindings");
      continue;
    }
    Value others = Value::table_at(item.place);
    if (const Value* const given = item.find("arguments")) others = *given;
    others.erase("x-queue-type");
    const std::string said = settings(&others, arguments, "queue " + toml_text(name), path + ".arguments");
    text_ += "\n[[rabbitmq.queues]]\nname = " + toml_text(name) + "\n";
    if (type != "classic") text_ += "type = " + toml_text(type) + "\n";
    if (!flag(item, "durable", true)) text_ += "durable = false\n";
    if (flag(item, "auto_delete", false)) {
      if (find_key(section, "auto_delete") != nullptr)
        text_ += "auto_delete = true\n";
      else
        left_out_.push_back("\"auto_delete\" of queue " + toml_text(name));
    }
    if (!said.empty()) text_ += "arguments = { " + said + " }\n";
    const Value* const dlx = argument(item, "x-dead-letter-exchange");
    queues_.push_back({name, dlx != nullptr && argument(item, "x-message-ttl") != nullptr});
    if (dlx == nullptr || !dlx->is_text()) continue;
    second_hand_.push_back(dlx->text);
    const Value* const key = argument(item, "x-dead-letter-routing-key");
    if (dlx->text.empty() && key != nullptr && key->is_text()) dead_letter_keys_.push_back(key->text);
  }
}

void TopologyText::read_bindings(const Value& document) {
  const auto& items = items_of(document, "bindings");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value& item = items[i];
    const std::string path = fmt::format("bindings.{}", i);
    if (!here(item, path)) continue;
    Binding b{text_of(item, "source", path),
              text_of(item, "destination", path),
              false,
              text_of(item, "routing_key", path),
              {}};
    if (b.source.empty()) continue;  // the default exchange's own
    b.to_exchange = text_of(item, "destination_type", path) == "exchange";
    for (const std::string* const name : {&b.source, &b.destination}) {
      if (is_exchange(*name) || (name == &b.destination && !b.to_exchange)) continue;
      for (const auto& [predeclared, type] : kPredeclared) {
        if (*name != predeclared) continue;
        declare(*name, std::string(type), "");
        exchanges_.push_back({*name, std::string(type), false});
      }
    }
    if (!is_exchange(b.source) || !(b.to_exchange ? is_exchange(b.destination) : is_queue(b.destination))) {
      left_out_.push_back("binding " + toml_text(b.source) + " to " + toml_text(b.destination) +
                          ": one of them is not in the scenario");
      continue;
    }
    text_ += fmt::format("\n[[rabbitmq.bindings]]\nsource = {}\ndestination = {}\n", toml_text(b.source),
                         toml_text(b.destination));
    if (b.to_exchange) text_ += "destination_type = \"exchange\"\n";
    if (!b.routing_key.empty()) text_ += "routing_key = " + toml_text(b.routing_key) + "\n";
    const Value* const arguments = item.find("arguments");
    std::string match;
    if (arguments != nullptr && arguments->is_table()) {
      for (const auto& [key, value] : arguments->members) {
        if (key == "x-match")
          match = header_text(value);
        else
          b.headers.push_back(key + "=" + header_text(value));
      }
    }
    std::string listed;
    for (const std::string& header : b.headers) listed += (listed.empty() ? "" : ", ") + toml_text(header);
    if (!listed.empty()) text_ += "headers = [" + listed + "]\n";
    if (match.substr(0, 3) == "any") text_ += "x-match = \"any\"\n";
    if (match.size() > 3)
      left_out_.push_back("\"x-match\" " + toml_text(match) + " of a binding of " + toml_text(b.source) +
                          ": as " + match.substr(0, 3));
    bindings_.push_back(std::move(b));
  }
}

void TopologyText::policy(const Value& name, const Value& body, const std::string& tables,
                          const std::string& path) {
  static const Section section = section_of("", definition_rows());
  const std::string whose = (tables == "policies" ? "policy " : "operator policy ") + toml_text(name.text);
  const Value* const definition = body.find("definition");
  const std::string given = settings(definition, section, whose, path + ".definition");
  if (given.empty()) {
    left_out_.push_back(whose + ": nothing is left of it");
    return;
  }
  const std::string& pattern = text_of(body, "pattern", path);
  if (const std::string wrong = models::rabbitmq::pattern_error(pattern); !wrong.empty())
    throw BadScenario(body.find("pattern")->place, path + ".pattern",
                      "is no regular expression that mqlab can read: " + wrong);
  text_ += fmt::format("\n[[rabbitmq.{}]]\nname = {}\npattern = {}\n", tables, toml_text(name.text),
                       toml_text(pattern));
  if (const Value* const to = body.find("apply-to")) text_ += "apply-to = " + toml_text(to->text) + "\n";
  if (const Value* const priority = body.find("priority"); priority != nullptr && priority->integer != 0)
    text_ += fmt::format("priority = {}\n", priority->integer);
  text_ += "definition = { " + given + " }\n";
  for (const char* const key : {"dead-letter-exchange", "alternate-exchange"}) {
    const Value* const target = definition->find(key);
    if (target != nullptr && target->is_text()) second_hand_.push_back(target->text);
  }
}

void TopologyText::read_policies(const Value& document) {
  const auto& policies = items_of(document, "policies");
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const std::string path = fmt::format("policies.{}", i);
    if (!here(policies[i], path)) continue;
    text_of(policies[i], "name", path);
    policy(*policies[i].find("name"), policies[i], "policies", path);
  }
  // Of parameters these alone are looked at: others are shovels and upstreams, with the secrets of their URIs.
  const auto& parameters = items_of(document, "parameters");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string path = fmt::format("parameters.{}", i);
    const Value* const component = parameters[i].find("component");
    if (component == nullptr || component->text != "operator_policy" || !here(parameters[i], path)) continue;
    text_of(parameters[i], "name", path);
    const Value* const body = parameters[i].find("value");
    if (body == nullptr || !body->is_table())
      throw BadScenario(parameters[i].place, path + ".value", "must be an object");
    policy(*parameters[i].find("name"), *body, "operator_policies", path + ".value");
  }
}

}  // namespace experiments
