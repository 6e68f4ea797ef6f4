// Amazon SNS: topics, and what becomes of a Publish. Its hosts are one node, sns/0.
//
// A message that was accepted goes to each subscription whose filter policy lets it through; each goes on by itself
// (Subscription). Of a FIFO topic a message whose deduplication id was seen within five minutes is accepted and goes nowhere.
//
// Model: which subscriptions a kind of message goes to is found while the world is built: policies do not change in a run. (A
// changed policy takes up to 15 minutes to be in effect everywhere.)
// Model: quotas are token buckets of one second's messages, of all standard topics and of each FIFO topic or message group.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "models/context.hpp"
#include "models/network/node.hpp"
#include "models/sns/options.hpp"
#include "models/sns/subscription.hpp"
#include "models/sqs/group_limits.hpp"
#include "models/sqs/rate_limit.hpp"

namespace models::sns {

using TopicIndex = Id<struct SnsTopicTag, std::uint16_t>;

/// One entry of a Publish or PublishBatch.
struct Entry {
  /// What a subscription gets of it.
  struct Copy {
    std::uint16_t subscription = 0;
    LaneId lane{};
    std::uint64_t seq = 0;
  };
  std::vector<Copy> copies{};
  std::uint16_t address = 0;
  sim::Time created{};
  std::int64_t key = -1;
  std::uint32_t size = 0;
  sqs::GroupKey group{};
  std::uint64_t deduplication = 0;
};

/// What Publish answers, by the names of SNS's errors.
enum class Error : std::uint16_t {
  none,
  throttled,        ///< ThrottledException
  connection_lost,  ///< of the SDK: nobody has answered
  timed_out,        ///< of the SDK
};
constexpr bool in_doubt(Error e) {
  return e == Error::connection_lost || e == Error::timed_out;
}

/// What CloudWatch counts of a topic, since the run's start.
struct TopicMetrics {
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;  ///< of HTTP/S endpoints each attempt that fails, of others what is given up
  std::uint64_t filtered_out = 0;
  std::uint64_t redriven = 0;
};

class Service final : public NodeProgram {
 public:
  Service(Context& context, const ServiceOptions& options, Node& node);

  Node& node() { return node_; }
  const ServiceOptions& options() const { return options_; }
  std::optional<TopicIndex> find_topic(const std::string& name) const;
  const TopicOptions& topic(TopicIndex t) const { return topics_[t.value].options; }

  std::size_t topics() const { return topics_.size(); }
  TopicMetrics metrics(TopicIndex t) const;

  // ---- while the world is built ----
  /// In the order of the options.
  void add_subscription(std::unique_ptr<Subscription> subscription);
  /// The way of dead letters: it stops with this host, too.
  void add_way(Subscription& way) { ways_.push_back(&way); }
  Subscription& subscription(std::size_t i) { return *subscriptions_[i]; }
  /// A kind of messages of a topic: whom it goes to, and who filters it out. Throws FilterPolicyError.
  std::uint16_t address(TopicIndex topic, const MessageKind& kind);
  const std::vector<std::uint16_t>& targets(std::uint16_t address) const {
    return addresses_[address].targets;
  }
  bool is_fifo(std::uint16_t address) const { return topic(addresses_[address].topic).fifo; }

  // ---- the run ----
  /// All of them are accepted, or none.
  Error publish(std::span<const Entry> entries);
  void tell() const;
  void tell_end() const;
  bool idle() const;
  sim::Duration latency() { return options_.latency.sample_duration(latency_); }

  // NodeProgram
  void crashed() override;
  void restarted() override;

 private:
  /// By message group (0: the topic) and deduplication id.
  using Seen = std::pair<std::uint64_t, std::uint64_t>;
  struct Topic {
    TopicOptions options;
    sqs::GroupLimits limits;  // of message groups, or of the topic as one
    std::map<Seen, sim::Time> seen;
    std::deque<Seen> in_order;
    std::uint64_t published = 0;
  };
  struct Address {
    TopicIndex topic{};
    std::vector<std::uint16_t> targets;
    std::vector<std::uint16_t> filtered;
    bool many_attributes = false;
  };

  bool throttled(Topic& topic, const std::span<const Entry> entries);
  bool duplicate(Topic& topic, const Entry& entry);
  void fan_out(const Entry& entry);

  Context& context_;
  ServiceOptions options_;
  Node& node_;
  std::deque<Topic> topics_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  std::vector<Subscription*> ways_;
  std::vector<Address> addresses_;
  sqs::RateLimit standard_;
  sim::Stream latency_;
};

}  // namespace models::sns
