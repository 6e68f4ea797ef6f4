// What applications keep beside Kafka: stored offsets, a table of processed messages, offsets in their own database.
#include "models/kafka/consumer/stored_offsets.hpp"
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace models;
using namespace models::kafka;
using namespace std::chrono_literals;

namespace {

constexpr PartitionIndex kFirst{0};

/// What became of effects when a member crashes and comes back again and again, at any time.
MetricValues with_crashes(CommitMode commit, ProcessedIds ids) {
  Scenario s = orders_scenario(60s, sim::ArrivalProcess::poisson(80));
  GroupOptions& billing = s.groups[0];
  billing.config.auto_offset_reset = AutoOffsetReset::earliest;
  billing.config.session_timeout = 6s;
  billing.commit = commit;
  billing.effect.emplace().processed_ids = ids;
  billing.service = sim::Distribution::exponential(8'000'000);
  FaultSpec fault = crash("billing/0", 0s, 500ms);
  fault.at.reset();
  fault.every = 8s;
  s.faults.push_back(fault);
  World world(s, 7);
  Observers observers;
  world.trace().add_sink(observers);
  CHECK(world.run().drained);
  return observers.values();
}

double value(const MetricValues& values, Metric metric) {
  return values[metric].value_or(-1);
}

}  // namespace

TEST_CASE("an offset that is stored after its partition was revoked is kept, or refused") {
  for (const bool reset : {false, true}) {
    StoredOffsets stored(2, reset);
    stored.assigned(kFirst);
    stored.store(kFirst, 10, 1);
    REQUIRE(stored.to_commit(kFirst));
    CHECK(stored.item(kFirst).offset == 10);
    stored.committed(kFirst, 10);
    CHECK_FALSE(stored.to_commit(kFirst));
    stored.revoked(kFirst);
    stored.store(kFirst, 12, 1);
    stored.assigned(kFirst);
    CHECK(stored.to_commit(kFirst) == !reset);
    stored.store(kFirst, 90, 1);
    CHECK(stored.item(kFirst).offset == 90);
    stored.forget();
    CHECK_FALSE(stored.to_commit(kFirst));
  }
}

TEST_CASE("effects happen once with their offsets or entries, however often their member crashes") {
  const MetricValues in_group = with_crashes(CommitMode::after_processing, ProcessedIds::none);
  CHECK(value(in_group, Metric::effects_duplicated) > 0);
  for (const auto& values : {with_crashes(CommitMode::with_effect, ProcessedIds::none),
                             with_crashes(CommitMode::after_processing, ProcessedIds::with_effect)}) {
    CHECK(value(values, Metric::processed) == value(values, Metric::offered));
    CHECK(value(values, Metric::effects_duplicated) == 0);
    CHECK(value(values, Metric::effects_missing) == 0);
    CHECK(value(values, Metric::in_flight) == 0);
  }
}
