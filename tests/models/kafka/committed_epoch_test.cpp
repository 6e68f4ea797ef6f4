// The leader epoch of a commit (KIP-320): a group that comes back to a log which was cut and written anew finds the place
// where the two part, and reads on from there.

#include <vector>

#include "models/metrics/observers.hpp"
#include "models/trace_kinds.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using models::Kind;

namespace {

class Positions final : public sim::TraceSink {
 public:
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind == static_cast<std::uint16_t>(Kind::position)) rows.push_back(r);
    }
  }
  std::vector<sim::TraceRecord> rows;
};

/// kafka/1 leaves the in-sync set, kafka/0 goes on alone, the consumer commits what it reads of it and dies; then kafka/1
/// leads, uncleanly, and writes beyond what was committed before the consumer is back.
models::Scenario cut_behind_a_commit() {
  models::Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(200));
  models::kafka::ClusterOptions& cluster = *s.kafka;
  cluster.config.broker_session_timeout = 1s;
  cluster.config.broker_heartbeat_interval = 300ms;
  cluster.config.unclean_leader_election_enable = true;
  cluster.config.group_initial_rebalance_delay = 0ms;
  cluster.topics[0].replication_factor = 2;
  cluster.topics[0].assignment = {{0, 1}};
  models::GroupOptions& group = s.groups[0];
  group.service = sim::Distribution::constant(1e5);
  group.commit = models::CommitMode::after_processing;
  group.config.session_timeout = 6s;
  group.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.faults = {crash("kafka/1", 2s, 6s), crash("billing/0", 5s, 9s), crash("kafka/0", 6s, 14s)};
  return s;
}

}  // namespace

TEST_CASE("a group whose committed records were cut off goes back to where the logs part") {
  models::Scenario scenario = cut_behind_a_commit();
  models::World world(scenario, 1);
  models::ObserverOptions options;
  options.entities = &world.entities();
  models::Observers observers(options);
  Positions positions;
  world.trace().add_sink(observers);
  world.trace().add_sink(positions);
  CHECK(world.run().drained);
  // Earliest; as committed, after the restart; back to where the logs part.
  REQUIRE(positions.rows.size() == 3);
  const sim::TraceRecord& committed = positions.rows[1];
  const sim::TraceRecord& sought = positions.rows[2];
  CHECK(committed.code == static_cast<std::uint16_t>(models::ResetCode::committed));
  CHECK(sought.code == static_cast<std::uint16_t>(models::ResetCode::sought));
  CHECK(sought.a < committed.a);
  CHECK(sought.b == committed.a);
  // What the second leader took is read, every record of it: only what was cut off unread is lost.
  for (const models::Anomaly& row : observers.anomalies().rows()) {
    INFO(row.offset << " + " << row.count);
    CHECK((row.verdict != models::Verdict::lost || row.offset < 0));
  }
}
