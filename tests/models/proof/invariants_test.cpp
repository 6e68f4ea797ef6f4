// The invariants of a cluster's state: each is seen to fire on a cluster that was broken on purpose, and a checked run changes
// nothing. What is asserted after every event of a checked run, where, and the test that makes it fire (of this file, unless
// said):
//
//   log matching                        check_log_matching          "logs that hold one epoch …", "a follower that copied …"
//   high watermark within the log       Invariants::check_replica   "a high watermark beyond the log's end is found"
//   high watermark falls not in a reign Invariants::check_replica   "a leader's high watermark that falls is found"
//   committed in every in-sync replica  Invariants::check_leader    "an in-sync replica that lacks …"
//   leader completeness                 Invariants::check_leader    "a cleanly elected leader that lacks …"
//   a leader is in its in-sync set      Invariants::check_epochs    "an in-sync set without its leader is found"
//   epochs only rise                    Invariants::check_epochs    "an epoch that falls is found"
//   one leader per epoch                Invariants::check_epochs    "a second leader of an epoch is found …"
//   the same of controllers, their logs RaftInvariants              quorum_test.cpp: "two leaders of one epoch, logs …"
//   offsets within the log              Invariants::check_committed "a group's committed offset beyond the log's end …"
//   one owner per generation            check_owners                "a partition that a classic group assigns twice …"
//   one owner per partition (KIP-848)   check_image                 "no partition is held by two …", "epochs … only rise …"
//   share groups' records in flight     SharePartition::broken      "a share group's record that nobody holds …"
//   queues: positions, counts, ready    ClassicQueue::broken        rabbitmq/classic_queue_test.cpp
//   a delivery tag is answered once     rabbitmq/broker.cpp         classic_queue_test.cpp: "a delivery is answered once"
//
// What has to come about in the end, and not after every event, is in liveness.hpp.
#include "models/kafka/invariants.hpp"

#include "models/kafka/group/group_coordinator.hpp"
#include "models/kafka/group/modern_group.hpp"
#include "models/kafka/share/share_partition_manager.hpp"
#include "models/world.hpp"
#include "sim/assert.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/proof/queue_world.hpp"

using namespace kafka_test;

namespace {

Extent records(std::int32_t count) {
  Extent extent;
  extent.count = count;
  extent.bytes = 100 * count;
  return extent;
}

/// A cluster of three with ten replicated records, and the invariants that watch it.
struct Watched : ClusterFixture {
  Watched() : invariants(cluster) {
    produce(BrokerId{0}, 10);
    run_for(1s);
    REQUIRE(!invariants.check());
  }
  std::string broken() { return invariants.check().value_or("nothing"); }
  Invariants invariants;
};

bool tells(const std::string& finding, const std::string& part) {
  return finding.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("logs that hold one epoch at one offset and differ before do not match") {
  PartitionStore store;
  ReplicaLog a(store), b(store);
  a.begin_epoch(0);
  a.append(records(5));
  b.copy(0, 0, 3);
  CHECK(!check_log_matching(a, b));  // a prefix
  b.begin_epoch(1);
  b.append(records(2));
  CHECK(!check_log_matching(a, b));  // they part at offset 3 and stay apart
  a.begin_epoch(2);
  a.append(records(4));
  b.copy(2, 5, 9);  // what no truncation came before
  REQUIRE(check_log_matching(a, b));
  CHECK(tells(*check_log_matching(a, b), "leader epoch 2 at offset 5, and differ at offset 3"));
  CHECK(check_log_matching(b, a));
}

TEST_CASE("a follower that copied behind records of its own is found") {
  Watched w;
  Replica& one = w.replica(1);
  one.log.begin_epoch(1);
  one.log.append(records(2));
  w.produce(BrokerId{0}, 4);
  w.run_for(1ms);  // long enough for the leader's append, and for follower 1's to be of no use
  CHECK(!w.invariants.check());
  ReplicaLog& zero = w.replica(0).log;
  zero.begin_epoch(2);
  zero.append(records(3));
  one.log.copy(2, one.log.end(), zero.end());
  CHECK(tells(w.broken(), "both hold records of leader epoch 2"));
}

TEST_CASE("a high watermark beyond the log's end is found") {
  Watched w;
  w.replica(1).high_watermark = 11;
  CHECK(tells(w.broken(), "orders/0: replica 1: the high watermark 11 is beyond the log's end 10"));
}

TEST_CASE("a leader's high watermark that falls is found") {
  Watched w;
  w.replica(0).high_watermark = 9;
  CHECK(tells(w.broken(), "a leader's high watermark fell from 10 to 9"));
}

TEST_CASE("an in-sync replica that lacks what the high watermark covers is found") {
  Watched w;
  w.replica(2).log.truncate(8);
  w.replica(2).high_watermark = 8;
  CHECK(tells(w.broken(), "broker 2 is in sync and agrees with its leader only up to 8"));
}

TEST_CASE("a cleanly elected leader that lacks acknowledged records is found") {
  Watched w;
  for (const int b : {1, 2}) {
    w.node(b).crash();
    w.replica(b).log.truncate(7);
    w.replica(b).high_watermark = 7;
  }
  w.run_for(20s);  // fenced: out of the in-sync set
  REQUIRE(!w.invariants.check());
  w.node(1).restart();
  w.node(0).crash();
  w.run_for(20s);
  CHECK(!w.invariants.check());  // the last in-sync replica is gone, nobody leads
  // An election that the controller would never make:
  Replica& usurper = w.replica(1);
  const_cast<PartitionState&>(w.cluster.controller().state(PartitionIndex{0})) = {
      BrokerId{1}, 9, 99, {BrokerId{1}}};
  usurper.leads = true;
  usurper.leader_epoch = 9;
  CHECK(tells(w.broken(), "the leader of epoch 9 lacks records below an earlier high watermark, 10"));
}

namespace {

/// What the controller would never grant.
PartitionState& granted(Watched& w) {
  return const_cast<PartitionState&>(w.cluster.controller().state(PartitionIndex{0}));
}

}  // namespace

TEST_CASE("an in-sync set without its leader is found") {
  Watched w;
  granted(w).isr = {BrokerId{1}, BrokerId{2}};
  ++granted(w).partition_epoch;
  CHECK(tells(w.broken(), "broker 0 leads and is not in sync"));
}

TEST_CASE("an epoch that falls is found") {
  Watched w;
  SECTION("a partition's") {
    granted(w).partition_epoch = -1;
  }
  SECTION("a leader's") {
    granted(w).leader_epoch = -1;
    ++granted(w).partition_epoch;
  }
  CHECK(tells(w.broken(), "its epochs fell from 0 and 0"));
}

TEST_CASE("a second leader of an epoch is found, be it that the first leads no more") {
  Watched w;
  w.replica(0).leads = GENERATE(true, false);
  w.replica(1).leads = true;
  w.replica(1).leader = BrokerId{1};
  w.replica(1).leader_epoch = 0;
  CHECK(tells(w.broken(), "brokers 0 and 1 have both led in epoch 0"));
}

namespace {

/// What the broken state looks like from inside a run.
models::Scenario small_scenario() {
  proof::QueueModel model;
  model.arrivals_per_s = 100;
  model.duration = 3s;
  model.warmup = 0s;
  return proof::scenario_of(model);
}

}  // namespace

TEST_CASE("a checked run has the digest of an unchecked one") {
  const auto digest = [](bool checked) {
    models::World world(small_scenario(), 5, {.shuffle_ties = true, .checked = checked});
    world.run();
    return world.trace().digest();
  };
  CHECK(digest(true) == digest(false));
}

TEST_CASE("a checked run ends at the event that breaks an invariant") {
  models::World world(small_scenario(), 5, {.checked = true});
  world.simulation().schedule_at(sim::Time{1s}, [&world] {
    Replica& replica = *world.kafka().broker(BrokerId{0}).replica(PartitionIndex{0});
    replica.high_watermark = replica.log.end() + 1;
  });
  CHECK_THROWS_AS(world.run(), sim::AssertionError);
  CHECK(world.simulation().now() == sim::Time{1s});
}

TEST_CASE("a group's committed offset beyond the log's end is found in a checked run, and not in another") {
  for (const bool checked : {true, false}) {
    models::World world(small_scenario(), 5, {.checked = checked});
    world.simulation().schedule_at(sim::Time{2s}, [&world] {
      Broker& broker = world.kafka().broker(BrokerId{0});
      auto* group = const_cast<Group*>(broker.coordinator().group("billing"));
      group->offsets.apply({.partition = PartitionIndex{0}, .offset = 1'000'000});
    });
    if (checked)
      CHECK_THROWS_AS(world.run(), sim::AssertionError);
    else
      CHECK_NOTHROW(world.run());
  }
}

TEST_CASE("a partition that a classic group assigns twice is found in a checked run") {
  models::Scenario scenario = small_scenario();
  scenario.groups[0].members = 2;
  models::World world(scenario, 5, {.checked = true});
  world.simulation().schedule_at(sim::Time{2s}, [&world] {
    auto* group = const_cast<Group*>(world.kafka().broker(BrokerId{0}).coordinator().group("billing"));
    REQUIRE(group->members().size() == 2);
    for (auto& [id, member] : group->members()) member.assignment = {PartitionIndex{0}};
    ++group->generation;
  });
  CHECK_THROWS_AS(world.run(), sim::AssertionError);
}

TEST_CASE("no partition is held by two members of a group of the consumer protocol") {
  ModernGroupImage image;
  ModernMember a, b;
  a.id = "a";
  b.id = "b";
  image.epoch = image.target_epoch = a.epoch = b.epoch = 5;
  a.assigned = {{PartitionIndex{1}, 5}};
  b.assigned = {{PartitionIndex{2}, 4}};
  image.insert(a);
  image.insert(b);
  CHECK_FALSE(check_image(image, nullptr));
  image.members[1].edit().pending_revocation = {{PartitionIndex{1}, 4}};
  CHECK(check_image(image, nullptr) == Finding("partition 1 is held by a and by b"));
}

TEST_CASE("epochs of the consumer protocol only rise and are reached in order") {
  ModernGroupImage image;
  ModernMember a;
  a.id = "a";
  image.epoch = image.target_epoch = a.epoch = 5;
  image.insert(a);
  ModernGroupImage later = image;
  later.members[0].edit().epoch = 4;
  CHECK(check_image(later, nullptr) == std::nullopt);
  CHECK(check_image(later, &image).has_value());
  later.members[0].edit().epoch = 6;
  CHECK(check_image(later, nullptr).has_value());
  later = image;
  later.target_epoch = 6;
  CHECK(check_image(later, nullptr).has_value());
  later = image;
  later.members[0].edit().assigned = {{PartitionIndex{1}, 6}};
  CHECK(check_image(later, nullptr).has_value());
}

TEST_CASE("a partition held twice is found in a checked run") {
  models::Scenario scenario = small_scenario();
  scenario.groups[0].config.group_protocol = GroupProtocol::consumer;
  scenario.groups[0].members = 2;
  models::World world(scenario, 5, {.checked = true});
  world.simulation().schedule_at(sim::Time{2s}, [&world] {
    Broker& broker = world.kafka().broker(BrokerId{0});
    auto* group = const_cast<Group*>(broker.coordinator().group("billing"));
    REQUIRE(group->modern->image().members.size() == 2);
    auto broken = std::make_shared<ModernGroupImage>(group->modern->image());
    for (auto& member : broken->members) member.edit().assigned = {{PartitionIndex{0}, 2}};
    group->modern->adopt(broken);
  });
  CHECK_THROWS_AS(world.run(), sim::AssertionError);
}

TEST_CASE(
    "a share group's record that was delivered too often and is there again is found in a checked run") {
  models::Scenario scenario = small_scenario();
  scenario.groups[0].type = models::GroupType::share;
  models::World world(scenario, 5, {.checked = true});
  world.simulation().schedule_at(sim::Time{2s}, [&world] {
    Cluster& cluster = world.kafka();
    const EntityId group = world.entities().find("billing");
    const SharePartition* const records =
        cluster.broker(BrokerId{0}).shares()->find({group, PartitionIndex{0}});
    REQUIRE(records != nullptr);
    const_cast<SharePartition*>(records)->initialize({0, 0, {{0, 5, ShareRecordState::available, 99}}});
  });
  CHECK_THROWS_AS(world.run(), sim::AssertionError);
}
