// When offsets are committed, what a crash then repeats or loses, and effects with and without an idempotency key.
#include "tests/models/kafka/consumer_fixture.hpp"

using namespace models;
using namespace models::kafka;

namespace {

GroupOptions group_with(CommitMode commit) {
  GroupOptions group = WorldOfGroup::default_group();
  group.commit = commit;
  return group;
}

std::vector<Offset> commits(const WorldOfGroup& world) {
  std::vector<Offset> offsets;
  for (const Row& row : world.all(Kind::committed)) offsets.push_back(row.a);
  return offsets;
}

/// The records that nobody ever processed, of `fed` in orders/0.
std::int64_t never_done(const WorldOfGroup& world, std::int64_t fed) {
  return fed - static_cast<std::int64_t>(world.times_done().size());
}

void crash_and_return(WorldOfGroup& world, std::size_t member) {
  world.node(member).crash();
  world.run_for(1s);
  world.node(member).restart();
}

}  // namespace

TEST_CASE("commit after processing: one commit a poll, when its last record is done") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.config.max_poll_records = 10;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 20);
  CHECK(world.run_until_idle());
  CHECK(commits(world) == std::vector<Offset>{10, 20});
  const std::vector<Done> done = world.done();
  const sim::Time first_commit = world.all(Kind::committed)[0].time;
  CHECK(sim::nanoseconds(first_commit) > done[9].finish);
  CHECK(sim::nanoseconds(first_commit) < done[10].finish);
}

TEST_CASE("commit each record: the offset after each is committed before the next begins") {
  WorldOfGroup world(with(group_with(CommitMode::each_record)));
  world.run_for(2s);
  world.feed(0, 5);
  CHECK(world.run_until_idle());
  CHECK(commits(world) == std::vector<Offset>{1, 2, 3, 4, 5});
  const std::vector<Done> done = world.done();
  for (std::size_t i = 1; i < 5; ++i)
    CHECK(done[i].finish - done[i - 1].finish > 1'500'000);  // 1 ms and a round trip
}

TEST_CASE("commit before processing: the first record waits for the commit of the last") {
  WorldOfGroup world(with(group_with(CommitMode::before_processing)));
  world.run_for(2s);
  world.feed(0, 5);
  CHECK(world.run_until_idle());
  CHECK(commits(world) == std::vector<Offset>{5});
  CHECK(world.done()[0].finish - 1'000'000 >= sim::nanoseconds(world.all(Kind::committed)[0].time));
}

TEST_CASE("commit asynchronously: the next poll does not wait") {
  GroupOptions group = group_with(CommitMode::asynchronous);
  group.config.max_poll_records = 10;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 20);
  CHECK(world.run_until_idle());
  CHECK(commits(world) == std::vector<Offset>{10, 20});
  const std::vector<Done> done = world.done();
  CHECK(done[10].finish - done[9].finish == 1'000'000);
}

TEST_CASE("auto-commit happens in poll(), when its interval has passed, with what earlier polls handed out") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.config.max_poll_records = 10;
  group.config.auto_commit_interval = 1s;
  group.service = sim::Distribution::constant(3e7);  // a poll takes 300 ms
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 100);
  CHECK(world.run_until_idle());
  std::size_t checked = 0;
  for (const Row& commit : world.all(Kind::committed)) {
    if (commit.a == 0 || commit.a == commit.b) continue;
    // Synchronous processing: all that is committed is done.
    const auto done = world.done();
    CHECK(done[static_cast<std::size_t>(commit.a - 1)].finish <= sim::nanoseconds(commit.time));
    CHECK(commit.a % 10 == 0);
    ++checked;
  }
  CHECK(checked >= 3);
  CHECK(checked <= 5);
}

TEST_CASE("an idle member commits its position again at every interval") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.config.auto_commit_interval = 1s;
  WorldOfGroup world(with(group));
  world.run_for(10s);
  CHECK(world.count(Kind::committed) >= 8);
  CHECK(world.count(Kind::committed) <= 10);
}

TEST_CASE("an automatic commit that falls due while the group rebalances does not keep the loop busy") {
  WorldOfGroup::Setup setup = with(group_with(CommitMode::automatic));
  setup.group.members = 2;
  setup.group.config.auto_commit_interval = 1ms;  // due during every commit
  setup.group.config.session_timeout = 6s;
  setup.partitions = 2;
  WorldOfGroup world(setup);
  world.run_for(5s);
  world.feed(0, 5);
  world.feed(1, 5);
  world.run_for(1s);
  world.node(1).crash();
  world.run_for(8s);  // LivelockError when it spins
  CHECK(world.owners("orders/0") == std::vector<std::string>{"billing/0"});
  CHECK(world.owners("orders/1") == std::vector<std::string>{"billing/0"});
}

TEST_CASE("a crash before the commit repeats the work since the last one") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.config.session_timeout = 6s;
  group.config.max_poll_records = 10;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.steps.watch(world.node(0).entity(), Step::processed_not_committed, 15,
                    [&] { world.node(0).crash(); });
  world.feed(0, 20);
  world.run_for(1s);
  CHECK_FALSE(world.node(0).up());
  CHECK(world.done().size() == 15);
  CHECK(commits(world) == std::vector<Offset>{10});
  world.node(0).restart();
  world.run_for(20s);
  const auto times = world.times_done();
  CHECK(times.size() == 20);
  for (const auto& [record, n] : times) CHECK(n == (record.second >= 10 && record.second < 15 ? 2 : 1));
}

TEST_CASE("with auto-commit a crash repeats what was done since the interval") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.config.session_timeout = 6s;
  group.config.auto_commit_interval = 3600s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 20);
  world.run_for(1s);
  CHECK(world.done().size() == 20);
  crash_and_return(world, 0);
  world.run_for(20s);
  CHECK(world.done().size() == 40);
}

TEST_CASE("committed before it was processed, a record is processed at most once, and lost by a crash") {
  GroupOptions group = group_with(CommitMode::before_processing);
  group.config.session_timeout = 6s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 20);
  world.run_until_that([&] { return world.count(Kind::committed) == 1; });
  world.run_for(8ms);
  crash_and_return(world, 0);
  world.run_for(20s);
  for (const auto& [record, n] : world.times_done()) CHECK(n == 1);
  const std::int64_t lost = never_done(world, 20);
  CHECK(lost > 0);
  CHECK(lost < 20);
}

TEST_CASE("a commit before processing that fails drops the poll") {
  GroupOptions group = group_with(CommitMode::before_processing);
  group.config.session_timeout = 6s;
  group.config.heartbeat_interval = 5s;
  group.members = 2;
  WorldOfGroup world(with(group));
  world.run_for(5s);
  const std::size_t owner = world.owners("orders/0").front() == "billing/0" ? 0 : 1;
  // The poll returns records, and before its commit gets through the member has long been evicted.
  world.steps.watch(world.node(owner).entity(), Step::delivered, 1, [&] { world.node(owner).pause(); });
  world.feed(0, 10);
  world.run_for(20s);
  world.node(owner).resume();
  world.run_for(20s);
  CHECK(world.all_done_once(10));
  CHECK(world.done().front().member != "billing/" + std::to_string(owner));
  CHECK(world.records(Kind::delivered, "billing/" + std::to_string(owner)) == 10);
  CHECK(world.count(Kind::commit_refused) >= 1);
}

TEST_CASE("work handed to threads is committed by auto-commit before it is done, and a crash loses it") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.hand_off = HandOff{.threads = 2};
  group.service = sim::Distribution::constant(1e8);
  group.config.auto_commit_interval = 200ms;
  group.config.session_timeout = 6s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 100);  // 5 s for two threads
  world.run_for(1s);
  CHECK(world.committed("orders/0") == 100);
  CHECK_FALSE(world.group->idle());
  crash_and_return(world, 0);
  world.run_for(20s);
  CHECK(world.done().size() < 25);
  CHECK(never_done(world, 100) > 75);
}

TEST_CASE("work inside the poll loop is not committed by auto-commit before it is done") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.service = sim::Distribution::constant(1e8);
  group.config.auto_commit_interval = 200ms;
  group.config.session_timeout = 6s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 100);
  world.run_for(1s);
  crash_and_return(world, 0);
  world.run_for(30s);
  CHECK(never_done(world, 100) == 0);
}

TEST_CASE("threads take records in order, the first free one the next") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.hand_off = HandOff{.threads = 3};
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 7);
  CHECK(world.run_until_idle());
  const std::vector<Done> done = world.done();
  REQUIRE(done.size() == 7);
  const std::int64_t begin = sim::nanoseconds(world.all(Kind::delivered)[0].time);
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(done[i].offset == static_cast<Offset>(i));
    CHECK(done[i].finish == begin + 1'000'000 * static_cast<std::int64_t>(i / 3 + 1));
  }
}

TEST_CASE("a watched record ends the threads' run-ahead at its own instant") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.hand_off = HandOff{.threads = 2};
  WorldOfGroup world(with(group));
  world.run_for(2s);
  sim::Time struck{};
  world.steps.watch(world.node(0).entity(), Step::processed_not_committed, 5, [&] {
    struck = world.simulation.now();
    world.node(0).crash();
  });
  world.feed(0, 10);
  world.run_for(1s);
  CHECK(world.done().size() == 5);
  CHECK(sim::nanoseconds(struck) == sim::nanoseconds(world.all(Kind::delivered)[0].time) + 3'000'000);
}

TEST_CASE("threads stand still while their node is paused") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.hand_off = HandOff{.threads = 1};
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 10);
  world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
  const std::int64_t begin = sim::nanoseconds(world.all(Kind::delivered)[0].time);
  world.run_until(sim::Time(sim::Duration(begin + 3'400'000)));
  world.node(0).pause();
  world.run_for(2s);
  world.node(0).resume();
  world.run_for(1s);
  const std::vector<Done> done = world.done();
  REQUIRE(done.size() == 10);
  CHECK(done[2].finish == begin + 3'000'000);
  CHECK(done[3].finish == begin + 4'000'000 + 2'000'000'000);
}

TEST_CASE("a close commits what was consumed and leaves the group") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.config.auto_commit_interval = 3600s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 20);
  world.run_for(5ms);
  world.member(0).stop();  // in the midst of its work, which it finishes
  world.run_for(1s);
  CHECK(world.all_done_once(20));
  CHECK(world.committed("orders/0") == 20);
  CHECK(world.member_codes(MemberCode::left, "billing/0") == 1);
  const Row last = world.all(Kind::ownership).back();
  CHECK(last.a == 0);
  CHECK(last.code == static_cast<std::uint16_t>(OwnershipCode::closed));
  CHECK(world.member(0).idle());
}

TEST_CASE("a close waits for the threads that work was handed to") {
  GroupOptions group = group_with(CommitMode::automatic);
  group.hand_off = HandOff{.threads = 1};
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 20);
  world.run_for(5ms);
  world.member(0).stop();
  world.run_for(1s);
  CHECK(world.all_done_once(20));
  CHECK(world.member(0).idle());
}

TEST_CASE("an effect without an idempotency key happens again with every processing") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.effect = EffectOptions{};
  group.config.session_timeout = 6s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.steps.watch(world.node(0).entity(), Step::effect_applied, 7, [&] { world.node(0).crash(); });
  world.feed(0, 10);
  world.run_for(1s);
  CHECK(world.records(Kind::effect) == 7);
  CHECK(world.done().size() == 7);
  world.node(0).restart();
  world.run_for(20s);
  CHECK(world.records(Kind::effect) == 17);
  for (const Row& row : world.all(Kind::effect)) CHECK(row.code == kApplied);
}

TEST_CASE("an idempotency key leaves out the effect of a record processed again") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.effect = EffectOptions{.idempotency_key = true};
  group.config.session_timeout = 6s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.steps.watch(world.node(0).entity(), Step::effect_applied, 7, [&] { world.node(0).crash(); });
  world.feed(0, 10);
  world.run_for(1s);
  world.node(0).restart();
  world.run_for(20s);
  std::int64_t applied = 0;
  std::int64_t suppressed = 0;
  for (const Row& row : world.all(Kind::effect)) (row.code == kApplied ? applied : suppressed) += row.b;
  CHECK(applied == 10);
  CHECK(suppressed == 7);
}

TEST_CASE("an idempotency key recognises a message that its producer wrote twice") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.effect = EffectOptions{.idempotency_key = true};
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 10);
  world.run_for(1s);
  world.feed(0, 4, 3);  // messages 3 to 6 once more, as offsets 10 to 13
  world.feed(0, 5);
  CHECK(world.run_until_idle());
  CHECK(world.all_done_once(19));
  std::vector<std::pair<Offset, std::int64_t>> suppressed;
  for (const Row& row : world.all(Kind::effect)) {
    if (row.code == kSuppressed) suppressed.emplace_back(row.a, row.b);
  }
  CHECK(suppressed == std::vector<std::pair<Offset, std::int64_t>>{{10, 4}});
}

TEST_CASE("a commit is repeated when its coordinator fails, until another has taken over") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.service = sim::Distribution::constant(2e9);
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 1);
  world.run_for(1s);
  Node& dead = world.coordinator_node();
  dead.crash();
  world.run_for(60s);
  CHECK(world.committed("orders/0") == 1);
  CHECK(world.group->idle());
  CHECK(world.done().size() == 1);
  CHECK(&world.coordinator_node() != &dead);
}

TEST_CASE("a commit that finds no coordinator in time is given up, and the application goes on") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.config.default_api_timeout = 3s;
  WorldOfGroup::Setup setup = with(group, 2);
  setup.brokers = 2;
  setup.replication = 1;
  WorldOfGroup world(setup);
  world.run_for(2s);
  std::int32_t alive = 0;
  while (&world.cluster.node(world.leader_of(world.orders(alive))) == &world.coordinator_node()) ++alive;
  world.feed(alive, 1);
  world.steps.watch(world.node(0).entity(), Step::processed_not_committed, 1,
                    [&] { world.coordinator_node().crash(); });
  world.run_for(10s);
  REQUIRE(world.count(Kind::commit_refused) >= 1);
  CHECK(world.all(Kind::commit_refused)[0].code == static_cast<std::uint16_t>(ErrorCode::request_timed_out));
  CHECK(world.all(Kind::commit_refused)[0].a == 1);
}

TEST_CASE("each commit sent and each answered is a step") {
  WorldOfGroup world(with(group_with(CommitMode::each_record)));
  world.run_for(2s);
  world.feed(0, 5);
  CHECK(world.run_until_idle());
  CHECK(world.steps.cell(world.node(0).entity(), Step::commit_sent).count() == 5);
  CHECK(world.steps.cell(world.node(0).entity(), Step::committed).count() == 5);
  CHECK(world.steps.cell(world.node(0).entity(), Step::delivered).count() == 5);
}

TEST_CASE("a crash when the commit has left does not stop the commit") {
  GroupOptions group = group_with(CommitMode::after_processing);
  group.config.session_timeout = 6s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.steps.watch(world.node(0).entity(), Step::commit_sent, 1, [&] { world.node(0).crash(); });
  world.feed(0, 10);
  world.run_for(1s);
  CHECK(world.committed("orders/0") == 10);
  world.node(0).restart();
  world.run_for(20s);
  CHECK(world.all_done_once(10));
}
