// Whatever fails, no message is made or forgotten: each has one fate, and two independent bookkeepings agree
// on it.
#include <rapidcheck.h>

#include <cstdlib>
#include <map>
#include <sstream>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/agreement.hpp"
#include "tests/models/proof/arbitrary_world.hpp"
#include "tests/models/proof/census.hpp"

using namespace proof;

namespace {

/// RapidCheck reads its parameters once, at the first property.
const int kFixedSeed = [] {
  return setenv("RC_PARAMS", kReduced ? "seed=2 max_success=50" : "seed=2 max_success=2000", 0);
}();

struct Run {
  models::World world;
  models::Observers observers;
  Census census;
  models::RunOutcome outcome;

  Run(const ArbitraryWorld& w, bool checked) : world(w.scenario, w.seed, {w.shuffle_ties, checked}) {
    world.trace().add_sink(census);
    world.trace().add_sink(observers);
    outcome = world.run();
  }
  const models::ProducerOptions& producer_of(const Census::Message& m, const models::Scenario& s) const {
    const std::string& name = world_entities()[m.producer].name;
    for (const models::ProducerOptions& producer : s.producers) {
      if (producer.name == name) return producer;
    }
    throw std::logic_error("a message of nobody");
  }
  const models::Entities& world_entities() const { return world.entities(); }
};

std::string text(const Census::Message& m) {
  std::ostringstream out;
  out << "acknowledged " << m.acknowledged << " failed " << m.failed << " stored " << m.stored
      << " truncated " << m.truncated;
  return out.str();
}

void check_one(const Run& run, const models::Scenario& s, const Census::Message& m) {
  const models::ProducerOptions& producer = run.producer_of(m, s);
  const bool unclean = s.kafka->config.unclean_leader_election_enable;
  RC_LOG() << text(m) << " by " << producer.name << "\n";
  RC_ASSERT(m.offered == 1);
  RC_ASSERT(m.acknowledged + m.failed <= 1);
  RC_ASSERT(m.live() >= 0);
  if (run.outcome.drained) RC_ASSERT(m.acknowledged + m.failed == 1);
  // Success means that a leader has appended it; with acks=all that it stays, unless an unclean election
  // gives it up.
  if (m.acknowledged > 0 && producer.config.acks != 0) RC_ASSERT(m.stored >= 1);
  if (m.acknowledged > 0 && producer.config.acks == -1 && !unclean) RC_ASSERT(m.live() >= 1);
  // Idempotence: in one place at most.
  if (producer.config.enable_idempotence && !unclean) RC_ASSERT(m.live() <= 1);
  for (const auto& [group, times] : m.processed) RC_ASSERT(times >= 1 && m.stored >= 1);
}

void check_against_ledger(const Run& run) {
  const models::LedgerTotals& ledger = run.observers.ledger().totals();
  const Census::Totals census = run.census.totals();
  RC_ASSERT(census.offered == ledger.offered);
  RC_ASSERT(census.refused == ledger.refused);
  RC_ASSERT(census.acknowledged == ledger.acknowledged);
  RC_ASSERT(census.failed == ledger.failed);
  RC_ASSERT(census.stored == ledger.stored);
  // The ledger counts a second copy when it is stored, also if a truncation takes one of the two away later.
  RC_ASSERT(census.again <= ledger.log_duplicates);
  if (ledger.truncated == 0) RC_ASSERT(census.again == ledger.log_duplicates);
  for (const models::GroupTotals& group : ledger.groups) {
    const auto [processed, again] = run.census.processed(group.group.value);
    RC_ASSERT(processed == group.processed);
    RC_ASSERT(again == group.duplicated);
    RC_ASSERT(group.processed + group.lost + group.lost_unacknowledged + group.failed + group.skipped +
                  group.expired + group.in_flight ==
              group.offered);
  }
}

}  // namespace

TEST_CASE("messages are conserved under arbitrary faults, and every invariant holds after every event",
          "[proof]") {
  CHECK(rc::check("messages are conserved", [] {
    const ArbitraryWorld w = *rc::gen::exec(arbitrary_world);
    const Run run(w, true);
    RC_LOG() << "drained " << run.outcome.drained << "\n";
    for (const std::string& complaint : run.census.complaints()) RC_LOG() << complaint << "\n";
    RC_ASSERT(run.census.complaints().empty());
    for (const auto& [lane, messages] : run.census.lanes()) {
      for (const Census::Message& m : messages) check_one(run, w.scenario, m);
    }
    check_against_ledger(run);
    RC_TAG(run.outcome.drained ? "drained" : "not drained");
    RC_CLASSIFY(run.observers.ledger().totals().lost > 0, "messages were lost");
    RC_CLASSIFY(run.observers.ledger().totals().truncated > 0, "logs were truncated");
  }));
}
