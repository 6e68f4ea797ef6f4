// Rules of the protocol beyond truncation: each changes what a run does, in the way its row says.
#include <algorithm>
#include <map>

#include "models/kafka/producer/partitioner.hpp"
#include "models/kafka/version_defaults.hpp"
#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;

namespace {

Scenario keyless(Rule off) {
  Scenario s = orders_scenario(5s, sim::ArrivalProcess::poisson(400));
  s.kafka->topics[0].partitions = 4;
  s.producers[0].config.linger = 0ms;
  if (off != Rule::count_) s.kafka->rules.set(off, false);
  return s;
}

/// The partitions of the batches that leaders stored, in order.
std::vector<std::uint32_t> stored(const Scenario& s) {
  models::World world(s, 1);
  Recorder recorder;
  world.trace().add_sink(recorder);
  world.run();
  std::vector<std::uint32_t> places;
  for (const sim::TraceRecord& r : recorder.of(Kind::stored)) places.push_back(r.place);
  return places;
}

std::size_t moves(const std::vector<std::uint32_t>& places) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < places.size(); ++i) count += places[i] != places[i - 1] ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE(
    "keyless messages go round (before KIP-480), stay for a batch (KIP-480), or for batch.size bytes "
    "(KIP-794)") {
  const auto in_turn = stored(keyless(Rule::sticky_partitioner));
  const auto by_batch = stored(keyless(Rule::uniform_sticky_partitioner));
  const auto by_bytes = stored(keyless(Rule::count_));
  REQUIRE(by_bytes.size() > 100);
  CHECK(moves(in_turn) > in_turn.size() * 9 / 10);
  CHECK(moves(by_batch) > by_batch.size() / 2);
  CHECK(moves(by_bytes) < by_bytes.size() / 10);
}

TEST_CASE("a sticky partitioner that goes by batches moves when one is done, however small or large") {
  StickyPartitioner sticky(1000, sim::Stream(1, "draws"), true);
  const std::vector<std::uint32_t> all{0, 1, 2};
  sticky.pick(all);
  CHECK_FALSE(sticky.may_move(true));
  sticky.add(10);
  CHECK(sticky.may_move(true));
  sticky.add(100'000);
  CHECK_FALSE(sticky.may_move(false));
}

TEST_CASE("before KIP-394 a join whose answer is lost leaves a member that nobody is") {
  for (const bool id_first : {true, false}) {
    Scenario s = orders_scenario(40s, sim::ArrivalProcess::poisson(20));
    s.groups[0].members = 1;
    s.groups[0].config.session_timeout = 10s;
    s.kafka->brokers = 1;
    s.kafka->rules.set(Rule::member_id_first, id_first);
    models::FaultSpec
        reset;  // the connections of the coordinator are lost while the member waits for the answer to its join
    reset.kind = "connection-reset";
    reset.target = "kafka/0";
    reset.at = 1500ms;
    s.faults = {reset};
    models::World world(s, 1);
    models::Observers observers;
    world.trace().add_sink(observers);
    world.run();
    CHECK((observers.values()[models::Metric::members_evicted] > 0) == !id_first);
  }
}

TEST_CASE("before KIP-447 offsets in a transaction are taken from a member of an earlier generation") {
  const auto commits = [](bool with_generation) {
    Scenario s = orders_scenario(40s, sim::ArrivalProcess::poisson(50));
    s.kafka->topics[0].partitions = 2;
    s.kafka->topics.push_back(s.kafka->topics[0]);
    s.kafka->topics.back().name = "charges";
    s.kafka->rules.set(Rule::generation_with_offsets, with_generation);
    models::GroupOptions& group = s.groups[0];
    group.members = 2;
    group.service = sim::Distribution::constant(5e6);
    group.transform.emplace().to = "charges";
    group.commit = models::CommitMode::in_transaction;
    group.config.session_timeout = 6s;
    group.config.auto_offset_reset = AutoOffsetReset::earliest;
    models::FaultSpec pause = crash("billing/0", 10s, 10s);
    pause.kind = "pause";
    s.faults = {pause};
    models::World world(s, 1);
    world.run();
    return world.trace().digest();
  };
  CHECK(commits(true) != commits(false));
}

TEST_CASE("each earlier default is a value that its setting takes, and another than today's") {
  for (const EarlierDefault& row : earlier_defaults()) {
    INFO(row.key);
    const auto known = key_catalogue();
    const auto info = std::find_if(known.begin(), known.end(), [&row](const KeyInfo& key) {
      return key.scope == row.scope && key.name == row.key && key.modelled;
    });
    REQUIRE(info != known.end());
    CHECK(info->default_value != row.value);
    BrokerConfig broker;
    ProducerConfig producer;
    ConsumerConfig consumer;
    const auto error = row.scope == KeyScope::broker     ? set(broker, row.key, row.value)
                       : row.scope == KeyScope::producer ? set(producer, row.key, row.value)
                                                         : set(consumer, row.key, row.value);
    CHECK_FALSE(error);
  }
}
