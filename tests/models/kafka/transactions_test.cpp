// Transactions in a whole world: a group makes charges of orders, another reads the charges.
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using models::Metric;
using models::Scenario;
using models::Step;

namespace {

Scenario charges(std::int32_t version) {
  Scenario s = orders_scenario(16s, sim::ArrivalProcess::poisson(40));
  s.kafka->transaction_version = version;
  s.kafka->config.min_insync_replicas = 2;
  s.kafka->topics[0].partitions = 2;
  s.kafka->topics[0].replication_factor = 3;
  s.kafka->topics.push_back(s.kafka->topics[0]);
  s.kafka->topics.back().name = "charges";
  s.producers[0].keys.count = 50;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 50);
  models::GroupOptions& group = s.groups[0];
  group.members = 2;
  group.commit = models::CommitMode::in_transaction;
  group.service = sim::Distribution::constant(2e6);
  group.config.session_timeout = 6s;
  group.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  group.transform.emplace().to = "charges";
  models::GroupOptions reader;
  reader.name = "ledger";
  reader.topics = {"charges"};
  reader.commit = models::CommitMode::after_processing;
  reader.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  reader.config.read_committed = true;
  s.groups.push_back(reader);
  return s;
}

models::FaultSpec crash_at(std::string target, Step step, std::int64_t nth,
                           std::optional<sim::Duration> length) {
  models::FaultSpec fault;
  fault.kind = "crash";
  fault.target = std::move(target);
  fault.when = models::FaultSpec::When{step, nth, {}};
  fault.duration = length;
  return fault;
}

models::MetricValues run(const Scenario& s, std::uint64_t seed = 1) {
  models::World world(s, seed, {.checked = true});
  models::Observers observers({.warmup = s.warmup, .sample = s.sample, .entities = &world.entities()});
  world.trace().add_sink(observers);
  world.run();
  return observers.values();
}

double value(const models::MetricValues& values, Metric metric) {
  return values[metric].value_or(-1);
}

void check_exactly_once(const models::MetricValues& v) {
  CHECK(value(v, Metric::lost) == 0);
  CHECK(value(v, Metric::in_flight) == 0);
  CHECK(value(v, Metric::outputs_duplicated) == 0);
  CHECK(value(v, Metric::outputs_missing) == 0);
  CHECK(value(v, Metric::aborted_read) == 0);
  CHECK(value(v, Metric::poll_skip) == 0);
  CHECK(value(v, Metric::int_poll_skip) == 0);
  CHECK(value(v, Metric::outputs) > 400);
  CHECK(value(v, Metric::drained) == 1);
}

}  // namespace

TEST_CASE("each input has one committed output whatever step a member dies at") {
  const std::int32_t version = GENERATE(0, 2);
  const Step step = GENERATE(Step::delivered, Step::processed_not_committed, Step::acknowledged,
                             Step::offsets_added, Step::end_txn_sent, Step::transaction_ended);
  Scenario s = charges(version);
  const bool counts_records =
      step == Step::delivered || step == Step::processed_not_committed || step == Step::acknowledged;
  s.faults = {crash_at("billing/0", step, counts_records ? 120 : 40, 1s)};
  INFO("version " << version << ", step " << static_cast<int>(step));
  check_exactly_once(run(s));
}

TEST_CASE("each input has one committed output whatever step a coordinator or leader dies at") {
  const std::int32_t version = GENERATE(0, 2);
  const Step step = GENERATE(Step::transaction_prepared, Step::appended);
  Scenario s = charges(version);
  s.faults = {crash_at("kafka/0", step, 40, 2s)};
  INFO("version " << version << ", step " << static_cast<int>(step));
  const auto v = run(s);
  check_exactly_once(v);
  CHECK(value(v, Metric::faults_fired) == 1);
}

TEST_CASE("brokers that die one after the other leave every transaction whole") {
  Scenario s = charges(2);
  s.duration = 30s;
  s.kafka->config.broker_session_timeout = 2s;
  s.kafka->config.broker_heartbeat_interval = 500ms;
  s.faults = {crash("kafka/0", 6s, 3s), crash("kafka/1", 12s, 3s), crash("kafka/2", 18s, 3s),
              crash("billing/0", 21s, 1s)};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) check_exactly_once(run(s, seed));
}

TEST_CASE("without a transaction the same crash doubles outputs") {
  Scenario s = charges(2);
  s.groups[0].commit = models::CommitMode::after_processing;
  s.faults = {crash_at("billing/0", Step::acknowledged, 120, 1s)};
  const auto v = run(s);
  CHECK(value(v, Metric::outputs_duplicated) > 0);
  CHECK(value(v, Metric::outputs_missing) == 0);
  CHECK(value(v, Metric::transactions_committed) == 0);
}

TEST_CASE("what is committed before it is sent misses its output") {
  Scenario s = charges(2);
  s.groups[0].commit = models::CommitMode::before_processing;
  s.faults = {crash_at("billing/0", Step::processed_not_committed, 120, 1s)};
  s.groups[0].config.max_poll_records = 500;
  s.groups[0].service = sim::Distribution::constant(2e7);
  s.faults = {crash("billing/0", 9s, 1s)};
  const auto v = run(s);
  CHECK(value(v, Metric::lost) + value(v, Metric::outputs_missing) > 0);
  CHECK(value(v, Metric::outputs_duplicated) == 0);
}

TEST_CASE("a reader of uncommitted data sees what is aborted then") {
  Scenario s = charges(2);
  s.groups[1].config.read_committed = false;
  s.faults = {crash_at("billing/0", Step::acknowledged, 120, 1s)};
  const auto v = run(s);
  CHECK(value(v, Metric::aborted) > 0);
  CHECK(value(v, Metric::aborted_read) == value(v, Metric::aborted));
}

TEST_CASE(
    "a transaction whose producer is gone is aborted when its time is over, and holds up readers until "
    "then") {
  Scenario s = charges(2);
  s.groups[0].transform->config.transaction_timeout = 3s;
  s.kafka->config.transaction_abort_timed_out_interval = 500ms;
  s.faults = {crash_at("billing/0", Step::acknowledged, 120, std::nullopt)};
  const auto v = run(s);
  check_exactly_once(v);
  CHECK(value(v, Metric::transactions_aborted) == 1);
  CHECK(value(v, Metric::aborted) > 0);
  CHECK(value(v, Metric::e2e_latency_max_ms) > 3000);
}

TEST_CASE("a transaction timeout above the broker's is refused, and the application ends") {
  Scenario s = charges(2);
  s.kafka->config.transaction_max_timeout = 30s;
  s.drain = 1s;
  CHECK(value(run(s), Metric::transactions_committed) == 0);
}

TEST_CASE("a member that its group has let go cannot commit its offsets in a transaction") {
  Scenario s = charges(2);
  s.duration = 30s;
  s.groups[0].config.max_poll_records = 20;
  models::FaultSpec pause;
  pause.kind = "pause";
  pause.target = "billing/0";
  pause.when = models::FaultSpec::When{Step::processed_not_committed, 120, {}};
  pause.duration = 12s;
  s.faults = {pause};
  const auto v = run(s);
  check_exactly_once(v);
  CHECK(value(v, Metric::duplicated) > 0);
  CHECK(value(v, Metric::transactions_aborted) >= 1);
}

TEST_CASE("an abandoned transaction blocks its group's committed offsets until it is decided") {
  // Another member takes over before the transaction times out: what it reads next waits for the marker (KIP-447).
  Scenario s = charges(2);
  s.duration = 25s;
  s.groups[0].transform->config.transaction_timeout = 12s;
  s.kafka->config.transaction_abort_timed_out_interval = 500ms;
  s.faults = {crash_at("billing/0", Step::offsets_added, 40, std::nullopt)};
  const auto v = run(s);
  check_exactly_once(v);
  CHECK(value(v, Metric::transactions_aborted) == 1);
}
