// What a careless user is told: what is allowed, and what was likely meant.
#include <string>

#include "experiments/notes.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

const std::string kFault = "\n[[faults]]\nname = 'it'\n";

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("where nothing is near what was written, all that is allowed is listed") {
  CHECK(holds(
      complaint(small_and(kFault + "kind = 'crash'\ntarget = 'billing/0'\nwhen = { step = 'xyzzy' }\n")),
      "faults.it.when.step: 'xyzzy' is not allowed here; allowed: "));
  CHECK(holds(
      complaint(small_and(kFault + "kind = 'crash'\ntarget = 'billing/0'\nwhen = { step = 'xyzzy' }\n")),
      "processed-not-committed"));
  CHECK(holds(complaint(small_and(kFault + "kind = 'create-topic'\ntarget = 'zzz'\nat = '1s'\n")),
              "there is no topic called 'zzz'; allowed: orders"));
  CHECK(holds(complaint(small_with("to = \"orders\"", "topic = \"orders\"")), "unknown key; allowed: "));
}

TEST_CASE("another number is no slip of the pen") {
  CHECK(holds(complaint(small_and(kFault + "kind = 'crash'\ntarget = 'billing/7'\nat = '1s'\n")),
              "nothing here is called 'billing/7'; allowed: billing/0, billing/1"));
  const std::string version = complaint(small_with("brokers = 1", "brokers = 1\nversion = '5.0'"));
  CHECK(holds(version, "allowed: "));
  CHECK(holds(version, "4.3"));
}

TEST_CASE("a distribution that is not known is told before its parameters") {
  CHECK(holds(complaint(small_with(
                  "rate = 100 }", "rate = 100 }\nkeys = { distribution = 'ziph', count = 9, exponent = 1 }")),
              "keys.distribution: 'ziph' is not known; did you mean 'zipf'?"));
  CHECK(holds(
      complaint(small_with("rate = 100 }", "rate = 100 }\nsize = { distribution = 'constant', size = 9 }")),
      "bytes"));
}

TEST_CASE("a link whose end is nowhere is refused") {
  CHECK(holds(complaint(small_and("\n[[network.links]]\nfrom = 'shop'\nto = 'nowhere'\nlatency = '5ms'\n")),
              "network.links.0.to: there is no host, rack, zone or region called 'nowhere'"));
  CHECK(
      complaint(small_and("\n[[network.links]]\nfrom = 'shop'\nto = 'kafka/0'\nlatency = '5ms'\n")).empty());
}

TEST_CASE("more replicas in sync than there are is noted") {
  const auto notes = notes_on(resolve(
      load(small_with("partitions = 2", "partitions = 2\nconfig = { min.insync.replicas = 2 }")), 0, 0));
  REQUIRE(notes.size() == 1);
  CHECK(holds(notes[0], "kafka.topics.orders has 1 replica, and min.insync.replicas is 2"));
}
