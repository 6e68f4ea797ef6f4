// Where dead letters go when their way is not open: queues that refuse, have no leader or do not exist yet.
#include "models/rabbitmq/command.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Kind;
using models::Metric;
using models::Scenario;
using models::rabbitmq::Overflow;
using models::rabbitmq::QueueArguments;
using models::rabbitmq::QueueType;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// What comes to "jobs" expires there at once; its dead letters go to `to`.
Scenario expiring(std::uint64_t messages, const std::string& to) {
  Scenario s = desk(messages);
  s.groups.clear();
  QueueArguments& a = s.rabbitmq->queues[0].arguments;
  a.message_ttl = milliseconds{1};
  a.dead_letter_exchange = "";
  a.dead_letter_routing_key = to;
  s.rabbitmq->queues.push_back({to});
  return s;
}

/// The same, of a quorum queue with the strategy at-least-once, and to a fanout exchange.
Scenario at_least_once(std::uint64_t messages) {
  Scenario s = expiring(messages, "graves");
  QueueArguments& a = s.rabbitmq->queues[0].arguments;
  a.type = QueueType::quorum;
  a.at_least_once = true;
  a.overflow = Overflow::reject_publish;
  a.dead_letter_exchange = "dlx";
  s.rabbitmq->exchanges.push_back({"dlx", models::rabbitmq::ExchangeType::fanout});
  s.rabbitmq->bindings.push_back({"dlx", "graves"});
  s.duration = seconds{300};
  return s;
}

void read(Scenario& s, const std::string& queue, sim::Duration start) {
  models::GroupOptions group;
  group.name = "keepers";
  group.cluster = "rabbitmq";
  group.rabbitmq.queues = {queue};
  group.rabbitmq.prefetch = 10;
  group.start = start;
  s.groups.push_back(std::move(group));
}

std::size_t stored_in(const Run& run, const std::string& queue) {
  std::size_t count = 0;
  for (const sim::TraceRecord& r : run.records.of(Kind::stored))
    count += run.world.entities()[r.place].name == queue ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a dead letter to a quorum queue without a leader is lost, and told so", "[rabbitmq][quorum]") {
  Scenario s = expiring(100, "graves");
  s.rabbitmq->nodes = 3;
  s.rabbitmq->queues[0].node = 1;
  s.rabbitmq->queues[1].arguments.type = QueueType::quorum;
  s.producers[0].rabbitmq.connection.addresses = {1};
  s.duration = seconds{20};
  for (const char* const node : {"rabbitmq/0", "rabbitmq/2"})
    s.faults.push_back(fault("crash", node, milliseconds{500}, seconds{10}));
  const Run run(s);
  const std::size_t arrived = run.records.of(Kind::republished).size();
  std::size_t failed = 0;
  for (const sim::TraceRecord& r : run.records.of(Kind::failed))
    failed += run.world.entities()[r.place].name == "graves" ? 1 : 0;
  CHECK(arrived > 40);
  CHECK(failed > 40);
  CHECK(arrived + failed == 100);
}

TEST_CASE("a dead letter that led nowhere goes to a queue that is declared later", "[rabbitmq][quorum]") {
  Scenario s = at_least_once(20);
  s.rabbitmq->queues[1].exclusive = true;  // declared by who consumes from it
  read(s, "graves", seconds{60});
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::dead_letters) == 20);
  CHECK(stored_in(run, "graves") == 20);
  CHECK(run.first(Kind::republished) > sim::Time{seconds{180}});
}

TEST_CASE("a dead letter is sent again to whom it is missing, and to nobody else", "[rabbitmq][quorum]") {
  Scenario s = at_least_once(20);
  s.duration = seconds{600};  // the worker looks every 180 s, and sends again what is as old as that
  s.rabbitmq->queues.push_back({"ossuary"});
  s.rabbitmq->bindings.push_back({"dlx", "ossuary"});
  s.rabbitmq->queues[1].arguments.max_length = 5;
  s.rabbitmq->queues[1].arguments.overflow = Overflow::reject_publish;
  read(s, "graves", seconds{60});
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(stored_in(run, "graves") == 20);
  CHECK(stored_in(run, "ossuary") == 20);
  CHECK(run.records.of(Kind::failed).size() == 15);
  CHECK(run.world.queues()[0].ready == 0);
}

TEST_CASE("a stream takes dead letters with the strategy at-least-once", "[rabbitmq][quorum][stream]") {
  Scenario s = at_least_once(20);
  s.rabbitmq->queues[1].arguments.type = QueueType::stream;
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(stored_in(run, "graves") == 20);
}

TEST_CASE("what a full queue refuses of dead letters goes to its own dead letter exchange", "[rabbitmq]") {
  Scenario s = expiring(10, "graves");
  QueueArguments& a = s.rabbitmq->queues[1].arguments;
  a.max_length = 4;
  a.overflow = Overflow::reject_publish_dlx;
  a.dead_letter_exchange = "";
  a.dead_letter_routing_key = "ossuary";
  s.rabbitmq->queues.push_back({"ossuary"});
  const Run run(s);
  CHECK(stored_in(run, "graves") == 4);
  CHECK(stored_in(run, "ossuary") == 6);
}

TEST_CASE("a message that is lost on its way takes its history along", "[rabbitmq]") {
  models::rabbitmq::Histories histories;
  const auto lose = [&histories](auto& pool) {
    auto frame = pool.take();
    frame->message.history = histories.add({});
    frame->owed = &histories;
    frame = {};
    frame = pool.take();
    CHECK(histories.held() == 0);
  };
  models::Pool<models::rabbitmq::Command> commands;
  models::Pool<models::rabbitmq::Relay> relays;
  lose(commands);
  lose(relays);
}

TEST_CASE("a quorum queue that expires is gone, and its messages with it", "[rabbitmq][quorum]") {
  Scenario s = desk(1000);
  s.groups.clear();
  QueueArguments& a = s.rabbitmq->queues[0].arguments;
  a.type = QueueType::quorum;
  a.expires = seconds{3};
  a.dead_letter_exchange = "";
  a.dead_letter_routing_key = "graves";
  s.rabbitmq->queues.push_back({"graves"});
  const Run run(s);
  CHECK(run.value(Metric::dead_letters) == 0);
  CHECK(run.value(Metric::unroutable) + run.value(Metric::stored) == 1000);
  CHECK(run.value(Metric::unroutable) > 600);
  CHECK_FALSE(run.world.queues()[0].exists);
  CHECK(run.world.queues()[0].ready == 0);
  read(s, "jobs", seconds{6});
  const Run again(s);
  CHECK(again.world.queues()[0].exists);
  CHECK(again.value(Metric::unroutable) > 250);
  CHECK(again.value(Metric::unroutable) < 350);
  CHECK(again.value(Metric::processed) > 350);
}
