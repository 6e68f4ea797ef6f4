// What an application has marked as done, for the client to commit: librdkafka's stored offsets (rd_kafka_offsets_store with
// enable.auto.offset.store=false; rdkafka_offset.c, rdkafka_partition.c).
//
// Other threads may mark a record as done after its partition has been revoked. librdkafka took that until 1.9, and committed
// it when the partition was assigned to the same client again, whatever others had committed meanwhile. Since then the mark is
// refused (ERR__STATE), and an assignment begins without one.
#pragma once

#include <vector>

#include "models/kafka/protocol.hpp"

namespace models::kafka {

class StoredOffsets {
 public:
  StoredOffsets(std::size_t partitions, bool reset) : reset_(reset), rows_(partitions) {}

  void assigned(PartitionIndex p) {
    rows_[p.value].held = true;
    if (reset_) rows_[p.value].stored = kNoOffset;
  }
  void revoked(PartitionIndex p) {
    rows_[p.value].held = false;
    rows_[p.value].stored = kNoOffset;
  }
  /// The application is done with the records below `offset`.
  void store(PartitionIndex p, Offset offset, LeaderEpoch epoch) {
    Row& row = rows_[p.value];
    if (reset_ && !row.held) return;
    row.stored = offset;
    row.epoch = epoch;
  }
  void committed(PartitionIndex p, Offset offset) { rows_[p.value].committed = offset; }

  /// Something is stored beyond what this client has committed (rktp_stored_pos > rktp_committed_pos).
  bool to_commit(PartitionIndex p) const { return rows_[p.value].stored > rows_[p.value].committed; }
  OffsetCommitCall::Item item(PartitionIndex p) const {
    return {.partition = p, .offset = rows_[p.value].stored, .epoch = rows_[p.value].epoch};
  }
  /// The process has ended.
  void forget() { rows_.assign(rows_.size(), Row{}); }

 private:
  struct Row {
    Offset stored = kNoOffset;
    Offset committed = kNoOffset;
    LeaderEpoch epoch = kNoEpoch;
    bool held = false;
  };
  bool reset_;
  std::vector<Row> rows_;
};

}  // namespace models::kafka
