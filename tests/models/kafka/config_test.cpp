#include "models/kafka/config.hpp"

#include "tests/catch.hpp"

using namespace models::kafka;
using namespace std::chrono_literals;

TEST_CASE("a key sets its field in its own unit") {
  ConsumerConfig config;
  CHECK_FALSE(set(config, "session.timeout.ms", "10000"));
  CHECK(config.session_timeout == 10s);
  CHECK_FALSE(set(config, "partition.assignment.strategy", "CooperativeStickyAssignor, RangeAssignor"));
  CHECK(config.partition_assignment_strategy.front() == Assignor::cooperative_sticky);
}

TEST_CASE("a misspelt key is refused with the nearest one") {
  ConsumerConfig config;
  const auto error = set(config, "session.timout.ms", "10000");
  REQUIRE(error);
  CHECK(error->message.find("session.timeout.ms") != std::string::npos);
}

TEST_CASE("a key that Kafka has and mqlab does not model is refused by name") {
  ProducerConfig config;
  const auto error = set(config, "compression.type", "gzip");
  REQUIRE(error);
  CHECK(error->message.find("does not model") != std::string::npos);
}

TEST_CASE("a value of the wrong type or outside its bounds is refused") {
  ProducerConfig config;
  CHECK(set(config, "linger.ms", "soon"));
  CHECK(set(config, "linger.ms", "-1"));
  CHECK(set(config, "linger.ms", "99999999999999999999"));
  CHECK(set(config, "acks", "2"));
  CHECK(set(config, "enable.idempotence", "yes"));
}

TEST_CASE("combinations that Kafka refuses are refused") {
  ProducerConfig config;
  CHECK_FALSE(validate(config));
  config.acks = 1;
  CHECK(validate(config)->key == "acks");
  config.enable_idempotence = false;
  CHECK_FALSE(validate(config));
  config.delivery_timeout = 1s;
  CHECK(validate(config)->key == "delivery.timeout.ms");

  ConsumerConfig consumer;
  const BrokerConfig broker;
  CHECK_FALSE(validate(consumer, broker));
  consumer.session_timeout = 5s;
  CHECK(validate(consumer, broker)->key == "session.timeout.ms");
  consumer.session_timeout = 6s;
  consumer.heartbeat_interval = 6s;
  CHECK(validate(consumer, broker)->key == "heartbeat.interval.ms");
}

TEST_CASE("acks or retries turn idempotence off, more than five requests in flight do not") {
  ProducerConfig config;
  CHECK(turn_off_idempotence(config).empty());
  CHECK(config.enable_idempotence);
  config.retries = 0;
  CHECK(turn_off_idempotence(config) == "retries");
  CHECK_FALSE(config.enable_idempotence);
  CHECK(turn_off_idempotence(config).empty());
  config = {};
  config.acks = 1;
  CHECK(turn_off_idempotence(config) == "acks");
  CHECK_FALSE(validate(config));
  config = {};
  config.acks = 1;
  config.max_in_flight_requests_per_connection = 6;
  CHECK(turn_off_idempotence(config).empty());
  CHECK(validate(config)->key == "max.in.flight.requests.per.connection");
}

TEST_CASE("every modelled key accepts its own default") {
  for (const KeyInfo& key : key_catalogue()) {
    if (!key.modelled || key.default_value == "null" || key.default_value.empty()) continue;
    INFO(key.name);
    BrokerConfig broker;
    TopicConfig topic;
    ProducerConfig producer;
    ConsumerConfig consumer;
    switch (key.scope) {
      case KeyScope::broker:
        CHECK_FALSE(set(broker, key.name, key.default_value));
        break;
      case KeyScope::topic:
        CHECK_FALSE(set(topic, key.name, key.default_value));
        break;
      case KeyScope::producer:
        CHECK_FALSE(set(producer, key.name, key.default_value));
        break;
      case KeyScope::consumer:
        CHECK_FALSE(set(consumer, key.name, key.default_value));
        break;
      default:  // librdkafka_keys_test.cpp
        break;
    }
  }
}

TEST_CASE("what Kafka has and mqlab leaves out is told from what nobody has") {
  BrokerConfig broker;
  TopicConfig topic;
  ProducerConfig producer;
  ConsumerConfig consumer;
  const auto refused = [](const std::optional<ConfigError>& error) {
    return error && error->message.find("mqlab does not model it: ") != std::string::npos;
  };
  for (const char* key :
       {"controller.quorum.voters", "zookeeper.connect", "group.streams.session.timeout.ms",
        "group.coordinator.cached.buffer.max.bytes", "offsets.commit.required.acks", "group.share.enable",
        "unstable.metadata.versions.enable", "quota.producer.default", "host.name", "advertised.port",
        "internal.metadata.max.batch.size.in.bytes", "background.threads", "ssl.keystore.location"}) {
    INFO(key);
    CHECK(refused(set(broker, key, "1")));
  }
  CHECK(refused(set(topic, "compression.type", "lz4")));
  CHECK(refused(set(producer, "sasl.mechanism", "PLAIN")));
  CHECK(refused(set(consumer, "key.deserializer", "x")));
  CHECK(refused(set(consumer, "internal.throw.on.fetch.stable.offset.unsupported", "false")));
  CHECK(refused(set(producer, "auto.include.jmx.reporter", "true")));
  CHECK_FALSE(refused(set(broker, "controller.quorum.patience.ms", "1")));
  CHECK_FALSE(refused(set(producer, "ssl.", "1")));
}

TEST_CASE("keys of the other group protocol are refused, as Kafka's consumer does", "[kip848]") {
  const auto refused = [](const std::string& key, const std::string& value) {
    ConsumerConfig config;
    REQUIRE_FALSE(set(config, "group.protocol", "CONSUMER"));
    REQUIRE_FALSE(validate(config, BrokerConfig{}));
    REQUIRE_FALSE(set(config, key, value));
    const auto error = validate(config, BrokerConfig{});
    return error && error->key == key;
  };
  CHECK(refused("session.timeout.ms", "45000"));  // even with its default
  CHECK(refused("heartbeat.interval.ms", "3000"));
  CHECK(refused("partition.assignment.strategy", "RangeAssignor"));
  CHECK_FALSE(refused("max.poll.interval.ms", "10000"));
  CHECK_FALSE(refused("group.remote.assignor", "range"));
  ConsumerConfig classic;
  REQUIRE_FALSE(set(classic, "group.remote.assignor", "uniform"));
  CHECK(validate(classic, BrokerConfig{})->key == "group.remote.assignor");
  CHECK(set(classic, "group.remote.assignor", "sticky"));
  CHECK(set(classic, "group.protocol", "streams"));
}

TEST_CASE("a broker does not start with group.consumer keys out of their bounds", "[kip848]") {
  BrokerConfig config;
  CHECK_FALSE(validate(config));
  const auto refused = [](const std::string& key, const std::string& value, const std::string& by) {
    BrokerConfig c;
    REQUIRE_FALSE(set(c, key, value));
    const auto error = validate(c);
    return error && error->key == by;
  };
  CHECK(refused("group.consumer.session.timeout.ms", "44999", "group.consumer.session.timeout.ms"));
  CHECK(refused("group.consumer.min.session.timeout.ms", "45001", "group.consumer.session.timeout.ms"));
  CHECK(refused("group.consumer.max.session.timeout.ms", "44999", "group.consumer.session.timeout.ms"));
  CHECK(refused("group.consumer.heartbeat.interval.ms", "4999", "group.consumer.heartbeat.interval.ms"));
  CHECK(refused("group.consumer.min.heartbeat.interval.ms", "5001", "group.consumer.heartbeat.interval.ms"));
  CHECK(refused("group.consumer.max.heartbeat.interval.ms", "4999", "group.consumer.heartbeat.interval.ms"));
  CHECK(refused("group.consumer.assignment.interval.ms", "15001", "group.consumer.assignment.interval.ms"));
  CHECK(
      refused("group.consumer.min.assignment.interval.ms", "1001", "group.consumer.assignment.interval.ms"));
  CHECK(refused("group.consumer.max.assignment.interval.ms", "999", "group.consumer.assignment.interval.ms"));
  BrokerConfig slow;
  slow.group_consumer_max_heartbeat_interval = slow.group_consumer_heartbeat_interval = 45s;
  CHECK(validate(slow)->key == "group.consumer.heartbeat.interval.ms");
  CHECK(set(config, "group.consumer.assignors", "sticky"));
  CHECK(set(config, "group.consumer.assignors", ""));
}
