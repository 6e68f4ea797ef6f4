// The producer works ahead of the clock; nobody can tell.
#include "models/kafka/librdkafka.hpp"
#include "tests/models/kafka/producer_fixture.hpp"

using namespace producer_test;

namespace {

struct Outcome {
  std::string digest;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
};

using Story = std::function<void(Shop&)>;

Outcome outcome(const ProducerOptions& options, std::uint32_t partitions, std::uint64_t seed, bool run_ahead,
                const Story& story) {
  Shop shop(options, partitions, seed, run_ahead);
  if (partitions > 2) shop.cluster->spread(3);
  story(shop);
  shop.run(3s);
  CHECK(shop.producer->idle());
  return {shop.trace.digest(), shop.trace.emitted(), shop.simulation.events_executed()};
}

void same_with_and_without(
    const ProducerOptions& options, std::uint32_t partitions, const Story& story = [](Shop&) {}) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome ahead = outcome(options, partitions, seed, true, story);
    const Outcome step_by_step = outcome(options, partitions, seed, false, story);
    INFO("seed " << seed << ", " << ahead.records << " and " << step_by_step.records << " records");
    CHECK(ahead.digest == step_by_step.digest);
    CHECK(ahead.events <= step_by_step.events);
  }
}

void troubles(Shop& shop) {
  sim::Stream dice(shop.simulation.seed(), "dice");
  for (int i = 0; i < 200; ++i) {
    if (dice.bernoulli(0.3)) {
      shop.cluster->fates[i] = {
          .error = dice.bernoulli(0.5) ? ErrorCode::not_leader_or_follower : ErrorCode::none,
          .answer_lost = dice.bernoulli(0.3),
          .request_lost = dice.bernoulli(0.2),
          .slower = Duration{static_cast<std::int64_t>(dice.uniform_int(300'000'000))}};
    }
  }
  shop.at(700ms, [&shop] { shop.node.pause(); });
  shop.at(950'000'011ns, [&shop] { shop.node.resume(); });
  shop.at(1500ms, [&shop] {
    shop.cluster->leaders[0].epoch = 1;
    shop.cluster->publish_metadata();
  });
  shop.at(2100ms, [&shop] { shop.node.crash(); });
  shop.at(2300ms, [&shop] { shop.node.restart(); });
}

}  // namespace

TEST_CASE("running ahead changes nothing: keyless") {
  same_with_and_without(keyless(20'000), 6);
}

TEST_CASE("running ahead changes nothing: keyless, under troubles") {
  same_with_and_without(keyless(20'000), 6, troubles);
  ProducerOptions ordered = keyless(20'000);
  ordered.config.max_in_flight_requests_per_connection = 1;
  ordered.config.enable_idempotence = false;
  same_with_and_without(ordered, 6, troubles);
}

TEST_CASE("running ahead changes nothing: keyed") {
  ProducerOptions options = keyless(10'000);
  options.keys.count = 1'000;
  options.keys.rank = sim::Distribution::zipf(1'000, 1.0);
  same_with_and_without(options, 6);
  same_with_and_without(options, 6, troubles);
}

TEST_CASE("running ahead changes nothing: in turn, sizes that vary, no linger") {
  ProducerOptions options = keyless(5'000);
  options.size = sim::Distribution::exponential(600);
  options.config.partitioner_class = Partitioner::round_robin;
  same_with_and_without(options, 5, troubles);
  options.config.partitioner_class = Partitioner::default_sticky;
  same_with_and_without(options, 5, troubles);
  options.config.linger = 0ms;
  same_with_and_without(options, 5, troubles);
}

TEST_CASE("running ahead changes nothing: a small buffer that blocks and refuses, some messages too large") {
  ProducerOptions options = keyless(8'000);
  options.size = sim::Distribution::exponential(3'000);
  options.config.buffer_memory = 6 * 16384;
  options.config.max_request_size = 20'000;
  options.config.max_block = 30ms;
  same_with_and_without(options, 4, troubles);
  options.keys.count = 40;
  options.keys.rank = sim::Distribution::uniform(0, 39);
  same_with_and_without(options, 4, troubles);
}

TEST_CASE(
    "running ahead changes nothing: librdkafka, with and without keys, at random, and a queue that is soon "
    "full") {
  ProducerOptions options = keyless(8'000);
  options.config = librdkafka_producer();
  options.config.sticky_partitioning_linger = 10ms;
  same_with_and_without(options, 6, troubles);
  options.config.batch_num_messages = 7;
  options.config.queue_buffering_max_messages = 100;
  same_with_and_without(options, 6, troubles);
  options.config.partitioner_class = Partitioner::random;
  same_with_and_without(options, 6, troubles);
  options.keys.count = 40;
  options.keys.rank = sim::Distribution::uniform(0, 39);
  options.config.partitioner_class = Partitioner::consistent_random;
  same_with_and_without(options, 6, troubles);
}

TEST_CASE("running ahead changes nothing: a closed loop, with resends") {
  ProducerOptions options;
  options.name = "shop";
  options.closed_loop = ClosedLoop{.outstanding = 20, .think = sim::Distribution::exponential(2e6)};
  options.resend = true;
  options.config.delivery_timeout = 100ms;
  same_with_and_without(options, 3, troubles);
}

TEST_CASE("running ahead changes nothing: an application that sends again after its restart") {
  ProducerOptions options = keyless(20'000);
  options.resend_after_restart = true;
  same_with_and_without(options, 3, [](Shop& shop) {
    shop.steps.watch(shop.node.entity(), Step::acknowledged, 777, [&shop] { shop.node.crash(); });
    shop.at(400ms, [&shop] { shop.node.restart(); });
  });
}

TEST_CASE("running ahead changes nothing: a crash at a named step") {
  same_with_and_without(keyless(20'000), 6, [](Shop& shop) {
    shop.steps.watch(shop.node.entity(), Step::acknowledged, 7'777, [&shop] { shop.node.crash(); });
  });
}

TEST_CASE("running ahead takes a few events a batch, not one a message") {
  const Outcome ahead = outcome(keyless(50'000), 6, 1, true, [](Shop&) {});
  const Outcome step_by_step = outcome(keyless(50'000), 6, 1, false, [](Shop&) {});
  CHECK(step_by_step.events > 150'000);
  CHECK(ahead.events < 15'000);
}
