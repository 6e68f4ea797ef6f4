// Queues that come and go, consumers that are alone, limits of whole channels, acknowledgements of several.
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"
#include "tests/models/rabbitmq/queue_story.hpp"

using namespace rabbitmq_test;
using models::Kind;
using models::Metric;
using models::Scenario;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

models::rabbitmq::QueueOptions& jobs(Scenario& s) {
  return s.rabbitmq->queues.front();
}

std::size_t deleted(const Run& run) {
  std::size_t count = 0;
  for (const auto& r : run.records.of(Kind::removed))
    count += r.code == static_cast<std::uint16_t>(models::RemovedCode::deleted) ? 1 : 0;
  return count;
}

}  // namespace

// ---- x-expires ----------------------------------------------------------------------------------------------------

TEST_CASE("a queue that nobody consumes from expires with what is in it, and dead-letters nothing",
          "[rabbitmq]") {
  Scenario s = desk(1000);  // 100 a second for 10 s
  s.groups.clear();
  jobs(s).arguments.expires = seconds{3};
  jobs(s).arguments.dead_letter_exchange = "";
  jobs(s).arguments.dead_letter_routing_key = "dead";
  s.rabbitmq->queues.push_back({"dead"});
  const Run run(s);
  CHECK(static_cast<double>(deleted(run)) == run.value(Metric::stored));
  CHECK(run.value(Metric::dead_letters) == 0);
  // What comes later finds no queue.
  CHECK(run.value(Metric::unroutable) + run.value(Metric::stored) == 1000);
  CHECK(run.value(Metric::unroutable) > 600);
  CHECK_FALSE(run.world.queues()[0].exists);
}

TEST_CASE("a queue with a consumer does not expire, and does when that has been gone for long enough",
          "[rabbitmq]") {
  Scenario s = desk(100, 10);
  jobs(s).arguments.expires = seconds{2};
  CHECK(Run(s).world.queues()[0].exists);
  s.faults.push_back(fault("leave", "workers/0", seconds{3}, std::nullopt));
  const Run run(s);
  CHECK_FALSE(run.world.queues()[0].exists);
  // From 5 s on: 20 messages waited, the rest had nowhere to go.
  CHECK(deleted(run) > 15);
  CHECK(deleted(run) < 25);
  CHECK(run.value(Metric::unroutable) > 45);
}

TEST_CASE("a consumer that comes back in time keeps the queue, and one that comes late declares it anew",
          "[rabbitmq]") {
  Scenario s = desk(100, 10);
  jobs(s).arguments.expires = seconds{2};
  s.faults.push_back(fault("crash", "workers/0", seconds{3}, seconds{1}));
  CHECK(deleted(Run(s)) == 0);
  s.faults.back().duration = seconds{4};
  const Run late(s);
  CHECK(deleted(late) > 15);
  CHECK(late.world.queues()[0].exists);
  CHECK(late.value(Metric::processed) > 40);
}

// ---- auto-delete, exclusive ---------------------------------------------------------------------------------------

TEST_CASE("an auto-delete queue goes with its last consumer, not before it had one", "[rabbitmq]") {
  Scenario s = desk(100, 10);
  jobs(s).auto_delete = true;
  s.groups[0].start = seconds{2};
  s.faults.push_back(fault("leave", "workers/0", seconds{5}, std::nullopt));
  const Run run(s);
  CHECK(run.value(Metric::processed) > 40);
  CHECK(run.value(Metric::unroutable) > 40);
  CHECK_FALSE(run.world.queues()[0].exists);
}

TEST_CASE("an exclusive queue is there while the connection is that declared it", "[rabbitmq]") {
  Scenario s = desk(100, 10);
  jobs(s).exclusive = true;
  s.groups[0].start = seconds{2};
  s.faults.push_back(fault("crash", "workers/0", seconds{5}, seconds{2}));
  const Run run(s);
  // 2 s before it is there, 2 s while its owner is down.
  CHECK(run.value(Metric::unroutable) >= 38);
  CHECK(run.value(Metric::unroutable) <= 42);
  CHECK(run.value(Metric::processed) + run.value(Metric::unroutable) + static_cast<double>(deleted(run)) >=
        99);
}

TEST_CASE("an exclusive consumer keeps all others out until it goes", "[rabbitmq]") {
  Scenario s = desk(100, 10);
  s.groups[0].members = 2;
  s.groups[0].rabbitmq.exclusive = true;
  s.groups[0].rabbitmq.connection.recovery_interval = milliseconds{500};
  s.faults.push_back(fault("crash", "workers/0", seconds{5}, std::nullopt));
  const Run run(s);
  std::size_t first = 0, second = 0;
  for (const auto& r : run.records.of(Kind::processed)) {
    const std::string& name = run.world.entities()[r.actor].name;
    CHECK((name == "workers/0") == (r.time < sim::Time{seconds{5}}));
    ++(name == "workers/0" ? first : second);
  }
  CHECK(first > 45);
  CHECK(second > 40);
}

// ---- basic.qos with global ----------------------------------------------------------------------------------------

TEST_CASE("a channel's own limit is of all its consumers together", "[rabbitmq]") {
  models::rabbitmq::ChannelLimit limit{3, 0};
  Story story;
  ClassicQueue a({.name = "a"}, story);
  ClassicQueue b({.name = "b"}, story);
  const auto publish = [](ClassicQueue& q) {
    Message m;
    q.publish(m, at(0));
  };
  ConsumerOptions options;
  options.limit = &limit;
  const ConsumerId of_a = a.add_consumer(options, at(0));
  const ConsumerId of_b = b.add_consumer(options, at(0));
  for (int i = 0; i < 4; ++i) publish(a);
  for (int i = 0; i < 2; ++i) publish(b);
  CHECK(a.unacknowledged() == 3);
  CHECK(b.unacknowledged() == 0);
  CHECK(limit.held == 3);
  // What the one queue lets go is not room in the other until its channel says so.
  CHECK(a.ack(of_a, 0, at(1)));
  CHECK(a.unacknowledged() == 3);
  CHECK(a.ack(of_a, 1, at(1)));
  b.has_room(of_b, at(1));
  CHECK(a.ready() == 0);
  CHECK(a.unacknowledged() == 2);
  CHECK(b.unacknowledged() == 1);
  CHECK_FALSE(a.broken());
  b.remove_consumer(of_b, at(2));
  CHECK(limit.held == 2);
}

TEST_CASE("a group's global prefetch holds over both of its queues", "[rabbitmq]") {
  Scenario s = desk(200, 1000);
  s.rabbitmq->queues.push_back({"more"});
  s.producers.push_back(s.producers.front());
  s.producers.back().name = "other";
  s.producers.back().to = "more";
  s.groups[0].rabbitmq.queues = {"jobs", "more"};
  s.groups[0].rabbitmq.prefetch = 0;
  s.groups[0].rabbitmq.prefetch_global = 5;
  s.groups[0].service = sim::Distribution::constant(1e6);
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 400);
  std::int64_t held = 0, most = 0;
  for (const auto& r : run.records.all) {
    const auto kind = static_cast<Kind>(r.kind);
    held += kind == Kind::dispatched ? r.b : kind == Kind::settled ? -r.b : 0;
    most = std::max(most, held);
  }
  CHECK(most == 5);
}

// ---- multiple -----------------------------------------------------------------------------------------------------

TEST_CASE("an acknowledgement of several settles them in one frame, and the rest after ack_timeout",
          "[rabbitmq]") {
  Scenario s = desk(23);
  s.groups[0].rabbitmq.prefetch = 0;
  s.groups[0].rabbitmq.messages_per_ack = 10;
  s.groups[0].rabbitmq.ack_timeout = seconds{3};
  const Run run(s);
  CHECK(run.outcome.drained);
  const auto settled = run.records.of(Kind::settled);
  REQUIRE(settled.size() == 23);
  CHECK(settled[0].time == settled[9].time);
  CHECK(settled[9].time < settled[10].time);
  CHECK(settled[10].time == settled[19].time);
  CHECK(settled[20].time == settled[22].time);
  CHECK(settled[20].time - settled[19].time > seconds{2});
}

TEST_CASE("a prefetch below messages_per_ack starves until ack_timeout", "[rabbitmq]") {
  Scenario s = desk(20);
  s.groups[0].rabbitmq.prefetch = 5;
  s.groups[0].rabbitmq.messages_per_ack = 10;
  s.groups[0].rabbitmq.ack_timeout = seconds{1};
  const Run run(s);
  CHECK(run.value(Metric::processed) == 20);
  const auto settled = run.records.of(Kind::settled);
  REQUIRE(settled.size() == 20);
  CHECK(settled[0].time == settled[4].time);
  CHECK(settled[5].time - settled[4].time >= seconds{1});
}

TEST_CASE("what is processed and not acknowledged is delivered again when its consumer dies", "[rabbitmq]") {
  Scenario s = desk(100);
  s.groups[0].rabbitmq.prefetch = 0;
  s.groups[0].rabbitmq.messages_per_ack = 50;
  s.faults.push_back(fault("crash", "workers/0", milliseconds{455}, milliseconds{100}));
  const Run run(s);
  CHECK(run.value(Metric::duplicated) >= 40);
}

TEST_CASE("basic.nack with multiple gives back what was processed before", "[rabbitmq]") {
  Scenario s = desk(40);
  s.groups[0].rabbitmq.prefetch = 0;
  s.groups[0].rabbitmq.messages_per_ack = 1000;
  s.groups[0].rabbitmq.ack_timeout = seconds{5};
  models::PoisonOptions poison;
  poison.share = 0.1;
  poison.failures = 1;
  poison.retries = 0;
  poison.then = models::PoisonOptions::Then::release;
  s.groups[0].poison = poison;
  const Run single(s);
  s.groups[0].rabbitmq.nack_multiple = true;
  const Run multiple(s);
  CHECK(single.value(Metric::duplicated) == 0);
  CHECK(multiple.value(Metric::duplicated) > 10);
}

// ---- consumer timeout ---------------------------------------------------------------------------------------------

TEST_CASE("x-consumer-timeout closes the channel of a classic queue until 4.2", "[rabbitmq]") {
  Scenario s = desk(5);
  s.duration = seconds{200};
  s.groups[0].service = sim::Distribution::constant(1e11);  // 100 s
  s.groups[0].rabbitmq.prefetch = 1;
  jobs(s).arguments.consumer_timeout = seconds{30};
  s.rabbitmq->version = "4.2";
  CHECK(Run(s).value(Metric::requeued) > 0);
  s.rabbitmq->version = "4.3";
  CHECK(Run(s).value(Metric::requeued) == 0);
}
