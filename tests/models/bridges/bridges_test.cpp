// Bridges between a queue and a log: what is taken across, and what a crash makes of it.
#include "models/scenario_error.hpp"
#include "tests/catch.hpp"
#include "tests/models/observed_run.hpp"

namespace {

using models::BridgeAck;
using models::Metric;
using models::Scenario;
using std::chrono::seconds;

models::FaultSpec crash(const std::string& target, models::Step step, std::int64_t nth) {
  models::FaultSpec f;
  f.kind = "crash";
  f.name = "crash";
  f.target = target;
  f.when = models::FaultSpec::When{step, nth, ""};
  f.duration = seconds{1};
  return f;
}

/// 200 messages within half a second, and a bridge with a group at its far end.
Scenario bridged(const std::string& from, const std::string& to) {
  Scenario s;
  s.name = "bridged";
  s.duration = seconds{8};  // a new group waits 3 s for members
  models::kafka::TopicOptions& log = s.kafka.emplace().topics.emplace_back();
  log.name = "log";
  log.partitions = 2;
  s.rabbitmq.emplace().queues.push_back({"queue"});
  const bool from_queue = from == "rabbitmq";
  models::ProducerOptions& p = s.producers.emplace_back();
  p.name = "shop";
  p.cluster = from;
  p.to = from_queue ? "queue" : "log";
  p.arrivals = sim::ArrivalProcess::poisson(400);
  p.messages = 200;
  models::BridgeOptions& b = s.bridges.emplace_back();
  b.name = "shovel";
  b.from = from;
  b.source = p.to;
  b.to = to;
  b.destination = from_queue ? "log" : "queue";
  b.consumer.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  models::GroupOptions& g = s.groups.emplace_back();
  g.name = "readers";
  g.cluster = to;
  g.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  if (from_queue)
    g.topics = {"log"};
  else
    g.rabbitmq.queues = {"queue"};
  return s;
}

TEST_CASE("a bridge takes each message of a queue to a log once", "[bridges]") {
  ObservedRun run = observed_run(bridged("rabbitmq", "kafka"));
  CHECK(run.outcome.drained);
  CHECK(run.values[Metric::outputs] == 200);
  CHECK(run.values[Metric::outputs_missing] == 0);
  CHECK(run.values[Metric::outputs_duplicated] == 0);
  CHECK(run.values[Metric::processed] == 400);  // by the bridge, and behind it
  CHECK(run.values[Metric::lost] == 0);
}

TEST_CASE("a bridge without prefetch holds what comes until the log has it", "[bridges]") {
  Scenario s = bridged("rabbitmq", "kafka");
  s.bridges[0].prefetch = 0;
  s.bridges[0].producer.linger = seconds{1};
  s.faults.push_back(crash("rabbitmq/0", models::Step::appended, 150));
  ObservedRun run = observed_run(s);
  CHECK(run.outcome.drained);
  CHECK(run.values[Metric::outputs_missing] == 0);
}

TEST_CASE("a bridge takes each message of a log to a queue once", "[bridges]") {
  for (const BridgeAck ack : {BridgeAck::on_confirm, BridgeAck::on_publish, BridgeAck::no_ack}) {
    Scenario s = bridged("kafka", "rabbitmq");
    s.bridges[0].ack = ack;
    ObservedRun run = observed_run(s);
    CHECK(run.outcome.drained);
    CHECK(run.values[Metric::outputs] == 200);
    CHECK(run.values[Metric::outputs_missing] == 0);
    CHECK(run.values[Metric::outputs_duplicated] == 0);
    CHECK(run.values[Metric::processed] == 400);
  }
}

TEST_CASE("a bridge that acknowledges what the log has confirmed sends twice what it had not come to say",
          "[bridges]") {
  Scenario s = bridged("rabbitmq", "kafka");
  s.faults.push_back(crash("shovel/0", models::Step::processed_not_committed, 50));
  ObservedRun run = observed_run(s);
  CHECK(run.outcome.drained);
  CHECK(run.values[Metric::outputs_missing] == 0);
  CHECK(run.values[Metric::outputs_duplicated].value_or(0) >= 1);
  CHECK(run.values[Metric::redelivered_flags].value_or(0) >= 1);
}

TEST_CASE("what a bridge holds is gone with it where the queue has forgotten it", "[bridges]") {
  for (const BridgeAck ack : {BridgeAck::no_ack, BridgeAck::on_publish}) {
    Scenario s = bridged("rabbitmq", "kafka");
    s.bridges[0].ack = ack;
    s.bridges[0].producer.linger = seconds{1};
    s.faults.push_back(crash("shovel/0", models::Step::processed_not_committed, 50));
    ObservedRun run = observed_run(s);
    CHECK(run.values[Metric::outputs_missing].value_or(0) + run.values[Metric::lost].value_or(0) >= 1);
    CHECK(run.values[Metric::outputs_duplicated] == 0);
  }
}

TEST_CASE("a bridge to a queue publishes again what its broker has not confirmed", "[bridges]") {
  for (const bool confirms : {true, false}) {
    Scenario s = bridged("kafka", "rabbitmq");
    s.rabbitmq->disk_write = sim::Distribution::constant(20e6);
    s.bridges[0].ack = confirms ? BridgeAck::on_confirm : BridgeAck::on_publish;
    s.faults.push_back(crash("rabbitmq/0", models::Step::appended, 80));
    ObservedRun run = observed_run(s);
    CHECK(run.outcome.faults_fired[0] == 1);
    CHECK((run.values[Metric::outputs_missing].value_or(0) == 0) == confirms);
  }
}

TEST_CASE("a bridge to a queue that is full publishes until there is room", "[bridges]") {
  Scenario s = bridged("kafka", "rabbitmq");
  s.rabbitmq->queues[0].arguments.max_length = 10;
  s.rabbitmq->queues[0].arguments.overflow = models::rabbitmq::Overflow::reject_publish;
  s.groups[0].service = sim::Distribution::constant(1e6);
  s.groups[0].rabbitmq.prefetch = 1;
  ObservedRun run = observed_run(s);
  CHECK(run.outcome.drained);
  CHECK(run.values[Metric::failed].value_or(0) > 0);
  CHECK(run.values[Metric::outputs_missing] == 0);
}

TEST_CASE("a bridge whose ends are not there is refused", "[bridges]") {
  const auto refused = [](const Scenario& s) { CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError); };
  Scenario s = bridged("rabbitmq", "kafka");
  s.bridges[0].source = "other";
  refused(s);
  s = bridged("rabbitmq", "kafka");
  s.bridges[0].destination = "other";
  refused(s);
  s = bridged("kafka", "rabbitmq");
  s.bridges[0].source = "other";
  refused(s);
  s = bridged("kafka", "rabbitmq");
  s.bridges[0].destination = "other";
  refused(s);
  s = bridged("rabbitmq", "kafka");
  s.kafka.reset();
  s.groups.clear();
  refused(s);
  s = bridged("rabbitmq", "kafka");
  s.groups.push_back(s.groups[0]);
  s.groups[1].name = "others";
  s.groups[1].cluster = "rabbitmq";
  s.groups[1].topics.clear();
  s.groups[1].rabbitmq.queues = {"queue"};
  refused(s);
}

}  // namespace
