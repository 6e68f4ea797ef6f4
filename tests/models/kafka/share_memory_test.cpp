// What a share group's member may still be told of stays in memory, however soon its partition's log has lost it.
#include <map>

#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Scenario;

namespace {

/// Two leaders with a partition each; answers of the first take longer than its records are kept, those of the second do not.
Scenario far_from_one_leader() {
  Scenario s = orders_scenario(8s, sim::ArrivalProcess::poisson(400));
  s.kafka->brokers = 2;
  s.kafka->config.log_retention_check_interval = 50ms;
  s.kafka->config.log_initial_task_delay = 50ms;
  models::kafka::TopicOptions& topic = s.kafka->topics[0];
  topic.partitions = 2;
  topic.assignment = {{0}, {1}};
  topic.config.segment_interval = 100ms;
  topic.config.retention_ms = 200;
  s.producers[0].keys.count = 100;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 100);
  models::GroupOptions& group = s.groups[0];
  group.type = models::GroupType::share;
  group.config.share.auto_offset_reset = AutoOffsetReset::earliest;
  group.config.max_poll_records = 20;
  models::LinkOverride far;
  far.from = "kafka/0";
  far.to = "billing/0";
  far.one_way = true;
  far.link = s.network.base;
  far.link.latency = sim::Distribution::constant(700e6);
  s.network.overrides.push_back(far);
  return s;
}

}  // namespace

TEST_CASE("records in an answer under way can be read though retention has removed them since", "[share]") {
  Recorder recorder;
  const ObservedRun seen = observed_run(far_from_one_leader(), &recorder);
  REQUIRE(*seen.values[Metric::expired] > 100);
  // Some of the far leader's came when its log had lost them.
  std::map<std::uint32_t, int> delivered;
  for (const sim::TraceRecord& r : recorder.of(Kind::delivered)) ++delivered[r.place];
  CHECK(delivered.size() == 2);
  for (const auto& [place, times] : delivered) {
    CAPTURE(place);
    CHECK(times > 1);
  }
}
