// Variants, settings, axes and run ids: what a run is.
#include "experiments/errors.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "experiments/sweep.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

std::string resolved_json(const std::string& text, const Overrides& overrides = {}) {
  return resolve(load(text, overrides), 0, 0).json;
}

}  // namespace

TEST_CASE("a resolved scenario goes through JSON and keeps its run id") {
  const Resolved once = resolve(load(std::string(kSmall)), 0, 0);
  const Resolved again = resolve_json(once.json, ".", Place::option("record"));
  CHECK(again.json == once.json);
  CHECK(run_id(again, 7) == run_id(once, 7));
  CHECK(run_id(once, 7) != run_id(once, 8));
}

TEST_CASE("every scenario of the catalogue goes through JSON and keeps its run id") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MQLAB_SOURCE_DIR "/experiments")) {
    if (entry.path().extension() != ".toml") continue;
    INFO(entry.path());
    ++files;
    const Experiment e = load_experiment(entry.path().string(), {});
    for (std::uint64_t point = 0; point < e.points; ++point) {
      for (std::size_t variant = 0; variant < e.variants.size(); ++variant) {
        const Resolved once = resolve(e, point, variant);
        const Resolved again = resolve_json(once.json, e.directory, Place::option("record"));
        CHECK(run_id(again, 1) == run_id(once, 1));
      }
    }
  }
  CHECK(files >= 20);
}

TEST_CASE(
    "a topic that does not say how many partitions and replicas it has gets those that the brokers are "
    "told") {
  const std::string said = small_with("partitions = 2", "");
  const auto topic = [&said](std::vector<std::string> sets) {
    sets.push_back("kafka.brokers=3");
    return resolve(load(said, {.sets = sets}), 0, 0).scenario.kafka->topics[0];
  };
  CHECK(topic({}).partitions == 1);
  CHECK(topic({}).replication_factor == 1);
  CHECK(topic({"kafka.config.num.partitions=7"}).partitions == 7);
  CHECK(topic({"kafka.config.default.replication.factor=3"}).replication_factor == 3);
  CHECK(topic({"kafka.config.num.partitions=7", "kafka.topics.orders.partitions=2"}).partitions == 2);
}

TEST_CASE("equal meanings in other words are the same run") {
  const std::string json = resolved_json(std::string(kSmall));
  CHECK(resolved_json(small_with("\"3s\"", "\"3000ms\"")) == json);
  CHECK(resolved_json(small_with("rate = 100", "rate = 100.0")) == json);
  CHECK(resolved_json(small_with("rate = 100", "rate = \"100/s\"")) == json);
  CHECK(resolved_json(small_with("\"1ms\"", "{ distribution = \"constant\", value = \"1000us\" }")) == json);
  CHECK(resolved_json(small_with("[groups.config]\nauto.offset.reset =",
                                 "[groups.config]\n\"auto.offset.reset\" =")) == json);
  CHECK(resolved_json(small_with("[groups.config]\nauto.offset.reset =",
                                 "[groups.config.auto.offset]\nreset =")) == json);
  CHECK(resolved_json(small_with("name = \"small\"", "name = \"other\"\nquestion = \"why?\"")) == json);
  CHECK(resolved_json(std::string(kSmall), {.sets = {"groups.billing.members=2"}}) == json);
}

TEST_CASE("another meaning is another run") {
  const std::string json = resolved_json(std::string(kSmall));
  CHECK(resolved_json(small_with("\"3s\"", "\"4s\"")) != json);
  CHECK(resolved_json(small_with("name = \"shop\"", "name = \"till\"")) != json);  // names streams
}

TEST_CASE("the option --set takes TOML values and bare words") {
  const Experiment e =
      load(std::string(kSmall), {.sets = {"groups.billing.members=4", "groups.billing.commit=each-record",
                                          "producers.shop.arrivals={ process = \"constant\", rate = 5 }",
                                          "groups.billing.config.session.timeout.ms=7000"}});
  const Resolved r = resolve(e, 0, 0);
  REQUIRE(r.scenario.groups.size() == 1);
  CHECK(r.scenario.groups[0].members == 4);
  CHECK(r.scenario.groups[0].commit == models::CommitMode::each_record);
  CHECK(look_up(r.checked, Path::parse("producers.shop.arrivals.process", {}))->text == "constant");
  CHECK(look_up(r.checked, Path::parse("groups.billing.config.session.timeout.ms", {}))->integer == 7000);
}

TEST_CASE("variants change the scenario, extend one another, and leave the base as it stands") {
  const Experiment e =
      load(small_and("[[variant]]\nname = 'three'\nset = { 'groups.billing.members' = 3 }\n"
                     "[[variant]]\nname = 'both'\nextends = 'three'\nset = { \"kafka.brokers\" = 2 }\n"));
  REQUIRE(e.variants.size() == 3);
  CHECK(e.variants[0].name == "base");
  CHECK(resolve(e, 0, 0).scenario.groups[0].members == 2);
  CHECK(resolve(e, 0, 1).scenario.groups[0].members == 3);
  CHECK(resolve(e, 0, 2).scenario.groups[0].members == 3);
  CHECK(resolve(e, 0, 2).scenario.kafka->brokers == 2);
  CHECK(e.variant_named("both") == 2);
  CHECK_THROWS_WITH(e.variant_named("booth"), ContainsSubstring("did you mean 'both'?"));
}

TEST_CASE("a variant without changes names the base") {
  const Experiment e = load(small_and(
      "[[variant]]\nname = 'two'\n[[variant]]\nname = 'three'\nset = { 'groups.billing.members' = 3 }\n"));
  REQUIRE(e.variants.size() == 2);
  CHECK(e.variants[0].name == "two");
}

TEST_CASE("a variant that sets a path that is not there is refused where it says so") {
  CHECK(complaint(small_and("[[variant]]\nname = 'v'\nset = { 'groups.biling.members' = 3 }\n")) ==
        "s.toml:26:35: groups: has no element 'biling'; did you mean 'billing'?");
}

TEST_CASE("axes make points, the last moves fastest, --axis replaces one, --set removes one") {
  const std::string text = small_and(
      "[sweep]\ntrials = 4\n\"groups.billing.members\" = [1, 2]\nproducers.shop.arrivals.rate = { from = 10, "
      "to = "
      "30, steps = 3 }\n");
  CHECK(load(text).points == 6);
  CHECK(load(text).trials == 4);
  CHECK(load(text).total() == 24);
  CHECK(resolve(load(text), 1, 0).scenario.groups[0].members == 1);
  CHECK(resolve(load(text), 3, 0).scenario.groups[0].members == 2);
  CHECK(load(text, {.axes = {"groups.billing.members=1,2,3"}}).points == 9);
  CHECK(load(text, {.sets = {"groups.billing.members=2"}}).points == 3);
  CHECK(load(text, {.without_axes = true}).points == 1);
}

TEST_CASE("a check goes to the points of the axes that some expectation's where names") {
  const std::string sweep =
      "[sweep]\n\"groups.billing.members\" = [1, 2]\n\"producers.shop.arrivals.rate\" = [10, 20, 30]\n";
  const std::string gate = "[[expect]]\nname = 'e'\nmetric = 'lost'\nequals = 0\n";
  CHECK(load(small_and(gate + sweep), {.judged_axes = true}).points == 1);
  const Experiment e =
      load(small_and(gate + "where = { 'groups.billing.members' = 2 }\n" + sweep), {.judged_axes = true});
  REQUIRE(e.points == 2);
  CHECK(e.axes.front().path.text() == "groups.billing.members");
}

TEST_CASE("a sweep's numbers are bounded") {
  CHECK_THROWS_AS(load(std::string(kSmall), {.trials = 0}), UsageError);
  CHECK_THROWS_AS(load(std::string(kSmall), {.trials = 10'000'001}), UsageError);
  CHECK_THROWS_AS(load(std::string(kSmall), {.first_seed = ~std::uint64_t{0}}), UsageError);
  CHECK(complaint(small_and("[sweep]\ntrials = 0\n")) ==
        "s.toml:25:10: sweep.trials: must be an integer from 1 to 10000000, not 0");
  CHECK(complaint(small_and("[sweep]\ntrails = 3\n")) ==
        "s.toml:25:1: sweep.trails: is neither trials nor seed nor a path; did you mean 'trials'?");
}

TEST_CASE("expectations name what is there and ask for one thing") {
  const auto with = [](std::string_view lines) {
    return complaint(small_and("[[expect]]\nname = 'e'\n" + std::string(lines)));
  };
  CHECK(with("metric = 'lost'\nequals = 0\n").empty());
  CHECK(with("metric = 'losst'\nequals = 0\n") ==
        "s.toml:26:10: expect.0.metric: there is no metric 'losst' (see `mqlab list metrics`); did you mean "
        "'lost'?");
  CHECK(with("metric = 'xyzzy'\nequals = 0\n") ==
        "s.toml:26:10: expect.0.metric: there is no metric 'xyzzy' (see `mqlab list metrics`)");
  CHECK(with("metric = 'lost'\n") == "s.toml:24:1: expect.0: needs equals, min, max, absent or versus");
  CHECK(with("metric = 'lost'\nabsent = true\nmax = 1\n").find("goes without equals, min and max") !=
        std::string::npos);
  CHECK(with("metric = 'lost'\nmin = 2\nmax = 1\n") == "s.toml:27:7: expect.0.min: is above max");
  CHECK(with("metric = 'lost'\nequals = 0\nvariant = 'x'\n") ==
        "s.toml:28:11: expect.0.variant: there is no variant 'x'; allowed: base");
  CHECK(with("metric = 'lost'\nmax_ratio = 0.5\n").find("need versus") != std::string::npos);
  CHECK(with("metric = 'lost'\nversus = 'base'\n").find("needs min_ratio or max_ratio") != std::string::npos);
  CHECK(with("metric = 'lost'\nequals = 0\nper = 'points'\n").find("did you mean 'point'?") !=
        std::string::npos);
  CHECK(with("metric = 'lost'\nequals = 0\nwhere = { 'groups.billing.members' = 3 }\n"
             "[sweep]\n'groups.billing.members' = [1, 2]\n")
            .find("expect.0.where: the sweep has no point at which groups.billing.members is 3") !=
        std::string::npos);
  CHECK(with("metric = 'lost'\nequals = 0\nwhere = { 'groups.billing.nothing' = 1 }\n")
            .find("there is no 'groups.billing.nothing'") != std::string::npos);
}

TEST_CASE("an expectation that no trial could judge is refused") {
  const auto with = [](std::string_view lines) {
    return complaint(small_and("[[expect]]\nname = 'e'\nmetric = 'lost'\n" + std::string(lines)));
  };
  const std::string pair =
      "[[variant]]\nname = 'base'\n[[variant]]\nname = 'cure'\nset = { 'kafka.brokers' = 2 }\n";
  CHECK(with("versus = 'base'\nmax_ratio = 1\n") ==
        "s.toml:27:10: expect.0.versus: 'base' is the only variant: there is none to compare with it");
  CHECK(with("variant = 'cure'\nversus = 'cure'\nmax_ratio = 1\n" + pair) ==
        "s.toml:28:10: expect.0.versus: 'cure' would be compared with itself");
  CHECK(with("variant = ['base', 'cure']\nversus = 'base'\nmax_ratio = 1\n" + pair) ==
        "s.toml:28:10: expect.0.versus: 'base' would be compared with itself");
  CHECK(with("versus = 'base'\nmax_ratio = 1\n" + pair).empty());
  CHECK(with("variant = 'cure'\nversus = 'base'\nmax_ratio = 1\n" + pair).empty());

  CHECK(with("equals = 0\nwhere = { 'groups.billing.members' = 99 }\n") ==
        "s.toml:28:38: expect.0.where: groups.billing.members is never 99: it is 2, and no axis of [sweep] "
        "changes it");
  CHECK(with("equals = 0\nwhere = { 'groups.billing.members' = 2 }\n").empty());
  CHECK(with("equals = 0\nwhere = { 'groups.billing.members' = 2 }\n[sweep]\n'groups.billing.members' = [1, "
             "3]\n") ==
        "s.toml:28:38: expect.0.where: the sweep has no point at which groups.billing.members is 2");
}

TEST_CASE("options that leave a where no point do not make its expectation a bad one") {
  const std::string text = small_and(
      "[[expect]]\nname = 'e'\nmetric = 'lost'\nequals = 0\nwhere = { 'groups.billing.members' = 2 }\n"
      "[sweep]\n'groups.billing.members' = [2, 3]\n");
  CHECK(complaint(text, {.without_axes = true}).empty());
  CHECK(complaint(text, {.sets = {"groups.billing.members=5"}}).empty());
  CHECK(complaint(text, {.axes = {"groups.billing.members=5,6"}}).empty());
  const std::string by_option = small_and(
      "[[expect]]\nname = 'e'\nmetric = 'lost'\nequals = 0\nwhere = { 'groups.billing.members' = 3 }\n");
  CHECK(complaint(by_option, {.axes = {"groups.billing.members=3,4"}}).empty());
  CHECK_FALSE(complaint(by_option, {.axes = {"groups.billing.members=4,5"}}).empty());
}

TEST_CASE("equals leaves no room for bounds") {
  const auto with = [](std::string_view lines) {
    return complaint(small_and("[[expect]]\nname = 'e'\nmetric = 'lost'\n" + std::string(lines)));
  };
  CHECK(with("equals = 3\nmin = 5\n") == "s.toml:27:10: expect.0.equals: goes without min and max");
  CHECK(with("max = 5\nequals = 3\n") == "s.toml:28:10: expect.0.equals: goes without min and max");
}

TEST_CASE("a metric may be a sum of metrics of one unit") {
  const auto with = [](std::string_view metric) {
    return complaint(
        small_and("[[expect]]\nname = 'e'\nequals = 0\nmetric = '" + std::string(metric) + "'\n"));
  };
  CHECK(with("lost + skipped - processed").empty());
  CHECK(with("lost + skiped") ==
        "s.toml:27:10: expect.0.metric: there is no metric 'skiped' (see `mqlab list "
        "metrics`); did you mean 'skipped'?");
  CHECK(with("lost skipped") ==
        "s.toml:27:10: expect.0.metric: is a metric, or several joined by ' + ' and ' - '");
  CHECK(with("lost +") == "s.toml:27:10: expect.0.metric: is a metric, or several joined by ' + ' and ' - '");
  CHECK(with("lost - effects") ==
        "s.toml:27:10: expect.0.metric: mixes units: 'effects' is in effects, not in messages");
}

TEST_CASE("a sweep's identity tells points from variants") {
  const Experiment by_variant = load(small_and(
      "[[variant]]\nname = 'two'\n[[variant]]\nname = 'three'\nset = { 'groups.billing.members' = 3 }\n"));
  const Experiment by_axis = load(std::string(kSmall), {.axes = {"groups.billing.members=2,3"}});
  CHECK(Grid(by_variant).identity() != Grid(by_axis).identity());
  CHECK(Grid(by_axis).identity() == Grid(by_axis).identity());
}

TEST_CASE("an expectation's group has to be one of the scenario, and its metric one that groups have") {
  const auto expecting = [](std::string_view lines) {
    return complaint(small_and("[[expect]]\nname = 'e'\nmax = 0\n" + std::string(lines)));
  };
  CHECK(expecting("metric = 'lost'\ngroup = 'billing'\n").empty());
  CHECK_THAT(expecting("metric = 'lost'\ngroup = 'biling'\n"),
             ContainsSubstring("there is no group 'biling'; did you mean 'billing'?"));
  CHECK_THAT(expecting("metric = 'publish_latency_max_ms'\ngroup = 'billing'\n"),
             ContainsSubstring("publish_latency_max_ms is measured for the whole run, not for each group"));
}
