// Random worlds of RabbitMQ: whatever is configured and whatever fails, each message is in one place, the sums add up (the ledger
// asserts it), the queues' own books agree after every event, and what the settings promise holds.
#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Metric;
using models::Scenario;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Draw {
  explicit Draw(std::uint64_t seed) : stream(sim::stream_key(seed, "world")) {}
  std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>(stream.uniform() * static_cast<double>(n));
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  sim::Stream stream;
};

models::FaultSpec random_fault(Draw& draw) {
  static const char* const kKinds[] = {"crash", "pause", "isolate", "connection-reset", "heartbeat-loss"};
  static const char* const kTargets[] = {"workers/0", "workers/1", "workers/2", "shop", "rabbitmq/0"};
  const std::string target = kTargets[draw.below(5)];
  std::string kind = kKinds[draw.below(5)];
  if (kind == "heartbeat-loss" && target == "rabbitmq/0") kind = "crash";
  std::optional<sim::Duration> length = milliseconds{static_cast<std::int64_t>(100 + draw.below(20'000))};
  if (kind == "connection-reset") length.reset();
  models::FaultSpec f =
      fault(kind, target, milliseconds{static_cast<std::int64_t>(draw.below(9'000))}, length);
  if (draw.one_in(3) && target.starts_with("workers")) {
    static const models::Step kSteps[] = {models::Step::delivered, models::Step::effect_applied,
                                          models::Step::processed_not_committed, models::Step::commit_sent};
    f.at.reset();
    f.when =
        models::FaultSpec::When{kSteps[draw.below(4)], static_cast<std::int64_t>(1 + draw.below(40)), ""};
  }
  return f;
}

struct World {
  Scenario scenario;
  bool keeps = true;  ///< nothing that was confirmed may be lost
};

World random_world(std::uint64_t seed) {
  Draw draw(seed);
  World w;
  Scenario& s = w.scenario;
  s = desk(0, 20 + static_cast<double>(draw.below(200)));
  s.drain = seconds{400};
  s.rabbitmq->config.heartbeat = seconds{static_cast<std::int64_t>(draw.below(8))};
  if (draw.one_in(2)) s.rabbitmq->disk_write = sim::Distribution::exponential(5e6);
  s.rabbitmq->queues.push_back({"dead"});
  models::rabbitmq::QueueArguments& a = s.rabbitmq->queues[0].arguments;
  if (draw.one_in(3)) a.message_ttl = milliseconds{static_cast<std::int64_t>(draw.below(3000))};
  if (draw.one_in(3)) a.max_length = static_cast<std::int64_t>(1 + draw.below(50));
  if (a.max_length && draw.one_in(2)) a.overflow = models::rabbitmq::Overflow::reject_publish_dlx;
  if (draw.one_in(2)) {
    a.dead_letter_exchange = "";
    a.dead_letter_routing_key = draw.one_in(4) ? "jobs" : "dead";
  }
  if (draw.one_in(4)) a.max_priority = 5;
  if (draw.one_in(4)) a.single_active_consumer = true;
  s.rabbitmq->queues[0].durable = !draw.one_in(6);
  models::rabbitmq::PublisherOptions& p = s.producers[0].rabbitmq;
  p.confirms = draw.one_in(4) ? 0 : static_cast<std::uint32_t>(1 + draw.below(100));
  p.persistent = !draw.one_in(5);
  p.priority = static_cast<std::uint8_t>(draw.below(7));
  s.producers[0].resend = p.confirms > 0 && draw.one_in(2);
  models::GroupOptions& g = s.groups[0];
  g.members = 3;
  g.service = sim::Distribution::exponential(1e6 * static_cast<double>(1 + draw.below(60)));
  g.effect.emplace().idempotency_key = draw.one_in(2);
  g.rabbitmq.prefetch = static_cast<std::uint32_t>(draw.below(20));
  g.rabbitmq.automatic_ack = draw.one_in(6);
  if (draw.one_in(3) && !g.rabbitmq.automatic_ack) {
    g.poison =
        models::PoisonOptions{.share = 0.05, .failures = 2, .then = models::PoisonOptions::Then::release};
    if (draw.one_in(2)) g.poison->then = models::PoisonOptions::Then::reject;
    if (draw.one_in(4)) g.poison->then = models::PoisonOptions::Then::crash;
  }
  for (std::uint64_t n = draw.below(5); n > 0; --n) s.faults.push_back(random_fault(draw));
  w.keeps = p.persistent && p.confirms > 0 && s.rabbitmq->queues[0].durable && !g.rabbitmq.automatic_ack;
  return w;
}

}  // namespace

TEST_CASE("random worlds of queues lose nothing that their settings promise to keep", "[rabbitmq]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const World w = random_world(seed);
    INFO("seed " << seed);
    models::World world(w.scenario, seed, {.checked = true});
    models::Observers observers;
    world.trace().add_sink(observers);
    world.run();
    const models::MetricValues& values = observers.values();
    if (w.keeps) CHECK(values[Metric::lost].value_or(0) == 0);
    if (w.scenario.groups[0].effect->idempotency_key)
      CHECK(values[Metric::effects_duplicated].value_or(0) == 0);
    CHECK(values[Metric::log_duplicates].value_or(0) == 0);
  }
}
