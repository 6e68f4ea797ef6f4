#include "experiments/notes.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <set>
#include <string_view>

#include "experiments/scenario/bind.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/versions.hpp"
#include "models/rabbitmq/policies.hpp"

namespace experiments {
namespace {

/// Brokers take these with either coordination, and look at them with one.
constexpr std::array<std::string_view, 2> kOfZooKeeper{"zookeeper.session.timeout.ms",
                                                       "leader.imbalance.per.broker.percentage"};
constexpr std::array<std::string_view, 8> kOfKraft{"broker.session.timeout.ms",
                                                   "broker.heartbeat.interval.ms",
                                                   "controller.quorum.fetch.timeout.ms",
                                                   "controller.quorum.election.timeout.ms",
                                                   "controller.quorum.append.linger.ms",
                                                   "controller.quorum.election.backoff.max.ms",
                                                   "controller.quorum.request.timeout.ms",
                                                   "controller.quorum.retry.backoff.ms"};

void note_on_cluster(const models::kafka::ClusterOptions& cluster, const Value& table, const std::string& at,
                     std::vector<std::string>& notes) {
  if (cluster.controllers > 1 && cluster.controllers % 2 == 0) {
    notes.push_back(at + ".controllers = " + std::to_string(cluster.controllers) +
                    " can do without no more of them than " + std::to_string(cluster.controllers - 1) +
                    ": a majority has to be there");
  }
  const Value* const config = table.find("config");
  if (config == nullptr) return;
  const auto tell = [&](const auto& keys, const std::string& other) {
    for (const std::string_view key : keys) {
      if (config->find(key) != nullptr)
        notes.push_back(at + ".config." + std::string(key) + " is for coordination by " + other +
                        ": it has no effect here");
    }
  };
  cluster.zookeeper ? tell(kOfKraft, "KRaft") : tell(kOfZooKeeper, "ZooKeeper");
}

/// What waits for request handlers that take no time is never there to be counted.
constexpr std::array<std::string_view, 3> kOfQueues{"queued.max.requests", "num.network.threads",
                                                    "num.io.threads"};

void note_on_queues(const models::Scenario& scenario, const models::kafka::ClusterOptions& cluster,
                    const Value& table, const std::string& at, std::vector<std::string>& notes) {
  const Value* const config = table.find("config");
  if (config != nullptr && config->find("group.coordinator.threads") != nullptr) {
    if (cluster.service.coordinators_free())
      notes.push_back(
          at + ".config.group.coordinator.threads has no effect where group coordinators take no time: [" +
          at + ".service] coordinator says how long");
    else if (!cluster.rules.has(models::kafka::Rule::coordinator_threads))
      notes.push_back(
          at + ".config.group.coordinator.threads has no effect before 4.0: request handlers do the work");
  }
  // Handlers also wait for flushes, and for a disk that is slow or stands still.
  const bool waits = !cluster.service.free() || cluster.disk.flush.mean() > 0 ||
                     std::any_of(scenario.faults.begin(), scenario.faults.end(),
                                 [](const auto& fault) { return fault.kind.starts_with("disk-"); });
  if (config == nullptr || waits) return;
  for (const std::string_view key : kOfQueues) {
    if (config->find(key) != nullptr)
      notes.push_back(at + ".config." + std::string(key) + " has no effect where requests take no time: [" +
                      at + ".service] says how long");
  }
}

/// Kafka takes it, and then nothing that asks for all of them.
void note_on_in_sync(const models::kafka::ClusterOptions& cluster, const std::string& at,
                     std::vector<std::string>& notes) {
  for (const models::kafka::TopicOptions& topic : cluster.topics) {
    const std::int32_t wanted = topic.config.min_insync_replicas.value_or(cluster.config.min_insync_replicas);
    if (wanted <= topic.replication_factor) continue;
    notes.push_back(
        join_path(at + ".topics", topic.name) + " has " + std::to_string(topic.replication_factor) +
        (topic.replication_factor == 1 ? " replica" : " replicas") + ", and min.insync.replicas is " +
        std::to_string(wanted) + ": with acks=all each write fails with NOT_ENOUGH_REPLICAS");
  }
}

void note_on_tiers(const models::kafka::ClusterOptions& cluster, const std::string& at,
                   std::vector<std::string>& notes) {
  if (!cluster.config.tiers.system_enable) return;
  const auto wait = static_cast<double>(cluster.config.tiers.fetch_max_wait.count());
  if (cluster.remote.latency.mean() < wait) return;
  notes.push_back(at +
                  ".remote.latency is no shorter than remote.fetch.max.wait.ms: fetches from remote "
                  "storage are given up before they are read");
}

/// rabbit_quorum_queue, dlh: it logs a warning.
void note_on_dead_letters(const models::rabbitmq::BrokerOptions& broker, std::vector<std::string>& notes) {
  const models::rabbitmq::BrokerOptions effective = models::rabbitmq::with_policies(broker);
  for (std::size_t i = 0; i < broker.queues.size(); ++i) {
    const models::rabbitmq::QueueOptions& queue = broker.queues[i];
    const models::rabbitmq::PolicyOptions* const policy = models::rabbitmq::policy_of(queue, broker.policies);
    const bool by_policy = policy != nullptr &&
                           policy->definition.dead_letter_at_least_once.value_or(false) &&
                           !queue.arguments.strategy_given;
    if (!(queue.arguments.at_least_once || by_policy) || effective.queues[i].arguments.at_least_once)
      continue;
    notes.push_back(join_path("rabbitmq.queues", queue.name) +
                    ": falls back to dead-letter-strategy at-most-once: at-least-once needs a dead letter "
                    "exchange and overflow = \"reject-publish\"");
  }
}

}  // namespace

std::vector<std::string> notes_on(const Resolved& resolved) {
  std::vector<std::string> notes;
  const auto note = [&](const models::kafka::ClusterOptions& cluster, const Value& table,
                        const std::string& at) {
    note_on_cluster(cluster, table, at, notes);
    note_on_queues(resolved.scenario, cluster, table, at, notes);
    note_on_tiers(cluster, at, notes);
    note_on_in_sync(cluster, at, notes);
  };
  if (resolved.scenario.rabbitmq) note_on_dead_letters(*resolved.scenario.rabbitmq, notes);
  if (resolved.scenario.kafka) note(*resolved.scenario.kafka, *resolved.checked.find("kafka"), "kafka");
  for (std::size_t i = 0; i < resolved.scenario.clusters.size(); ++i) {
    const models::kafka::ClusterOptions& cluster = resolved.scenario.clusters[i];
    note(cluster, resolved.checked.find("clusters")->items[i], join_path("clusters", cluster.name));
  }
  for (std::size_t i = 0; i < resolved.scenario.groups.size(); ++i) {
    const models::GroupOptions& group = resolved.scenario.groups[i];
    if (group.type == models::GroupType::share &&
        resolved.checked.find("groups")->items[i].find("commit") != nullptr)
      notes.push_back(join_path("groups", group.name) +
                      ".commit has no effect: a share group acknowledges records, and commits no offsets");
    if (group.transform && std::count(group.topics.begin(), group.topics.end(), group.transform->to) > 0)
      notes.push_back(join_path("groups", group.name) +
                      ".transform.to is what the group reads: each record makes another one, without end");
  }
  const bool idempotent_by_default = version_of(resolved.checked) >= models::kafka::Version{3, 0};  // KIP-679
  for (std::size_t i = 0; i < resolved.scenario.producers.size(); ++i) {
    const models::ProducerOptions& producer = resolved.scenario.producers[i];
    const Value& table = resolved.checked.find("producers")->items[i];
    if (producer.config.enable_idempotence || asks_for_idempotence(table) || !idempotent_by_default) continue;
    const std::string reason = producer.config.acks != -1 ? "acks = " + std::to_string(producer.config.acks)
                               : producer.config.retries == 0 ? "retries = 0"
                                                              : "max.in.flight.requests.per.connection > 5";
    notes.push_back(join_path("producers", producer.name) + ".config." + reason +
                    " turns enable.idempotence off, as in Kafka's own producer; give it to say so yourself");
  }
  return notes;
}

void print_notes(std::span<const Resolved* const> cells, std::ostream& err) {
  std::set<std::string> said;
  for (const Resolved* const cell : cells) {
    for (const std::string& note : notes_on(*cell)) {
      if (said.insert(note).second) err << "mqlab: note: " << note << '\n';
    }
  }
}

}  // namespace experiments
