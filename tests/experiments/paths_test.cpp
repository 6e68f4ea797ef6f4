#include "experiments/scenario/paths.hpp"

#include "experiments/errors.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "tests/catch.hpp"

using namespace experiments;

namespace {

using Segments = std::vector<std::string>;

Segments segments_of(std::string_view text) {
  return Path::parse(text, Place::option("--set")).segments();
}

std::string refusal(std::string_view text) {
  try {
    segments_of(text);
  } catch (const BadScenario& bad) {
    return bad.what();
  }
  return {};
}

Value tree() {
  Value root = parse_toml(
      "[kafka]\nracks = ['a', 'b']\n[[kafka.topics]]\nname = 'orders.v1'\npartitions = 3\n"
      "[[groups]]\nname = 'billing'\n[groups.config]\nsession.timeout.ms = 1\n'max.poll.records' = 2\n",
      "s.toml");
  flatten_configs(root);
  return root;
}

std::string refusal_of_assign(std::string_view path) {
  Value root = tree();
  try {
    Value value = Value::of(std::int64_t{1});
    value.place = Place::option("--set " + std::string(path));
    assign(root, Path::parse(path, value.place), value);
  } catch (const BadScenario& bad) {
    return bad.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a path is segments joined by dots, in quotes where a segment holds one") {
  CHECK(segments_of("producers.shop.arrivals.rate") == Segments{"producers", "shop", "arrivals", "rate"});
  CHECK(segments_of("kafka.topics.\"orders.v1\".partitions") ==
        Segments{"kafka", "topics", "orders.v1", "partitions"});
}

TEST_CASE("what follows config is one key, with or without quotes") {
  const Segments wanted{"groups", "billing", "config", "session.timeout.ms"};
  CHECK(segments_of("groups.billing.config.session.timeout.ms") == wanted);
  CHECK(segments_of("groups.billing.config.\"session.timeout.ms\"") == wanted);
}

TEST_CASE("a path that is none says why") {
  CHECK(refusal("a..b") == "--set: a..b: a path is segments joined by dots; one of them is empty");
  CHECK(refusal("") == "--set: a path is segments joined by dots; one of them is empty");
  CHECK(refusal("a.") == "--set: a.: a path is segments joined by dots; one of them is empty");
  CHECK(refusal("a.\"b").find("a quote is not closed") != std::string::npos);
  CHECK(refusal("a.\"b\"c").find("a dot must follow a quoted segment") != std::string::npos);
  CHECK(refusal("groups.billing.config.").find("names no key after 'config.'") != std::string::npos);
}

TEST_CASE("the spelling of a path reads back as the same path") {
  for (const char* text : {"producers.shop.arrivals.rate", "kafka.topics.\"orders.v1\".partitions",
                           "groups.billing.config.session.timeout.ms", "kafka.racks.0"}) {
    CHECK(Path::parse(text, {}).text() == text);
  }
}

TEST_CASE("elements are found by name, those without a name by number") {
  const Value root = tree();
  const auto at = [&](const char* path) { return look_up(root, Path::parse(path, {})); };
  REQUIRE(at("kafka.topics.\"orders.v1\".partitions") != nullptr);
  CHECK(at("kafka.topics.\"orders.v1\".partitions")->integer == 3);
  CHECK(at("kafka.topics.0.partitions")->integer == 3);
  CHECK(at("kafka.racks.1")->text == "b");
  CHECK(at("groups.billing.config.session.timeout.ms")->integer == 1);
  CHECK(at("kafka.racks.2") == nullptr);
  CHECK(at("kafka.nothing") == nullptr);
}

TEST_CASE("setting a path that leads nowhere names what there is") {
  CHECK(refusal_of_assign("groups.biling.members") ==
        "--set groups.biling.members: groups: has no element 'biling'; did you mean 'billing'?");
  CHECK(refusal_of_assign("groups.zzz.members") ==
        "--set groups.zzz.members: groups: has no element 'zzz'; there are: billing");
  CHECK(refusal_of_assign("kafka.racks.0.x").find("'kafka.racks.0' is a text and has no keys") !=
        std::string::npos);
  CHECK(refusal_of_assign("groups.billing").find("names a whole element") != std::string::npos);
  CHECK(refusal_of_assign("kafka").find("names a whole section") != std::string::npos);
  CHECK(refusal_of_assign("sweep.trials").find("cannot be set by a path") != std::string::npos);
  CHECK(refusal_of_assign("scenario.name").find("cannot be set by a path") != std::string::npos);
}

TEST_CASE("config keys are the same dotted, quoted or nested, and given twice are refused") {
  const Value root = tree();
  const Value* config = look_up(root, Path::parse("groups.billing", {}))->find("config");
  REQUIRE(config->members.size() == 2);
  CHECK(config->members[0].first == "session.timeout.ms");
  CHECK(config->members[1].first == "max.poll.records");
  Value nested = parse_toml("[a.config.session.timeout]\nms = 1\n", "s.toml");
  flatten_configs(nested);
  CHECK(nested.find("a")->find("config")->find("session.timeout.ms")->integer == 1);
  Value twice = parse_toml("[a.config]\nsession.timeout.ms = 1\n'session.timeout.ms' = 2\n", "s.toml");
  CHECK_THROWS_WITH(flatten_configs(twice),
                    "s.toml:3:1: session.timeout.ms: is given twice; the other is at s.toml:2:1");
}

TEST_CASE("an assignment is cut at its first equals sign outside of quotes") {
  using Pair = std::pair<std::string, std::string>;
  CHECK(split_assignment("a.b=c=d", "--set") == Pair{"a.b", "c=d"});
  CHECK(split_assignment("a.\"x=y\".b=1", "--set") == Pair{"a.\"x=y\".b", "1"});
  CHECK_THROWS_WITH(split_assignment("a.b", "--set"), "--set 'a.b': write PATH=VALUE");
  CHECK_THROWS_AS(split_assignment("=1", "--set"), UsageError);
}
