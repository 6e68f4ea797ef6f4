// Streams in a world: what is published, read by several, lost and found again.
#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Kind;
using models::Metric;
using models::Scenario;
using models::rabbitmq::OffsetTracking;
using models::rabbitmq::StreamOffset;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// "shop" publishes to the stream "jobs" on three nodes, "workers" reads it from the first message on.
Scenario stream_desk(std::uint64_t messages = 100, double rate = 100, std::uint16_t nodes = 3) {
  Scenario s = desk(messages, rate);
  s.rabbitmq->nodes = nodes;
  s.rabbitmq->queues[0].arguments.type = models::rabbitmq::QueueType::stream;
  s.groups[0].rabbitmq.offset.at = StreamOffset::At::first;
  return s;
}

void track(Scenario& s, OffsetTracking tracking, std::uint32_t every = 10'000) {
  models::rabbitmq::StreamConsumerOptions& o = s.groups[0].rabbitmq.stream.emplace();
  o.name = "workers";
  o.tracking = tracking;
  o.store_every = every;
  s.groups[0].rabbitmq.prefetch = 0;
}

}  // namespace

TEST_CASE("a stream's messages are stored, committed and read, and stay", "[stream]") {
  for (const std::uint16_t nodes : std::vector<std::uint16_t>{1, 2, 3, 5}) {
    const Run run(stream_desk(100, 100, nodes));
    INFO("nodes " << nodes);
    CHECK(run.outcome.drained);
    CHECK(run.value(Metric::acknowledged) == 100);
    CHECK(run.value(Metric::processed) == 100);
    CHECK(run.value(Metric::in_flight) == 0);
    CHECK(run.value(Metric::duplicated) == 0);
    CHECK(run.records.of(Kind::settled).empty());
    CHECK(run.records.of(Kind::queue_depth).empty());
    CHECK(run.records.of(Kind::high_watermark).back().a == 100);
    CHECK(run.value(Metric::lag_end_records) == 0);
  }
}

TEST_CASE("each group reads all of a stream and none disturbs another", "[stream]") {
  Scenario s = stream_desk();
  s.groups.push_back(s.groups[0]);
  s.groups[1].name = "audit";
  s.groups[1].service = sim::Distribution::constant(2e7);
  s.groups[1].start = milliseconds{500};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.records.of(Kind::processed).size() == 200);
  CHECK(run.value(Metric::in_flight) == 0);
  CHECK(run.value(Metric::lag_max_records) > 20);
}

TEST_CASE("a stream confirms what a majority has", "[stream]") {
  Scenario s = stream_desk(50);
  s.rabbitmq->nodes = 3;
  s.faults = {fault("crash", "rabbitmq/1", seconds{0}, seconds{4}),
              fault("crash", "rabbitmq/2", seconds{0}, seconds{4})};
  s.faults[0].at = s.faults[1].at = milliseconds{100};
  s.producers[0].rabbitmq.connection.addresses = {0};
  s.groups[0].rabbitmq.connection.addresses = {0};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::acknowledged) == 50);
  CHECK(run.value(Metric::processed) == 50);
  std::size_t early = 0;
  for (const auto& r : run.records.of(Kind::acknowledged))
    early += r.time > sim::Time{milliseconds{110}} && r.time < sim::Time{seconds{4}};
  CHECK(early == 0);
}

TEST_CASE("when the leader's node dies another leads and what was confirmed is there", "[stream]") {
  Scenario s = stream_desk(500, 200);
  s.faults = {fault("crash", "rabbitmq/0", seconds{1}, seconds{3})};
  s.producers[0].rabbitmq.connection.addresses = {1};
  s.groups[0].rabbitmq.connection.addresses = {2};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::acknowledged) == 500);
  CHECK(run.value(Metric::processed) == 500);
  CHECK(run.value(Metric::log_duplicates) == 0);  // the channel's own publishing ids
  CHECK(run.value(Metric::duplicated) == 0);
  const auto led = run.records.of(Kind::leader_changed);
  REQUIRE(led.size() == 3);  // at the start; none; another
  CHECK(led[1].actor == 0);
  CHECK(led[2].a == 2);
}

TEST_CASE("a leader that is cut off commits nothing, and what it has alone is cut off", "[stream]") {
  Scenario s = stream_desk(1000, 100);
  s.faults = {fault("isolate", "rabbitmq/0", seconds{2}, seconds{30})};
  s.rabbitmq->net_ticktime = seconds{4};
  s.producers[0].rabbitmq.confirms = 100'000;
  s.producers[0].resend = true;
  s.producers[0].rabbitmq.connection.addresses = {0, 1, 2};
  s.groups[0].rabbitmq.connection.addresses = {2};
  s.drain = seconds{100};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Run run(s, seed);
    CHECK(run.outcome.drained);
    CHECK(run.value(Metric::lost) == 0);
    CHECK(run.records.of(Kind::leader_changed).size() == 3);
  }
}

TEST_CASE("a stored offset is where a consumer goes on, whoever leads by then", "[stream]") {
  Scenario s = stream_desk(1000, 200);
  track(s, OffsetTracking::manual, 50);
  s.faults = {fault("crash", "workers/0", seconds{2}, milliseconds{1500}),
              fault("crash", "rabbitmq/0", milliseconds{2500}, seconds{1})};
  s.producers[0].rabbitmq.connection.addresses = {1};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::processed) == 1000);
  CHECK(run.value(Metric::duplicated) > 0);
  CHECK(run.value(Metric::duplicated) <= 60);
  CHECK(run.records.of(Kind::committed).size() >= 15);
}

TEST_CASE("automatic tracking stores after so many or so long, and at the end", "[stream]") {
  Scenario s = stream_desk(100, 100);
  track(s, OffsetTracking::automatic);
  const Run by_time(s);
  const auto stored = by_time.records.of(Kind::committed);
  REQUIRE(stored.size() >= 1);
  CHECK(stored.front().time > sim::Time{seconds{5}});
  CHECK(stored.front().a == 100);
  track(s, OffsetTracking::automatic, 10);
  const Run by_count(s);
  CHECK(by_count.records.of(Kind::committed).size() == 10);
  track(s, OffsetTracking::automatic);
  s.faults = {fault("leave", "workers/0", milliseconds{700}, std::nullopt)};
  const Run at_the_end(s);
  REQUIRE(at_the_end.records.of(Kind::committed).size() == 1);
  CHECK(at_the_end.records.of(Kind::committed)[0].time < sim::Time{seconds{1}});
}

TEST_CASE("whatever a consumer of a stream answers the message stays and does not come again", "[stream]") {
  using Then = models::PoisonOptions::Then;
  for (const Then then : {Then::release, Then::reject, Then::skip}) {
    Scenario s = stream_desk(200);
    s.groups[0].poison = models::PoisonOptions{.share = 0.2, .failures = 1, .then = then};
    const Run run(s);
    CHECK(run.outcome.drained);
    CHECK(run.value(Metric::redelivered) == 0);
    CHECK(run.value(Metric::lost) > 10);
    CHECK(run.value(Metric::processed) + run.value(Metric::lost) == 200);
  }
}

TEST_CASE("no more of a stream is unanswered than a consumer's prefetch", "[stream]") {
  Scenario s = stream_desk(50, 1000);
  s.groups[0].rabbitmq.prefetch = 3;
  s.groups[0].service = sim::Distribution::constant(1e8);
  const Run run(s);
  CHECK(run.value(Metric::processed) == 50);
  std::int64_t held = 0;
  std::int64_t most = 0;
  for (const auto& r : run.records.all) {
    held += r.kind == static_cast<std::uint16_t>(Kind::delivered);
    held -= r.kind == static_cast<std::uint16_t>(Kind::processed);
    most = std::max(most, held);
  }
  CHECK(most == 3);
}

TEST_CASE("one of several consumers of a name is active, and the next goes on when it dies", "[stream]") {
  Scenario s = stream_desk(1000, 200);
  track(s, OffsetTracking::automatic, 20);
  s.groups[0].rabbitmq.stream->single_active_consumer = true;
  s.groups[0].members = 3;
  s.faults = {fault("crash", "workers/0", seconds{1}, seconds{1}),
              fault("crash", "workers/1", seconds{2}, seconds{1}),
              fault("crash", "workers/2", seconds{3}, seconds{1})};
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::processed) == 1000);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::duplicated) <= 150);
}

TEST_CASE("a publisher with a name writes nothing twice", "[stream]") {
  std::size_t twice = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Scenario s = stream_desk(2000, 1000);
    s.producers[0].rabbitmq.confirms = 1000;
    s.producers[0].rabbitmq.stream.emplace();
    s.faults = {fault("connection-reset", "shop", seconds{1}, std::nullopt)};
    const Run unnamed(s, seed);
    CHECK(unnamed.value(Metric::lost) == 0);
    twice += unnamed.value(Metric::log_duplicates) > 0;
    s.producers[0].rabbitmq.stream->name = "shop";
    const Run named(s, seed);
    CHECK(named.value(Metric::lost) == 0);
    CHECK(named.value(Metric::acknowledged) == 2000);
    CHECK(named.value(Metric::log_duplicates) == 0);
  }
  CHECK(twice > 0);
}

TEST_CASE("what retention takes before it was read is expired", "[stream]") {
  Scenario s = stream_desk(2000, 1000);
  s.rabbitmq->queues[0].arguments.max_length_bytes = 20'000;
  s.rabbitmq->queues[0].arguments.max_segment_bytes = 5'000;
  s.groups[0].service = sim::Distribution::constant(1e7);
  const Run run(s);
  CHECK(run.outcome.drained);
  CHECK(run.value(Metric::expired) > 500);
  CHECK(run.value(Metric::lost) == 0);
  CHECK(run.value(Metric::processed) + run.value(Metric::expired) == 2000);
}

TEST_CASE("random worlds of streams keep what was confirmed", "[stream]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    sim::Stream stream(sim::stream_key(seed, "world"));
    const auto below = [&](std::uint64_t n) {
      return static_cast<std::uint64_t>(stream.uniform() * static_cast<double>(n));
    };
    Scenario s =
        stream_desk(0, 20 + static_cast<double>(below(200)), static_cast<std::uint16_t>(1 + below(5)));
    s.drain = seconds{600};
    s.rabbitmq->config.heartbeat = seconds{static_cast<std::int64_t>(below(8))};
    s.rabbitmq->net_ticktime = seconds{static_cast<std::int64_t>(2 + below(8))};
    if (below(2) == 0) s.rabbitmq->disk_write = sim::Distribution::exponential(5e6);
    if (below(3) == 0)
      s.rabbitmq->queues[0].arguments.cluster_size = static_cast<std::uint16_t>(1 + below(s.rabbitmq->nodes));
    models::ProducerOptions& p = s.producers[0];
    p.rabbitmq.confirms = static_cast<std::uint32_t>(1 + below(200));
    p.resend = below(2) == 0;
    const bool named = below(2) == 0;
    if (named) p.rabbitmq.stream.emplace().name = "shop";
    s.groups[0].service = sim::Distribution::exponential(1e6 * static_cast<double>(1 + below(8)));
    const bool tracks = below(2) == 0;
    if (tracks) {
      track(s, OffsetTracking::automatic, static_cast<std::uint32_t>(1 + below(100)));
      if (below(2) == 0) {
        s.groups[0].rabbitmq.stream->single_active_consumer = true;
        s.groups[0].members = 3;
      }
    }
    static const char* const kKinds[] = {"crash", "pause", "isolate", "connection-reset"};
    for (std::uint64_t n = below(5); n > 0; --n) {
      std::string target = below(3) == 0   ? "workers/" + std::to_string(below(s.groups[0].members))
                           : below(4) == 0 ? "shop"
                                           : "rabbitmq/" + std::to_string(below(s.rabbitmq->nodes));
      const std::string kind = kKinds[below(4)];
      std::optional<sim::Duration> length = milliseconds{static_cast<std::int64_t>(100 + below(20'000))};
      if (kind == "connection-reset") length.reset();
      s.faults.push_back(fault(kind, target, milliseconds{static_cast<std::int64_t>(below(9'000))}, length));
    }
    models::World world(s, seed, {.checked = true});
    models::Observers observers;
    world.trace().add_sink(observers);
    const models::RunOutcome outcome = world.run();
    const models::MetricValues& values = observers.values();
    CHECK(outcome.drained);
    CHECK(values[Metric::lost].value_or(0) == 0);
    CHECK(values[Metric::in_flight].value_or(0) == 0);
    if (named && !p.resend) CHECK(values[Metric::log_duplicates].value_or(0) == 0);
  }
}
