// What a member holds: its partitions, and of each the position and how far it is from being fetchable
// (SubscriptionState.java).
//
// The position is the next offset that poll() hands out, and the value that a commit of "all consumed" commits. A partition
// can be fetched when its position is known to be valid under the leader that the member knows.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/context.hpp"
#include "models/kafka/cluster.hpp"

namespace models::kafka {

enum class FetchState : std::uint8_t {
  unassigned,
  initializing,         ///< no position yet: the committed offset is asked for
  awaiting_reset,       ///< nothing committed, or out of range: auto.offset.reset decides
  awaiting_validation,  ///< the leader changed: does its log still hold what was read?
  fetching,
};

struct HeldPartition {
  FetchState state = FetchState::unassigned;
  bool pending_revocation = false;  ///< its position is being committed before it is given away
  bool reported = false;            ///< an ownership record says that this member can fetch it
  bool buffered = false;            ///< fetched records wait for poll(), or a fetch error does
  bool asked = false;               ///< a request about its position is under way
  Offset position = kNoOffset;
  Offset settled = kNoOffset;                   ///< the position that needs no commit
  LeaderEpoch offset_epoch = kNoEpoch;          ///< of the last record handed out, or as committed
  PartitionLeader leader;                       ///< under which the position is valid
  BrokerId preferred_read_replica = kNoBroker;  ///< to be fetched from instead of the leader …
  sim::Time preferred_until{};                  ///< … until then
  sim::Time restored_at{};                      ///< its state store is not up to date before
  sim::Time retry_at{};  ///< a failed request about its position is not repeated before
  // Its place in the fetch session of `session` (kNoBroker: none), as last sent.
  BrokerId session = kNoBroker;
  Offset session_offset = kNoOffset;
  LeaderEpoch session_epoch = kNoEpoch;
  std::uint64_t session_round = 0;
};

class AssignmentListener {
 public:
  virtual ~AssignmentListener() = default;
  virtual void assigned(PartitionIndex p) = 0;
  virtual void revoked(PartitionIndex p) = 0;
};

class Assignment {
 public:
  Assignment(Cluster& cluster, EntityId group, EntityId member)
      : cluster_(cluster), group_(group), member_(member), pages_(cluster.partitions().size() / kPage + 1) {}

  /// Hears what is assigned and revoked.
  void tell(AssignmentListener& listener) { listener_ = &listener; }

  /// Partitions held, ascending.
  const std::vector<PartitionIndex>& partitions() const { return partitions_; }
  bool empty() const { return partitions_.empty(); }
  HeldPartition& operator[](PartitionIndex p) {
    std::unique_ptr<Page>& page = pages_[p.value / kPage];
    if (!page) page = std::make_unique<Page>();
    return (*page)[p.value % kPage];
  }
  const HeldPartition& operator[](PartitionIndex p) const {
    static constexpr HeldPartition kNeverHeld;
    const std::unique_ptr<Page>& page = pages_[p.value / kPage];
    return page ? (*page)[p.value % kPage] : kNeverHeld;
  }
  bool holds(PartitionIndex p) const { return (*this)[p].state != FetchState::unassigned; }
  bool can_fetch(PartitionIndex p) const {
    const HeldPartition& held = (*this)[p];
    return held.state == FetchState::fetching && !held.pending_revocation;
  }
  /// A position is set and not in doubt (hasValidPosition): part of "all consumed".
  bool has_valid_position(PartitionIndex p) const { return (*this)[p].state == FetchState::fetching; }
  /// Positions that are not known to be committed.
  bool dirty() const;
  /// Some partition cannot be fetched yet for want of a valid position.
  bool unsettled() const { return unsettled_ > 0; }

  void add(PartitionIndex p);
  /// Gives `p` away; an ownership record says why.
  void remove(PartitionIndex p, OwnershipCode why);
  void remove_all(OwnershipCode why);
  /// No longer fetched nor handed out, but still held until its position is committed.
  void mark_pending_revocation(OwnershipCode why);
  void mark_pending_revocation(PartitionIndex p, OwnershipCode why);

  /// The position is known and valid; `p` can be fetched from now on.
  void set_position(PartitionIndex p, Offset position, LeaderEpoch epoch, ResetCode how);
  /// The position is known, and whether the leader's log holds what was read up to it is to be asked.
  void set_unvalidated_position(PartitionIndex p, Offset position, LeaderEpoch epoch, ResetCode how);
  /// The position is valid.
  void validated(PartitionIndex p);
  void change_state(PartitionIndex p, FetchState state);

 private:
  void seek(PartitionIndex p, Offset position, LeaderEpoch epoch, ResetCode how);
  void report_owned(PartitionIndex p, bool owned, OwnershipCode why);

  Cluster& cluster_;
  EntityId group_;
  EntityId member_;
  // By PartitionIndex; a member of a large group never sees most of them.
  static constexpr std::uint32_t kPage = 8;
  using Page = std::array<HeldPartition, kPage>;
  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<PartitionIndex> partitions_;
  std::size_t unsettled_ = 0;
  AssignmentListener* listener_ = nullptr;
};

}  // namespace models::kafka
