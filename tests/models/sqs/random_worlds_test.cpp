// Random worlds of SQS: whatever is configured and whatever fails, each message is in one place, the sums add up (the ledger
// asserts it), the queues' own books agree after every event, and what the settings promise holds.
#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/sqs/desk.hpp"

using namespace sqs_test;
using models::Metric;
using models::Scenario;
using models::Step;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Draw {
  explicit Draw(std::uint64_t seed) : stream(sim::stream_key(seed, "world")) {}
  std::uint64_t below(std::uint64_t n) { return stream.uniform_int(n); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low)));
  }
  sim::Stream stream;
};

models::FaultSpec random_fault(Draw& draw) {
  static const char* const kKinds[] = {"crash", "pause", "isolate", "connection-reset", "response-loss"};
  static const char* const kTargets[] = {"workers/0", "workers/1", "workers/2", "shop", "sqs/0"};
  const std::string kind = kKinds[draw.below(5)];
  const std::string target = kind == "response-loss" ? "sqs/0" : kTargets[draw.below(5)];
  std::optional<sim::Duration> length = milliseconds{draw.between(100, 20'000)};
  if (kind == "connection-reset" || kind == "response-loss") length.reset();
  models::FaultSpec f = fault(kind, target, milliseconds{draw.between(0, 9'000)}, length);
  if (draw.one_in(3) && target.starts_with("workers")) {
    static const Step kSteps[] = {Step::delivered, Step::effect_applied, Step::processed_not_committed,
                                  Step::commit_sent, Step::committed};
    f.at.reset();
    f.when = models::FaultSpec::When{kSteps[draw.below(5)], draw.between(1, 40), ""};
  }
  return f;
}

struct World {
  Scenario scenario;
  bool fifo = false;
  bool keeps = true;  ///< nothing that was acknowledged may be lost
};

World random_world(std::uint64_t seed) {
  Draw draw(seed);
  World w;
  w.fifo = draw.one_in(2);
  Scenario& s = w.scenario;
  const double rate = 20 + static_cast<double>(draw.below(200));
  s = w.fifo ? fifo_desk(0, rate, static_cast<std::uint32_t>(draw.between(1, 40))) : desk(0, rate);
  s.drain = seconds{400};
  models::sqs::ServiceOptions& o = *s.sqs;
  if (draw.one_in(2)) o.latency = sim::Distribution::exponential(5e6);
  o.servers = static_cast<std::uint32_t>(draw.between(1, 9));
  o.sampled_servers = 1;
  if (draw.one_in(3)) o.duplicate_share = 0.05;
  if (draw.one_in(4))
    o.standard_in_flight = o.fifo_in_flight = static_cast<std::uint32_t>(draw.between(1, 20));
  models::sqs::QueueOptions dead;
  dead.name = w.fifo ? "dead.fifo" : "dead";
  dead.fifo = w.fifo;
  o.queues.push_back(dead);
  models::sqs::QueueOptions& q = o.queues[0];
  q.visibility_timeout = seconds{draw.between(1, 15)};
  if (draw.one_in(4)) q.delay = seconds{draw.between(1, 5)};
  if (draw.one_in(2))
    q.redrive = models::sqs::RedrivePolicy{dead.name, static_cast<std::uint32_t>(draw.between(1, 4))};
  if (q.redrive && draw.one_in(2)) o.moves.push_back({dead.name, "", seconds{9}});
  if (draw.one_in(6)) q.retention = seconds{60};
  models::sqs::SenderOptions& p = s.producers[0].sqs;
  p.batch = static_cast<std::uint32_t>(draw.between(1, 11));
  p.requests = static_cast<std::uint32_t>(draw.between(1, 20));
  if (draw.one_in(2)) p.retry_after = seconds{draw.between(1, 10)};
  if (draw.one_in(4) && !w.fifo) p.delay = seconds{draw.between(0, 5)};
  p.sdk.attempt_timeout = seconds{draw.between(1, 10)};
  models::GroupOptions& g = s.groups[0];
  g.members = 3;
  g.service = sim::Distribution::exponential(1e6 * static_cast<double>(draw.between(1, 60)));
  g.effect.emplace().idempotency_key = draw.one_in(2);
  g.sqs.max_messages = static_cast<std::uint32_t>(draw.between(1, 11));
  if (draw.one_in(3)) {
    g.sqs.wait = sim::Duration{};
    g.sqs.poll_interval = milliseconds{draw.between(0, 500)};
  }
  using Delete = models::sqs::ReceiverOptions::Delete;
  g.sqs.when = draw.one_in(8)   ? Delete::before_processing
               : draw.one_in(2) ? Delete::after_batch
                                : Delete::after_processing;
  if (draw.one_in(3)) g.sqs.heartbeat = q.visibility_timeout / 3;
  g.sqs.attempt_ids = w.fifo && draw.one_in(2);
  if (draw.one_in(3)) {
    g.poison =
        models::PoisonOptions{.share = 0.05, .failures = 2, .then = models::PoisonOptions::Then::release};
    if (draw.one_in(3)) g.poison->then = models::PoisonOptions::Then::crash;
    if (draw.one_in(2)) g.sqs.release = seconds{draw.between(0, 10)};
  }
  for (std::uint64_t n = draw.below(5); n > 0; --n) s.faults.push_back(random_fault(draw));
  w.keeps = g.sqs.when != Delete::before_processing;
  return w;
}

}  // namespace

TEST_CASE("random worlds of SQS lose nothing that their settings promise to keep", "[sqs]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const World w = random_world(seed);
    INFO("seed " << seed);
    models::World world(w.scenario, seed, {.checked = true});
    models::Observers observers;
    world.trace().add_sink(observers);
    world.run();
    const models::MetricValues& values = observers.values();
    if (w.keeps) CHECK(values[Metric::lost].value_or(0) == 0);
    if (w.scenario.groups[0].effect->idempotency_key && !w.scenario.producers[0].sqs.retry_after)
      CHECK(values[Metric::effects_duplicated].value_or(0) == 0);
    if (w.fifo && !w.scenario.producers[0].sqs.retry_after)
      CHECK(values[Metric::log_duplicates].value_or(0) == 0);
  }
}
