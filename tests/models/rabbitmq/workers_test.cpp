// Workers at their work: what pauses, slow machines and exceptions do to it.
#include "tests/catch.hpp"
#include "tests/models/rabbitmq/desk.hpp"

using namespace rabbitmq_test;
using models::Kind;
using models::Scenario;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// One message, on which one worker works for a second, from a moment after 10 ms on.
Scenario one_job() {
  Scenario s = desk(1, 100);
  s.network.base.latency = sim::Distribution::constant(0);
  s.groups[0].service = sim::Distribution::constant(1e9);
  return s;
}

/// How long the message is worked on.
sim::Duration worked(const Scenario& s) {
  const Run run(s);
  return run.first(Kind::processed) - run.first(Kind::delivered);
}

models::FaultSpec slowdown(sim::Duration at, sim::Duration length, double factor) {
  models::FaultSpec f = fault("slowdown", "workers/0", at, length);
  f.factor = factor;
  return f;
}

}  // namespace

TEST_CASE("a slow machine stretches a worker's work, a pause puts it off", "[rabbitmq]") {
  CHECK(worked(one_job()) == seconds{1});
  Scenario slow = one_job();
  slow.faults.push_back(slowdown({}, seconds{9}, 3));
  CHECK(worked(slow) == seconds{3});
  const sim::Time begun = Run(one_job()).first(Kind::delivered);
  const auto at = [&](sim::Duration later) { return begun - sim::Time{} + later; };
  Scenario for_a_while = one_job();
  for_a_while.faults.push_back(slowdown(at(milliseconds{200}), milliseconds{600}, 3));
  CHECK(worked(for_a_while) == milliseconds{1400});
  Scenario paused = one_job();
  paused.faults.push_back(fault("pause", "workers/0", at(milliseconds{200}), seconds{2}));
  CHECK(worked(paused) == seconds{3});
  // While it is paused its machine gets slower: what is left takes as long as that says.
  paused.faults.push_back(slowdown(at(milliseconds{400}), seconds{5}, 2));
  CHECK(worked(paused) == seconds{2} + milliseconds{200 + 1600});
}

TEST_CASE("a worker that leaves acknowledges what it has done and takes nothing more", "[rabbitmq]") {
  Scenario s = desk(20, 1000);
  s.groups[0].service = sim::Distribution::constant(1e8);
  s.groups[0].rabbitmq.prefetch = 20;
  s.groups[0].rabbitmq.messages_per_ack = 10;
  s.faults.push_back(fault("leave", "workers/0", milliseconds{450}, std::nullopt));
  const Run run(s);
  const std::size_t done = run.records.of(Kind::processed).size();
  CHECK(done == 5);
  CHECK(run.records.of(Kind::settled).size() == done);
  // What waited in its client is not worked on any more.
  CHECK(run.records.of(Kind::abandoned).size() == 20 - done);
}

TEST_CASE("what a worker waits before a retry is no work that a slow machine stretches", "[rabbitmq]") {
  Scenario s = one_job();
  models::PoisonOptions poison;
  poison.share = 1;
  poison.failures = 1;
  poison.retries = 1;
  poison.backoff = seconds{1};
  s.groups[0].poison = poison;
  CHECK(worked(s) == seconds{3});
  const sim::Time begun = Run(s).first(Kind::delivered);
  s.faults.push_back(slowdown(begun - sim::Time{} + milliseconds{1500}, seconds{9}, 2));
  CHECK(worked(s) == seconds{4});
}
