// Exchanges, queues and bindings of a broker, and which queues a message is routed to. Pure: no time, no network.
//
// Routing is a walk over exchanges (rabbit_exchange.erl, route1): each is visited once, so that bindings in a circle end; a queue
// that several bindings match gets one copy; what an exchange has no match for goes on to its alternate exchange.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/ids.hpp"
#include "models/rabbitmq/options.hpp"

namespace models::rabbitmq {

using QueueIndex = Id<struct RabbitQueueTag, std::uint16_t>;
using ExchangeIndex = Id<struct RabbitExchangeTag, std::uint16_t>;

/// Whether a topic exchange's pattern matches: words between dots, `*` is one word, `#` any number
/// (rabbit_db_topic_exchange.erl).
bool topic_matches(std::string_view pattern, std::string_view key);

/// Whether a message of a headers exchange matches. Names that begin with "x-" do not count (rabbit_exchange_type_headers.erl).
bool headers_match(const Headers& wanted, bool any, const Headers& given);

class Topology {
 public:
  /// Throws ScenarioError at the path of what makes no sense.
  explicit Topology(const BrokerOptions& options);

  std::size_t queue_count() const { return queues_.size(); }
  const QueueOptions& queue(QueueIndex q) const { return queues_[q.value]; }
  std::optional<QueueIndex> find_queue(std::string_view name) const;
  /// The default exchange is "".
  std::optional<ExchangeIndex> find_exchange(std::string_view name) const;

  /// A queue is deleted, or declared again: its bindings go and come with it.
  /// Model: whoever declares a queue binds it, as the recovery of clients does.
  void set_there(QueueIndex q, bool there) { there_[q.value] = there; }
  /// In order of the queues, each once.
  std::vector<QueueIndex> route(ExchangeIndex exchange, const std::string& key, const Headers& headers) const;

 private:
  struct Binding {
    bool to_exchange = false;
    std::uint16_t destination = 0;
    std::string key;
    Headers headers;
    bool any = false;
  };
  struct Exchange {
    std::string name;
    ExchangeType type = ExchangeType::direct;
    std::optional<ExchangeIndex> alternate;
    std::vector<Binding> bindings;
  };
  bool matches(const Exchange& exchange, const Binding& binding, const std::string& key,
               const Headers& headers) const;
  void add_binding(const BindingOptions& options, const std::string& path);

  std::vector<QueueOptions> queues_;
  std::vector<bool> there_;          // by queue
  std::vector<Exchange> exchanges_;  // 0 is the default exchange
};

}  // namespace models::rabbitmq
