// Amazon SNS and what its publishers ask of it, as plain data. Names and defaults are those of its API (CreateTopic, Subscribe,
// Publish …); limits are those of its quotas.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/sns/delivery_policy.hpp"
#include "models/sns/filter_policy.hpp"
#include "models/sns/json.hpp"
#include "models/sqs/options.hpp"
#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models::sns {

inline constexpr std::uint32_t kBatchMost = 10;         ///< entries of a PublishBatch
inline constexpr std::uint32_t kSizeMost = 256 * 1024;  ///< of a request
inline constexpr sim::Duration kDeduplicationInterval = std::chrono::minutes{5};  ///< of FIFO topics
/// With raw delivery to a queue a message may have so many attributes; one with more is a client-side error
/// (sns-large-payload-raw-message-delivery).
inline constexpr std::size_t kRawAttributesMost = 10;

/// Of HTTP/S endpoints.
struct DeliveryPolicy {
  RetryPolicy retry{};                    ///< healthyRetryPolicy
  std::uint32_t receives_per_second = 0;  ///< throttlePolicy.maxReceivesPerSecond; 0: no throttling
};

/// Over what a FIFO topic's throughput is counted and duplicates are looked for.
enum class ThroughputScope : std::uint8_t { topic, message_group };

struct TopicOptions {
  std::string name{};
  bool fifo = false;                                          ///< FifoTopic
  bool content_based_deduplication = false;                   ///< ContentBasedDeduplication
  ThroughputScope throughput_scope = ThroughputScope::topic;  ///< FifoThroughputScope
  std::optional<DeliveryPolicy> delivery_policy{};            ///< of its HTTP/S subscriptions
};

enum class Protocol : std::uint8_t { sqs, http, https, lambda, firehose };
/// Whether its endpoint is a dependency, and not a queue.
constexpr bool calls(Protocol p) {
  return p != Protocol::sqs;
}

struct SubscriptionOptions {
  std::string name{};
  std::string topic{};
  Protocol protocol = Protocol::sqs;
  std::string endpoint{};               ///< queue of [sqs], or a dependency
  std::optional<Json> filter_policy{};  ///< FilterPolicy
  FilterPolicyScope filter_policy_scope = FilterPolicyScope::message_attributes;
  bool raw_message_delivery = false;  ///< RawMessageDelivery
  std::string dead_letter_queue{};    ///< the name in RedrivePolicy.deadLetterTargetArn; empty: none
  std::optional<DeliveryPolicy> delivery_policy{};  ///< HTTP/S alone
};

struct ServiceOptions {
  std::vector<TopicOptions> topics{};
  std::vector<SubscriptionOptions> subscriptions{};
  sim::Distribution latency = sim::Distribution::constant(0);  ///< that a Publish is worked on
  sim::Distribution delivery =
      sim::Distribution::constant(0);                         ///< from there to the first attempt to deliver
  sim::Duration endpoint_timeout = std::chrono::seconds{15};  ///< that an endpoint may take to answer
  // Quotas: messages a second of all standard topics (us-east-1), and of a FIFO topic with its scope.
  std::uint32_t publishes_per_second = 30'000;
  std::uint32_t fifo_publishes_per_second = 3'000;
  std::string rack{}, zone{}, region{};
};

/// What a message has that filter policies look at.
struct MessageKind {
  double share = 1;                  ///< of all messages
  std::optional<Json> attributes{};  ///< MessageAttributes
  std::optional<Json> body{};        ///< Message, where it is JSON
};

/// What a producer says to SNS.
struct PublisherOptions {
  sqs::SdkOptions sdk{};
  std::uint32_t batch = 1;                                    ///< messages of a PublishBatch; 1: Publish
  sim::Duration batch_open = std::chrono::milliseconds{200};  ///< that the first of them waits for others
  std::uint32_t requests = 1;                                 ///< under way at a time
  std::vector<MessageKind> messages{};                        ///< none: without attributes
  std::string message_group_id{};  ///< of a FIFO topic's messages; empty: their keys are their groups
  /// The application gives each call of Publish a MessageDeduplicationId of its own, so that one that is done again is another
  /// message.
  bool new_deduplication_id_each_call = false;
};

}  // namespace models::sns
