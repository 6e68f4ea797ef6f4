// The coordinator's side of the consumer protocol (KIP-848): epochs, targets, fencing, leaving, what survives.

#include "models/kafka/group/modern_group.hpp"
#include "tests/models/kafka/coordinator_fixture.hpp"

using namespace models::kafka;

namespace {

using Partitions = std::vector<PartitionIndex>;

Partitions parts(std::initializer_list<std::uint32_t> numbers) {
  Partitions all;
  for (const std::uint32_t n : numbers) all.push_back(PartitionIndex{n});
  return all;
}

/// A consumer's side of the protocol. Topic 1 has the partitions 10 to 15.
struct Modern {
  Modern(CoordinatorWorld& w, std::string n, std::string instance = "")
      : world(w), id(std::move(n)), instance_id(std::move(instance)) {}

  Ref<ConsumerGroupHeartbeatCall> call(std::int32_t with_epoch) {
    Ref<ConsumerGroupHeartbeatCall> c = world.modern_heartbeats.take();
    c->group = "billing";
    c->member_id = id;
    c->instance_id = instance_id;
    c->member = world.entity(id);
    c->member_epoch = with_epoch;
    return c;
  }
  Ref<ConsumerGroupHeartbeatCall> send_join() {
    Ref<ConsumerGroupHeartbeatCall> c = call(0);
    c->rebalance_timeout = rebalance_timeout;
    c->topics = {TopicIndex{1}};
    c->assignor = assignor;
    c->says_owned = true;
    return world.send(c, to);
  }
  /// Sends and waits for the log; takes over what is answered.
  ErrorCode done(const Ref<ConsumerGroupHeartbeatCall>& c) {
    if (!world.answered(c)) world.run_for(5ms);
    REQUIRE(world.answered(c));
    if (c->error != ErrorCode::none) return c->error;
    epoch = c->member_epoch;
    if (c->has_assignment) assigned = c->assigned;
    return c->error;
  }
  ErrorCode join() { return done(send_join()); }
  ErrorCode beat() { return done(world.send(call(epoch), to)); }
  ErrorCode says(Partitions owned) {
    Ref<ConsumerGroupHeartbeatCall> c = call(epoch);
    c->says_owned = true;
    c->owned = std::move(owned);
    return done(world.send(c, to));
  }
  ErrorCode leave(std::int32_t with_epoch = kLeaveEpoch) { return done(world.send(call(with_epoch), to)); }
  ErrorCode commit(std::uint32_t partition, std::int32_t with_epoch) {
    Ref<OffsetCommitCall> c = world.commits.take();
    c->group = "billing";
    c->member_id = id;
    c->member = world.entity(id);
    c->generation = with_epoch;
    c->items.push_back({.partition = PartitionIndex{partition}, .offset = 7});
    world.send(c, to);
    if (!world.answered(c)) world.run_for(5ms);
    REQUIRE(world.answered(c));
    return c->error;
  }
  ErrorCode fetch(std::int32_t with_epoch) {
    Ref<OffsetFetchCall> c = world.fetches.take();
    c->group = "billing";
    c->member_id = id;
    c->member_epoch = with_epoch;
    c->items.push_back({PartitionIndex{10}, kNoOffset});
    world.send(c, to);
    if (!world.answered(c)) world.run_for(5ms);
    REQUIRE(world.answered(c));
    return c->error;
  }

  CoordinatorWorld& world;
  std::string id, instance_id;
  std::string assignor;
  std::int32_t epoch = 0;
  Partitions assigned;
  sim::Duration rebalance_timeout = 60s;
  FakeBroker* to = nullptr;
};

const ModernMember& known(const CoordinatorWorld& w, const std::string& id) {
  const ModernMember* const member = w.the_group()->modern->image().find(id);
  REQUIRE(member != nullptr);
  return *member;
}

/// a and b share the six partitions, each told and confirmed.
struct TwoMembers {
  TwoMembers() {
    w.config.group_consumer_assignment_interval = 0ms;
    REQUIRE(a.join() == ErrorCode::none);
    REQUIRE(a.says(a.assigned) == ErrorCode::none);
    REQUIRE(b.join() == ErrorCode::none);
    REQUIRE(a.beat() == ErrorCode::none);
    REQUIRE(a.says(a.assigned) == ErrorCode::none);
    REQUIRE(b.beat() == ErrorCode::none);
    REQUIRE(b.says(b.assigned) == ErrorCode::none);
    REQUIRE(w.state() == "Stable");
  }
  CoordinatorWorld w;
  Modern a{w, "a"}, b{w, "b"};
};

}  // namespace

TEST_CASE("the first member has all at its first heartbeat", "[kip848]") {
  CoordinatorWorld w;
  Modern a(w, "a");
  const auto join = a.send_join();
  CHECK_FALSE(w.answered(join));  // not before the log has it
  CHECK(a.done(join) == ErrorCode::none);
  CHECK(a.epoch == 2);
  CHECK(a.assigned == parts({10, 11, 12, 13, 14, 15}));
  CHECK(join->heartbeat_interval == 5s);
  CHECK(w.told() == std::vector<std::string>{"state Dead>Empty 0", "state Empty>Stable 2"});
}

TEST_CASE("a heartbeat that says nothing new is answered at once and without an assignment", "[kip848]") {
  CoordinatorWorld w;
  Modern a(w, "a");
  REQUIRE(a.join() == ErrorCode::none);
  const auto beat = w.send(a.call(a.epoch));
  REQUIRE(w.answered(beat));
  CHECK(beat->error == ErrorCode::none);
  CHECK_FALSE(beat->has_assignment);
}

TEST_CASE("what moves is given only when it has been given up", "[kip848]") {
  CoordinatorWorld w;
  w.config.group_consumer_assignment_interval = 0ms;
  Modern a(w, "a"), b(w, "b");
  REQUIRE(a.join() == ErrorCode::none);
  REQUIRE(b.join() == ErrorCode::none);
  CHECK(b.epoch == 3);
  CHECK(b.assigned.empty());
  CHECK(known(w, "b").state == Reconciliation::unreleased_partitions);
  CHECK(w.state() == "Reconciling");

  REQUIRE(a.beat() == ErrorCode::none);
  CHECK(a.epoch == 2);  // it goes on once it has confirmed
  CHECK(a.assigned == parts({10, 11, 12}));
  CHECK(known(w, "a").state == Reconciliation::unrevoked_partitions);
  REQUIRE(b.beat() == ErrorCode::none);
  CHECK(b.assigned.empty());

  REQUIRE(a.says(a.assigned) == ErrorCode::none);
  CHECK(a.epoch == 3);
  REQUIRE(b.beat() == ErrorCode::none);
  CHECK(b.assigned == parts({13, 14, 15}));
  CHECK(w.state() == "Stable");
}

TEST_CASE("a target is made at most once an interval, and by a heartbeat", "[kip848]") {
  CoordinatorWorld w;
  Modern a(w, "a"), b(w, "b");
  REQUIRE(a.join() == ErrorCode::none);
  REQUIRE(b.join() == ErrorCode::none);
  CHECK(w.state() == "Assigning");
  CHECK(b.epoch == 2);  // a member of the last target's epoch, with nothing of it
  CHECK(b.assigned.empty());
  w.run_for(900ms);
  REQUIRE(a.beat() == ErrorCode::none);
  CHECK(a.assigned.size() == 6);
  w.run_for(3s);
  CHECK(w.state() == "Assigning");
  REQUIRE(a.beat() == ErrorCode::none);
  CHECK(a.assigned.size() == 3);
  CHECK(w.state() == "Reconciling");
}

// CoordinatorRuntime.failCurrentBatch, revertLastWrittenOffset
TEST_CASE("a change whose batch the log refuses is undone, and its member told so", "[kip848]") {
  TwoMembers t;
  FakeBroker& broker = *t.w.broker;
  const PartitionIndex home = t.w.billing_partition();
  const Offset end = broker.log_end[home];
  const std::int32_t epoch = t.w.the_group()->modern->image().epoch;
  broker.replicate_by_hand = true;
  Modern c(t.w, "c");
  const auto join = c.send_join();
  REQUIRE(t.w.the_group()->modern->image().find("c") != nullptr);
  const auto behind = t.w.send(t.a.call(t.a.epoch));  // it says what the log does not have yet
  CHECK_FALSE(t.w.answered(behind));
  broker.coordinator.refused(home, broker.unreplicated.front(), end);
  broker.unreplicated.clear();
  broker.log_end[home] = end;
  REQUIRE(t.w.answered(join));
  CHECK(join->error == ErrorCode::coordinator_not_available);
  REQUIRE(t.w.answered(behind));
  CHECK(behind->error == ErrorCode::coordinator_not_available);
  CHECK(t.w.the_group()->modern->image().find("c") == nullptr);
  CHECK(t.w.the_group()->modern->image().epoch == epoch);
  CHECK(t.w.state() == "Stable");
  broker.replicate_by_hand = false;
  CHECK(t.a.beat() == ErrorCode::none);
  CHECK(c.join() == ErrorCode::none);
}

TEST_CASE("a group whose first member the log refuses has no members", "[kip848]") {
  CoordinatorWorld w;
  w.broker->replicate_by_hand = true;
  Modern a(w, "a");
  const auto join = a.send_join();
  w.broker->coordinator.refused(w.billing_partition(), w.broker->unreplicated.front(), 0);
  w.broker->unreplicated.clear();
  w.broker->log_end[w.billing_partition()] = 0;
  REQUIRE(w.answered(join));
  CHECK(join->error == ErrorCode::coordinator_not_available);
  CHECK(w.the_group()->modern->image().members.empty());
  w.broker->replicate_by_hand = false;
  CHECK(a.join() == ErrorCode::none);
  CHECK(a.assigned.size() == 6);
}

TEST_CASE("the assignor that most members name is taken, and one that the broker lacks is refused",
          "[kip848]") {
  CoordinatorWorld w;
  w.config.group_consumer_assignment_interval = 0ms;
  w.config.group_consumer_assignors = {ServerAssignor::uniform};
  Modern a(w, "a");
  a.assignor = "range";
  CHECK(a.join() == ErrorCode::unsupported_assignor);
  w.config.group_consumer_assignors = {ServerAssignor::uniform, ServerAssignor::range};
  CHECK(a.join() == ErrorCode::none);
  CHECK(w.the_group()->modern->image().preferred_assignor() == ServerAssignor::range);
}

TEST_CASE("new partitions of a topic make a new target at the next heartbeat", "[kip848]") {
  CoordinatorWorld w;
  Modern a(w, "a");
  REQUIRE(a.join() == ErrorCode::none);
  w.run_for(2s);
  w.broker->partitions = 8;
  REQUIRE(a.beat() == ErrorCode::none);
  CHECK(a.epoch == 3);
  CHECK(a.assigned.size() == 8);
  REQUIRE(a.beat() == ErrorCode::none);
  CHECK(a.epoch == 3);
}

// ---- members that are gone ------------------------------------------------------------------------------------

TEST_CASE("a member that leaves is gone at once, and what it had goes to others at their heartbeats",
          "[kip848]") {
  TwoMembers two;
  two.w.told();
  REQUIRE(two.b.leave() == ErrorCode::none);
  CHECK(two.w.told() == std::vector<std::string>{"state Stable>Assigning 4"});
  REQUIRE(two.a.beat() == ErrorCode::none);
  CHECK(two.a.assigned.size() == 6);
  CHECK(two.a.epoch == 4);
  CHECK(two.b.leave() == ErrorCode::unknown_member_id);
}

TEST_CASE("a silent member is thrown out when its session ends", "[kip848]") {
  TwoMembers two;
  for (int i = 0; i < 9; ++i) {
    two.w.run_for(5s);
    REQUIRE(two.a.beat() == ErrorCode::none);
  }
  CHECK(two.w.told_of("member b evicted 3"));
  CHECK(two.b.beat() == ErrorCode::unknown_member_id);
  CHECK(two.a.assigned.size() == 6);
}

TEST_CASE("a member that does not give up in its rebalance timeout is thrown out", "[kip848]") {
  CoordinatorWorld w;
  w.config.group_consumer_assignment_interval = 0ms;
  Modern a(w, "a"), b(w, "b");
  a.rebalance_timeout = 10s;
  REQUIRE(a.join() == ErrorCode::none);
  REQUIRE(b.join() == ErrorCode::none);
  REQUIRE(a.beat() == ErrorCode::none);
  w.run_for(9s);
  REQUIRE(a.beat() == ErrorCode::none);  // heartbeats do not help
  CHECK_FALSE(w.told_of("member a evicted 3"));
  w.run_for(2s);
  CHECK(w.told_of("member a evicted 3"));
  CHECK(a.says(parts({10, 11, 12})) == ErrorCode::unknown_member_id);
}

TEST_CASE("the last member's end leaves an empty group", "[kip848]") {
  CoordinatorWorld w;
  Modern a(w, "a");
  REQUIRE(a.join() == ErrorCode::none);
  REQUIRE(a.leave() == ErrorCode::none);
  CHECK(w.state() == "Empty");
  CHECK(a.commit(10, -1) == ErrorCode::none);  // from outside, as a tool does
}

// ---- fencing --------------------------------------------------------------------------------------------------

TEST_CASE("a heartbeat of another epoch is fenced, unless its last answer was lost", "[kip848]") {
  TwoMembers two;
  CHECK(two.a.done(two.w.send(two.a.call(7))) == ErrorCode::fenced_member_epoch);
  CHECK(two.a.done(two.w.send(two.a.call(2))) ==
        ErrorCode::fenced_member_epoch);  // says nothing of what it has
  auto again = two.a.call(2);
  again->says_owned = true;
  again->owned = parts({10, 11});
  CHECK(two.a.done(two.w.send(again)) == ErrorCode::none);
  CHECK(two.a.epoch == 3);
  auto too_much = two.a.call(2);
  too_much->says_owned = true;
  too_much->owned = parts({10, 11, 12, 13});
  CHECK(two.a.done(two.w.send(too_much)) == ErrorCode::fenced_member_epoch);
}

TEST_CASE("only members have heartbeats and only joins make groups", "[kip848]") {
  CoordinatorWorld w;
  Modern a(w, "a"), stranger(w, "stranger");
  CHECK(a.done(w.send(a.call(3))) == ErrorCode::group_id_not_found);
  CHECK(a.leave() == ErrorCode::group_id_not_found);
  CHECK(w.the_group() == nullptr);
  REQUIRE(a.join() == ErrorCode::none);
  CHECK(stranger.done(w.send(stranger.call(2))) == ErrorCode::unknown_member_id);
}

TEST_CASE("a group has no more members than group.consumer.max.size", "[kip848]") {
  CoordinatorWorld w;
  w.config.group_consumer_max_size = 1;
  Modern a(w, "a"), b(w, "b");
  REQUIRE(a.join() == ErrorCode::none);
  CHECK(b.join() == ErrorCode::group_max_size_reached);
  CHECK(a.join() == ErrorCode::none);  // it is one already
}

TEST_CASE("a member may join again under its id", "[kip848]") {
  TwoMembers two;
  CHECK(two.a.join() == ErrorCode::none);
  CHECK(two.a.epoch == 3);
  CHECK(two.a.assigned.size() == 3);
}

TEST_CASE("classic members and those of the consumer protocol do not mix", "[kip848]") {
  CoordinatorWorld w;
  Modern a(w, "a");
  FakeMember classic(w, "c");
  stabilize(w, {&classic});
  CHECK(a.join() == ErrorCode::group_id_not_found);
  classic.leave();
  w.run_for(10ms);
  REQUIRE(w.state() == "Empty");
  CHECK(a.join() == ErrorCode::none);  // an empty group makes way
  CHECK(classic.join()->error == ErrorCode::inconsistent_group_protocol);
  CHECK(classic.beat() == ErrorCode::unknown_member_id);
  REQUIRE(a.leave() == ErrorCode::none);
  FakeMember back(w, "d");
  stabilize(w, {&back});
}

// ---- static members -------------------------------------------------------------------------------------------

TEST_CASE("a static member that left for a while keeps its place for the next of its name", "[kip848]") {
  CoordinatorWorld w;
  w.config.group_consumer_assignment_interval = 0ms;
  Modern first(w, "first", "i"), other(w, "other");
  REQUIRE(first.join() == ErrorCode::none);
  const std::int32_t epoch = first.epoch;
  REQUIRE(first.leave(kStaticLeaveEpoch) == ErrorCode::none);
  CHECK(w.state() == "Reconciling");
  Modern second(w, "second", "i");
  REQUIRE(second.join() == ErrorCode::none);
  CHECK(second.epoch == epoch);  // nothing of the group has changed
  CHECK(second.assigned.size() == 6);
  CHECK(w.state() == "Stable");
  CHECK(first.done(w.send(first.call(epoch))) == ErrorCode::fenced_instance_id);
  CHECK(first.leave(kStaticLeaveEpoch) == ErrorCode::fenced_instance_id);
}

TEST_CASE("a name is not given to another while its holder has not left", "[kip848]") {
  CoordinatorWorld w;
  Modern first(w, "first", "i"), second(w, "second", "i");
  REQUIRE(first.join() == ErrorCode::none);
  CHECK(second.join() == ErrorCode::unreleased_instance_id);
  w.run_for(46s);  // its session
  CHECK(second.join() == ErrorCode::none);
}

TEST_CASE("a static member that leaves for good is gone", "[kip848]") {
  CoordinatorWorld w;
  Modern first(w, "first", "i");
  REQUIRE(first.join() == ErrorCode::none);
  REQUIRE(first.leave(kLeaveEpoch) == ErrorCode::none);
  CHECK(w.state() == "Empty");
}

TEST_CASE("a static member that does not come back is thrown out", "[kip848]") {
  CoordinatorWorld w;
  Modern first(w, "first", "i");
  REQUIRE(first.join() == ErrorCode::none);
  REQUIRE(first.leave(kStaticLeaveEpoch) == ErrorCode::none);
  w.run_for(46s);
  CHECK(w.told_of("member first evicted 2"));
  CHECK(w.state() == "Empty");
}

// ---- offsets --------------------------------------------------------------------------------------------------

TEST_CASE("a commit needs the member's epoch, or an older one since which it has had the partition",
          "[kip848]") {
  TwoMembers two;
  CHECK(two.a.commit(10, two.a.epoch) == ErrorCode::none);
  CHECK(two.a.commit(10, two.a.epoch - 1) == ErrorCode::none);  // it has had it since then (KIP-1251)
  CHECK(two.a.commit(10, two.a.epoch + 1) == ErrorCode::stale_member_epoch);
  CHECK(two.a.commit(13, two.a.epoch - 1) == ErrorCode::stale_member_epoch);  // given up
  CHECK(two.b.commit(13, two.b.epoch - 1) == ErrorCode::stale_member_epoch);  // not yet its own
  CHECK(two.a.commit(10, -1) == ErrorCode::stale_member_epoch);
  Modern stranger(two.w, "stranger");
  CHECK(stranger.commit(10, -1) == ErrorCode::unknown_member_id);
}

TEST_CASE("what is to be given up can still be committed", "[kip848]") {
  CoordinatorWorld w;
  w.config.group_consumer_assignment_interval = 0ms;
  Modern a(w, "a"), b(w, "b");
  REQUIRE(a.join() == ErrorCode::none);
  REQUIRE(b.join() == ErrorCode::none);
  REQUIRE(a.beat() == ErrorCode::none);
  CHECK(a.commit(13, a.epoch) == ErrorCode::none);
}

TEST_CASE("committed offsets are read by members of the present epoch, and by whoever names none",
          "[kip848]") {
  TwoMembers two;
  CHECK(two.a.fetch(two.a.epoch) == ErrorCode::none);
  CHECK(two.a.fetch(two.a.epoch - 1) == ErrorCode::stale_member_epoch);
  Modern stranger(two.w, "stranger");
  CHECK(stranger.fetch(3) == ErrorCode::unknown_member_id);
  FakeMember tool(two.w, "tool");
  CHECK(tool.fetched(10) == kNoOffset);
}

// ---- the log --------------------------------------------------------------------------------------------------

TEST_CASE("a new coordinator finds members, epochs and targets, and their sessions begin afresh",
          "[kip848]") {
  TwoMembers two;
  two.w.run_for(30s);
  two.w.broker->coordinator.crashed();
  two.w.other->coordinator.elected(two.w.billing_partition(), 2,
                                   two.w.broker->log_end[two.w.billing_partition()]);
  two.a.to = two.b.to = two.w.other.get();
  two.w.run_for(20s);
  const std::int32_t epoch = two.a.epoch;
  CHECK(two.a.beat() == ErrorCode::none);
  CHECK(two.a.epoch == epoch);
  CHECK(two.b.beat() == ErrorCode::none);
  CHECK(two.w.other->coordinator.group("billing")->is(GroupState::stable));
  two.w.run_for(46s);
  CHECK(two.a.beat() == ErrorCode::unknown_member_id);
}

TEST_CASE("a new coordinator waits anew for what is to be given up", "[kip848]") {
  CoordinatorWorld w;
  w.config.group_consumer_assignment_interval = 0ms;
  Modern a(w, "a"), b(w, "b");
  a.rebalance_timeout = 10s;
  REQUIRE(a.join() == ErrorCode::none);
  REQUIRE(b.join() == ErrorCode::none);
  REQUIRE(a.beat() == ErrorCode::none);
  w.run_for(8s);
  w.broker->coordinator.crashed();
  w.other->coordinator.elected(w.billing_partition(), 2, w.broker->log_end[w.billing_partition()]);
  a.to = b.to = w.other.get();
  w.run_for(8s);
  CHECK_FALSE(w.told_of("member a evicted 3"));
  w.run_for(3s);
  CHECK(w.told_of("member a evicted 3"));
}

TEST_CASE("what the log refuses has not happened", "[kip848]") {
  TwoMembers two;
  two.w.broker->refuse_appends = true;
  Modern c(two.w, "c");
  CHECK(c.join() == ErrorCode::coordinator_not_available);
  CHECK(two.w.the_group()->modern->image().find("c") == nullptr);
  CHECK(two.w.state() == "Stable");
  CHECK(two.b.leave() == ErrorCode::coordinator_not_available);
  CHECK(two.b.beat() == ErrorCode::none);
  // A session's end is tried again.
  two.w.run_for(46s);
  CHECK(known(two.w, "a").epoch == 3);
  two.w.broker->refuse_appends = false;
  two.w.run_for(1s);
  CHECK(two.w.state() == "Empty");
}

TEST_CASE("a group that the log refuses does not begin", "[kip848]") {
  CoordinatorWorld w;
  w.broker->refuse_appends = true;
  Modern a(w, "a");
  CHECK(a.join() == ErrorCode::coordinator_not_available);
  CHECK(w.the_group() == nullptr);
}

TEST_CASE("answers that wait for the log are sent to the next coordinator", "[kip848]") {
  CoordinatorWorld w;
  w.broker->replicate_by_hand = true;
  Modern a(w, "a");
  const auto join = a.send_join();
  w.broker->coordinator.resigned(w.billing_partition());
  REQUIRE(w.answered(join));
  CHECK(join->error == ErrorCode::not_coordinator);
}

TEST_CASE("a write that takes too long is answered with an error and counts all the same", "[kip848]") {
  CoordinatorWorld w;
  w.broker->replicate_by_hand = true;
  Modern a(w, "a");
  const auto join = a.send_join();
  w.run_for(6s);
  REQUIRE(w.answered(join));
  CHECK(join->error == ErrorCode::coordinator_not_available);
  w.broker->replicate();
  w.broker->replicate_by_hand = false;
  CHECK(a.join() == ErrorCode::none);
  CHECK(a.epoch == 2);
}

TEST_CASE("a group's offsets expire by their commits and the empty group with them", "[kip848]") {
  CoordinatorWorld w;
  w.config.offsets_retention = 60min;
  Modern a(w, "a");
  REQUIRE(a.join() == ErrorCode::none);
  REQUIRE(a.commit(10, a.epoch) == ErrorCode::none);
  for (int i = 0; i < 55 * 2; ++i) {
    w.run_for(30s);
    REQUIRE(a.beat() == ErrorCode::none);
  }
  REQUIRE(a.leave() == ErrorCode::none);
  w.run_for(11min);  // an hour after the commit, not after the last member's end
  CHECK(w.the_group() == nullptr);
}
