#include <map>

#include "models/kafka/librdkafka.hpp"
#include "models/kafka/producer/crc32.hpp"
#include "models/kafka/producer/murmur2.hpp"
#include "models/kafka/producer/partitioner.hpp"
#include "tests/models/kafka/producer_fixture.hpp"

using namespace producer_test;

namespace {

struct Vector {
  const char* key;
  std::int32_t hash;
  std::uint32_t of_3, of_6, of_10, of_12;
};

std::vector<PartitionLoad> queues(const std::vector<std::uint32_t>& queued) {
  std::vector<PartitionLoad> loads;
  for (std::uint32_t p = 0; p < queued.size(); ++p) loads.push_back({p, queued[p], 0});
  return loads;
}

std::vector<std::uint32_t> cumulative(const std::vector<PartitionLoad>& loads) {
  std::vector<std::uint32_t> table;
  for (const PartitionLoad& load : loads) table.push_back(load.cumulative);
  return table;
}

}  // namespace

TEST_CASE("murmur2 gives Kafka's hashes and places keys as Kafka does") {
  // UtilsTest.testMurmur2
  const Vector vectors[] = {{"21", -973932308, 0, 0, 0, 0},
                            {"foobar", -790332482, 0, 0, 6, 6},
                            {"a-little-bit-long-string", -985981536, 2, 2, 2, 8},
                            {"abc", 479470107, 0, 3, 7, 3}};
  for (const Vector& v : vectors) {
    INFO(v.key);
    CHECK(static_cast<std::int32_t>(murmur2(v.key)) == v.hash);
    CHECK(partition_for_key(v.key, 3) == v.of_3);
    CHECK(partition_for_key(v.key, 6) == v.of_6);
    CHECK(partition_for_key(v.key, 10) == v.of_10);
    CHECK(partition_for_key(v.key, 12) == v.of_12);
  }
  // librdkafka, tests/0048-partitioner.c
  CHECK((murmur2("") & 0x7fffffffu) == 0x106e08d9u);
  CHECK((murmur2("23456") & 0x7fffffffu) == 0x058d780fu);
  CHECK((murmur2("hejsan") & 0x7fffffffu) == 0x5ec19395u);
}

TEST_CASE("crc32 gives librdkafka's hashes") {
  // librdkafka, tests/0048-partitioner.c, and the check value of CRC-32
  CHECK(crc32("") == 0);
  CHECK(crc32("23456") == 0xb1b451d7u);
  CHECK(crc32("this is another string with more length to it perhaps") == 0xb0150df7u);
  CHECK(crc32("hejsan") == 0xd077037eu);
  CHECK(crc32("123456789") == 0xcbf43926u);
}

TEST_CASE("Kafka's own client and librdkafka place a key alike only with murmur2_random") {
  const KeyOptions keys{.count = 100, .prefix = "user"};
  ProducerConfig config = librdkafka_producer();
  KeyPartitions javas(keys, 12);
  KeyPartitions by_default(keys, 12, key_hash(config));
  REQUIRE_FALSE(set_librdkafka(config, "partitioner", "murmur2_random"));
  KeyPartitions compatible(keys, 12, key_hash(config));
  int apart = 0;
  for (std::uint32_t rank = 0; rank < 100; ++rank) {
    CHECK(by_default(rank) == crc32("user" + std::to_string(rank)) % 12);
    CHECK(compatible(rank) == javas(rank));
    apart += by_default(rank) != javas(rank) ? 1 : 0;
  }
  CHECK(apart > 80);
}

TEST_CASE("a key's partition is that of its prefix and rank, asked once or twice") {
  KeyPartitions partitions({.count = 100, .prefix = "user"}, 12);
  for (std::uint32_t rank = 0; rank < 100; ++rank) {
    const std::uint32_t expected = partition_for_key("user" + std::to_string(rank), 12);
    CHECK(partitions(rank) == expected);
    CHECK(partitions(rank) == expected);
  }
}

TEST_CASE("queues of 0, 3 and 1 batches weigh 4, 5, 8") {
  auto loads = queues({0, 3, 1});
  REQUIRE(weigh(loads, 3));
  CHECK(cumulative(loads) == std::vector<std::uint32_t>{4, 5, 8});
}

TEST_CASE("equal queues are not weighed, unless a partition was left out") {
  auto equal = queues({2, 2, 2});
  CHECK_FALSE(weigh(equal, 3));
  auto one_left_out = queues({2, 2});
  REQUIRE(weigh(one_left_out, 3));
  CHECK(cumulative(one_left_out) == std::vector<std::uint32_t>{1, 2});
  auto single = queues({7});
  CHECK_FALSE(weigh(single, 1));
  CHECK_FALSE(weigh({}, 3));
}

TEST_CASE("the weighted choice prefers short queues by their weights") {
  auto loads = queues({0, 3, 1});
  REQUIRE(weigh(loads, 3));
  StickyPartitioner sticky(16384, sim::Stream(1, "draws"));
  std::map<std::uint32_t, int> chosen;
  for (int i = 0; i < 80'000; ++i) {
    sticky.pick(loads);
    ++chosen[sticky.partition()];
  }
  CHECK(chosen[0] == Approx(40'000).margin(600));
  CHECK(chosen[1] == Approx(10'000).margin(400));
  CHECK(chosen[2] == Approx(30'000).margin(600));
}

TEST_CASE(
    "the sticky partitioner moves after a batch's worth at a batch's end, and after twice that in any case") {
  StickyPartitioner sticky(1000, sim::Stream(1, "draws"));
  const std::uint32_t candidates[] = {0, 1, 2};
  sticky.pick(candidates);
  sticky.add(999);
  CHECK_FALSE(sticky.may_move(true));
  sticky.add(1);
  CHECK(sticky.may_move(true));
  CHECK_FALSE(sticky.may_move(false));
  sticky.add(999);
  CHECK_FALSE(sticky.may_move(false));
  sticky.add(1);
  CHECK(sticky.may_move(false));
  CHECK(sticky.room() == 0);
}

TEST_CASE("keyless messages fill batches of one partition before the next, and reach all") {
  Shop shop(keyless(50'000), 6);
  shop.run(1s);
  std::map<std::uint32_t, std::int64_t> per_partition;
  std::int64_t moves = 0, batches = 0;
  std::uint32_t last = 0;
  for (const Seen& offered : shop.of(Kind::offered)) {
    per_partition[offered.place] += offered.b;
    moves += offered.place != last ? 1 : 0;
    last = offered.place;
    ++batches;
  }
  CHECK(per_partition.size() == 6);
  for (const auto& [place, messages] : per_partition) CHECK(messages == Approx(50'000 / 6.0).epsilon(0.25));
  CHECK(shop.messages(Kind::offered) / batches > 70);  // not one record here and one there
  CHECK(moves < batches);
}

TEST_CASE("keyed messages go to their key's partition, in order") {
  ProducerOptions options = keyless(5'000);
  options.keys.count = 50;
  options.keys.rank = sim::Distribution::zipf(50, 1.0);
  Shop shop(options, 6);
  shop.run(1s);
  for (const Seen& offered : shop.of(Kind::offered)) {
    REQUIRE(offered.code == kHasKeys);
    for (std::int64_t i = 0; i < offered.b; ++i) {
      const std::int64_t key = offered.payload[static_cast<std::size_t>(offered.b + i)];
      CHECK(shop.entities[offered.place].name ==
            "orders/" + std::to_string(partition_for_key("k" + std::to_string(key), 6)));
    }
  }
}

TEST_CASE("ignored keys are known to the trace and do not route") {
  ProducerOptions options = keyless(20'000);
  options.keys.count = 1;
  options.config.partitioner_ignore_keys = true;
  Shop shop(options, 6);
  shop.run(1s);
  std::map<std::uint32_t, int> places;
  for (const Seen& offered : shop.of(Kind::offered)) {
    CHECK(offered.code == kHasKeys);
    ++places[offered.place];
  }
  CHECK(places.size() == 6);
}

TEST_CASE("the round-robin partitioner deals messages out in turn") {
  ProducerOptions options = keyless(6'000);
  options.config.partitioner_class = Partitioner::round_robin;
  Shop shop(options, 6);
  shop.run(1s);
  std::map<std::uint32_t, std::int64_t> per_partition;
  for (const Seen& offered : shop.of(Kind::offered)) per_partition[offered.place] += offered.b;
  const std::int64_t all = shop.messages(Kind::offered);
  REQUIRE(per_partition.size() == 6);
  for (const auto& [place, messages] : per_partition) CHECK(std::abs(messages - all / 6) <= 1);
}

TEST_CASE("keyless messages avoid partitions without a leader, keyed ones wait for theirs") {
  for (const bool keyed : {false, true}) {
    ProducerOptions options = keyless(20'000);
    if (keyed) {
      options.keys.count = 100;
      options.keys.rank = sim::Distribution::uniform(0, 99);
    }
    Shop shop(options, 3);
    shop.cluster->leaders[1] = {};
    shop.start();
    shop.run_until(1s);
    CHECK(shop.cluster->logs[1].empty());
    CHECK(shop.producer->accumulator()[1].batches.empty() != keyed);
    CHECK((shop.cluster->metadata_requests > 0) == keyed);
    CHECK_FALSE(shop.cluster->logs[0].empty());
    CHECK_FALSE(shop.cluster->logs[2].empty());
  }
}

TEST_CASE("a broker that cannot be reached for longer than the availability timeout is left out") {
  for (const bool left_out : {false, true}) {
    ProducerOptions options = keyless(20'000);
    options.config.partitioner_availability_timeout = left_out ? Duration{50ms} : Duration{0};
    Shop shop(options, 2);
    shop.cluster->spread(2);
    shop.at(500ms, [&] { shop.cluster->unreachable_broker = BrokerId{1}; });
    shop.start();
    shop.run_until(3s);
    const std::size_t queued = shop.producer->accumulator()[1].batches.size();
    INFO("batches queued: " << queued);
    // Weighing by queue alone sends it fewer and fewer messages, but never none.
    if (left_out)
      CHECK(queued <= 8);
    else
      CHECK(queued > 12);
  }
}
