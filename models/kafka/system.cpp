#include "models/kafka/system.hpp"

#include <algorithm>

#include "models/faults/topic_faults.hpp"
#include "models/kafka/autoscaler.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/share_consumer.hpp"
#include "models/kafka/invariants.hpp"
#include "models/kafka/mirror/mirror.hpp"
#include "models/kafka/operations.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/near_miss.hpp"
#include "models/scenario_error.hpp"

namespace models::kafka {
namespace {

/// Topics get room for the partitions that a fault will create.
ClusterOptions with_room_to_grow(ClusterOptions options, const std::vector<FaultSpec>& faults) {
  for (TopicOptions& topic : options.topics) {
    for (const FaultSpec& fault : faults) {
      if (fault.kind == "grow" && fault.target == options.prefix() + topic.name)
        topic.partitions_most = std::max(topic.partitions_most, fault.partitions.value_or(0));
      if (fault.kind == "create-topic" && fault.target == options.prefix() + topic.name)
        topic.created_later = true;
      if (fault.kind == "alter-config" && fault.target == options.prefix() + topic.name)
        topic.keys_read = topic.keys_read || would_compact(fault.config);
      if (fault.kind == "reassign" && fault.target == options.prefix() + topic.name)
        for (const std::string& broker : fault.brokers)
          topic.moves_to.push_back(models::faults::broker_number(broker, options.name));
    }
  }
  return options;
}

/// What a mirror writes to at its target.
/// Model: a partition for each that the source's topic will ever have, from the beginning; MirrorSourceConnector adds one when it
/// finds the source's (refresh.topics.interval.seconds). Until then it is empty.
std::vector<TopicOptions> mirrored_topics(const Scenario& scenario, const MirrorOptions& mirror) {
  std::vector<TopicOptions> topics;
  const auto look = [&](const ClusterOptions& cluster) {
    if (cluster.name != mirror.from) return;
    for (const TopicOptions& topic : cluster.topics) {
      if (std::find(mirror.topics.begin(), mirror.topics.end(), topic.name) == mirror.topics.end()) continue;
      TopicOptions copy;
      copy.name = mirror.remote_topic(topic.name);
      copy.partitions = topic.partitions;
      for (const FaultSpec& fault : scenario.faults) {
        if (fault.kind == "grow" && fault.target == cluster.prefix() + topic.name)
          copy.partitions = std::max(copy.partitions, fault.partitions.value_or(0));
      }
      copy.replication_factor = mirror.config.replication_factor;
      topics.push_back(std::move(copy));
    }
  };
  look(*scenario.kafka);
  for (const ClusterOptions& cluster : scenario.clusters) look(cluster);
  return topics;
}

/// Does a client of that cluster use transactions?
bool uses_transactions(const Scenario& scenario, const std::string& cluster) {
  const auto of_cluster = [&cluster](const auto& client) {
    return client.cluster == cluster || (client.failover && client.failover->cluster == cluster);
  };
  return std::any_of(scenario.groups.begin(), scenario.groups.end(),
                     [&](const GroupOptions& g) {
                       return g.commit == CommitMode::in_transaction && of_cluster(g);
                     }) ||
         std::any_of(scenario.producers.begin(), scenario.producers.end(),
                     [&](const ProducerOptions& p) { return p.transactions.has_value() && of_cluster(p); });
}

}  // namespace

System::System(const Site& site) : site_(site) {
  add_cluster(*scenario().kafka);
  for (const ClusterOptions& options : scenario().clusters) add_cluster(options);
}

System::~System() = default;

Cluster& System::cluster(const std::string& path, const std::string& name) {
  std::vector<std::string_view> known;
  for (const auto& cluster : clusters_) {
    if (cluster->options().name == name) return *cluster;
    known.push_back(cluster->options().name);
  }
  throw ScenarioError(path, "there is no cluster '" + name + "'" + did_you_mean(name, known));
}

void System::add_cluster(ClusterOptions options) {
  options.transactional = uses_transactions(scenario(), options.name);
  for (const GroupOptions& group : scenario().groups) {
    if (group.type == GroupType::share && group.cluster == options.name)
      options.share_groups.emplace_back(group.name, group.config.share);
  }
  for (TopicOptions& topic : options.topics) {
    topic.times_read =
        std::any_of(scenario().groups.begin(), scenario().groups.end(), [&](const GroupOptions& g) {
          return g.cluster == options.name && g.streams && g.streams->windows &&
                 std::find(g.topics.begin(), g.topics.end(), topic.name) != g.topics.end();
        });
    topic.keys_read =
        topic.times_read ||
        std::any_of(scenario().groups.begin(), scenario().groups.end(), [&](const GroupOptions& g) {
          return g.cluster == options.name && g.hand_off && g.hand_off->order == HandOff::Order::key &&
                 std::find(g.topics.begin(), g.topics.end(), topic.name) != g.topics.end();
        });
  }
  options.power_may_fail = std::any_of(
      scenario().faults.begin(), scenario().faults.end(),
      [](const FaultSpec& fault) { return fault.kind == "power-loss" || fault.kind == "disk-loss"; });
  for (const MirrorOptions& mirror : scenario().mirrors) {
    if (mirror.to != options.name) continue;
    for (const TopicOptions& copy : mirrored_topics(scenario(), mirror)) {
      const auto there = std::find_if(options.topics.begin(), options.topics.end(),
                                      [&copy](const auto& topic) { return topic.name == copy.name; });
      if (there == options.topics.end())
        options.topics.push_back(copy);
      else
        there->partitions = std::max(there->partitions, copy.partitions);
    }
  }
  clusters_.push_back(
      std::make_unique<Cluster>(context(), with_room_to_grow(std::move(options), scenario().faults)));
}

void System::add_writers() {
  add_producers();
  add_mirrors();
}

void System::add_producers() {
  for (const ProducerOptions& options : scenario().producers) {
    if (!of_kafka(scenario(), options.cluster)) continue;
    const std::string path = "producers." + options.name;
    add_producer(options, options.name, cluster(path + ".cluster", options.cluster),
                 {options.rack, options.zone, options.region});
    if (!options.failover) continue;
    const FailoverOptions& to = *options.failover;
    elsewhere_.push_back(std::make_unique<ProducerOptions>(options));
    elsewhere_.back()->name = options.name + "@" + to.cluster;
    const std::size_t first = producers_.size();
    add_producer(*elsewhere_.back(), elsewhere_.back()->name, cluster(path + ".failover.cluster", to.cluster),
                 {to.rack, to.zone, to.region});
    for (std::size_t i = first; i < producers_.size(); ++i) {
      producers_[i].name = options.name;
      producers_[i].standing_by = true;
    }
  }
}

void System::add_producer(const ProducerOptions& options, const std::string& table, Cluster& cluster,
                          const Location& location) {
  ProducerSetup setup;
  setup.schemas = site_.schemas;
  // One table for all of them: each key is hashed once, and the table stays in the cache.
  if (const auto topic = cluster.find_topic(options.to); topic && options.keys.in_records()) {
    const TopicInfo& info = cluster.topic(*topic);
    // Of one that does not exist yet as many as there may be: until its metadata says how many nothing is routed.
    const auto partitions =
        static_cast<std::uint32_t>(info.partitions > 0 ? info.partitions : info.partitions_most);
    setup.keys = std::make_shared<KeyPartitions>(options.keys, partitions, key_hash(options.config));
  }
  if (options.admission && options.admission->shed) {
    const auto watched =
        std::find_if(scenario().groups.begin(), scenario().groups.end(),
                     [&](const GroupOptions& g) { return g.name == options.admission->shed->group; });
    if (watched == scenario().groups.end())
      throw ScenarioError("producers." + options.name + ".admission.shed.group", "is no group");
    setup.topics_watched = watched->topics;
  }
  for (std::uint32_t i = 0; i < options.instances; ++i) {
    const std::string name = options.instances == 1 ? table : table + "/" + std::to_string(i);
    Node& node = site_.add_node(EntityKind::producer, name, {}, i, location);
    if (i == 0) first_of_.emplace(table, node.entity());
    if (!options.same_keys_as.empty())
      same_keys_.emplace_back(node.entity(), first_of_.at(options.same_keys_as));
    if (options.transactions)
      setup.transactional_id =
          numbered(options.config.transactional_id.empty() ? name : options.config.transactional_id, i);
    producers_.push_back({table, std::make_unique<Producer>(cluster, node, options, setup), false});
  }
}

void System::add_mirrors() {
  for (const MirrorOptions& options : scenario().mirrors) {
    const std::string path = "mirrors." + options.name;
    std::vector<std::string> groups;
    for (const GroupOptions& group : scenario().groups) {
      if (group.cluster == options.from) groups.push_back(group.name);
    }
    Cluster& from = cluster(path + ".from", options.from);
    mirrors_.push_back(
        std::make_unique<Mirror>(from, cluster(path + ".to", options.to), options, std::move(groups)));
    const GroupOptions tasks = Mirror::group_options(options);
    groups_.push_back(std::make_unique<ConsumerGroup>(
        from, tasks, context().entities.add(EntityKind::group, options.name)));
    groups_.back()->serve(*mirrors_.back());
    mirrors_.back()->served_by(groups_.back()->entity());
    for (std::uint32_t i = 0; i < tasks.members; ++i) {
      groups_.back()->add_member(site_.add_node(EntityKind::member, options.name + "/" + std::to_string(i),
                                                groups_.back()->entity(), i,
                                                {options.rack, options.zone, options.region}));
    }
  }
}

void System::add_readers() {
  for (const GroupOptions& options : scenario().groups) {
    if (!of_kafka(scenario(), options.cluster)) continue;
    const std::string path = "groups." + options.name;
    const GroupOptions& root = root_of(options);
    const EntityId whole = &root == &options ? EntityId{} : context().entities.find(root.name);
    const EntityId own = context().entities.add(EntityKind::group, options.name, whole);
    const EntityId entity = &root == &options ? own : whole;
    ConsumerGroup& group =
        add_group(options, entity, options.name, cluster(path + ".cluster", options.cluster),
                  {options.rack, options.zone, options.region});
    if (&root != &options) {
      const auto first = std::find_if(groups_.begin(), groups_.end(),
                                      [&](const auto& g) { return g->options().name == root.name; });
      group.poison().same_as((*first)->poison());
    }
    if (!options.failover) continue;
    const FailoverOptions& to = *options.failover;
    Cluster& there = cluster(path + ".failover.cluster", to.cluster);
    GroupOptions standing_by = options;
    standing_by.topics = topics_at(there, options);
    standing_by.rack = to.rack;
    standing_by.racks.clear();
    ConsumerGroup& other =
        add_group(standing_by, entity, options.name + "@" + to.cluster, there, {to.rack, to.zone, to.region});
    for (std::uint32_t i = 0; i < options.members; ++i) other.stand_by(i);
    moving_.push_back({&group, &other});
  }
}

const GroupOptions& System::root_of(const GroupOptions& group) const {
  if (group.part_of.empty()) return group;
  for (const GroupOptions& other : scenario().groups) {
    if (other.name == group.part_of && &other < &group) return root_of(other);
  }
  throw ScenarioError("groups." + group.name + ".part_of",
                      "there is no group '" + group.part_of + "' before it");
}

/// What a group hands on are the same messages at other places.
void System::tell_retries() {
  for (const GroupOptions& group : scenario().groups) {
    if (!group.poison || group.poison->then != PoisonOptions::Then::hand_on) continue;
    Cluster& at = cluster("groups." + group.name + ".cluster", group.cluster);
    const TopicInfo& from = at.topic(*at.find_topic(root_of(group).topics.front()));
    const TopicInfo& to = at.topic(*at.find_topic(group.poison->to));
    for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(from.partitions); ++n) {
      context().emit(Kind::mirrors, {.place = at.partition(PartitionIndex{to.first.value + n}).entity.value,
                                     .peer = at.partition(PartitionIndex{from.first.value + n}).entity.value,
                                     .a = 1});
    }
  }
}

ConsumerGroup& System::add_group(const GroupOptions& options, EntityId entity, const std::string& name,
                                 Cluster& cluster, const Location& location) {
  groups_.push_back(std::make_unique<ConsumerGroup>(cluster, options, entity));
  if (options.calls)
    groups_.back()->call(site_.dependency("groups." + options.name + ".calls.to", options.calls->to));
  if (options.schema && site_.schemas) groups_.back()->read_with(*site_.schemas);
  for (std::uint32_t i = 0; i < options.members; ++i) {
    Location at = location;
    if (!options.racks.empty()) at.rack = options.racks[i % options.racks.size()];
    Node& node = site_.add_node(EntityKind::member, name + "/" + std::to_string(i), entity, i, std::move(at));
    if (options.type == GroupType::share)
      groups_.back()->add_share_member(node);
    else
      groups_.back()->add_member(node);
    const bool scaled = options.autoscale && i >= options.autoscale->min;
    if (scaled || joins_later(node.name())) groups_.back()->stand_by(i);
  }
  if (options.autoscale) {
    Node& node = site_.add_node(EntityKind::nothing, name + "-autoscaler", {}, 0, location);
    autoscalers_.push_back(std::make_unique<Autoscaler>(*groups_.back(), node));
  }
  return *groups_.back();
}

ConsumerGroup& System::add_group(const GroupOptions& options, EntityId entity) {
  groups_.push_back(std::make_unique<ConsumerGroup>(*cluster(), options, entity));
  return *groups_.back();
}

/// What a group reads at another cluster: topics of the same names, and copies of its own.
std::vector<std::string> System::topics_at(Cluster& cluster, const GroupOptions& group) const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (cluster.find_topic(name) && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  for (const std::string& topic : group.topics) {
    add(topic);
    for (const MirrorOptions& mirror : scenario().mirrors) {
      if (mirror.from == group.cluster && mirror.to == cluster.options().name)
        add(mirror.remote_topic(topic));
    }
  }
  if (names.empty())
    throw ScenarioError("groups." + group.name + ".failover.cluster", "has none of the group's topics");
  return names;
}

bool System::joins_later(const std::string& member) const {
  return std::any_of(scenario().faults.begin(), scenario().faults.end(), [&member](const FaultSpec& fault) {
    return fault.kind == "join" && fault.target == member;
  });
}

void System::watch_invariants() {
  for (const auto& cluster : clusters_) {
    invariants_.push_back(std::make_unique<Invariants>(*cluster));
    for (const GroupOptions& group : scenario().groups) {
      if (group.cluster == cluster->options().name) invariants_.back()->watch(group.name);
    }
    for (const MirrorOptions& mirror : scenario().mirrors) {
      if (mirror.from == cluster->options().name) invariants_.back()->watch(mirror.name);
    }
  }
}

std::optional<std::string> System::broken() {
  for (const auto& invariants : invariants_) {
    if (Finding found = invariants->check()) return found;
  }
  return std::nullopt;
}

void System::tell() {
  for (const auto& [one, other] : same_keys_)
    context().emit(Kind::same_keys, {.actor = one.value, .peer = other.value});
}

void System::start_brokers() {
  for (const auto& cluster : clusters_) cluster->start();
  for (const auto& mirror : mirrors_) mirror->tell();
  tell_retries();
}

void System::start_readers() {
  for (const auto& group : groups_) group->start();
  for (const auto& scaler : autoscalers_) scaler->start();
}

void System::start_writers() {
  for (const Sending& one : producers_) {
    if (!one.standing_by) one.producer->start();
  }
}

void System::stop_arrivals() {
  for (const Sending& one : producers_) {
    if (!one.standing_by) one.producer->stop_arrivals();
  }
}

void System::tell_end() {
  for (const auto& cluster : clusters_) cluster->tell_divergence();
  for (const auto& cluster : clusters_) cluster->tell_removed();
  for (const auto& group : groups_) group->tell_counts();
}

}  // namespace models::kafka
