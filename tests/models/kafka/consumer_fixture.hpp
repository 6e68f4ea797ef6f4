// A real cluster, a group on it, and a hand that appends records: what consumers do is read from the trace.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/network/network.hpp"
#include "tests/catch.hpp"

namespace models::kafka {

using namespace std::chrono_literals;

struct Row {
  sim::Time time{};
  Kind kind{};
  std::uint16_t code = 0;
  std::string actor, place;
  std::int64_t a = 0, b = 0, c = 0;
  std::vector<std::int64_t> payload;
};

class Rows final : public sim::TraceSink {
 public:
  explicit Rows(const Entities& entities) : entities_(entities) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      const auto words = block.payload(r);
      rows.push_back({r.time,
                      static_cast<Kind>(r.kind),
                      r.code,
                      entities_[r.actor].name,
                      entities_[r.place].name,
                      r.a,
                      r.b,
                      r.c,
                      {words.begin(), words.end()}});
    }
  }
  std::vector<Row> rows;

 private:
  const Entities& entities_;
};

/// Says when a record was done: partition, offset, finish time, by whom.
struct Done {
  std::string partition;
  Offset offset;
  std::int64_t finish;
  std::string member;
  friend bool operator==(const Done&, const Done&) = default;
  friend bool operator<(const Done& x, const Done& y) {
    return std::tie(x.finish, x.partition, x.offset, x.member) <
           std::tie(y.finish, y.partition, y.offset, y.member);
  }
};

struct WorldOfGroup {
  struct Setup {
    std::int32_t brokers = 3;
    std::int32_t partitions = 1;
    std::int32_t replication = 3;
    sim::Duration rebalance_delay = 0ms;
    std::int32_t group_max_size = 2147483647;
    std::int32_t consumer_group_max_size = 2147483647;
    GroupOptions group = default_group();
    std::uint64_t seed = 1;
  };

  /// Reads "orders" from the beginning, commits after processing, one member, 1 ms a record.
  static GroupOptions default_group() {
    GroupOptions group;
    group.name = "billing";
    group.topics = {"orders"};
    group.service = sim::Distribution::constant(1e6);
    group.commit = CommitMode::after_processing;
    group.config.auto_offset_reset = AutoOffsetReset::earliest;
    return group;
  }

  explicit WorldOfGroup(const Setup& setup)
      : simulation({.seed = setup.seed}),
        sink(entities),
        network(simulation, NetworkOptions{}),
        context{simulation, trace, entities, network, steps},
        cluster(context, cluster_options(setup)),
        feeder_node(simulation, network, entities.add(EntityKind::producer, "feeder"),
                    network.add_host("feeder"), "feeder"),
        feeder(*this) {
    trace.add_sink(sink);
    const EntityId group_entity = entities.add(EntityKind::group, setup.group.name);
    group = std::make_unique<ConsumerGroup>(cluster, setup.group, group_entity);
    for (std::uint32_t i = 0; i < setup.group.members; ++i) {
      const std::string name = setup.group.name + "/" + std::to_string(i);
      const EntityId entity = entities.add(EntityKind::member, name, group_entity, i);
      nodes.push_back(std::make_unique<Node>(simulation, network, entity, network.add_host(name), name));
      group->add_member(*nodes.back());
    }
    cluster.start();
    group->start();
  }

  // ---- verbs ----
  void run_for(sim::Duration d) {
    simulation.run_until(simulation.now() + d);
    trace.flush();
  }
  void run_until(sim::Time t) {
    simulation.run_until(t);
    trace.flush();
  }
  /// Until `what()` holds, looked at every millisecond.
  template <class What>
  bool run_until_that(What&& what, sim::Duration most = 60s) {
    for (const sim::Time end = simulation.now() + most; simulation.now() < end;) {
      run_for(1ms);
      if (what()) return true;
    }
    return false;
  }
  bool run_until_idle(sim::Duration most = 120s) {
    return run_until_that([this] { return group->idle() && everything_read(); }, most);
  }
  bool everything_read() const {
    std::map<std::string, Offset> read;
    for (const auto& member : group->members()) {
      for (const PartitionIndex p : member->assignment().partitions()) {
        read[cluster_entity(p)] = member->assignment()[p].position;
      }
    }
    return std::all_of(fed.begin(), fed.end(),
                       [&](const auto& one) { return read[one.first] >= one.second; });
  }
  std::string cluster_entity(PartitionIndex p) const { return entities[cluster.partition(p).entity].name; }

  /// Appends `count` records of 100 bytes, one batch, to orders/`partition`; they arrive a round trip later. `seq` names
  /// messages that have been sent before.
  void feed(std::int32_t partition, std::int32_t count, std::int64_t seq = -1) {
    feeder.send(partition, count, seq);
  }

  Consumer& member(std::size_t i) { return *group->members()[i]; }
  Node& node(std::size_t i) { return *nodes[i]; }
  PartitionIndex orders(std::int32_t n) const {
    return PartitionIndex{cluster.topic(*cluster.find_topic("orders")).first.value +
                          static_cast<std::uint32_t>(n)};
  }
  BrokerId leader_of(PartitionIndex p) {
    for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
      const Replica* replica = cluster.broker(BrokerId{b}).replica(p);
      if (replica != nullptr && replica->leads && cluster.node(BrokerId{b}).up()) return BrokerId{b};
    }
    return kNoBroker;
  }
  Node& coordinator_node() {
    return cluster.node(leader_of(cluster.offsets_partition(group->options().name)));
  }

  // ---- what happened ----
  std::vector<Row> all(Kind kind, const std::string& actor = "") const {
    std::vector<Row> found;
    for (const Row& row : sink.rows) {
      if (row.kind == kind && (actor.empty() || row.actor == actor)) found.push_back(row);
    }
    return found;
  }
  std::size_t count(Kind kind, const std::string& actor = "") const { return all(kind, actor).size(); }
  std::int64_t records(Kind kind, const std::string& actor = "") const {
    std::int64_t sum = 0;
    for (const Row& row : all(kind, actor)) sum += row.b;
    return sum;
  }
  /// Each processing of each record, by time.
  std::vector<Done> done() const {
    std::vector<Done> found;
    for (const Row& row : all(Kind::processed)) {
      for (std::int64_t i = 0; i < row.b; ++i) {
        const std::int64_t finish = (row.code & kArithmetic) != 0 ? row.payload[0] + i * row.payload[1]
                                                                  : row.payload[static_cast<std::size_t>(i)];
        found.push_back({row.place, row.a + i, finish, row.actor});
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// How often each record was processed.
  std::map<std::pair<std::string, Offset>, int> times_done() const {
    std::map<std::pair<std::string, Offset>, int> times;
    for (const Done& d : done()) ++times[{d.partition, d.offset}];
    return times;
  }
  bool all_done_once(std::size_t records) const {
    const auto times = times_done();
    return times.size() == records &&
           std::all_of(times.begin(), times.end(), [](const auto& t) { return t.second == 1; });
  }
  Offset committed(const std::string& partition) const {
    Offset offset = kNoOffset;
    for (const Row& row : all(Kind::committed)) {
      if (row.place == partition) offset = row.a;
    }
    return offset;
  }
  /// Who can fetch it, as the ownership records say.
  std::vector<std::string> owners(const std::string& partition) const {
    std::vector<std::string> now;
    for (const Row& row : all(Kind::ownership)) {
      if (row.place != partition) continue;
      if (row.a == 1)
        now.push_back(row.actor);
      else
        now.erase(std::find(now.begin(), now.end(), row.actor));
    }
    return now;
  }
  bool owned_by_one_each(std::int32_t partitions) const {
    for (std::int32_t p = 0; p < partitions; ++p) {
      if (owners("orders/" + std::to_string(p)).size() != 1) return false;
    }
    return true;
  }
  std::int64_t generation() const {
    const std::vector<Row> states = all(Kind::group_state);
    return states.empty() ? -1 : states.back().b;
  }
  std::size_t member_codes(MemberCode code, const std::string& actor) const {
    const auto rows = all(Kind::member_state, actor);
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [code](const Row& row) {
      return row.code == static_cast<std::uint16_t>(code);
    }));
  }

  static ClusterOptions cluster_options(const Setup& setup) {
    ClusterOptions options;
    options.brokers = setup.brokers;
    options.config.group_initial_rebalance_delay = setup.rebalance_delay;
    options.config.group_max_size = setup.group_max_size;
    options.config.group_consumer_max_size = setup.consumer_group_max_size;
    options.config.offsets_topic_num_partitions = 1;
    TopicOptions topic;
    topic.name = "orders";
    topic.partitions = setup.partitions;
    topic.replication_factor = std::min(setup.replication, setup.brokers);
    options.topics.push_back(topic);
    return options;
  }

  class Feeder {
   public:
    explicit Feeder(WorldOfGroup& world) : world_(world) {}
    void send(std::int32_t partition, std::int32_t count, std::int64_t seq) {
      const PartitionIndex p = world_.orders(partition);
      const BrokerId leader = world_.leader_of(p);
      REQUIRE(leader != kNoBroker);
      auto& channel = channels_[leader.value];
      if (!channel)
        channel = std::make_unique<RpcChannel>(world_.cluster, world_.feeder_node, leader, RpcOptions{});
      if (lanes_.find(partition) == lanes_.end()) {
        lanes_[partition] =
            world_.entities.add_lane(world_.feeder_node.entity(), world_.cluster.partition(p).entity);
      }
      const bool again = seq >= 0;
      Ref<ProduceCall> call = world_.cluster.take<ProduceCall>();
      call->acks = 1;
      call->timeout = 30s;
      ProduceBatch batch;
      batch.partition = p;
      batch.lane = lanes_[partition];
      batch.first_seq = again ? seq : next_seq_[partition];
      batch.count = count;
      batch.bytes = 100 * count;
      call->batches.push_back(batch);
      if (!again) next_seq_[partition] += count;
      world_.fed[world_.cluster_entity(p)] += count;
      channel->call<&Feeder::answered>(*this, std::move(call));
    }
    void answered(BrokerId, Ref<ProduceCall> call) {
      REQUIRE(call->error == ErrorCode::none);
      REQUIRE(call->batches[0].error == ErrorCode::none);
    }

   private:
    WorldOfGroup& world_;
    std::map<std::int32_t, std::unique_ptr<RpcChannel>> channels_;
    std::map<std::int32_t, LaneId> lanes_;
    std::map<std::int32_t, std::int64_t> next_seq_;
  };

  sim::Simulation simulation;
  sim::Trace trace;
  Entities entities;
  Rows sink;
  Steps steps;
  Network network;
  Context context;
  Cluster cluster;
  Node feeder_node;
  std::map<std::string, Offset> fed;
  Feeder feeder;
  std::vector<std::unique_ptr<Node>> nodes;
  std::unique_ptr<ConsumerGroup> group;
};

inline WorldOfGroup::Setup with(GroupOptions group, std::int32_t partitions = 1) {
  WorldOfGroup::Setup setup;
  setup.partitions = partitions;
  setup.group = std::move(group);
  return setup;
}

}  // namespace models::kafka
