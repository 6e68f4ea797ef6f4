// What poll() hands out, when, and from where.
#include "tests/models/kafka/consumer_fixture.hpp"

using namespace models;
using namespace models::kafka;

namespace {

GroupOptions group_with(CommitMode commit = CommitMode::after_processing) {
  GroupOptions group = WorldOfGroup::default_group();
  group.commit = commit;
  return group;
}

/// Records handed out at each instant: one poll each, with one member.
std::vector<std::int64_t> polls(const WorldOfGroup& world) {
  std::vector<std::int64_t> sizes;
  sim::Time last = sim::kNever;
  for (const Row& row : world.all(Kind::delivered)) {
    if (row.time != last) sizes.push_back(0);
    last = row.time;
    sizes.back() += row.b;
  }
  return sizes;
}

}  // namespace

TEST_CASE("a member reads every partition, processes each record once and commits all") {
  WorldOfGroup world(with(group_with(), 3));
  world.run_for(2s);
  for (std::int32_t p = 0; p < 3; ++p) world.feed(p, 40 + p);
  CHECK(world.run_until_idle());
  CHECK(world.all_done_once(123));
  CHECK(world.records(Kind::delivered) == 123);
  CHECK(world.committed("orders/2") == 42);
  CHECK_FALSE(world.member(0).membership().member_id().empty());
}

TEST_CASE("a group says once what it reads, before anybody joins") {
  GroupOptions group = group_with();
  group.members = 2;
  group.start = 5s;
  WorldOfGroup world(with(group, 3));
  world.run_for(1s);
  CHECK(world.count(Kind::subscribed) == 3);
  world.run_for(20s);
  CHECK(world.count(Kind::subscribed) == 3);
}

TEST_CASE("members start one after the other") {
  GroupOptions group = group_with();
  group.members = 2;
  group.start = 1s;
  group.stagger = 4s;
  WorldOfGroup world(with(group));
  world.run_for(10s);
  CHECK(world.all(Kind::member_state, "billing/0").front().time >= sim::Time{1s});
  CHECK(world.all(Kind::member_state, "billing/1").front().time >= sim::Time{5s});
}

TEST_CASE("a poll hands out at most max.poll.records") {
  GroupOptions group = group_with();
  group.config.max_poll_records = 30;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 100);
  CHECK(world.run_until_idle());
  CHECK(polls(world) == std::vector<std::int64_t>{30, 30, 30, 10});
}

TEST_CASE("a poll uses up the oldest fetch before it takes from the next") {
  GroupOptions group = group_with();
  group.config.max_poll_records = 25;
  group.config.fetch_max_wait = 20s;
  group.service = sim::Distribution::constant(1e9);
  WorldOfGroup world(with(group, 3));
  world.run_for(2s);
  world.feed(0, 1);  // something to be busy with
  world.run_for(500ms);
  world.feed(1, 20);
  world.run_for(100ms);
  world.feed(2, 20);
  world.run_for(60s);
  const std::vector<Row> delivered = world.all(Kind::delivered);
  REQUIRE(delivered.size() >= 4);
  CHECK((delivered[1].place == "orders/1" && delivered[1].b == 20));
  CHECK((delivered[2].place == "orders/2" && delivered[2].b == 5));
  CHECK(delivered[2].time == delivered[1].time);
  CHECK((delivered[3].place == "orders/2" && delivered[3].b == 15));
}

TEST_CASE("the next records are fetched while the application works on the last ones") {
  GroupOptions group = group_with(CommitMode::automatic);
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 10);
  world.run_for(5ms);
  world.feed(0, 10);  // arrives while the first ten are worked on
  CHECK(world.run_until_idle());
  const std::vector<Row> delivered = world.all(Kind::delivered);
  const std::vector<Row> processed = world.all(Kind::processed);
  REQUIRE(delivered.size() == 2);
  CHECK(delivered[1].time == processed[0].time);  // no round trip between
}

TEST_CASE("a partition with buffered records is not fetched again") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.config.max_poll_records = 1;
  group.service = sim::Distribution::constant(1e9);
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 3);
  world.run_for(500ms);
  world.feed(0, 3);
  world.run_for(1s);
  const HeldPartition& held = world.member(0).assignment()[world.orders(0)];
  CHECK(held.buffered);
  CHECK(held.session_offset == kNoOffset);  // asked for offset 0, answered, and not asked for anything since
  CHECK(held.position == 2);
}

TEST_CASE("fetch.min.bytes holds an answer back until fetch.max.wait.ms") {
  GroupOptions group = group_with();
  group.config.fetch_min_bytes = 5000;
  group.config.fetch_max_wait = 700ms;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  const sim::Time fed = world.simulation.now();
  SECTION("too little waits") {
    world.feed(0, 10);
    CHECK(world.run_until_that([&] { return world.count(Kind::delivered) > 0; }));
    CHECK(world.simulation.now() - fed > 10ms);
    CHECK(world.simulation.now() - fed <= 710ms);
  }
  SECTION("enough does not") {
    world.feed(0, 60);
    CHECK(world.run_until_that([&] { return world.count(Kind::delivered) > 0; }));
    CHECK(world.simulation.now() - fed < 10ms);
  }
}

TEST_CASE("max.partition.fetch.bytes bounds what one fetch brings of a partition") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.config.max_partition_fetch_bytes = 2500;
  group.start = 1s;
  WorldOfGroup world(with(group));
  world.run_for(500ms);
  for (int i = 0; i < 5; ++i) world.feed(0, 10);  // batches of 1000 bytes
  CHECK(world.run_until_idle());
  CHECK(polls(world) == std::vector<std::int64_t>{20, 20, 10});
}

TEST_CASE("fetch.max.bytes bounds what one fetch brings of all partitions") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.config.fetch_max_bytes = 2500;
  group.start = 1s;
  WorldOfGroup::Setup setup = with(group, 4);
  setup.brokers = 1;
  WorldOfGroup world(setup);
  world.run_for(500ms);
  for (std::int32_t p = 0; p < 4; ++p) world.feed(p, 10);
  CHECK(world.run_until_idle());
  CHECK(polls(world).front() <= 30);
  CHECK(world.all_done_once(40));
}

TEST_CASE("without a committed offset auto.offset.reset says where to begin") {
  GroupOptions group = group_with();
  group.start = 1s;
  SECTION("earliest: at the beginning") {
    WorldOfGroup world(with(group));
    world.run_for(500ms);
    world.feed(0, 10);
    world.run_for(5s);
    CHECK(world.all(Kind::position).front().a == 0);
    CHECK(world.all(Kind::position).front().code == static_cast<std::uint16_t>(ResetCode::earliest));
    CHECK(world.all_done_once(10));
  }
  SECTION("latest: at the end") {
    group.config.auto_offset_reset = AutoOffsetReset::latest;
    WorldOfGroup world(with(group));
    world.run_for(500ms);
    world.feed(0, 10);
    world.run_for(5s);
    CHECK(world.all(Kind::position).front().a == 10);
    CHECK(world.all(Kind::position).front().code == static_cast<std::uint16_t>(ResetCode::latest));
    world.feed(0, 5);
    world.run_for(1s);
    CHECK(world.all_done_once(5));
  }
  SECTION("none: the application ends with an exception") {
    group.config.auto_offset_reset = AutoOffsetReset::none;
    WorldOfGroup world(with(group));
    world.run_for(10s);
    CHECK(world.count(Kind::position) == 0);
    CHECK(world.member_codes(MemberCode::left, "billing/0") == 1);
    CHECK(world.member(0).idle());
  }
}

TEST_CASE("a position outside of the log is reset") {
  GroupOptions group = group_with();
  group.start = 2s;
  WorldOfGroup world(with(group));
  world.run_for(1s);
  world.feed(0, 10);
  // Somebody has committed an offset that does not exist.
  RpcChannel channel(world.cluster, world.feeder_node,
                     world.leader_of(world.cluster.offsets_partition("billing")), {});
  struct Ignore {
    void answered(BrokerId, Ref<OffsetCommitCall> call) { CHECK(call->items[0].error == ErrorCode::none); }
  } ignore;
  Ref<OffsetCommitCall> commit = world.cluster.take<OffsetCommitCall>();
  commit->group = "billing";
  commit->member_id.clear();
  commit->generation = -1;
  commit->items.push_back({.partition = world.orders(0), .offset = 1000});
  channel.call<&Ignore::answered>(ignore, std::move(commit));
  world.run_for(10s);
  const std::vector<Row> positions = world.all(Kind::position);
  REQUIRE(positions.size() == 2);
  CHECK(positions[0].a == 1000);
  CHECK(positions[1].a == 0);
  CHECK(positions[1].b == 1000);
  CHECK(positions[1].code == static_cast<std::uint16_t>(ResetCode::earliest));
  CHECK(world.all_done_once(10));
  channel.abandon();
}

TEST_CASE("a partition is owned from the moment its position is known") {
  WorldOfGroup world(with(group_with()));
  world.run_for(5s);
  const std::vector<Row> owned = world.all(Kind::ownership);
  REQUIRE(owned.size() == 1);
  CHECK(owned[0].a == 1);
  CHECK(owned[0].time == world.all(Kind::position).front().time);
}

TEST_CASE("a member goes on reading from a new leader, and keeps its position") {
  GroupOptions group = group_with();
  WorldOfGroup::Setup setup = with(group, 3);
  WorldOfGroup world(setup);
  world.run_for(2s);
  for (std::int32_t p = 0; p < 3; ++p) world.feed(p, 10);
  world.run_for(2s);
  const BrokerId coordinator = world.leader_of(world.cluster.offsets_partition("billing"));
  PartitionIndex p = world.orders(0);
  for (std::int32_t n = 0; world.leader_of(p) == coordinator; ++n) p = world.orders(n);
  const BrokerId dead = world.leader_of(p);
  world.cluster.node(dead).crash();
  CHECK(world.run_until_that([&] { return world.leader_of(p) != kNoBroker && world.leader_of(p) != dead; },
                             60s));
  world.feed(world.cluster.partition(p).number, 10);
  world.run_for(30s);
  CHECK(world.times_done().size() == 40);
  CHECK(world.all_done_once(40));
  CHECK(world.count(Kind::client_refreshed, "billing/0") >= 1);
}
