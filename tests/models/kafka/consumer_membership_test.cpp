// Joining, staying and leaving: rebalances inside poll(), heartbeats beside it, eager, cooperative and static members.
#include "tests/models/kafka/consumer_fixture.hpp"

using namespace models;
using namespace models::kafka;

namespace {

GroupOptions group_of(std::uint32_t members, CommitMode commit = CommitMode::after_processing) {
  GroupOptions group = WorldOfGroup::default_group();
  group.members = members;
  group.commit = commit;
  group.config.session_timeout = 6s;
  group.config.heartbeat_interval = 1s;
  return group;
}

GroupOptions cooperative(GroupOptions group) {
  group.config.partition_assignment_strategy = {Assignor::cooperative_sticky};
  return group;
}

GroupOptions with_instance_ids(GroupOptions group, const std::string& id = "m{index}") {
  group.config.group_instance_id = id;
  return group;
}

std::vector<Row> given_up(const WorldOfGroup& world, const std::string& member, OwnershipCode why) {
  std::vector<Row> rows = world.all(Kind::ownership, member);
  std::erase_if(rows,
                [why](const Row& row) { return row.a != 0 || row.code != static_cast<std::uint16_t>(why); });
  return rows;
}

}  // namespace

TEST_CASE("members share the partitions of a topic") {
  WorldOfGroup world(with(group_of(3), 6));
  world.run_for(20s);
  CHECK(world.owned_by_one_each(6));
  for (std::size_t i = 0; i < 3; ++i) CHECK(world.member(i).assignment().partitions().size() == 2);
}

TEST_CASE("members without a partition are idle and stay in the group") {
  WorldOfGroup world(with(group_of(4), 2));
  world.run_for(60s);
  CHECK(world.owned_by_one_each(2));
  CHECK(world.group->idle());
  for (std::size_t i = 0; i < 4; ++i) CHECK(world.member(i).membership().state() == MemberState::stable);
}

TEST_CASE("eager members give up everything before they rejoin") {
  GroupOptions group = group_of(2);
  group.stagger = 10s;
  WorldOfGroup world(with(group, 4));
  world.run_for(9s);
  CHECK(world.member(0).assignment().partitions().size() == 4);
  world.run_for(11s);
  CHECK(given_up(world, "billing/0", OwnershipCode::revoked).size() == 4);
  CHECK(world.owned_by_one_each(4));
}

TEST_CASE("cooperative members keep what they own, and hand over what moves in a second round") {
  GroupOptions group = cooperative(group_of(2));
  group.stagger = 10s;
  WorldOfGroup world(with(group, 4));
  world.run_for(9s);
  const std::int64_t generation = world.generation();
  world.run_for(11s);
  CHECK(given_up(world, "billing/0", OwnershipCode::revoked).size() == 2);
  CHECK(world.owned_by_one_each(4));
  CHECK(world.generation() == generation + 2);
}

TEST_CASE("a cooperative member goes on reading while the group rebalances") {
  // The third member's long work holds the rebalance up; the first is fed meanwhile.
  GroupOptions group = cooperative(group_of(3));
  group.config.max_poll_records = 1;
  group.service = sim::Distribution::constant(1e7);
  WorldOfGroup world(with(group, 2));
  world.run_for(20s);
  const std::string busy = world.owners("orders/1").front();
  const std::string free = world.owners("orders/0").front();
  REQUIRE(busy != free);
  const auto number = [](const std::string& member) { return static_cast<std::size_t>(member.back() - '0'); };
  const std::size_t idle = 3 - number(busy) - number(free);
  world.node(number(busy)).pause();  // does not rejoin
  world.node(idle).crash();
  world.run_for(500ms);
  world.node(idle).restart();  // joins as a new member: a rebalance begins, and waits for the paused one
  world.run_for(2500ms);
  CHECK(world.member(number(free)).membership().rebalancing());
  world.feed(0, 5);
  world.run_for(200ms);
  CHECK(world.member(number(free)).membership().rebalancing());
  CHECK(world.records(Kind::delivered, free) == 5);
}

TEST_CASE("a rebalance waits for a member that is processing") {
  GroupOptions group = group_of(2);
  group.stagger = 10s;
  group.service = sim::Distribution::constant(8e9);
  WorldOfGroup world(with(group, 2));
  world.run_for(9s);
  world.feed(0, 1);
  world.run_for(7s);  // the second member has been waiting for six seconds
  CHECK(world.member(1).assignment().empty());
  CHECK(world.member(1).membership().state() == MemberState::preparing_rebalance);
  world.run_for(2s);
  CHECK(world.owned_by_one_each(2));
  CHECK(world.member(1).assignment().partitions().size() == 1);
}

TEST_CASE("heartbeats keep a member in the group however long a poll is worked on") {
  GroupOptions group = group_of(2);
  group.service = sim::Distribution::constant(20e9);
  WorldOfGroup world(with(group, 2));
  world.run_for(20s);
  world.feed(0, 1);
  world.run_for(30s);
  CHECK(world.member_codes(MemberCode::evicted, "billing/0") +
            world.member_codes(MemberCode::evicted, "billing/1") ==
        0);
  CHECK(world.done().size() == 1);
  CHECK(world.committed("orders/0") == 1);
}

TEST_CASE("heartbeats leave at heartbeat.interval.ms, each a step") {
  WorldOfGroup world(with(group_of(1)));
  world.run_for(10s);
  const std::int64_t before = world.steps.cell(world.node(0).entity(), Step::heartbeat_sent).count();
  world.run_for(10s);
  CHECK(world.steps.cell(world.node(0).entity(), Step::heartbeat_sent).count() == before + 10);
}

TEST_CASE("a member whose poll() does not come in max.poll.interval.ms leaves, and its batch is repeated") {
  GroupOptions group = group_of(2);
  group.config.max_poll_interval = 10s;
  group.service = sim::Distribution::constant(5e9);
  WorldOfGroup world(with(group));
  world.run_for(20s);
  const std::string slow = world.owners("orders/0").front();
  world.feed(0, 3);  // 15 s of work
  world.run_for(11s);
  CHECK(world.member_codes(MemberCode::left, slow) == 1);
  world.run_for(3s);
  // The other has it, while the first still works.
  CHECK(world.owners("orders/0").size() == 2);
  world.run_for(6s);
  CHECK(world.count(Kind::commit_refused, slow) == 1);
  CHECK(given_up(world, slow, OwnershipCode::lost).size() == 1);
  CHECK(world.committed("orders/0") == kNoOffset);
  world.run_for(120s);
  CHECK(world.committed("orders/0") == kNoOffset);  // and so for ever
  CHECK(world.times_done().at({"orders/0", 0}) >= 4);
}

TEST_CASE("a smaller max.poll.records keeps a slow member within max.poll.interval.ms") {
  GroupOptions group = group_of(2);
  group.config.max_poll_interval = 10s;
  group.config.max_poll_records = 1;
  group.service = sim::Distribution::constant(5e9);
  WorldOfGroup world(with(group));
  world.run_for(20s);
  world.feed(0, 3);
  world.run_for(30s);
  CHECK(world.all_done_once(3));
  CHECK(world.committed("orders/0") == 3);
}

TEST_CASE("a static member that breaches max.poll.interval.ms falls silent instead of leaving") {
  GroupOptions group = with_instance_ids(group_of(2));
  group.config.max_poll_interval = 10s;
  group.service = sim::Distribution::constant(30e9);
  WorldOfGroup world(with(group));
  world.run_for(20s);
  const std::string slow = world.owners("orders/0").front();
  world.feed(0, 1);
  world.run_for(10500ms);
  CHECK(world.member_codes(MemberCode::left, slow) == 0);
  CHECK(world.member_codes(MemberCode::evicted, slow) == 0);
  world.run_for(6s);  // the session timeout after its last heartbeat
  CHECK(world.member_codes(MemberCode::evicted, slow) == 1);
}

TEST_CASE("a static member that comes back within its session causes no rebalance") {
  GroupOptions group = group_of(2);
  SECTION("static") {
    WorldOfGroup world(with(with_instance_ids(group), 2));
    world.run_for(20s);
    const std::int64_t generation = world.generation();
    world.node(0).crash();
    world.run_for(2s);
    world.node(0).restart();
    world.run_for(20s);
    CHECK(world.generation() == generation);
    CHECK(world.owned_by_one_each(2));
  }
  SECTION("control: dynamic") {
    WorldOfGroup world(with(group, 2));
    world.run_for(20s);
    const std::int64_t generation = world.generation();
    world.node(0).crash();
    world.run_for(2s);
    world.node(0).restart();
    world.run_for(20s);
    CHECK(world.generation() > generation);
    CHECK(world.owned_by_one_each(2));
  }
}

TEST_CASE("a static member closes without leaving") {
  WorldOfGroup world(with(with_instance_ids(group_of(2)), 2));
  world.run_for(20s);
  world.member(0).stop();
  world.run_for(3s);
  CHECK(world.member_codes(MemberCode::left, "billing/0") == 0);
  CHECK(world.member(1).assignment().partitions().size() == 1);
  world.run_for(10s);
  CHECK(world.member(1).assignment().partitions().size() == 2);
}

TEST_CASE("a dynamic member that closes hands its partitions over at once") {
  WorldOfGroup world(with(group_of(2), 2));
  world.run_for(20s);
  world.member(0).stop();
  world.run_for(3s);
  CHECK(world.member_codes(MemberCode::left, "billing/0") == 1);
  CHECK(world.member(1).assignment().partitions().size() == 2);
}

TEST_CASE("a member that is told to take part while it closes comes back once it has closed") {
  GroupOptions group = group_of(2);
  group.service = sim::Distribution::constant(1e9);
  WorldOfGroup world(with(group, 2));
  world.run_for(20s);
  world.feed(0, 3);
  REQUIRE(world.run_until_that([&] { return world.count(Kind::delivered) == 1; }));
  Consumer& member =
      world.owners("orders/0") == std::vector<std::string>{"billing/0"} ? world.member(0) : world.member(1);
  member.stop();  // what it works on comes first
  world.run_for(1s);
  CHECK(member.running());
  SECTION("and asked no more") {
    world.run_for(20s);
    CHECK(!member.running());
  }
  SECTION("and asked back") {
    member.start();
    world.run_for(20s);
    CHECK(member.running());
    CHECK(member.assignment().partitions().size() == 1);
  }
  CHECK(world.all_done_once(3));
}

TEST_CASE("two instances of one group.instance.id: the first is fenced and ends") {
  GroupOptions group = with_instance_ids(group_of(2), "the-one");
  group.stagger = 10s;
  WorldOfGroup world(with(group));
  world.run_for(9s);
  world.feed(0, 5);
  world.run_for(20s);
  CHECK(world.member_codes(MemberCode::fenced, "billing/0") >= 1);
  CHECK(world.owners("orders/0") == std::vector<std::string>{"billing/1"});
  CHECK(world.member(0).idle());
  CHECK(world.all_done_once(5));
}

TEST_CASE("auto-commit before a revocation: nothing is processed twice when a member joins") {
  GroupOptions group = group_of(2, CommitMode::automatic);
  group.config.auto_commit_interval = 3600s;
  group.stagger = 10s;
  SECTION("eager") {}
  SECTION("cooperative") {
    group = cooperative(group);
  }
  WorldOfGroup world(with(group, 4));
  world.run_for(9s);
  for (std::int32_t p = 0; p < 4; ++p) world.feed(p, 50);
  world.run_for(20s);
  CHECK(world.owned_by_one_each(4));
  CHECK(world.member(1).assignment().partitions().size() == 2);
  CHECK(world.all_done_once(200));
  CHECK(world.committed("orders/3") == 50);
}

TEST_CASE("control: asynchronous commits that were lost are made up for in onPartitionsRevoked") {
  GroupOptions group = cooperative(group_of(2, CommitMode::asynchronous));
  group.stagger = 10s;
  group.service = sim::Distribution::constant(5e7);
  WorldOfGroup world(with(group, 4));
  world.run_for(9s);
  for (std::int32_t p = 0; p < 4; ++p)
    world.feed(p, 50);  // 10 s of work: the other member joins in its midst
  CHECK(world.run_until_idle());
  CHECK(world.owned_by_one_each(4));
  CHECK(world.all_done_once(200));
}

TEST_CASE("a commit that a rebalance refused is made up for when the rebalance is over") {
  // The cooperative member is inside JoinGroup when it has processed and wants to commit.
  GroupOptions group = cooperative(group_of(3));
  group.config.max_poll_records = 1;
  WorldOfGroup world(with(group, 2));
  world.run_for(20s);
  const auto number = [](const std::string& name) { return static_cast<std::size_t>(name.back() - '0'); };
  const std::size_t busy = number(world.owners("orders/1").front());
  const std::size_t reader = number(world.owners("orders/0").front());
  const std::size_t idle = 3 - busy - reader;
  world.node(busy).pause();
  world.node(idle).crash();
  world.run_for(500ms);
  world.node(idle).restart();
  world.run_for(2500ms);
  REQUIRE(world.member(reader).membership().rebalancing());
  world.feed(0, 1);
  world.run_for(200ms);
  CHECK(world.done().size() == 1);
  CHECK(world.committed("orders/0") == kNoOffset);
  CHECK(world.count(Kind::commit_refused) == 1);
  world.node(busy).resume();
  world.run_for(30s);
  CHECK(world.committed("orders/0") == 1);
  CHECK(world.all_done_once(1));
}

TEST_CASE("a full group turns a member away, whose application ends") {
  GroupOptions group = group_of(2);
  group.stagger = 10s;
  WorldOfGroup::Setup setup = with(group, 2);
  setup.group_max_size = 1;
  WorldOfGroup world(setup);
  world.run_for(30s);
  CHECK(world.member(0).assignment().partitions().size() == 2);
  CHECK(world.count(Kind::ownership, "billing/1") == 0);
  CHECK(world.member(1).idle());
}

TEST_CASE("members find their coordinator again when its broker dies") {
  WorldOfGroup world(with(group_of(2), 2));
  world.run_for(20s);
  Node& dead = world.coordinator_node();
  dead.crash();
  world.run_for(60s);
  CHECK(world.owned_by_one_each(2));
  for (std::size_t i = 0; i < 2; ++i) CHECK(world.member(i).membership().state() == MemberState::stable);
  world.feed(0, 10);
  world.feed(1, 10);
  CHECK(world.run_until_idle());
  CHECK(world.all_done_once(20));
}

TEST_CASE("while the coordinator is unknown poll() hands out records only when its timeout is over") {
  GroupOptions group = group_of(1);
  group.config.session_timeout = 45s;
  group.config.max_poll_records = 1;
  group.commit = CommitMode::automatic;
  WorldOfGroup::Setup setup = with(group, 2);
  setup.brokers = 2;
  setup.replication = 1;
  WorldOfGroup world(setup);
  world.run_for(20s);
  std::int32_t alive = 0;
  while (&world.cluster.node(world.leader_of(world.orders(alive))) == &world.coordinator_node()) ++alive;
  world.feed(alive, 30);
  world.run_for(5ms);
  world.coordinator_node().crash();
  world.run_for(2s);
  const std::vector<Row> delivered = world.all(Kind::delivered);
  CHECK(delivered.size() < 30);
  sim::Duration longest{};
  for (std::size_t i = 1; i < delivered.size(); ++i)
    longest = std::max(longest, delivered[i].time - delivered[i - 1].time);
  CHECK(longest >= 100ms);
  CHECK(longest <= 102ms);
}
