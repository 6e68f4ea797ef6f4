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

// ---- a producer's own transactions ----------------------------------------------------------------------------

namespace {

/// "shop" commits ten times a second; "billing" reads what is committed.
Scenario own_transactions(std::int32_t version) {
  Scenario s = charges(version);
  s.groups.erase(s.groups.begin());
  s.groups[0].topics = {"orders"};
  s.producers[0].transactions = models::TransactionOptions{.every = 100ms, .aborts = 0};
  return s;
}

}  // namespace

TEST_CASE("what a producer sends between two commits is one transaction") {
  const auto v = run(own_transactions(GENERATE(1, 2)));
  CHECK(value(v, Metric::offered) > 500);
  CHECK(value(v, Metric::processed) == value(v, Metric::offered));
  CHECK(value(v, Metric::duplicated) == 0);
  CHECK(value(v, Metric::in_flight) == 0);
  CHECK(value(v, Metric::transactions_committed) > 80);
  CHECK(value(v, Metric::transactions_committed) < 160);
  CHECK(value(v, Metric::e2e_latency_mean_ms) > 50);
  CHECK(value(v, Metric::drained) == 1);
}

TEST_CASE("what its application aborts is read by nobody, and all else is") {
  Scenario s = own_transactions(GENERATE(1, 2));
  s.producers[0].transactions->aborts = 0.5;
  const auto v = run(s);
  CHECK(value(v, Metric::aborted) > 100);
  // What was not sent yet when the application aborted has failed.
  CHECK(value(v, Metric::processed) + value(v, Metric::aborted) + value(v, Metric::failed) ==
        value(v, Metric::offered));
  CHECK(value(v, Metric::aborted_read) == 0);
  CHECK(value(v, Metric::lost) == 0);
  CHECK(value(v, Metric::unseen) == 0);
  CHECK(value(v, Metric::lost_write) == 0);
  CHECK(value(v, Metric::poll_skip) + value(v, Metric::int_poll_skip) == 0);
}

TEST_CASE("a producer that comes back aborts what its former life left open") {
  Scenario s = own_transactions(GENERATE(1, 2));
  s.faults = {crash_at("shop", Step::acknowledged, 200, 500ms)};
  const auto v = run(s);
  CHECK(value(v, Metric::transactions_aborted) == 1);
  CHECK(value(v, Metric::aborted) > 0);
  CHECK(value(v, Metric::lost) == 0);
  CHECK(value(v, Metric::aborted_read) == 0);
  CHECK(value(v, Metric::drained) == 1);
}

TEST_CASE("brokers that die one after the other leave a producer's transactions whole") {
  Scenario s = own_transactions(2);
  s.duration = 25s;
  s.kafka->config.broker_session_timeout = 2s;
  s.kafka->config.broker_heartbeat_interval = 500ms;
  s.faults = {crash("kafka/0", 5s, 3s), crash("kafka/1", 11s, 3s), crash("kafka/2", 17s, 3s)};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto v = run(s, seed);
    CHECK(value(v, Metric::lost) == 0);
    CHECK(value(v, Metric::aborted_read) == 0);
    CHECK(value(v, Metric::duplicated) == 0);
    CHECK(value(v, Metric::drained) == 1);
  }
}

TEST_CASE("an application that aborts transforms again until it commits") {
  Scenario s = charges(GENERATE(1, 2));
  s.groups[0].transform->aborts = 0.4;
  const auto v = run(s);
  check_exactly_once(v);
  CHECK(value(v, Metric::transactions_aborted) > 20);
  CHECK(value(v, Metric::duplicated) > 20);
}

TEST_CASE("without KIP-890 a late request to commit ends the transaction that is open then") {
  const std::int32_t version = GENERATE(1, 2);
  // The coordinator of the group is kafka/0, far away, so that a transaction is open for long; of the transactions it is
  // kafka/2, to which one request of the worker comes four seconds late.
  Scenario s = charges(version);
  for (models::kafka::TopicOptions& topic : s.kafka->topics) topic.assignment = {{1, 2, 0}, {1, 0, 2}};
  s.network.base.latency = sim::Distribution::constant(5e6);
  s.groups[0].service = sim::Distribution::exponential(1'000'000);
  s.network.overrides.push_back({"billing/0", "kafka/0", false, {}});
  s.network.overrides.back().link.latency = sim::Distribution::constant(80e6);
  s.groups[0].transform->config.request_timeout = 1s;
  models::FaultSpec slow;
  slow.kind = "delay";
  slow.target = "billing/0";
  slow.other = "kafka/2";
  slow.one_way = true;
  slow.delay = sim::Distribution::constant(4e9);
  slow.when = models::FaultSpec::When{Step::offsets_added, 10, {}};
  slow.duration = 50ms;
  s.faults = {slow};
  s.duration = 20s;
  std::uint64_t doubled = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto v = run(s, seed);
    CHECK(value(v, Metric::faults_fired) == 1);
    CHECK(value(v, Metric::lost) == 0);
    doubled += value(v, Metric::outputs_duplicated) > 0 ? 1 : 0;
  }
  INFO("version " << version);
  CHECK((doubled > 0) == (version == 1));
}

TEST_CASE("a batch that comes after its transaction was aborted opens none that nobody ends") {
  const auto [version, verification] = GENERATE(std::pair{1, false}, std::pair{1, true}, std::pair{2, true});
  // Of "billing" and "billing-0" the coordinators are kafka/0 and kafka/2; the way to kafka/1, which leads all outputs, is slow.
  Scenario s = charges(version);
  s.kafka->config.transaction_partition_verification_enable = verification;
  s.kafka->config.transaction_abort_timed_out_interval = 1s;
  s.kafka->config.group_initial_rebalance_delay = 0ms;
  s.kafka->topics[0].assignment = {{0, 1, 2}, {2, 0, 1}};
  s.kafka->topics[1].assignment = {{1, 0, 2}, {1, 2, 0}};
  s.groups[0].service = sim::Distribution::constant(40e6);
  models::kafka::ProducerConfig& config = s.groups[0].transform->config;
  config.request_timeout = 1s;
  config.delivery_timeout = 1500ms;
  config.transaction_timeout = 5s;
  s.producers[0].arrivals = sim::ArrivalProcess::poisson(30);
  s.producers[0].messages = 390;
  s.duration = 24s;
  s.drain = 20s;
  models::FaultSpec slow;
  slow.kind = "delay";
  slow.target = "billing/0";
  slow.other = "kafka/1";
  slow.one_way = true;
  slow.delay = sim::Distribution::constant(6e9);
  slow.at = 10s;
  slow.duration = 2500ms;
  s.faults = {slow, crash("billing/0", 11900ms)};
  const auto v = run(s);
  INFO("version " << version << ", verification " << verification);
  CHECK(value(v, Metric::transactions_aborted) >= 1);
  CHECK((value(v, Metric::in_flight) > 0) == !verification);
  CHECK(value(v, Metric::drained) == (verification ? 1 : 0));
  CHECK(value(v, Metric::outputs_duplicated) == 0);
}
