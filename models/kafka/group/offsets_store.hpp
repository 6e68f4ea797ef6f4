// What the records of __consumer_offsets say, for all replicas of all its partitions at once.
//
// Payload bytes do not exist in the simulated logs, so the meaning of the coordinators' records is kept here,
// by log offset. One object serves a cluster. It gives a coordinator back exactly what its replica's log
// holds: elected() drops for ever what lies at or beyond the new leader's log end, load() returns the rest.
//
// Memory does not grow with history: what the high watermark has passed is folded into the newest value of
// each key, as compaction would. Where unclean elections are allowed a replica may lead that lacks such
// records; the history is then kept (`keep_history`), so that the older values come back, up to where all
// replicas hold the same. So it grows only while a replica is behind. Without it a key whose newest value is
// lost is lost.
//
// A deposed leader that does not know it yet goes on appending to its own log; what it writes under an older
// epoch than that of the newest election is ignored here, as its followers-to-be will truncate it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/kafka/group/committed_offsets.hpp"
#include "models/kafka/protocol.hpp"
#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

struct ModernGroupImage;

/// A group as its metadata record tells it (GroupMetadataValue.json).
struct GroupMetadata {
  struct Member {
    std::string member_id;
    std::string instance_id;
    EntityId entity{};
    sim::Duration session_timeout{};
    sim::Duration rebalance_timeout{};
    Subscription subscription;
    std::vector<PartitionIndex> assignment;
    std::string_view client_id{};
  };
  std::int32_t generation = 0;
  bool had_members = false;  ///< the record has a protocol type: the group has managed members once
  std::string protocol;      ///< the chosen assignor, empty without members
  std::string leader;
  sim::Time state_since{};
  std::vector<std::shared_ptr<const Member>> members;  ///< of which most are those of the record before
  std::shared_ptr<const ModernGroupImage> modern;      ///< set for a group of the consumer protocol
};

/// What a new leader finds of one group.
struct LoadedGroup {
  std::string name;
  std::shared_ptr<const GroupMetadata> metadata;  ///< null: only offsets
  CommittedOffsets offsets;
  /// Commits that no coordinator has seen behind the high watermark yet, oldest first.
  struct Found {
    CommittedOffset commit;
    Offset before = kNoOffset;
  };
  std::vector<Found> unannounced;
  std::vector<PendingTxnOffset> pending;  ///< of transactions whose marker is not here
};

class OffsetsStore {
 public:
  /// Asked now and then: the offset up to which all replicas of a partition hold the same records. Whoever
  /// answers may let go of the log below it.
  using Agreed = std::function<Offset(PartitionIndex)>;

  explicit OffsetsStore(bool keep_history = false, Agreed agreed = {})
      : keep_history_(keep_history), agreed_(std::move(agreed)) {}

  /// Records appended by the leader of `epoch`; `end` is the log offset after them. A null `metadata` is a
  /// tombstone.
  void append(PartitionIndex partition, LeaderEpoch epoch, Offset end, std::string_view group,
              std::shared_ptr<const GroupMetadata> metadata);
  void append(PartitionIndex partition, LeaderEpoch epoch, Offset end, std::string_view group,
              std::span<const CommittedOffset> offsets);
  /// Offsets that are committed when their transaction is, and the marker that says so, or not, for all groups of the
  /// partition.
  void append_pending(PartitionIndex partition, LeaderEpoch epoch, Offset end, std::string_view group,
                      ProducerId producer_id, std::span<const CommittedOffset> offsets);
  void append_marker(PartitionIndex partition, LeaderEpoch epoch, Offset end, ProducerId producer_id,
                     bool commit);
  /// The high watermark has reached `high_watermark`.
  void replicated(PartitionIndex partition, LeaderEpoch epoch, Offset high_watermark);

  /// A leader of `epoch` was elected whose log ends at `log_end`: what lies beyond never happened. One that hears of it after
  /// its successor's election changes nothing.
  /// Model: until it hears of the successor too, such a coordinator knows what the successor wrote.
  void elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end);
  /// Everything that is left, in order of group names.
  std::vector<LoadedGroup> load(PartitionIndex partition);
  /// What the newest record of the group says; null: there is none, or a tombstone.
  std::shared_ptr<const GroupMetadata> newest(PartitionIndex partition, std::string_view group) const;

  /// Records kept one by one; what was folded is not among them.
  std::size_t kept_records(PartitionIndex partition) const;

 private:
  enum class What : std::uint8_t { offset, metadata, pending_offset, commit_marker, abort_marker };
  struct Record {
    Offset end = 0;
    std::uint32_t group = 0;
    What what = What::offset;
    bool announced = false;
    ProducerId producer_id = kNoProducerId;
    CommittedOffset offset;
    std::shared_ptr<const GroupMetadata> metadata;
  };
  struct Image {
    std::shared_ptr<const GroupMetadata> metadata;
    Offset metadata_end = 0;
    struct Committed : CommittedOffset {
      Offset end = 0;  ///< log offset after the record
    };
    OffsetTable<Committed> offsets;
    struct Pending {
      PendingTxnOffset offset;
      Offset end = 0;
    };
    std::vector<Pending> pending;

    void commit(const CommittedOffset& offset, Offset end) { offsets.apply({offset, end}); }
  };
  struct Shard {
    LeaderEpoch epoch = kNoEpoch;
    std::map<std::string, std::uint32_t, std::less<>> groups;
    std::vector<Image> folded;    ///< by group
    std::vector<Record> records;  ///< from `first` on, in order of `end`
    std::size_t first = 0;
    std::uint32_t writes = 0;  ///< since all replicas were asked
  };

  std::uint32_t group_number(Shard& shard, std::string_view group);
  static void fold(std::vector<Image>& images, const Record& record);
  static void end_transaction(std::vector<Image>& images, const Record& marker);
  /// What loading a record announces that no coordinator has seen behind the high watermark yet.
  static void find_unannounced(const std::vector<Image>& images, const Record& record,
                               std::vector<std::vector<LoadedGroup::Found>>& unannounced);
  /// Folds what every replica holds.
  void fold_agreed(PartitionIndex partition, Shard& shard, Offset high_watermark);
  static void forget_beyond(Image& image, Offset log_end);

  bool keep_history_;
  Agreed agreed_;
  std::map<PartitionIndex, Shard> shards_;
};

}  // namespace models::kafka
