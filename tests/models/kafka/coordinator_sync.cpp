// SyncGroup: the leader's assignment becomes the group's when it is stored.
#include "tests/models/kafka/coordinator_fixture.hpp"

using namespace models;
using namespace models::kafka;

namespace {

/// A group of two in CompletingRebalance.
struct TwoMembers {
  explicit TwoMembers(CoordinatorWorld& w) : one(w, "one"), two(w, "two") {
    const auto one_join = one.join();
    const auto two_join = two.join();
    w.run_for(7s);
    one.joined(one_join);
    two.joined(two_join);
    w.told();
  }
  bool one_leads() const { return one.world.the_group()->leader == one.id; }
  FakeMember& leader() { return one_leads() ? one : two; }
  FakeMember& follower() { return one_leads() ? two : one; }
  std::vector<SyncGroupCall::Assignment> plan() {
    return {{leader().id, {PartitionIndex{1}, PartitionIndex{2}}}, {follower().id, {PartitionIndex{3}}}};
  }
  FakeMember one, two;
};

}  // namespace

TEST_CASE("assignments are given out when the leader's sync has been replicated, not before") {
  CoordinatorWorld w;
  TwoMembers t(w);
  w.broker->replicate_by_hand = true;
  const auto followers = t.follower().sync();
  const auto leaders = t.leader().sync(t.plan());
  w.run_for(100ms);
  CHECK_FALSE(w.answered(followers));
  CHECK_FALSE(w.answered(leaders));
  CHECK(w.state() == "CompletingRebalance");
  CHECK(t.leader().beat() == ErrorCode::none);
  w.broker->replicate();
  REQUIRE(w.answered(followers));
  REQUIRE(w.answered(leaders));
  CHECK(followers->assigned == std::vector<PartitionIndex>{PartitionIndex{3}});
  CHECK(leaders->assigned == std::vector<PartitionIndex>{PartitionIndex{1}, PartitionIndex{2}});
  CHECK(w.told() == std::vector<std::string>{"state CompletingRebalance>Stable 1"});
}

TEST_CASE("a sync that comes when the group is stable gets the present assignment") {
  CoordinatorWorld w;
  TwoMembers t(w);
  t.leader().sync(t.plan());
  w.run_for(10ms);
  CHECK(w.state() == "Stable");
  const auto late = t.follower().sync();
  REQUIRE(w.answered(late));
  CHECK(late->assigned == std::vector<PartitionIndex>{PartitionIndex{3}});
}

TEST_CASE("a member that the leader forgot is assigned nothing") {
  CoordinatorWorld w;
  TwoMembers t(w);
  const auto sync = t.follower().sync();
  t.leader().sync({{t.leader().id, {PartitionIndex{1}}}});
  w.run_for(10ms);
  REQUIRE(w.answered(sync));
  CHECK(sync->error == ErrorCode::none);
  CHECK(sync->assigned.empty());
}

TEST_CASE("sync is refused to strangers, for other generations and during the join phase") {
  CoordinatorWorld w;
  FakeMember ghost(w, "ghost");
  ghost.id = "ghost";
  CHECK(ghost.sync()->error == ErrorCode::unknown_member_id);  // no such group
  TwoMembers t(w);
  CHECK(ghost.sync()->error == ErrorCode::unknown_member_id);
  t.one.generation = 0;
  CHECK(t.one.sync()->error == ErrorCode::illegal_generation);
  t.one.generation = 1;
  FakeMember third(w, "third");
  third.join();
  CHECK(t.one.sync()->error == ErrorCode::rebalance_in_progress);
}

TEST_CASE("who does not sync within the rebalance timeout is evicted and the others rebalance") {
  CoordinatorWorld w;
  TwoMembers t(w);
  const double start = 6.0;  // the second member extended the initial delay
  t.leader().sync(t.plan());
  w.run_for(10ms);
  CHECK(w.state() == "Stable");
  while (w.now_s() < start + 60) {
    w.run_for(500ms);
    t.one.beat();
    t.two.beat();
  }
  CHECK(w.state() == "PreparingRebalance");
  CHECK(t.follower().beat() == ErrorCode::unknown_member_id);
  CHECK(w.told_of("member " + t.follower().name + " evicted 1"));
}

TEST_CASE("when the leader does not sync, those who wait are sent back") {
  CoordinatorWorld w;
  TwoMembers t(w);
  const auto sync = t.follower().sync();
  FakeMember& silent = t.leader();
  FakeMember& other = t.follower();
  SECTION("by the end of the leader's session") {
    w.run_for(10s);
    CHECK(w.answered_s(sync) == 16.0);
  }
  SECTION("by the sync barrier, when it sends heartbeats but no sync") {
    while (w.now_s() < 66.5) {
      w.run_for(500ms);
      if (!w.answered(sync)) silent.beat();
    }
    CHECK(w.answered_s(sync) == 66.0);
  }
  CHECK(sync->error == ErrorCode::rebalance_in_progress);
  CHECK(silent.beat() == ErrorCode::unknown_member_id);
  CHECK(other.beat() == ErrorCode::rebalance_in_progress);
  const auto join = other.join();
  REQUIRE(w.answered(join));
  CHECK(join->leader_id == other.id);
}

TEST_CASE("an assignment that the log refuses is refused to all, and they rebalance") {
  CoordinatorWorld w;
  TwoMembers t(w);
  const auto followers = t.follower().sync();
  w.broker->refuse_appends = true;
  const auto leaders = t.leader().sync(t.plan());
  REQUIRE(w.answered(followers));
  CHECK(followers->error == ErrorCode::coordinator_not_available);
  CHECK(leaders->error == ErrorCode::coordinator_not_available);
  CHECK(w.state() == "PreparingRebalance");
}

TEST_CASE("an assignment that is not replicated in time is refused to all") {
  CoordinatorWorld w;
  TwoMembers t(w);
  w.broker->replicate_by_hand = true;
  const auto leaders = t.leader().sync(t.plan());
  w.run_for(4999ms);
  CHECK_FALSE(w.answered(leaders));
  w.run_for(1ms);
  REQUIRE(w.answered(leaders));
  CHECK(leaders->error == ErrorCode::coordinator_not_available);
  CHECK(w.state() == "PreparingRebalance");
  w.broker->replicate();  // too late: another rebalance is under way
  CHECK(w.state() == "PreparingRebalance");
}

TEST_CASE("an assignment that is stored after someone joined is void") {
  CoordinatorWorld w;
  TwoMembers t(w);
  w.broker->replicate_by_hand = true;
  const auto leaders = t.leader().sync(t.plan());
  FakeMember third(w, "third");
  third.join();
  CHECK(leaders->error == ErrorCode::rebalance_in_progress);
  w.broker->replicate();
  CHECK(w.state() == "PreparingRebalance");
  CHECK(leaders->assigned.empty());
}
