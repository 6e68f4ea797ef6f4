// A run in the words of kafka-producer-perf-test and kafka-consumer-perf-test, worked out by hand.
#include "experiments/results/perf_test.hpp"

#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace std::chrono_literals;
using namespace story;
using experiments::PerfReport;
using experiments::PerfTest;

namespace {

models::Entities names() {
  models::Entities entities;
  while (entities.all().size() < 60) {
    const auto id = static_cast<std::uint32_t>(entities.all().size());
    if (id == kGroup)
      entities.add(models::EntityKind::group, "billing");
    else if (id == kMember || id == kOtherMember)
      entities.add(models::EntityKind::member, "billing/" + std::to_string(id - kMember),
                   models::EntityId{kGroup});
    else if (id == kProducer)
      entities.add(models::EntityKind::producer, "shop/0");
    else
      entities.add(models::EntityKind::nothing, "");
  }
  return entities;
}

/// Messages of 1 MB.
models::ProducerOptions shop() {
  models::ProducerOptions shop;
  shop.name = "shop";
  shop.instances = 2;
  shop.size = sim::Distribution::constant(1024 * 1024);
  return shop;
}

struct Told {
  models::Entities entities = names();
  PerfTest perf{{shop()}};
  Story story;
  Told() {
    perf.attach(entities);
    story.watch(perf);
    story.subscribe();
  }
  const PerfReport& end() {
    story.end();
    return perf.report();
  }
};

}  // namespace

TEST_CASE("the tool's clock counts whole milliseconds, so that the longest latency is one, too") {
  Told told;
  told.story.at(1s).offer(0, 1).store(0, 1, 0).at(1006400us).acknowledge(0, 1, 0);
  told.story.at(6s).offer(1, 1).store(1, 1, 1).at(6006600us).acknowledge(1, 1, 1);
  const PerfReport& report = told.end();
  REQUIRE(report.producers.size() == 1);
  for (const std::string& line : report.producers[0].lines) INFO(line);
  CHECK(report.producers[0].lines[0].find(", 7.0 ms max latency.") != std::string::npos);
  CHECK(report.producers[0].lines[1].find(", 7.00 ms max latency, 6 ms 50th,") != std::string::npos);
}

TEST_CASE("a producer has a line for every five seconds of successes, and its total") {
  Told told;
  told.story.at(1s).offer(0, 2).store(0, 2, 0).at(1010ms).acknowledge(0, 2, 0);
  told.story.at(6s).offer(2, 2).store(2, 2, 2).at(6020ms).acknowledge(2, 1, 2);
  told.story.at(7s).fail(3, 1);
  const PerfReport& report = told.end();
  REQUIRE(report.producers.size() == 1);
  CHECK(report.producers[0].name == "shop/0");
  CHECK(report.producers[0].lines ==
        std::vector<std::string>{
            "3 records sent, 0.6 records/sec (0.60 MB/sec), 13.3 ms avg latency, 20.0 ms max latency.",
            "3 records sent, 0.597610 records/sec (0.60 MB/sec), 13.33 ms avg latency, 20.00 ms max latency, "
            "10 ms 50th, 20 ms 95th, 20 ms 99th, 20 ms 99.9th."});
}

TEST_CASE("a consumer's time ends with its last records, and without partitions it rebalances") {
  Told told;
  told.story.send(0, 3, 0).high_watermark(3);
  told.story.member_state(models::MemberCode::joining).at(2s).own().at(3s).deliver(0, 2).process(0, 2);
  told.story.at(4s).disown().at(5s).own().at(6s).deliver(2, 1).process(2, 1).at(7s).disown();
  told.story.at(8s).member_state(models::MemberCode::joining, {.member = kOtherMember});
  const PerfReport& report = told.end();
  REQUIRE(report.groups.size() == 1);
  CHECK(report.groups[0].name == "billing");
  const std::vector<std::pair<std::string, std::string>> rows{
      {"billing/0",
       "1970-01-01 00:00:00:000, 1970-01-01 00:00:06:000, 3.0000, 0.5000, 3, 0.5000, 3000, 3000, 1.0000, "
       "1.0000"},
      {"billing/1", "1970-01-01 00:00:08:000, 1970-01-01 00:00:08:000, 0.0000, NaN, 0, NaN, 0, 0, NaN, NaN"}};
  CHECK(report.groups[0].members == rows);
}
