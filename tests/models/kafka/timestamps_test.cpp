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

TEST_CASE("a group that begins by a duration reads what is not older (KIP-1106)") {
  using models::Metric;
  const auto skipped = [](const char* reset) {
    Scenario s = skewed({});
    s.duration = 20s;
    s.groups[0].start = 10s;
    REQUIRE_FALSE(models::kafka::set(s.groups[0].config, "auto.offset.reset", reset));
    CHECK(observed(s, Metric::lost) == 0);
    return observed(s, Metric::skipped);
  };
  const double half = skipped("by_duration:PT5S");
  CHECK(half > 150);  // of 50 a second, 5 of 10 s and more until the group has its partitions
  CHECK(half < 550);
  CHECK(skipped("by_duration:P1DT1M") == 0);
  CHECK(skipped("by_duration:PT0S") > half);
  CHECK(skipped("latest") >= skipped("by_duration:PT0S"));
}

TEST_CASE("a duration is what java.time.Duration.parse takes and is not below 0") {
  models::kafka::ConsumerConfig config;
  for (const char* good : {"PT5S", "P1D", "P2DT3H4M5.5S", "PT0.000000001S", "PT1H"}) {
    INFO(good);
    CHECK_FALSE(set(config, "auto.offset.reset", std::string("by_duration:") + good));
  }
  REQUIRE_FALSE(set(config, "auto.offset.reset", "by_duration:P2DT3H4M5.5S"));
  CHECK(config.reset_duration == 48h + 3h + 4min + 5s + 500ms);
  for (const char* bad :
       {"", "P", "PT", "5S", "PT-5S", "P1H", "PT1D", "P1DT", "PT5", "PT1.5M", "PT5S1M", "P1W"}) {
    INFO(bad);
    CHECK(set(config, "auto.offset.reset", std::string("by_duration:") + bad));
  }
}
