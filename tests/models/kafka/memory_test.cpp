// What a run keeps of __consumer_offsets does not grow with its length, though every commit is a record.

#include "models/kafka/broker/replica.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/group/offsets_store.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;

namespace {

struct Kept {
  std::size_t batches = 0;
  std::size_t records = 0;
};

/// A commit for each record, at 200 records a second; `absent`: a broker is away all the while.
Kept kept_after(sim::Duration duration, bool unclean, bool absent = false) {
  models::Scenario s = orders_scenario(duration, sim::ArrivalProcess::poisson(200));
  s.kafka->config.unclean_leader_election_enable = unclean;
  s.kafka->config.offsets_topic_num_partitions = 1;
  s.kafka->config.group_initial_rebalance_delay = 0ms;
  s.groups[0].commit = models::CommitMode::each_record;
  if (absent) s.faults.push_back(crash("kafka/2", 1s));
  models::World world(s, 1);
  Kept kept;
  CHECK(world.run().drained);
  for (std::uint32_t p = 0; p < world.kafka().partitions().size(); ++p) {
    const models::kafka::PartitionIndex partition{p};
    if (!world.kafka().topic_of(partition).internal) continue;
    kept.batches += world.kafka().shared(partition).store.kept();
    kept.records += world.kafka().offsets_store().kept_records(partition);
  }
  return kept;
}

}  // namespace

TEST_CASE("ten times the commits leave no more batches and records of __consumer_offsets behind") {
  for (const bool unclean : {false, true}) {
    const Kept after_long = kept_after(100s, unclean);
    INFO(after_long.batches << " batches, " << after_long.records << " records, unclean " << unclean);
    CHECK(after_long.batches < 1000);  // of 20,000
    CHECK(after_long.records < 1000);
  }
}

TEST_CASE("while a replica is away, what it would need to lead is kept where it may lead") {
  CHECK(kept_after(30s, true, true).records > 5000);
  CHECK(kept_after(30s, false, true).records < 1000);
}
