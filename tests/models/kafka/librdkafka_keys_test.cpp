// Every key of librdkafka that is called modelled changes what a run does; its defaults are those of CONFIGURATION.md.
#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

#include "models/kafka/librdkafka.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/small_world.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using models::Scenario;
using models::kafka::KeyInfo;
using models::kafka::KeyScope;

namespace {

/// small_world() with clients of librdkafka.
Scenario rdkafka_world() {
  Scenario s = small_world();
  s.producers[0].config = models::kafka::librdkafka_producer();
  s.groups[0].config = models::kafka::librdkafka_consumer();
  s.groups[0].config.session_timeout = 10s;
  return s;
}

models::ProducerOptions& producer(Scenario& s) {
  return s.producers[0];
}
models::GroupOptions& group(Scenario& s) {
  return s.groups[0];
}
void no_keys(Scenario& s) {
  producer(s).keys.count = 0;
}
void waits_for_commits(Scenario& s) {
  group(s).commit = models::CommitMode::after_processing;
}
void idempotent(Scenario& s) {
  producer(s).config.enable_idempotence = true;
}
/// One broker, so that whoever wants anything waits for this one connection.
void alone(Scenario& s) {
  s.kafka->brokers = 1;
  s.kafka->topics[0].replication_factor = 1;
  s.kafka->config.min_insync_replicas = 1;
  s.faults = {crash("kafka/0", 8s, 4s)};
}
/// Brokers that nobody reaches, and who are not known to be gone.
void out_of_reach(Scenario& s) {
  for (models::FaultSpec& fault : s.faults) fault.kind = "isolate";
}
/// A follower stands still: the broker gives up waiting for it, not the client.
void a_slow_follower(Scenario& s) {
  s.kafka->config.min_insync_replicas = 3;
  s.faults = {crash("kafka/1", 5s, 9s)};
  s.faults[0].kind = "pause";
  s.kafka->config.broker_session_timeout = 30s;
}
void slow_brokers(Scenario& s) {
  s.kafka->service.request = sim::Distribution::exponential(3'000'000);
}
void a_member_missing(Scenario& s) {
  s.faults = {crash("billing/0", 7s, 12s)};
}
void with_a_selector(Scenario& s) {
  s.kafka->brokers = 4;
  s.kafka->racks = {"a", "a", "b", "b"};
  s.kafka->topics[0].replication_factor = 2;
  s.kafka->config.min_insync_replicas = 1;
  s.kafka->config.broker_rack = "{rack}";
  s.kafka->config.rack_aware_replica_selector = true;
  group(s).rack = "b";
  group(s).config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
}
/// Transactions of the producer's own, of which the reader knows.
void in_transactions(Scenario& s) {
  idempotent(s);
  producer(s).config.max_in_flight_requests_per_connection = 5;
  producer(s).transactions = models::TransactionOptions{.every = 200ms, .aborts = 0.3};
}
void abandons_a_transaction(Scenario& s) {
  in_transactions(s);
  s.kafka->config.transaction_abort_timed_out_interval = 1s;
  s.faults = {crash("shop", 4s, 12s)};
}

struct Row {
  KeyScope scope;
  std::string_view key, value;
  std::function<void(Scenario&)> prepare = {};
};

const std::vector<Row>& rows() {
  constexpr KeyScope kP = KeyScope::librdkafka_producer;
  constexpr KeyScope kC = KeyScope::librdkafka_consumer;
  static const std::vector<Row> all{
      {kP, "acks", "1"},
      {kP, "request.required.acks", "0"},
      {kP, "enable.idempotence", "true"},
      {kP, "message.send.max.retries", "0"},
      {kP, "retries", "0"},
      {kP, "message.timeout.ms", "500"},
      {kP, "delivery.timeout.ms", "500"},
      {kP, "request.timeout.ms", "200", a_slow_follower},
      {kP, "socket.timeout.ms", "200", out_of_reach},
      {kP, "queue.buffering.max.ms", "0"},
      {kP, "linger.ms", "0"},
      {kP, "queue.buffering.max.messages", "20"},
      {kP, "queue.buffering.max.kbytes", "1000"},
      {kP, "batch.size", "300"},
      {kP, "batch.num.messages", "1"},
      {kP, "message.max.bytes", "1000",
       [](Scenario& s) { producer(s).size = sim::Distribution::exponential(900); }},
      {kP, "max.in.flight.requests.per.connection", "1", slow_brokers},
      {kP, "max.in.flight", "1", slow_brokers},
      {kP, "retry.backoff.ms", "1"},
      {kP, "retry.backoff.max.ms", "100"},
      {kP, "reconnect.backoff.ms", "5"},
      {kP, "reconnect.backoff.max.ms", "100"},
      {kP, "topic.metadata.refresh.interval.ms", "100"},
      {kP, "partitioner", "murmur2_random"},
      {kP, "sticky.partitioning.linger.ms", "50", no_keys},
      {kP, "transactional.id", "writer", in_transactions},
      {kP, "transaction.timeout.ms", "3000", abandons_a_transaction},
      {kC, "session.timeout.ms", "6000", a_member_missing},
      {kC, "heartbeat.interval.ms", "500"},
      {kC, "max.poll.interval.ms", "100", waits_for_commits},
      {kC, "enable.auto.commit", "false"},
      {kC, "auto.commit.interval.ms", "100"},
      {kC, "auto.offset.reset", "beginning"},
      {kC, "fetch.min.bytes", "10000"},
      {kC, "fetch.wait.max.ms", "1"},
      {kC, "fetch.max.bytes", "1"},
      {kC, "fetch.message.max.bytes", "1"},
      {kC, "max.partition.fetch.bytes", "1"},
      {kC, "partition.assignment.strategy", "roundrobin"},
      {kC, "group.instance.id", "m{index}"},
      {kC, "isolation.level", "read_uncommitted", in_transactions},
      {kC, "client.rack", "{rack}", with_a_selector},
      {kC, "socket.timeout.ms", "200"},
      {kC, "retry.backoff.ms", "1"},
      {kC, "retry.backoff.max.ms", "50", waits_for_commits},
      {kC, "reconnect.backoff.ms", "5", alone},
      {kC, "reconnect.backoff.max.ms", "150", alone},
      {kC, "topic.metadata.refresh.interval.ms", "100"},
  };
  return all;
}

auto digest_of(Scenario s) {
  models::kafka::finish_librdkafka(s.producers[0].config);
  models::World world(s, 1);
  world.run();
  return world.trace().digest();
}

}  // namespace

TEST_CASE("every modelled key of librdkafka changes a run when it is set to an extreme") {
  for (const Row& row : rows()) {
    Scenario without = rdkafka_world();
    if (row.prepare) row.prepare(without);
    Scenario with = without;
    if (row.scope == KeyScope::librdkafka_producer)
      REQUIRE_FALSE(models::kafka::set_librdkafka(with.producers[0].config, row.key, row.value));
    else
      REQUIRE_FALSE(models::kafka::set_librdkafka(with.groups[0].config, row.key, row.value));
    INFO(row.key << " = " << row.value);
    CHECK(digest_of(without) != digest_of(with));
  }
}

TEST_CASE("no modelled key of librdkafka is left out, and each default is what the client begins with") {
  for (const KeyInfo& key : models::kafka::key_catalogue()) {
    const bool producers = key.scope == KeyScope::librdkafka_producer;
    if (!key.modelled || (!producers && key.scope != KeyScope::librdkafka_consumer)) continue;
    INFO(key.name);
    CHECK(std::any_of(rows().begin(), rows().end(),
                      [&key](const Row& row) { return row.scope == key.scope && row.key == key.name; }));
    if (key.default_value == "null" || key.default_value.empty()) continue;
    models::kafka::ProducerConfig producer = models::kafka::librdkafka_producer();
    models::kafka::ConsumerConfig consumer = models::kafka::librdkafka_consumer();
    const auto error = producers ? set_librdkafka(producer, key.name, key.default_value)
                                 : set_librdkafka(consumer, key.name, key.default_value);
    CHECK_FALSE(error.has_value());
  }
}

TEST_CASE("the defaults set by name change nothing in a client of librdkafka") {
  Scenario named = rdkafka_world();
  for (const KeyInfo& key : models::kafka::key_catalogue()) {
    if (!key.modelled || key.default_value == "null" || key.default_value.empty()) continue;
    if (key.name == "session.timeout.ms") continue;  // rdkafka_world() has its own
    if (key.scope == KeyScope::librdkafka_producer)
      REQUIRE_FALSE(set_librdkafka(named.producers[0].config, key.name, key.default_value));
    if (key.scope == KeyScope::librdkafka_consumer)
      REQUIRE_FALSE(set_librdkafka(named.groups[0].config, key.name, key.default_value));
  }
  CHECK(digest_of(rdkafka_world()) == digest_of(named));
}

TEST_CASE("idempotence of librdkafka allows five requests in flight, and must not be asked for more") {
  models::kafka::ProducerConfig c = models::kafka::librdkafka_producer();
  CHECK_FALSE(validate(c));
  CHECK(c.max_in_flight_requests_per_connection == 1'000'000);
  REQUIRE_FALSE(set_librdkafka(c, "enable.idempotence", "true"));
  models::kafka::ProducerConfig adjusted = c;
  finish_librdkafka(adjusted);
  CHECK(adjusted.max_in_flight_requests_per_connection == 5);
  CHECK_FALSE(validate(adjusted));
  REQUIRE_FALSE(set_librdkafka(c, "max.in.flight", "6"));
  finish_librdkafka(c);
  CHECK(validate(c)->key == "max.in.flight.requests.per.connection");
  CHECK(set_librdkafka(c, "partitioner.class", "x")->message.find("is no librdkafka producer setting") !=
        std::string::npos);
}
