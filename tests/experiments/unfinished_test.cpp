// A run that does not drain, or leaves something unread, says who waits for what.
#include <algorithm>
#include <string>
#include <vector>

#include "experiments/trial.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

struct Ended {
  std::vector<std::string> lines;
  bool drained = false;

  bool say(const std::string& part) const {
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    INFO(all);
    const bool said = all.find(part) != std::string::npos;
    CHECK(said);
    return said;
  }
};

Ended run(const std::string& text) {
  const Resolved resolved = resolve(load(text), 0, 0);
  models::World world(resolved.scenario, 1);
  Ended ended;
  ended.drained = world.run().drained;
  ended.lines = world.unfinished();
  return ended;
}

/// kSmall with a short drain and these lines at its end.
std::string soon(const std::string& more) {
  return small_with("duration = \"3s\"", "duration = \"3s\"\ndrain = \"2s\"") + more;
}

}  // namespace

TEST_CASE("a run that drains leaves nothing to say") {
  const Ended ended = run(std::string(kSmall));
  CHECK(ended.drained);
  CHECK(ended.lines.empty());
}

TEST_CASE("partitions that members have not heard of are waited for until their metadata are old") {
  const Ended ended =
      run(soon("\n[[faults]]\nkind = 'grow'\ntarget = 'orders'\npartitions = 4\nat = '1s'\n"));
  CHECK_FALSE(ended.drained);
  ended.say(
      "billing, orders/2, orders/3: no member has it yet: they learn of new partitions when their metadata "
      "are "
      "metadata.max.age.ms (300 s) old");
}

TEST_CASE("a member that is too slow is so many records behind, and a rebalance is told") {
  std::string text = soon("max.poll.records = 10\n");
  text.replace(text.find("service = \"1ms\""), 15, "service = \"30ms\"");
  std::string alone = text;
  alone.replace(alone.find("members = 2"), 11, "members = 1");
  run(alone).say("records behind");
  // The first rebalance waits for three seconds, and once more for who came meanwhile.
  const Ended ended = run(soon(""));
  CHECK_FALSE(ended.drained);
  ended.say(
      "billing, orders/0, orders/1: no member has it: the group is in a rebalance, or looks for its "
      "coordinator");
}

TEST_CASE("a Streams task commits when its interval is over") {
  std::string text = soon("");
  text.replace(text.find("members = 2\nservice = \"1ms\""), 27,
               "members = 1\nstreams = { changelog = 'changes' }");
  text.insert(text.find("[[producers]]"), "[[kafka.topics]]\nname = 'changes'\npartitions = 2\n\n");
  const Ended ended = run(text);
  CHECK_FALSE(ended.drained);
  ended.say("billing/0: has read all, and commits every commit.interval.ms (30 s)");
}

TEST_CASE("a group of which nobody is left says what it leaves, and is not waited for") {
  const Ended ended =
      run(soon("\n[[faults]]\nkind = 'crash'\ntarget = 'billing/0'\nat = '2s'\n"
               "\n[[faults]]\nkind = 'crash'\ntarget = 'billing/1'\nat = '2s'\n"));
  ended.say("billing: no member runs to read ");
  ended.say("(billing/0 is down, billing/1 is down)");
}

TEST_CASE("a gateway that does not come back leaves what devices keep") {
  const Ended ended =
      run(soon("\n[[gateways]]\nname = 'edge'\nto = 'orders'\narrivals = { process = 'poisson', rate = 50 }\n"
               "\n[[faults]]\nkind = 'crash'\ntarget = 'edge'\nat = '2s'\n"));
  ended.say("edge: is down: devices keep what they have published and nobody has acknowledged");
}

TEST_CASE("a partition without a leader is named by who waits for it") {
  const Ended ended =
      run(soon("\n[[faults]]\nkind = 'crash'\ntarget = 'kafka/0'\nat = '2s'\nheals = false\n"));
  CHECK_FALSE(ended.drained);
  ended.say("shop: has messages that nobody has answered");
  ended.say("billing: all brokers of 'kafka' are down");
}

TEST_CASE("an application that a fatal error ended is counted") {
  const auto failed = [](const std::string& scenario) {
    const TrialResult trial = run_trial(resolve(load(scenario), 0, 0), 1);
    return trial.metrics[static_cast<std::size_t>(models::Metric::applications_failed)];
  };
  CHECK(failed(std::string(kSmall)) == 0);
  // GroupMaxSizeReachedException
  CHECK(failed(small_with("brokers = 1", "brokers = 1\nconfig = { group.max.size = 1 }")) == 1);
}

// ---- RabbitMQ -----------------------------------------------------------------------------------------------------

namespace {

/// Five messages for a queue; what else there is stands in `more`.
std::string queue_desk(const std::string& more,
                       const std::string& publisher = "rabbitmq = { confirms = 10 }") {
  return "[scenario]\nname = 'desk'\nduration = '3s'\ndrain = '2s'\n[rabbitmq]\n[[rabbitmq.queues]]\nname = "
         "'jobs'\n"
         "[[producers]]\nname = 'shop'\ncluster = 'rabbitmq'\nto = 'jobs'\nmessages = 5\n"
         "arrivals = { process = 'constant', rate = 10 }\n" +
         publisher + "\n" + more;
}

constexpr const char* kBusy =
    "[[groups]]\nname = 'workers'\ncluster = 'rabbitmq'\nservice = '100s'\nrabbitmq = { queues = 'jobs', "
    "prefetch = 2 }\n";

}  // namespace

TEST_CASE("a queue that nobody consumes from says what is left in it") {
  const Ended ended = run(queue_desk(""));
  CHECK(ended.drained);
  ended.say("jobs: 5 ready, and nobody consumes from it");
}

TEST_CASE("a queue says who holds what, and a worker what it does") {
  const Ended ended = run(queue_desk(kBusy));
  CHECK_FALSE(ended.drained);
  ended.say("jobs: 3 ready, and who consumes from it holds all that its prefetch allows");
  ended.say("jobs: 2 unacknowledged: 2 with workers/0");
  ended.say("workers/0: works on a message");
  ended.say("workers/0: 1 messages wait in its client");
}

TEST_CASE("a holder that stands still is named so") {
  const Ended ended = run(queue_desk(
      std::string(kBusy) +
      "[[faults]]\nkind = 'pause'\ntarget = 'workers/0'\nat = '1s'\nheals = false\nfor = '60s'\n"));
  ended.say("2 with workers/0 (which is paused)");
}

TEST_CASE("a publisher says from which queues it waits for confirms") {
  const Ended ended = run(queue_desk("[rabbitmq.disk]\nwrite = '60s'\n"));
  CHECK_FALSE(ended.drained);
  ended.say("shop: waits for confirms of 5 messages from jobs");
}
