// Share groups in whole worlds: what becomes of records when members and leaders die, and what an operator sees.

#include <algorithm>
#include <string>
#include <vector>

#include "models/kafka/group/describe.hpp"
#include "models/kafka/group/simple_assignor.hpp"
#include "models/kafka/quorum/metadata_log.hpp"
#include "models/kafka/share/share_state_store.hpp"
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Scenario;
using namespace models::kafka;

namespace {

/// Two members, four partitions on three brokers, 2 ms a record, from the beginning.
Scenario shared_orders(sim::Duration duration = 20s, double rate = 200) {
  Scenario s = orders_scenario(duration, sim::ArrivalProcess::poisson(rate));
  s.drain = 90s;
  s.kafka->brokers = 3;
  s.kafka->topics[0].partitions = 4;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->config.min_insync_replicas = 2;
  models::GroupOptions& group = s.groups[0];
  group.type = models::GroupType::share;
  group.members = 2;
  group.service = sim::Distribution::constant(2e6);
  group.config.share.auto_offset_reset = AutoOffsetReset::earliest;
  group.config.max_poll_records = 20;
  return s;
}

struct Seen {
  models::MetricValues values;
  models::RunOutcome outcome;
  std::vector<sim::TraceRecord> delivered;
  double operator[](Metric metric) const { return values[metric].value_or(-1); }
};

/// With the cluster's invariants asserted after every event.
Seen run(const Scenario& s, std::uint64_t seed = 1) {
  models::World world(s, seed, {.checked = true});
  Recorder recorder;
  world.trace().add_sink(recorder);
  models::ObserverOptions options;
  options.entities = &world.entities();
  models::Observers observers(options);
  world.trace().add_sink(observers);
  Seen seen;
  seen.outcome = world.run();
  seen.values = observers.values();
  seen.delivered = recorder.of(Kind::delivered);
  return seen;
}

std::vector<AssignorMember> members_of(const std::vector<std::string>& ids,
                                       const std::vector<TopicIndex>& topics,
                                       const TargetAssignment& has = {}) {
  std::vector<AssignorMember> all;
  for (std::size_t m = 0; m < ids.size(); ++m) {
    all.push_back({ids[m], "", topics, {}});
    if (m < has.size()) all.back().assigned = has[m];
  }
  return all;
}

/// How often each partition is assigned, and the least and the most that a member has.
struct Spread {
  std::vector<int> shared;
  std::size_t least = 1000, most = 0;
};
Spread spread_of(const TargetAssignment& target, std::int32_t partitions) {
  Spread spread;
  spread.shared.resize(static_cast<std::size_t>(partitions));
  for (const auto& one : target) {
    spread.least = std::min(spread.least, one.size());
    spread.most = std::max(spread.most, one.size());
    for (const PartitionIndex p : one) ++spread.shared[p.value];
    CHECK(std::is_sorted(one.begin(), one.end()));
    CHECK(std::adjacent_find(one.begin(), one.end()) == one.end());
  }
  return spread;
}

}  // namespace

TEST_CASE("the simple assignor gives each member a partition and each partition to as many members",
          "[share]") {
  const std::vector<TopicIndex> topics{TopicIndex{0}};
  for (std::int32_t partitions = 1; partitions <= 12; ++partitions) {
    const std::vector<AssignorTopic> all{{TopicIndex{0}, "t", PartitionIndex{0}, partitions}};
    TargetAssignment before;
    std::vector<std::string> ids;
    for (char c = 'a'; c <= 'z'; ++c) {
      ids.push_back(std::string(1, c));
      const TargetAssignment target = assign_shared(members_of(ids, topics, before), all);
      const Spread spread = spread_of(target, partitions);
      INFO(partitions << " partitions, " << ids.size() << " members");
      CHECK(spread.least >= 1);
      CHECK(spread.most <= spread.least + 1);
      const int each = (static_cast<int>(ids.size()) + partitions - 1) / partitions;
      for (const int shared : spread.shared) CHECK((shared >= 1 && shared <= each));
      before = target;
    }
  }
}

TEST_CASE("the simple assignor keeps what members have", "[share]") {
  const std::vector<TopicIndex> topics{TopicIndex{0}};
  const std::vector<AssignorTopic> all{{TopicIndex{0}, "t", PartitionIndex{0}, 3}};
  const TargetAssignment has{{PartitionIndex{2}}, {PartitionIndex{0}}, {PartitionIndex{1}}};
  CHECK(assign_shared(members_of({"a", "b", "c"}, topics, has), all) == has);
  // A fourth shares one of them, and nobody else moves.
  const TargetAssignment four = assign_shared(members_of({"a", "b", "c", "d"}, topics, has), all);
  for (std::size_t m = 0; m < 3; ++m)
    CHECK(std::find(four[m].begin(), four[m].end(), has[m][0]) != four[m].end());
}

TEST_CASE("a share coordinator's state takes updates in, newer over older", "[share]") {
  using State = ShareRecordState;
  ShareGroupState state{0, 0, {}};
  merge(state, {0, 1, {{0, 10, State::available, 1}}});
  merge(state, {0, 1, {{3, 5, State::acknowledged, 1}}});
  CHECK(state.batches == std::vector<ShareStateBatch>{{0, 3, State::available, 1},
                                                      {3, 5, State::acknowledged, 1},
                                                      {5, 10, State::available, 1}});
  merge(state, {4, 2, {{5, 8, State::acknowledged, 1}}});
  CHECK(state.leader_epoch == 2);
  CHECK(state.batches ==
        std::vector<ShareStateBatch>{{4, 8, State::acknowledged, 1}, {8, 10, State::available, 1}});
  merge(state, {10, 2, {}});
  CHECK(state.batches.empty());
}

TEST_CASE("what a new leader of the state's log lacks never happened", "[share]") {
  ShareStateStore store;
  const PartitionIndex log{7};
  const ShareKey key{models::EntityId{3}, PartitionIndex{1}};
  store.append(log, 0, 1, key, {0, 0, {{0, 5, ShareRecordState::acknowledged, 1}}});
  store.replicated(log, 0, 1);
  store.append(log, 0, 2, key, {0, 0, {{5, 9, ShareRecordState::acknowledged, 1}}});
  store.elected(log, 1, 1);
  const auto states = store.load(log);
  REQUIRE(states.count(key) == 1);
  CHECK(states.at(key).batches.back().end == 5);
  store.append(log, 0, 3, key, {9, 0, {}});  // from the deposed leader
  CHECK(store.load(log).at(key).start_offset == 0);
}

TEST_CASE("a share group does every record once where nothing fails", "[share]") {
  const Seen seen = run(shared_orders());
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::processed] == seen[Metric::stored]);
  CHECK(seen[Metric::duplicated] == 0);
  CHECK(seen[Metric::redelivered] == 0);
  CHECK(seen[Metric::members_active] == 2);
  CHECK(seen[Metric::overlaps] <= 0);
}

TEST_CASE("a dead member's records go to others as soon as its connections are gone", "[share]") {
  Scenario s = shared_orders();
  s.groups[0].service = sim::Distribution::constant(100e6);
  s.faults = {crash("billing/0", 10s)};
  s.producers[0].messages = 200;
  const Seen seen = run(s);
  CHECK(seen[Metric::in_flight] + seen[Metric::lost] + seen[Metric::dead_lettered] == 0);
  CHECK(seen[Metric::redelivered] >= 1);
  // Not thirty seconds later, when the locks end.
  const auto again = std::find_if(seen.delivered.begin(), seen.delivered.end(),
                                  [](const auto& r) { return r.time > sim::Time{10s}; });
  REQUIRE(again != seen.delivered.end());
  CHECK(again->time < sim::Time{15s});
}

TEST_CASE("a member that is cut off keeps its records until their locks end", "[share]") {
  Scenario s = shared_orders();
  s.groups[0].service = sim::Distribution::constant(100e6);
  s.producers[0].messages = 200;
  models::FaultSpec gone = crash("billing/0", 10s, 9s);
  gone.kind = "isolate";
  s.kafka->config.group_share_record_lock_duration = 4s;
  s.faults = {gone};
  const Seen seen = run(s);
  CHECK(seen[Metric::in_flight] + seen[Metric::lost] == 0);
  CHECK(seen[Metric::two_holders] + seen[Metric::duplicated] >= 1);
}

TEST_CASE("whatever dies, nothing is lost: the next leader goes on from what was stored", "[share]") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    Scenario s = shared_orders();
    s.kafka->config.broker_session_timeout = 2s;
    s.kafka->config.broker_heartbeat_interval = 500ms;
    s.faults = {crash("kafka/0", 6s, 3s), crash("kafka/1", 11s, 3s), crash("billing/1", 8s, 2s),
                crash("kafka/2", 15s, 3s)};
    s.groups[0].poison = models::PoisonOptions{.share = 0.02, .then = models::PoisonOptions::Then::release};
    s.groups[0].config.explicit_acknowledgement = true;
    const Seen seen = run(s, seed);
    CHECK(seen.outcome.drained);
    CHECK(seen[Metric::lost] + seen[Metric::in_flight] == 0);
    CHECK(seen[Metric::dead_lettered] >= 1);
  }
}

TEST_CASE("a share group that begins at the latest skips what was there", "[share]") {
  Scenario s = shared_orders();
  s.groups[0].config.share.auto_offset_reset = AutoOffsetReset::latest;
  s.groups[0].start = 5s;
  const Seen seen = run(s);
  CHECK(seen[Metric::skipped] > 300);
  CHECK(seen[Metric::lost] + seen[Metric::in_flight] == 0);
}

TEST_CASE("a share group that begins by a duration skips what is older", "[share]") {
  Scenario s = shared_orders();
  s.groups[0].start = 10s;
  REQUIRE_FALSE(set(s.groups[0].config, "share.auto.offset.reset", "by_duration:PT5S"));
  const Seen seen = run(s);
  CHECK(seen[Metric::skipped] > 700);  // of 200 a second, the first 5 of 10 s
  CHECK(seen[Metric::skipped] < 1300);
  CHECK(seen[Metric::lost] + seen[Metric::in_flight] == 0);
}

TEST_CASE("markers and aborted records are nobody's work", "[share]") {
  for (const bool committed : {false, true}) {
    INFO("read_committed " << committed);
    Scenario s = shared_orders();
    s.producers[0].transactions = models::TransactionOptions{.every = 300ms, .aborts = 0.3};
    s.groups[0].config.share.read_committed = committed;
    const Seen seen = run(s);
    CHECK(seen.outcome.drained);
    CHECK(seen[Metric::aborted] >= 1);
    CHECK(seen[Metric::lost] + seen[Metric::in_flight] == 0);
    CHECK((seen[Metric::aborted_read] == 0) == committed);
  }
}

TEST_CASE("a member leaves in an orderly way: what it holds is acknowledged, the rest given back",
          "[share]") {
  Scenario s = shared_orders();
  models::FaultSpec leave = crash("billing/0", 8s);
  leave.kind = "leave";
  s.faults = {leave};
  const Seen seen = run(s);
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::duplicated] == 0);
  CHECK(seen[Metric::lost] + seen[Metric::in_flight] == 0);
}

TEST_CASE("kafka-share-groups shows start offsets and lags", "[share]") {
  std::vector<GroupDescription> seen;
  models::WorldOptions options;
  for (const sim::Duration at : {10s, 100s}) {
    options.looks.push_back({sim::Time{at}, [&seen](models::World& world) {
                               seen.push_back(describe_group(world.kafka(), "billing"));
                             }});
  }
  models::World world(shared_orders(), 1, options);
  world.run();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].state == "Stable");
  REQUIRE(seen[0].rows.size() == 4);
  const std::string table = as_table(seen[0]);
  CHECK(table.find("GROUP           TOPIC           PARTITION  START-OFFSET  LAG") != std::string::npos);
  for (const GroupDescription::Row& row : seen[1].rows) CHECK(row.lag() == 0);
}

TEST_CASE("more members than group.share.max.size are refused", "[share]") {
  Scenario s = shared_orders();
  s.kafka->config.group_share_max_size = 1;
  const Seen seen = run(s);
  CHECK(seen[Metric::members_active] == 1);
  CHECK(seen[Metric::in_flight] == 0);
}

TEST_CASE("a leader that stands still past a change of leaders has let go of its locks when it goes on") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    Scenario s = shared_orders(60s);
    s.groups[0].members = 3;
    s.groups[0].service = sim::Distribution::constant(20e6);
    s.kafka->config.group_share_record_lock_duration = 15s;
    models::FaultSpec pause = crash("kafka/1", 20s + seed * 700ms, 18s);
    pause.kind = "pause";
    s.faults = {pause};
    const Seen seen = run(s, seed);
    CHECK(seen.outcome.drained);
    CHECK(seen[Metric::lost] == 0);
  }
}

namespace {

/// Speaks to share coordinators as leaders of partitions do.
struct Persister {
  ErrorCode error = ErrorCode::none;
  ShareGroupState state;
  bool answered = false;

  void ask(ClusterFixture& f, EntityId group, LeaderEpoch epoch, bool write, Offset start = 0) {
    Ref<ShareGroupStateCall> call = f.cluster.take<ShareGroupStateCall>();
    call->group = group;
    call->write = write;
    call->state.leader_epoch = epoch;
    if (write) call->state.start_offset = start;
    answered = false;
    const BrokerId coordinator =
        f.cluster.metadata_log().state(f.cluster.share_state_partition(group, {})).leader;
    f.channels[static_cast<std::size_t>(coordinator.value)]->call<&Persister::told>(*this, std::move(call));
    f.run_for(1s);
  }
  void told(BrokerId, Ref<ShareGroupStateCall> call) {
    answered = true;
    error = call->error;
    state = call->state;
  }
};

}  // namespace

TEST_CASE("what a newer leader has read nobody older writes, be it at another share coordinator", "[share]") {
  FixtureOptions options;
  options.config.broker_session_timeout = 2s;
  options.config.broker_heartbeat_interval = 500ms;
  options.share_groups = {{"billing", {}}};
  ClusterFixture f(options);
  const EntityId group = f.entities.add(EntityKind::group, "billing");
  Persister persister;
  persister.ask(f, group, 4, true, 10);
  REQUIRE(persister.answered);
  REQUIRE(persister.error == ErrorCode::none);
  persister.ask(f, group, 5, false);
  REQUIRE(persister.error == ErrorCode::none);
  CHECK(persister.state.start_offset == 10);
  persister.ask(f, group, 4, true, 20);
  CHECK(persister.error == ErrorCode::fenced_leader_epoch);
  const BrokerId coordinator =
      f.cluster.metadata_log().state(f.cluster.share_state_partition(group, {})).leader;
  f.node(coordinator.value).crash();
  f.run_for(4s);
  persister.ask(f, group, 4, true, 20);
  CHECK(persister.error == ErrorCode::fenced_leader_epoch);
  persister.ask(f, group, 5, false);
  CHECK(persister.error == ErrorCode::none);
  CHECK(persister.state.start_offset == 10);
}

TEST_CASE("a record that is archived because its lock ended while its state could not be stored is told",
          "[share]") {
  Scenario s = shared_orders(80s, 5);
  s.kafka->config.broker_session_timeout = 2s;
  s.kafka->config.broker_heartbeat_interval = 500ms;
  s.kafka->topics[0].assignment = {{1}, {1}, {1}, {1}};
  s.kafka->topics[0].replication_factor = 1;
  s.kafka->config.share_state_topic_num_partitions = 1;
  s.kafka->config.share_state_topic_replication_factor = 1;  // at broker 0
  s.kafka->config.share_state_topic_min_isr = 1;
  s.kafka->config.group_share_record_lock_duration = 2s;
  s.kafka->config.group_share_delivery_count_limit = 2;
  s.groups[0].config.explicit_acknowledgement = true;
  s.groups[0].poison = models::PoisonOptions{.share = 0.3, .then = models::PoisonOptions::Then::release};
  s.faults = {crash("kafka/0", 5s, 70s)};
  const Seen seen = run(s);
  CHECK(seen[Metric::dead_lettered] >= 10);
  CHECK(seen[Metric::lost] + seen[Metric::in_flight] == 0);
}
