// Crashes, pauses, lost heartbeats, watched steps: the run-ahead ends where something cuts into it.
#include "tests/models/kafka/consumer_fixture.hpp"

using namespace models;
using namespace models::kafka;

namespace {

GroupOptions group_of(std::uint32_t members) {
  GroupOptions group = WorldOfGroup::default_group();
  group.members = members;
  group.config.session_timeout = 6s;
  group.config.heartbeat_interval = 1s;
  return group;
}

std::size_t number(const std::string& member) {
  return static_cast<std::size_t>(member.back() - '0');
}

/// What the application did, whatever the records of the trace that say it.
std::vector<std::pair<Offset, std::int64_t>> finishes(const WorldOfGroup& world) {
  std::vector<std::pair<Offset, std::int64_t>> found;
  for (const Done& d : world.done()) found.emplace_back(d.offset, d.finish);
  return found;
}

}  // namespace

TEST_CASE("a crash inside a poll finds how far the work was") {
  for (const bool constant : {true, false}) {
    GroupOptions group = group_of(1);
    if (!constant) group.service = sim::Distribution::exponential(1e6);
    WorldOfGroup world(with(group));
    world.run_for(2s);
    world.feed(0, 100);
    world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
    const sim::Time begin = world.all(Kind::delivered)[0].time;
    world.run_until(begin + 42'500us);
    world.node(0).crash();
    world.run_for(1s);
    const auto done = finishes(world);
    if (constant) CHECK(done.size() == 42);
    CHECK(done.size() > 20);
    CHECK(done.size() < 70);
    CHECK(done.back().second <= sim::nanoseconds(begin + 42'500us));
    CHECK(world.all(Kind::ownership).back().code == static_cast<std::uint16_t>(OwnershipCode::crashed));
    CHECK(world.member_codes(MemberCode::crashed, "billing/0") == 1);
  }
}

TEST_CASE("a pause inside a poll moves the rest of the work by its length") {
  for (const bool constant : {true, false}) {
    GroupOptions group = group_of(1);
    if (!constant) group.service = sim::Distribution::exponential(1e6);
    const auto run = [&](bool pause) {
      WorldOfGroup world(with(group));
      world.run_for(2s);
      world.feed(0, 100);
      world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
      world.run_until(world.all(Kind::delivered)[0].time + 42'500us);
      const std::int64_t at = sim::nanoseconds(world.simulation.now());
      if (pause) {
        world.node(0).pause();
        world.run_for(700ms);
        world.node(0).resume();
      }
      CHECK(world.run_until_idle());
      return std::pair(at, finishes(world));
    };
    const auto [at, plain] = run(false);
    const auto [same, paused] = run(true);
    REQUIRE(plain.size() == 100);
    REQUIRE(paused.size() == 100);
    REQUIRE(at == same);
    for (std::size_t i = 0; i < 100; ++i) {
      CHECK(paused[i].second == plain[i].second + (plain[i].second > at ? 700'000'000 : 0));
    }
  }
}

TEST_CASE("several pauses in one poll add up") {
  WorldOfGroup world(with(group_of(1)));
  world.run_for(2s);
  world.feed(0, 10);
  world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
  const sim::Time begin = world.all(Kind::delivered)[0].time;
  world.run_until(begin + 2500us);
  for (int i = 0; i < 3; ++i) {
    world.node(0).pause();
    world.run_for(100ms);
    world.node(0).resume();
    world.run_for(1ms);
  }
  world.run_for(1s);
  const auto done = finishes(world);
  REQUIRE(done.size() == 10);
  CHECK(done[1].second == sim::nanoseconds(begin + 2ms));
  CHECK(done[2].second == sim::nanoseconds(begin + 103ms));
  CHECK(done[3].second == sim::nanoseconds(begin + 204ms));
  CHECK(done[9].second == sim::nanoseconds(begin + 310ms));
}

TEST_CASE("a crash while paused adds nothing to what was done before the pause") {
  WorldOfGroup world(with(group_of(1)));
  world.run_for(2s);
  world.feed(0, 10);
  world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
  world.run_until(world.all(Kind::delivered)[0].time + 2500us);
  world.node(0).pause();
  world.run_for(1s);
  world.node(0).crash();
  world.run_for(1s);
  CHECK(world.done().size() == 2);
}

TEST_CASE("the n-th watched record strikes at its own instant, whatever n") {
  for (const std::int64_t nth : {1, 2, 17, 99, 100}) {
    for (const Step step : {Step::processed_not_committed, Step::effect_applied}) {
      GroupOptions group = group_of(1);
      group.effect = EffectOptions{};
      group.service = sim::Distribution::exponential(1e6);
      WorldOfGroup world(with(group));
      world.run_for(2s);
      sim::Time struck{};
      world.steps.watch(world.node(0).entity(), step, nth, [&] {
        struck = world.simulation.now();
        world.node(0).crash();
      });
      world.feed(0, 100);
      world.run_for(1s);
      const auto done = finishes(world);
      REQUIRE(static_cast<std::int64_t>(done.size()) == nth);
      CHECK(done.back().second == sim::nanoseconds(struck));
      CHECK(world.records(Kind::effect) == nth);
    }
  }
}

TEST_CASE("work that takes no time is still cut exactly at the watched record") {
  GroupOptions group = group_of(1);
  group.service = sim::Distribution::constant(0);
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.steps.watch(world.node(0).entity(), Step::processed_not_committed, 7, [&] { world.node(0).crash(); });
  world.feed(0, 100);
  world.run_for(1s);
  CHECK(world.done().size() == 7);
}

TEST_CASE("a crash at the delivery of a record leaves the whole poll unprocessed") {
  WorldOfGroup world(with(group_of(1)));
  world.run_for(2s);
  world.steps.watch(world.node(0).entity(), Step::delivered, 3, [&] { world.node(0).crash(); });
  world.feed(0, 10);
  world.run_for(1s);
  CHECK(world.records(Kind::delivered) == 10);
  CHECK(world.done().empty());
}

TEST_CASE("running ahead changes nothing of what the application does") {
  const auto run = [](bool record_by_record) {
    GroupOptions group = group_of(2);
    group.service = sim::Distribution::lognormal(1e6, 1.5);
    group.effect = EffectOptions{};
    WorldOfGroup world(with(group, 3));
    world.run_for(20s);
    if (record_by_record) {
      for (std::size_t m = 0; m < 2; ++m) {
        for (std::int64_t n = 1; n <= 400; ++n) {
          world.steps.watch(world.node(m).entity(), Step::processed_not_committed, n, [] {});
        }
      }
    }
    for (std::int32_t p = 0; p < 3; ++p) world.feed(p, 100);
    world.run_for(40ms);
    world.node(0).pause();
    world.run_for(30ms);
    world.node(0).resume();
    world.run_for(20ms);
    world.node(1).crash();
    world.run_for(1s);
    world.node(1).restart();
    world.run_for(60s);
    std::vector<Row> commits = world.all(Kind::committed);
    return std::tuple(world.done(), commits.size(), world.records(Kind::effect),
                      world.count(Kind::processed));
  };
  const auto [ahead, ahead_commits, ahead_effects, ahead_rows] = run(false);
  const auto [stepwise, stepwise_commits, stepwise_effects, stepwise_rows] = run(true);
  CHECK(ahead == stepwise);
  CHECK(ahead_commits == stepwise_commits);
  CHECK(ahead_effects == stepwise_effects);
  CHECK(stepwise_rows > 3 * ahead_rows);  // the one really ran ahead, the other did not
}

TEST_CASE("a zombie goes on with its work: the effects happen again, its commit is fenced") {
  GroupOptions group = group_of(2);
  group.effect = EffectOptions{};
  WorldOfGroup world(with(group));
  world.run_for(20s);
  const std::string zombie = world.owners("orders/0").front();
  Node& node = world.node(number(zombie));
  world.feed(0, 100);
  world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
  world.run_for(10ms);
  node.pause();
  world.run_for(20s);
  CHECK(world.committed("orders/0") == 100);  // the other member has done it all
  CHECK(world.member_codes(MemberCode::evicted, zombie) == 1);
  node.resume();
  world.run_for(20s);
  const auto times = world.times_done();
  CHECK(times.size() == 100);
  CHECK(std::all_of(times.begin(), times.end(), [](const auto& t) { return t.second == 2; }));
  CHECK(world.records(Kind::effect) == 200);
  CHECK(world.count(Kind::commit_refused, zombie) == 1);
  CHECK(world.member_codes(MemberCode::fenced, zombie) == 1);
  CHECK(world.committed("orders/0") == 100);
  CHECK(world.owned_by_one_each(1));
}

TEST_CASE("a zombie's effects are recognised by their idempotency key") {
  GroupOptions group = group_of(2);
  group.effect = EffectOptions{.idempotency_key = true};
  WorldOfGroup world(with(group));
  world.run_for(20s);
  Node& node = world.node(number(world.owners("orders/0").front()));
  world.feed(0, 100);
  world.run_until_that([&] { return world.count(Kind::delivered) == 1; });
  world.run_for(10ms);
  node.pause();
  world.run_for(20s);
  node.resume();
  world.run_for(20s);
  std::int64_t applied = 0;
  for (const Row& row : world.all(Kind::effect)) applied += row.code == kApplied ? row.b : 0;
  CHECK(applied == 100);
  CHECK(world.done().size() == 200);
}

TEST_CASE("a member whose heartbeats are lost is evicted while it works, and learns of it by its commit") {
  GroupOptions group = group_of(2);
  group.service = sim::Distribution::constant(15e9);
  WorldOfGroup world(with(group));
  world.run_for(20s);
  const std::string member = world.owners("orders/0").front();
  world.feed(0, 1);
  world.run_for(100ms);
  world.node(number(member)).set_heartbeats_lost(true);
  world.run_for(8s);
  CHECK(world.member_codes(MemberCode::evicted, member) == 1);
  CHECK(world.owners("orders/0").size() == 2);  // it does not know
  world.run_for(8s);
  CHECK(world.count(Kind::commit_refused, member) == 1);
  CHECK(world.owners("orders/0").size() == 1);
  world.node(number(member)).set_heartbeats_lost(false);
  world.run_for(60s);
  CHECK(world.times_done().at({"orders/0", 0}) == 2);
  CHECK(world.committed("orders/0") == 1);
}

TEST_CASE("a session timeout longer than the gap of heartbeats keeps the member") {
  GroupOptions group = group_of(2);
  group.config.session_timeout = 30s;
  group.service = sim::Distribution::constant(15e9);
  WorldOfGroup world(with(group));
  world.run_for(40s);
  const std::string member = world.owners("orders/0").front();
  world.feed(0, 1);
  world.run_for(100ms);
  world.node(number(member)).set_heartbeats_lost(true);
  world.run_for(10s);
  world.node(number(member)).set_heartbeats_lost(false);
  world.run_for(30s);
  CHECK(world.member_codes(MemberCode::evicted, member) == 0);
  CHECK(world.all_done_once(1));
}

TEST_CASE("service times belong to records: who works on them, and how they are polled, changes nothing") {
  const auto services = [](std::uint32_t members, std::int32_t most) {
    GroupOptions group = group_of(members);
    group.service = sim::Distribution::exponential(1e6);
    group.config.max_poll_records = most;
    group.commit = CommitMode::automatic;
    WorldOfGroup world(with(group, 2));
    world.run_for(20s);
    world.feed(0, 50);
    world.run_for(5s);
    world.feed(1, 50);
    world.run_for(5s);
    std::map<std::pair<std::string, Offset>, std::int64_t> service;
    for (const Row& row : world.all(Kind::processed)) {
      for (std::size_t i = 1; i < row.payload.size(); ++i) {
        service[{row.place, row.a + static_cast<Offset>(i)}] = row.payload[i] - row.payload[i - 1];
      }
    }
    return service;
  };
  const auto one = services(1, 500);
  const auto two = services(2, 10);
  REQUIRE(one.size() == 98);
  REQUIRE(two.size() == 90);
  for (const auto& [record, service] : two) CHECK(one.at(record) == service);
}

TEST_CASE("another attempt at a record draws another service time") {
  GroupOptions group = group_of(1);
  group.service = sim::Distribution::exponential(1e6);
  group.commit = CommitMode::automatic;
  group.config.auto_commit_interval = 3600s;
  WorldOfGroup world(with(group));
  world.run_for(2s);
  world.feed(0, 20);
  world.run_for(1s);
  world.node(0).crash();
  world.run_for(1s);
  world.node(0).restart();
  world.run_for(20s);
  const std::vector<Row> processed = world.all(Kind::processed);
  REQUIRE(processed.size() == 2);
  CHECK(processed[0].payload[1] - processed[0].payload[0] !=
        processed[1].payload[1] - processed[1].payload[0]);
}

TEST_CASE("a member that crashed before its start, or was stopped, stays away") {
  GroupOptions group = group_of(2);
  group.start = 5s;
  WorldOfGroup world(with(group, 2));
  world.node(0).crash();
  world.run_for(10s);
  CHECK(world.member(1).assignment().partitions().size() == 2);
  world.node(0).restart();
  world.run_for(10s);
  CHECK(world.owned_by_one_each(2));
  CHECK(world.member(0).assignment().partitions().size() == 1);
  world.member(0).stop();
  world.run_for(5s);
  world.node(0).crash();
  world.node(0).restart();
  world.run_for(20s);
  CHECK(world.member(0).assignment().empty());
}

TEST_CASE("members that are cut off for a while come back") {
  GroupOptions group = group_of(2);
  WorldOfGroup world(with(group, 2));
  world.run_for(20s);
  const ImpairmentId cut = world.network.isolate(world.node(0).host());
  world.run_for(30s);
  CHECK(world.member_codes(MemberCode::evicted, "billing/0") == 1);
  CHECK(world.member(1).assignment().partitions().size() == 2);
  world.network.heal(cut);
  world.run_for(60s);
  CHECK(world.owned_by_one_each(2));
  CHECK(world.member(0).assignment().partitions().size() == 1);
  world.feed(0, 10);
  world.feed(1, 10);
  CHECK(world.run_until_idle());
  CHECK(world.all_done_once(20));
}

TEST_CASE("crashes of everything at random leave no record unprocessed once all is well again") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    GroupOptions group = group_of(3);
    group.config.max_poll_records = 20;
    if (seed % 2 == 0) group.config.partition_assignment_strategy = {Assignor::cooperative_sticky};
    if (seed % 3 == 0) group.config.group_instance_id = "m{index}";
    group.commit = seed % 4 == 1   ? CommitMode::each_record
                   : seed % 4 == 2 ? CommitMode::asynchronous
                   : seed % 4 == 3 ? CommitMode::automatic
                                   : CommitMode::after_processing;
    WorldOfGroup::Setup setup = with(group, 6);
    setup.seed = seed;
    WorldOfGroup world(setup);
    world.run_for(15s);
    sim::Stream dice(seed, "test/faults");
    for (int round = 0; round < 25; ++round) {
      for (std::int32_t p = 0; p < 6; ++p) world.feed(p, static_cast<std::int32_t>(1 + dice.uniform_int(40)));
      world.run_for(sim::Duration(static_cast<std::int64_t>(dice.uniform_int(2'000'000'000))));
      Node& node = world.node(dice.uniform_int(3));
      switch (dice.uniform_int(4)) {
        case 0:
          node.crash();
          break;
        case 1:
          node.restart();
          break;
        case 2:
          node.pause();
          break;
        default:
          node.resume();
          break;
      }
    }
    for (std::size_t i = 0; i < 3; ++i) {
      world.node(i).resume();
      world.node(i).restart();
    }
    INFO("seed " << seed);
    CHECK(world.run_until_idle(400s));
    std::int64_t fed = 0;
    for (const auto& [partition, count] : world.fed) {
      fed += count;
      CHECK(world.owners(partition).size() == 1);
    }
    CHECK(static_cast<std::int64_t>(world.times_done().size()) == fed);
  }
}
