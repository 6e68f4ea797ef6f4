// What the reader refuses of retry topics and dead letter topics, of slow machines and wrong clocks, and of settings that change.
#include <string>

#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// The small scenario with a retry topic, this of its group, and this group beside it.
std::string said(const std::string& poison, const std::string& retry,
                 const std::string& topic = "partitions = 2") {
  std::string text = small_with("members = 2", "members = 2\npoison = { share = 0.1, " + poison + " }");
  const std::string at = "[[producers]]";
  text.insert(text.find(at), "[[kafka.topics]]\nname = 'again'\n" + topic +
                                 "\n[[kafka.topics]]\nname = 'dead'\n" + topic + "\n");
  if (!retry.empty()) text += "\n[[groups]]\nname = 'billing-again'\n" + retry + "\n";
  return complaint(text);
}

const std::string kOn = "then = 'retry-topic', to = 'again'";

std::string faulted(const std::string& fault) {
  return complaint(std::string(kSmall) + "\n[[faults]]\nat = '1s'\n" + fault);
}

}  // namespace

TEST_CASE("a group hands on to a topic, which a group that is part of it reads", "[retry]") {
  CHECK(said(kOn, "topics = ['again']\npart_of = 'billing'\ndelay = '1s'").empty());
  CHECK(said("then = 'dead-letter', to = 'dead'", "").empty());
  CHECK(holds(said("then = 'retry-topic'", ""), "is missing"));
  CHECK(holds(said("then = 'retry-topic', to = 'nowhere'", ""), "no topic 'nowhere'"));
  CHECK(holds(said("then = 'skip', to = 'again'", ""), "goes with then"));
  CHECK(holds(said(kOn, "", "partitions = 3"), "as many partitions"));
}

TEST_CASE("who reads what is handed on says whose it is, and what it is poisoned by is known", "[retry]") {
  CHECK(holds(said(kOn, "topics = ['again']"), "`part_of` says so"));
  CHECK(holds(said(kOn, "topics = ['dead']\npart_of = 'billing'"), "hands on to"));
  CHECK(holds(said(kOn, "topics = ['again']\npart_of = 'bling'"), "part_of"));
  CHECK(holds(said(kOn, "topics = ['again']\npart_of = 'billing'\npoison = { share = 0.5 }"),
              "are those of 'billing'"));
  CHECK(holds(said("then = 'skip'", "topics = ['again']\npart_of = 'billing'"), "hands on to"));
}

TEST_CASE("a setting that is altered is one of a topic's, and has a value that it takes", "[altering]") {
  const std::string alter = "kind = 'alter-config'\ntarget = 'orders'\n";
  CHECK(faulted(alter + "config = { min.insync.replicas = 1, retention.ms = '5min' }\n").empty());
  CHECK(holds(faulted(alter + "config = { num.io.threads = 3 }\n"), "is no topic setting"));
  CHECK(holds(faulted(alter + "config = { compression.type = 'gzip' }\n"), "does not model it"));
  CHECK(holds(faulted(alter + "config = { min.insync.replicas = 'few' }\n"), "is not an integer"));
  CHECK(holds(faulted("kind = 'slowdown'\ntarget = 'billing/0'\nconfig = { retention.ms = 1 }\n"),
              "no such key"));
}
