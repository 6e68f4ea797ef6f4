// What the reader refuses of keys that regulate load.
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

std::string group(const std::string& lines, const std::string& behind = "") {
  return complaint(small_with("members = 2", "members = 2\n" + lines) + behind);
}
std::string producer(const std::string& lines) {
  return complaint(small_with("rate = 100 }\n", "rate = 100 }\n" + lines));
}
bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const std::string kBank = "\n[[dependencies]]\nname = 'bank'\n";

}  // namespace

TEST_CASE("lanes and buffers of work that is handed over", "[flow]") {
  CHECK(group("hand_off = { threads = 4, order = 'key' }\ncommit = 'completed'\n").empty());
  CHECK(holds(group("commit = 'completed'\n"), "groups.billing.commit: of what is completed"));
  CHECK(holds(group("hand_off = { order = 'row' }\n"), "hand_off.order"));
  CHECK(holds(group("hand_off = { overflow = 'drop-oldest' }\n"), "needs a `buffer`"));
  CHECK(holds(group("hand_off = { buffer = 10, overflow = 'drop-oldest', order = 'key' }\n"),
              "is not modelled"));
  CHECK(holds(group("hand_off = { buffer = 499 }\n"), "is smaller than max.poll.records"));
  CHECK(group("hand_off = { buffer = 500 }\n").empty());
  CHECK(group("hand_off = { buffer = 10, overflow = 'drop-newest' }\n").empty());
  CHECK(holds(group("hand_off = { buffer = 500 }\ncommit = 'stored'\n"), "of stored offsets"));
}

TEST_CASE("calls need a dependency, threads that make them, and a topic for dead letters", "[flow]") {
  const std::string threads = "hand_off = { threads = 4 }\n";
  CHECK(group(threads + "calls = { to = 'bank' }\n", kBank).empty());
  CHECK(holds(group("calls = { to = 'bank' }\n", kBank), "are made by threads"));
  CHECK(holds(group(threads + "calls = { to = 'banc' }\n", kBank), "there is no dependency 'banc'"));
  CHECK(holds(group(threads + "calls = { to = 'banc' }\n", kBank), "did you mean 'bank'?"));
  CHECK(holds(group(threads + "calls = { to = 'bank', timeout = '0s' }\n", kBank),
              "calls.timeout: must be above 0"));
  CHECK(holds(group(threads + "calls = { to = 'bank', dead_letters = 'orders.dlq' }\n", kBank),
              "there is no topic 'orders.dlq'"));
  CHECK(holds(group(threads + "calls = { to = 'bank', dead_letters = 'order' }\n", kBank),
              "did you mean 'orders'?"));
  CHECK(holds(group(threads + "calls = { to = 'bank', attempts = 0, dead_letters = 'orders' }\n", kBank),
              "would never get any"));
  const std::string letters = threads + "calls = { to = 'bank', dead_letters = 'dead' }\n";
  const std::string dead = "[[kafka.topics]]\nname = 'dead'\n";
  CHECK(group(letters, kBank + dead).empty());
  CHECK(holds(group(letters, kBank + dead + "config = { cleanup.policy = 'compact' }\n"),
              "is compacted: dead letters have no key"));
  CHECK(
      holds(group(threads + "calls = { to = 'bank', breaker = { open = '0s' } }\n", kBank), "breaker.open"));
  CHECK(holds(complaint(std::string(kSmall) + "\n[[dependencies]]\nname = 'billing'\n"),
              "name of something else"));
}

TEST_CASE("admission is of messages that arise by themselves", "[flow]") {
  CHECK(producer("admission = { rate = 10, burst = 5 }\n").empty());
  CHECK(producer("admission = { buffer = { messages = 5, overflow = 'drop-newest' } }\n").empty());
  CHECK(producer("admission = { shed = { group = 'billing', above = 10, below = 5 } }\n").empty());
  CHECK(holds(producer("admission = { shed = { group = 'biling', above = 10, below = 5 } }\n"),
              "there is no group"));
  CHECK(holds(producer("admission = { shed = { group = 'biling', above = 10, below = 5 } }\n"),
              "did you mean 'billing'?"));
  CHECK(holds(producer("admission = { shed = { group = 'billing', above = 10, below = 11 } }\n"),
              "no higher than"));
  CHECK(holds(producer("admission = { rate = 10 }\nresend = true\n"), "is not modelled"));
  CHECK(holds(producer("admission = { burst = 5, buffer = {} }\n"), "admission.burst: needs a `rate`"));
  CHECK(holds(complaint(small_with("process = \"poisson\", rate = 100 }",
                                   "process = \"closed_loop\" }\nadmission = {}")),
              "a closed loop waits"));
}

TEST_CASE("an autoscaler decides who takes part", "[flow]") {
  CHECK(group("autoscale = { min = 1 }\n").empty());
  CHECK(holds(group("autoscale = { min = 3 }\n"), "is more than there are members"));
  CHECK(holds(group("autoscale = { every = '0s' }\n"), "autoscale.every"));
  CHECK(holds(group("autoscale = {}\n", "\n[[faults]]\nkind = 'join'\ntarget = 'billing/1'\nat = '1s'\n"),
              "decides who takes part"));
}

TEST_CASE("alarms are for a group that there is", "[flow]") {
  const auto alerts = [](const std::string& keys) {
    return complaint(std::string(kSmall) + "\n[alerts]\n" + keys);
  };
  CHECK(alerts("group = 'billing'\nrecords = 10\n").empty());
  CHECK(holds(alerts("group = 'biling'\n"), "there is no group 'biling'; did you mean 'billing'?"));
  CHECK(holds(alerts("group = 'billing'\n"), "alerts: has no rule"));
  CHECK(holds(alerts("group = 'billing'\nage = '5s'\nwindow = '5s'\n"), "needs `growth`"));
  CHECK(holds(alerts("group = 'billing'\ngrowth = 1\nwindow = '100ms'\n"), "shorter than scenario.sample"));
}
