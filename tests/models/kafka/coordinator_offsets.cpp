// Committed offsets: who may commit when, and what a commit waits for.
#include "tests/models/kafka/coordinator_fixture.hpp"

using namespace models;
using namespace models::kafka;

TEST_CASE("a commit counts and is answered when it has been replicated") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  CHECK(a.fetched(7) == kNoOffset);
  w.told();
  const auto commit = a.commit(7, 12);
  CHECK_FALSE(w.answered(commit));
  CHECK(w.told().empty());
  w.run_for(CoordinatorWorld::kReplication);
  REQUIRE(w.answered(commit));
  CHECK(commit->error == ErrorCode::none);
  CHECK(commit->items[0].error == ErrorCode::none);
  a.commit(7, 20);
  w.run_for(5ms);
  CHECK(w.told() == std::vector<std::string>{"committed a 7 12<-1", "committed a 7 20<12"});
  CHECK(a.fetched(7) == 20);
  CHECK(a.fetched(8) == kNoOffset);
}

TEST_CASE("a commit whose batch the log refuses never was, and those before it are") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  w.broker->replicate_by_hand = true;
  const auto kept = a.commit(7, 12);
  const PartitionIndex home = w.billing_partition();
  const Offset end = w.broker->log_end[home];
  const auto refused = a.commit(7, 20);
  const auto fetch = a.fetch(7);  // waits for both
  w.told();
  w.broker->coordinator.refused(home, w.broker->unreplicated.back(), end);
  w.broker->unreplicated.pop_back();
  w.broker->log_end[home] = end;
  REQUIRE(w.answered(refused));
  CHECK(refused->items[0].error == ErrorCode::coordinator_not_available);
  REQUIRE(w.answered(fetch));
  CHECK_FALSE(w.answered(kept));
  w.broker->replicate();
  REQUIRE(w.answered(kept));
  w.broker->replicate_by_hand = false;
  CHECK(w.told() == std::vector<std::string>{"committed a 7 12<-1"});
  CHECK(a.fetched(7) == 12);
}

TEST_CASE("the leader epoch of a commit comes back with its offset") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  a.commit_epoch = 3;
  a.commit(7, 12);
  w.run_for(5ms);
  const auto fetch = a.fetch(7);
  REQUIRE(w.answered(fetch));
  CHECK(fetch->items[0].offset == 12);
  CHECK(fetch->items[0].epoch == 3);
}

TEST_CASE("an offset fetch waits for the commits before it") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  w.broker->replicate_by_hand = true;
  a.commit(7, 12);
  const auto fetch = a.fetch(7);
  CHECK_FALSE(w.answered(fetch));
  w.broker->replicate();
  REQUIRE(w.answered(fetch));
  CHECK(fetch->items[0].offset == 12);
}

TEST_CASE("whether a commit is accepted depends on the state of the group") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), ghost(w, "ghost");
  ghost.id = "ghost";
  ghost.generation = 1;
  CHECK(ghost.commit(7, 1)->error == ErrorCode::unknown_member_id);  // no such group

  const auto join = a.join();
  w.run_for(3s);
  a.joined(join);
  CHECK(a.commit(7, 1)->error == ErrorCode::rebalance_in_progress);  // CompletingRebalance
  a.sync();
  w.run_for(5ms);

  const auto stable = a.commit(7, 2);
  w.run_for(5ms);
  CHECK(stable->error == ErrorCode::none);
  a.generation = 0;
  CHECK(a.commit(7, 3)->error == ErrorCode::illegal_generation);
  a.generation = 1;
  CHECK(ghost.commit(7, 3)->error == ErrorCode::unknown_member_id);
  ghost.id.clear();
  ghost.generation = -1;
  CHECK(ghost.commit(7, 3)->error == ErrorCode::unknown_member_id);

  b.join();
  CHECK(w.state() == "PreparingRebalance");
  const auto previous_generation = a.commit(7, 4);
  w.run_for(5ms);
  CHECK(previous_generation->error == ErrorCode::none);

  a.leave();
  b.leave();
  w.run_for(5ms);
  CHECK(w.state() == "Empty");
  CHECK(a.commit(7, 5)->error == ErrorCode::unknown_member_id);
  CHECK(a.fetched(7) == 4);
}

TEST_CASE("a consumer without a group generation may commit to a group without members") {
  CoordinatorWorld w;
  FakeMember alone(w, "alone");
  const auto commit = alone.commit(7, 3);
  w.run_for(5ms);
  CHECK(commit->error == ErrorCode::none);
  CHECK(alone.fetched(7) == 3);
  CHECK(w.state() == "Empty");
}

TEST_CASE("a commit that the log refuses is refused") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  w.broker->refuse_appends = true;
  const auto commit = a.commit(7, 3);
  REQUIRE(w.answered(commit));
  CHECK(commit->error == ErrorCode::coordinator_not_available);
  CHECK(commit->items[0].error == ErrorCode::coordinator_not_available);
  CHECK(a.fetched(7) == kNoOffset);
}

TEST_CASE(
    "a commit that is not replicated in time is answered with an error, and counts when it gets through") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  a.session_timeout = 60s;
  stabilize(w, {&a});
  w.broker->replicate_by_hand = true;
  const auto commit = a.commit(7, 3);
  w.run_for(2s);
  const auto fetch = a.fetch(7);
  w.run_for(2999ms);
  CHECK_FALSE(w.answered(commit));
  w.run_for(1ms);
  REQUIRE(w.answered(commit));
  CHECK(commit->error == ErrorCode::coordinator_not_available);
  CHECK_FALSE(w.answered(fetch));
  w.run_for(2s);
  CHECK(fetch->error == ErrorCode::coordinator_not_available);

  const auto behind = a.fetch(7);  // nothing but the late commit is under way, and it is waited for as long
  w.run_for(1s);
  CHECK_FALSE(w.told_of("committed a 7 3<-1"));
  w.broker->replicate();
  CHECK(w.told_of("committed a 7 3<-1"));
  REQUIRE(w.answered(behind));
  CHECK(behind->items[0].offset == 3);
}

TEST_CASE("a commit on fewer replicas than wanted is stored all the same") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  w.broker->replicate_by_hand = true;
  const auto commit = a.commit(7, 3);
  w.broker->replicate(ErrorCode::not_enough_replicas_after_append);
  CHECK(commit->error == ErrorCode::none);
  CHECK(a.fetched(7) == 3);
}

TEST_CASE("commits of several partitions are one write") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  const Offset before = w.broker->log_end[w.billing_partition()];
  auto call = w.commits.take();
  call->group = "billing";
  call->member_id = a.id;
  call->member = w.entity("a");
  call->generation = 1;
  for (std::uint32_t p = 20; p > 10; --p)
    call->items.push_back({.partition = PartitionIndex{p}, .offset = 5});
  w.send(call);
  CHECK(w.broker->unreplicated.size() == 1);
  CHECK(w.broker->log_end[w.billing_partition()] == before + 10);
  w.run_for(5ms);
  CHECK(a.fetched(11) == 5);
  CHECK(a.fetched(20) == 5);
}

TEST_CASE(
    "offsets expire when the group has been empty for offsets.retention.minutes, and the group dies with "
    "them") {
  CoordinatorWorld w;
  w.config.offsets_retention = 60min;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  a.commit(7, 3);
  w.run_for(5ms);
  for (int i = 0; i < 1500; ++i) {  // two hours with a member: nothing expires
    w.run_for(5s);
    a.heartbeat();
  }
  CHECK(a.fetched(7) == 3);
  a.leave();
  w.run_for(59min);
  CHECK(a.fetched(7) == 3);
  CHECK(w.state() == "Empty");
  w.run_for(11min);
  CHECK(w.state() == "none");
  CHECK(w.told_of("state Empty>Dead 2"));
  CHECK(a.fetched(7) == kNoOffset);
  // And not for this coordinator alone.
  w.broker->coordinator.resigned(w.billing_partition());
  w.broker->coordinator.elected(w.billing_partition(), 2, 1000);
  CHECK(a.fetched(7) == kNoOffset);
  CHECK(w.state() == "none");
}

TEST_CASE("offsets of a group that never had members expire one by one after their commit") {
  CoordinatorWorld w;
  w.config.offsets_retention = 60min;
  FakeMember alone(w, "alone");
  alone.commit(7, 3);
  w.run_for(40min);
  alone.commit(8, 4);
  w.run_for(31min);
  CHECK(alone.fetched(7) == kNoOffset);
  CHECK(alone.fetched(8) == 4);
  w.run_for(40min);
  CHECK(w.state() == "none");
}

TEST_CASE("an expiry that the log refuses is tried again at the next check") {
  CoordinatorWorld w;
  w.config.offsets_retention = 1min;
  FakeMember alone(w, "alone");
  alone.commit(7, 3);
  w.run_for(1s);
  w.broker->refuse_appends = true;
  w.run_for(15min);
  CHECK(w.state() == "Empty");
  w.broker->refuse_appends = false;
  w.run_for(10min);
  CHECK(w.state() == "none");
}
