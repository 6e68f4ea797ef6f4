// SQS and its clients in a world, from what is sent to what the ledger says.
#include "models/scenario_error.hpp"
#include "models/sqs/system.hpp"
#include "tests/allocations.hpp"
#include "tests/catch.hpp"
#include "tests/models/sqs/desk.hpp"

using namespace sqs_test;
using models::Kind;
using models::Metric;
using models::Scenario;
using models::Step;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("what is sent is stored, received, processed, deleted and gone", "[sqs]") {
  const Run run(desk(100));
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::offered) == 100);
  CHECK(run.value(Metric::acknowledged) == 100);
  CHECK(run.value(Metric::stored) == 100);
  CHECK(run.value(Metric::processed) == 100);
  CHECK(run.value(Metric::in_flight) == 0);
  CHECK(run.value(Metric::redelivered) == 0);
  CHECK(run.records.count(Kind::settled) == 100);
  const auto depth = run.records.of(Kind::queue_depth);
  REQUIRE(depth.size() == 1);
  CHECK(depth[0].a == 0);
  CHECK(depth[0].b == 0);
}

TEST_CASE("a run of SQS is a function of scenario and seed, whatever watches", "[sqs]") {
  Scenario s = desk(500);
  s.groups[0].members = 3;
  s.groups[0].service = sim::Distribution::exponential(2e7);
  s.faults.push_back(fault("crash", "workers/1", seconds{2}, seconds{1}));
  s.faults.push_back(fault("crash", "sqs/0", seconds{4}, seconds{1}));
  const auto digest = [&](std::uint64_t seed, bool watched) {
    models::World world(s, seed);
    Records records;
    models::Observers observers;
    if (watched) {
      world.trace().add_sink(records);
      world.trace().add_sink(observers);
    }
    world.run();
    return world.trace().digest();
  };
  CHECK(digest(1, true) == digest(1, true));
  CHECK(digest(1, true) == digest(1, false));
  CHECK(digest(1, true) != digest(2, true));
}

TEST_CASE("a batch is sent when it is full, or when its first message has waited", "[sqs]") {
  Scenario s = desk(25, 100);
  s.producers[0].sqs.batch = 10;
  const Run run(s);
  const auto offered = run.records.of(Kind::offered);
  REQUIRE(offered.size() == 3);
  CHECK(offered[0].b == 10);
  CHECK(offered[1].b == 10);
  CHECK(offered[2].b == 5);
  CHECK(offered[0].time == sim::Time{milliseconds{100}});
  CHECK(offered[2].time == sim::Time{milliseconds{210 + 200}});
  CHECK(run.records.of(Kind::stored).size() == 3);
}

TEST_CASE("no more requests are under way than the sender allows itself", "[sqs]") {
  Scenario s = desk(10, 1000);
  s.sqs->latency = sim::Distribution::constant(100e6);
  s.producers[0].sqs.requests = 1;
  const Run run(s);
  const auto offered = run.records.of(Kind::offered);
  REQUIRE(offered.size() == 10);
  for (std::size_t i = 1; i < offered.size(); ++i)
    CHECK(offered[i].time - offered[i - 1].time >= milliseconds{100});
}

TEST_CASE("a call that gets no answer is made again, three times in all", "[sqs]") {
  Scenario s = desk(1);
  s.producers[0].sqs.sdk.attempt_timeout = seconds{1};
  s.faults.push_back(fault("pause", "sqs/0", milliseconds{5}, seconds{60}));
  s.duration = seconds{120};
  const Run run(s);
  CHECK(run.value(Metric::failed) == 1);
  CHECK(run.value(Metric::failed_in_doubt) == 1);
  // Three attempts of a second, and pauses of up to 1 s and 2 s.
  const sim::Time failed = run.first(Kind::failed);
  CHECK(failed >= sim::Time{seconds{3}});
  CHECK(failed <= sim::Time{seconds{7}});
}

TEST_CASE("what the SDK has given up the application sends again, if it keeps it", "[sqs]") {
  Scenario s = desk(1);
  s.producers[0].sqs.sdk.max_attempts = 1;
  s.producers[0].sqs.retry_after = seconds{5};
  s.faults.push_back(fault("crash", "sqs/0", milliseconds{5}, seconds{2}));
  const Run run(s);
  CHECK(run.value(Metric::failed) == 0);
  CHECK(run.value(Metric::acknowledged) == 1);
  CHECK(run.value(Metric::processed) == 1);
}

TEST_CASE("a lost answer makes a duplicate in a standard queue and none in a FIFO queue", "[sqs]") {
  const auto duplicates = [](Scenario s) {
    s.faults.push_back(fault_when("response-loss", "sqs/0", Step::appended, 50));
    s.faults.back().other = "shop";
    const Run run(s);
    CHECK(run.value(Metric::acknowledged) == 100);
    CHECK(run.value(Metric::lost) == 0);
    return run.value(Metric::log_duplicates);
  };
  CHECK(duplicates(desk(100)) == 1);
  CHECK(duplicates(fifo_desk(100)) == 0);
}

TEST_CASE("SQS is unavailable while its host is down, and has lost nothing", "[sqs]") {
  Scenario s = desk(300);
  s.producers[0].sqs.retry_after = seconds{1};
  s.groups[0].service = sim::Distribution::constant(2e7);
  s.faults.push_back(fault("crash", "sqs/0", seconds{1}, seconds{3}));
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::acknowledged) == 300);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::in_flight) == 0);
}

TEST_CASE("what a worker held that dies is received again when its timeout is over", "[sqs]") {
  Scenario s = desk(20);
  s.groups[0].members = 2;
  s.sqs->queues[0].visibility_timeout = seconds{7};
  s.groups[0].sqs.max_messages = 10;
  s.faults.push_back(fault_when("crash", "workers/0", Step::delivered, 1));
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 20);
  CHECK(run.value(Metric::duplicated) == 0);
  const auto back = run.records.of(Kind::requeued);
  REQUIRE_FALSE(back.empty());
  CHECK(back[0].code == static_cast<std::uint16_t>(models::RequeuedCode::timed_out));
  CHECK(back[0].time - run.first(Kind::dispatched) == seconds{7});
}

TEST_CASE(
    "a worker that is slower than the visibility timeout shares its message, unless a heartbeat extends it",
    "[sqs]") {
  Scenario s = desk(4, 1);
  s.groups[0].members = 2;
  s.groups[0].effect.emplace();
  s.groups[0].service = sim::Distribution::constant(12e9);
  s.sqs->queues[0].visibility_timeout = seconds{10};
  s.drain = seconds{300};
  const Run overlap(s);
  CHECK(overlap.value(Metric::two_holders) > 0);
  CHECK(overlap.value(Metric::effects_duplicated) > 0);
  s.groups[0].sqs.heartbeat = seconds{3};
  const Run extended(s);
  CHECK(extended.value(Metric::two_holders) == 0);
  CHECK(extended.value(Metric::duplicated) == 0);
  s.groups[0].members = 3;  // one is free
  s.duration = seconds{60};
  s.faults.push_back(fault("heartbeat-loss", "workers/0", seconds{0}, seconds{100}));
  const Run silent(s);
  CHECK(silent.value(Metric::two_holders) > 0);
}

TEST_CASE("a deletion that comes too late is a deletion in a standard queue and none in a FIFO queue",
          "[sqs]") {
  const auto late = [](Scenario s) {
    s.groups[0].service = sim::Distribution::constant(12e9);
    s.sqs->queues[0].visibility_timeout = seconds{10};
    s.sqs->queues[0].redrive = models::sqs::RedrivePolicy{s.sqs->queues[1].name, 2};
    s.drain = seconds{300};
    return Run(s).value(Metric::processed);
  };
  Scenario standard = desk(1);
  standard.sqs->queues.push_back({"dead"});
  CHECK(late(standard) == 1);
  // It was received twice, and is a dead letter then; the ledger has it as processed.
  Scenario fifo = fifo_desk(1);
  fifo.sqs->queues.push_back({"dead.fifo", true});
  fifo.groups[0].service = sim::Distribution::constant(12e9);
  fifo.sqs->queues[0].visibility_timeout = seconds{10};
  fifo.sqs->queues[0].redrive = models::sqs::RedrivePolicy{"dead.fifo", 2};
  fifo.drain = seconds{300};
  const Run run(fifo);
  CHECK(run.value(Metric::duplicated) == 1);
  CHECK(run.value(Metric::dead_letters) == 1);
}

TEST_CASE("a message that was deleted before its work is lost with its worker", "[sqs]") {
  Scenario s = desk(5, 1);
  s.groups[0].service = sim::Distribution::constant(5e8);
  s.groups[0].sqs.when = models::sqs::ReceiverOptions::Delete::before_processing;
  s.faults.push_back(fault_when("crash", "workers/0", Step::committed, 1, seconds{1}));
  const Run run(s);
  CHECK(run.value(Metric::lost) == 1);
  CHECK(run.value(Metric::processed) == 4);
}

TEST_CASE(
    "a poisoned message is received maxReceiveCount times and is then a dead letter and moved back it is new",
    "[sqs]") {
  Scenario s = desk(1);
  s.sqs->queues[0].visibility_timeout = seconds{1};
  s.sqs->queues[0].redrive = models::sqs::RedrivePolicy{"dead", 3};
  s.sqs->queues.push_back({"dead"});
  s.groups[0].poison =
      models::PoisonOptions{.share = 1, .failures = 0, .then = models::PoisonOptions::Then::release};
  const Run dead(s);
  CHECK(dead.records.count(Kind::dispatched) == 3);
  CHECK(dead.value(Metric::dead_lettered) == 1);
  CHECK(dead.value(Metric::dead_letters) == 1);
  s.groups[0].poison->failures = 3;
  s.sqs->moves.push_back({"dead", "", seconds{8}});
  const Run moved(s);
  CHECK(moved.outcome.drained);
  CHECK(moved.value(Metric::processed) == 1);
  CHECK(moved.records.count(Kind::dispatched) == 4);
  CHECK(moved.value(Metric::dead_letters) == 2);
}

TEST_CASE("dead letters are moved back at the rate that was asked for", "[sqs]") {
  Scenario s = desk(30);
  s.sqs->queues[0].visibility_timeout = seconds{1};
  s.sqs->queues[0].redrive = models::sqs::RedrivePolicy{"dead", 1};
  s.sqs->queues.push_back({"dead"});
  s.groups[0].poison =
      models::PoisonOptions{.share = 1, .failures = 1, .then = models::PoisonOptions::Then::release};
  s.sqs->moves.push_back({"dead", "", seconds{5}, 10});
  const Run run(s);
  std::vector<sim::Time> moves;
  for (const sim::TraceRecord& r : run.records.of(Kind::removed)) {
    if (r.code == static_cast<std::uint16_t>(models::RemovedCode::moved)) moves.push_back(r.time);
  }
  REQUIRE(moves.size() == 30);
  CHECK(moves.back() - moves.front() == milliseconds{2900});
  CHECK(run.value(Metric::processed) == 30);
}

TEST_CASE("a move of dead letters waits while SQS is down or stands still", "[sqs]") {
  for (const std::string kind : {"crash", "pause"}) {
    Scenario s = desk(30);
    s.sqs->queues[0].visibility_timeout = seconds{1};
    s.sqs->queues[0].redrive = models::sqs::RedrivePolicy{"dead", 1};
    s.sqs->queues.push_back({"dead"});
    s.groups[0].poison =
        models::PoisonOptions{.share = 1, .failures = 1, .then = models::PoisonOptions::Then::release};
    s.sqs->moves.push_back({"dead", "", seconds{5}, 10});
    s.faults.push_back(fault(kind, "sqs/0", milliseconds{6'050}, seconds{2}));
    s.duration = seconds{20};
    const Run run(s);
    int before = 0;
    int after = 0;
    for (const sim::TraceRecord& r : run.records.of(Kind::removed)) {
      if (r.code != static_cast<std::uint16_t>(models::RemovedCode::moved)) continue;
      const bool out = r.time > sim::Time{milliseconds{6'050}} && r.time < sim::Time{milliseconds{8'050}};
      CHECK_FALSE(out);
      ++(r.time < sim::Time{seconds{7}} ? before : after);
    }
    CHECK(before == 11);
    CHECK(after == 19);
    CHECK(run.value(Metric::processed) == 30);
  }
}

TEST_CASE("what was due while SQS stood still and then died comes back when it starts", "[sqs]") {
  Scenario s = desk(1);
  s.duration = seconds{30};
  s.sqs->queues[0].visibility_timeout = seconds{7};
  s.faults.push_back(fault_when("crash", "workers/0", Step::delivered, 1));
  s.faults.push_back(fault("pause", "sqs/0", seconds{5}, {seconds{20}}));
  s.faults.push_back(fault("crash", "sqs/0", seconds{10}, seconds{2}));
  const Run run(s);
  CHECK(run.first(Kind::requeued) == sim::Time{seconds{12}});
}

TEST_CASE("a failing worker may make a message visible at once", "[sqs]") {
  Scenario s = desk(1);
  s.groups[0].poison =
      models::PoisonOptions{.share = 1, .failures = 3, .then = models::PoisonOptions::Then::release};
  s.groups[0].sqs.release = sim::Duration{};
  const Run run(s);
  CHECK(run.value(Metric::processed) == 1);
  CHECK(run.value(Metric::requeued) == 3);
  CHECK(run.value(Metric::e2e_latency_max_ms) < 100);
}

TEST_CASE("the order within a group holds whatever dies", "[sqs]") {
  Scenario s = fifo_desk(1000, 200, 20);
  s.groups[0].members = 4;
  s.groups[0].service = sim::Distribution::exponential(1e7);
  s.groups[0].sqs.max_messages = 5;
  s.sqs->queues[0].visibility_timeout = seconds{3};
  s.faults.push_back(fault_when("crash", "workers/1", Step::delivered, 60, seconds{1}));
  s.faults.push_back(fault_when("crash", "workers/2", Step::processed_not_committed, 40, seconds{1}));
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::reordered_per_key) == 0);
  CHECK(run.value(Metric::lost) == 0);
}

TEST_CASE("the retry of a receive with its attempt id gets what the lost answer had in it", "[sqs]") {
  Scenario s = fifo_desk(1);
  s.groups[0].sqs.sdk.backoff_base = milliseconds{10};
  s.producers[0].arrivals = sim::ArrivalProcess::constant(1);
  s.faults.push_back(fault("response-loss", "sqs/0", milliseconds{500}, {}));
  s.faults.back().other = "workers/0";
  const Run lost(s);
  CHECK(lost.value(Metric::e2e_latency_max_ms) > 29'000);
  s.groups[0].sqs.attempt_ids = true;
  const Run again(s);
  CHECK(again.value(Metric::e2e_latency_max_ms) < 1'000);
  CHECK(again.value(Metric::processed) == 1);
}

TEST_CASE("beyond 300 calls a second a FIFO queue throttles, and the SDK tries again later", "[sqs]") {
  Scenario s = fifo_desk(700, 10'000, 700);
  s.producers[0].sqs.requests = 1000;
  s.groups.clear();
  const Run run(s);
  CHECK(run.value(Metric::acknowledged) < 700);
  CHECK(run.value(Metric::acknowledged) >= 300);
  CHECK(run.value(Metric::failed_in_doubt) == 0);
  s.sqs->queues[0].deduplication_scope = models::sqs::DeduplicationScope::message_group;
  s.sqs->queues[0].fifo_throughput_limit = models::sqs::FifoThroughputLimit::per_message_group_id;
  CHECK(Run(s).value(Metric::acknowledged) == 700);
  s.producers[0].sqs.message_group_id = "one";
  CHECK(Run(s).value(Metric::acknowledged) < 700);
}

TEST_CASE("a message that is too long is refused, and the others of its batch are not", "[sqs]") {
  Scenario s = desk(100);
  s.producers[0].sqs.batch = 10;
  s.producers[0].size = sim::Distribution::uniform(500, 2000);
  s.sqs->queues[0].maximum_message_size = 1024;
  const Run run(s);
  CHECK(run.value(Metric::failed) > 20);
  CHECK(run.value(Metric::failed_in_doubt) == 0);
  CHECK(run.value(Metric::processed) + run.value(Metric::failed) == 100);
}

TEST_CASE("CloudWatch's numbers of a queue, worked out by hand", "[sqs]") {
  // A message each second from 1 s on, six of them; DelaySeconds = 2. One worker takes 10 s for each and polls at once.
  Scenario s = desk(6, 1);
  s.duration = seconds{60};
  s.sqs->queues[0].delay = seconds{2};
  s.sqs->servers = s.sqs->sampled_servers = 1;
  s.groups[0].service = sim::Distribution::constant(10e9);
  std::vector<models::sqs::QueueMetrics> seen;
  std::vector<models::Look> looks;
  for (const int at : {0, 4, 8, 50}) {
    looks.push_back({sim::Time{milliseconds{at * 1000 + 500}}, [&seen](models::World& world) {
                       seen.push_back(world.sqs()->metrics(models::sqs::QueueIndex{0}));
                     }});
  }
  s.groups[0].sqs.wait = seconds{1};
  s.groups[0].sqs.poll_interval = milliseconds{0};
  s.drain = seconds{1};
  const Run run(s, 1, looks);
  REQUIRE(seen.size() == 4);
  CHECK(seen[0].sent == 0);
  CHECK(seen[0].oldest == sim::Duration{});
  // 4.5 s: sent at 1, 2, 3, 4; visible since 3 and 4, of which the first is in flight.
  CHECK(seen[1].sent == 4);
  CHECK(seen[1].not_visible == 1);
  CHECK(seen[1].visible == 1);
  CHECK(seen[1].delayed == 2);
  CHECK(seen[1].received == 1);
  CHECK(seen[1].deleted == 0);
  CHECK(seen[1].oldest > milliseconds{3490});
  CHECK(seen[1].oldest < milliseconds{3500});
  // Polls that ended empty at about 1 s and 2 s.
  CHECK(seen[1].empty_receives == 2);
  CHECK(seen[2].delayed == 0);
  CHECK(seen[2].visible == 5);
  // 50.5 s: begun at 3, 13, 23, 33, 43; four are deleted.
  CHECK(seen[3].sent == 6);
  CHECK(seen[3].received == 5);
  CHECK(seen[3].deleted == 4);
  CHECK(seen[3].visible == 1);
  CHECK(seen[3].not_visible == 1);
  CHECK(seen[3].oldest > milliseconds{45'490});
  CHECK(seen[3].oldest < milliseconds{45'500});
}

TEST_CASE("a dead letter's age counts from its move, its retention from its sending, and it was not sent",
          "[sqs]") {
  Scenario s = desk(1);
  s.duration = seconds{100};
  s.sqs->queues[0].visibility_timeout = seconds{20};
  s.sqs->queues[0].redrive = models::sqs::RedrivePolicy{"dead", 1};
  s.sqs->queues.push_back({"dead"});
  s.sqs->queues[1].retention = seconds{60};
  s.groups[0].poison =
      models::PoisonOptions{.share = 1, .failures = 0, .then = models::PoisonOptions::Then::release};
  std::vector<models::sqs::QueueMetrics> seen;
  std::vector<models::Look> looks;
  for (const int at : {50, 70}) {
    looks.push_back({sim::Time{seconds{at}}, [&seen](models::World& world) {
                       seen.push_back(world.sqs()->metrics(models::sqs::QueueIndex{1}));
                     }});
  }
  const Run run(s, 1, looks);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].visible == 1);
  CHECK(seen[0].sent == 0);
  CHECK(seen[0].oldest < seconds{30});
  CHECK(seen[0].oldest > seconds{29});
  CHECK(seen[1].visible == 0);
}

TEST_CASE("messages from inside AWS are stored, recognised or refused as those of SendMessage are", "[sqs]") {
  Scenario s = fifo_desk(0, 1);
  s.groups[0].service = sim::Distribution::constant(1e6);
  s.sqs->queues[0].maximum_message_size = 1024;
  using Accepted = models::sqs::Service::Accepted;
  std::vector<Accepted> results;
  const auto bring = [&results](models::World& world) {
    models::sqs::Service& sqs = *world.sqs();
    const models::sqs::QueueIndex queue{0};
    models::Context& context = world.context();
    const models::LaneId lane = context.entities.add_lane(sqs.node().entity(), sqs.entity(queue));
    const std::int64_t created[] = {0};
    for (std::int64_t seq = 0; seq < 3; ++seq) {
      context.emit(Kind::offered,
                   {.actor = sqs.node().entity().value,
                    .place = sqs.entity(queue).value,
                    .peer = lane.value,
                    .a = seq,
                    .b = 1},
                   created);
      models::sqs::Inside message;
      message.lane = lane;
      message.seq = static_cast<std::uint64_t>(seq);
      message.size = seq == 2 ? 5000 : 100;
      message.group = {7};
      message.deduplication = {99, 1, 0};  // the same for all
      results.push_back(sqs.accept(queue, message));
      if (results.back() != Accepted::stored)
        context.emit(Kind::failed, {.actor = sqs.node().entity().value,
                                    .place = sqs.entity(queue).value,
                                    .peer = lane.value,
                                    .a = seq,
                                    .b = 1});
    }
  };
  const Run run(s, 1, {{sim::Time{seconds{3}}, bring}});
  CHECK(results == std::vector<Accepted>{Accepted::stored, Accepted::duplicate, Accepted::refused});
  CHECK(run.value(Metric::stored) >= 1);
  CHECK(run.value(Metric::lost) == 0);
}

TEST_CASE("a worker that leaves finishes what it has in hand, and one that joins takes part", "[sqs]") {
  Scenario s = desk(100, 20);
  s.groups[0].members = 2;
  s.groups[0].service = sim::Distribution::constant(5e7);
  s.groups[0].sqs.max_messages = 10;
  s.faults.push_back(fault("leave", "workers/0", seconds{2}, {}));
  s.faults.push_back(fault("join", "workers/1", seconds{1}, {}));
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 100);
  CHECK(run.value(Metric::requeued) == 0);
}

TEST_CASE("what keeps a run from its end is told", "[sqs]") {
  Scenario s = desk(3, 1);
  s.groups[0].sqs.when = models::sqs::ReceiverOptions::Delete::never;
  s.sqs->queues[0].visibility_timeout = std::chrono::hours{1};
  s.drain = seconds{5};
  Run run(s);
  CHECK_FALSE(run.outcome.drained);
  const std::vector<std::string> lines = run.world.unfinished();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == "jobs has 3 messages in flight, until they are deleted or visible again");
}

TEST_CASE("scenarios whose parts do not fit are refused when their world is made", "[sqs]") {
  Scenario s = desk();
  s.producers[0].to = "nowhere";
  CHECK_THROWS_AS(models::World(s, 1, {}), models::ScenarioError);
  s = desk();
  s.groups[0].sqs.queue = "nowhere";
  CHECK_THROWS_AS(models::World(s, 1, {}), models::ScenarioError);
  s = desk();
  s.groups.push_back(s.groups[0]);
  s.groups[1].name = "others";
  CHECK_THROWS_AS(models::World(s, 1, {}), models::ScenarioError);
}

TEST_CASE("SQS's steady state allocates nothing", "[sqs]") {
  for (Scenario s : {desk(0, 1000), fifo_desk(0, 250, 100)}) {
    s.producers[0].sqs.batch = 10;
    s.groups[0].members = 5;
    s.groups[0].sqs.max_messages = 10;
    s.groups[0].sqs.when = models::sqs::ReceiverOptions::Delete::after_batch;
    s.sqs->queues[0].deduplication_scope = models::sqs::DeduplicationScope::queue;
    models::World world(s, 1);
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    world.simulation().schedule_at(sim::Time{seconds{5}}, [&] { before = tests::allocations(); });
    world.simulation().schedule_at(sim::Time{seconds{9}}, [&] { after = tests::allocations(); });
    world.run();
    CHECK(after - before <= 20);  // deduplication remembers five minutes, which are not over
  }
}

TEST_CASE("Kafka, RabbitMQ and SQS live in one world", "[sqs]") {
  Scenario s = desk(50);
  s.rabbitmq.emplace().queues.push_back({"letters"});
  models::ProducerOptions other = s.producers[0];
  other.name = "other";
  other.cluster = "rabbitmq";
  other.to = "letters";
  s.producers.push_back(other);
  models::kafka::TopicOptions topic;
  topic.name = "orders";
  s.kafka.emplace().topics.push_back(topic);
  other.name = "third";
  other.cluster = "kafka";
  other.to = "orders";
  s.producers.push_back(other);
  models::GroupOptions readers;
  readers.name = "readers";
  readers.topics = {"orders"};
  readers.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.groups.push_back(readers);
  readers.name = "consumers";
  readers.cluster = "rabbitmq";
  readers.rabbitmq.queues = {"letters"};
  s.groups.push_back(readers);
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 150);
}
