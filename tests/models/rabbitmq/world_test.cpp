// RabbitMQ and its clients in a world, from what is published to what the ledger says.
#include "models/scenario_error.hpp"
#include "tests/allocations.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Kind;
using models::Metric;
using models::Scenario;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

models::rabbitmq::QueueArguments& arguments(Scenario& s) {
  return s.rabbitmq->queues.front().arguments;
}

}  // namespace

TEST_CASE("what is published is stored, delivered, processed, acknowledged and gone", "[rabbitmq]") {
  const Run run(desk(100));
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::offered) == 100);
  CHECK(run.value(Metric::acknowledged) == 100);
  CHECK(run.value(Metric::stored) == 100);
  CHECK(run.value(Metric::processed) == 100);
  CHECK(run.value(Metric::in_flight) == 0);
  CHECK(run.value(Metric::redelivered) == 0);
  CHECK(run.records.of(Kind::settled).size() == 100);
  const auto depth = run.records.of(Kind::queue_depth);
  REQUIRE(depth.size() == 1);
  CHECK(depth[0].a == 0);
  CHECK(depth[0].b == 0);
}

TEST_CASE("a run of RabbitMQ is a function of scenario and seed, whatever watches", "[rabbitmq]") {
  Scenario s = desk(500);
  s.groups[0].members = 3;
  s.groups[0].service = sim::Distribution::exponential(2e7);
  s.faults.push_back(fault("crash", "workers/1", seconds{2}, seconds{1}));
  s.faults.push_back(fault("crash", "rabbitmq/0", seconds{4}, seconds{1}));
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

TEST_CASE("a persistent message is confirmed when it is written, a transient one at once", "[rabbitmq]") {
  Scenario s = desk(1);
  s.rabbitmq->disk_write = sim::Distribution::constant(50e6);
  const Run persistent(s);
  CHECK(persistent.first(Kind::acknowledged) - persistent.first(Kind::stored) >= milliseconds{50});
  s.producers[0].rabbitmq.persistent = false;
  const Run transient(s);
  CHECK(transient.first(Kind::acknowledged) - transient.first(Kind::stored) < milliseconds{10});
  s.producers[0].rabbitmq.persistent = true;
  s.rabbitmq->queues[0].durable = false;
  const Run in_memory(s);
  CHECK(in_memory.first(Kind::acknowledged) - in_memory.first(Kind::stored) < milliseconds{10});
}

TEST_CASE("a message in two queues is confirmed when both have accepted it", "[rabbitmq]") {
  Scenario s = desk(1);
  s.rabbitmq->disk_write = sim::Distribution::constant(50e6);
  s.rabbitmq->queues.push_back({"audit", false});
  s.rabbitmq->exchanges = {{"all", models::rabbitmq::ExchangeType::fanout}};
  s.rabbitmq->bindings = {{"all", "jobs"}, {"all", "audit"}};
  s.producers[0].to = "all";
  const Run run(s);
  CHECK(run.records.of(Kind::offered).size() == 2);
  CHECK(run.records.of(Kind::stored).size() == 2);
  CHECK(run.records.of(Kind::acknowledged).size() == 2);
  CHECK(run.first(Kind::acknowledged) - run.first(Kind::stored) >= milliseconds{50});
}

TEST_CASE("no more confirms are outstanding than the publisher allows itself", "[rabbitmq]") {
  Scenario s = desk(10, 1000);
  s.rabbitmq->disk_write = sim::Distribution::constant(100e6);
  s.producers[0].rabbitmq.confirms = 1;
  const Run run(s);
  CHECK(run.value(Metric::acknowledged) == 10);
  // Each waits for a write of its own.
  CHECK(run.records.of(Kind::stored).back().time - run.first(Kind::stored) >= milliseconds{900});
}

TEST_CASE("what goes nowhere is refused, and the application knows where it asked to", "[rabbitmq]") {
  Scenario s = desk(4);
  s.rabbitmq->exchanges = {{"d"}};
  s.rabbitmq->bindings = {{"d", "jobs", false, "known"}};
  s.producers[0].to = "d";
  s.producers[0].rabbitmq.routing_keys = {"known", "unknown"};
  const Run dropped(s);
  CHECK(dropped.value(Metric::refused) == 2);
  CHECK(dropped.value(Metric::unroutable) == 2);
  CHECK(dropped.value(Metric::processed) == 2);
  CHECK(dropped.records.of(Kind::refused)[0].code ==
        static_cast<std::uint16_t>(models::RefusedCode::unroutable));
  s.producers[0].rabbitmq.mandatory = true;
  const Run returned(s);
  CHECK(returned.records.of(Kind::refused)[0].code ==
        static_cast<std::uint16_t>(models::RefusedCode::returned));
}

TEST_CASE("what a dead worker held is delivered again, with the flag, and nothing is lost", "[rabbitmq]") {
  Scenario s = desk(100);
  s.groups[0].members = 2;
  s.groups[0].service = sim::Distribution::constant(1e9);
  s.groups[0].rabbitmq.prefetch = 5;
  s.duration = seconds{60};
  s.faults.push_back(fault("crash", "workers/0", seconds{2}, {}));
  const Run run(s);
  CHECK(run.value(Metric::redelivered_flags) == 5);
  CHECK(run.value(Metric::requeued) == 5);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::processed) == 100);
  CHECK(run.value(Metric::two_holders) == 0);
}

TEST_CASE("with automatic acknowledgement exactly what waited in the dead worker is lost", "[rabbitmq]") {
  Scenario s = desk(20);
  s.groups[0].rabbitmq.automatic_ack = true;
  s.groups[0].service = sim::Distribution::constant(1e9);
  s.duration = seconds{60};
  s.faults.push_back(fault("crash", "workers/0", milliseconds{3500}, {}));
  const Run run(s);
  CHECK(run.value(Metric::processed) == 3);
  CHECK(run.value(Metric::lost) == 17);
  // By the record that lost them, and not by their having been sent.
  for (const models::Anomaly& found : run.observers.anomalies().rows()) {
    if (found.verdict != models::Verdict::lost) continue;
    CHECK(run.records.all[found.record - 1].kind == static_cast<std::uint16_t>(Kind::member_state));
  }
}

TEST_CASE("a broker's restart takes transient messages, and leaves persistent ones that were written",
          "[rabbitmq]") {
  Scenario s = desk(100);
  s.groups[0].start = seconds{5};
  s.faults.push_back(fault("crash", "rabbitmq/0", seconds{3}, seconds{1}));
  const Run persistent(s);
  CHECK(persistent.value(Metric::lost) == 0);
  CHECK(persistent.value(Metric::processed) == 100);
  s.producers[0].rabbitmq.persistent = false;
  const Run transient(s);
  CHECK(transient.value(Metric::lost) == 100);
  CHECK(transient.value(Metric::processed) == 0);
  CHECK(transient.outcome.drained);
}

TEST_CASE("what was not written when the broker crashed has failed, and is published again", "[rabbitmq]") {
  Scenario s = desk(100, 100);
  s.rabbitmq->disk_write = sim::Distribution::constant(200e6);
  s.producers[0].resend = true;
  s.faults.push_back(fault("crash", "rabbitmq/0", milliseconds{500}, seconds{1}));
  const Run run(s);
  CHECK(run.value(Metric::failed) > 0);
  CHECK(run.value(Metric::failed_in_doubt) == run.value(Metric::failed));
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.records.of(Kind::resent).size() == static_cast<std::size_t>(run.value(Metric::failed)));
  // Every message that arose is there once at least.
  CHECK(run.value(Metric::offered) == 100 + run.value(Metric::failed));
  CHECK(run.value(Metric::processed) >= 100);
}

TEST_CASE("while the broker is down nothing is published, and what arose waits", "[rabbitmq]") {
  Scenario s = desk(100, 100);
  s.faults.push_back(fault("crash", "rabbitmq/0", milliseconds{300}, seconds{2}));
  const Run run(s);
  CHECK(run.value(Metric::processed) >= 99);
  const auto stored = run.records.of(Kind::stored);
  const auto gap = std::adjacent_find(stored.begin(), stored.end(), [](const auto& a, const auto& b) {
    return b.time - a.time > seconds{2};
  });
  // The connection is tried again every five seconds.
  REQUIRE(gap != stored.end());
  CHECK((gap + 1)->time - gap->time >= milliseconds{4900});
}

TEST_CASE("a full queue that refuses is heard of, and the message comes again", "[rabbitmq]") {
  Scenario s = desk(50, 1000);
  arguments(s).max_length = 5;
  arguments(s).overflow = models::rabbitmq::Overflow::reject_publish;
  s.groups[0].service = sim::Distribution::constant(1e7);
  s.groups[0].rabbitmq.prefetch = 1;
  const Run refused(s);
  CHECK(refused.value(Metric::failed) > 0);
  CHECK(refused.value(Metric::failed_in_doubt) == 0);
  CHECK(refused.value(Metric::lost) == 0);
  CHECK(refused.value(Metric::processed) + refused.value(Metric::failed) == 50);
  CHECK(refused.value(Metric::queue_ready_max_messages) == 5);
}

TEST_CASE("a full queue that drops its head says which it dropped", "[rabbitmq]") {
  Scenario s = desk(50, 1000);
  arguments(s).max_length = 5;
  s.groups[0].service = sim::Distribution::constant(1e9);
  s.groups[0].rabbitmq.prefetch = 1;
  s.duration = seconds{30};
  const Run run(s);
  CHECK(run.value(Metric::discarded) == 44);
  CHECK(run.value(Metric::processed) == 6);
  CHECK(run.value(Metric::acknowledged) == 50);
  CHECK(run.value(Metric::lost) == 0);
}

TEST_CASE("a rejected message is dead-lettered as a new message that names the old one", "[rabbitmq]") {
  Scenario s = desk(10);
  s.rabbitmq->queues.push_back({"dead"});
  arguments(s).dead_letter_exchange = "";
  arguments(s).dead_letter_routing_key = "dead";
  s.groups[0].poison = models::PoisonOptions{.share = 1, .then = models::PoisonOptions::Then::reject};
  const Run run(s);
  CHECK(run.value(Metric::dead_lettered) == 10);
  CHECK(run.value(Metric::dead_letters) == 10);
  CHECK(run.value(Metric::processed) == 0);
  const auto copies = run.records.of(Kind::republished);
  REQUIRE(copies.size() == 10);
  CHECK(copies[3].c == 3);
  CHECK(copies[3].code == static_cast<std::uint16_t>(models::RemovedCode::rejected));
  const auto depth = run.records.of(Kind::queue_depth);
  REQUIRE(depth.size() == 2);
  CHECK(depth[1].a == 10);
}

TEST_CASE("a dead letter exchange that does not exist takes nothing", "[rabbitmq]") {
  Scenario s = desk(10);
  arguments(s).dead_letter_exchange = "nobody";
  s.groups[0].poison = models::PoisonOptions{.share = 1, .then = models::PoisonOptions::Then::reject};
  const Run run(s);
  CHECK(run.value(Metric::discarded) == 10);
  CHECK(run.value(Metric::dead_letters) == 0);
}

TEST_CASE("a ladder of two queues brings a message back after its time to live", "[rabbitmq]") {
  Scenario s = desk(10);
  s.rabbitmq->queues.push_back({"wait"});
  arguments(s).dead_letter_exchange = "";
  arguments(s).dead_letter_routing_key = "wait";
  models::rabbitmq::QueueArguments& wait = s.rabbitmq->queues[1].arguments;
  wait.message_ttl = seconds{2};
  wait.dead_letter_exchange = "";
  wait.dead_letter_routing_key = "jobs";
  // Two failures of each message, however it comes.
  s.groups[0].poison =
      models::PoisonOptions{.share = 1, .failures = 2, .then = models::PoisonOptions::Then::reject};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 10);
  CHECK(run.value(Metric::dead_letters) == 40);  // into the waiting queue and back, twice
  CHECK(run.value(Metric::dead_lettered) == 20);
}

TEST_CASE("dead letters that go in a circle without being rejected are dropped", "[rabbitmq]") {
  Scenario s = desk(1);
  s.groups.clear();
  arguments(s).message_ttl = seconds{1};
  arguments(s).dead_letter_exchange = "";
  arguments(s).dead_letter_routing_key = "jobs";
  const Run run(s);
  CHECK(run.value(Metric::dead_letters) == 0);
  CHECK(run.records.of(Kind::removed).size() == 1);
}

TEST_CASE("requeued for ever, a poisoned message is delivered for ever", "[rabbitmq]") {
  Scenario s = desk(1);
  s.groups[0].service = sim::Distribution::constant(1e8);
  s.groups[0].poison = models::PoisonOptions{.share = 1, .then = models::PoisonOptions::Then::release};
  s.drain = seconds{5};
  const Run run(s);
  CHECK_FALSE(run.outcome.drained);
  CHECK(run.value(Metric::requeued) > 100);
  CHECK(run.value(Metric::in_flight) == 1);
}

TEST_CASE("a worker that is cut off keeps what it holds until its heartbeats have been missed twice",
          "[rabbitmq]") {
  Scenario s = desk(1);
  s.rabbitmq->config.heartbeat = seconds{10};
  s.duration = seconds{100};
  s.groups[0].members = 2;
  s.groups[0].service = sim::Distribution::constant(60e9);
  s.faults.push_back(fault("isolate", "workers/0", seconds{5}, seconds{90}));
  const Run run(s);
  const auto back = run.records.of(Kind::requeued);
  REQUIRE(back.size() == 1);
  CHECK(back[0].time >= sim::Time{seconds{20}});
  CHECK(back[0].time <= sim::Time{seconds{36}});
  CHECK(run.value(Metric::two_holders) == 1);
  CHECK(run.value(Metric::duplicated) == 1);
  CHECK(run.value(Metric::lost) == 0);
}

TEST_CASE("heartbeats that get lost end the connection of a worker that says nothing else", "[rabbitmq]") {
  Scenario s = desk(1);
  s.duration = seconds{300};
  s.groups[0].service = sim::Distribution::constant(250e9);
  const Run healthy(s);
  CHECK(healthy.value(Metric::requeued) == 0);
  s.faults.push_back(fault("heartbeat-loss", "workers/0", seconds{5}, seconds{290}));
  const Run silent(s);
  CHECK(silent.value(Metric::requeued) >= 1);
}

TEST_CASE("a channel that acknowledges nothing for too long is closed, until 4.2", "[rabbitmq]") {
  Scenario s = desk(1);
  s.rabbitmq->config.consumer_timeout = seconds{120};
  s.duration = seconds{400};
  s.groups[0].service = sim::Distribution::constant(250e9);
  const Run closed(s);
  const auto back = closed.records.of(Kind::requeued);
  REQUIRE_FALSE(back.empty());
  CHECK(back[0].time >= sim::Time{seconds{120}});
  CHECK(back[0].time <= sim::Time{seconds{182}});
  s.rabbitmq->version = "4.3";
  CHECK(Run(s).value(Metric::requeued) == 0);
}

TEST_CASE("a crash at a named step finds the message where the step says", "[rabbitmq]") {
  Scenario s = desk(20);
  s.groups[0].members = 2;
  s.groups[0].effect.emplace();
  models::FaultSpec f = fault("crash", "workers/0", {}, {});
  f.at.reset();
  f.when = models::FaultSpec::When{models::Step::effect_applied, 3, ""};
  s.faults = {f};
  CHECK(Run(s).value(Metric::effects_duplicated) == 1);
  s.faults[0].when->step = models::Step::delivered;
  CHECK(Run(s).value(Metric::effects_duplicated) == 0);
  s.groups[0].effect->idempotency_key = true;
  s.faults[0].when->step = models::Step::processed_not_committed;
  const Run keyed(s);
  CHECK(keyed.value(Metric::effects_duplicated) == 0);
  CHECK(keyed.value(Metric::effects_suppressed) == 1);
}

TEST_CASE("a worker paused at a step goes on where it was", "[rabbitmq]") {
  for (const models::Step step : {models::Step::delivered, models::Step::effect_applied,
                                  models::Step::processed_not_committed, models::Step::commit_sent}) {
    Scenario s = desk(20);
    s.groups[0].effect.emplace();
    models::FaultSpec f = fault("pause", "workers/0", {}, seconds{2});
    f.at.reset();
    f.when = models::FaultSpec::When{step, 5, ""};
    s.faults = {f};
    const Run run(s);
    CHECK(run.outcome.drained);
    CHECK(run.value(Metric::processed) == 20);
    CHECK(run.value(Metric::duplicated) == 0);
  }
}

TEST_CASE("members join and leave, and what a leaver had is for others", "[rabbitmq]") {
  Scenario s = desk(200);
  s.groups[0].members = 2;
  s.groups[0].service = sim::Distribution::constant(5e6);
  s.faults.push_back(fault("join", "workers/1", milliseconds{500}, {}));
  s.faults.push_back(fault("leave", "workers/0", seconds{1}, {}));
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 200);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::members_active) == 2);
}

TEST_CASE("a queue is read by one group, and exchanges and queues must be there", "[rabbitmq]") {
  Scenario twice = desk();
  twice.groups.push_back(twice.groups[0]);
  twice.groups[1].name = "others";
  CHECK_THROWS_AS(models::World(twice, 1), models::ScenarioError);
  Scenario nowhere = desk();
  nowhere.producers[0].to = "nobody";
  CHECK_THROWS_AS(models::World(nowhere, 1), models::ScenarioError);
  Scenario no_exchange = desk();
  no_exchange.producers[0].rabbitmq.exchange = "nobody";
  CHECK_THROWS_AS(models::World(no_exchange, 1), models::ScenarioError);
  Scenario no_queue = desk();
  no_queue.groups[0].rabbitmq.queues = {"nobody"};
  CHECK_THROWS_AS(models::World(no_queue, 1), models::ScenarioError);
}

TEST_CASE("a queue in its steady state allocates nothing for a message", "[rabbitmq]") {
  Scenario s = desk(0, 1000);
  s.groups[0].members = 10;
  s.groups[0].rabbitmq.prefetch = 100;
  s.groups[0].service = sim::Distribution::exponential(5e6);
  models::World world(s, 1);
  std::size_t before = 0, after = 0;
  world.simulation().schedule_at(sim::Time{seconds{5}}, [&] { before = tests::allocations(); });
  world.simulation().schedule_at(sim::Time{seconds{9}}, [&] { after = tests::allocations(); });
  world.run();
  CHECK(after - before <= 4);  // of 4000 messages: a buffer may still grow once
}

TEST_CASE("Kafka and RabbitMQ live in one world", "[rabbitmq]") {
  Scenario s = desk(50);
  models::kafka::TopicOptions topic;
  topic.name = "orders";
  s.kafka.emplace().topics.push_back(topic);
  models::ProducerOptions other = s.producers[0];
  other.name = "other";
  other.cluster = "kafka";
  other.to = "orders";
  s.producers.push_back(other);
  models::GroupOptions readers;
  readers.name = "readers";
  readers.topics = {"orders"};
  readers.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.groups.push_back(readers);
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 100);
}
