// Producers and groups whose values have a schema: who asks the registry, who is refused, who cannot read what.
#include <algorithm>
#include <string>
#include <vector>

#include "models/scenario_error.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"
#include "tests/models/orders_scenario.hpp"

using namespace kafka_test;
using models::DeploymentCode;
using models::PoisonOptions;
using models::RegistryCode;
using models::Scenario;
using models::UnreadableCode;
using models::schema::ClientOptions;
using models::schema::Compatibility;
using models::schema::Field;
using models::schema::Type;
using models::schema::WhenRefused;

namespace {

using Fields = std::vector<Field>;
const Field kId{.name = "id", .type = Type::long_};
const Field kNote{.name = "note"};
const Field kOptionalNote{.name = "note", .type = Type::string, .has_default = true};

/// "first" has id; "more" has a note as well, "spare" one with a default.
Scenario evolving(Compatibility level) {
  Scenario s = orders_scenario(10s, sim::ArrivalProcess::constant(100));
  s.kafka->brokers = 1;
  s.drain = 20s;
  s.kafka->config.group_initial_rebalance_delay = 0ms;
  s.groups[0].config.session_timeout = 6s;
  s.registry.latency = 5ms;
  s.subjects.push_back({.name = "orders-value",
                        .compatibility = level,
                        .versions = {{.name = "first", .schema = {{kId}}},
                                     {.name = "more", .schema = {{kId, kNote}}},
                                     {.name = "spare", .schema = {{kId, kOptionalNote}}}}});
  s.producers[0].schema = ClientOptions{.version = "first"};
  s.groups[0].schema = ClientOptions{.version = "first"};
  s.groups[0].config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.groups[0].commit = models::CommitMode::after_processing;
  return s;
}

struct Told {
  explicit Told(const Scenario& scenario) {
    models::World world(scenario, 1);
    world.trace().add_sink(recorder);
    drained = world.run().drained;
  }
  std::int64_t sum(Kind kind) const {
    std::int64_t n = 0;
    for (const auto& r : recorder.of(kind)) n += r.b;
    return n;
  }
  std::vector<sim::TraceRecord> answers(RegistryCode code) const {
    auto all = recorder.of(Kind::registry_answer);
    std::erase_if(all, [code](const auto& r) { return r.code != static_cast<std::uint16_t>(code); });
    return all;
  }
  std::vector<sim::TraceRecord> unreadable() const { return recorder.of(Kind::unreadable); }

  Recorder recorder;
  bool drained = false;
};

models::FaultSpec wrong_schema(std::string version, std::optional<std::int64_t> messages = {}) {
  models::FaultSpec fault;
  fault.kind = "wrong-schema";
  fault.target = "shop";
  fault.version = std::move(version);
  fault.messages = messages;
  fault.at = 5s;
  return fault;
}

}  // namespace

TEST_CASE("the first send registers the version, and everybody asks once", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  const Told told(s);
  CHECK(told.drained);
  REQUIRE(told.answers(RegistryCode::registered).size() == 1);
  CHECK(told.answers(RegistryCode::registered)[0].b == 1);  // its id
  CHECK(told.answers(RegistryCode::known).size() == 1);     // the member's
  CHECK(told.sum(Kind::processed) == told.sum(Kind::stored));
  CHECK(told.unreadable().empty());
}

TEST_CASE("a process that was started anew has forgotten the ids", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  s.faults.push_back(crash("billing/0", 5s, 1s));
  s.faults.push_back(crash("shop", 5s, 1s));
  const Told told(s);
  CHECK(told.answers(RegistryCode::registered).size() == 1);
  CHECK(told.answers(RegistryCode::known).size() == 3);
}

TEST_CASE("messages are written with the version in use when they arise", "[schema]") {
  Scenario s = evolving(Compatibility::forward);
  s.groups[0].schema->version = "more";
  s.producers[0].schema->upgrades = {{.at = 5s, .to = "more"}};
  const Told told(s);
  CHECK(told.drained);
  // All of the first five seconds, at 100 a second, and none behind.
  const auto unreadable = told.unreadable();
  REQUIRE(unreadable.size() >= 499);
  CHECK(unreadable.size() <= 501);
  for (const auto& r : unreadable) {
    CHECK(r.code == static_cast<std::uint16_t>(UnreadableCode::unresolved));
    CHECK(r.b == 1);
    CHECK(r.c == 2);
    CHECK(r.a < static_cast<std::int64_t>(unreadable.size()));
  }
  CHECK(told.sum(Kind::abandoned) == static_cast<std::int64_t>(unreadable.size()));
  CHECK(told.sum(Kind::processed) + told.sum(Kind::abandoned) == told.sum(Kind::stored));
}

TEST_CASE("a producer that was deployed with what the registry refuses cannot send", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  s.producers[0].schema->upgrades = {{.at = 5s, .to = "more"}};
  const Told told(s);
  const auto refused = told.recorder.of(Kind::refused);
  REQUIRE(refused.size() >= 400);
  for (const auto& r : refused)
    CHECK(r.code == static_cast<std::uint16_t>(models::RefusedCode::not_serialised));
  CHECK(told.answers(RegistryCode::incompatible).size() == refused.size());  // each send() asks again
  CHECK(told.sum(Kind::stored) <= 501);
}

TEST_CASE("whoever deploys asks first, and the old version stays", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  s.producers[0].schema->upgrades = {{.at = 5s, .to = "more"}};
  s.producers[0].schema->when_refused = WhenRefused::keep;
  s.groups[0].schema->upgrades = {{.at = 4s, .to = "more"}};
  s.groups[0].schema->when_refused = WhenRefused::keep;
  const Told told(s);
  CHECK(told.recorder.of(Kind::refused).empty());
  CHECK(told.unreadable().empty());
  CHECK(told.answers(RegistryCode::incompatible).size() == 2);
  std::size_t kept = 0;
  for (const auto& r : told.recorder.of(Kind::deployed))
    kept += r.code == static_cast<std::uint16_t>(DeploymentCode::kept_old) ? 1 : 0;
  CHECK(kept == 2);
  CHECK(told.sum(Kind::processed) == told.sum(Kind::stored));
}

TEST_CASE("without auto.register.schemas only what an operator has registered can be sent", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  s.producers[0].schema->auto_register = false;
  CHECK(Told(s).sum(Kind::stored) == 0);
  s.subjects[0].versions[0].registered = true;
  const Told told(s);
  CHECK(told.sum(Kind::stored) > 900);
  CHECK(told.answers(RegistryCode::not_found).empty());
}

TEST_CASE("an outage of the registry strikes those who meet a new id", "[schema]") {
  Scenario s = evolving(Compatibility::full);
  s.faults.push_back(crash("schema-registry", 4s, 3s));
  const Told unnoticed(s);
  CHECK(unnoticed.drained);
  CHECK(unnoticed.answers(RegistryCode::unreachable).empty());
  CHECK(unnoticed.sum(Kind::refused) == 0);
  s.producers[0].schema->upgrades = {{.at = 5s, .to = "spare"}};
  const Told told(s);
  CHECK(told.sum(Kind::refused) >= 150);
  CHECK(told.sum(Kind::refused) <= 210);
  CHECK(told.answers(RegistryCode::unreachable).size() == told.recorder.of(Kind::refused).size());
  CHECK(told.unreadable().empty());
  CHECK(told.sum(Kind::processed) == told.sum(Kind::stored));
}

TEST_CASE("a registry that stands still is waited for, and then given up", "[schema]") {
  Scenario s = evolving(Compatibility::full);
  s.registry.timeout = 2s;
  s.producers[0].schema->upgrades = {{.at = 5s, .to = "spare"}};
  models::FaultSpec pause;
  pause.kind = "pause";
  pause.target = "schema-registry";
  pause.at = 4s;
  pause.duration = 2s;
  s.faults.push_back(pause);
  const Told waited(s);
  CHECK(waited.sum(Kind::refused) == 0);
  CHECK(waited.sum(Kind::processed) == waited.sum(Kind::stored));
  s.faults[0].duration = 4s;
  const Told gave_up(s);
  CHECK(gave_up.recorder.of(Kind::refused).size() == 1);
  CHECK(gave_up.answers(RegistryCode::unreachable).size() == 1);
}

TEST_CASE("a reader without the registry skips what it could have read, or waits", "[schema]") {
  Scenario s = evolving(Compatibility::full);
  s.groups[0].start = 4500ms;  // when the registry is away
  s.faults.push_back(crash("schema-registry", 4s, 3s));
  const Told hasty(s);
  REQUIRE(hasty.unreadable().size() > 100);
  CHECK(hasty.unreadable()[0].code == static_cast<std::uint16_t>(UnreadableCode::no_answer));
  CHECK(hasty.sum(Kind::abandoned) == static_cast<std::int64_t>(hasty.unreadable().size()));
  s.groups[0].poison = PoisonOptions{.retries = -1, .backoff = 500ms};
  const Told patient(s);
  CHECK(patient.unreadable().size() == 1);  // tried again, and counted once
  CHECK(patient.answers(RegistryCode::unreachable).size() >= 4);
  CHECK(patient.sum(Kind::abandoned) == 0);
  CHECK(patient.sum(Kind::processed) == patient.sum(Kind::stored));
}

TEST_CASE("a version that can read it ends the retries", "[schema]") {
  Scenario s = evolving(Compatibility::none);
  s.groups[0].schema->version = "more";
  s.groups[0].schema->upgrades = {{.at = 6s, .to = "spare"}};
  s.groups[0].poison = PoisonOptions{.retries = -1, .backoff = 1s};
  const Told told(s);
  CHECK(told.drained);
  CHECK(told.unreadable().size() == 1);
  CHECK(told.sum(Kind::processed) == told.sum(Kind::stored));
  CHECK(told.recorder.of(Kind::processed)[0].time >= sim::Time{6s});
}

TEST_CASE("a member dies of what it cannot read", "[schema]") {
  Scenario s = evolving(Compatibility::none);
  s.groups[0].schema->version = "more";
  s.groups[0].poison = PoisonOptions{.then = PoisonOptions::Then::crash, .restart = 2s};
  const Told told(s);
  CHECK_FALSE(told.drained);
  CHECK(told.sum(Kind::processed) == 0);
  CHECK(told.unreadable().size() >= 3);
}

TEST_CASE("one message with another version than its neighbours", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  s.groups[0].schema->version = "spare";
  s.subjects[0].versions.push_back({.name = "other", .schema = {{kNote}}});
  s.faults.push_back(wrong_schema("other"));
  const Told unknown(s);
  REQUIRE(unknown.unreadable().size() == 1);
  CHECK(unknown.unreadable()[0].code == static_cast<std::uint16_t>(UnreadableCode::unknown));
  CHECK(unknown.unreadable()[0].b == -1);
  CHECK(unknown.answers(RegistryCode::not_found).size() == 1);
  CHECK(unknown.sum(Kind::processed) == unknown.sum(Kind::stored) - 1);

  s.subjects[0].versions.back().registered = true;
  s.subjects[0].compatibility = Compatibility::none;
  s.faults[0].messages = 3;
  const Told unresolved(s);
  REQUIRE(unresolved.unreadable().size() == 3);
  CHECK(unresolved.unreadable()[0].code == static_cast<std::uint16_t>(UnreadableCode::unresolved));
  CHECK(unresolved.unreadable()[2].a == unresolved.unreadable()[0].a + 2);

  s.faults[0] = wrong_schema("spare", 3);  // the readers' own
  s.subjects[0].versions[2].registered = true;
  CHECK(Told(s).unreadable().empty());
}

TEST_CASE("a share group gives back what it cannot read, until it is archived", "[schema]") {
  Scenario s = evolving(Compatibility::none);
  s.groups[0].type = models::GroupType::share;
  s.groups[0].schema->version = "more";
  s.groups[0].poison = PoisonOptions{.then = PoisonOptions::Then::reject};
  s.groups[0].config.explicit_acknowledgement = true;
  s.groups[0].commit = models::CommitMode::after_processing;
  s.producers[0].messages = 10;
  s.groups[0].config.share.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  const Told told(s);
  CHECK(told.unreadable().size() == 10);
  CHECK(told.sum(Kind::archived) == 10);
}

TEST_CASE("what the scenario names has to be there", "[schema]") {
  Scenario s = evolving(Compatibility::none);
  s.producers[0].schema->version = "fist";
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s = evolving(Compatibility::none);
  s.groups[0].schema->version = "fist";
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s = evolving(Compatibility::none);
  s.faults.push_back(wrong_schema("first"));
  s.faults[0].target = "shopp";
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s.faults[0] = wrong_schema("");
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
  s.faults[0] = crash("shop", 1s);
  s.faults[0].version = "first";
  CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError);
}

TEST_CASE("a registry that cannot be reached is waited for, until its client gives up", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  s.producers[0].schema->upgrades = {{.at = 5s, .to = "spare"}};
  s.groups[0].schema->version = "spare";
  models::FaultSpec cut;
  cut.kind = "link-cut";
  cut.target = "schema-registry";
  cut.other = "shop";
  cut.at = 4900ms;
  cut.duration = 2s;
  s.faults.push_back(cut);
  const Told patient(s);
  CHECK(patient.drained);
  CHECK(patient.answers(RegistryCode::unreachable).empty());
  CHECK(patient.recorder.of(Kind::refused).empty());
  CHECK(patient.sum(Kind::processed) == patient.sum(Kind::stored));

  s.registry.timeout = 500ms;
  const Told hasty(s);
  CHECK(hasty.answers(RegistryCode::unreachable).size() >= 2);
  CHECK_FALSE(hasty.recorder.of(Kind::refused).empty());
}

TEST_CASE("an answer of the registry that is lost with its connection is no answer", "[schema]") {
  Scenario s = evolving(Compatibility::backward);
  models::FaultSpec lost;
  lost.kind = "response-loss";
  lost.target = "schema-registry";
  lost.other = "shop";
  lost.at = 0ms;
  s.faults.push_back(lost);
  const Told told(s);
  REQUIRE(told.answers(RegistryCode::registered).size() == 1);
  CHECK(told.answers(RegistryCode::unreachable).size() == 1);
  CHECK(told.answers(RegistryCode::known).size() == 2);  // asked again, and the member's
}
