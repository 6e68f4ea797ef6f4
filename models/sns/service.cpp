#include "models/sns/service.hpp"

#include <algorithm>

namespace models::sns {

Service::Service(Context& context, const ServiceOptions& options, Node& node)
    : context_(context), options_(options), node_(node), latency_(context.simulation.seed(), "sns/latency") {
  for (const TopicOptions& topic : options.topics) topics_.push_back({topic, {}, {}, {}, 0});
  node.set_program(*this);
}

std::optional<TopicIndex> Service::find_topic(const std::string& name) const {
  const auto at = std::find_if(topics_.begin(), topics_.end(),
                               [&name](const Topic& topic) { return topic.options.name == name; });
  if (at == topics_.end()) return std::nullopt;
  return TopicIndex{static_cast<std::uint16_t>(at - topics_.begin())};
}

void Service::add_subscription(std::unique_ptr<Subscription> subscription) {
  subscriptions_.push_back(std::move(subscription));
}

std::uint16_t Service::address(TopicIndex topic, const MessageKind& kind) {
  Address address{topic, {}, {}, kind.attributes && kind.attributes->names.size() > kRawAttributesMost};
  Json nothing;
  nothing.type = Json::Type::object;
  for (std::size_t i = 0; i < options_.subscriptions.size(); ++i) {
    const SubscriptionOptions& own = options_.subscriptions[i];
    if (own.topic != topics_[topic.value].options.name) continue;
    const bool by_body = own.filter_policy_scope == FilterPolicyScope::message_body;
    // A message without a JSON body has nothing that such a policy could match.
    const Json& looked_at = by_body ? kind.body.value_or(Json{}) : kind.attributes.value_or(nothing);
    const bool goes =
        !own.filter_policy || FilterPolicy(*own.filter_policy, own.filter_policy_scope).matches(looked_at);
    (goes ? address.targets : address.filtered).push_back(static_cast<std::uint16_t>(i));
  }
  addresses_.push_back(std::move(address));
  return static_cast<std::uint16_t>(addresses_.size() - 1);
}

/// Model: of a batch with several message groups the first one's quota is looked at.
bool Service::throttled(Topic& topic, std::span<const Entry> entries) {
  const auto count = static_cast<std::uint32_t>(entries.size());
  if (!topic.options.fifo) return !standard_.admit(options_.publishes_per_second, context_.now(), count);
  const bool by_group = topic.options.throughput_scope == ThroughputScope::message_group;
  const sqs::GroupKey group = by_group ? entries.front().group : sqs::GroupKey{};
  return !topic.limits.admit(group, options_.fifo_publishes_per_second, context_.now(), count);
}

bool Service::duplicate(Topic& topic, const Entry& entry) {
  while (!topic.in_order.empty() && topic.seen[topic.in_order.front()] <= context_.now()) {
    topic.seen.erase(topic.in_order.front());
    topic.in_order.pop_front();
  }
  const std::uint64_t scope =
      topic.options.throughput_scope == ThroughputScope::message_group ? entry.group.id : 0;
  const Seen id{scope, entry.deduplication};
  const bool first = topic.seen.emplace(id, context_.simulation.after(kDeduplicationInterval)).second;
  if (first) topic.in_order.push_back(id);
  return !first;
}

Error Service::publish(std::span<const Entry> entries) {
  Topic& topic = topics_[addresses_[entries.front().address].topic.value];
  if (throttled(topic, entries)) return Error::throttled;
  topic.published += entries.size();
  for (const Entry& entry : entries) {
    if (!topic.options.fifo || !duplicate(topic, entry)) fan_out(entry);
  }
  return Error::none;
}

void Service::fan_out(const Entry& entry) {
  const Address& address = addresses_[entry.address];
  for (const std::uint16_t subscription : address.filtered) subscriptions_[subscription]->filtered();
  for (const Entry::Copy& copy : entry.copies) {
    Notification n;
    n.seq = copy.seq;
    n.lane = copy.lane;
    n.published = context_.now();
    n.size = entry.size;
    n.group = entry.group;
    n.deduplication = entry.deduplication;
    n.too_many_attributes = address.many_attributes;
    subscriptions_[copy.subscription]->take(n);
  }
}

TopicMetrics Service::metrics(TopicIndex t) const {
  TopicMetrics sum;
  sum.published = topics_[t.value].published;
  for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
    if (options_.subscriptions[i].topic != topics_[t.value].options.name) continue;
    const Subscription& own = *subscriptions_[i];
    sum.delivered += own.count(NotificationCode::delivered);
    sum.failed += own.failures();
    sum.filtered_out += own.count(NotificationCode::filtered_out);
    sum.redriven += own.count(NotificationCode::redriven);
  }
  return sum;
}

void Service::tell() const {
  for (const auto& subscription : subscriptions_) subscription->endpoint().tell();
}

void Service::tell_end() const {
  for (const auto& subscription : subscriptions_) subscription->endpoint().tell_end();
}

bool Service::idle() const {
  return std::all_of(subscriptions_.begin(), subscriptions_.end(), [](const auto& s) { return s->idle(); });
}

void Service::crashed() {
  for (const auto& subscription : subscriptions_) subscription->crashed();
  for (Subscription* const way : ways_) way->crashed();
}

void Service::restarted() {
  for (const auto& subscription : subscriptions_) subscription->restarted();
  for (Subscription* const way : ways_) way->restarted();
}

}  // namespace models::sns
