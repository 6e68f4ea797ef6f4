// The swarm: random worlds under random faults. With every cure on nothing goes wrong, every run comes to rest, and the
// cluster is whole again soon after; with one cure off nothing but what that cure prevents.
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/proof/agreement.hpp"
#include "tests/models/proof/liveness.hpp"
#include "tests/models/proof/swarm_world.hpp"

using namespace proof;
using models::Verdict;

namespace {

/// RapidCheck reads its parameters once, at the first property.
const int kFixedSeed = [] {
  return setenv("RC_PARAMS", kReduced ? "seed=2 max_success=50" : "seed=2 max_success=2000", 0);
}();

struct Result {
  models::RunOutcome outcome;
  /// Two members had worked at one partition at once: then their polls are not told in the order in which messages finished,
  /// and reordered_per_key is no longer exact (models/checkers/key_order.hpp).
  bool overlapped = false;
  std::array<std::uint64_t, static_cast<std::size_t>(Verdict::count_)> counted{};
  std::string not_live{};  ///< what has not come about in time (liveness.hpp), where that is asked
  std::uint64_t of(Verdict v) const { return counted[static_cast<std::size_t>(v)]; }
};

/// Longer than any session (ZooKeeper's: 18 s), back-off or recovery that something may wait for in these worlds.
constexpr sim::Duration kLivenessBound = 30s;

/// Looks every second at what ought to come about once arrivals have stopped and faults have healed.
std::vector<models::Look> looks_at(std::optional<Liveness>& liveness, const ArbitraryWorld& w) {
  std::vector<models::Look> looks;
  for (sim::Duration since{}; since < 4 * kLivenessBound; since += 1s)
    looks.push_back({sim::Time{w.scenario.duration + since}, [&liveness](models::World& world) {
                       if (!liveness) liveness.emplace(world.kafka(), kLivenessBound);
                       liveness->look();
                     }});
  return looks;
}

Result run(const ArbitraryWorld& w, bool must_live = false) {
  std::optional<Liveness> liveness;
  models::WorldOptions how{.shuffle_ties = w.shuffle_ties, .checked = true};
  if (must_live) {
    how.looks = looks_at(liveness, w);
    how.settle = kLivenessBound + 5s;
  }
  models::World world(w.scenario, w.seed, how);
  models::Observers observers;
  world.trace().add_sink(observers);
  Result result;
  result.outcome = world.run();
  if (liveness) result.not_live = liveness->found();
  result.overlapped = observers.values()[models::Metric::overlaps] > 0;
  for (const models::VerdictInfo& row : models::verdict_catalogue())
    result.counted[static_cast<std::size_t>(row.verdict)] = observers.anomalies().counted(row.verdict);
  // Nobody promises an order to a share group.
  for (const models::GroupTotals& group : observers.ledger().totals().groups) {
    for (const models::GroupOptions& options : w.scenario.groups)
      if (shares(options) && world.entities()[group.group].name == options.name)
        result.counted[static_cast<std::size_t>(Verdict::reordered_per_key)] -= group.reordered_per_key;
  }
  return result;
}

/// The prevented verdicts that were seen and that neither `allowed` nor the world lists.
std::string wrong(const Result& result, const ArbitraryWorld& w, const std::vector<Verdict>& allowed) {
  const auto listed = [](const std::vector<Verdict>& all, Verdict v) {
    return std::ranges::find(all, v) != all.end();
  };
  // A table is made of what was processed, and not by a member that is refused for good.
  const bool all_processed = !listed(allowed, Verdict::in_flight) && !listed(allowed, Verdict::lost) &&
                             !listed(allowed, Verdict::skipped) &&
                             !listed(w.not_promised, Verdict::expired) &&
                             !listed(w.not_promised, Verdict::in_flight);
  std::string text;
  for (const Verdict v : prevented()) {
    if (result.of(v) == 0 || listed(allowed, v) || listed(w.not_promised, v)) continue;
    if (v == Verdict::reordered_per_key && result.overlapped) continue;
    const bool of_tables = v == Verdict::table_wrong || v == Verdict::resurrected;
    if (of_tables && (result.overlapped || !all_processed)) continue;
    text += " " + std::string(models::verdict_name(v)) + "=" + std::to_string(result.of(v));
  }
  return text;
}

/// Takes `cure` back, and counts in `seen` that this showed what its row begins with.
void run_without(const Cure& cure, ArbitraryWorld w, std::map<std::string, int>& seen) {
  cure.take_back(w.scenario);
  const Result without = run(w);
  RC_LOG() << "without " << cure.name << ":" << wrong(without, w, cure.shows)
           << (without.outcome.drained ? "" : " not drained") << "\n";
  RC_ASSERT(without.outcome.drained || cure.may_stall);
  RC_ASSERT(wrong(without, w, cure.shows).empty());
  if (!cure.shows.empty() && without.of(cure.shows.front()) > 0) ++seen[cure.name];
}

}  // namespace

TEST_CASE("with every cure nothing goes wrong and every run ends, with one off only what that cure prevents",
          "[proof][swarm]") {
  std::map<std::string, int> seen;
  CHECK(rc::check("swarm", [&seen] {
    const ArbitraryWorld w = *rc::gen::exec(cured_world);
    const Result cured = run(w, true);
    RC_LOG() << "with every cure:" << wrong(cured, w, {}) << (cured.outcome.drained ? "" : " not drained")
             << " " << cured.not_live << "\n";
    RC_ASSERT(cured.outcome.drained);
    RC_ASSERT(cured.not_live.empty());
    RC_ASSERT(wrong(cured, w, {}).empty());

    run_without(some_cure(w.scenario), w, seen);
    if (detail::pick(4) == 0) run_without(some_rule(w.scenario), w, seen);
  }));
  if (kReduced) return;  // too few cases to meet each
  for (const Cure& cure : all_cures()) {
    INFO(cure.name);
    CHECK((cure.rarely || seen[cure.name] > 0));
  }
}
