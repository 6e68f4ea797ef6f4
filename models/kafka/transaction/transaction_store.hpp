// What the records of __transaction_state say, for all replicas of all its partitions at once.
//
// Payload bytes do not exist in the simulated logs, so the meaning of the coordinators' records is kept here by log offset,
// as OffsetsStore does for groups. elected() drops what lies beyond the new leader's log, load() returns the rest. What the
// high watermark has passed is folded into the newest value of its id, unless unclean elections could bring older ones back.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/kafka/transaction/transaction_metadata.hpp"

namespace models::kafka {

class TransactionStore {
 public:
  explicit TransactionStore(bool keep_history = false) : keep_history_(keep_history) {}

  /// Appended by the leader of `epoch`; `end` is the log offset after the record.
  void append(PartitionIndex partition, LeaderEpoch epoch, Offset end, std::string_view id,
              const TransactionMetadata& metadata);
  void replicated(PartitionIndex partition, LeaderEpoch epoch, Offset high_watermark);
  /// A leader of `epoch` was elected whose log ends at `log_end`: what lies beyond never happened.
  void elected(PartitionIndex partition, LeaderEpoch epoch, Offset log_end);
  /// The newest of each id, in order of ids.
  std::vector<std::pair<std::string, TransactionMetadata>> load(PartitionIndex partition) const;

 private:
  struct Record {
    Offset end = 0;
    std::uint32_t id = 0;
    TransactionMetadata metadata;
  };
  struct Image {
    Offset end = 0;  ///< 0: none
    TransactionMetadata metadata;
  };
  struct Shard {
    LeaderEpoch epoch = kNoEpoch;
    std::map<std::string, std::uint32_t, std::less<>> ids;
    std::vector<Image> folded;    ///< by id
    std::vector<Record> records;  ///< not folded, in order of `end`
  };

  bool keep_history_;
  std::map<PartitionIndex, Shard> shards_;
};

}  // namespace models::kafka
