// message.timestamp.*: whose clock counts, and how far it may be wrong.
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/observed_run.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

Scenario skewed(sim::Duration ahead) {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(50));
  s.producers[0].clock_ahead = ahead;
  s.groups[0].config.auto_offset_reset = AutoOffsetReset::earliest;
  return s;
}

}  // namespace

TEST_CASE(
    "a record from a future that is too far is refused, unless any future or the broker's time will do") {
  using models::Metric;
  CHECK(observed(skewed(59min), Metric::acknowledged) > 100);
  CHECK(observed(skewed(61min), Metric::acknowledged) == 0);
  Scenario any = skewed(61min);
  any.kafka->config.log_message_timestamp.after_max = kNever;
  CHECK(observed(any, Metric::acknowledged) > 100);
  Scenario own = skewed(61min);
  own.kafka->topics[0].config.message_timestamp.log_append_time = true;
  CHECK(observed(own, Metric::acknowledged) > 100);
}

TEST_CASE("a record that is too old is refused where that has a bound") {
  ClusterFixture f([] {
    FixtureOptions options;
    options.topic.message_timestamp.before_max = 5s;
    return options;
  }());
  f.run_for(20s);
  const auto fresh = f.produce(BrokerId{0}, 1);
  f.run_for(1s);
  CHECK(fresh->error == ErrorCode::none);
  Scenario late = skewed(-6s);
  CHECK(observed(late, models::Metric::acknowledged) > 100);
  late.kafka->config.log_message_timestamp.before_max = 5s;
  CHECK(observed(late, models::Metric::acknowledged) == 0);
}

TEST_CASE("records from the future keep a segment from being deleted, which the broker's time prevents") {
  const auto expired = [](bool broker_time) {
    Scenario s = skewed(30min);
    s.duration = 60s;
    s.kafka->config.log_retention_ms = 5000;
    s.kafka->config.log_retention_check_interval = 1s;
    s.kafka->config.log_initial_task_delay = 1s;
    s.kafka->config.log_roll = 5s;
    s.kafka->config.log_message_timestamp.log_append_time = broker_time;
    s.groups[0].start = 55s;
    return observed(s, models::Metric::expired);
  };
  CHECK(expired(false) == 0);
  CHECK(expired(true) > 1000);
}
