#include "tests/models/kafka/producer_fixture.hpp"

using namespace producer_test;

namespace {

/// Room for two batches of one record each.
ProducerOptions tight(const std::vector<double>& times) {
  ProducerOptions options = at_ms(times);
  options.config.linger = 0ms;
  options.config.batch_size = 1;
  options.config.buffer_memory = 2 * RecordSizer::upper_bound(RecordSizer({}).fixed_bytes(100, 0));
  options.config.max_block = 1s;
  options.config.enable_idempotence = false;
  return options;
}

}  // namespace

TEST_CASE("a full buffer blocks send(), and the messages behind it wait for their turn") {
  Shop shop(tight({100, 101, 102, 103}));
  shop.cluster->round_trip = 50ms;
  shop.run(1s);
  const auto offered = shop.of(Kind::offered);
  REQUIRE(offered.size() == 4);
  CHECK(offered[2].time == Time{150ms});        // when the first batch was acknowledged
  CHECK(offered[2].payload[0] == 102'000'000);  // but it arose before
  CHECK(offered[3].time == Time{151ms});
  CHECK(shop.messages(Kind::acknowledged) == 4);
}

TEST_CASE("without metadata send() blocks for max.block.ms each time") {
  ProducerOptions options = at_ms({100, 101, 5000});
  options.config.max_block = 1s;
  Shop shop(options);
  shop.cluster->metadata_withheld = true;
  shop.start();
  shop.run_until(20s);
  const auto refused = shop.of(Kind::refused);
  REQUIRE(refused.size() == 3);
  CHECK(refused[0].time == Time{1100ms});
  CHECK(refused[0].payload == std::vector<std::int64_t>{100'000'000});
  CHECK(refused[0].code == static_cast<std::uint16_t>(RefusedCode::no_metadata));
  CHECK(refused[1].time == Time{2100ms});
  CHECK(refused[2].time == Time{6s});
  CHECK(refused[0].lane == 0);
}

TEST_CASE("send() gives up after max.block.ms: refused, and the next in line begins a wait of its own") {
  Shop shop(tight({100, 101, 102, 103}));
  shop.at(50ms, [&] { shop.cluster->round_trip = 2500ms; });
  shop.run(1s);
  const auto refused = shop.of(Kind::refused);
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].time == Time{1102ms});
  CHECK(refused[0].code == static_cast<std::uint16_t>(RefusedCode::buffer_full));
  CHECK(refused[1].time == Time{2102ms});
  CHECK(shop.messages(Kind::acknowledged) == 2);
  CHECK(shop.producer->idle());
}

TEST_CASE("max.block.ms of 0 refuses at once") {
  ProducerOptions options = tight({100, 101, 102, 103, 300});
  options.config.max_block = 0ms;
  Shop shop(options);
  shop.at(50ms, [&] { shop.cluster->round_trip = 100ms; });
  shop.run(1s);
  const auto refused = shop.of(Kind::refused);
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].time == Time{102ms});
  CHECK(refused[1].time == Time{103ms});
  CHECK(shop.messages(Kind::acknowledged) == 3);
}

TEST_CASE("while send() waits for memory every partition is ready") {
  ProducerOptions options = at_ms({100, 101, 102});
  options.config.partitioner_class = Partitioner::round_robin;
  options.config.buffer_memory = 2 * 16384;
  options.config.linger = 1s;
  Shop shop(options, 3);
  shop.run(10s);
  const auto offered = shop.of(Kind::offered);
  REQUIRE(offered.size() == 3);
  CHECK(offered[0].time == Time{102ms});  // long before linger.ms
  CHECK(offered[1].time == Time{102ms});
  CHECK(offered[2].time == Time{1104ms});
}

TEST_CASE("a message larger than max.request.size is refused") {
  ProducerOptions options = at_ms({100, 101, 102});
  options.size = sim::Distribution::schedule({100, 2'000'000, 100});
  Shop shop(options);
  shop.run(1s);
  const auto refused = shop.of(Kind::refused);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].time == Time{101ms});
  CHECK(refused[0].code == static_cast<std::uint16_t>(RefusedCode::too_large));
  CHECK(shop.messages(Kind::acknowledged) == 2);
}

TEST_CASE("memory never exceeds buffer.memory and comes back whole") {
  ProducerOptions options = keyless(20'000);
  options.config.buffer_memory = 5 * 16384;
  Shop shop(options, 4);
  shop.at(5ms, [&] { shop.cluster->round_trip = 60ms; });
  shop.start();
  for (int ms = 10; ms < 2000; ms += 10) {
    shop.run_until(ms * 1ms);
    REQUIRE(shop.producer->accumulator().available_memory() >= 0);
    REQUIRE(shop.producer->accumulator().batches() <= 5);
  }
  shop.producer->stop_arrivals();
  shop.run_until(100s);
  CHECK(shop.producer->idle());
  CHECK(shop.producer->accumulator().available_memory() == 5 * 16384);
  CHECK(shop.messages(Kind::acknowledged) == shop.messages(Kind::offered));
}

TEST_CASE("a closed loop sends its next message when the one before is acknowledged") {
  ProducerOptions options;
  options.name = "shop";
  options.closed_loop = ClosedLoop{.outstanding = 1, .think = sim::Distribution::constant(10e6)};
  options.config.linger = 0ms;
  options.messages = 5;
  Shop shop(options);
  shop.run(10s);
  const auto offered = shop.of(Kind::offered);
  REQUIRE(offered.size() == 5);
  // The first waits for metadata and producer id, then a round trip of 2 ms and 10 ms of thinking each.
  for (std::size_t i = 1; i < 5; ++i) CHECK(offered[i].time == offered[1].time + (i - 1) * 12ms);
  CHECK(shop.messages(Kind::acknowledged) == 5);
  CHECK(shop.producer->idle());
}

TEST_CASE("a closed loop never has more messages under way than it should") {
  ProducerOptions options;
  options.name = "shop";
  options.closed_loop = ClosedLoop{.outstanding = 7, .think = sim::Distribution::exponential(1e6)};
  options.config.linger = 1ms;
  Shop shop(options, 3);
  shop.run(2s);
  std::int64_t under_way = 0;
  for (const Seen& s : shop.recorder.seen) {
    if (s.kind == Kind::offered) under_way += s.b;
    if (s.kind == Kind::acknowledged) under_way -= s.b;
    REQUIRE(under_way <= 7);
  }
  CHECK(shop.messages(Kind::acknowledged) > 1000);
}
