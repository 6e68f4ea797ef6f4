// A group coordinator driven by hand: calls go in, what it answers and when is seen, the log is a counter.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/kafka/group/group_coordinator.hpp"
#include "models/network/network.hpp"
#include "tests/catch.hpp"

namespace models::kafka {

using namespace std::chrono_literals;

inline constexpr std::int32_t kOffsetsPartitions = 4;
inline constexpr PartitionIndex kFirstOffsetsPartition{100};

/// What the trace said, one line a record: "state Empty>PreparingRebalance 0", "member a evicted 3",
/// "committed a 7 12<5".
class TraceLines final : public sim::TraceSink {
 public:
  explicit TraceLines(const Entities& entities) : entities_(entities) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) lines_.push_back(text(r));
  }
  std::vector<std::string> lines_;

 private:
  std::string text(const sim::TraceRecord& r) const {
    const auto state = [](auto n) { return std::string(group_state_name(static_cast<GroupState>(n))); };
    const std::string& actor = entities_[r.actor].name;
    switch (static_cast<Kind>(r.kind)) {
      case Kind::group_state:
        return "state " + state(r.code) + ">" + state(r.a) + " " + std::to_string(r.b);
      case Kind::member_state: {
        CHECK(static_cast<MemberCode>(r.code) == MemberCode::evicted);
        return "member " + actor + " evicted " + std::to_string(r.b);
      }
      case Kind::committed:
        return "committed " + actor + " " + std::to_string(r.place) + " " + std::to_string(r.a) + "<" +
               std::to_string(r.b);
      default:
        return "?";
    }
  }
  const Entities& entities_;
};

struct CoordinatorWorld;

/// A broker reduced to what a coordinator sees of it.
class FakeBroker final : public CoordinatorHost, public NodeProgram {
 public:
  FakeBroker(CoordinatorWorld& world, const std::string& name);

  Context& context() override;
  Node& node() override { return node_; }
  const BrokerConfig& config() override;
  OffsetsStore& offsets_store() override;
  PartitionIndex offsets_partition(std::string_view group) override {
    return PartitionIndex{kFirstOffsetsPartition.value +
                          static_cast<std::uint32_t>(group.size() % kOffsetsPartitions)};
  }
  BrokerId leader(PartitionIndex) override { return known_leader; }
  EntityId entity(PartitionIndex partition) override { return EntityId{partition.value}; }
  Offset append(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                std::uint64_t token) override;
  /// Topic t has so many partitions, from 10 t on.
  std::vector<AssignorTopic> assignor_topics(std::span<const TopicIndex> wanted) override {
    std::vector<AssignorTopic> topics;
    for (const TopicIndex t : wanted)
      topics.push_back({t, "topic", PartitionIndex{10 * t.value}, partitions});
    return topics;
  }
  std::size_t metadata_version() override { return static_cast<std::size_t>(partitions); }
  void answer(AnyCall call) override;
  void marker_settled(Ref<WriteTxnMarkersCall> call) override {
    if (--call->awaiting == 0) answer(AnyCall(std::move(call)));
  }
  void crashed() override { coordinator.crashed(); }
  void restarted() override {}

  /// Everything appended and not replicated yet gets behind the high watermark, or fails.
  void replicate(ErrorCode error = ErrorCode::none);

  BrokerId known_leader{0};
  std::int32_t partitions = 6;
  bool refuse_appends = false;
  bool replicate_by_hand = false;
  std::map<PartitionIndex, Offset> log_end;
  std::vector<std::uint64_t> unreplicated;

 private:
  CoordinatorWorld& world_;
  Node node_;

 public:
  GroupCoordinator coordinator;
};

struct CoordinatorWorld {
  static constexpr sim::Duration kReplication = 2ms;

  explicit CoordinatorWorld(bool keep_history = false)
      : store(keep_history), lines(entities), context{simulation, trace, entities, network, steps} {
    trace.add_sink(lines);
    entities.add(EntityKind::topic, "billing");  // of the same name as the group
    group = entities.add(EntityKind::group, "billing");
    broker = std::make_unique<FakeBroker>(*this, "kafka/0");
    other = std::make_unique<FakeBroker>(*this, "kafka/1");
    broker->coordinator.elected(billing_partition(), 1, 0);
  }

  PartitionIndex billing_partition() { return broker->offsets_partition("billing"); }
  EntityId entity(const std::string& name) {
    const EntityId found = entities.find(name);
    return found == EntityId{} ? entities.add(EntityKind::member, name, group) : found;
  }

  // ---- running ----
  void run_for(sim::Duration d) { simulation.run_until(simulation.now() + d); }
  void run_to(sim::Duration since_start) { simulation.run_until(sim::Time(since_start)); }
  double now_s() const { return sim::seconds(simulation.now()); }
  const Group* the_group() const { return broker->coordinator.group("billing"); }
  std::string state() const {
    return the_group() == nullptr ? "none" : std::string(group_state_name(the_group()->state));
  }
  /// New lines since the last call.
  std::vector<std::string> told() {
    trace.flush();
    std::vector<std::string> news(lines.lines_.begin() + static_cast<std::ptrdiff_t>(told_),
                                  lines.lines_.end());
    told_ = lines.lines_.size();
    return news;
  }
  bool told_of(const std::string& line) {
    trace.flush();
    return std::find(lines.lines_.begin(), lines.lines_.end(), line) != lines.lines_.end();
  }

  // ---- calls ----
  template <class Call>
  bool answered(const Ref<Call>& call) const {
    return answered_at.find(call.get()) != answered_at.end();
  }
  template <class Call>
  double answered_s(const Ref<Call>& call) const {
    REQUIRE(answered(call));
    return sim::seconds(answered_at.at(call.get()));
  }
  template <class Call>
  Ref<Call> send(Ref<Call> call, FakeBroker* to = nullptr) {
    answered_at.erase(call.get());
    (to == nullptr ? *broker : *to).coordinator.receive(call);
    return call;
  }

  sim::Simulation simulation;
  sim::Trace trace;
  Entities entities;
  Steps steps;
  Network network{simulation, NetworkOptions{}};
  BrokerConfig config;
  OffsetsStore store;
  TraceLines lines;
  Context context;
  EntityId group{};
  Pool<JoinGroupCall> joins;
  Pool<SyncGroupCall> syncs;
  Pool<HeartbeatCall> heartbeats;
  Pool<LeaveGroupCall> leaves;
  Pool<OffsetCommitCall> commits;
  Pool<OffsetFetchCall> fetches;
  Pool<FindCoordinatorCall> finds;
  Pool<ConsumerGroupHeartbeatCall> modern_heartbeats;
  std::map<const CallBase*, sim::Time> answered_at;
  std::unique_ptr<FakeBroker> broker, other;

 private:
  std::size_t told_ = 0;
};

inline FakeBroker::FakeBroker(CoordinatorWorld& world, const std::string& name)
    : world_(world),
      node_(world.simulation, world.network, world.entities.add(EntityKind::broker, name),
            world.network.add_host(name), name),
      coordinator(*this) {
  node_.set_program(*this);
}
inline Context& FakeBroker::context() {
  return world_.context;
}
inline const BrokerConfig& FakeBroker::config() {
  return world_.config;
}
inline OffsetsStore& FakeBroker::offsets_store() {
  return world_.store;
}

inline Offset FakeBroker::append(PartitionIndex partition, std::int32_t records, std::int32_t bytes,
                                 std::uint64_t token) {
  CHECK(records > 0);
  CHECK(bytes > 0);
  if (refuse_appends) return kNoOffset;
  unreplicated.push_back(token);
  if (!replicate_by_hand) {
    world_.simulation.schedule_after(CoordinatorWorld::kReplication, [this, token] {
      if (std::erase(unreplicated, token) > 0) coordinator.appended(token, ErrorCode::none);
    });
  }
  return log_end[partition] += records;
}

inline void FakeBroker::replicate(ErrorCode error) {
  for (const std::uint64_t token : std::exchange(unreplicated, {})) coordinator.appended(token, error);
}

inline void FakeBroker::answer(AnyCall call) {
  const CallBase* answered = &*call;
  const bool first = world_.answered_at.emplace(answered, world_.simulation.now()).second;
  CHECK(first);  // each call is answered once
}

/// A consumer's side of the protocol.
struct FakeMember {
  FakeMember(CoordinatorWorld& w, std::string n, std::string instance = "")
      : world(w), name(std::move(n)), instance_id(std::move(instance)) {}

  /// One JoinGroup with what is known of the member.
  Ref<JoinGroupCall> send_join() {
    Ref<JoinGroupCall> call = world.joins.take();
    call->group = "billing";
    call->member_id = id;
    call->instance_id = instance_id;
    call->member = world.entity(name);
    call->session_timeout = session_timeout;
    call->rebalance_timeout = rebalance_timeout;
    call->protocols = protocols;
    call->subscription = subscription;
    return world.send(call, to);
  }
  /// As consumers do: a dynamic member is sent back once with its id.
  Ref<JoinGroupCall> join() {
    Ref<JoinGroupCall> call = send_join();
    if (world.answered(call) && call->error == ErrorCode::member_id_required) {
      id = call->member_id;
      call = send_join();
    }
    return call;
  }
  void joined(const Ref<JoinGroupCall>& call) {
    REQUIRE(world.answered(call));
    REQUIRE(call->error == ErrorCode::none);
    id = call->member_id;
    generation = call->generation;
  }
  Ref<SyncGroupCall> sync(std::vector<SyncGroupCall::Assignment> assignments = {}) {
    Ref<SyncGroupCall> call = world.syncs.take();
    call->group = "billing";
    call->member_id = id;
    call->instance_id = instance_id;
    call->generation = generation;
    call->assignments = std::move(assignments);
    return world.send(call, to);
  }
  Ref<HeartbeatCall> heartbeat() {
    Ref<HeartbeatCall> call = world.heartbeats.take();
    call->group = "billing";
    call->member_id = id;
    call->instance_id = instance_id;
    call->generation = generation;
    return world.send(call, to);
  }
  ErrorCode beat() {
    const Ref<HeartbeatCall> call = heartbeat();
    REQUIRE(world.answered(call));
    return call->error;
  }
  Ref<LeaveGroupCall> leave() {
    Ref<LeaveGroupCall> call = world.leaves.take();
    call->group = "billing";
    call->member_id = id;
    return world.send(call, to);
  }
  Ref<OffsetCommitCall> commit(std::uint32_t partition, Offset offset) {
    Ref<OffsetCommitCall> call = world.commits.take();
    call->group = "billing";
    call->member_id = id;
    call->instance_id = instance_id;
    call->member = world.entity(name);
    call->generation = generation;
    call->items.push_back({.partition = PartitionIndex{partition}, .offset = offset, .epoch = commit_epoch});
    return world.send(call, to);
  }
  Ref<OffsetFetchCall> fetch(std::uint32_t partition) {
    Ref<OffsetFetchCall> call = world.fetches.take();
    call->group = "billing";
    call->items.push_back({PartitionIndex{partition}, kNoOffset});
    return world.send(call, to);
  }
  Offset fetched(std::uint32_t partition) {
    const Ref<OffsetFetchCall> call = fetch(partition);
    REQUIRE(world.answered(call));
    REQUIRE(call->error == ErrorCode::none);
    return call->items[0].offset;
  }

  CoordinatorWorld& world;
  std::string name;
  std::string instance_id;
  std::string id;
  std::int32_t generation = -1;
  sim::Duration session_timeout = 10s;
  sim::Duration rebalance_timeout = 60s;
  std::vector<std::string> protocols{"range"};
  LeaderEpoch commit_epoch = kNoEpoch;  ///< of the records before what it commits
  Subscription subscription{.topics = {TopicIndex{1}}, .owned = {}, .generation = -1};
  FakeBroker* to = nullptr;
};

/// Joins all (in one initial delay or one join phase), then syncs them: member i gets partition i. Leaves the
/// group Stable.
inline void stabilize(CoordinatorWorld& world, std::vector<FakeMember*> members) {
  std::vector<Ref<JoinGroupCall>> joins;
  for (FakeMember* m : members) joins.push_back(m->join());
  if (!world.answered(joins[0])) world.run_for(world.config.group_initial_rebalance_delay + 4s);
  std::vector<SyncGroupCall::Assignment> assignments;
  FakeMember* leader = nullptr;
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i]->joined(joins[i]);
    assignments.push_back({members[i]->id, {PartitionIndex{static_cast<std::uint32_t>(i)}}});
    if (joins[i]->leader_id == members[i]->id) leader = members[i];
  }
  REQUIRE(leader != nullptr);
  for (FakeMember* m : members) m->sync(m == leader ? assignments : std::vector<SyncGroupCall::Assignment>{});
  world.run_for(10ms);
  REQUIRE(world.state() == "Stable");
}

}  // namespace models::kafka
