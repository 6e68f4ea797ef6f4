// A RabbitMQ broker and what its clients ask of it, as plain data. Names and defaults are RabbitMQ's (rabbitmq.conf, arguments of
// queues and exchanges) and its Java client's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models::rabbitmq {

enum class ExchangeType : std::uint8_t { direct, fanout, topic, headers };

/// Of a message, or wanted by a binding of a headers exchange.
using Headers = std::vector<std::pair<std::string, std::string>>;

struct ExchangeOptions {
  std::string name{};
  ExchangeType type = ExchangeType::direct;
  std::string
      alternate_exchange{};  ///< argument alternate-exchange: gets what matches no binding; empty: none
};

/// What a queue does when it is full.
enum class Overflow : std::uint8_t { drop_head, reject_publish, reject_publish_dlx };

/// x-queue-type.
enum class QueueType : std::uint8_t { classic, quorum, stream };

/// x-delayed-retry-type: which returned messages wait before they are ready again.
enum class DelayedRetry : std::uint8_t { disabled, all, failed, returned };

/// x-queue-leader-locator: on the node that it is declared on, or on that with the fewest leaders.
enum class LeaderLocator : std::uint8_t { client_local, balanced };

/// x-stream-offset: where a consumer begins. `last` is the last chunk, `next` what is written from now on.
struct StreamOffset {
  enum class At : std::uint8_t { first, last, next, offset, ago };
  At at = At::next;
  std::int64_t offset = 0;  ///< of At::offset; below the log's start: its start
  sim::Duration ago{};      ///< of At::ago: the first chunk that was written since
};

/// Arguments of a queue (x-arguments).
struct QueueArguments {
  QueueType type = QueueType::classic;
  std::optional<sim::Duration> message_ttl{};         ///< x-message-ttl
  std::optional<sim::Duration> expires{};             ///< x-expires: unused for so long it is deleted
  std::optional<std::int64_t> max_length{};           ///< x-max-length: messages that are ready
  std::optional<std::int64_t> max_length_bytes{};     ///< x-max-length-bytes: of their bodies
  Overflow overflow = Overflow::drop_head;            ///< x-overflow
  bool overflow_given = false;                        ///< it says so itself: no policy decides
  std::optional<std::string> dead_letter_exchange{};  ///< x-dead-letter-exchange; "": the default exchange
  std::optional<std::string>
      dead_letter_routing_key{};        ///< x-dead-letter-routing-key; none: the message's own
  std::uint8_t max_priority = 0;        ///< x-max-priority; 0: none has any
  bool single_active_consumer = false;  ///< x-single-active-consumer

  // ---- of quorum queues ----
  std::uint16_t group_size = 3;  ///< x-quorum-initial-group-size
  std::optional<std::int64_t>
      delivery_limit{};         ///< x-delivery-limit; below 0: none; unset: the version's default
  bool at_least_once = false;   ///< x-dead-letter-strategy
  bool strategy_given = false;  ///< it says so itself
  std::optional<sim::Duration> consumer_timeout{};  ///< x-consumer-timeout; unset: consumer_timeout
  DelayedRetry delayed_retry = DelayedRetry::disabled;
  sim::Duration delayed_retry_min{};  ///< x-delayed-retry-min
  sim::Duration delayed_retry_max{};  ///< x-delayed-retry-max

  // ---- of streams ----
  std::optional<sim::Duration> max_age{};        ///< x-max-age
  std::int64_t max_segment_bytes = 500'000'000;  ///< x-stream-max-segment-size-bytes
  std::optional<std::uint16_t> cluster_size{};   ///< x-initial-cluster-size; unset: every node
  LeaderLocator locator = LeaderLocator::client_local;
};

/// Mirrors of a classic queue, until 3.13 (the policies ha-*).
struct MirrorOptions {
  std::vector<std::uint16_t> nodes{};  ///< in the order in which they joined: the eldest is promoted
  bool automatic_sync = false;         ///< ha-sync-mode
  bool promote_on_failure = true;      ///< ha-promote-on-failure: always, or when-synced
};

struct QueueOptions {
  std::string name{};
  bool durable = true;
  bool auto_delete = false;  ///< deleted with its last consumer
  bool exclusive = false;    ///< of the connection that declares it, and gone with that
  /// Its process takes so long for a message that is published; 0: no time.
  sim::Duration service{};
  QueueArguments arguments{};
  std::uint16_t node = 0;  ///< where it is declared: the home of a classic queue, the first leader of others
  MirrorOptions mirrors{};
};

/// What a policy is for (apply-to).
enum class ApplyTo : std::uint8_t { all, queues, classic_queues, quorum_queues, streams, exchanges };

/// What a policy gives to queues and exchanges: keys of its definition.
struct PolicyDefinition {
  std::optional<sim::Duration> message_ttl{};
  std::optional<sim::Duration> expires{};
  std::optional<sim::Duration> consumer_timeout{};
  std::optional<std::int64_t> max_length{};
  std::optional<std::int64_t> max_length_bytes{};
  std::optional<Overflow> overflow{};
  std::optional<std::string> dead_letter_exchange{};
  std::optional<std::string> dead_letter_routing_key{};
  std::optional<std::string> alternate_exchange{};  ///< of exchanges
  std::optional<std::int64_t> delivery_limit{};     ///< of quorum queues, as the next
  std::optional<bool> dead_letter_at_least_once{};  ///< dead-letter-strategy
  bool queue_mode =
      false;  ///< it says something of that, which changes nothing and is of classic queues alone
};

struct PolicyOptions {
  std::string name{};
  std::string pattern{};  ///< a regular expression, found somewhere in the name
  ApplyTo apply_to = ApplyTo::all;
  std::int32_t priority = 0;  ///< of those that match the highest applies
  PolicyDefinition definition{};
};

struct BindingOptions {
  std::string source{};  ///< exchange
  std::string destination{};
  bool to_exchange = false;  ///< destination_type
  std::string routing_key{};
  Headers headers{};  ///< of a headers exchange: what a message has to have …
  bool any = false;   ///< … all of it, or any (x-match)
};

/// cluster_partition_handling.
enum class PartitionHandling : std::uint8_t { ignore, pause_minority, pause_if_all_down, autoheal };

/// rabbitmq.conf.
struct Config {
  sim::Duration heartbeat = std::chrono::seconds{60};  ///< proposed to clients; 0: none
  /// A channel that has not acknowledged a delivery for so long is closed; 0: never. Of classic queues until 4.2.
  sim::Duration consumer_timeout = std::chrono::minutes{30};
  /// total_memory_available_override_value: of each node; 0: no memory alarms.
  std::int64_t total_memory = 0;
  /// vm_memory_high_watermark.relative; below 0: 0.6, and 0.4 until 3.13.
  double memory_watermark = -1;
  std::int64_t memory_watermark_bytes = 0;    ///< vm_memory_high_watermark.absolute; 0: by the share
  std::int64_t disk_free_limit = 50'000'000;  ///< disk_free_limit.absolute
  double disk_free_share = 0;       ///< disk_free_limit.relative, of the memory; 0: by the absolute one
  std::uint32_t credit = 400;       ///< credit_flow_default_credit: a channel's with a queue …
  std::uint32_t credit_more = 200;  ///< … and so much more after each so many
  PartitionHandling partition_handling = PartitionHandling::ignore;
  std::vector<std::uint16_t> pause_if_all_down{};  ///< these nodes
  /// raft.adaptive_failure_detector.poll_interval: a silent node is suspected after it.
  sim::Duration detector_poll = std::chrono::seconds{5};
  /// A quorum queue takes back what a consumer at a suspected node holds after so long.
  sim::Duration consumer_disconnected_timeout = std::chrono::seconds{60};
  /// A single active consumer at a node that is away loses its turn after so long (stream_sac_disconnected_timeout).
  sim::Duration sac_disconnected_timeout = std::chrono::seconds{60};
};

struct BrokerOptions {
  std::string version = "4.2";
  Config config{};
  /// How long a queue writes what was published since its last write; the publishers' confirms wait for it.
  sim::Distribution disk_write = sim::Distribution::constant(0);
  /// How long the write-ahead log of a node's quorum queues takes for a batch, with its fsync.
  sim::Distribution disk_fsync = sim::Distribution::constant(0);
  std::int64_t disk_size = 0;  ///< of each node, for messages; 0: there is enough
  std::vector<PolicyOptions> policies{};
  std::vector<PolicyOptions> operator_policies{};
  std::vector<ExchangeOptions> exchanges{};
  std::vector<QueueOptions> queues{};
  std::vector<BindingOptions> bindings{};
  std::uint16_t nodes = 1;
  /// net_ticktime (Erlang's kernel): a node that was silent for so long is down; 0: never.
  sim::Duration net_ticktime = std::chrono::seconds{60};
  std::string rack{}, zone{}, region{};
  std::vector<std::string> racks{}, zones{}, regions{};  ///< of the nodes in turn, instead

  /// BROKERS.md: since 4.3 quorum queues alone have it.
  bool classic_consumer_timeout() const { return version < "4.3"; }
  /// Bytes in use above which a node raises its alarm; 0: never.
  std::int64_t memory_limit() const {
    if (config.memory_watermark_bytes > 0) return config.memory_watermark_bytes;
    const double share = config.memory_watermark >= 0 ? config.memory_watermark : version < "4" ? 0.4 : 0.6;
    return static_cast<std::int64_t>(share * static_cast<double>(config.total_memory));
  }
  /// Free bytes below which a node raises its alarm.
  std::int64_t disk_limit() const {
    if (config.disk_free_share <= 0) return config.disk_free_limit;
    return static_cast<std::int64_t>(config.disk_free_share * static_cast<double>(config.total_memory));
  }
};

/// What every connection has (com.rabbitmq.client.ConnectionFactory).
struct ConnectionOptions {
  sim::Duration heartbeat = std::chrono::seconds{60};  ///< requestedHeartbeat: the lower of both counts
  sim::Duration recovery_interval = std::chrono::seconds{5};  ///< networkRecoveryInterval
  /// Nodes that it knows. Each attempt to connect tries them all, in an order of its own; none: all.
  std::vector<std::uint16_t> addresses{};
};

/// A producer that speaks the stream protocol, to the stream's leader.
struct StreamPublisherOptions {
  std::string name{};             ///< under which the stream knows what it has; empty: nothing is recognised
  bool retry_on_recovery = true;  ///< what is unconfirmed is published again, as it was, after a reconnection
};

/// How a consumer that has a name has its offset stored with the stream.
enum class OffsetTracking : std::uint8_t { none, automatic, manual };

/// A consumer that speaks the stream protocol (com.rabbitmq.stream.ConsumerBuilder).
struct StreamConsumerOptions {
  std::string name{};
  OffsetTracking tracking = OffsetTracking::none;
  std::uint32_t store_every =
      10'000;  ///< messageCountBeforeStorage; of manual tracking what the application does
  sim::Duration flush_interval = std::chrono::seconds{5};  ///< of automatic tracking
  std::uint32_t credit = 10;  ///< chunks under way; each that arrives asks for one
  bool single_active_consumer = false;
};

/// What a producer says to this broker: basic.publish.
struct PublisherOptions {
  ConnectionOptions connection{};
  std::optional<std::string>
      exchange{};  ///< none: the exchange, or else the queue, that the producer's `to` names
  std::vector<std::string> routing_keys{};  ///< a message takes one by its key, or each in turn; none: `to`
  Headers headers{};
  bool persistent = true;      ///< delivery-mode 2
  bool mandatory = false;      ///< what matches no binding is returned
  std::uint32_t confirms = 0;  ///< confirm.select, and so many may be outstanding; 0: no confirms
  std::optional<sim::Duration> expiration{};  ///< of each message
  std::uint8_t priority = 0;                  ///< of each message
  std::optional<StreamPublisherOptions> stream{};
};

/// What a group's members say to it: basic.qos, basic.consume, basic.ack.
struct SubscriberOptions {
  ConnectionOptions connection{};
  std::vector<std::string> queues{};
  bool automatic_ack = false;              ///< no-ack
  std::uint32_t prefetch = 0;              ///< basic.qos of each consumer; 0: no limit
  std::uint32_t prefetch_global = 0;       ///< basic.qos with global: of all consumers of a channel together
  bool exclusive = false;                  ///< basic.consume: nobody else may
  std::vector<std::int32_t> priorities{};  ///< x-priority of the members in turn
  StreamOffset offset{};                   ///< x-stream-offset
  std::optional<StreamConsumerOptions> stream{};
  /// basic.ack with multiple, for so many at once (Spring's DirectMessageListenerContainer, messagesPerAck) …
  std::uint32_t messages_per_ack = 1;
  sim::Duration ack_timeout = std::chrono::seconds{20};  ///< … or what there is after so long (ackTimeout)
  bool nack_multiple =
      false;  ///< basic.nack with multiple: what waits for its acknowledgement goes back, too
  /// The producer with whose connection its members' count as one when alarms block it; empty: none.
  std::string same_connection_as{};
};

}  // namespace models::rabbitmq
