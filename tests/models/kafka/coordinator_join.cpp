// JoinGroup and the join phase. Facts: GroupMetadataManager.java and its test, KIP-394 (a new member comes
// again with the id that it was given), KIP-134 (the initial delay).
#include "tests/models/kafka/coordinator_fixture.hpp"

using namespace models;
using namespace models::kafka;

TEST_CASE("a new dynamic member is given an id and asked to come again with it") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  const auto first = a.send_join();
  REQUIRE(w.answered(first));
  CHECK(first->error == ErrorCode::member_id_required);
  CHECK(first->member_id.substr(0, 19) == "consumer-billing-1-");
  CHECK(w.state() == "Empty");
  CHECK(w.the_group()->is_pending(first->member_id));
  CHECK(b.send_join()->member_id != first->member_id);

  a.id = first->member_id;
  const auto second = a.send_join();
  CHECK_FALSE(w.answered(second));
  CHECK(w.state() == "PreparingRebalance");
  CHECK_FALSE(w.the_group()->is_pending(a.id));
}

TEST_CASE("a group that was empty waits for the initial delay, then begins its first generation") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  const auto join = a.join();
  w.run_to(2999ms);
  CHECK_FALSE(w.answered(join));
  w.run_to(3s);
  a.joined(join);
  CHECK(w.answered_s(join) == 3.0);
  CHECK(join->generation == 1);
  CHECK(join->protocol == "range");
  CHECK(join->leader_id == a.id);
  REQUIRE(join->members.size() == 1);
  CHECK(join->members[0].member_id == a.id);
  CHECK(w.told() == std::vector<std::string>{"state Dead>Empty 0", "state Empty>PreparingRebalance 0",
                                             "state PreparingRebalance>CompletingRebalance 1"});
}

TEST_CASE("the initial delay is extended while members come, at most to the longest rebalance timeout") {
  CoordinatorWorld w;
  FakeMember first(w, "first");
  first.rebalance_timeout = 10s;
  const auto join = first.join();
  std::vector<std::unique_ptr<FakeMember>> others;
  for (const auto at : {2s, 4s, 6s, 8s}) {
    w.run_to(at);
    others.push_back(std::make_unique<FakeMember>(w, "m" + std::to_string(at.count())));
    others.back()->rebalance_timeout = 10s;
    others.back()->join();
  }
  w.run_to(9500ms);
  FakeMember last(w, "last");
  last.rebalance_timeout = 10s;
  const auto last_join = last.join();
  w.run_to(9999ms);
  CHECK_FALSE(w.answered(join));
  w.run_to(10s);
  CHECK(w.answered_s(join) == 10.0);
  CHECK(w.answered_s(last_join) == 10.0);
  CHECK(join->generation == 1);
}

TEST_CASE("the initial delay is not extended by a second step when nobody came in the first") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  const auto join = a.join();
  w.run_to(1s);
  b.join();
  w.run_to(6s);
  CHECK(w.answered_s(join) == 6.0);
}

TEST_CASE("without an initial delay a group begins at once") {
  CoordinatorWorld w;
  w.config.group_initial_rebalance_delay = 0s;
  FakeMember a(w, "a");
  const auto join = a.join();
  w.run_for(1ns);
  CHECK(w.answered_s(join) == 0.0);
}

TEST_CASE("a new member of a stable group starts a rebalance that waits for all others") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  stabilize(w, {&a, &b});
  const auto c_join = c.join();
  CHECK(w.state() == "PreparingRebalance");
  CHECK(a.beat() == ErrorCode::rebalance_in_progress);
  const auto a_join = a.join();
  CHECK_FALSE(w.answered(a_join));
  const auto b_join = b.join();
  CHECK(w.answered(a_join));
  CHECK(w.answered(b_join));
  CHECK(w.answered(c_join));
  CHECK(c_join->generation == 2);
  CHECK(w.state() == "CompletingRebalance");
  const auto& leader_join = a_join->leader_id == a.id ? a_join : b_join;
  CHECK(leader_join->members.size() == 3);
  CHECK(c_join->members.empty());
}

TEST_CASE(
    "the join barrier waits at most the longest rebalance timeout and evicts dynamic members that did not "
    "come") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  b.session_timeout = c.session_timeout = 30s;
  a.rebalance_timeout = 5s;
  b.rebalance_timeout = 20s;
  a.session_timeout = 6s;
  stabilize(w, {&a, &b});
  const double start = w.now_s();
  const auto join = c.join();
  const auto b_join = b.join();
  for (int i = 0; i < 40 && !w.answered(join); ++i) {
    w.run_for(500ms);
    if (!w.answered(join)) CHECK(a.beat() == ErrorCode::rebalance_in_progress);
  }
  // a goes on sending heartbeats and does not join; the barrier is the 20 s of b, or the 60 s of c.
  CHECK_FALSE(w.answered(join));
  for (int i = 0; i < 100 && !w.answered(join); ++i) {
    w.run_for(500ms);
    if (!w.answered(join)) a.beat();
  }
  CHECK(w.answered_s(join) == Approx(start + 60));
  CHECK(w.answered(b_join));
  CHECK(w.told_of("member a evicted 1"));
  CHECK(a.beat() == ErrorCode::unknown_member_id);
  CHECK(w.the_group()->members().size() == 2);
}

TEST_CASE("the join barrier keeps static members that did not come, until their session ends") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a"), b(w, "b");
  a.session_timeout = 40s;
  a.rebalance_timeout = b.rebalance_timeout = 5s;
  stabilize(w, {&a, &b});
  FakeMember c(w, "c");
  c.rebalance_timeout = 5s;
  const auto join = c.join();
  const auto b_join = b.join();
  w.run_for(5s);
  REQUIRE(w.answered(join));
  CHECK(w.the_group()->members().size() == 3);
  // The static member was the leader; one that is here leads now.
  CHECK((join->leader_id == b.id || join->leader_id == c.id));
  CHECK(b_join->leader_id == join->leader_id);
}

TEST_CASE("only silent static members: the join phase goes on until one comes") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a"), b(w, "b");
  a.session_timeout = 1000s;
  a.rebalance_timeout = b.rebalance_timeout = 5s;
  stabilize(w, {&a, &b});
  CHECK(w.answered(b.leave()));
  CHECK(w.state() == "PreparingRebalance");
  w.run_for(23s);
  CHECK(w.state() == "PreparingRebalance");
  const auto join = a.join();
  CHECK(w.answered(join));
  CHECK(join->error == ErrorCode::none);
  CHECK(w.state() == "CompletingRebalance");
}

TEST_CASE("a member that was given an id is waited for until its session ends") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a});
  b.session_timeout = 7s;
  b.send_join();  // and does not come back
  const double start = w.now_s();
  const auto join = a.join();
  CHECK_FALSE(w.answered(join));
  w.run_for(8s);
  CHECK(w.answered_s(join) == Approx(start + 7));
  CHECK(w.the_group()->members().size() == 1);
}

TEST_CASE("a new member that waits for its first generation is given up after five minutes") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  a.rebalance_timeout = 1000s;
  stabilize(w, {&a});
  const double start = w.now_s();
  const auto join = b.join();
  while (!w.answered(join) && w.now_s() < 400) {
    w.run_for(3s);
    a.beat();
  }
  CHECK(w.answered_s(join) == Approx(start + 300));
  CHECK(join->error == ErrorCode::unknown_member_id);
  CHECK(join->member_id.empty());
  CHECK(w.told_of("member b evicted 1"));
}

TEST_CASE("a known member that waits in the join phase is not evicted by its session") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a, &b});
  b.session_timeout = 6s;
  const auto b_join = b.join();
  if (w.answered(b_join)) return;  // cannot be: a has not joined
  for (int i = 0; i < 10; ++i) {
    w.run_for(3s);
    a.beat();
  }
  CHECK(w.the_group()->members().size() == 2);
  a.join();
  CHECK(w.answered(b_join));
  CHECK(b_join->error == ErrorCode::none);
}

TEST_CASE("the assignor is chosen by vote among those that all support") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  a.protocols = {"range", "sticky"};
  b.protocols = {"sticky", "range", "cooperative-sticky"};
  c.protocols = {"sticky", "range"};
  const auto join = a.join();
  b.join();
  c.join();
  w.run_for(7s);
  CHECK(join->protocol == "sticky");
}

TEST_CASE("a member that supports none of the group's assignors is refused") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  a.join();
  b.protocols = {"sticky"};
  const auto join = b.join();
  REQUIRE(w.answered(join));
  CHECK(join->error == ErrorCode::inconsistent_group_protocol);
  b.protocols = {};
  CHECK(b.join()->error == ErrorCode::inconsistent_group_protocol);
}

TEST_CASE("a session timeout outside the broker's bounds is refused") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  a.session_timeout = 5999ms;
  CHECK(a.join()->error == ErrorCode::invalid_session_timeout);
  a.session_timeout = 1800001ms;
  CHECK(a.join()->error == ErrorCode::invalid_session_timeout);
  CHECK(w.state() == "none");
}

TEST_CASE("an id that the coordinator did not give is unknown") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), ghost(w, "ghost");
  ghost.id = "ghost";
  CHECK(ghost.join()->error == ErrorCode::unknown_member_id);
  CHECK(w.state() == "none");
  stabilize(w, {&a});
  CHECK(ghost.join()->error == ErrorCode::unknown_member_id);
  CHECK(w.state() == "Stable");
}

TEST_CASE("a group takes no more members than group.max.size") {
  CoordinatorWorld w;
  w.config.group_max_size = 2;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  stabilize(w, {&a, &b});
  const auto join = c.join();
  REQUIRE(w.answered(join));
  CHECK(join->error == ErrorCode::group_max_size_reached);
  CHECK(w.state() == "Stable");
}

TEST_CASE("a group that was loaded above group.max.size turns away the last to rejoin") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a, &b});
  w.config.group_max_size = 1;
  w.broker->coordinator.resigned(w.billing_partition());
  w.broker->coordinator.elected(w.billing_partition(), 2, 100);
  CHECK(w.state() == "PreparingRebalance");
  const auto a_join = a.join();
  const auto b_join = b.join();
  REQUIRE(w.answered(b_join));
  CHECK(b_join->error == ErrorCode::group_max_size_reached);
  CHECK(w.told_of("member b evicted 1"));
  w.run_for(60s);
  CHECK(w.answered(a_join));
  CHECK(w.the_group()->members().size() == 1);
}

TEST_CASE("the same join again in CompletingRebalance gets the same answer, a changed one starts anew") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  const auto a_join = a.join();
  const auto b_join = b.join();
  w.run_for(7s);
  a.joined(a_join);
  b.joined(b_join);
  const auto again = a.join();
  REQUIRE(w.answered(again));
  CHECK(again->generation == 1);
  CHECK(again->members.size() == (again->leader_id == a.id ? 2 : 0));
  CHECK(w.state() == "CompletingRebalance");
  b.subscription.owned = {PartitionIndex{5}};
  CHECK_FALSE(w.answered(b.join()));
  CHECK(w.state() == "PreparingRebalance");
}

TEST_CASE("in Stable a follower's unchanged join is answered at once, a leader's starts a rebalance") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a, &b});
  FakeMember& leader = w.the_group()->leader == a.id ? a : b;
  FakeMember& follower = &leader == &a ? b : a;
  const auto unchanged = follower.join();
  REQUIRE(w.answered(unchanged));
  CHECK(unchanged->generation == 1);
  CHECK(unchanged->members.empty());
  CHECK(w.state() == "Stable");

  SECTION("the leader") {
    CHECK_FALSE(w.answered(leader.join()));
    CHECK(w.state() == "PreparingRebalance");
  }
  SECTION("a follower with another subscription") {
    follower.subscription.topics.push_back(TopicIndex{2});
    CHECK_FALSE(w.answered(follower.join()));
    CHECK(w.state() == "PreparingRebalance");
  }
}

TEST_CASE("a join during CompletingRebalance sends those who wait for an assignment back") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  const auto a_join = a.join();
  const auto b_join = b.join();
  w.run_for(7s);
  a.joined(a_join);
  b.joined(b_join);
  FakeMember& follower = a_join->leader_id == a.id ? b : a;
  const auto sync = follower.sync();
  CHECK_FALSE(w.answered(sync));
  c.join();
  REQUIRE(w.answered(sync));
  CHECK(sync->error == ErrorCode::rebalance_in_progress);
  CHECK(w.state() == "PreparingRebalance");
}

TEST_CASE("a broker that does not lead the group's partition is not its coordinator") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  a.to = w.other.get();
  CHECK(a.join()->error == ErrorCode::not_coordinator);
  CHECK(a.sync()->error == ErrorCode::not_coordinator);
  CHECK(a.heartbeat()->error == ErrorCode::not_coordinator);
  CHECK(a.leave()->error == ErrorCode::not_coordinator);
  CHECK(a.commit(1, 1)->error == ErrorCode::not_coordinator);
  CHECK(a.fetch(1)->error == ErrorCode::not_coordinator);
}

TEST_CASE("any broker tells who leads the group's partition") {
  CoordinatorWorld w;
  auto find = w.finds.take();
  find->group = "billing";
  w.other->known_leader = BrokerId{7};
  w.send(find, w.other.get());
  CHECK(find->error == ErrorCode::none);
  CHECK(find->coordinator == BrokerId{7});
  w.other->known_leader = kNoBroker;
  w.send(find, w.other.get());
  CHECK(find->error == ErrorCode::coordinator_not_available);
}

TEST_CASE("the state machine has Kafka's arrows and no others") {
  using enum GroupState;
  CHECK(may_follow(empty, preparing_rebalance));
  CHECK(may_follow(stable, preparing_rebalance));
  CHECK(may_follow(completing_rebalance, preparing_rebalance));
  CHECK(may_follow(preparing_rebalance, completing_rebalance));
  CHECK(may_follow(preparing_rebalance, empty));
  CHECK(may_follow(completing_rebalance, stable));
  CHECK_FALSE(may_follow(empty, stable));
  CHECK_FALSE(may_follow(preparing_rebalance, preparing_rebalance));
  CHECK_FALSE(may_follow(preparing_rebalance, stable));
  CHECK_FALSE(may_follow(stable, empty));
  CHECK_FALSE(may_follow(dead, preparing_rebalance));
  CHECK(may_follow(empty, dead));
}
