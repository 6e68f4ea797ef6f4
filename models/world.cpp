#include "models/world.hpp"

#include <algorithm>

#include "models/applications.hpp"
#include "models/clients/dependency.hpp"
#include "models/faults/topic_faults.hpp"
#include "models/kafka/autoscaler.hpp"
#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/share_consumer.hpp"
#include "models/kafka/invariants.hpp"
#include "models/kafka/mirror/mirror.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/kafka/share/share_partition_manager.hpp"
#include "models/near_miss.hpp"
#include "models/planted_leak.hpp"
#include "models/rabbit_part.hpp"
#include "models/scenario_error.hpp"
#include "models/schema/schemas.hpp"
#include "sim/assert.hpp"

namespace models {
namespace {

/// Topics get room for the partitions that a fault will create.
kafka::ClusterOptions with_room_to_grow(kafka::ClusterOptions options, const std::vector<FaultSpec>& faults) {
  for (kafka::TopicOptions& topic : options.topics) {
    for (const FaultSpec& fault : faults) {
      if (fault.kind == "grow" && fault.target == options.prefix() + topic.name)
        topic.partitions_most = std::max(topic.partitions_most, fault.partitions.value_or(0));
      if (fault.kind == "create-topic" && fault.target == options.prefix() + topic.name)
        topic.created_later = true;
      if (fault.kind == "reassign" && fault.target == options.prefix() + topic.name)
        for (const std::string& broker : fault.brokers)
          topic.moves_to.push_back(faults::broker_number(broker, options.name));
    }
  }
  return options;
}

/// What a mirror writes to at its target.
/// Model: a partition for each that the source's topic will ever have, from the beginning; MirrorSourceConnector adds one when it
/// finds the source's (refresh.topics.interval.seconds). Until then it is empty.
std::vector<kafka::TopicOptions> mirrored_topics(const Scenario& scenario,
                                                 const kafka::MirrorOptions& mirror) {
  std::vector<kafka::TopicOptions> topics;
  const auto look = [&](const kafka::ClusterOptions& cluster) {
    if (cluster.name != mirror.from) return;
    for (const kafka::TopicOptions& topic : cluster.topics) {
      if (std::find(mirror.topics.begin(), mirror.topics.end(), topic.name) == mirror.topics.end()) continue;
      kafka::TopicOptions copy;
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
  for (const kafka::ClusterOptions& cluster : scenario.clusters) look(cluster);
  return topics;
}

/// Who does what an operator asks for; null: nobody at the moment.
kafka::Controller* office(kafka::Cluster& cluster) {
  kafka::Controller* const active = cluster.active_controller();
  return active == nullptr || active->node().paused() ? nullptr : active;
}

using Asker = FaultTargets::Topic::Asker;
kafka::Asker as_kafka(const Asker& asker) {
  return {asker.client, asker.permissive};
}

bool all_down(kafka::Cluster& cluster) {
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    if (cluster.node(kafka::BrokerId{b}).up()) return false;
  }
  return true;
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

/// How often the drain looks whether everything is done.
constexpr sim::Duration kIdleCheck = std::chrono::milliseconds{100};

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed, const WorldOptions& options)
    : scenario_(scenario),
      simulation_({.seed = seed,
                   .shuffle_ties = options.shuffle_ties,
                   .events_per_instant_max = options.events_per_instant_max}),
      network_(simulation_, scenario_.network),
      context_{simulation_, trace_, entities_, network_, steps_},
      looks_(options.looks) {
  add_clusters();
  if (clusters_.empty() && !scenario_.rabbitmq &&
      !(scenario_.producers.empty() && scenario_.groups.empty())) {
    throw ScenarioError("kafka", "producers and groups need a cluster");
  }
  add_registry();
  add_producers();
  add_mirrors();
  add_dependencies();
  add_groups();
  add_applications();
  add_rabbit();
  faults_ = std::make_unique<FaultInjector>(context_, scenario_.faults);
  for (const auto& cluster : clusters_) {
    for (std::int32_t b = 0; b < cluster->broker_count(); ++b)
      faults_->add_target(cluster->node(kafka::BrokerId{b}));
    for (std::int32_t n = 0; n < cluster->options().controllers; ++n)
      faults_->add_target(cluster->node(kafka::controller_id(n)));
    if (Node* const store = cluster->remote_storage()) faults_->add_target(*store);
  }
  for (const auto& node : nodes_) faults_->add_target(*node);
  for (const Sending& one : producers_) {
    kafka::Producer& producer = *one.producer;
    faults_->add_writer(producer.node().name(),
                        {producer.node().entity(), [&producer](const std::string& version, std::int64_t n) {
                           return producer.write_wrong(version, n);
                         }});
  }
  for (const auto& cluster : clusters_) add_topic_roles(*cluster);
  add_failovers();
  faults_->resolve();
  if (!options.checked) return;
  for (const auto& cluster : clusters_) {
    invariants_.push_back(std::make_unique<kafka::Invariants>(*cluster));
    for (const GroupOptions& group : scenario_.groups) {
      if (group.cluster == cluster->options().name) invariants_.back()->watch(group.name);
    }
    for (const kafka::MirrorOptions& mirror : scenario_.mirrors) {
      if (mirror.from == cluster->options().name) invariants_.back()->watch(mirror.name);
    }
  }
}

World::~World() = default;

kafka::Cluster& World::cluster(const std::string& path, const std::string& name) {
  std::vector<std::string_view> known;
  for (const auto& cluster : clusters_) {
    if (cluster->options().name == name) return *cluster;
    known.push_back(cluster->options().name);
  }
  throw ScenarioError(path, "there is no cluster '" + name + "'" + did_you_mean(name, known));
}

void World::add_clusters() {
  if (!scenario_.kafka) return;
  add_cluster(*scenario_.kafka);
  for (const kafka::ClusterOptions& options : scenario_.clusters) add_cluster(options);
}

void World::add_cluster(kafka::ClusterOptions options) {
  options.transactional = uses_transactions(scenario_, options.name);
  for (const GroupOptions& group : scenario_.groups) {
    if (group.type == GroupType::share && group.cluster == options.name)
      options.share_groups.emplace_back(group.name, group.config.share);
  }
  for (kafka::TopicOptions& topic : options.topics) {
    topic.times_read =
        std::any_of(scenario_.groups.begin(), scenario_.groups.end(), [&](const GroupOptions& g) {
          return g.cluster == options.name && g.streams && g.streams->windows &&
                 std::find(g.topics.begin(), g.topics.end(), topic.name) != g.topics.end();
        });
    topic.keys_read =
        topic.times_read ||
        std::any_of(scenario_.groups.begin(), scenario_.groups.end(), [&](const GroupOptions& g) {
          return g.cluster == options.name && g.hand_off && g.hand_off->order == HandOff::Order::key &&
                 std::find(g.topics.begin(), g.topics.end(), topic.name) != g.topics.end();
        });
  }
  options.power_may_fail = std::any_of(
      scenario_.faults.begin(), scenario_.faults.end(),
      [](const FaultSpec& fault) { return fault.kind == "power-loss" || fault.kind == "disk-loss"; });
  for (const kafka::MirrorOptions& mirror : scenario_.mirrors) {
    if (mirror.to != options.name) continue;
    for (const kafka::TopicOptions& copy : mirrored_topics(scenario_, mirror)) {
      const auto there = std::find_if(options.topics.begin(), options.topics.end(),
                                      [&copy](const auto& topic) { return topic.name == copy.name; });
      if (there == options.topics.end())
        options.topics.push_back(copy);
      else
        there->partitions = std::max(there->partitions, copy.partitions);
    }
  }
  clusters_.push_back(
      std::make_unique<kafka::Cluster>(context_, with_room_to_grow(std::move(options), scenario_.faults)));
}

Node& World::add_node(EntityKind kind, const std::string& name, EntityId parent, std::uint32_t index,
                      Location location) {
  const EntityId entity = entities_.add(kind, name, parent, index);
  const HostId host = network_.add_host(name, std::move(location));
  nodes_.push_back(std::make_unique<Node>(simulation_, network_, entity, host, name));
  return *nodes_.back();
}

void World::add_registry() {
  if (scenario_.subjects.empty()) return;
  Node& node = add_node(EntityKind::registry, "schema-registry", {}, 0, {});
  schemas_ = std::make_unique<schema::Schemas>(context_, node, scenario_.registry, scenario_.subjects);
}

void World::add_producers() {
  for (const ProducerOptions& options : scenario_.producers) {
    if (of_rabbit(options.cluster)) continue;
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

void World::add_producer(const ProducerOptions& options, const std::string& table, kafka::Cluster& cluster,
                         const Location& location) {
  kafka::ProducerSetup setup;
  setup.schemas = schemas_.get();
  // One table for all of them: each key is hashed once, and the table stays in the cache.
  if (const auto topic = cluster.find_topic(options.to); topic && options.keys.in_records()) {
    const kafka::TopicInfo& info = cluster.topic(*topic);
    // Of one that does not exist yet as many as there may be: until its metadata says how many nothing is routed.
    const auto partitions =
        static_cast<std::uint32_t>(info.partitions > 0 ? info.partitions : info.partitions_most);
    setup.keys =
        std::make_shared<kafka::KeyPartitions>(options.keys, partitions, kafka::key_hash(options.config));
  }
  if (options.admission && options.admission->shed) {
    const auto watched =
        std::find_if(scenario_.groups.begin(), scenario_.groups.end(),
                     [&](const GroupOptions& g) { return g.name == options.admission->shed->group; });
    if (watched == scenario_.groups.end())
      throw ScenarioError("producers." + options.name + ".admission.shed.group", "is no group");
    setup.topics_watched = watched->topics;
  }
  for (std::uint32_t i = 0; i < options.instances; ++i) {
    const std::string name = options.instances == 1 ? table : table + "/" + std::to_string(i);
    Node& node = add_node(EntityKind::producer, name, {}, i, location);
    if (i == 0) first_of_.emplace(table, node.entity());
    if (!options.same_keys_as.empty())
      same_keys_.emplace_back(node.entity(), first_of_.at(options.same_keys_as));
    if (options.transactions)
      setup.transactional_id = kafka::numbered(
          options.config.transactional_id.empty() ? name : options.config.transactional_id, i);
    producers_.push_back({table, std::make_unique<kafka::Producer>(cluster, node, options, setup), false});
  }
}

void World::add_mirrors() {
  for (const kafka::MirrorOptions& options : scenario_.mirrors) {
    const std::string path = "mirrors." + options.name;
    std::vector<std::string> groups;
    for (const GroupOptions& group : scenario_.groups) {
      if (group.cluster == options.from) groups.push_back(group.name);
    }
    kafka::Cluster& from = cluster(path + ".from", options.from);
    mirrors_.push_back(
        std::make_unique<kafka::Mirror>(from, cluster(path + ".to", options.to), options, std::move(groups)));
    const GroupOptions tasks = kafka::Mirror::group_options(options);
    groups_.push_back(
        std::make_unique<kafka::ConsumerGroup>(from, tasks, entities_.add(EntityKind::group, options.name)));
    groups_.back()->serve(*mirrors_.back());
    for (std::uint32_t i = 0; i < tasks.members; ++i) {
      groups_.back()->add_member(add_node(EntityKind::member, options.name + "/" + std::to_string(i),
                                          groups_.back()->entity(), i,
                                          {options.rack, options.zone, options.region}));
    }
  }
}

void World::add_dependencies() {
  for (const DependencyOptions& options : scenario_.dependencies) {
    Node& node =
        add_node(EntityKind::dependency, options.name, {}, 0, {options.rack, options.zone, options.region});
    dependencies_.push_back(std::make_unique<Dependency>(context_, node, options));
  }
}

void World::add_groups() {
  for (const GroupOptions& options : scenario_.groups) {
    if (of_rabbit(options.cluster)) continue;
    const std::string path = "groups." + options.name;
    const EntityId entity = entities_.add(EntityKind::group, options.name);
    kafka::ConsumerGroup& group =
        add_group(options, entity, options.name, cluster(path + ".cluster", options.cluster),
                  {options.rack, options.zone, options.region});
    if (!options.failover) continue;
    const FailoverOptions& to = *options.failover;
    kafka::Cluster& there = cluster(path + ".failover.cluster", to.cluster);
    GroupOptions standing_by = options;
    standing_by.topics = topics_at(there, options);
    standing_by.rack = to.rack;
    standing_by.racks.clear();
    kafka::ConsumerGroup& other =
        add_group(standing_by, entity, options.name + "@" + to.cluster, there, {to.rack, to.zone, to.region});
    for (std::uint32_t i = 0; i < options.members; ++i) other.stand_by(i);
    moving_.push_back({&group, &other});
  }
}

kafka::ConsumerGroup& World::add_group(const GroupOptions& options, EntityId entity, const std::string& name,
                                       kafka::Cluster& cluster, const Location& location) {
  groups_.push_back(std::make_unique<kafka::ConsumerGroup>(cluster, options, entity));
  if (options.calls) {
    const auto called = std::find_if(dependencies_.begin(), dependencies_.end(),
                                     [&](const auto& d) { return d->name() == options.calls->to; });
    if (called == dependencies_.end())
      throw ScenarioError("groups." + options.name + ".calls.to",
                          "there is no dependency '" + options.calls->to + "'");
    groups_.back()->call(**called);
  }
  if (options.schema && schemas_) groups_.back()->read_with(*schemas_);
  for (std::uint32_t i = 0; i < options.members; ++i) {
    Location at = location;
    if (!options.racks.empty()) at.rack = options.racks[i % options.racks.size()];
    Node& node = add_node(EntityKind::member, name + "/" + std::to_string(i), entity, i, std::move(at));
    if (options.type == GroupType::share)
      groups_.back()->add_share_member(node);
    else
      groups_.back()->add_member(node);
    const bool scaled = options.autoscale && i >= options.autoscale->min;
    if (scaled || joins_later(nodes_.back()->name())) groups_.back()->stand_by(i);
  }
  if (options.autoscale) {
    Node& node = add_node(EntityKind::dependency, name + "-autoscaler", {}, 0, location);
    autoscalers_.push_back(std::make_unique<kafka::Autoscaler>(*groups_.back(), node));
  }
  return *groups_.back();
}

/// What a group reads at another cluster: topics of the same names, and copies of its own.
std::vector<std::string> World::topics_at(kafka::Cluster& cluster, const GroupOptions& group) const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (cluster.find_topic(name) && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  for (const std::string& topic : group.topics) {
    add(topic);
    for (const kafka::MirrorOptions& mirror : scenario_.mirrors) {
      if (mirror.from == group.cluster && mirror.to == cluster.options().name)
        add(mirror.remote_topic(topic));
    }
  }
  if (names.empty())
    throw ScenarioError("groups." + group.name + ".failover.cluster", "has none of the group's topics");
  return names;
}

void World::add_applications() {
  if (scenario_.databases.empty() && scenario_.services.empty() && scenario_.relays.empty() &&
      scenario_.gateways.empty())
    return;
  applications_ = std::make_unique<Applications>(
      context_, scenario_, clusters_.empty() ? nullptr : clusters_.front().get(),
      [this](EntityKind kind, const std::string& name, EntityId parent, std::uint32_t index,
             Location location) -> Node& { return add_node(kind, name, parent, index, std::move(location)); },
      groups_);
}

bool World::of_rabbit(const std::string& cluster) const {
  return scenario_.rabbitmq && cluster == RabbitPart::kCluster;
}

void World::add_rabbit() {
  if (!scenario_.rabbitmq) return;
  rabbit_ = std::make_unique<RabbitPart>(context_, scenario_,
                                         [this](EntityKind kind, const std::string& name, EntityId parent,
                                                std::uint32_t index, Location location) -> Node& {
                                           return add_node(kind, name, parent, index, std::move(location));
                                         });
}

bool World::joins_later(const std::string& member) const {
  return std::any_of(scenario_.faults.begin(), scenario_.faults.end(), [&member](const FaultSpec& fault) {
    return fault.kind == "join" && fault.target == member;
  });
}

void World::add_failovers() {
  for (const ProducerOptions& options : scenario_.producers) {
    if (!options.failover) continue;
    const auto entity = entities_.find(options.instances == 1 ? options.name : options.name + "/0");
    faults_->add_application(options.name, {entity, [this, &options] { return fail_over(options); }});
  }
  for (const Moving& group : moving_) {
    faults_->add_application(group.from->options().name, {group.from->entity(), [this, group] {
                                                            return fail_over(*group.from, *group.to);
                                                          }});
  }
}

bool World::fail_over(const ProducerOptions& options) {
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

bool World::fail_over(kafka::ConsumerGroup& from, kafka::ConsumerGroup& to) {
  const auto running = [](const auto& member) { return member->running(); };
  if (std::any_of(to.members().begin(), to.members().end(), running)) return false;
  from.stop();
  if (&from.cluster() != &to.cluster()) {
    for (const kafka::TopicIndex t : from.topics()) {
      const kafka::TopicInfo& topic = from.cluster().topic(t);
      for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(topic.partitions_most); ++n) {
        const kafka::PartitionIndex p{topic.first.value + n};
        context_.emit(Kind::failed_over,
                      {.place = from.cluster().partition(p).entity.value, .peer = from.entity().value});
      }
    }
  }
  for (const auto& member : to.members()) member->start();
  return true;
}

void World::add_topic_roles(kafka::Cluster& cluster) {
  faults_->add_role(cluster.options().prefix() + "active controller", [&cluster]() -> Node* {
    kafka::Controller* const active = cluster.active_controller();
    return active == nullptr ? nullptr : &active->node();
  });
  for (std::uint32_t t = 0; t < cluster.topics().size(); ++t) {
    const kafka::TopicIndex index{t};
    const kafka::TopicInfo& topic = cluster.topic(index);
    if (topic.internal) continue;
    faults_->add_topic(cluster.options().prefix() + topic.name,
                       {topic.entity, std::max(topic.partitions, topic.partitions_created),
                        [&cluster](const Asker& asker) {
                          kafka::Controller* const active = office(cluster);
                          return active == nullptr ? sim::Duration{} : active->muted(as_kafka(asker));
                        },
                        [&cluster, index](std::int32_t count, const Asker& asker) {
                          kafka::Controller* const active = office(cluster);
                          return active != nullptr &&
                                 active->create_partitions(index, count, as_kafka(asker));
                        },
                        [&cluster, index](const Asker& asker) {
                          kafka::Controller* const active = office(cluster);
                          return active != nullptr && active->create_topic(index, as_kafka(asker));
                        },
                        [&cluster, index](const std::vector<std::int32_t>& brokers, double throttle) {
                          std::vector<kafka::BrokerId> target;
                          for (const std::int32_t b : brokers) target.push_back(kafka::BrokerId{b});
                          kafka::Controller* const active = office(cluster);
                          return active != nullptr && active->reassign(index, target, throttle);
                        },
                        [&cluster, index] {
                          kafka::Controller* const active = office(cluster);
                          return active != nullptr && active->elect_preferred(index);
                        },
                        [this, &cluster, index](std::optional<std::int64_t> offset,
                                                std::optional<sim::Duration> older_than) {
                          return delete_records(cluster, index, offset, older_than);
                        },
                        static_cast<std::int32_t>(cluster.partition(topic.first).replicas.size()),
                        cluster.broker_count(), cluster.options().name});
  }
  for (std::uint32_t p = 0; p < cluster.partitions().size(); ++p) {
    const kafka::PartitionIndex partition{p};
    if (cluster.topic_of(partition).internal) continue;
    faults_->add_role("leader " + entities_[cluster.partition(partition).entity].name,
                      [&cluster, partition]() -> Node* {
                        const kafka::BrokerId leader = cluster.metadata_log().state(partition).leader;
                        return leader == kafka::kNoBroker ? nullptr : &cluster.node(leader);
                      });
  }
}

bool World::delete_records(kafka::Cluster& cluster, kafka::TopicIndex topic,
                           std::optional<std::int64_t> offset, std::optional<sim::Duration> older_than) {
  const kafka::TopicInfo& info = cluster.topic(topic);
  bool done = false;
  for (std::int32_t n = 0; n < info.partitions_most; ++n) {
    const kafka::PartitionIndex p{info.first.value + static_cast<std::uint32_t>(n)};
    const kafka::BrokerId leader = cluster.metadata_log().state(p).leader;
    if (leader == kafka::kNoBroker) continue;
    kafka::Broker& broker = cluster.broker(leader);
    kafka::Offset to = offset.value_or(kafka::kNoOffset);
    // Whoever thinks in times asks for the offset first (ListOffsets).
    if (older_than) {
      const kafka::Offset younger = broker.replica(p)->log.first_younger(simulation_.now() - *older_than);
      to = to == kafka::kNoOffset ? younger : std::min(to, younger);
    }
    done |= broker.delete_records(p, to) == kafka::ErrorCode::none;
  }
  return done;
}

void World::look() {
  looks_[next_look_++].look(*this);
}

void World::run_until(sim::Time end) {
  while (next_look_ < looks_.size() && looks_[next_look_].at <= end) {
    advance(looks_[next_look_].at);
    look();
  }
  advance(end);
}

void World::advance(sim::Time end) {
  while (!invariants_.empty() && simulation_.step_until(end)) {
    for (const auto& invariants : invariants_) {
      const kafka::Finding broken = invariants->check();
      MQLAB_ASSERT(!broken, *broken);
    }
  }
  simulation_.run_until(end);
}

void World::phase(PhaseCode code) {
  context_.emit(Kind::phase, {.code = static_cast<std::uint16_t>(code), .b = planted_leak()});
}

bool World::idle() const {
  // A region that stays lost is not waited for.
  const auto lost = [this](kafka::Cluster& cluster) { return clusters_.size() > 1 && all_down(cluster); };
  return std::all_of(producers_.begin(), producers_.end(),
                     [](const Sending& one) { return one.standing_by || one.producer->idle(); }) &&
         std::none_of(clusters_.begin(), clusters_.end(),
                      [&](const auto& cluster) { return cluster->producing() && !lost(*cluster); }) &&
         (applications_ == nullptr || applications_->idle()) && (rabbit_ == nullptr || rabbit_->idle()) &&
         std::all_of(groups_.begin(), groups_.end(),
                     [&](const auto& g) { return lost(g->cluster()) || (g->idle() && read_to_the_end(*g)); });
}

/// Nothing is left in flight, and nothing behind it.
bool World::shared_to_the_end(kafka::ConsumerGroup& group, kafka::PartitionIndex p) const {
  kafka::Cluster& cluster = group.cluster();
  const kafka::BrokerId leader = cluster.metadata_log().state(p).leader;
  if (leader == kafka::kNoBroker) return false;
  kafka::Broker& broker = cluster.broker(leader);
  const kafka::Offset end = broker.replica(p)->log.end();
  const kafka::SharePartition* const shared = broker.shares()->find({group.entity(), p});
  return shared == nullptr ? end == 0 : shared->start_offset() >= end;
}

bool World::read_to_the_end(kafka::ConsumerGroup& group) const {
  if (group.shared()) {
    const auto& all = group.share_members();
    if (std::none_of(all.begin(), all.end(), [](const auto& m) { return m->running(); })) return true;
  }
  const auto& members = group.members();
  const auto running = [](const auto& member) { return member->running(); };
  if (!group.shared() && std::none_of(members.begin(), members.end(), running))
    return true;  // nobody is left to read
  kafka::Cluster& cluster = group.cluster();
  const auto end_of = [&](kafka::PartitionIndex p) -> std::optional<kafka::Offset> {
    const kafka::BrokerId leader = cluster.metadata_log().state(p).leader;
    if (leader == kafka::kNoBroker) return std::nullopt;
    return cluster.broker(leader).replica(p)->log.end();
  };
  std::vector<bool> read(cluster.partitions().size());  // by some member; a position beyond the end: a
                                                        // truncation that is to be found out yet
  for (const auto& member : members) {
    if (!member->running()) continue;
    const kafka::Assignment& held = member->assignment();
    for (const kafka::PartitionIndex p : held.partitions())
      if (held.can_fetch(p) && held[p].position == end_of(p)) read[p.value] = true;
  }
  for (const kafka::TopicIndex t : group.topics()) {
    const kafka::TopicInfo& topic = cluster.topic(t);
    for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(topic.partitions_most); ++n) {
      const kafka::PartitionIndex p{topic.first.value + n};
      if (!cluster.metadata_log().state(p).exists()) continue;
      if (group.shared()) {
        if (!shared_to_the_end(group, p)) return false;
        continue;
      }
      if (!read[p.value]) return false;
    }
  }
  return true;
}

RunOutcome World::run() {
  MQLAB_ASSERT(simulation_.now() == sim::Time{} && trace_.emitted() == 0, "a world runs once");
  phase(PhaseCode::started);
  for (const auto& [one, other] : same_keys_)
    context_.emit(Kind::same_keys, {.actor = one.value, .peer = other.value});
  if (schemas_) schemas_->registry.tell();
  for (const auto& cluster : clusters_) cluster->start();
  for (const auto& mirror : mirrors_) mirror->tell();
  if (applications_) applications_->tell();
  if (rabbit_) rabbit_->tell();
  for (const auto& group : groups_) group->start();
  for (const auto& scaler : autoscalers_) scaler->start();
  if (applications_) applications_->start();
  if (rabbit_) rabbit_->start();
  for (const Sending& one : producers_) {
    if (!one.standing_by) one.producer->start();
  }
  faults_->start();
  if (scenario_.warmup > sim::Duration{}) {
    run_until(sim::Time{scenario_.warmup});
    phase(PhaseCode::warmed_up);
  }
  run_until(sim::Time{scenario_.duration});
  for (const Sending& one : producers_) {
    if (!one.standing_by) one.producer->stop_arrivals();
  }
  if (applications_) applications_->stop_arrivals();
  if (rabbit_) rabbit_->stop_arrivals();
  faults_->heal_all();
  phase(PhaseCode::arrivals_stopped);

  RunOutcome outcome;
  const sim::Time last = sim::Time{scenario_.duration + scenario_.drain};
  while (!(outcome.drained = idle()) && simulation_.now() < last) {
    run_until(std::min(simulation_.now() + kIdleCheck, last));
  }
  while (next_look_ < looks_.size()) look();
  for (const auto& cluster : clusters_) cluster->tell_divergence();
  for (const auto& group : groups_) group->tell_counts();
  if (rabbit_) rabbit_->tell_depths();
  phase(outcome.drained ? PhaseCode::drained : PhaseCode::drain_timed_out);
  outcome.end = simulation_.now();
  outcome.events = simulation_.events_executed();
  outcome.records = trace_.emitted();
  outcome.faults_fired = faults_->fired();
  trace_.finish(outcome.end);
  return outcome;
}

}  // namespace models
