// Every key that the catalogue calls modelled changes what a run does: the run with the key at an extreme value has another
// digest than the same run without it. A key that is taken and then ignored fails here.

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/config.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/key_worlds.hpp"
#include "tests/models/kafka/small_world.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using namespace key_worlds;
using models::Scenario;
using models::kafka::KeyInfo;
using models::kafka::KeyScope;

namespace {

struct Row {
  KeyScope scope;
  std::string_view key, value;
  std::function<void(Scenario&)> prepare = {};
};

const std::vector<Row>& rows() {
  using S = KeyScope;
  static const std::vector<Row> all{
      {S::broker, "min.insync.replicas", "3"},
      {S::broker, "replica.lag.time.max.ms", "100"},
      {S::broker, "replica.fetch.wait.max.ms", "5"},
      {S::broker, "replica.fetch.min.bytes", "100000"},
      {S::broker, "replica.fetch.max.bytes", "1"},
      {S::broker, "replica.fetch.response.max.bytes", "1"},
      {S::broker, "replica.fetch.backoff.ms", "10"},
      {S::broker, "num.replica.fetchers", "3"},
      {S::broker, "unclean.leader.election.enable", "true", leaderless},
      {S::broker, "unclean.leader.election.interval.ms", "1000", allows_unclean_late},
      {S::broker, "auto.leader.rebalance.enable", "false", balances_often},
      {S::broker, "leader.imbalance.check.interval.seconds", "1"},
      {S::broker, "leader.imbalance.per.broker.percentage", "100", balances_with_zookeeper},
      {S::broker, "broker.heartbeat.interval.ms", "100"},
      {S::broker, "broker.session.timeout.ms", "9000"},
      {S::broker, "zookeeper.session.timeout.ms", "2000", with_zookeeper},
      {S::broker, "controller.quorum.election.timeout.ms", "5000", quorum_of_controllers},
      {S::broker, "controller.quorum.fetch.timeout.ms", "600", quorum_of_controllers},
      {S::broker, "controller.quorum.election.backoff.max.ms", "0", quorum_at_odds},
      {S::broker, "controller.quorum.append.linger.ms", "0", quorum_of_controllers},
      {S::broker, "controller.quorum.request.timeout.ms", "600", quorum_cut_up},
      {S::broker, "controller.quorum.retry.backoff.ms", "500", quorum_of_controllers},
      {S::broker, "quota.window.num", "2", with_quotas},
      {S::broker, "quota.window.size.seconds", "5", with_quotas},
      {S::broker, "controller.quota.window.num", "1", with_mutation_quotas},
      {S::broker, "controller.quota.window.size.seconds", "2", with_mutation_quotas},
      {S::broker, "broker.rack", "{rack}", out_of_racks},
      {S::broker, "replica.selector.class", "RackAwareReplicaSelector", with_a_rack},
      {S::broker, "controlled.shutdown.enable", "false", orderly_restarts},
      {S::broker, "num.io.threads", "1", slow_brokers},
      {S::broker, "queued.max.requests", "1", a_slow_thread},
      {S::broker, "num.network.threads", "1", a_short_queue},
      {S::broker, "log.message.timestamp.type", "LogAppendTime", clocks_far_ahead},
      {S::broker, "log.message.timestamp.before.max.ms", "1", clocks_behind},
      {S::broker, "log.message.timestamp.after.max.ms", "9223372036854775807", clocks_far_ahead},
      {S::broker, "group.coordinator.append.linger.ms", "20"},
      {S::broker, "group.coordinator.threads", "1", busy_coordinators},
      {S::broker, "share.coordinator.append.linger.ms", "20", shared},
      {S::broker, "connections.max.idle.ms", "1000", speaks_rarely},
      {S::broker, "producer.id.expiration.ms", "1000", forgets_producers_often},
      {S::broker, "producer.id.expiration.check.interval.ms", "1000", forgets_producers_soon},
      {S::broker, "message.max.bytes", "100"},
      {S::broker, "fetch.max.bytes", "1024"},
      {S::broker, "group.initial.rebalance.delay.ms", "0"},
      {S::broker, "group.min.session.timeout.ms", "60000"},
      {S::broker, "group.max.session.timeout.ms", "6000"},
      {S::broker, "group.max.size", "1"},
      {S::broker, "group.consumer.session.timeout.ms", "3000", a_modern_member_missing},
      {S::broker, "group.consumer.heartbeat.interval.ms", "500", consumer_protocol},
      {S::broker, "group.consumer.assignment.interval.ms", "0", consumer_protocol},
      {S::broker, "group.consumer.max.size", "1", consumer_protocol},
      {S::broker, "group.consumer.assignors", "range", modern_members_come_and_go},
      {S::broker, "group.share.session.timeout.ms", "3000", a_shared_member_missing},
      {S::broker, "group.share.heartbeat.interval.ms", "500", shared},
      {S::broker, "group.share.assignment.interval.ms", "0", shared_by_three_at_once},
      {S::broker, "group.share.max.size", "1", shared},
      {S::broker, "group.share.max.share.sessions", "1", shared},
      {S::broker, "group.share.delivery.count.limit", "2", shared},
      {S::broker, "group.share.record.lock.duration.ms", "60000", shared},
      {S::broker, "group.share.partition.max.record.locks", "100", shared},
      {S::broker, "share.coordinator.state.topic.num.partitions", "1", shared},
      {S::broker, "share.coordinator.state.topic.replication.factor", "1", shared},
      {S::broker, "share.coordinator.state.topic.min.isr", "3", shared},
      {S::broker, "offsets.retention.minutes", "1", deserted},
      {S::broker, "offsets.retention.check.interval.ms", "1000", deserted_for_longer_than_offsets_last},
      {S::broker, "offsets.topic.num.partitions", "1"},
      {S::broker, "offsets.topic.replication.factor", "1"},
      {S::broker, "offsets.commit.timeout.ms", "20", out_of_reach},
      {S::broker, "transaction.state.log.num.partitions", "1", transforms},
      {S::broker, "transaction.state.log.replication.factor", "1", transforms},
      {S::broker, "transaction.state.log.min.isr", "3", transforms_on_two_brokers},
      {S::broker, "transaction.max.timeout.ms", "1", transforms},
      {S::broker, "transaction.abort.timed.out.transaction.cleanup.interval.ms", "100",
       abandons_a_transaction},
      {S::broker, "transactional.id.expiration.ms", "1000", looks_for_unused_ids},
      {S::broker, "transaction.remove.expired.transaction.cleanup.interval.ms", "100", ids_expire_soon},
      {S::broker, "transaction.partition.verification.enable", "false", transforms_without_kip_890},
      {S::broker, "add.partitions.to.txn.retry.backoff.ms", "1", transforms},
      {S::broker, "add.partitions.to.txn.retry.backoff.max.ms", "0", transforms},
      {S::broker, "log.flush.interval.messages", "1", power_fails},
      {S::broker, "log.flush.interval.ms", "100000", flushes_often},
      {S::broker, "log.flush.scheduler.interval.ms", "100", power_fails},
      {S::broker, "log.flush.offset.checkpoint.interval.ms", "100", slow_disks},
      {S::broker, "replica.high.watermark.checkpoint.interval.ms", "100", leaderless},
      {S::broker, "log.segment.bytes", "1048576", little_kept},
      {S::broker, "log.roll.ms", "1000", short_lived},
      {S::broker, "log.roll.hours", "1", for_hours_short_lived},
      {S::broker, "log.retention.ms", "2000", rolls_often},
      {S::broker, "log.retention.minutes", "1", for_minutes},
      {S::broker, "log.retention.hours", "1", for_hours_and_rolled},
      {S::broker, "log.retention.bytes", "1000000", many_segments},
      {S::broker, "log.segment.delete.delay.ms", "0", nearly_full},
      {S::broker, "log.retention.check.interval.ms", "100", short_lived_and_rolled},
      {S::broker, "log.initial.task.delay.ms", "100", short_lived_and_rolled},
      {S::broker, "log.cleanup.policy", "compact", rolls_for_the_cleaner},
      {S::broker, "remote.log.storage.system.enable", "true", could_be_tiered},
      {S::broker, "remote.log.manager.task.interval.ms", "5000", tiered},
      {S::broker, "remote.log.manager.copy.max.bytes.per.second", "100000", tiered},
      {S::broker, "remote.log.manager.fetch.max.bytes.per.second", "1000", tiered},
      {S::broker, "remote.fetch.max.wait.ms", "1", tiered},
      {S::broker, "remote.log.reader.threads", "1", tiered_and_read_by_four},
      {S::broker, "remote.log.reader.max.pending.tasks", "1", tiered_and_read_by_one_thread},
      {S::broker, "log.local.retention.ms", "2000", tiered_and_all_on_disk},
      {S::broker, "log.local.retention.bytes", "1000000", tiered_and_all_on_disk},
      {S::topic, "remote.storage.enable", "true", tiers_for_others},
      {S::topic, "local.retention.ms", "2000", tiered_and_all_on_disk},
      {S::topic, "local.retention.bytes", "1000000", tiered_and_all_on_disk},
      {S::broker, "log.cleaner.enable", "false", compacts},
      {S::broker, "log.cleaner.threads", "4", compacts_slowly},
      {S::broker, "log.cleaner.io.max.bytes.per.second", "1000", compacts},
      {S::broker, "log.cleaner.dedupe.buffer.size", "24", compacts},
      {S::broker, "log.cleaner.io.buffer.load.factor", "0.01", compacts_with_a_small_map},
      {S::broker, "log.cleaner.backoff.ms", "100", compacts},
      {S::broker, "log.cleaner.min.cleanable.ratio", "0.99", compacts},
      {S::broker, "log.cleaner.delete.retention.ms", "100", compacts},
      {S::broker, "log.cleaner.min.compaction.lag.ms", "10000", compacts},
      {S::broker, "log.cleaner.max.compaction.lag.ms", "1000", hardly_ever_compacts},
      {S::topic, "cleanup.policy", "compact,delete", rolls_for_the_cleaner},
      {S::topic, "min.cleanable.dirty.ratio", "0.99", compacts},
      {S::topic, "min.compaction.lag.ms", "10000", compacts},
      {S::topic, "max.compaction.lag.ms", "1000", hardly_ever_compacts},
      {S::topic, "delete.retention.ms", "100", compacts},
      {S::topic, "min.insync.replicas", "3"},
      {S::topic, "unclean.leader.election.enable", "true", leaderless},
      {S::topic, "max.message.bytes", "100"},
      {S::topic, "message.timestamp.type", "LogAppendTime", clocks_far_ahead},
      {S::topic, "message.timestamp.before.max.ms", "1", clocks_behind},
      {S::topic, "message.timestamp.after.max.ms", "1000", clocks_ahead},
      {S::topic, "segment.bytes", "1048576", little_kept},
      {S::topic, "file.delete.delay.ms", "0", nearly_full},
      {S::topic, "segment.ms", "1000", short_lived},
      {S::topic, "retention.ms", "2000", rolls_often},
      {S::topic, "retention.bytes", "1000000", many_segments},
      {S::topic, "flush.messages", "1", power_fails},
      {S::topic, "flush.ms", "100000", flushes_often},
      {S::producer, "acks", "1", not_idempotent},
      {S::producer, "enable.idempotence", "false"},
      {S::producer, "retries", "0", not_idempotent},
      {S::producer, "delivery.timeout.ms", "600", no_patience},
      {S::producer, "request.timeout.ms", "200"},
      {S::producer, "linger.ms", "0"},
      {S::producer, "batch.size", "0"},
      {S::producer, "buffer.memory", "20000"},
      {S::producer, "max.block.ms", "1", little_memory},
      {S::producer, "max.request.size", "100"},
      {S::producer, "max.in.flight.requests.per.connection", "1", slow_brokers},
      {S::producer, "retry.backoff.ms", "1"},
      {S::producer, "retry.backoff.max.ms", "100"},
      {S::producer, "reconnect.backoff.ms", "5"},
      {S::producer, "reconnect.backoff.max.ms", "50"},
      {S::producer, "metadata.max.age.ms", "100"},
      {S::producer, "connections.max.idle.ms", "1000", speaks_rarely},
      {S::producer, "partitioner.adaptive.partitioning.enable", "false", no_keys},
      {S::producer, "partitioner.availability.timeout.ms", "50", no_keys},
      {S::producer, "partitioner.ignore.keys", "true"},
      {S::producer, "partitioner.class", "RoundRobinPartitioner", no_keys},
      {S::producer, "transactional.id", "charger-{index}", transforms},
      {S::producer, "transaction.timeout.ms", "10000", abandons_a_transaction},
      {S::consumer, "session.timeout.ms", "6000", a_member_missing},
      {S::consumer, "isolation.level", "read_committed", reads_what_it_made},
      {S::consumer, "heartbeat.interval.ms", "500"},
      {S::consumer, "group.protocol", "consumer"},
      {S::consumer, "group.remote.assignor", "range", modern_members_come_and_go},
      {S::consumer, "share.acknowledgement.mode", "implicit", shared},
      {S::consumer, "share.acquire.mode", "record_limit", shared},
      {S::consumer, "share.session.timeout.ms", "3000", a_shared_member_missing},
      {S::consumer, "share.heartbeat.interval.ms", "500", shared},
      {S::consumer, "share.record.lock.duration.ms", "60000", shared},
      {S::consumer, "share.delivery.count.limit", "2", shared},
      {S::consumer, "share.partition.max.record.locks", "100", shared},
      {S::consumer, "share.auto.offset.reset", "earliest", shared_by_three},
      {S::consumer, "share.auto.offset.reset", "by_duration:PT5S", shared_by_three},
      {S::consumer, "share.renew.acknowledge.enable", "false", shared_and_renewed},
      {S::consumer, "share.isolation.level", "read_committed", shared_with_transactions},
      {S::consumer, "max.poll.interval.ms", "100", waits_for_commits},
      {S::consumer, "max.poll.records", "1"},
      {S::consumer, "internal.leave.group.on.close", "false", a_member_leaves},
      {S::consumer, "enable.auto.commit", "false"},
      {S::consumer, "auto.commit.interval.ms", "100"},
      {S::consumer, "auto.offset.reset", "earliest"},
      {S::consumer, "auto.offset.reset", "by_duration:PT5S", comes_late},
      {S::consumer, "fetch.min.bytes", "10000"},
      {S::consumer, "fetch.max.wait.ms", "1"},
      {S::consumer, "fetch.max.bytes", "1"},
      {S::consumer, "max.partition.fetch.bytes", "1"},
      {S::consumer, "partition.assignment.strategy", "RoundRobinAssignor"},
      {S::consumer, "client.rack", "{rack}", with_a_selector},
      {S::consumer, "group.instance.id", "m{index}"},
      {S::consumer, "request.timeout.ms", "200"},
      {S::consumer, "default.api.timeout.ms", "100", out_of_reach},
      {S::consumer, "retry.backoff.ms", "1"},
      {S::consumer, "retry.backoff.max.ms", "50", waits_for_commits},
      {S::consumer, "reconnect.backoff.ms", "5", alone},
      {S::consumer, "reconnect.backoff.max.ms", "50", alone},
      {S::consumer, "metadata.max.age.ms", "100"},
      {S::consumer, "connections.max.idle.ms", "1000", speaks_rarely},
      {S::mirror, "tasks.max", "2", mirrored},
      {S::mirror, "replication.policy.class", "IdentityReplicationPolicy", mirrored_beside_another},
      {S::mirror, "replication.factor", "1", mirrored},
      {S::mirror, "offset.lag.max", "0", mirrored},
      {S::mirror, "emit.checkpoints.interval.seconds", "1", mirrored},
      {S::mirror, "sync.group.offsets.enabled", "false", mirrored},
      {S::mirror, "sync.group.offsets.interval.seconds", "1", mirrored},
      {S::mirror, "offset.flush.interval.ms", "1000", mirrored},
  };
  return all;
}

void set(Scenario& s, const Row& row) {
  switch (row.scope) {
    case KeyScope::broker:
      REQUIRE_FALSE(models::kafka::set(s.kafka->config, row.key, row.value));
      return;
    case KeyScope::topic:
      REQUIRE_FALSE(models::kafka::set(s.kafka->topics[0].config, row.key, row.value));
      return;
    case KeyScope::producer:
      // What is about transactions is about the producers of a group that transforms.
      REQUIRE_FALSE(models::kafka::set(
          row.key.starts_with("transaction") ? s.groups[0].transform->config : s.producers[0].config, row.key,
          row.value));
      return;
    case KeyScope::consumer:
      REQUIRE_FALSE(models::kafka::set(s.groups[0].config, row.key, row.value));
      return;
    case KeyScope::mirror:
      REQUIRE_FALSE(models::kafka::set(s.mirrors[0].config, row.key, row.value));
      break;
    default:  // librdkafka_keys_test.cpp, streams_test.cpp
      return;
  }
}

auto digest_of(const Scenario& s) {
  models::World world(s, 1);
  world.run();
  return world.trace().digest();
}

/// Modelled by what they refuse: a bound is set for another key. Or read where topics are (tests of the reader).
bool only_refuses(std::string_view key) {
  const bool bounds = key.starts_with("group.share.min.") || key == "group.share.assignors" ||
                      (key.starts_with("group.share.max.") && key != "group.share.max.size" &&
                       key != "group.share.max.share.sessions") ||
                      key.starts_with("group.consumer.min.") ||
                      (key.starts_with("group.consumer.max.") && key != "group.consumer.max.size");
  const bool of_topics = key == "num.partitions" || key == "default.replication.factor";
  return bounds || of_topics;
}

}  // namespace

TEST_CASE("every modelled key changes a run when it is set to an extreme") {
  for (const Row& row : rows()) {
    Scenario without = small_world();
    if (row.prepare) row.prepare(without);
    Scenario with = without;
    set(with, row);
    INFO(row.key << " = " << row.value << ", scope " << static_cast<int>(row.scope));
    CHECK(digest_of(without) != digest_of(with));
  }
}

TEST_CASE("no modelled key is left out of the table of those that are tried") {
  for (const KeyInfo& key : models::kafka::key_catalogue()) {
    const bool elsewhere = key.scope > KeyScope::consumer;  // librdkafka_keys_test.cpp, streams_test.cpp
    if (!key.modelled || elsewhere || only_refuses(key.name)) continue;
    INFO(key.name);
    CHECK(std::any_of(rows().begin(), rows().end(),
                      [&key](const Row& row) { return row.scope == key.scope && row.key == key.name; }));
  }
}

TEST_CASE("the same run twice has the same digest, so that a difference is the key's") {
  CHECK(digest_of(small_world()) == digest_of(small_world()));
}
