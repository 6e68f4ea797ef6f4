// Devices that publish by MQTT to a gateway that produces to a topic: what is lost, and what is there twice.
#include "models/apps/gateway.hpp"

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace std::chrono_literals;
using models::GatewayOptions;
using models::Kind;
using models::Metric;
using models::Scenario;
using PubAck = models::GatewayOptions::PubAck;

namespace {

Scenario devices(std::uint32_t qos, PubAck puback) {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::poisson(1));
  s.kafka->brokers = 1;
  s.producers.clear();
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  GatewayOptions& gateway = s.gateways.emplace_back();
  gateway.name = gateway.devices.name = "gateway";
  gateway.to = "orders";
  gateway.devices.arrivals = sim::ArrivalProcess::poisson(200);
  gateway.devices.keys.count = 50;
  gateway.devices.keys.rank = sim::Distribution::constant(7);
  gateway.qos = qos;
  gateway.puback = puback;
  gateway.config.linger = 50ms;
  return s;
}

models::MetricValues run(const Scenario& scenario, bool drains = true) {
  models::World world(scenario, 1);
  models::Observers observers;
  world.trace().add_sink(observers);
  CHECK(world.run().drained == drains);
  return observers.values();
}

/// With messages in its hands, and some that Kafka has acknowledged and whose devices have not heard of it.
models::FaultSpec crash_in_the_midst() {
  models::FaultSpec fault = crash("gateway", 0s, 2s);
  fault.at.reset();
  fault.when = {models::Step::acknowledged, 500, {}};
  return fault;
}

}  // namespace

TEST_CASE("as long as nothing happens everything arrives once, whatever the quality of service",
          "[gateway]") {
  for (const std::uint32_t qos : {0u, 1u}) {
    const auto v = run(devices(qos, PubAck::stored));
    CHECK(*v[Metric::facts] > 1800);
    CHECK(*v[Metric::events_lost] == 0);
    CHECK(*v[Metric::events_duplicated] == 0);
    CHECK(*v[Metric::events_invented] == 0);
    CHECK(*v[Metric::processed] == *v[Metric::facts]);
    CHECK(*v[Metric::event_delay_mean_ms] > 20);
    CHECK(*v[Metric::event_delay_mean_ms] < 100);
  }
}

TEST_CASE("a PUBACK on receipt answers for what a crash forgets", "[gateway]") {
  Scenario s = devices(1, PubAck::received);
  s.gateways[0].config.linger = 500ms;
  s.faults.push_back(crash("gateway", 5s, 2s));
  const auto early = run(s);
  CHECK(*early[Metric::events_lost] > 0);
  CHECK(*early[Metric::events_lost] <= 110);  // its hands; what arose meanwhile was kept
  s.gateways[0].puback = PubAck::stored;
  CHECK(*run(s)[Metric::events_lost] == 0);
  s.faults[0] = crash_in_the_midst();
  const auto late = run(s);
  CHECK(*late[Metric::events_lost] == 0);
  CHECK(*late[Metric::events_duplicated] > 0);  // stored, and not acknowledged to the device
}

TEST_CASE("with QoS 0 what is published while nobody listens is gone", "[gateway]") {
  Scenario s = devices(0, PubAck::stored);
  s.faults.push_back(crash_in_the_midst());
  const auto v = run(s);
  CHECK(*v[Metric::events_lost] > 400);  // two seconds, and one until the devices are back
  CHECK(*v[Metric::events_lost] < 800);
  CHECK(*v[Metric::events_duplicated] == 0);
}

TEST_CASE("a full queue drops QoS 0, and has QoS 1 wait", "[gateway]") {
  Scenario s = devices(0, PubAck::stored);
  s.gateways[0].queue = 5;
  CHECK(*run(s)[Metric::events_lost] > 100);
  s.gateways[0].qos = 1;
  const auto v = run(s);
  CHECK(*v[Metric::events_lost] == 0);
  CHECK(*v[Metric::events_duplicated] == 0);
  CHECK(*v[Metric::event_delay_mean_ms] > 200);
}

TEST_CASE("what the producer gives up is published again by its device", "[gateway]") {
  Scenario s = devices(1, PubAck::stored);
  s.gateways[0].config.delivery_timeout = 1s;
  s.gateways[0].config.request_timeout = 500ms;
  s.faults.push_back(crash("kafka/0", 4s, 3s));
  const auto v = run(s);
  CHECK(*v[Metric::failed] > 0);
  CHECK(*v[Metric::events_lost] == 0);
  s.gateways[0].puback = PubAck::received;
  CHECK(*run(s)[Metric::events_lost] > 0);
}

TEST_CASE("a gateway that stands still is waited for", "[gateway]") {
  Scenario s = devices(1, PubAck::stored);
  models::FaultSpec pause;
  pause.kind = "pause";
  pause.target = "gateway";
  pause.at = 4s;
  pause.duration = 2s;
  s.faults.push_back(pause);
  const auto v = run(s);
  CHECK(*v[Metric::events_lost] == 0);
  CHECK(*v[Metric::events_duplicated] == 0);
  CHECK(*v[Metric::event_delay_max_ms] > 1900);
}

TEST_CASE("a gateway that does not come back is not waited for", "[gateway]") {
  Scenario s = devices(1, PubAck::stored);
  s.faults.push_back(crash("gateway", 4s));
  const auto v = run(s);
  CHECK(*v[Metric::events_lost] > 1000);
}
