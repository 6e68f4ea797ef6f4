#include "models/world.hpp"

#include <algorithm>

#include "models/faults/topic_faults.hpp"
#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/share_consumer.hpp"
#include "models/kafka/invariants.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/kafka/share/share_partition_manager.hpp"
#include "models/planted_leak.hpp"
#include "models/scenario_error.hpp"
#include "sim/assert.hpp"

namespace models {
namespace {

/// Topics get room for the partitions that a fault will create.
kafka::ClusterOptions with_room_to_grow(kafka::ClusterOptions options, const std::vector<FaultSpec>& faults) {
  for (kafka::TopicOptions& topic : options.topics) {
    for (const FaultSpec& fault : faults) {
      if (fault.kind == "grow" && fault.target == topic.name)
        topic.partitions_most = std::max(topic.partitions_most, fault.partitions.value_or(0));
      if (fault.kind == "reassign" && fault.target == topic.name)
        for (const std::string& broker : fault.brokers)
          topic.moves_to.push_back(faults::broker_number(broker));
    }
  }
  return options;
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
  if (scenario_.kafka) {
    scenario_.kafka->transactional =
        std::any_of(scenario_.groups.begin(), scenario_.groups.end(),
                    [](const GroupOptions& g) { return g.commit == CommitMode::in_transaction; }) ||
        std::any_of(scenario_.producers.begin(), scenario_.producers.end(),
                    [](const ProducerOptions& p) { return p.transactions.has_value(); });
    for (const GroupOptions& group : scenario_.groups) {
      if (group.type == GroupType::share)
        scenario_.kafka->share_groups.emplace_back(group.name, group.config.share);
    }
    scenario_.kafka->power_may_fail =
        std::any_of(scenario_.faults.begin(), scenario_.faults.end(),
                    [](const FaultSpec& fault) { return fault.kind == "power-loss"; });
    kafka_ =
        std::make_unique<kafka::Cluster>(context_, with_room_to_grow(*scenario_.kafka, scenario_.faults));
  }
  if (!kafka_ && !(scenario_.producers.empty() && scenario_.groups.empty())) {
    throw ScenarioError("kafka", "producers and groups need a cluster");
  }
  add_producers();
  add_groups();
  faults_ = std::make_unique<FaultInjector>(context_, scenario_.faults);
  if (kafka_) {
    for (std::int32_t b = 0; b < kafka_->broker_count(); ++b)
      faults_->add_target(kafka_->node(kafka::BrokerId{b}));
    for (std::int32_t n = 0; n < scenario_.kafka->controllers; ++n)
      faults_->add_target(kafka_->node(kafka::controller_id(n)));
  }
  for (const auto& node : nodes_) faults_->add_target(*node);
  add_roles();
  faults_->resolve();
  if (options.checked && kafka_) {
    invariants_ = std::make_unique<kafka::Invariants>(*kafka_);
    for (const GroupOptions& group : scenario_.groups) invariants_->watch(group.name);
  }
}

World::~World() = default;

Node& World::add_node(EntityKind kind, const std::string& name, EntityId parent, std::uint32_t index,
                      const std::string& rack) {
  const EntityId entity = entities_.add(kind, name, parent, index);
  Location location;
  location.rack = rack;
  const HostId host = network_.add_host(name, std::move(location));
  nodes_.push_back(std::make_unique<Node>(simulation_, network_, entity, host, name));
  return *nodes_.back();
}

void World::add_producers() {
  for (const ProducerOptions& options : scenario_.producers) {
    kafka::ProducerSetup setup;
    // One table for all of them: each key is hashed once, and the table stays in the cache.
    if (const auto topic = kafka_->find_topic(options.to); topic && options.keys.in_records()) {
      const auto partitions = static_cast<std::uint32_t>(kafka_->topic(*topic).partitions);
      setup.keys = std::make_shared<kafka::KeyPartitions>(options.keys, partitions);
    }
    for (std::uint32_t i = 0; i < options.instances; ++i) {
      const std::string name = options.instances == 1 ? options.name : options.name + "/" + std::to_string(i);
      Node& node = add_node(EntityKind::producer, name, {}, i, options.rack);
      if (options.transactions)
        setup.transactional_id = kafka::numbered(
            options.config.transactional_id.empty() ? name : options.config.transactional_id, i);
      producers_.push_back(std::make_unique<kafka::Producer>(*kafka_, node, options, setup));
    }
  }
}

void World::add_groups() {
  for (const GroupOptions& options : scenario_.groups) {
    const EntityId group = entities_.add(EntityKind::group, options.name);
    groups_.push_back(std::make_unique<kafka::ConsumerGroup>(*kafka_, options, group));
    for (std::uint32_t i = 0; i < options.members; ++i) {
      Node& node =
          add_node(EntityKind::member, options.name + "/" + std::to_string(i), group, i, options.rack);
      if (options.type == GroupType::share)
        groups_.back()->add_share_member(node);
      else
        groups_.back()->add_member(node);
      if (joins_later(nodes_.back()->name())) groups_.back()->stand_by(i);
    }
  }
}

bool World::joins_later(const std::string& member) const {
  return std::any_of(scenario_.faults.begin(), scenario_.faults.end(), [&member](const FaultSpec& fault) {
    return fault.kind == "join" && fault.target == member;
  });
}

void World::add_roles() {
  if (!kafka_) return;
  faults_->add_role("active controller", [this]() -> Node* {
    kafka::Controller* const active = kafka_->active_controller();
    return active == nullptr ? nullptr : &active->node();
  });
  for (std::uint32_t t = 0; t < kafka_->topics().size(); ++t) {
    const kafka::TopicIndex index{t};
    const kafka::TopicInfo& topic = kafka_->topic(index);
    if (topic.internal) continue;
    faults_->add_topic(topic.name, {topic.entity, topic.partitions,
                                    [this, index](std::int32_t count) {
                                      kafka::Controller* const active = kafka_->active_controller();
                                      return active != nullptr && active->create_partitions(index, count);
                                    },
                                    [this, index](const std::vector<std::int32_t>& brokers, double throttle) {
                                      std::vector<kafka::BrokerId> target;
                                      for (const std::int32_t b : brokers)
                                        target.push_back(kafka::BrokerId{b});
                                      kafka::Controller* const active = kafka_->active_controller();
                                      return active != nullptr && active->reassign(index, target, throttle);
                                    },
                                    [this, index] {
                                      kafka::Controller* const active = kafka_->active_controller();
                                      return active != nullptr && active->elect_preferred(index);
                                    },
                                    static_cast<std::int32_t>(kafka_->partition(topic.first).replicas.size()),
                                    kafka_->broker_count()});
  }
  for (std::uint32_t p = 0; p < kafka_->partitions().size(); ++p) {
    const kafka::PartitionIndex partition{p};
    if (kafka_->topic_of(partition).internal) continue;
    faults_->add_role("leader " + entities_[kafka_->partition(partition).entity].name,
                      [this, partition]() -> Node* {
                        const kafka::BrokerId leader = kafka_->metadata_log().state(partition).leader;
                        return leader == kafka::kNoBroker ? nullptr : &kafka_->node(leader);
                      });
  }
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
  while (invariants_ && simulation_.step_until(end)) {
    const kafka::Finding broken = invariants_->check();
    MQLAB_ASSERT(!broken, *broken);
  }
  simulation_.run_until(end);
}

void World::phase(PhaseCode code) {
  context_.emit(Kind::phase, {.code = static_cast<std::uint16_t>(code), .b = planted_leak()});
}

bool World::idle() const {
  return std::all_of(producers_.begin(), producers_.end(), [](const auto& p) { return p->idle(); }) &&
         !(kafka_ && kafka_->producing()) &&
         std::all_of(groups_.begin(), groups_.end(),
                     [this](const auto& g) { return g->idle() && read_to_the_end(*g); });
}

/// Nothing is left in flight, and nothing behind it.
bool World::shared_to_the_end(kafka::ConsumerGroup& group, kafka::PartitionIndex p) const {
  const kafka::BrokerId leader = kafka_->metadata_log().state(p).leader;
  if (leader == kafka::kNoBroker) return false;
  kafka::Broker& broker = kafka_->broker(leader);
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
  for (const kafka::TopicIndex t : group.topics()) {
    const kafka::TopicInfo& topic = kafka_->topic(t);
    for (std::uint32_t n = 0; n < static_cast<std::uint32_t>(topic.partitions_most); ++n) {
      const kafka::PartitionIndex p{topic.first.value + n};
      if (!kafka_->metadata_log().state(p).exists()) continue;
      if (group.shared()) {
        if (!shared_to_the_end(group, p)) return false;
        continue;
      }
      const kafka::BrokerId leader = kafka_->metadata_log().state(p).leader;
      if (leader == kafka::kNoBroker) return false;
      const kafka::Offset end = kafka_->broker(leader).replica(p)->log.end();
      // A position beyond the end: a truncation that is to be found out yet.
      const auto at_end = [&](const auto& member) {
        return member->running() && member->assignment().can_fetch(p) &&
               member->assignment()[p].position == end;
      };
      if (std::none_of(members.begin(), members.end(), at_end)) return false;
    }
  }
  return true;
}

RunOutcome World::run() {
  MQLAB_ASSERT(simulation_.now() == sim::Time{} && trace_.emitted() == 0, "a world runs once");
  phase(PhaseCode::started);
  if (kafka_) kafka_->start();
  for (const auto& group : groups_) group->start();
  for (const auto& producer : producers_) producer->start();
  faults_->start();
  if (scenario_.warmup > sim::Duration{}) {
    run_until(sim::Time{scenario_.warmup});
    phase(PhaseCode::warmed_up);
  }
  run_until(sim::Time{scenario_.duration});
  for (const auto& producer : producers_) producer->stop_arrivals();
  faults_->heal_all();
  phase(PhaseCode::arrivals_stopped);

  RunOutcome outcome;
  const sim::Time last = sim::Time{scenario_.duration + scenario_.drain};
  while (!(outcome.drained = idle()) && simulation_.now() < last) {
    run_until(std::min(simulation_.now() + kIdleCheck, last));
  }
  while (next_look_ < looks_.size()) look();
  if (kafka_) kafka_->tell_divergence();
  phase(outcome.drained ? PhaseCode::drained : PhaseCode::drain_timed_out);
  outcome.end = simulation_.now();
  outcome.events = simulation_.events_executed();
  outcome.records = trace_.emitted();
  outcome.faults_fired = faults_->fired();
  trace_.finish(outcome.end);
  return outcome;
}

}  // namespace models
