// The requests of share groups (KIP-932), by Kafka's own API names: ShareFetch and ShareAcknowledge between share consumers and
// the leaders of partitions; ReadShareGroupState and WriteShareGroupState between those and share coordinators.
//
// A member is named by a number, which stands for its member.id: another one for each life of its process.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/broker/survivors.hpp"
#include "models/kafka/config.hpp"
#include "models/kafka/protocol.hpp"

namespace models::kafka {

/// A member of a share group; 0: nobody.
using ShareMember = std::uint64_t;

/// AcknowledgeType.java; gap: there is no record at this offset.
enum class AcknowledgeType : std::uint8_t { gap = 0, accept = 1, release = 2, reject = 3, renew = 4 };

/// Offsets [first, end) of a partition, all acknowledged alike.
struct AcknowledgementBatch {
  PartitionIndex partition{};
  Offset first = 0;
  Offset end = 0;
  AcknowledgeType type = AcknowledgeType::accept;
};

/// Offsets [first, end) of a partition that a member has acquired.
struct AcquiredRecords {
  PartitionIndex partition{};
  Offset first = 0;
  Offset end = 0;
  LeaderEpoch epoch = kNoEpoch;  ///< in which they were written
  std::int16_t delivery_count = 0;
  bool gaps = false;  ///< the log has been compacted there: ShareFetchCall::survivors has the records
};

/// What became of one partition of a request.
struct SharePartitionResult {
  PartitionIndex partition{};
  ErrorCode error = ErrorCode::none;              ///< of the fetch
  ErrorCode acknowledge_error = ErrorCode::none;  ///< of the acknowledgements
  PartitionLeader current_leader{};  ///< where the request's own error is that it is another (KIP-951)
};

/// ShareRequestMetadata: INITIAL_EPOCH, FINAL_EPOCH.
inline constexpr std::int32_t kInitialShareEpoch = 0;
inline constexpr std::int32_t kFinalShareEpoch = -1;

struct ShareFetchCall : Call<ShareFetchCall, Api::share_fetch> {
  EntityId group{};
  ShareMember member = 0;
  std::int32_t session_epoch = kInitialShareEpoch;
  sim::Duration max_wait{};
  std::int32_t min_bytes = 1;
  std::int32_t max_bytes = 52428800;
  std::int32_t max_records = 500;  ///< 0: it only acknowledges, and brings the session up to date
  std::int32_t batch_size = 500;
  ShareAcquireMode mode = ShareAcquireMode::batch_optimized;
  std::vector<PartitionIndex> added;
  std::vector<PartitionIndex> forgotten;
  std::vector<AcknowledgementBatch> acknowledgements;  ///< by rising partition
  // response
  std::vector<SharePartitionResult> results;  ///< of partitions with an error
  std::vector<AcquiredRecords> acquired;
  std::vector<std::pair<PartitionIndex, Surviving>>
      survivors;  ///< what compaction has left of acquired ranges
  // the broker's own
  std::uint32_t awaiting = 0;  ///< acknowledgements that are being stored
  bool fetched = false;
  void clear() {
    clear_base();
    added.clear();
    forgotten.clear();
    acknowledgements.clear();
    results.clear();
    acquired.clear();
    survivors.clear();
    awaiting = 0;
    fetched = false;
  }
};

struct ShareAcknowledgeCall : Call<ShareAcknowledgeCall, Api::share_acknowledge> {
  EntityId group{};
  ShareMember member = 0;
  std::int32_t session_epoch = kInitialShareEpoch;
  std::vector<AcknowledgementBatch> acknowledgements;  ///< by rising partition
  std::vector<SharePartitionResult> results;           ///< response; of partitions with an error
  std::uint32_t awaiting = 0;                          ///< the broker's own
  void clear() {
    clear_base();
    acknowledgements.clear();
    results.clear();
    awaiting = 0;
  }
};

/// RecordState.java, by its ids. Acquired is never stored.
enum class ShareRecordState : std::uint8_t { available = 0, acquired = 1, acknowledged = 2, archived = 4 };

/// Offsets [first, end) that are in one state (PersisterStateBatch.java).
struct ShareStateBatch {
  Offset first = 0;
  Offset end = 0;
  ShareRecordState state = ShareRecordState::available;
  std::int16_t delivery_count = 0;
  friend bool operator==(const ShareStateBatch&, const ShareStateBatch&) = default;
};

/// What a share coordinator keeps of one partition for one group (ShareGroupOffset.java).
struct ShareGroupState {
  Offset start_offset = kNoOffset;  ///< kNoOffset: not set yet
  LeaderEpoch leader_epoch = kNoEpoch;
  std::vector<ShareStateBatch> batches;  ///< rising, none below start_offset
  friend bool operator==(const ShareGroupState&, const ShareGroupState&) = default;
};

/// ReadShareGroupState, WriteShareGroupState: of one partition.
struct ShareGroupStateCall : Call<ShareGroupStateCall, Api::share_group_state> {
  EntityId group{};
  PartitionIndex partition{};
  bool write = false;
  ShareGroupState
      state;  ///< of a write: what is new, besides start offset and leader epoch; of a read: the response
  std::uint64_t token = 0;  ///< the sender's own
  void clear() {
    clear_base();
    state.start_offset = kNoOffset;
    state.leader_epoch = kNoEpoch;
    state.batches.clear();
    write = false;
    token = 0;
  }
};

}  // namespace models::kafka
