// What the reader refuses of topics that are created while a run lasts, and of who creates them.
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

std::string said(const std::string& fault, const std::string& kafka = "") {
  return complaint(small_with("brokers = 1", "brokers = 1\n" + kafka) + "\n[[faults]]\nat = '1s'\n" + fault);
}
bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const std::string kCreate = "kind = 'create-topic'\ntarget = 'orders'\n";
const std::string kQuota = "[[kafka.quotas]]\nname = 'shop'\ncontroller_mutation_rate = 2\n";

}  // namespace

TEST_CASE("a topic may be created by an operator, a producer or a group", "[creation]") {
  CHECK(said(kCreate).empty());
  CHECK(said(kCreate + "client = 'shop'\n").empty());
  CHECK(said(kCreate + "client = 'shop'\npermissive = true\n").empty());
  CHECK(holds(said(kCreate + "client = 'shpo'\n"), "is no producer or group; did you mean 'shop'?"));
  CHECK(holds(said(kCreate + "permissive = true\n"), "goes with `client`"));
  CHECK(holds(said(kCreate + "partitions = 4\n"), "has no such key"));
}

TEST_CASE("a quota that nobody can come to is refused", "[creation]") {
  CHECK(said(kCreate + "client = 'shop'\n", kQuota).empty());
  CHECK(holds(said(kCreate, kQuota), "controller_mutation_rate: has no effect"));
  CHECK(holds(said(kCreate + "client = 'shop'\n", "version = '2.6'\n" + kQuota),
              "does not have quotas of partitions that clients create: it came with 2.7 (KIP-599)"));
}

TEST_CASE("a policy is a number of partitions", "[creation]") {
  CHECK(said(kCreate, "create_topic_policy = { partitions = 1 }\n").empty());
  CHECK(holds(said(kCreate, "create_topic_policy = { partitions = 0 }\n"), "create_topic_policy.partitions"));
  CHECK(holds(said(kCreate, "[kafka.config]\ncreate.topic.policy.class.name = 'a.b'\n"),
              "[kafka.create_topic_policy] says"));
}
