// Services, relays and their databases in a world of their own: what comes of faults that no scenario of the catalogue has.
#include "tests/catch.hpp"
#include "tests/models/apps/desk_world.hpp"

using namespace desk;

TEST_CASE(
    "a topic that is away for longer than delivery.timeout.ms loses events of dual writes, and none of an "
    "outbox",
    "[apps]") {
  const auto lost = [](Publishing publish) {
    models::Scenario s = desk_scenario(publish);
    s.faults.push_back(crash("kafka/0", 1s, 3s));
    for (models::kafka::ProducerConfig* const config : {&s.services[0].config, &s.relays[0].config}) {
      config->request_timeout = 500ms;
      config->delivery_timeout = 1s;
    }
    const Seen seen = run(s);
    CHECK(seen.outcome.drained);
    CHECK(seen[Metric::events_invented] == 0);
    CHECK(seen[Metric::facts] > 300);
    return seen[Metric::events_lost];
  };
  CHECK(lost(Publishing::after_commit) > 0);
  CHECK(lost(Publishing::before_commit) == 0);
  CHECK(lost(Publishing::outbox) == 0);
}

TEST_CASE("instances of a service share a database, and its relay sends what all of them did", "[apps]") {
  models::Scenario s = desk_scenario(Publishing::outbox);
  s.services[0].instances = 3;
  s.faults.push_back(crash("desk/1", 2s, 1s));
  const Seen seen = run(s);
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::facts] > 1000);
  CHECK(seen[Metric::events] == seen[Metric::facts]);
  CHECK(seen[Metric::requests_failed] <= 20);
}

TEST_CASE("a closed loop of requests goes on after its service, or its database, was away", "[apps]") {
  for (const char* const target : {"desk", "desk-db"}) {
    models::Scenario s = desk_scenario(Publishing::outbox);
    s.services[0].arrivals.reset();
    s.services[0].closed_loop = models::ClosedLoop{2, sim::Distribution::constant(10e6)};
    s.faults.push_back(crash(target, 1s, 1s));
    const Seen seen = run(s);
    INFO(target);
    CHECK(seen.outcome.drained);
    CHECK(seen[Metric::requests_answered] > 400);
    CHECK(seen[Metric::events_lost] == 0);
  }
}

TEST_CASE("requests wait for a thread, and are not answered when the service dies", "[apps]") {
  models::Scenario s = desk_scenario(Publishing::outbox);
  s.databases[0].transaction = sim::Distribution::constant(50e6);
  s.services[0].threads = 1;
  s.faults.push_back(crash("desk", 2s, 100ms));
  const Seen seen = run(s);
  // 20 a second get through, and 100 come.
  CHECK(seen[Metric::requests_failed] > 100);
  CHECK(seen[Metric::request_latency_max_ms] > 1000);
  CHECK(seen[Metric::events_lost] == 0);
}

TEST_CASE("a relay that stands still only delays", "[apps]") {
  models::Scenario s = desk_scenario(Publishing::outbox);
  models::FaultSpec pause = crash("relay", 1s, 2s);
  pause.kind = "pause";
  s.faults.push_back(pause);
  const Seen seen = run(s);
  CHECK(seen[Metric::events_lost] == 0);
  CHECK(seen[Metric::events_duplicated] == 0);
  CHECK(seen[Metric::event_delay_max_ms] > 1500);
}

TEST_CASE("a connection that is reset leaves doubt, and no second fact", "[apps]") {
  models::Scenario s = desk_scenario(Publishing::outbox);
  s.databases[0].transaction = sim::Distribution::constant(20e6);
  for (const auto at : {1s, 2s, 3s}) {
    models::FaultSpec reset;
    reset.kind = "connection-reset";
    reset.target = "desk-db";
    reset.at = at;
    s.faults.push_back(reset);
  }
  const Seen seen = run(s);
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::requests_answered] == seen[Metric::facts]);
  CHECK(seen[Metric::events] - seen[Metric::events_duplicated] == seen[Metric::facts]);
}

TEST_CASE("a timer in the database fires once, also when its service was away, or its events come again",
          "[apps]") {
  models::Scenario s = desk_scenario(Publishing::outbox);
  s.services[0].arrivals = sim::ArrivalProcess::poisson(20);
  s.databases.emplace_back().name = "clock-db";
  models::ServiceOptions clock = reader("clock", "clock-db");
  models::ReactionOptions ring;
  ring.on = "asked";
  ring.then = "rung";
  ring.after = sim::Distribution::constant(2e9);
  clock.reactions.push_back(ring);
  s.services.push_back(clock);
  s.saga.succeeds = {"rung"};
  s.faults.push_back(crash("clock/0", 2s, 1s));
  s.faults.push_back(crash("relay", 3s, 500ms));
  const Seen seen = run(s);
  CHECK(seen.outcome.drained);
  CHECK(seen[Metric::sagas] > 60);
  CHECK(seen[Metric::sagas_done] == seen[Metric::sagas]);
  CHECK(seen[Metric::saga_latency_mean_ms] > 2000);
}

TEST_CASE("a world with applications is a function of its seed, whatever is not used costs no record",
          "[apps]") {
  const models::Scenario s = desk_scenario(Publishing::outbox);
  CHECK(run(s).digest == run(s).digest);
  models::Scenario more = s;
  more.databases.emplace_back().name = "nobody's";
  CHECK(run(s).outcome.records == run(more).outcome.records);
}
