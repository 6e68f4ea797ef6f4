#include "models/kafka/consumer/group.hpp"

#include <algorithm>

#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/ruled_options.hpp"
#include "models/kafka/consumer/schema_reader.hpp"
#include "models/kafka/consumer/share_consumer.hpp"
#include "models/kafka/consumer/state_stores.hpp"

namespace models::kafka {

ConsumerGroup::ConsumerGroup(Cluster& cluster, const GroupOptions& options, EntityId group)
    : cluster_(cluster),
      options_(as_ruled(options, cluster.options().rules)),
      entity_(group),
      attempts_(cluster.partitions().size()),
      effects_(cluster, options_),
      poison_(cluster, options_) {
  cluster.add_reader(*this);
  for (const std::string& name : options_.topics) {
    const std::optional<TopicIndex> topic = cluster.find_topic(name);
    MQLAB_ASSERT(topic.has_value(), "a group reads a topic that the cluster does not have: " + name);
    topics_.push_back(*topic);
  }
  if (options_.streams) stores_ = std::make_unique<StateStores>(cluster, options_);
  // By name, so that a topic more in the cluster changes no draw.
  for (const TopicInfo& topic : cluster.topics()) {
    service_keys_.push_back(
        sim::stream_key(cluster.context().simulation.seed(), "service/" + options_.name + "/" + topic.name));
  }
}

ConsumerGroup::~ConsumerGroup() = default;

Consumer& ConsumerGroup::add_member(Node& node) {
  members_.push_back(std::make_unique<Consumer>(*this, node, static_cast<std::uint32_t>(members_.size())));
  standing_by_.push_back(false);
  return *members_.back();
}

void ConsumerGroup::read_with(schema::Schemas& schemas) {
  schemas_ = std::make_unique<GroupSchemas>(schemas, cluster_, options_, entity_, topics_);
}

ShareConsumer& ConsumerGroup::add_share_member(Node& node) {
  share_members_.push_back(std::make_unique<ShareConsumer>(*this, node));
  standing_by_.push_back(false);
  return *share_members_.back();
}

void ConsumerGroup::start() {
  Context& context = cluster_.context();
  for (const TopicIndex t : topics_) {
    const TopicInfo& topic = cluster_.topic(t);
    for (std::int32_t i = 0; i < topic.partitions_most; ++i) {
      const PartitionIndex p{topic.first.value + static_cast<std::uint32_t>(i)};
      const auto code =
          static_cast<std::uint16_t>((shared() ? kShared : 0) | (options_.materialise ? kMaterialises : 0));
      context.emit(Kind::subscribed,
                   {.code = code, .place = cluster_.partition(p).entity.value, .peer = entity_.value});
    }
  }
  if (schemas_) {
    schemas_->start([this] {
      for (const auto& member : members_) member->reconsider();
      for (const auto& member : share_members_) member->reconsider();
    });
  }
  sim::Duration delay = options_.start;
  const auto start_each = [&](const auto& members) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (standing_by_[i]) continue;
      context.simulation.schedule_after(delay, [consumer = members[i].get()] { consumer->start(); });
      delay += options_.stagger;
    }
  };
  start_each(members_);
  start_each(share_members_);
}

void ConsumerGroup::stop() {
  for (const auto& member : members_) member->stop();
  for (const auto& member : share_members_) member->stop();
}

void ConsumerGroup::tell_counts() const {
  if (stores_ && stores_->changes() != nullptr) stores_->tell_counts(cluster_.context(), entity_, topics_);
}

Offset ConsumerGroup::lowest_in_hand(PartitionIndex p) const {
  Offset lowest = kNoLowest;
  for (const auto& member : members_) lowest = std::min(lowest, member->lowest_in_hand(p));
  for (const auto& member : share_members_) lowest = std::min(lowest, member->lowest_in_hand(p));
  return lowest;
}

void ConsumerGroup::expires(PartitionIndex p, const ReplicaLog& log, Offset below) {
  if (stores_) stores_->expires(p, log, below);
}

bool ConsumerGroup::idle() const {
  const auto is_idle = [](const auto& member) { return member->idle(); };
  return std::all_of(members_.begin(), members_.end(), is_idle) &&
         std::all_of(share_members_.begin(), share_members_.end(), is_idle);
}

}  // namespace models::kafka
