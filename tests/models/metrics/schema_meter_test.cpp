// What is counted of schemas.
#include "models/metrics/schema_meter.hpp"

#include "tests/catch.hpp"

using models::Metric;
using models::MetricValues;
using models::RegistryCode;
using models::SchemaMeter;

namespace {

sim::TraceRecord answer(RegistryCode code) {
  sim::TraceRecord r;
  r.code = static_cast<std::uint16_t>(code);
  return r;
}

}  // namespace

TEST_CASE("a run without schemas has nothing to say of them", "[schema]") {
  const SchemaMeter meter;
  MetricValues values;
  std::vector<models::Labelled> labelled;
  meter.report(values, labelled);
  CHECK_FALSE(values[Metric::registrations]);
  CHECK_FALSE(values[Metric::unreadable]);
}

TEST_CASE("answers of the registry are counted by what they say", "[schema]") {
  SchemaMeter meter;
  meter.deployed();
  for (const RegistryCode code :
       {RegistryCode::registered, RegistryCode::known, RegistryCode::known, RegistryCode::incompatible,
        RegistryCode::incompatible, RegistryCode::not_found, RegistryCode::unreachable})
    meter.answered(answer(code));
  MetricValues values;
  std::vector<models::Labelled> labelled;
  meter.report(values, labelled);
  CHECK(*values[Metric::registrations] == 1);
  CHECK(*values[Metric::registrations_refused] == 2);
  CHECK(*values[Metric::registry_unreachable] == 1);
  CHECK(*values[Metric::unreadable] == 0);
  CHECK(labelled.empty());
}

TEST_CASE("what cannot be read is counted for each group", "[schema]") {
  SchemaMeter meter;
  meter.deployed();
  sim::TraceRecord r;
  for (const std::uint32_t group : {7u, 7u, 9u}) {
    r.peer = group;
    meter.unreadable(r);
  }
  MetricValues values;
  std::vector<models::Labelled> labelled;
  meter.report(values, labelled);
  CHECK(*values[Metric::unreadable] == 3);
  REQUIRE(labelled.size() == 2);
  CHECK(labelled[0].subject == models::EntityId{7});
  CHECK(labelled[0].value == 2);
}
