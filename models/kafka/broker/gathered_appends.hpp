// What group and share coordinators write of their partitions, gathered into batches (CoordinatorRuntime.java:
// group.coordinator.append.linger.ms, share.coordinator.append.linger.ms).
//
// The first record of a batch waits so long for others; then all of them are appended as one. Each writer is told where its
// records end as if they were in the log already: nobody else appends to these partitions. A broker that loses the partition, or
// dies, meanwhile has never written them.
//
// Model: a batch is not appended sooner for its size.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/kafka/types.hpp"
#include "sim/time.hpp"

namespace models::kafka {

class GatheredAppends {
 public:
  struct Batch {
    struct Part {
      Offset end = 0;
      std::uint64_t token = 0;
    };
    PartitionIndex partition{};
    sim::Time due{};
    Offset end = 0;
    std::int32_t records = 0;
    std::int32_t bytes = 0;
    std::vector<Part> parts{};
  };

  /// The offset after these records. `log_end` is that of the partition's log, `due` when a batch that begins now is appended.
  Offset add(PartitionIndex partition, Offset log_end, sim::Time due, std::int32_t records,
             std::int32_t bytes, std::uint64_t token);
  /// When the next batch is to be appended.
  std::optional<sim::Time> next_due() const;
  /// Takes a batch that is due out.
  std::optional<Batch> take_due(sim::Time now);
  /// That of the partition, due or not.
  std::optional<Batch> take(PartitionIndex partition);
  void drop(PartitionIndex partition) { take(partition); }
  void clear() { batches_.clear(); }

 private:
  std::vector<Batch> batches_;
};

}  // namespace models::kafka
