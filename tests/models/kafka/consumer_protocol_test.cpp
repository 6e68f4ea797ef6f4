// The consumer protocol (KIP-848) seen from consumers: nobody waits for anybody, revocations inside poll(), fencing, leaving.
#include "tests/models/kafka/consumer_fixture.hpp"

using namespace models;
using namespace models::kafka;

namespace {

GroupOptions group_of(std::uint32_t members, CommitMode commit = CommitMode::after_processing) {
  GroupOptions group = WorldOfGroup::default_group();
  group.members = members;
  group.commit = commit;
  group.config.group_protocol = GroupProtocol::consumer;
  return group;
}

std::vector<Row> given_up(const WorldOfGroup& world, const std::string& member, OwnershipCode why) {
  std::vector<Row> rows = world.all(Kind::ownership, member);
  std::erase_if(rows,
                [why](const Row& row) { return row.a != 0 || row.code != static_cast<std::uint16_t>(why); });
  return rows;
}

std::size_t held(WorldOfGroup& world, std::size_t member) {
  return world.member(member).assignment().partitions().size();
}

}  // namespace

TEST_CASE("members of the consumer protocol share the partitions of a topic", "[kip848]") {
  WorldOfGroup world(with(group_of(3), 6));
  world.run_for(20s);
  CHECK(world.owned_by_one_each(6));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(held(world, i) == 2);
    CHECK(world.member(i).membership().state() == MemberState::stable);
    CHECK(world.member(i).membership().generation() == world.generation());
    CHECK(world.member_codes(MemberCode::joined, "billing/" + std::to_string(i)) == 1);
  }
  CHECK(world.group->idle());
}

TEST_CASE("members without a partition are idle under the consumer protocol too", "[kip848]") {
  WorldOfGroup world(with(group_of(4), 2));
  world.run_for(60s);
  CHECK(world.owned_by_one_each(2));
  CHECK(world.group->idle());
}

TEST_CASE("a new member gets only what it is to have, and nobody else pauses", "[kip848]") {
  GroupOptions group = group_of(3);
  group.stagger = 20s;
  WorldOfGroup world(with(group, 6));
  world.run_for(39s);
  CHECK(held(world, 0) == 3);
  CHECK(held(world, 1) == 3);
  world.run_for(20s);
  CHECK(world.owned_by_one_each(6));
  CHECK(given_up(world, "billing/0", OwnershipCode::revoked).size() ==
        4);  // three to the second, one to the third
  CHECK(given_up(world, "billing/1", OwnershipCode::revoked).size() == 1);
}

TEST_CASE("nobody waits for a member that is processing but who is to have its partitions", "[kip848]") {
  GroupOptions group = group_of(3);
  group.stagger = 20s;
  group.service = sim::Distribution::constant(60e9);
  WorldOfGroup world(with(group, 6));
  world.run_for(39s);
  const PartitionIndex busy = world.member(0).assignment().partitions().front();
  world.feed(static_cast<std::int32_t>(busy.value - world.orders(0).value), 1);
  world.run_for(21s);  // the third has joined, the first is still at work
  CHECK(held(world, 0) == 3);
  CHECK(held(world, 1) == 2);
  CHECK(held(world, 2) == 1);
  CHECK(world.member_codes(MemberCode::evicted, "billing/0") == 0);
  world.run_for(50s);
  CHECK(held(world, 0) == 2);
  CHECK(held(world, 2) == 2);
  CHECK(world.owned_by_one_each(6));
}

TEST_CASE("what was consumed is committed before it is handed over", "[kip848]") {
  for (const CommitMode mode :
       {CommitMode::automatic, CommitMode::after_processing, CommitMode::asynchronous}) {
    INFO(static_cast<int>(mode));
    GroupOptions group = group_of(2, mode);
    group.stagger = 20s;
    group.config.auto_commit_interval = 60s;
    group.config.max_poll_records = 10;
    group.service = sim::Distribution::constant(1e7);
    WorldOfGroup world(with(group, 4));
    world.run_for(18s);
    for (std::int32_t p = 0; p < 4; ++p) world.feed(p, 200);
    REQUIRE(world.run_until_that([&] { return world.records(Kind::processed) >= 800; }));
    CHECK(world.all_done_once(800));
    CHECK(given_up(world, "billing/0", OwnershipCode::revoked).size() == 2);
    CHECK(world.records(Kind::processed, "billing/1") > 0);
  }
}

TEST_CASE("what stays is read on while the automatic commit before a revocation is under way", "[kip848]") {
  GroupOptions group = group_of(2, CommitMode::automatic);
  group.stagger = 20s;
  WorldOfGroup::Setup setup = with(group, 6);
  setup.replication = 1;  // nobody has to wait for the paused broker's copy
  WorldOfGroup world(setup);
  world.run_for(18s);
  for (std::int32_t p = 0; p < 6; ++p) world.feed(p, 1);
  const Membership& membership = world.member(0).membership();
  world.run_for(2s);
  for (int i = 0; i < 200'000 && membership.state() != MemberState::reconciling; ++i) world.run_for(50us);
  REQUIRE(membership.state() == MemberState::reconciling);
  world.coordinator_node().pause();  // the commit is not answered
  const Assignment& assignment = world.member(0).assignment();
  CHECK(held(world, 0) == 6);
  std::int64_t fed = 0;
  for (std::int32_t p = 0; p < 6; ++p) {
    const bool led_by_the_paused =
        &world.cluster.node(world.leader_of(world.orders(p))) == &world.coordinator_node();
    if (assignment[world.orders(p)].pending_revocation || led_by_the_paused) continue;
    world.feed(p, 5);
    fed += 5;
  }
  REQUIRE(fed >= 10);
  const std::int64_t before = world.records(Kind::delivered, "billing/0");
  world.run_for(2s);
  CHECK(membership.state() == MemberState::reconciling);
  CHECK(world.records(Kind::delivered, "billing/0") == before + fed);
  world.coordinator_node().resume();
  world.run_for(20s);
  CHECK(world.owned_by_one_each(6));
}

TEST_CASE("a member whose poll() is not called leaves, and joins again when it is", "[kip848]") {
  GroupOptions group = group_of(2);
  group.config.max_poll_interval = 10s;
  group.service = sim::Distribution::constant(30e9);
  WorldOfGroup world(with(group, 2));
  world.run_for(20s);
  const std::string slow = world.owners("orders/0").front();
  const std::string other = world.owners("orders/1").front();
  REQUIRE(slow != other);
  world.feed(0, 1);
  world.run_for(11s);
  CHECK(world.member_codes(MemberCode::left, slow) == 1);
  CHECK(world.member(static_cast<std::size_t>(slow.back() - '0')).membership().state() == MemberState::stale);
  world.run_for(8s);
  // The other has it now; the slow one does not know yet that it has lost it.
  CHECK(world.owners("orders/0").size() == 2);
  world.run_for(40s);
  CHECK(given_up(world, slow, OwnershipCode::lost).size() == 1);
  CHECK(world.member_codes(MemberCode::joined, slow) == 2);
  CHECK(world.owned_by_one_each(2));
}

TEST_CASE("a member that was thrown out learns it from its next heartbeat and joins again", "[kip848]") {
  WorldOfGroup world(with(group_of(2), 4));
  world.run_for(20s);
  world.node(0).pause();
  world.run_for(60s);
  CHECK(world.member_codes(MemberCode::evicted, "billing/0") == 1);
  CHECK(held(world, 1) == 4);
  world.node(0).resume();
  world.run_for(20s);
  CHECK(world.member_codes(MemberCode::fenced, "billing/0") == 1);
  CHECK(given_up(world, "billing/0", OwnershipCode::lost).size() == 2);
  CHECK(world.owned_by_one_each(4));
  CHECK(held(world, 0) == 2);
}

TEST_CASE("lost heartbeats end a member of the consumer protocol", "[kip848]") {
  WorldOfGroup world(with(group_of(1), 2));
  world.run_for(20s);
  world.node(0).set_heartbeats_lost(true);
  world.run_for(50s);
  CHECK(world.member_codes(MemberCode::evicted, "billing/0") == 1);
  world.node(0).set_heartbeats_lost(false);
  world.run_for(20s);
  CHECK(world.owned_by_one_each(2));
}

TEST_CASE("the group survives its coordinator", "[kip848]") {
  WorldOfGroup world(with(group_of(3), 6));
  world.run_for(20s);
  const std::int64_t epoch = world.generation();
  world.coordinator_node().crash();
  world.run_for(60s);
  for (std::int32_t p = 0; p < 6; ++p) world.feed(p, 3);
  world.run_for(20s);
  CHECK(world.generation() == epoch);
  CHECK(world.all_done_once(18));
  for (const char* member : {"billing/0", "billing/1", "billing/2"}) {
    CHECK(world.member_codes(MemberCode::joined, member) == 1);
    CHECK(given_up(world, member, OwnershipCode::lost).empty());
    CHECK(given_up(world, member, OwnershipCode::revoked).size() < 6);
  }
}

TEST_CASE("a member that closes leaves at once, and its partitions wait for heartbeats only", "[kip848]") {
  WorldOfGroup world(with(group_of(3), 6));
  world.run_for(20s);
  world.member(0).stop();
  world.run_for(6s);
  CHECK(world.member_codes(MemberCode::left, "billing/0") == 1);
  CHECK(held(world, 1) == 3);
  CHECK(held(world, 2) == 3);
  CHECK(world.member_codes(MemberCode::evicted, "billing/0") == 0);
}

TEST_CASE("a static member that closes and comes back finds its partitions", "[kip848]") {
  GroupOptions group = group_of(2);
  group.config.group_instance_id = "m{index}";
  WorldOfGroup world(with(group, 4));
  world.run_for(20s);
  const std::int64_t epoch = world.generation();
  const std::vector<PartitionIndex> before = world.member(0).assignment().partitions();
  world.member(0).stop();
  world.run_for(15s);
  CHECK(held(world, 1) == 2);
  world.member(0).start();
  world.run_for(5s);
  CHECK(world.member(0).assignment().partitions() == before);
  CHECK(world.generation() == epoch);
}

TEST_CASE("a static member that crashes cannot come back before its session has ended", "[kip848]") {
  // UNRELEASED_INSTANCE_ID ends the application: there is nobody here who starts it again.
  GroupOptions group = group_of(2);
  group.config.group_instance_id = "m{index}";
  WorldOfGroup world(with(group, 4));
  world.run_for(20s);
  world.node(0).crash();
  world.run_for(2s);
  world.node(0).restart();
  world.run_for(5s);
  CHECK_FALSE(world.member(0).running());
  world.run_for(50s);
  CHECK(held(world, 1) == 4);
}

TEST_CASE("a dynamic member that crashes and comes back is another member", "[kip848]") {
  WorldOfGroup world(with(group_of(2), 4));
  world.run_for(20s);
  const std::string id = world.member(0).membership().member_id();
  world.node(0).crash();
  world.run_for(2s);
  world.node(0).restart();
  world.run_for(20s);
  CHECK(world.member(0).membership().member_id() != id);
  // Its old self holds what it had until its session ends, and nobody has noticed anything.
  CHECK(held(world, 0) + held(world, 1) < 4);
  world.run_for(40s);
  CHECK(world.owned_by_one_each(4));
  CHECK(world.member_codes(MemberCode::evicted, "billing/0") == 0);
}

TEST_CASE("an application ends when its group takes no more members", "[kip848]") {
  WorldOfGroup::Setup setup = with(group_of(2), 2);
  setup.consumer_group_max_size = 1;
  WorldOfGroup world(setup);
  world.run_for(20s);
  CHECK(world.member(0).running());
  CHECK_FALSE(world.member(1).running());
  CHECK(held(world, 0) == 2);
}
