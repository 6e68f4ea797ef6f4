// Heartbeats, sessions, leaving, and a coordinator that stands still.
#include "tests/models/kafka/coordinator_fixture.hpp"

using namespace models;
using namespace models::kafka;

TEST_CASE("a heartbeat is answered by the state of the group") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  a.id = "nobody";
  CHECK(a.beat() == ErrorCode::unknown_member_id);  // no such group
  a.id.clear();
  const auto a_join = a.join();
  CHECK(a.beat() == ErrorCode::illegal_generation);
  a.generation = 0;
  CHECK(a.beat() == ErrorCode::rebalance_in_progress);  // PreparingRebalance
  w.run_for(3s);
  a.joined(a_join);
  CHECK(a.beat() == ErrorCode::none);  // CompletingRebalance
  a.sync();
  w.run_for(5ms);
  CHECK(a.beat() == ErrorCode::none);  // Stable
  a.leave();
  CHECK(w.state() == "Empty");
  CHECK(a.beat() == ErrorCode::unknown_member_id);
}

TEST_CASE("a silent member is evicted exactly when its session ends") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a, &b});
  a.beat();
  const sim::Time last = w.simulation.now();
  while (w.simulation.now() < last + 9s) {
    w.run_for(1s);
    b.beat();
  }
  w.simulation.run_until(last + 10s - 1ns);
  CHECK(w.state() == "Stable");
  w.run_for(1ns);
  CHECK(w.state() == "PreparingRebalance");
  CHECK(w.told_of("member a evicted 1"));
  CHECK(b.beat() == ErrorCode::rebalance_in_progress);
  const auto join = b.join();
  b.joined(join);
  CHECK(join->generation == 2);
  CHECK(join->leader_id == b.id);
}

TEST_CASE("heartbeats and offset commits both keep a session alive") {
  CoordinatorWorld w;
  FakeMember beats(w, "beats"), commits(w, "commits"), silent(w, "silent");
  stabilize(w, {&beats, &commits, &silent});
  for (int i = 0; i < 4; ++i) {
    w.run_for(4s);
    beats.heartbeat();
    commits.commit(1, i);
  }
  CHECK(w.told_of("member silent evicted 1"));
  CHECK_FALSE(w.told_of("member beats evicted 1"));
  CHECK_FALSE(w.told_of("member commits evicted 1"));
  CHECK(w.the_group()->members().size() == 2);
}

TEST_CASE("commits keep the session alive during the join phase too") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a});
  b.join();
  for (int i = 0; i < 5; ++i) {
    w.run_for(5s);
    const auto commit = a.commit(1, i);
    w.run_for(5ms);
    CHECK(commit->error == ErrorCode::none);
  }
  CHECK(w.the_group()->members().size() == 2);
}

TEST_CASE("a member that leaves makes the others rebalance at once") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a, &b});
  const auto leave = a.leave();
  REQUIRE(w.answered(leave));
  CHECK(leave->error == ErrorCode::none);
  CHECK(w.state() == "PreparingRebalance");
  CHECK(a.leave()->error == ErrorCode::unknown_member_id);
  CHECK(b.join()->generation == 2);
}

TEST_CASE("a group that all have left is Empty, in a new generation") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a});
  w.told();
  const auto leave = a.leave();
  CHECK_FALSE(w.answered(leave));  // until that is stored
  w.run_for(5ms);
  CHECK(w.answered(leave));
  CHECK(w.told() ==
        std::vector<std::string>{"state Stable>PreparingRebalance 1", "state PreparingRebalance>Empty 2"});
  CHECK(w.the_group()->leader.empty());
  // The next member meets an empty group, with its initial delay.
  const double start = w.now_s();
  const auto join = b.join();
  w.run_for(3s);
  CHECK(w.answered_s(join) == Approx(start + 3));
  CHECK(join->generation == 3);
}

TEST_CASE("a member that leaves in the join phase is not waited for") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  stabilize(w, {&a, &b});
  const auto c_join = c.join();
  const auto a_join = a.join();
  b.leave();
  CHECK(w.answered(a_join));
  CHECK(w.answered(c_join));
}

TEST_CASE("a pending member that leaves is not waited for") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a});
  b.id = b.send_join()->member_id;
  const auto join = a.join();
  CHECK_FALSE(w.answered(join));
  CHECK(w.answered(b.leave()));
  CHECK(w.answered(join));
}

TEST_CASE("a leader that is gone leaves the lead to a member that has joined") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a, &b});
  FakeMember& leader = w.the_group()->leader == a.id ? a : b;
  FakeMember& other = &leader == &a ? b : a;
  leader.leave();
  const auto join = other.join();
  REQUIRE(w.answered(join));
  CHECK(join->leader_id == other.id);
  CHECK(join->members.size() == 1);
}

TEST_CASE("timers of a paused coordinator wait, and heartbeats that were held back come first") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a, &b});
  w.broker->node().pause();
  w.run_for(5s);
  // What the network would do with a delivery to a paused node:
  w.broker->node().run_or_hold([&] { b.heartbeat(); });
  w.run_for(25s);
  CHECK_FALSE(w.told_of("member a evicted 1"));
  w.broker->node().resume();
  CHECK(w.told_of("member a evicted 1"));
  CHECK_FALSE(w.told_of("member b evicted 1"));
  CHECK(w.the_group()->members().size() == 1);
}

TEST_CASE("a pause holds back every kind of timer without harm") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  SECTION("the initial delay") {
    const auto join = a.join();
    w.broker->node().pause();
    w.run_for(5s);
    CHECK_FALSE(w.answered(join));
    w.broker->node().resume();
    CHECK(w.answered(join));
  }
  SECTION("a pending member, and the join barrier behind it") {
    stabilize(w, {&a, &b});
    c.send_join();
    const auto join = a.join();
    w.broker->node().pause();
    w.run_for(100s);
    w.broker->node().resume();
    CHECK(w.answered(join));
    CHECK(w.the_group()->members().size() == 1);
  }
  SECTION("the sync barrier and the sessions of those it evicts") {
    const auto a_join = a.join();
    const auto b_join = b.join();
    w.run_for(7s);
    w.broker->node().pause();
    w.run_for(100s);
    w.broker->node().resume();
    CHECK(w.state() == "Empty");
  }
  SECTION("a crash while paused") {
    stabilize(w, {&a, &b});
    w.broker->node().pause();
    w.run_for(100s);
    w.broker->node().crash();
    w.run_for(100s);
    CHECK(w.state() == "none");
  }
}

TEST_CASE("a thousand members that send heartbeats cost a few stores each") {
  CoordinatorWorld w;
  std::vector<std::unique_ptr<FakeMember>> members;
  std::vector<FakeMember*> all;
  for (int i = 0; i < 1000; ++i) {
    members.push_back(std::make_unique<FakeMember>(w, "m" + std::to_string(i)));
    all.push_back(members.back().get());
  }
  stabilize(w, all);
  CHECK(w.the_group()->members().size() == 1000);
  std::vector<Ref<HeartbeatCall>> beats;
  for (FakeMember* m : all) beats.push_back(m->heartbeat());
  const std::size_t queued = w.simulation.queued_entries();
  for (int round = 0; round < 100; ++round) {
    w.run_for(100ms);
    for (const auto& beat : beats) w.send(beat);
  }
  CHECK(w.simulation.queued_entries() <= queued);  // re-armed in place
  w.run_for(9s);
  CHECK(w.the_group()->members().size() == 1000);
  w.run_for(1s);
  CHECK(w.state() == "Empty");
}
