// What kafka-consumer-groups --describe shows of a run, and that looking changes nothing.

#include <algorithm>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/group/describe.hpp"
#include "models/kafka/librdkafka.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using models::kafka::GroupDescription;

namespace {

/// A group of two reads four partitions; one member dies at 10 s and is missed 6 s later; the only broker dies at 40 s.
models::Scenario scenario() {
  models::Scenario s = orders_scenario(60s, sim::ArrivalProcess::constant(100));
  s.kafka->brokers = 1;
  s.kafka->topics[0].partitions = 4;
  s.kafka->topics[0].replication_factor = 1;
  models::GroupOptions& group = s.groups[0];
  group.members = 2;
  group.service = sim::Distribution::constant(1e5);
  group.commit = models::CommitMode::after_processing;
  group.config.session_timeout = 6s;
  group.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.faults = {crash("billing/1", 10s, 50s), crash("kafka/0", 40s, 10s)};
  return s;
}

std::vector<GroupDescription> look_at(const std::vector<sim::Duration>& times, const std::string& group,
                                      std::string* digest = nullptr) {
  std::vector<GroupDescription> seen;
  models::WorldOptions options;
  for (const sim::Duration at : times) {
    options.looks.push_back({sim::Time{at}, [&seen, group, at](models::World& world) {
                               CHECK(world.simulation().now() == sim::Time{at});
                               seen.push_back(models::kafka::describe_group(world.kafka(), group));
                             }});
  }
  models::World world(scenario(), 1, options);
  world.run();
  if (digest != nullptr) *digest = world.trace().digest();
  return seen;
}

}  // namespace

TEST_CASE("a run that is looked at has the digest of one that is not") {
  std::string looked, plain;
  CHECK(look_at({1s, 10s, 17s, 45s}, "billing", &looked).size() == 4);
  look_at({}, "billing", &plain);
  CHECK(looked == plain);
}

TEST_CASE("a stable group shows each partition with who reads it, and a dead member's lag grows") {
  const auto seen = look_at({10s, 15s}, "billing");
  for (const GroupDescription& d : seen) {
    CHECK(d.state == "Stable");
    REQUIRE(d.rows.size() == 4);
    for (const auto& row : d.rows) {
      CHECK(row.topic == "orders");
      CHECK(row.client_id == "consumer-billing-1");
      CHECK(row.consumer_id.rfind("consumer-billing-1-", 0) == 0);
      REQUIRE(row.lag());
    }
  }
  models::kafka::Offset dead = 0, alive = 0;
  for (const auto& row : seen[1].rows) (row.host == "/billing/1" ? dead : alive) += *row.lag();
  CHECK(alive < 20);
  CHECK(dead > 200);  // about half of 100 a second for 5 s
}

TEST_CASE(
    "while a group rebalances the survivor shows what it was given, the evicted one nothing, and the table "
    "warns") {
  // Both have joined at once and send their heartbeats together: the survivor's comes as the dead one's session ends, 15 s
  // after the start, and the rebalance takes two requests.
  std::vector<sim::Duration> times;
  for (sim::Duration t = 15s; t < 15s + 10ms; t += 100us) times.push_back(t);
  const auto seen = look_at(times, "billing");
  std::size_t rebalancing = 0;
  for (const GroupDescription& d : seen) {
    const bool warned =
        as_table(d).find("Warning: Consumer group 'billing' is rebalancing.") != std::string::npos;
    CHECK(warned == (d.state == "PreparingRebalance" || d.state == "CompletingRebalance"));
    if (!warned) continue;
    ++rebalancing;
    CHECK(d.rows.size() == 4);
    const auto of = [&d](const std::string& host) {
      return std::count_if(d.rows.begin(), d.rows.end(), [&host](const auto& r) { return r.host == host; });
    };
    CHECK(of("/billing/0") == 2);
    CHECK(of("/billing/1") == 0);
    CHECK(of("") == 2);
  }
  CHECK(rebalancing > 0);
  CHECK(seen.back().state == "Stable");
}

TEST_CASE("without its coordinator a group cannot be described, and one that never was does not exist") {
  CHECK(as_table(look_at({45s}, "billing").front()) ==
        "\nError: the coordinator of consumer group 'billing' is not available.\n");
  CHECK(as_table(look_at({30s}, "biling").front()) == "\nError: Consumer group 'biling' does not exist.\n");
}

TEST_CASE("the table has the columns and widths of Kafka's tool") {
  GroupDescription d;
  d.group = "billing";
  d.coordinator_available = true;
  d.state = "Stable";
  d.rows = {{"orders", 0, 5, 12, "consumer-billing-1-0a", "/billing/0", "consumer-billing-1"},
            {"orders", 1, std::nullopt, std::nullopt, "", "", ""}};
  CHECK(as_table(d) ==
        "\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             "
        "CONSUMER-ID           HOST            CLIENT-ID"
        "\nbilling         orders          0          5               12              7               "
        "consumer-billing-1-0a /billing/0      consumer-billing-1"
        "\nbilling         orders          1          -               -               -               "
        "-                     -               -\n");
}

TEST_CASE(
    "the table of a share group has the columns and widths of Kafka's tool, and is silent about members") {
  GroupDescription d;
  d.group = "billing";
  d.coordinator_available = d.share = true;
  d.state = "Empty";
  CHECK(as_table(d) == "\nShare group 'billing' has no offset information.\n");
  d.rows = {{"orders", 0, 5, 12, "", "", ""}, {"orders", 1, std::nullopt, std::nullopt, "", "", ""}};
  d.rows[0].in_start_lag = 6;
  CHECK(as_table(d) ==
        "\nGROUP           TOPIC           PARTITION  START-OFFSET  LAG"
        "\nbilling         orders          0          5             6"
        "\nbilling         orders          1          -             -\n");
  d.state = "Dead";
  CHECK(as_table(d) == "\nError: Share group 'billing' does not exist.\n");
}

TEST_CASE("a member of librdkafka goes by its client.id") {
  models::Scenario s = scenario();
  s.groups[0].config = models::kafka::librdkafka_consumer();
  std::vector<GroupDescription> seen;
  models::WorldOptions options;
  options.looks.push_back({sim::Time{12s}, [&seen](models::World& world) {
                             seen.push_back(models::kafka::describe_group(world.kafka(), "billing"));
                           }});
  models::World world(s, 1, options);
  world.run();
  REQUIRE(seen.size() == 1);
  REQUIRE_FALSE(seen[0].rows.empty());
  for (const GroupDescription::Row& row : seen[0].rows) {
    CHECK(row.client_id == "rdkafka");
    CHECK(row.consumer_id.rfind("rdkafka-", 0) == 0);
  }
}

TEST_CASE("a group of the consumer protocol shows its members' partitions and states", "[kip848]") {
  models::Scenario s = scenario();
  s.groups[0].config = {};
  s.groups[0].config.group_protocol = models::kafka::GroupProtocol::consumer;
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.groups[0].config.group_instance_id = "m{index}";
  s.faults.clear();
  std::vector<GroupDescription> seen;
  models::WorldOptions options;
  for (const sim::Duration at : {2s, 15s}) {
    options.looks.push_back({sim::Time{at}, [&seen](models::World& world) {
                               seen.push_back(models::kafka::describe_group(world.kafka(), "billing"));
                             }});
  }
  models::World world(s, 1, options);
  world.run();
  REQUIRE(seen.size() == 2);
  // The second member has come within a second of the first one's target, and nothing has been made for it yet.
  CHECK(seen[0].state == "Assigning");
  CHECK(as_table(seen[0]).find("is rebalancing") != std::string::npos);
  CHECK(seen[1].state == "Stable");
  REQUIRE(seen[1].rows.size() == 4);
  CHECK(seen[1].rows[0].client_id.rfind("consumer-billing-m", 0) == 0);
  CHECK(seen[1].rows[0].consumer_id != seen[1].rows[2].consumer_id);
  for (const GroupDescription::Row& row : seen[1].rows) CHECK(row.lag().has_value());
}

TEST_CASE(
    "LAG is what the tool's subtraction gives: below 0 after an unclean election, nothing without an "
    "offset") {
  models::kafka::GroupDescription::Row row;
  row.current_offset = 120;
  CHECK_FALSE(row.lag());
  row.log_end_offset = 100;
  CHECK(row.lag() == -20);
  row.current_offset.reset();
  CHECK_FALSE(row.lag());
}
