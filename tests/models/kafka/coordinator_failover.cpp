// What a new coordinator finds, and what is lost with the old one.
#include "tests/models/kafka/coordinator_fixture.hpp"

using namespace models;
using namespace models::kafka;

namespace {

/// The other broker leads from now on, with a log that ends at `log_end`.
void fail_over(CoordinatorWorld& w, LeaderEpoch epoch, Offset log_end) {
  w.other->log_end[w.billing_partition()] = log_end;
  w.other->coordinator.elected(w.billing_partition(), epoch, log_end);
}
Offset log_end(CoordinatorWorld& w) {
  return w.broker->log_end[w.billing_partition()];
}

}  // namespace

TEST_CASE("a new coordinator goes on with the stored generation, its assignments and offsets") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b", "i-b");
  stabilize(w, {&a, &b});
  a.commit(7, 12);
  w.run_for(5ms);
  w.broker->node().crash();
  w.told();
  fail_over(w, 2, log_end(w));
  CHECK(w.told() == std::vector<std::string>{"state Dead>Stable 1"});

  a.to = b.to = w.other.get();
  CHECK(a.beat() == ErrorCode::none);
  CHECK(b.beat() == ErrorCode::none);
  CHECK(a.fetched(7) == 12);
  const auto sync = b.sync();
  REQUIRE(w.answered(sync));
  CHECK(sync->assigned == std::vector<PartitionIndex>{PartitionIndex{1}});
  const Group* group = w.other->coordinator.group("billing");
  REQUIRE(group != nullptr);
  CHECK(group->protocol == "range");
  CHECK(group->leader == w.store.load(w.billing_partition())[0].metadata->leader);
  const auto commit = a.commit(7, 15);
  w.run_for(5ms);
  CHECK(commit->error == ErrorCode::none);
  CHECK(w.told_of("committed a 7 15<12"));
}

TEST_CASE("sessions start afresh with a new coordinator") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  w.run_for(5s);
  w.broker->node().crash();
  w.run_for(60s);  // nobody looks at sessions meanwhile
  fail_over(w, 2, log_end(w));
  w.run_for(9999ms);
  CHECK_FALSE(w.told_of("member a evicted 1"));
  w.run_for(1ms);
  CHECK(w.told_of("member a evicted 1"));
}

TEST_CASE("what the new leader's log does not hold never happened") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  a.commit(7, 12);
  w.run_for(5ms);
  const Offset replicated = log_end(w);
  w.broker->replicate_by_hand = true;
  const auto lost = a.commit(7, 99);
  CHECK(log_end(w) == replicated + 1);
  w.broker->node().crash();
  CHECK_FALSE(w.answered(lost));
  fail_over(w, 2, replicated);
  a.to = w.other.get();
  CHECK(a.fetched(7) == 12);
  CHECK_FALSE(w.told_of("committed a 7 99<12"));
}

TEST_CASE("a commit that reached the new leader counts although its answer was never sent") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  a.commit(7, 12);
  w.run_for(5ms);
  w.broker->replicate_by_hand = true;
  const auto unanswered = a.commit(7, 99);
  w.broker->node().crash();
  fail_over(w, 2, log_end(w));
  CHECK_FALSE(w.answered(unanswered));
  CHECK(w.told_of("committed a 7 99<12"));
  a.to = w.other.get();
  CHECK(a.fetched(7) == 99);
}

TEST_CASE("a rebalance under way is lost with its coordinator: the last stored generation is back") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a});
  const auto b_join = b.join();
  const auto a_join = a.join();
  CHECK(a_join->generation == 2);
  w.broker->node().crash();
  fail_over(w, 2, log_end(w));
  a.to = b.to = w.other.get();
  CHECK(a.beat() == ErrorCode::none);  // of generation 1
  a.generation = 2;
  CHECK(a.beat() == ErrorCode::illegal_generation);
  b.generation = 2;
  CHECK(b.beat() == ErrorCode::unknown_member_id);
  CHECK(b_join->error == ErrorCode::none);
}

TEST_CASE("a coordinator that resigns answers all that waits") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b"), c(w, "c");
  stabilize(w, {&a, &b});
  w.broker->replicate_by_hand = true;
  const auto commit = a.commit(7, 1);
  const auto fetch = a.fetch(7);
  const auto join = c.join();
  w.broker->coordinator.resigned(w.billing_partition());
  for (const ErrorCode error : {commit->error, commit->items[0].error, fetch->error, join->error}) {
    CHECK(error == ErrorCode::not_coordinator);
  }
  CHECK(w.answered(join));
  CHECK(a.beat() == ErrorCode::not_coordinator);
  w.broker->coordinator.resigned(w.billing_partition());  // nothing more to say
}

TEST_CASE("an append that fails because leadership is lost ends the coordinator") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  const auto a_join = a.join();
  const auto b_join = b.join();
  w.run_for(7s);
  a.joined(a_join);
  b.joined(b_join);
  w.broker->replicate_by_hand = true;
  const auto a_sync = a.sync();
  const auto b_sync = b.sync();
  w.broker->replicate(ErrorCode::not_leader_or_follower);
  CHECK(a_sync->error == ErrorCode::not_coordinator);
  CHECK(b_sync->error == ErrorCode::not_coordinator);
  CHECK(w.state() == "none");
}

TEST_CASE("a leader that is elected again without a break keeps its groups") {
  CoordinatorWorld w;
  FakeMember a(w, "a"), b(w, "b");
  stabilize(w, {&a});
  const auto join = b.join();
  w.broker->coordinator.elected(w.billing_partition(), 2, log_end(w));
  CHECK(w.state() == "PreparingRebalance");
  CHECK(a.join()->generation == 2);
  CHECK(w.answered(join));
}

TEST_CASE("what a deposed leader writes before it knows is nobody's") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  const Offset end = log_end(w);
  w.broker->replicate_by_hand = true;
  fail_over(w, 2, end);
  const auto zombie = a.commit(7, 99);  // to the old leader
  w.run_for(5s);
  CHECK(zombie->error == ErrorCode::coordinator_not_available);
  a.to = w.other.get();
  a.commit(7, 12);
  w.run_for(5ms);
  CHECK(a.fetched(7) == 12);
  w.other->node().crash();
  w.broker->coordinator.resigned(w.billing_partition());
  w.broker->coordinator.elected(w.billing_partition(), 3, w.other->log_end[w.billing_partition()]);
  a.to = nullptr;
  CHECK(a.fetched(7) == 12);
}

TEST_CASE("a broker that comes back leads again from what its log holds") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  a.commit(7, 12);
  w.run_for(5ms);
  w.broker->node().crash();
  CHECK(w.state() == "none");
  w.broker->node().restart();
  w.broker->coordinator.elected(w.billing_partition(), 2, log_end(w));
  CHECK(a.beat() == ErrorCode::none);
  CHECK(a.fetched(7) == 12);
  // Member ids are not given twice.
  FakeMember b(w, "b");
  CHECK(b.send_join()->member_id != a.id);
}

TEST_CASE("groups of other partitions are not touched by a failover") {
  CoordinatorWorld w;
  FakeMember a(w, "a");
  stabilize(w, {&a});
  const PartitionIndex elsewhere{w.billing_partition().value + 1};
  w.broker->coordinator.elected(elsewhere, 1, 0);
  w.broker->coordinator.resigned(elsewhere);
  CHECK(a.beat() == ErrorCode::none);
}

TEST_CASE("the offsets store does not grow with history") {
  OffsetsStore store;
  const PartitionIndex p{1};
  store.elected(p, 0, 0);
  for (Offset end = 1; end <= 100000; ++end) {
    const CommittedOffset commit{PartitionIndex{3}, end * 10, {}, {}};
    store.append(p, 0, end, "billing", std::span(&commit, 1));
    if (end > 5) store.replicated(p, 0, end - 5);
  }
  CHECK(store.kept_records(p) < 600);
  store.elected(p, 1, 99997);
  CHECK(store.load(p)[0].offsets.offset(PartitionIndex{3}) == 999970);
}

TEST_CASE(
    "where an unclean election takes committed records away, older values come back if history is kept") {
  for (const bool keep_history : {true, false}) {
    OffsetsStore store(keep_history);
    const PartitionIndex p{1};
    store.elected(p, 0, 0);
    for (Offset end = 1; end <= 10; ++end) {
      const CommittedOffset commit{PartitionIndex{3}, end * 10, {}, {}};
      store.append(p, 0, end, "billing", std::span(&commit, 1));
      store.replicated(p, 0, end);
    }
    store.elected(p, 1, 4);
    const auto loaded = store.load(p);
    if (keep_history) {
      REQUIRE(loaded.size() == 1);
      CHECK(loaded[0].offsets.offset(PartitionIndex{3}) == 40);
      CHECK(loaded[0].unannounced.empty());
    } else {
      CHECK(loaded.empty());
    }
  }
}

TEST_CASE("history is kept only from where the replica that is furthest behind ends") {
  Offset furthest_behind = 0;
  OffsetsStore store(true, [&](PartitionIndex) { return furthest_behind; });
  const PartitionIndex p{1};
  store.elected(p, 0, 0);
  Offset end = 0;
  const auto write = [&](Offset until) {
    while (end < until) {
      const CommittedOffset commit{PartitionIndex{3}, ++end * 10, {}, {}};
      store.append(p, 0, end, "billing", std::span(&commit, 1));
      store.replicated(p, 0, end);
    }
  };
  write(2000);
  CHECK(store.kept_records(p) == 2000);
  furthest_behind = 1500;
  write(3000);
  CHECK(store.kept_records(p) == 1500);
  store.elected(p, 1, 1600);
  CHECK(store.load(p)[0].offsets.offset(PartitionIndex{3}) == 16000);
}

TEST_CASE("a leader that hears of its election after that of its successor takes nothing away") {
  OffsetsStore store;
  const PartitionIndex p{1};
  const CommittedOffset commit{.partition = PartitionIndex{0}, .offset = 7};
  store.elected(p, 5, 0);
  store.append(p, 5, 1, "billing", std::span(&commit, 1));
  store.elected(p, 4, 0);
  REQUIRE(store.load(p).size() == 1);
  CHECK(store.load(p).front().offsets.offset(PartitionIndex{0}) == 7);
}
