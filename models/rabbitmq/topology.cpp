#include "models/rabbitmq/topology.hpp"

#include <algorithm>

#include "models/near_miss.hpp"
#include "models/scenario_error.hpp"

namespace models::rabbitmq {
namespace {

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find('.'));
}

/// What stands behind the first word; nothing when that was the last.
std::optional<std::string_view> rest_of(std::string_view text) {
  const std::size_t dot = text.find('.');
  return dot == std::string_view::npos ? std::nullopt : std::optional(text.substr(dot + 1));
}

bool words_match(std::optional<std::string_view> pattern, std::optional<std::string_view> key) {
  if (!pattern) return !key;
  const std::string_view word = first_word(*pattern);
  const std::optional<std::string_view> more = rest_of(*pattern);
  if (word == "#") return words_match(more, key) || (key && words_match(pattern, rest_of(*key)));
  if (!key || (word != "*" && word != first_word(*key))) return false;
  return words_match(more, rest_of(*key));
}

}  // namespace

bool topic_matches(std::string_view pattern, std::string_view key) {
  // An empty key has no words.
  return words_match(pattern.empty() ? std::nullopt : std::optional(pattern),
                     key.empty() ? std::nullopt : std::optional(key));
}

bool headers_match(const Headers& wanted, bool any, const Headers& given) {
  for (const auto& header : wanted) {
    if (header.first.rfind("x-", 0) == 0) continue;
    const bool there = std::find(given.begin(), given.end(), header) != given.end();
    if (there == any) return any;
  }
  return !any;
}

Topology::Topology(const BrokerOptions& options) : queues_(options.queues), there_(queues_.size(), true) {
  exchanges_.push_back({"", ExchangeType::direct, {}, {}});
  for (const ExchangeOptions& exchange : options.exchanges)
    exchanges_.push_back({exchange.name, exchange.type, {}, {}});
  // Model: amq.direct, amq.fanout, amq.topic and amq.headers are there when the scenario declares them.
  for (std::size_t i = 0; i < options.exchanges.size(); ++i) {
    const std::string& alternate = options.exchanges[i].alternate_exchange;
    if (alternate.empty()) continue;
    exchanges_[i + 1].alternate = find_exchange(alternate);
    if (!exchanges_[i + 1].alternate)
      throw ScenarioError("rabbitmq.exchanges." + options.exchanges[i].name + ".alternate-exchange",
                          "there is no exchange '" + alternate + "'");
  }
  for (std::size_t i = 0; i < options.bindings.size(); ++i)
    add_binding(options.bindings[i], "rabbitmq.bindings." + std::to_string(i));
}

void Topology::add_binding(const BindingOptions& options, const std::string& path) {
  std::vector<std::string_view> known;
  for (const Exchange& exchange : exchanges_) known.push_back(exchange.name);
  const auto source = find_exchange(options.source);
  if (!source)
    throw ScenarioError(path + ".source", "there is no exchange '" + options.source + "'" +
                                              did_you_mean(options.source, known));
  // rabbit_binding.erl: access to the default exchange is refused.
  if (source->value == 0)
    throw ScenarioError(path + ".source",
                        "is the default exchange, which binds every queue by its name, and none else");
  Binding binding{options.to_exchange, 0, options.routing_key, options.headers, options.any};
  if (options.to_exchange) {
    const auto to = find_exchange(options.destination);
    if (!to || to->value == 0)
      throw ScenarioError(path + ".destination", "there is no exchange '" + options.destination + "'" +
                                                     did_you_mean(options.destination, known));
    binding.destination = to->value;
  } else {
    const auto to = find_queue(options.destination);
    if (!to) {
      known.clear();
      for (const QueueOptions& queue : queues_) known.push_back(queue.name);
      throw ScenarioError(path + ".destination", "there is no queue '" + options.destination + "'" +
                                                     did_you_mean(options.destination, known));
    }
    binding.destination = to->value;
  }
  // rabbit_exchange_type_topic.erl: MAX_HASH_WILDCARDS
  if (exchanges_[source->value].type == ExchangeType::topic) {
    int hashes = 0;
    for (std::optional<std::string_view> at = options.routing_key; at; at = rest_of(*at))
      hashes += first_word(*at) == "#";
    if (hashes > 2)
      throw ScenarioError(path + ".routing_key", "uses more than two '#', which RabbitMQ refuses");
  }
  exchanges_[source->value].bindings.push_back(std::move(binding));
}

std::optional<QueueIndex> Topology::find_queue(std::string_view name) const {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].name == name) return QueueIndex{static_cast<std::uint16_t>(i)};
  }
  return std::nullopt;
}

std::optional<ExchangeIndex> Topology::find_exchange(std::string_view name) const {
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    if (exchanges_[i].name == name) return ExchangeIndex{static_cast<std::uint16_t>(i)};
  }
  return std::nullopt;
}

bool Topology::matches(const Exchange& exchange, const Binding& binding, const std::string& key,
                       const Headers& headers) const {
  switch (exchange.type) {
    case ExchangeType::direct:
      return binding.key == key;
    case ExchangeType::fanout:
      return true;
    case ExchangeType::topic:
      return topic_matches(binding.key, key);
    case ExchangeType::headers:
      return headers_match(binding.headers, binding.any, headers);
  }
  return false;
}

std::vector<QueueIndex> Topology::route(ExchangeIndex exchange, const std::string& key,
                                        const Headers& headers) const {
  if (exchange.value == 0) {
    const auto queue = find_queue(key);
    return queue && there_[queue->value] ? std::vector<QueueIndex>{*queue} : std::vector<QueueIndex>{};
  }
  std::vector<bool> reached(queues_.size());
  std::vector<bool> visited(exchanges_.size());
  std::vector<std::uint16_t> work{exchange.value};
  visited[exchange.value] = true;
  const auto visit = [&](std::uint16_t next) {
    if (visited[next]) return;
    visited[next] = true;
    work.push_back(next);
  };
  while (!work.empty()) {
    const Exchange& at = exchanges_[work.back()];
    work.pop_back();
    bool matched = false;
    for (const Binding& binding : at.bindings) {
      if (!binding.to_exchange && !there_[binding.destination]) continue;
      if (!matches(at, binding, key, headers)) continue;
      matched = true;
      if (binding.to_exchange)
        visit(binding.destination);
      else
        reached[binding.destination] = true;
    }
    if (!matched && at.alternate) visit(at.alternate->value);
  }
  std::vector<QueueIndex> out;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i]) out.push_back(QueueIndex{static_cast<std::uint16_t>(i)});
  }
  return out;
}

}  // namespace models::rabbitmq
