// Publishers that are blocked: by alarms of memory and disk, by credit that a slow queue does not give.
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Kind;
using models::Metric;
using models::Scenario;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// 1 MB a second for 10 s, onto a disk with 2 MB of room above its limit, with a consumer that takes half of that.
Scenario flood() {
  Scenario s = desk(1000);
  s.producers[0].size = sim::Distribution::constant(10'000);
  s.rabbitmq->disk_size = 52'000'000;
  s.groups[0].service = sim::Distribution::constant(2e7);
  return s;
}

std::size_t blocks(const Run& run, const std::string& name) {
  std::size_t count = 0;
  for (const auto& r : run.records.of(Kind::connection_blocked))
    count += r.a == 1 && run.world.entities()[r.actor].name == name ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("a disk alarm blocks who publishes, and not who consumes", "[rabbitmq]") {
  const Run run(flood());
  CHECK(run.outcome.drained);
  CHECK(blocks(run, "shop") >= 1);
  CHECK(blocks(run, "workers/0") == 0);
  CHECK(run.value(Metric::connection_blocked_s) > 1);
  CHECK(run.value(Metric::processed) == 1000);
  // The room is for 200 messages, and the disk is looked at every 100 ms.
  std::int64_t there = 0;
  for (const auto& r : run.records.all) {
    const auto kind = static_cast<Kind>(r.kind);
    there += kind == Kind::stored ? r.b : kind == Kind::settled ? -r.b : 0;
    if (kind == Kind::connection_blocked) break;
  }
  CHECK(there > 200);
  CHECK(there < 215);
}

TEST_CASE("quorum queues and streams fill disks, those of all their members", "[rabbitmq][quorum][stream]") {
  Scenario s = flood();
  s.rabbitmq->nodes = 3;
  s.rabbitmq->queues[0].arguments.type = models::rabbitmq::QueueType::quorum;
  const Run quorum(s);
  CHECK(quorum.outcome.drained);
  CHECK(blocks(quorum, "shop") >= 1);
  CHECK(quorum.value(Metric::processed) == 1000);
  s.rabbitmq->disk_size = 0;
  s.rabbitmq->config.total_memory = 5'000'000;
  CHECK(blocks(Run(s), "shop") >= 1);
  s.rabbitmq->config.total_memory = 0;
  s.rabbitmq->disk_size = 52'000'000;
  s.rabbitmq->queues[0].arguments.type = models::rabbitmq::QueueType::stream;
  const Run stream(s);
  CHECK(blocks(stream, "shop") == 1);
  CHECK_FALSE(stream.outcome.drained);
  for (const auto& node : stream.world.nodes_with_queues()) CHECK(node.disk_alarm);
}

TEST_CASE("without a size of the disk there is no alarm", "[rabbitmq]") {
  Scenario s = flood();
  s.rabbitmq->disk_size = 0;
  const Run run(s);
  CHECK(run.value(Metric::connection_blocks) == 0);
  CHECK(run.value(Metric::queue_ready_max_messages) > 400);
}

TEST_CASE("who consumes on the connection that publishes is not heard either, and nothing gets better",
          "[rabbitmq]") {
  Scenario s = flood();
  s.groups[0].rabbitmq.same_connection_as = "shop";
  const Run run(s);
  CHECK(blocks(run, "shop") == 1);
  CHECK(blocks(run, "workers/0") == 1);
  CHECK_FALSE(run.outcome.drained);
  CHECK(run.value(Metric::queue_ready_end_messages) > 150);
  const auto lines = run.world.unfinished();
  CHECK(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("workers/0: an alarm blocks its connection") != std::string::npos;
  }));
}

TEST_CASE("what is unacknowledged is in memory, and raises that alarm", "[rabbitmq]") {
  Scenario s = flood();
  s.rabbitmq->disk_size = 0;
  s.rabbitmq->config.total_memory = 10'000'000;
  s.groups[0].rabbitmq.prefetch = 0;
  const Run run(s);  // the limit is 6 MB: 560 messages
  CHECK(run.outcome.drained);
  CHECK(blocks(run, "shop") == 0);
  s.rabbitmq->version = "3.13";  // 4 MB: 370 messages, which 10 s bring
  const Run old(s);
  CHECK(blocks(old, "shop") >= 1);
  CHECK(old.value(Metric::processed) == 1000);
  s.groups[0].rabbitmq.prefetch = 10;
  s.rabbitmq->queues[0].arguments.max_length = 50;
  CHECK(blocks(Run(s), "shop") == 0);
}

TEST_CASE("an alarm's absolute limit counts before its share", "[rabbitmq]") {
  models::rabbitmq::BrokerOptions broker;
  CHECK(broker.memory_limit() == 0);
  broker.config.total_memory = 1'000'000'000;
  CHECK(broker.memory_limit() == 600'000'000);
  broker.version = "3.13";
  CHECK(broker.memory_limit() == 400'000'000);
  broker.config.memory_watermark_bytes = 123;
  CHECK(broker.memory_limit() == 123);
  CHECK(broker.disk_limit() == 50'000'000);
  broker.config.disk_free_share = 2;
  CHECK(broker.disk_limit() == 2'000'000'000);
}

TEST_CASE("an alarm of one node blocks publishers of all", "[rabbitmq]") {
  Scenario s = flood();
  s.rabbitmq->nodes = 2;
  s.rabbitmq->queues[0].node = 1;
  s.producers[0].rabbitmq.connection.addresses = {0};
  CHECK(blocks(Run(s), "shop") >= 1);
}

TEST_CASE("a slow queue lets a channel send 400 messages ahead and not more", "[rabbitmq]") {
  Scenario s = desk(3000, 3000);
  s.producers[0].rabbitmq.confirms = 0;
  s.rabbitmq->queues[0].service = milliseconds{1};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::stored) == 3000);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(blocks(run, "shop") >= 5);
  // Taken at 1,000 a second.
  const auto stored = run.records.of(Kind::stored);
  CHECK(stored.back().time - stored.front().time >= milliseconds{2990});
  // Of the first second it was blocked for most: what it had sent ahead was not read.
  CHECK(run.value(Metric::connection_blocked_s) > 0.8);
  s.rabbitmq->config.credit = 100'000;
  CHECK(blocks(Run(s), "shop") == 0);
}

TEST_CASE("a publisher whose confirms are few is held up by them, and not by credit", "[rabbitmq]") {
  Scenario s = desk(3000, 3000);
  s.producers[0].rabbitmq.confirms = 100;
  s.rabbitmq->queues[0].service = milliseconds{1};
  CHECK(blocks(Run(s), "shop") == 0);
}

TEST_CASE("credit is forgotten with its channel, and with the node", "[rabbitmq]") {
  Scenario s = desk(6000, 3000);
  s.producers[0].rabbitmq.confirms = 5000;
  s.producers[0].resend = true;
  s.rabbitmq->queues[0].service = milliseconds{1};
  s.faults.push_back(fault("crash", "rabbitmq/0", seconds{1}, seconds{1}));
  s.faults.push_back(fault("crash", "shop", seconds{9}, milliseconds{100}));
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::lost) == 0);
}
