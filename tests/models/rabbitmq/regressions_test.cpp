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

TEST_CASE("dead letters that push out dead letters are published once each", "[rabbitmq]") {
  Scenario s = desk(200, 1000);
  s.groups.clear();
  s.rabbitmq->queues.push_back({"second"});
  s.rabbitmq->queues.push_back({"third"});
  for (std::size_t i = 0; i < 2; ++i) {
    models::rabbitmq::QueueArguments& a = s.rabbitmq->queues[i].arguments;
    a.max_length = 1;
    a.dead_letter_exchange = "";
    a.dead_letter_routing_key = s.rabbitmq->queues[i + 1].name;
  }
  const Run run(s);
  // 199 leave the first queue, and 198 of those the second.
  CHECK(run.value(Metric::dead_letters) == 199 + 198);
  CHECK(run.value(Metric::lost) == 0);
}

TEST_CASE("the alarm of a node that dies blocks nobody any more", "[rabbitmq]") {
  // Node 1 fills with what nobody reads, and its alarm stops whoever publishes at node 0.
  Scenario s = desk(1000);
  s.rabbitmq->nodes = 2;
  s.rabbitmq->disk_size = 52'000'000;
  s.rabbitmq->queues.push_back({"hoard"});
  s.rabbitmq->queues.back().node = 1;
  s.producers[0].rabbitmq.connection.addresses = {0};
  s.groups[0].rabbitmq.connection.addresses = {0};
  models::ProducerOptions hoarder = s.producers[0];
  hoarder.name = "hoarder";
  hoarder.to = "hoard";
  hoarder.messages = 300;
  hoarder.size = sim::Distribution::constant(10'000);
  s.producers.push_back(hoarder);
  const auto acknowledged_late = [](const Run& run) {
    std::size_t late = 0;
    for (const auto& r : run.records.of(models::Kind::acknowledged))
      late += r.time > sim::Time{seconds{5}} ? 1 : 0;
    return late;
  };
  CHECK(acknowledged_late(Run(s)) == 0);
  s.faults.push_back(fault("crash", "rabbitmq/1", seconds{5}, std::nullopt));
  const Run run(s);
  CHECK(run.value(Metric::connection_blocks) > 0);
  CHECK(acknowledged_late(run) > 400);
}

namespace {

/// A quorum queue on node 0 alone; whoever is at node 1 hears of it over one link, which is cut for four seconds. That is longer
/// than net_ticktime: what was under way is lost.
Scenario behind_a_link(sim::Duration at) {
  Scenario s = desk(400);
  s.rabbitmq->nodes = 3;
  s.rabbitmq->net_ticktime = seconds{2};
  s.rabbitmq->queues[0].arguments.type = QueueType::quorum;
  s.rabbitmq->queues[0].arguments.group_size = 1;
  models::FaultSpec cut = fault("link-cut", "rabbitmq/0", at, seconds{4});
  cut.other = "rabbitmq/1";
  s.faults.push_back(cut);
  return s;
}

}  // namespace

TEST_CASE("what a leader says of a full queue outlives the link that it is said over", "[rabbitmq][quorum]") {
  // Whether it was full when the link went, and is not while nobody can be told, is a matter of where in its rhythm it was.
  for (const int ms : {3000, 3030, 3060, 3090, 3120, 3150, 3180}) {
    INFO("cut at " << ms << " ms");
    Scenario s = behind_a_link(milliseconds{ms});
    s.duration = seconds{20};
    s.producers[0].rabbitmq.connection.addresses = {1};
    s.producers[0].messages = 1500;
    s.groups[0].rabbitmq.connection.addresses = {0};
    s.groups[0].service = sim::Distribution::constant(15e6);  // slower than what comes
    s.rabbitmq->queues[0].arguments.max_length = 20;
    s.rabbitmq->queues[0].arguments.overflow = models::rabbitmq::Overflow::reject_publish;
    const Run run(s);
    std::size_t after = 0;
    for (const auto& r : run.records.of(models::Kind::acknowledged))
      after += r.time > sim::Time{seconds{8}} ? 1 : 0;
    CHECK(after > 50);
    CHECK(run.value(Metric::lost) == 0);
    CHECK(run.outcome.drained);
  }
}

TEST_CASE("deliveries that are lost on their way to another node are sent again", "[rabbitmq][quorum]") {
  // Since 4.3 a consumer whose node is away keeps what it holds for a minute.
  Scenario s = behind_a_link(seconds{3});
  s.rabbitmq->version = "4.3";
  s.producers[0].rabbitmq.connection.addresses = {0};
  s.groups[0].rabbitmq.connection.addresses = {1};
  const Run run(s);
  CHECK(run.value(Metric::processed) == 400);
  CHECK(run.value(Metric::requeued) == 0);
  CHECK(run.outcome.drained);
}
