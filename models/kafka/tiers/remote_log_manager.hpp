// Tiered storage (KIP-405), at the level of what can be read where: which closed segments have been copied to remote storage,
// and what of a log may leave a broker's disk (RemoteLogManager.java, UnifiedLog.scala).
//
// A leader's task copies its closed segments that end below the last stable offset, one after the other, in rounds
// remote.log.manager.task.interval.ms apart; another of its tasks removes remote segments by retention.ms and retention.bytes,
// which count both tiers, and raises the log start offset. Followers learn in such rounds how far the log has been copied.
// Every replica removes segments of its own by local.retention.* and raises its local log start offset, but removes none that it
// does not know to be remote (LogManager). A copy that fails is tried again in the next round.
//
// What lies between the log start offset and the local one is read from remote storage, by consumers (remote_reader.hpp). A
// follower that asks its leader for it is told OFFSET_MOVED_TO_TIERED_STORAGE, takes over the leader epochs from remote storage
// and copies from its leader's local start on (TierStateMachine.java).
//
// Model: a partition's rounds never wait for a thread (remote.log.manager.*.thread.pool.size), and deleting takes no time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/kafka/broker/quotas.hpp"
#include "models/kafka/broker/segments.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/tiers/remote_log.hpp"
#include "models/kafka/tiers/remote_store.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class LogManager;
struct Replica;

class RemoteLogManager {
 public:
  RemoteLogManager(Cluster& cluster, Node& node, LogManager& logs);

  void added(Replica& replica);
  /// The broker has been up for a while: its tasks are anywhere between two rounds.
  void start();
  /// The replica leads now, or follows now (onLeadershipChange).
  void role_changed(Replica& replica);
  void crashed();
  /// With which segment a follower takes over what is remote: it holds the last record before the leader's local start, which
  /// is of this epoch. Null: not now (TierStateMachine.buildRemoteLogAuxState). Model: that takes no time.
  const RemoteSegment* rebuilds_from(const Replica& replica, LeaderEpoch epoch, Offset local_start) const;

 private:
  enum class Role : std::uint8_t { none, leader, follower };
  /// What a broker does for one of its replicas.
  struct Task {
    Task(RemoteLogManager& manager, Replica& of);
    Replica& replica;
    Role role = Role::none;
    bool start_known = false;        ///< as a leader it has looked where remote storage begins
    std::optional<Offset> copied{};  ///< up to here, as a leader; unset until it has looked
    Offset until = 0;                ///< of this round of copying
    bool throttled = false;          ///< that round waits for the quota
    Segment segment{};               ///< that is being copied
    Offset segment_end = 0;
    NodeTimer<std::function<void()>> round;
    NodeTimer<std::function<void()>> copying;
    RemoteTransfer transfer;
  };

  void round(Task& task);
  void copy_round(Task& task);
  void copy_next(Task& task);
  void copied(Task& task, bool succeeded);
  void expire(Replica& replica);
  std::int64_t excess(const Replica& replica, const RemoteLog& remote) const;
  void tell(const Replica& replica, std::uint16_t what, Offset from, Offset end, std::int64_t bytes);
  const TierConfig& config() const { return cluster_.options().config.tiers; }
  sim::Duration somewhere_in_a_round();

  Cluster& cluster_;
  Node& node_;
  LogManager& logs_;
  sim::Stream draws_;
  SampledRate copied_bytes_;
  bool running_ = false;
  std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace models::kafka
