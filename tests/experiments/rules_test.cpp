// Every rule of the protocol matters alone: in some scenario a run with it differs from the same run without.
#include <algorithm>
#include <string>
#include <vector>

#include "experiments/trial.hpp"
#include "models/kafka/protocol_rules.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;
using models::kafka::Rule;

namespace {

/// A broker is restarted, another cut off, a member dies; nothing of it for long.
constexpr std::string_view kEventful = R"([scenario]
name = "eventful"
duration = "20s"

[kafka]
brokers = 3
racks = ["a", "b", "c"]
[kafka.config]
min.insync.replicas = 2
broker.rack = "{rack}"
broker.session.timeout.ms = 2000
broker.heartbeat.interval.ms = 500
offsets.retention.check.interval.ms = 1000

[[kafka.topics]]
name = "orders"
partitions = 6
replication-factor = 3

[[producers]]
name = "shop"
to = "orders"
arrivals = { process = "poisson", rate = 60 }
[producers.config]
acks = "all"

[[groups]]
name = "billing"
topics = ["orders"]
members = 3
racks = ["a", "b", "c"]
stagger = "2s"
service = "1ms"
commit = "each-record"
[groups.config]
auto.offset.reset = "earliest"

[[faults]]
name = "restart"
kind = "restart"
target = "kafka/0"
at = "5s"
for = "3s"

[[faults]]
name = "member"
kind = "crash"
target = "billing/1"
at = "9s"
for = "2s"

[[faults]]
name = "cut"
kind = "isolate"
target = "kafka/2"
at = "13s"
for = "5s"
)";

/// With kEventful: what only the leader of a group notices.
constexpr std::string_view kGrowth = R"(
[[faults]]
name = "growth"
kind = "grow"
target = "orders"
partitions = 9
at = "16s"
)";

struct Row {
  Rule rule;
  std::string file;  ///< of the catalogue; empty: kEventful
  std::string variant = {};
  std::vector<std::string> sets = {};
  std::string_view more = {};  ///< after kEventful
};

const std::string kNewest = "kafka.version=\"4.3\"";
const std::string kQuorum = "kafka.controllers=3";
const std::string kConsumer = "groups.billing.config.group.protocol=consumer";
const std::string kSlowLinks = "network.latency=20ms";

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {Rule::leader_epoch_truncation, "hw_truncation_loss", "newest"},
      {Rule::epoch_in_epoch_end, "fast_failover_divergence", "with-epoch"},
      {Rule::fetch_epoch_fencing, "blind_truncation", "newest-blind"},
      {Rule::truncation_on_fetch, ""},
      {Rule::diverging_fetch_uncredited, "diverging_epoch_credit", "newest-credited"},
      {Rule::generation_with_owned, "coop_dual_owner", "believed"},
      {Rule::lost_before_rejoin, "coop_dual_owner", "believed"},
      {Rule::rack_aware_assignors,
       "",
       "",
       {"kafka.topics.orders.replication-factor=1", "kafka.config.min.insync.replicas=1",
        "groups.billing.config.client.rack=\"{rack}\""}},
      {Rule::strict_min_isr, "last_replica_standing", "no-elr", {kNewest}},
      {Rule::eligible_leader_replicas, "last_replica_standing", "no-elr", {kNewest}},
      {Rule::alter_partition, "zookeeper_failover", "zookeeper"},
      {Rule::sequence_window, "no_dedup_window", "window-0"},
      {Rule::renumber_after_earlier, "sequence_rewrite", "at-once"},
      {Rule::abort_before_new_epoch, "midtxn_epoch_bump", "new-epoch"},
      {Rule::one_high_watermark_read, "lso_race", "newest-twice"},
      {Rule::raft_check_quorum, "metadata_split", "three"},
      {Rule::raft_pre_vote, "metadata_split", "three"},
      {Rule::raft_high_watermark_in_fetch, "", "", {kQuorum}},
      {Rule::member_id_first, ""},
      {Rule::sticky_partitioner, ""},
      {Rule::uniform_sticky_partitioner, ""},
      {Rule::generation_with_offsets, "eos_zombie", "in-transaction"},
      {Rule::sequences_outlive_metadata, "metadata_amnesia", "reset"},
      {Rule::answer_before_throttling, "quota", "with-quotas"},
      {Rule::offsets_of_live_groups_stay,
       "",
       "",
       {"scenario.duration=100s", "producers.shop.messages=200", "faults.member.at=80s",
        "kafka.config.offsets.retention.minutes=1"}},
      {Rule::static_members, "", "", {"groups.billing.config.group.instance.id=\"m{index}\""}},
      {Rule::fetch_from_followers,
       "",
       "",
       {"kafka.config.replica.selector.class=RackAwareReplicaSelector",
        "groups.billing.config.client.rack=\"{rack}\""}},
      {Rule::cooperative_rebalancing,
       "",
       "",
       {"groups.billing.config.partition.assignment.strategy=CooperativeStickyAssignor"}},
      {Rule::fenced_stay_out_of_sync, "zombie_fetcher", "unfenced"},
      {Rule::broker_epochs_in_sync, "", "", {kSlowLinks}},
      {Rule::epoch_stays_on_shrink, ""},
      {Rule::consumer_protocol, "", "", {kConsumer}},
      {Rule::transactions_v2, "eos_kafka_to_kafka", "uncommitted-reader"},
      {Rule::assignment_epochs, "", "", {kConsumer, kSlowLinks}},
      {Rule::leader_hints, ""},
      {Rule::dated_tombstones, "compaction", "away-for-too-long"},
      {Rule::recovery_by_epoch, "sequence_rewrite", "at-once"},
      {Rule::leader_stays_on_return,
       "",
       "",
       {"groups.billing.config.group.instance.id=\"m{index}\"", "faults.member.target=\"billing/0\"",
        "faults.member.at=12500ms", "faults.cut.at=19s", "groups.billing.config.metadata.max.age.ms=1000"},
       kGrowth},
      {Rule::delivery_timeout,
       "",
       "",
       {"producers.shop.config.delivery.timeout.ms=1500", "producers.shop.config.request.timeout.ms=1000"}},
      {Rule::coordinator_threads, "", "", {"kafka.service.coordinator=5ms"}},
  };
  return all;
}

std::string digest(const Row& row, bool on) {
  const auto& info = models::kafka::rule_catalogue()[static_cast<std::size_t>(row.rule)];
  Overrides overrides;
  overrides.sets = row.sets;
  overrides.sets.push_back("kafka.rules." + std::string(info.name) + (on ? "=true" : "=false"));
  overrides.without_axes = true;
  const TempFolder folder;
  const std::string file = row.file.empty()
                               ? folder.write("eventful.toml", std::string(kEventful) + std::string(row.more))
                               : MQLAB_SOURCE_DIR "/experiments/" + row.file + ".toml";
  const Experiment experiment = load_experiment(file, overrides);
  const std::size_t variant = row.variant.empty() ? 0 : experiment.variant_named(row.variant);
  return run_trial(resolve(experiment, 0, variant), 1, {}).digest;
}

}  // namespace

TEST_CASE("each rule of the protocol makes a difference by itself") {
  for (const Row& row : rows()) {
    INFO(models::kafka::rule_catalogue()[static_cast<std::size_t>(row.rule)].name);
    CHECK(digest(row, true) != digest(row, false));
  }
}

TEST_CASE("no rule is left out of those that are tried") {
  for (const models::kafka::RuleInfo& info : models::kafka::rule_catalogue()) {
    INFO(info.name);
    const bool tried =
        std::any_of(rows().begin(), rows().end(), [&info](const Row& row) { return row.rule == info.rule; });
    // Share groups without their rule are refused (versions_test.cpp).
    CHECK((tried || info.rule == Rule::share_groups));
  }
}
