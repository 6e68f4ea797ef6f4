// Trials that cannot be carried through: what is said of them, and how to see them again.
#include "experiments/trial.hpp"

#include "experiments/errors.hpp"
#include "experiments/sweep.hpp"
#include "sim/assert.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

/// A part of the run that finds something impossible.
class Assertive final : public TrialWatcher {
 public:
  void consume(const sim::TraceBlock&) override { MQLAB_ASSERT(1 + 1 == 3, "planted by a test"); }
};

template <class F>
std::string trial_error(F&& run) {
  try {
    run();
  } catch (const TrialError& error) {
    return error.what();
  }
  return "no TrialError";
}

constexpr const char* kWhere =
    "\nin run [0-9a-f]{16}: seed 7, at [0-9.e-]+ s, sequence [1-9][0-9]*, after [0-9]+ events";

}  // namespace

TEST_CASE("an assertion in a run says which run, and where in it") {
  const Resolved resolved = resolve(load(std::string(kSmall)), 0, 0);
  Assertive watcher;
  const std::string said = trial_error([&] { run_trial(resolved, 7, {.watchers = {&watcher}}); });
  CHECK(said.find("a fault of mqlab itself: ") == 0);
  CHECK_THAT(said,
             Catch::Matchers::Matches("(.|\n)*trial_test.cpp:[0-9]+: planted by a test \\(1 \\+ 1 == 3\\)" +
                                      std::string(kWhere)));
  CHECK(said.find("in run " + run_id(resolved, 7)) != std::string::npos);
}

TEST_CASE("a livelock in a run says which run, and where in it") {
  const Resolved resolved = resolve(load(std::string(kSmall)), 0, 0);
  const std::string said =
      trial_error([&] { run_trial(resolved, 7, {.world = {.events_per_instant_max = 1}}); });
  CHECK_THAT(said,
             Catch::Matchers::Matches("livelock: more than 1 events at [0-9]+ ns" + std::string(kWhere)));
}

TEST_CASE("a sweep ends with the first trial that fails, and tells how to see it again") {
  const Experiment experiment = load(small_and(
      "[[variant]]\nname = 'two'\n[[variant]]\nname = 'three'\nset = { 'groups.billing.members' = 3 }\n"
      "[sweep]\nseed = 7\n'producers.shop.arrivals.rate' = [50, 100]\n"));
  const Grid grid(experiment);
  std::size_t finished = 0;
  const std::vector<TrialKey> keys{{1, 1, 7}};
  const std::string said = trial_error([&] {
    run_trials(grid, keys, 2, [&](const StoredTrial&) { ++finished; }, {}, {.events_per_instant_max = 1});
  });
  CHECK(finished == 0);
  CHECK(said.find("livelock: ") == 0);
  const std::string line = "\nsee it again: " + grid.command(keys.front());
  REQUIRE(said.size() > line.size());
  CHECK(said.substr(said.size() - line.size()) == line);
  CHECK(line.find("--variant three --seed 7 --set producers.shop.arrivals.rate=100") != std::string::npos);
}
