#include <numeric>

#include "models/kafka/librdkafka.hpp"
#include "tests/models/kafka/producer_fixture.hpp"

using namespace producer_test;

namespace {

/// A keyless record of 100 bytes takes 109 while both of its deltas take one byte.
constexpr std::int32_t kRecord = 109;

struct Batching {
  double full = 0, size = 0, delay_ms = 0, linger_ms = 0;
};

/// Batches of at most 16 records, linger 5 ms, one partition; nothing but batching takes time or blocks.
Batching measure(double rate) {
  ProducerOptions options = keyless(rate);
  options.config.linger = 5ms;
  options.config.batch_size = kBatchOverhead + 16 * kRecord;
  options.config.enable_idempotence = false;
  options.config.max_in_flight_requests_per_connection = 1'000'000;
  options.messages = 200'000;
  Shop shop(options);
  shop.cluster->round_trip = 10us;
  shop.run(5000s);
  Batching mean;
  double records = 0, batches = 0;
  for (const Seen& batch : shop.of(Kind::offered)) {
    ++batches;
    records += static_cast<double>(batch.b);
    mean.full += batch.b == 16 ? 1 : 0;
    mean.delay_ms += static_cast<double>(nanoseconds(batch.time) - batch.payload.front()) * 1e-6;
    for (const std::int64_t created : batch.payload) {
      mean.linger_ms += static_cast<double>(nanoseconds(batch.time) - created) * 1e-6;
    }
  }
  return {mean.full / batches, records / batches, mean.delay_ms / batches, mean.linger_ms / records};
}

}  // namespace

TEST_CASE("varints are as long as Kafka's") {
  CHECK(varint_bytes(0) == 1);
  CHECK(varint_bytes(63) == 1);
  CHECK(varint_bytes(64) == 2);
  CHECK(varint_bytes(8191) == 2);
  CHECK(varint_bytes(8192) == 3);
  CHECK(varint_bytes(1'048'575) == 3);
  CHECK(varint_bytes(1'048'576) == 4);
}

TEST_CASE("records take the bytes of format v2") {
  // length 2, attributes 1, deltas 1 and 1, key length 1 (null), value length 2, value 100,
  // count of headers 1
  const RecordSizer null_keys({});
  BatchFill batch = BatchFill::opened(16384, Time{});
  CHECK(batch.bytes == 61);
  CHECK(batch.record_bytes(null_keys.fixed_bytes(100, 0), Time{}) == kRecord);
  CHECK(batch.record_bytes(null_keys.fixed_bytes(100, 0), Time{64ms}) == kRecord + 1);
  batch.count = 64;
  CHECK(batch.record_bytes(null_keys.fixed_bytes(100, 0), Time{}) == kRecord + 1);
  // A size counts key and value: "user17" and 94 bytes.
  const RecordSizer keyed({.count = 100, .prefix = "user"});
  CHECK(keyed.fixed_bytes(100, 17) == 1 + 1 + 1 + 6 + 2 + 94);
  CHECK(RecordSizer({.count = 100, .on_wire = false}).fixed_bytes(100, 17) == null_keys.fixed_bytes(100, 0));
}

TEST_CASE("a batch of the default size holds 148 records of 100 bytes") {
  ProducerOptions options = keyless(1'000'000);
  options.messages = 10'000;
  Shop shop(options);
  shop.run(1s);
  CHECK(shop.of(Kind::offered).front().b == 148);
}

TEST_CASE("lingering batches agree with the closed form") {
  // P(full), E[size], E[batch delay], mean record linger at 100, 1000 and 20000 messages per second
  const Batching slow = measure(100);
  CHECK(slow.full < 0.0001);
  CHECK(slow.size == Approx(1.5).epsilon(0.01));
  CHECK(slow.delay_ms == Approx(5.0).epsilon(0.0001));
  CHECK(slow.linger_ms == Approx(4.167).epsilon(0.01));
  const Batching medium = measure(1000);
  CHECK(medium.full < 0.001);
  CHECK(medium.size == Approx(6.0).epsilon(0.01));
  CHECK(medium.delay_ms == Approx(5.0).epsilon(0.001));
  CHECK(medium.linger_ms == Approx(2.916).epsilon(0.01));
  const Batching fast = measure(20'000);
  CHECK(fast.full > 0.9999);
  CHECK(fast.size == Approx(16.0).epsilon(0.0001));
  CHECK(fast.delay_ms == Approx(0.75).epsilon(0.02));
  CHECK(fast.linger_ms == Approx(0.375).epsilon(0.02));
}

TEST_CASE("a batch leaves when linger.ms has passed since its first record") {
  Shop shop(at_ms({10, 12, 14.9, 15.1}));
  shop.run(1s);
  const auto offered = shop.of(Kind::offered);
  REQUIRE(offered.size() == 2);
  CHECK(offered[0].time == Time{15ms});
  CHECK(offered[0].b == 3);
  CHECK(offered[1].time == Time{20100us});
  CHECK(offered[1].payload == std::vector<std::int64_t>{15'100'000});
}

TEST_CASE("a ready partition takes lingering batches of the same broker along") {
  ProducerOptions options = at_ms({10, 11, 12, 13});
  options.config.partitioner_class = Partitioner::round_robin;
  Shop shop(options, 4);
  shop.cluster->spread(2);
  shop.run(1s);
  // Partitions 0 and 2 are one broker's, 1 and 3 the other's.
  CHECK(shop.cluster->sizes == std::vector<std::size_t>{2, 2});
  CHECK(shop.of(Kind::offered)[1].time == Time{15ms});
  CHECK(shop.of(Kind::offered)[3].time == Time{16ms});
}

TEST_CASE("a request takes no more than max.request.size") {
  ProducerOptions options = at_ms({10, 10, 10, 10});
  options.config.partitioner_class = Partitioner::round_robin;
  options.config.max_request_size = 2 * (kBatchOverhead + kRecord);
  Shop shop(options, 4);
  shop.run(1s);
  CHECK(shop.cluster->sizes == std::vector<std::size_t>{2, 2});
}

TEST_CASE("at most max.in.flight.requests.per.connection requests are under way") {
  ProducerOptions options = at_ms({10, 11, 12, 13, 14, 15, 16, 17, 18});
  options.config.linger = 0ms;
  options.config.max_in_flight_requests_per_connection = 3;
  Shop shop(options);
  shop.cluster->round_trip = 100ms;
  shop.start();
  shop.run_until(50ms);
  CHECK(shop.cluster->requests == 0);  // neither metadata nor a producer id before 100 ms and 200 ms
  shop.run_until(250ms);
  CHECK(shop.cluster->requests == 1);  // all went into one batch meanwhile
  shop.run_until(10s);
  CHECK(shop.messages(Kind::acknowledged) == 9);
}

TEST_CASE("several requests are under way when messages keep coming") {
  ProducerOptions options = at_ms({500, 501, 502, 503, 504, 505, 506, 507, 508});
  options.config.linger = 0ms;
  options.config.max_in_flight_requests_per_connection = 3;
  Shop shop(options);
  shop.cluster->round_trip = 100ms;
  shop.start();
  shop.run_until(520ms);
  CHECK(shop.cluster->requests == 3);
  shop.run_until(10s);
  CHECK(shop.messages(Kind::acknowledged) == 9);
  CHECK(shop.cluster->requests == 4);
}

TEST_CASE("acknowledgements name the offsets, acks=0 names none") {
  for (const std::int16_t acks : {std::int16_t{-1}, std::int16_t{0}}) {
    ProducerOptions options = at_ms({100, 101, 200});
    options.config.acks = acks;
    options.config.enable_idempotence = acks != 0;
    Shop shop(options);
    shop.run(1s);
    const auto acknowledged = shop.of(Kind::acknowledged);
    REQUIRE(acknowledged.size() == 2);
    CHECK(acknowledged[0].b == 2);
    CHECK(acknowledged[0].c == (acks == 0 ? -1 : 0));
    CHECK(acknowledged[1].c == (acks == 0 ? -1 : 2));
    CHECK(acknowledged[0].time == Time{acks == 0 ? Duration{105ms} : Duration{107ms}});
    CHECK(shop.log() == std::vector<std::int64_t>{0, 1, 2});
    CHECK(shop.producer->idle());
  }
}

TEST_CASE("a batch that is too large for the broker is sent in parts") {
  for (const bool idempotent : {false, true}) {
    ProducerOptions options = keyless(100'000);
    options.messages = 1'000;
    options.config.enable_idempotence = idempotent;
    Shop shop(options);
    shop.cluster->largest_batch = 5'000;
    shop.run(1s);
    CHECK(shop.messages(Kind::acknowledged) == 1'000);
    std::vector<std::int64_t> log = shop.log();
    if (!idempotent) std::sort(log.begin(), log.end());  // several in flight, one of them retried
    std::vector<std::int64_t> all(1'000);
    std::iota(all.begin(), all.end(), 0);
    CHECK(log == all);
  }
}

TEST_CASE("a single record that is too large for the broker fails, the next one is written") {
  ProducerOptions options = at_ms({100, 200});
  options.size = sim::Distribution::schedule({5'000, 100});
  Shop shop(options);
  shop.cluster->largest_batch = 1'000;
  shop.run(1s);
  REQUIRE(shop.of(Kind::failed).size() == 1);
  CHECK(shop.of(Kind::failed)[0].code == static_cast<std::uint16_t>(ErrorCode::message_too_large));
  CHECK(shop.of(Kind::failed)[0].c == 0);
  CHECK(shop.log() == std::vector<std::int64_t>{1});
}

// ---- librdkafka ---------------------------------------------------------------------------------------------

TEST_CASE("librdkafka: each request holds one partition, and a batch no more than batch.num.messages") {
  ProducerOptions options = keyless(2'000);
  options.config = librdkafka_producer();
  options.config.batch_num_messages = 3;
  options.keys.count = 100;
  options.keys.rank = sim::Distribution::uniform(0, 99);
  Shop shop(options, 6);
  shop.run(1s);
  REQUIRE(shop.cluster->sizes.size() > 100);
  for (const std::size_t batches : shop.cluster->sizes) CHECK(batches == 1);
  for (const auto& log : shop.cluster->logs) {
    for (const Appended& batch : log) CHECK(batch.count <= 3);
  }
}

TEST_CASE("librdkafka: a full queue refuses at once") {
  ProducerOptions options = at_ms({100, 101, 102, 103, 104});
  options.config = librdkafka_producer();
  options.config.linger = 50ms;
  options.config.queue_buffering_max_messages = 3;
  Shop shop(options);
  shop.run(1s);
  const auto refused = shop.of(Kind::refused);
  REQUIRE(shop.messages(Kind::refused) == 2);
  CHECK(refused[0].time == Time{103ms});
  CHECK(refused[0].code == static_cast<std::uint16_t>(RefusedCode::buffer_full));
  CHECK(shop.messages(Kind::acknowledged) == 3);
}

TEST_CASE("librdkafka: what comes before the topic is known waits") {
  ProducerOptions options = at_ms({0.001});
  options.config = librdkafka_producer();
  Shop shop(options);
  shop.run(1s);
  CHECK(shop.messages(Kind::acknowledged) == 1);
}
