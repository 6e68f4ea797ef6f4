// What went wrong where queues, channels at other nodes and channels without clients meet.
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Metric;
using models::Scenario;
using models::rabbitmq::QueueType;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a leader orders one tick at a time", "[rabbitmq][quorum]") {
  Scenario s = desk(10, 20);
  s.rabbitmq->nodes = 3;
  s.rabbitmq->queues[0].arguments.type = QueueType::quorum;
  s.rabbitmq->queues[0].arguments.message_ttl = milliseconds{500};
  s.groups.clear();
  const Run run(s);
  CHECK(run.value(Metric::acknowledged) == 10);
  CHECK(run.records.all.size() < 1000);
}

TEST_CASE("who publishes without confirms through another node is answered nothing", "[rabbitmq]") {
  Scenario s = desk(10, 20);
  s.rabbitmq->nodes = 2;
  s.producers[0].rabbitmq.confirms = 0;
  s.producers[0].rabbitmq.connection.addresses = {1};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 10);
}

TEST_CASE("the worker of dead letters has no client and ends with its node", "[rabbitmq][quorum]") {
  Scenario s = desk(50, 20);
  s.rabbitmq->nodes = 3;
  models::rabbitmq::QueueArguments& a = s.rabbitmq->queues[0].arguments;
  a.type = QueueType::quorum;
  a.dead_letter_exchange = "";
  a.dead_letter_routing_key = "dead";
  a.at_least_once = true;
  a.overflow = models::rabbitmq::Overflow::reject_publish;
  a.message_ttl = milliseconds{200};
  s.rabbitmq->queues.push_back({"dead"});
  s.rabbitmq->queues.back().arguments.type = QueueType::quorum;
  s.groups.clear();
  s.faults.push_back(fault("crash", "rabbitmq/0", seconds{2}, seconds{1}));
  const Run run(s);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::dead_letters) > 0);
}
