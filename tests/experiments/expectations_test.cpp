// Judging trials: each kind of expectation is seen to hold and to fail.
#include "experiments/expectations.hpp"

#include "models/metrics/catalogue.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

constexpr auto kLost = static_cast<std::size_t>(models::Metric::lost);

StoredTrial trial(std::uint64_t point, std::uint64_t variant, std::uint64_t seed,
                  std::optional<double> lost) {
  StoredTrial t;
  t.key = {point, variant, seed};
  t.result.metrics.resize(models::metric_catalogue().size());
  t.result.metrics[kLost] = lost;
  return t;
}

/// Seeds 1, 2, … of the base with these values of `lost`.
std::vector<StoredTrial> lost(std::initializer_list<double> values) {
  std::vector<StoredTrial> trials;
  for (const double v : values) trials.push_back(trial(0, 0, trials.size() + 1, v));
  return trials;
}

Experiment expecting(std::string_view lines) {
  return load(
      small_and("[[variant]]\nname = 'base'\n[[variant]]\nname = 'cure'\nset = { 'kafka.brokers' = 2 }\n"
                "[[expect]]\nname = 'e'\nmetric = 'lost'\n" +
                std::string(lines)));
}

Judgement only(const std::vector<Judgement>& judged) {
  REQUIRE(judged.size() == 1);
  return judged.front();
}

}  // namespace

TEST_CASE("an expectation of each trial fails with the first seed that broke it") {
  const Experiment e = expecting("equals = 0\n");
  CHECK(only(judge(e, lost({0, 0, 0}))).met);
  const Judgement j = only(judge(e, lost({0, 5, 7})));
  CHECK_FALSE(j.met);
  CHECK(j.held == 1);
  CHECK(j.of == 3);
  CHECK(j.seed == 2);
  CHECK(j.failure == "lost is 5, wanted = 0");
}

TEST_CASE("bounds hold at their ends") {
  CHECK(only(judge(expecting("min = 1\nmax = 3\n"), lost({1, 3}))).met);
  CHECK_FALSE(only(judge(expecting("min = 1\nmax = 3\n"), lost({1, 4}))).met);
  CHECK_FALSE(only(judge(expecting("min = 1\n"), lost({0.5}))).met);
}

TEST_CASE("a metric that a run could not measure holds nothing") {
  const Judgement j = only(judge(expecting("max = 3\n"), {trial(0, 0, 1, std::nullopt)}));
  CHECK_FALSE(j.met);
  CHECK(j.failure == "lost is missing, wanted <= 3");
}

TEST_CASE("absent holds where a run could not measure, and nowhere else") {
  const Experiment e = expecting("absent = true\n");
  CHECK(only(judge(e, {trial(0, 0, 1, std::nullopt)})).met);
  const Judgement j = only(judge(e, {trial(0, 0, 1, std::nullopt), trial(0, 0, 2, 0.0)}));
  CHECK_FALSE(j.met);
  CHECK(j.failure == "lost is 0, wanted none");
}

TEST_CASE("an expectation of each point speaks of the mean") {
  const Experiment e = expecting("max = 2\nper = 'point'\n");
  CHECK(only(judge(e, lost({0, 4}))).met);
  const Judgement j = only(judge(e, lost({0, 5})));
  CHECK_FALSE(j.met);
  CHECK(j.failure == "mean lost is 2.5, wanted <= 2");
}

TEST_CASE("at_least_seeds counts the seeds on which it holds") {
  const Experiment e = expecting("min = 1\nat_least_seeds = 2\n");
  CHECK(only(judge(e, lost({0, 1, 1}))).met);
  const Judgement j = only(judge(e, lost({0, 0, 1})));
  CHECK_FALSE(j.met);
  CHECK(j.held == 1);
}

TEST_CASE("at_least_seeds is not judged on fewer seeds than it asks for, and not met") {
  const Experiment e = expecting("min = 1\nat_least_seeds = 5\n");
  const Judgement j = only(judge(e, lost({1, 1, 0})));
  CHECK_FALSE(j.met);
  CHECK(j.skipped == "needs 5 seeds, 3 ran");
}

TEST_CASE("a sum of metrics is judged as one, and missing where a part of it is") {
  const Experiment e =
      load(small_and("[[expect]]\nname = 'e'\nmetric = 'lost + skipped - processed'\nequals = 2\n"));
  StoredTrial t = trial(0, 0, 1, 5);
  t.result.metrics[static_cast<std::size_t>(models::Metric::skipped)] = 4;
  t.result.metrics[static_cast<std::size_t>(models::Metric::processed)] = 7;
  CHECK(only(judge(e, {t})).met);
  t.result.metrics[static_cast<std::size_t>(models::Metric::processed)] = 8;
  CHECK(only(judge(e, {t})).failure == "lost + skipped - processed is 1, wanted = 2");
  t.result.metrics[static_cast<std::size_t>(models::Metric::skipped)] = std::nullopt;
  CHECK(only(judge(e, {t})).failure == "lost + skipped - processed is missing, wanted = 2");
}

TEST_CASE("versus compares two variants seed by seed") {
  const Experiment e = expecting("variant = 'cure'\nversus = 'base'\nmax_ratio = 0.5\n");
  const auto pairs = [](double base1, double cure1, double base2, double cure2) {
    return std::vector<StoredTrial>{trial(0, 0, 1, base1), trial(0, 1, 1, cure1), trial(0, 0, 2, base2),
                                    trial(0, 1, 2, cure2)};
  };
  CHECK(only(judge(e, pairs(10, 5, 100, 20))).met);
  const Judgement j = only(judge(e, pairs(10, 5, 100, 60)));
  CHECK_FALSE(j.met);
  CHECK(j.seed == 2);
  CHECK(j.failure == "lost is 60 against 100, wanted at most 0.5 times that");
  CHECK_FALSE(only(judge(e, {trial(0, 0, 1, 10), trial(0, 1, 2, 1)})).met);  // the seeds do not meet
}

TEST_CASE("versus of a point compares the means") {
  const Experiment e = expecting("variant = 'cure'\nversus = 'base'\nmin_ratio = 2\nper = 'point'\n");
  CHECK(only(judge(e, {trial(0, 0, 1, 1), trial(0, 1, 1, 1), trial(0, 0, 2, 1), trial(0, 1, 2, 3)})).met);
  CHECK_FALSE(
      only(judge(e, {trial(0, 0, 1, 2), trial(0, 1, 1, 1), trial(0, 0, 2, 1), trial(0, 1, 2, 3)})).met);
}

TEST_CASE("an expectation of one variant leaves the others alone") {
  const Experiment e = expecting("equals = 0\nvariant = 'cure'\n");
  CHECK(only(judge(e, {trial(0, 0, 1, 9), trial(0, 1, 1, 0)})).met);
}

TEST_CASE("where limits an expectation to the points at which axes have a value") {
  const Experiment e =
      load(small_and("[[expect]]\nname = 'e'\nmetric = 'lost'\nequals = 0\n"
                     "where = { 'groups.billing.members' = 2 }\n"
                     "[sweep]\n'groups.billing.members' = [1, 2]\n"));
  CHECK(only(judge(e, {trial(0, 0, 1, 9), trial(1, 0, 1, 0)})).met);
  CHECK_FALSE(only(judge(e, {trial(0, 0, 1, 0), trial(1, 0, 1, 9)})).met);
}

TEST_CASE("versus of nothing against nothing compares nothing, and fails") {
  const Experiment most = expecting("variant = 'cure'\nversus = 'base'\nmax_ratio = 0.9\n");
  const Judgement j = only(judge(most, {trial(0, 0, 1, 0), trial(0, 1, 1, 0)}));
  CHECK_FALSE(j.met);
  CHECK(j.failure == "lost is 0 against 0, wanted at most 0.9 times that");
  CHECK(only(judge(most, {trial(0, 0, 1, 7), trial(0, 1, 1, 0)})).met);
  const Experiment least = expecting("variant = 'cure'\nversus = 'base'\nmin_ratio = 2\n");
  CHECK_FALSE(only(judge(least, {trial(0, 0, 1, 0), trial(0, 1, 1, 0)})).met);
  CHECK(only(judge(least, {trial(0, 0, 1, 0), trial(0, 1, 1, 3)})).met);
  const Experiment means = expecting("variant = 'cure'\nversus = 'base'\nmax_ratio = 1\nper = 'point'\n");
  CHECK_FALSE(only(judge(means, {trial(0, 0, 1, 0), trial(0, 1, 1, 0)})).met);
}

TEST_CASE("a fault that struck in no trial fails: nothing was tested") {
  const Experiment e =
      load(small_and("[[faults]]\nname = 'never'\nkind = 'crash'\ntarget = 'billing/0'\n"
                     "when = { step = 'committed', nth = 1000000 }\n"));
  std::vector<StoredTrial> trials = lost({0, 0});
  for (StoredTrial& t : trials) t.result.outcome.faults_fired = {0};
  const Judgement j = only(judge(e, trials));
  CHECK_FALSE(j.met);
  CHECK(j.expectation == "fault never strikes");
  trials[1].result.outcome.faults_fired = {1};
  CHECK(judge(e, trials).empty());
}

TEST_CASE("a fault must strike at every point and in every variant") {
  const Experiment e =
      load(small_and("[[faults]]\nname = 'stop'\nkind = 'crash'\ntarget = 'billing/0'\nat = '1s'\n"
                     "[[variant]]\nname = 'base'\n[[variant]]\nname = 'cure'\nset = { 'kafka.brokers' = 2 }\n"
                     "[sweep]\n'groups.billing.members' = [1, 2]\n"));
  std::vector<StoredTrial> trials;
  for (const std::uint64_t point : {0u, 1u}) {
    for (const std::uint64_t variant : {0u, 1u}) {
      for (const std::uint64_t seed : {1u, 2u}) {
        trials.push_back(trial(point, variant, seed, 0));
        trials.back().result.outcome.faults_fired = {seed == 2 ? 1u : 0u};
      }
    }
  }
  CHECK(judge(e, trials).empty());
  trials[5].result.outcome.faults_fired = {0};  // point 1, variant 0, seed 2
  const Judgement j = only(judge(e, trials));
  CHECK_FALSE(j.met);
  CHECK(j.is_fault);
  CHECK(j.where == "base, groups.billing.members=2");
  CHECK(j.point == 1);
  CHECK(j.variant == 0);
}

TEST_CASE("an expectation of a group judges that group's value alone") {
  const Experiment e = expecting("group = 'billing'\nequals = 0\n");
  StoredTrial t = trial(0, 0, 1, 7);
  t.result.labelled = {{kLost, "audit", "", 5}, {kLost, "billing", "orders/0", 3}, {kLost, "billing", "", 0}};
  CHECK(only(judge(e, {t})).met);
  t.result.labelled.back().value = 2;
  CHECK(only(judge(e, {t})).failure == "lost of billing is 2, wanted = 0");
  t.result.labelled.pop_back();
  CHECK(only(judge(e, {t})).failure == "lost of billing is missing, wanted = 0");
}
