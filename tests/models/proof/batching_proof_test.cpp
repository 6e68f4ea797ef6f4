// linger.ms and batch.size under Poisson arrivals: the producer's batches are those of theory
// (models/theory/batching.hpp gives the formulas).
#include <cmath>

#include "models/theory/batching.hpp"
#include "tests/models/proof/agreement.hpp"
#include "tests/models/proof/queue_world.hpp"

using namespace proof;

namespace {

constexpr sim::Duration kLinger = 5ms;
constexpr std::int64_t kMost = 16;
/// A batch of 16 records of 100 bytes without keys: header 61, each record 109
/// (models/kafka/producer/record_size.hpp).
constexpr std::int32_t kBatchSize = 61 + 16 * 109;

struct Batches {
  Ratio size, full, delay_s, linger_s, per_s;
};

/// Reads batches at the moment they close. A batch counts when it begins well before arrivals stop; whether
/// it does is known before its size is.
class BatchObserver : public sim::TraceSink {
 public:
  explicit BatchObserver(sim::Duration until) : until_(until) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind != static_cast<std::uint16_t>(models::Kind::offered)) continue;
      const auto created = block.payload(r);
      if (sim::Duration(created[0]) >= until_) continue;
      ++batches;
      records += static_cast<double>(r.b);
      full += r.b == kMost ? 1 : 0;
      most = std::max(most, r.b);
      const std::int64_t closed = sim::nanoseconds(r.time);
      delay_s += 1e-9 * static_cast<double>(closed - created[0]);
      for (std::int64_t i = 0; i < r.b; ++i)
        linger_s += 1e-9 * static_cast<double>(closed - created[static_cast<std::size_t>(i)]);
    }
  }
  double batches = 0, records = 0, full = 0, delay_s = 0, linger_s = 0;
  std::int64_t most = 0;

 private:
  sim::Duration until_;
};

Batches measure(double records_per_s, sim::Duration duration) {
  Batches all;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    QueueModel model;
    model.arrivals_per_s = records_per_s;
    model.duration = duration;
    model.warmup = 0s;
    models::Scenario s = scenario_of(model);
    s.groups.clear();
    s.producers[0].config.linger = kLinger;
    s.producers[0].config.batch_size = kBatchSize;
    models::World world(s, static_cast<std::uint64_t>(seed));
    const sim::Duration until = duration - 2 * kLinger;
    BatchObserver observer(until);
    world.trace().add_sink(observer);
    world.run();
    CHECK(observer.most <= kMost);
    all.size.add(observer.records, observer.batches);
    all.full.add(observer.full, observer.batches);
    all.delay_s.add(observer.delay_s, observer.batches);
    all.linger_s.add(observer.linger_s, observer.records);
    all.per_s.add(observer.batches, sim::seconds(until));
  }
  return all;
}

}  // namespace

TEST_CASE("batches under Poisson arrivals have theory's sizes, delays and rates", "[proof]") {
  struct Row {
    double rate;
    sim::Duration duration;
  };
  for (const Row& row : {Row{100, 10s}, Row{1000, 4s}, Row{3000, 2s}, Row{20000, 400ms}}) {
    const std::string at = std::to_string(static_cast<int>(row.rate)) + "/s ";
    const theory::Batching expected = theory::batching(row.rate, sim::seconds(kLinger), kMost);
    const Batches b = measure(row.rate, row.duration);
    check_agrees(at + "records a batch", b.size, expected.size);
    check_agrees(at + "batch delay", b.delay_s, expected.batch_delay_s);
    check_agrees(at + "record linger", b.linger_s, expected.record_linger_s);
    check_agrees(at + "batches a second", b.per_s, row.rate / expected.size);
    // A share near 0 or 1 has no width worth asking for; its errors are those of a count.
    const double error = std::sqrt(expected.full * (1 - expected.full) / b.full.count());
    INFO(at << "full: simulated " << b.full.value() << ", expected " << expected.full);
    CHECK(std::abs(b.full.value() - expected.full) <= kZ * error + 1e-6);
  }
}

TEST_CASE("theory with a linger that is off by 2 % does not agree", "[proof]") {
  const Batches b = measure(1000, 4s);
  CHECK(std::abs(b.size.z(theory::batching(1000, 1.02 * sim::seconds(kLinger), kMost).size)) > kZ);
}
