// A Streams application that counts by window and commits at intervals: what a crash at any step of its work leaves of the
// counts.
#include <algorithm>
#include <string>
#include <vector>

#include "models/kafka/streams.hpp"
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::Metric;
using models::Scenario;
using models::Step;

namespace {

/// "billing" counts orders of twenty users in windows of two seconds, in two members.
Scenario counting(bool exactly_once) {
  Scenario s = orders_scenario(20s, sim::ArrivalProcess::poisson(100));
  s.drain = 60s;
  models::kafka::ClusterOptions& cluster = *s.kafka;
  cluster.config.group_initial_rebalance_delay = 0ms;
  cluster.topics[0].partitions = 2;
  cluster.topics.push_back(cluster.topics[0]);
  cluster.topics[1].name = "changelog";
  s.producers[0].keys.count = 20;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 19);
  models::GroupOptions& group = s.groups[0];
  group.members = 2;
  group.service = sim::Distribution::constant(1e6);
  group.streams.emplace().windows = models::WindowOptions{.size = 2s, .grace = 1s};
  group.streams->config.exactly_once = exactly_once;
  group.transform.emplace().to = "changelog";
  models::kafka::prefer_streams_settings(group);
  group.config.session_timeout = 6s;
  return s;
}

models::FaultSpec crash_at(Step step, std::int64_t nth) {
  models::FaultSpec fault = crash("billing/0", 0s, 1s);
  fault.at.reset();
  fault.when = {step, nth, {}};
  return fault;
}

struct Counted {
  explicit Counted(const Scenario& scenario, std::uint64_t seed = 1) {
    models::World world(scenario, seed);
    models::Observers observers;
    world.trace().add_sink(observers);
    world.trace().add_sink(recorder);
    const models::RunOutcome outcome = world.run();
    drained = outcome.drained;
    fired = std::all_of(outcome.faults_fired.begin(), outcome.faults_fired.end(),
                        [](std::uint64_t n) { return n > 0; });
    values = observers.values();
  }
  double operator[](Metric metric) const { return values[metric].value_or(-1); }
  bool exact() const {
    return (*this)[Metric::windows] > 0 && (*this)[Metric::windows_overcounted] == 0 &&
           (*this)[Metric::windows_undercounted] == 0 && (*this)[Metric::outputs_duplicated] == 0 &&
           (*this)[Metric::outputs_missing] == 0;
  }

  Recorder recorder;
  models::MetricValues values;
  bool drained = false;
  bool fired = false;
};

}  // namespace

TEST_CASE("streams: without a crash either guarantee counts right", "[windows]") {
  for (const bool exactly_once : {false, true}) {
    const Counted counted(counting(exactly_once));
    CHECK(counted.drained);
    CHECK(counted.exact());
    CHECK(counted[Metric::late_records] == 0);
    CHECK(counted[Metric::outputs] == counted[Metric::processed]);
  }
}

TEST_CASE("streams: a transaction spans the commit interval", "[windows]") {
  const Counted often(counting(true));
  // Ten a second for each of two members, at most.
  CHECK(often[Metric::transactions_committed] > 300);
  CHECK(often[Metric::transactions_committed] <= 410);
  Scenario s = counting(true);
  s.groups[0].streams->config.commit_interval = 2s;
  const Counted seldom(s);
  CHECK(seldom[Metric::transactions_committed] >= 18);
  CHECK(seldom[Metric::transactions_committed] <= 24);
  CHECK(seldom.exact());
}

TEST_CASE("streams: at_least_once commits once an interval, what has been flushed", "[windows]") {
  Scenario s = counting(false);
  s.groups[0].streams->config.commit_interval = 2s;
  const Counted counted(s);
  const auto commits = counted.recorder.of(Kind::committed);
  CHECK(commits.size() >= 18);
  CHECK(commits.size() <= 24);
  CHECK(counted.drained);  // the last of them ends the drain
}

TEST_CASE("streams: exactly_once_v2 is exact whatever step a member dies at", "[windows]") {
  struct Row {
    Step step;
    std::int64_t nth;
  };
  for (const Row row :
       {Row{Step::delivered, 321}, Row{Step::processed_not_committed, 322}, Row{Step::acknowledged, 323},
        Row{Step::offsets_added, 31}, Row{Step::end_txn_sent, 32}, Row{Step::transaction_ended, 33}}) {
    Scenario s = counting(true);
    s.faults.push_back(crash_at(row.step, row.nth));
    const Counted counted(s);
    INFO(static_cast<int>(row.step));
    CHECK(counted.fired);
    CHECK(counted.drained);
    CHECK(counted.exact());
  }
}

TEST_CASE("streams: at_least_once counts again what was not committed", "[windows]") {
  for (const Step step : {Step::acknowledged, Step::commit_sent}) {
    Scenario s = counting(false);
    s.groups[0].streams->config.commit_interval = 3s;
    s.faults.push_back(crash_at(step, step == Step::commit_sent ? 2 : 321));
    const Counted counted(s);
    CHECK(counted.fired);
    CHECK(counted[Metric::outputs_missing] == 0);
    if (step == Step::commit_sent) continue;  // it may have been written in time
    CHECK(counted[Metric::windows_overcounted] > 5);
    CHECK(counted[Metric::outputs_duplicated] > 20);
  }
  // After the answer nothing is open.
  Scenario s = counting(false);
  s.groups[0].streams->config.commit_interval = 3s;
  s.faults.push_back(crash_at(Step::committed, 2));
  const Counted counted(s);
  CHECK(counted.fired);
  CHECK(counted.exact());
}

TEST_CASE("streams: a zombie of at_least_once overwrites what its successor has counted", "[windows]") {
  Scenario s = counting(false);
  models::FaultSpec pause;
  pause.kind = "pause";
  pause.target = "billing/0";
  pause.when = {Step::processed_not_committed, 400, {}};
  pause.duration = 9s;
  s.faults.push_back(pause);
  s.groups[0].streams->windows->size = 20s;
  const Counted twice(s);
  CHECK(twice.fired);
  CHECK(twice[Metric::windows_overcounted] + twice[Metric::windows_undercounted] > 0);
  s = counting(true);
  s.faults.push_back(pause);
  s.groups[0].streams->windows->size = 20s;
  const Counted once(s);
  CHECK(once.fired);
  CHECK(once.exact());
}

namespace {

/// The only member stands still for longer than its session and its transaction's time-out, with a transaction open.
Scenario fenced(bool exactly_once, std::int32_t transaction_version, bool consumer_protocol) {
  Scenario s = counting(exactly_once);
  s.kafka->transaction_version = transaction_version;
  models::GroupOptions& group = s.groups[0];
  group.members = 1;
  group.streams->config.commit_interval = 1s;
  group.streams->windows->size = 20s;
  group.transform->config.transaction_timeout = 4s;
  if (consumer_protocol) group.config.group_protocol = models::kafka::GroupProtocol::consumer;
  s.kafka->config.group_consumer_session_timeout = s.kafka->config.group_consumer_min_session_timeout = 6s;
  models::FaultSpec pause;
  pause.kind = "pause";
  pause.target = "billing/0";
  pause.when = {Step::processed_not_committed, 480, {}};
  pause.duration = 9s;
  s.faults.push_back(pause);
  return s;
}

}  // namespace

// StreamThread.handleTaskMigrated, TaskManager.handleLostAll
TEST_CASE("streams: a thread that was fenced gives its tasks up and works on with a new producer",
          "[windows]") {
  for (const bool consumer_protocol : {false, true}) {
    for (const std::int32_t version : {0, 1, 2}) {
      const Counted counted(fenced(true, version, consumer_protocol));
      INFO("transaction.version " << version << (consumer_protocol ? ", consumer protocol" : ""));
      CHECK(counted.fired);
      CHECK(counted.drained);
      CHECK(counted.exact());
      CHECK(counted[Metric::transactions_aborted] > 0);  // the zombie's
      CHECK(counted[Metric::in_flight] == 0);
      CHECK(counted[Metric::lost] == 0);
      CHECK(counted[Metric::duplicated] > 0);  // what it had counted is counted again, and once
    }
  }
}

TEST_CASE("streams: with at_least_once a thread that was fenced repeats, and leaves nothing out",
          "[windows]") {
  for (const bool consumer_protocol : {false, true}) {
    Scenario s = fenced(false, 2, consumer_protocol);
    s.faults[0].when = {Step::acknowledged, 433, {}};  // in the changelog, and not committed
    const Counted counted(s);
    INFO(consumer_protocol);
    CHECK(counted.fired);
    CHECK(counted.drained);
    CHECK(counted[Metric::outputs_duplicated] > 0);
    CHECK(counted[Metric::outputs_missing] == 0);
    CHECK(counted[Metric::windows_undercounted] == 0);
    CHECK(counted[Metric::lost] + counted[Metric::in_flight] == 0);
  }
}

// TxnOffsetCommit answers UNKNOWN_MEMBER_ID while the producer itself is good: CommitFailedException is a TaskMigratedException.
TEST_CASE("streams: a thread whose member is gone ends its transaction and joins anew", "[windows]") {
  Scenario s = fenced(true, 2, false);
  s.groups[0].config.session_timeout = 6s;
  s.groups[0].transform->config.transaction_timeout = 30s;
  const Counted counted(s);
  CHECK(counted.fired);
  CHECK(counted.drained);
  CHECK(counted.exact());
  CHECK(counted[Metric::transactions_aborted] > 0);
}

TEST_CASE("streams: what is open is committed before a partition is given up", "[windows]") {
  for (const bool consumer_protocol : {false, true}) {
    for (const bool exactly_once : {false, true}) {
      Scenario s = counting(exactly_once);
      s.groups[0].streams->config.commit_interval = 8s;
      if (consumer_protocol) s.groups[0].config.group_protocol = models::kafka::GroupProtocol::consumer;
      models::FaultSpec join;
      join.kind = "join";
      join.target = "billing/1";
      join.at = 5s;
      s.faults.push_back(join);
      const Counted counted(s);
      INFO(consumer_protocol << exactly_once);
      CHECK(counted.fired);
      CHECK(counted.drained);
      CHECK(counted.exact());
      CHECK(counted[Metric::transactions_aborted] == 0);
    }
  }
}

TEST_CASE("streams: a member that leaves commits what is open", "[windows]") {
  for (const bool exactly_once : {false, true}) {
    Scenario s = counting(exactly_once);
    s.groups[0].streams->config.commit_interval = 8s;
    models::FaultSpec leave;
    leave.kind = "leave";
    leave.target = "billing/0";
    leave.at = 5s;
    s.faults.push_back(leave);
    const Counted counted(s);
    CHECK(counted.fired);
    CHECK(counted.exact());
  }
}

TEST_CASE("streams: what comes too late is dropped, and is not missing", "[windows]") {
  Scenario s = counting(true);
  s.producers.push_back(s.producers[0]);
  s.producers[1].name = "phones";
  s.producers[1].clock_ahead = -2500ms;
  const Counted dropped(s);
  CHECK(dropped[Metric::late_records] > 100);
  CHECK(dropped[Metric::outputs] + dropped[Metric::late_records] == dropped[Metric::processed]);
  CHECK(dropped.exact());
  s.groups[0].streams->windows->grace = 4s;
  const Counted patient(s);
  CHECK(patient[Metric::late_records] == 0);
  CHECK(patient.exact());
}
