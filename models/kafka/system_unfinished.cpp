// What is under way or unread when a run ends, and who waits for what.
#include <algorithm>
#include <utility>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/consumer/consumer.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/share_consumer.hpp"
#include "models/kafka/group/describe.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/kafka/share/share_partition_manager.hpp"
#include "models/kafka/system.hpp"

namespace models::kafka {
namespace {

std::string seconds_text(sim::Duration d) {
  const std::int64_t ms = d / std::chrono::milliseconds{1};
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

std::string records(std::int64_t n) {
  return std::to_string(n) + (n == 1 ? " record" : " records");
}

/// Partitions by what is said of them, in the order in which it was first said: a line for each.
class Reasons {
 public:
  void add(const std::string& partition, std::string reason) {
    const auto at =
        std::find_if(all_.begin(), all_.end(), [&](const auto& known) { return known.first == reason; });
    (at == all_.end() ? all_.emplace_back(std::move(reason), std::vector<std::string>{}) : *at)
        .second.push_back(partition);
  }
  void tell(const std::string& group, std::vector<std::string>& lines) const {
    constexpr std::size_t kMostNamed = 3;
    for (const auto& [reason, partitions] : all_) {
      std::string named;
      for (std::size_t i = 0; i < std::min(partitions.size(), kMostNamed); ++i)
        named += (i == 0 ? "" : ", ") + partitions[i];
      if (partitions.size() > kMostNamed)
        named += " and " + std::to_string(partitions.size() - kMostNamed) + " more";
      lines.push_back(group + ", " + named + ": " + reason);
    }
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> all_;
};

/// A group that reads by itself, member by member.
class Readers {
 public:
  Readers(ConsumerGroup& group, sim::Time now) : group_(group), cluster_(group.cluster()), now_(now) {}

  void tell(std::vector<std::string>& lines) const {
    if (nobody_runs()) return without_members(lines);
    Reasons reasons;
    bool all_read = true;
    for (const TopicIndex t : group_.topics()) {
      const TopicInfo& topic = cluster_.topic(t);
      for (std::int32_t n = 0; n < topic.partitions_most; ++n) {
        const PartitionIndex p{topic.first.value + static_cast<std::uint32_t>(n)};
        if (!cluster_.metadata_log().state(p).exists()) continue;
        const std::string why = group_.shared() ? shared(p) : unread(p, n, topic);
        if (why.empty()) continue;
        all_read = false;
        reasons.add(cluster_.context().entities[cluster_.partition(p).entity].name, why);
      }
    }
    reasons.tell(group_.options().name, lines);
    if (all_read && !group_.idle()) members_at_work(lines);
  }

 private:
  template <class Members>
  static bool none_runs(const Members& members) {
    return std::none_of(members.begin(), members.end(), [](const auto& m) { return m->running(); });
  }
  bool nobody_runs() const {
    return group_.shared() ? none_runs(group_.share_members()) : none_runs(group_.members());
  }

  /// Why one does not run; empty when it does.
  template <class Member>
  static std::string absent(const Member& m) {
    if (m->running()) return {};
    return m->node().name() + (m->node().up() ? ended(*m) : " is down");
  }
  static std::string ended(const Consumer& m) {
    if (m.membership().fatal_error() == ErrorCode::none) return " has left or never started";
    return " has ended: " + std::string(error_name(m.membership().fatal_error()));
  }
  static std::string ended(const ShareConsumer&) { return " has left or never started"; }

  template <class Members>
  static std::string absentees(const Members& members) {
    std::string text;
    constexpr std::size_t kMostNamed = 3;
    std::size_t n = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const std::string why = absent(members[i]);
      if (why.empty() || ++n > kMostNamed) continue;
      text += (text.empty() ? "" : ", ") + why;
    }
    return n > kMostNamed ? text + " and " + std::to_string(n - kMostNamed) + " more" : text;
  }

  /// Nobody is waited for; but what is left is left unread.
  void without_members(std::vector<std::string>& lines) const {
    const GroupDescription d = describe_group(cluster_, group_.options().name);
    std::int64_t left = 0;
    bool known = d.coordinator_available;
    for (const auto& row : d.rows) {
      known = known && row.lag().has_value();
      left += std::max<std::int64_t>(row.lag().value_or(0), 0);
    }
    if (known && left == 0 && !d.rows.empty()) return;
    const std::string what =
        left > 0 ? records(left) + " behind what it has committed" : "what it has not committed";
    lines.push_back(group_.options().name + ": no member runs to read " + what + " (" +
                    (group_.shared() ? absentees(group_.share_members()) : absentees(group_.members())) +
                    ")");
  }

  Replica* leading(PartitionIndex p) const {
    const BrokerId leader = cluster_.metadata_log().state(p).leader;
    return leader == kNoBroker ? nullptr : cluster_.broker(leader).replica(p);
  }

  std::string shared(PartitionIndex p) const {
    const BrokerId leader = cluster_.metadata_log().state(p).leader;
    if (leader == kNoBroker) return "it has no leader";
    Broker& broker = cluster_.broker(leader);
    const Offset end = broker.replica(p)->log.end();
    const SharePartition* const shared = broker.shares()->find({group_.entity(), p});
    if (shared == nullptr) return end == 0 ? "" : "no member has asked for it yet";
    if (shared->start_offset() >= end) return {};
    return records(end - shared->start_offset()) + " are neither accepted nor archived";
  }

  std::string unread(PartitionIndex p, std::int32_t number, const TopicInfo& topic) const {
    const Replica* const log = leading(p);
    if (log == nullptr) return "it has no leader";
    const Offset end = log->log.end();
    std::string why;
    for (std::size_t i = 0; i < group_.members().size(); ++i) {
      const Consumer& m = *group_.members()[i];
      if (!m.running() || !m.assignment().holds(p)) continue;
      if (m.assignment().can_fetch(p) && m.assignment()[p].position == end) return {};
      why = held_up(m, p, *log, end);
    }
    if (!why.empty()) return why;
    if (number >= topic.partitions)
      return "no member has it yet: they learn of new partitions when their metadata are metadata.max.age.ms "
             "(" +
             seconds_text(group_.options().config.metadata_max_age) + ") old";
    std::string busy;
    bool rebalancing = false;
    for (const auto& m : group_.members()) {
      if (!m->running()) continue;
      if (m->node().paused()) return "no member has it: " + m->node().name() + " stands still";
      rebalancing = rebalancing || !m->membership().settled();
      if (m->membership().settled() && busy.empty()) busy = m->node().name();
    }
    if (rebalancing && !busy.empty())
      return "no member has it: a rebalance waits for " + busy + " to come back to poll()";
    if (rebalancing) return "no member has it: the group is in a rebalance, or looks for its coordinator";
    const std::string gone = absentees(group_.members());
    return "no member has it" + (gone.empty() ? "" : ": " + gone + ", and the group has not noticed");
  }

  std::string held_up(const Consumer& m, PartitionIndex p, const Replica& log, Offset end) const {
    const HeldPartition& held = m.assignment()[p];
    const std::string& name = m.node().name();
    if (m.node().paused()) return name + " stands still";
    if (held.pending_revocation) return name + " gives it up, and has not committed yet";
    switch (held.state) {
      case FetchState::initializing:
        return name + " has not heard yet what was committed";
      case FetchState::awaiting_reset:
        return name + " has no position: nothing was committed, and auto.offset.reset is not answered yet";
      case FetchState::awaiting_validation:
        return name + " asks its leader whether what it has read is in the log still";
      default:
        break;
    }
    if (held.restored_at > now_) return name + " restores its state store";
    if (held.position > end) return name + " is ahead of its end, which it has not noticed";
    const Offset readable = log.latest_offset(group_.options().config.read_committed).value_or(0);
    if (held.position < readable) return name + " is " + records(readable - held.position) + " behind";
    if (log.high_watermark < end)
      return "its last " + records(end - log.high_watermark) +
             " are not readable: the high watermark waits for replicas";
    return "its last " + records(end - held.position) + " are not readable: a transaction is open";
  }

  void members_at_work(std::vector<std::string>& lines) const {
    for (std::size_t i = 0; i < group_.members().size(); ++i) {
      const Consumer& m = *group_.members()[i];
      if (m.idle()) continue;
      lines.push_back(m.node().name() + ": " + at_work(m));
    }
    for (std::size_t i = 0; i < group_.share_members().size(); ++i) {
      if (!group_.share_members()[i]->idle())
        lines.push_back(group_.share_members()[i]->node().name() +
                        ": acknowledges what it has read, or is starting again");
    }
  }

  std::string at_work(const Consumer& m) const {
    if (!m.node().up()) return "is down, and will be started again";
    if (m.node().paused()) return "stands still";
    if (!m.running()) return "has died of what it cannot process, and is starting again";
    if (!m.membership().settled()) return "has read all, and is in a rebalance or looks for its coordinator";
    if (group_.options().streams)
      return "has read all, and commits every commit.interval.ms (" +
             seconds_text(group_.options().streams->config.interval()) + ")";
    if (group_.options().commit == CommitMode::automatic && m.assignment().dirty())
      return "has read all, and commits every auto.commit.interval.ms (" +
             seconds_text(group_.options().config.auto_commit_interval) + ")";
    return "works on what it has read, or has not committed it";
  }

  ConsumerGroup& group_;
  Cluster& cluster_;
  sim::Time now_;
};

/// What keeps a producer from its end.
std::string sending(const Node& node, Cluster& cluster, const std::string& topic) {
  if (!node.up()) return "is down, with messages to send";
  if (node.paused()) return "stands still, with messages to send";
  if (const auto index = cluster.find_topic(topic)) {
    const TopicInfo& info = cluster.topic(*index);
    for (std::int32_t n = 0; n < info.partitions_most; ++n) {
      const PartitionIndex p{info.first.value + static_cast<std::uint32_t>(n)};
      const auto& state = cluster.metadata_log().state(p);
      if (state.exists() && state.leader == kNoBroker)
        return "has messages that nobody has answered: " +
               cluster.context().entities[cluster.partition(p).entity].name + " has no leader";
    }
  }
  return "has messages that nobody has answered, or a transaction that is open";
}

}  // namespace

void System::tell_unfinished(std::vector<std::string>& lines) const {
  for (const Sending& one : producers_) {
    if (one.standing_by || one.producer->idle()) continue;
    const Producer& p = *one.producer;
    const auto at = std::find_if(clusters_.begin(), clusters_.end(),
                                 [&p](const auto& c) { return c->options().name == p.options().cluster; });
    lines.push_back(p.node().name() + ": " + sending(p.node(), **at, p.options().to));
  }
  for (const auto& cluster : clusters_) {
    if (cluster->producing())
      lines.push_back(cluster->options().name +
                      ": requests to produce are under way whose senders are gone, or ask for no answer");
  }
  for (const auto& group : groups_) {
    if (all_down(group->cluster()))
      lines.push_back(group->options().name + ": all brokers of '" + group->cluster().options().name +
                      "' are down");
    else
      Readers(*group, context().now()).tell(lines);
  }
}

}  // namespace models::kafka
