// What must hold of a cluster's own state after every event, whatever goes wrong: checked runs ask after each
// one (WorldOptions::checked), tests ask when they like.
//
// - log matching: where two replicas hold records of one leader epoch at one offset, all before is equal.
//
// - high watermark: never beyond the own log's end; never falls while one leader leads in one epoch.
//
// - epochs: leader and partition epochs only rise; nobody leads in an epoch in which another has led.
//
// - leader in sync: an in-sync set holds the leader if there is one.
//
// - committed offsets: never beyond the end of the log.
//
// - consumer protocol: check_image(), below.
//
// - classic protocol: check_owners(), below; not before KAFKA-12984, when two may own a partition.
//
// - controllers: quorum/raft_invariants.hpp.
//
// - share groups: SharePartition::broken().
//
// - in-sync set: each member of the set that the controller granted holds all that its leader's high watermark covers.
//
// - leader: one elected cleanly holds all that any leader's high watermark ever covered.
//
// The last two do not hold, and are not asked, of topics that allow unclean elections: those give records up. Nor where a power
// loss took records that no flush had brought to disk: then a leader may lack them, and so may a member of the in-sync set
// until the controller hears of it. Nor under protocol rules that let logs diverge, which spare the log matching, too.
//
// State is compared, nothing is traced and nothing changed: a checked run has the digest of an unchecked one.
// A partition is looked at when something of it has changed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/kafka/broker/log.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/quorum/raft_invariants.hpp"
#include "models/kafka/share/share_state_store.hpp"

namespace models::kafka {

class Group;
struct ModernGroupImage;
struct PartitionState;
struct Replica;

/// What is broken, in words; nothing when all is well.
using Finding = std::optional<std::string>;

/// Where the logs hold records of one leader epoch at one offset, all before is equal.
Finding check_log_matching(const ReplicaLog& a, const ReplicaLog& b);

/// What holds of a group of the consumer protocol (KIP-848): no partition is held by two members, be it still to be given
/// up; epochs only rise, and no member is ahead of its group. `before`: the image that was looked at last, or null.
Finding check_image(const ModernGroupImage& image, const ModernGroupImage* before);

/// No partition of a classic group is assigned to two members of its generation.
Finding check_owners(const Group& group);

class Invariants {
 public:
  /// The cluster has been built and must outlive this.
  explicit Invariants(Cluster& cluster);
  /// The committed offsets of this group are looked at too.
  void watch(std::string group) { groups_.push_back(std::move(group)); }

  /// The first thing that is broken. Calls are in order of time: some of it is about what was seen before.
  Finding check();

 private:
  /// A replica as it was when last looked at.
  struct Seen {
    Offset end = 0;
    Offset high_watermark = 0;
    LeaderEpoch latest_epoch = kNoEpoch;
    LeaderEpoch leader_epoch = kNoEpoch;
    bool leads = false;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  struct Partition {
    PartitionIndex index{};
    bool may_give_up = false;  ///< records below a high watermark, as configured
    std::vector<Replica*> replicas{};
    std::vector<Seen> seen{};  ///< of each replica
    std::int32_t partition_epoch = -1;
    LeaderEpoch granted_epoch = kNoEpoch;
    std::vector<BrokerId> led{};  ///< who has led, by epoch
    BrokerId leader = kNoBroker;  ///< the last one whose high watermark is in `covered`
    LeaderEpoch leader_epoch = kNoEpoch;
    ReplicaLog covered;  ///< the log below the high watermark
  };

  Finding check(Partition& partition);
  static Finding check_replica(const Replica& replica, const Seen& before, const Seen& now);
  Finding check_epochs(Partition& partition, const PartitionState& granted);
  Finding check_leader(Partition& partition, const PartitionState& granted);
  Finding check_committed(const std::string& group);
  Finding check_shared();
  bool gives_up(const Partition& partition);
  Finding found(const Partition& partition, const std::string& what) const;

  Cluster& cluster_;
  RaftInvariants quorum_;
  std::vector<Partition> partitions_;
  std::vector<std::string> groups_;
  struct SeenImage {
    LeaderEpoch reign = kNoEpoch;
    std::shared_ptr<const ModernGroupImage> image;
  };
  std::map<std::string, SeenImage, std::less<>> images_;
  std::map<std::string, std::int32_t, std::less<>>
      generations_;  ///< of classic groups, last looked at while stable
  std::map<std::pair<ShareKey, std::int32_t>, std::uint64_t> shared_;  ///< revision last looked at, by leader
  bool logs_match_;                                                    ///< the protocol's rules see to it
  bool offsets_count_;  ///< so do they that a leader knows what its followers hold
};

}  // namespace models::kafka
