// A small world of applications: a service "desk" with a database of its own, and a relay.
#pragma once

#include <string>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/models/orders_scenario.hpp"

namespace desk {

using namespace std::chrono_literals;
using models::Metric;
using models::Publishing;

/// A service "desk" with a database, requests at 100/s, and a relay to the topic "events"; nobody else.
inline models::Scenario desk_scenario(Publishing publish) {
  models::Scenario s = orders_scenario(5s, sim::ArrivalProcess::poisson(1));
  s.producers.clear();
  s.groups.clear();
  s.kafka->brokers = 1;
  s.kafka->topics[0].name = "events";
  s.databases.emplace_back().name = "desk-db";
  models::ServiceOptions desk;
  desk.name = "desk";
  desk.database = "desk-db";
  desk.arrivals = sim::ArrivalProcess::poisson(100);
  desk.begins = "asked";
  desk.publish = publish;
  if (publish == Publishing::after_commit || publish == Publishing::before_commit) desk.to = "events";
  s.services.push_back(desk);
  models::RelayOptions relay;
  relay.name = "relay";
  relay.database = "desk-db";
  relay.to = "events";
  s.relays.push_back(relay);
  return s;
}

struct Seen {
  models::MetricValues values;
  models::RunOutcome outcome;
  std::string digest;
  double operator[](Metric metric) const { return values[metric].value_or(-1); }
};

/// `sink` sees the records, too.
inline Seen run(const models::Scenario& scenario, sim::TraceSink* sink = nullptr) {
  models::World world(scenario, 1, {.checked = true});
  models::Observers observers({.entities = &world.entities()});
  world.trace().add_sink(observers);
  if (sink != nullptr) world.trace().add_sink(*sink);
  const models::RunOutcome outcome = world.run();
  return {observers.values(), outcome, world.trace().digest()};
}

/// A service that reads "events".
inline models::ServiceOptions reader(const std::string& name, const std::string& database) {
  models::ServiceOptions r;
  r.name = name;
  r.database = database;
  r.reads = {"events"};
  r.consumer.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  r.consumer.group_instance_id = name + "-{index}";
  return r;
}

}  // namespace desk
