#include "models/world.hpp"

#include <algorithm>

#include "models/applications.hpp"
#include "models/bridges/bridges.hpp"
#include "models/clients/dependency.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/system.hpp"
#include "models/planted_leak.hpp"
#include "models/rabbitmq/system.hpp"
#include "models/scenario_error.hpp"
#include "models/schema/schemas.hpp"
#include "models/sns/system.hpp"
#include "models/sqs/system.hpp"
#include "sim/assert.hpp"

namespace models {
namespace {

/// How often the drain looks whether everything is done.
constexpr sim::Duration kIdleCheck = std::chrono::milliseconds{100};

/// A link whose end is nowhere would make nothing slower.
void check_links(const NetworkOptions& options, const Network& network) {
  for (std::size_t i = 0; i < options.overrides.size(); ++i) {
    const LinkOverride& link = options.overrides[i];
    for (const auto& [key, end] : {std::pair{"from", &link.from}, std::pair{"to", &link.to}}) {
      if (network.hosts_at(*end).empty())
        throw ScenarioError("network.links." + std::to_string(i) + "." + key,
                            "there is no host, rack, zone or region called '" + *end + "'");
    }
  }
}

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed, const WorldOptions& options)
    : scenario_(scenario),
      simulation_({.seed = seed,
                   .shuffle_ties = options.shuffle_ties,
                   .events_per_instant_max = options.events_per_instant_max}),
      network_(simulation_, scenario_.network),
      context_{simulation_, trace_, entities_, network_, steps_},
      site_{context_, scenario_,
            [this](EntityKind kind, const std::string& name, EntityId parent, std::uint32_t index,
                   Location location) -> Node& {
              return add_node(kind, name, parent, index, std::move(location));
            },
            [this](const std::string& path, const std::string& name) -> Dependency& {
              return dependency(path, name);
            }},
      checked_(options.checked),
      settle_(options.settle),
      looks_(options.looks) {
  add_systems();
  add_registry();
  for (const auto& system : systems_) system->add_writers();
  add_dependencies();
  for (const auto& system : systems_) system->add_readers();
  add_bridges();
  add_applications();
  faults_ = std::make_unique<FaultInjector>(context_, scenario_.faults);
  check_links(scenario_.network, network_);
  for (const auto& system : systems_) system->add_targets(*faults_);
  for (const auto& node : nodes_) faults_->add_target(*node);
  faults_->resolve();
  if (!checked_) return;
  for (const auto& system : systems_) system->watch_invariants();
}

World::~World() = default;

kafka::Cluster& World::kafka() {
  return *kafka_->cluster();
}

sqs::Service* World::sqs() {
  return sqs_ == nullptr ? nullptr : &sqs_->service();
}

sns::Service* World::sns() {
  return sns_ == nullptr ? nullptr : &sns_->service();
}

void World::add_systems() {
  if (scenario_.kafka) {
    auto system = std::make_unique<kafka::System>(site_);
    kafka_ = system.get();
    systems_.push_back(std::move(system));
  }
  if (scenario_.rabbitmq) {
    auto system = std::make_unique<rabbitmq::System>(site_);
    rabbitmq_ = system.get();
    systems_.push_back(std::move(system));
  }
  if (scenario_.sqs) {
    auto system = std::make_unique<sqs::System>(site_);
    sqs_ = system.get();
    systems_.push_back(std::move(system));
  }
  if (scenario_.sns) {
    auto system = std::make_unique<sns::System>(site_, sqs_ == nullptr ? nullptr : &sqs_->service());
    sns_ = system.get();
    systems_.push_back(std::move(system));
  }
  if (systems_.empty() && !(scenario_.producers.empty() && scenario_.groups.empty()))
    throw ScenarioError("kafka", "producers and groups need a cluster");
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
  site_.schemas = schemas_.get();
}

void World::add_dependencies() {
  for (const DependencyOptions& options : scenario_.dependencies) {
    Node& node =
        add_node(EntityKind::dependency, options.name, {}, 0, {options.rack, options.zone, options.region});
    dependencies_.push_back(std::make_unique<Dependency>(context_, node, options));
  }
}

Dependency& World::dependency(const std::string& path, const std::string& name) {
  const auto called = std::find_if(dependencies_.begin(), dependencies_.end(),
                                   [&name](const auto& d) { return d->name() == name; });
  if (called == dependencies_.end()) throw ScenarioError(path, "there is no dependency '" + name + "'");
  return **called;
}

void World::add_applications() {
  if (scenario_.databases.empty() && scenario_.services.empty() && scenario_.relays.empty() &&
      scenario_.gateways.empty())
    return;
  applications_ = std::make_unique<Applications>(site_, kafka_);
}

void World::add_bridges() {
  if (!scenario_.bridges.empty()) bridges_ = std::make_unique<Bridges>(site_, kafka_, rabbitmq_);
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
  while (checked_ && simulation_.step_until(end)) {
    for (const auto& system : systems_) {
      const std::optional<std::string> broken = system->broken();
      MQLAB_ASSERT(!broken, *broken);
    }
  }
  simulation_.run_until(end);
}

void World::phase(PhaseCode code) {
  context_.emit(Kind::phase, {.code = static_cast<std::uint16_t>(code), .b = planted_leak()});
}

bool World::idle() const {
  return std::all_of(systems_.begin(), systems_.end(), [](const auto& s) { return s->idle(); }) &&
         (bridges_ == nullptr || bridges_->idle()) && (applications_ == nullptr || applications_->idle());
}

std::vector<std::string> World::unfinished() const {
  std::vector<std::string> lines;
  for (const auto& system : systems_) system->tell_unfinished(lines);
  if (applications_) applications_->tell_unfinished(lines);
  return lines;
}

std::vector<QueueView> World::queues() const {
  std::vector<QueueView> out;
  for (const auto& system : systems_) system->list_queues(out);
  return out;
}

std::vector<NodeView> World::nodes_with_queues() const {
  std::vector<NodeView> out;
  for (const auto& system : systems_) system->list_nodes(out);
  return out;
}

RunOutcome World::run() {
  MQLAB_ASSERT(simulation_.now() == sim::Time{} && trace_.emitted() == 0, "a world runs once");
  phase(PhaseCode::started);
  for (const auto& system : systems_) system->tell();
  if (schemas_) schemas_->registry.tell();
  for (const auto& system : systems_) system->start_brokers();
  if (applications_) applications_->tell();
  for (const auto& system : systems_) system->start_readers();
  if (bridges_) bridges_->start();
  if (applications_) applications_->start();
  for (const auto& system : systems_) system->start_writers();
  faults_->start();
  if (scenario_.warmup > sim::Duration{}) {
    run_until(sim::Time{scenario_.warmup});
    phase(PhaseCode::warmed_up);
  }
  run_until(sim::Time{scenario_.duration});
  for (const auto& system : systems_) system->stop_arrivals();
  if (applications_) applications_->stop_arrivals();
  faults_->heal_all();
  phase(PhaseCode::arrivals_stopped);

  RunOutcome outcome;
  const sim::Time last = sim::Time{scenario_.duration + scenario_.drain};
  while (!(outcome.drained = idle()) && simulation_.now() < last) {
    run_until(std::min(simulation_.now() + kIdleCheck, last));
  }
  if (outcome.drained && settle_ > sim::Duration{}) run_until(simulation_.now() + settle_);
  while (next_look_ < looks_.size()) look();
  for (const auto& system : systems_) system->tell_end();
  phase(outcome.drained ? PhaseCode::drained : PhaseCode::drain_timed_out);
  outcome.end = simulation_.now();
  outcome.events = simulation_.events_executed();
  outcome.records = trace_.emitted();
  outcome.faults_fired = faults_->fired();
  trace_.finish(outcome.end);
  return outcome;
}

}  // namespace models
