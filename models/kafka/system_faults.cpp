// What faults can strike of it, and what operators can do to it.
#include <algorithm>

#include "models/faults/topic_faults.hpp"
#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/operations.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/kafka/system.hpp"

namespace models::kafka {
namespace {

using Operator = FaultTargets::Topic::Asker;
Asker as_kafka(const Operator& asker) {
  return {asker.client, asker.permissive};
}

}  // namespace

void System::add_targets(FaultInjector& faults) {
  for (const auto& cluster : clusters_) {
    for (std::int32_t b = 0; b < cluster->broker_count(); ++b) faults.add_target(cluster->node(BrokerId{b}));
    for (std::int32_t n = 0; n < cluster->options().controllers; ++n)
      faults.add_target(cluster->node(controller_id(n)));
    if (Node* const store = cluster->remote_storage()) faults.add_target(*store);
  }
  for (const Sending& one : producers_) {
    Producer& producer = *one.producer;
    faults.add_writer(producer.node().name(),
                      {producer.node().entity(), [&producer](const std::string& version, std::int64_t n) {
                         return producer.write_wrong(version, n);
                       }});
  }
  for (const auto& cluster : clusters_) add_topic_roles(faults, *cluster);
  add_failovers(faults);
}

void System::add_failovers(FaultInjector& faults) {
  for (const ProducerOptions& options : scenario().producers) {
    if (!options.failover) continue;
    const auto entity = context().entities.find(options.instances == 1 ? options.name : options.name + "/0");
    faults.add_application(options.name, {entity, [this, &options] { return fail_over(options); }});
  }
  for (const Moving& group : moving_) {
    faults.add_application(group.from->options().name, {group.from->entity(), [this, group] {
                                                          return fail_over(*group.from, *group.to);
                                                        }});
  }
}

bool System::fail_over(const ProducerOptions& options) {
  bool moved = false;
  for (Sending& one : producers_) {
    if (one.name != options.name || !one.standing_by) continue;
    moved = true;
    one.standing_by = false;
    one.producer->start();
  }
  for (Sending& one : producers_) {
    const bool old = moved && one.name == options.name && &one.producer->options() == &options;
    if (old) one.producer->stop_arrivals();
  }
  return moved;
}

bool System::fail_over(ConsumerGroup& from, ConsumerGroup& to) {
  const auto running = [](const auto& member) { return member->running(); };
  if (std::any_of(to.members().begin(), to.members().end(), running)) return false;
  from.stop();
  if (&from.cluster() != &to.cluster()) {
    for (const TopicIndex t : from.topics()) {
      const TopicInfo& topic = from.cluster().topic(t);
      for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(topic.partitions_most); ++n) {
        const PartitionIndex p{topic.first.value + n};
        context().emit(Kind::failed_over,
                       {.place = from.cluster().partition(p).entity.value, .peer = from.entity().value});
      }
    }
  }
  for (const auto& member : to.members()) member->start();
  return true;
}

void System::add_topic_roles(FaultInjector& faults, Cluster& cluster) {
  std::vector<Node*> brokers, controllers;
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) brokers.push_back(&cluster.node(BrokerId{b}));
  for (std::int32_t n = 0; !cluster.options().zookeeper && n < cluster.options().controllers; ++n)
    controllers.push_back(&cluster.node(controller_id(n)));
  faults.add_role(
      cluster.options().prefix() + "active controller",
      [&cluster]() -> Node* {
        Controller* const active = cluster.active_controller();
        return active == nullptr ? nullptr : &active->node();
      },
      cluster.options().zookeeper ? brokers : controllers);
  for (std::uint32_t t = 0; t < cluster.topics().size(); ++t) {
    const TopicIndex index{t};
    const TopicInfo& topic = cluster.topic(index);
    if (topic.internal) continue;
    faults.add_topic(cluster.options().prefix() + topic.name,
                     {topic.entity, std::max(topic.partitions, topic.partitions_created),
                      [&cluster](const Operator& asker) {
                        Controller* const active = office(cluster);
                        return active == nullptr ? sim::Duration{} : active->muted(as_kafka(asker));
                      },
                      [&cluster, index](std::int32_t count, const Operator& asker) {
                        Controller* const active = office(cluster);
                        return active != nullptr && active->create_partitions(index, count, as_kafka(asker));
                      },
                      [&cluster, index](const Operator& asker) {
                        Controller* const active = office(cluster);
                        return active != nullptr && active->create_topic(index, as_kafka(asker));
                      },
                      [&cluster, index](const std::vector<std::int32_t>& wanted, double throttle) {
                        std::vector<BrokerId> target;
                        for (const std::int32_t b : wanted) target.push_back(BrokerId{b});
                        Controller* const active = office(cluster);
                        return active != nullptr && active->reassign(index, target, throttle);
                      },
                      [&cluster, index] {
                        Controller* const active = office(cluster);
                        return active != nullptr && active->elect_preferred(index);
                      },
                      [this, &cluster, index](std::optional<std::int64_t> offset,
                                              std::optional<sim::Duration> older_than) {
                        return delete_records(cluster, index, offset, older_than);
                      },
                      static_cast<std::int32_t>(cluster.partition(topic.first).replicas.size()),
                      cluster.broker_count(), cluster.options().name,
                      [&cluster, index](const std::string& path, const TopicSettings& settings) {
                        return altering(cluster, index, path, settings);
                      },
                      [&cluster, index] {
                        Controller* const active = office(cluster);
                        return active != nullptr && active->elect_unclean(index);
                      }});
  }
  for (std::uint32_t p = 0; p < cluster.partitions().size(); ++p) {
    const PartitionIndex partition{p};
    if (cluster.topic_of(partition).internal) continue;
    faults.add_role(
        "leader " + context().entities[cluster.partition(partition).entity].name,
        [&cluster, partition]() -> Node* {
          const BrokerId leader = cluster.metadata_log().state(partition).leader;
          return leader == kNoBroker ? nullptr : &cluster.node(leader);
        },
        brokers);
  }
}

bool System::delete_records(Cluster& cluster, TopicIndex topic, std::optional<std::int64_t> offset,
                            std::optional<sim::Duration> older_than) {
  const TopicInfo& info = cluster.topic(topic);
  bool done = false;
  for (std::int32_t n = 0; n < info.partitions_most; ++n) {
    const PartitionIndex p{info.first.value + static_cast<std::uint32_t>(n)};
    const BrokerId leader = cluster.metadata_log().state(p).leader;
    if (leader == kNoBroker) continue;
    Broker& broker = cluster.broker(leader);
    Offset to = offset.value_or(kNoOffset);
    // Whoever thinks in times asks for the offset first (ListOffsets).
    if (older_than) {
      const Offset younger = broker.replica(p)->log.first_younger(context().simulation.now() - *older_than);
      to = to == kNoOffset ? younger : std::min(to, younger);
    }
    done |= broker.delete_records(p, to) == ErrorCode::none;
  }
  return done;
}

}  // namespace models::kafka
