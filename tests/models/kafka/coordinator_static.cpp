// Static membership (KIP-345, KIP-814).
#include "tests/models/kafka/coordinator_fixture.hpp"

using namespace models;
using namespace models::kafka;

TEST_CASE("a static member is let in without a second round, under its instance id") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a");
  const auto join = a.join();
  CHECK_FALSE(w.answered(join));
  w.run_for(3s);
  a.joined(join);
  CHECK(a.id.substr(0, 4) == "i-a-");
}

TEST_CASE("a static member that comes back to a stable group takes its place without a rebalance") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a"), b(w, "b", "i-b");
  stabilize(w, {&a, &b});
  FakeMember& follower = w.the_group()->leader == a.id ? b : a;
  const std::string old_id = follower.id;
  w.told();

  w.run_for(5s);
  follower.id.clear();
  const auto join = follower.join();
  CHECK_FALSE(w.answered(join));  // until its new id is stored
  w.run_for(CoordinatorWorld::kReplication);
  follower.joined(join);
  CHECK(follower.id != old_id);
  CHECK(join->generation == 1);
  CHECK_FALSE(join->skip_assignment);
  CHECK(join->members.empty());
  CHECK(w.state() == "Stable");
  const auto sync = follower.sync();
  REQUIRE(w.answered(sync));
  CHECK(sync->assigned.size() == 1);
  CHECK(w.told().empty());

  SECTION("its old id is fenced everywhere") {
    follower.id = old_id;
    CHECK(follower.beat() == ErrorCode::fenced_instance_id);
    CHECK(follower.sync()->error == ErrorCode::fenced_instance_id);
    CHECK(follower.join()->error == ErrorCode::fenced_instance_id);
    CHECK(follower.commit(1, 1)->error == ErrorCode::fenced_instance_id);
  }
  SECTION("its session began anew, and ends in eviction") {
    FakeMember& leader = &follower == &a ? b : a;
    for (int i = 0; i < 9; ++i) {
      w.run_for(1s);
      leader.beat();
    }
    CHECK(w.the_group()->members().size() == 2);
    w.run_for(1s);
    CHECK(w.told_of("member " + follower.name + " evicted 1"));
  }
}

TEST_CASE("a static leader that comes back is told the members and to skip the assignment") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a"), b(w, "b", "i-b");
  stabilize(w, {&a, &b});
  FakeMember& leader = w.the_group()->leader == a.id ? a : b;
  leader.id.clear();
  const auto join = leader.join();
  w.run_for(5ms);
  leader.joined(join);
  CHECK(join->skip_assignment);
  CHECK(join->members.size() == 2);
  CHECK(join->leader_id == leader.id);
}

TEST_CASE("a second process with the same instance id fences the first") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i"), twin(w, "twin", "i");
  stabilize(w, {&a});
  const auto join = twin.join();
  w.run_for(5ms);
  twin.joined(join);
  CHECK(a.beat() == ErrorCode::fenced_instance_id);
  CHECK(twin.beat() == ErrorCode::none);
}

TEST_CASE("a process that waits to join or to sync is fenced at once") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i"), twin(w, "twin", "i"), b(w, "b");
  SECTION("joining") {
    const auto join = a.join();
    const auto twins = twin.join();
    REQUIRE(w.answered(join));
    CHECK(join->error == ErrorCode::fenced_instance_id);
    w.run_for(3s);
    CHECK(w.answered(twins));
    CHECK(w.the_group()->members().size() == 1);
  }
  SECTION("syncing") {
    stabilize(w, {&a, &b});
    FakeMember c(w, "c");
    const auto c_join = c.join();
    const auto a_join = a.join();
    const auto b_join = b.join();
    a.joined(a_join);
    b.joined(b_join);
    c.joined(c_join);
    if (a_join->leader_id == a.id) return;  // its sync would not wait
    const auto sync = a.sync();
    CHECK_FALSE(w.answered(sync));
    const auto twins = twin.join();
    REQUIRE(w.answered(sync));
    CHECK(sync->error == ErrorCode::fenced_instance_id);
    CHECK_FALSE(w.answered(twins));
  }
}

TEST_CASE("a static member that comes back in CompletingRebalance starts a rebalance") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a"), b(w, "b", "i-b");
  const auto a_join = a.join();
  const auto b_join = b.join();
  w.run_for(7s);
  CHECK(w.state() == "CompletingRebalance");
  a.id.clear();
  CHECK_FALSE(w.answered(a.join()));
  CHECK(w.state() == "PreparingRebalance");
  CHECK(w.the_group()->members().size() == 2);
  CHECK(b_join->error == ErrorCode::none);
}

TEST_CASE("a static member that comes back with another choice of assignor starts a rebalance") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a");
  a.protocols = {"range", "sticky"};
  stabilize(w, {&a});
  a.id.clear();
  a.protocols = {"sticky", "range"};
  const auto join = a.join();
  REQUIRE(w.answered(join));  // alone in the group: all have joined
  CHECK(join->generation == 2);
  CHECK(join->protocol == "sticky");
}

TEST_CASE("a new id that cannot be stored is taken back") {
  CoordinatorWorld w;
  FakeMember a(w, "a", "i-a");
  stabilize(w, {&a});
  const std::string old_id = a.id;
  a.id.clear();
  Ref<JoinGroupCall> join;
  SECTION("refused") {
    w.broker->refuse_appends = true;
    join = a.join();
  }
  SECTION("not replicated in time") {
    w.broker->replicate_by_hand = true;
    join = a.join();
    CHECK_FALSE(w.answered(join));
    w.run_for(5s);
  }
  REQUIRE(w.answered(join));
  CHECK(join->error == ErrorCode::coordinator_not_available);
  CHECK(join->member_id.empty());
  a.id = old_id;
  CHECK(a.beat() == ErrorCode::none);
  CHECK(w.state() == "Stable");
}
