#include "experiments/definitions/clients.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace experiments {
namespace {

/// A key that the pattern of a topic exchange matches.
std::string key_for(const std::string& pattern) {
  std::string key;
  for (const char c : pattern) {
    if (c == '*' || c == '#')
      key += "any";
    else
      key += c;
  }
  return key;
}

/// A name for a host: without slashes, and nobody else's.
std::string host_name(const std::string& prefix, const std::string& of, std::set<std::string>& taken) {
  std::string name = prefix + of;
  std::replace(name.begin(), name.end(), '/', '-');
  const std::string first = name;
  for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}-{}", first, i);
  return name;
}

std::string listed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + toml_text(text);
  return "[" + out + "]";
}

std::string producer(const std::string& name, const std::string& to, const std::string& rabbitmq) {
  return fmt::format(
      "\n[[producers]]\nname = {}\ncluster = \"rabbitmq\"\nto = {}\narrivals = {{ process = \"poisson\", "
      "rate = 10 }}\n"
      "rabbitmq = {{ {}, confirms = 100 }}\n",
      toml_text(name), toml_text(to), rabbitmq);
}

/// Whether messages come in by it: it leads somewhere, and no other exchange or queue leads to it.
bool is_entrance(const TopologyText& topology, const TopologyText::Exchange& exchange) {
  if (exchange.internal || topology.is_second_hand(exchange.name)) return false;
  bool leads = false;
  for (const TopologyText::Binding& b : topology.bindings()) {
    if (b.to_exchange && b.destination == exchange.name) return false;
    leads |= b.source == exchange.name;
  }
  return leads;
}

std::string what_it_says(const TopologyText& topology, const TopologyText::Exchange& exchange) {
  std::vector<std::string> keys;
  std::vector<std::string> headers;
  for (const TopologyText::Binding& b : topology.bindings()) {
    if (b.source != exchange.name) continue;
    const std::string key = exchange.type == "topic" ? key_for(b.routing_key) : b.routing_key;
    if (std::find(keys.begin(), keys.end(), key) == keys.end() && !key.empty()) keys.push_back(key);
    if (headers.empty()) headers = b.headers;
  }
  std::string text = "exchange = " + toml_text(exchange.name);
  if (!keys.empty() && (exchange.type == "direct" || exchange.type == "topic"))
    text += ", routing_key = " + listed(keys);
  if (!headers.empty() && exchange.type == "headers") text += ", headers = " + listed(headers);
  return text;
}

std::string direct_producer(const std::string& queue, std::set<std::string>& taken) {
  return producer(host_name("to-", queue, taken), queue, "exchange = \"\", routing_key = " + listed({queue}));
}

}  // namespace

std::string clients_text(const TopologyText& topology) {
  std::set<std::string> taken{"rabbitmq"};
  std::string text =
      "\n# Definitions do not say who publishes and who consumes: change what follows to what is so.\n";
  std::size_t producers = 0;
  for (const TopologyText::Exchange& exchange : topology.exchanges()) {
    if (!is_entrance(topology, exchange)) continue;
    text += producer(host_name("to-", exchange.name, taken), exchange.name, what_it_says(topology, exchange));
    ++producers;
  }
  for (const TopologyText::Queue& queue : topology.queues()) {
    const bool led_to =
        topology.takes_dead_letters(queue.name) ||
        std::any_of(topology.bindings().begin(), topology.bindings().end(),
                    [&](const auto& b) { return !b.to_exchange && b.destination == queue.name; });
    if (led_to) continue;
    text += direct_producer(queue.name, taken);
    ++producers;
  }
  if (producers == 0 && !topology.queues().empty())
    text += direct_producer(topology.queues().front().name, taken);
  for (const TopologyText::Queue& queue : topology.queues()) {
    if (queue.delays) continue;
    text += fmt::format(
        "\n[[groups]]\nname = {}\ncluster = \"rabbitmq\"\nservice = \"1ms\"\nrabbitmq = {{ queues = {}, "
        "prefetch = 10 }}\n",
        toml_text(host_name("readers-of-", queue.name, taken)), toml_text(queue.name));
  }
  return text;
}

}  // namespace experiments
