// Which records a group's application cannot process, and how often each has failed so far (GroupOptions::poison).
//
// A record is poison to all members alike and after every redelivery: the draw is keyed by its partition and offset, or by the
// message where it is handed on to other topics. How often it has failed is kept here, outside of any process, as the fault
// lies in the message or in what it needs, not in a member.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "models/clients/workload.hpp"
#include "models/kafka/types.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class Cluster;

class PoisonedRecords {
 public:
  PoisonedRecords(Cluster& cluster, const GroupOptions& group);

  /// The same records are poison to both, which share the failures, too: a group that reads what the other has handed on.
  void same_as(const PoisonedRecords& other);
  /// By themselves; others cannot be read (SchemaReader).
  bool any() const { return known_->share > 0; }
  const PoisonOptions& options() const { return options_; }
  /// The first of records [from, to) that would fail now; `to` when none would.
  Offset first(PartitionIndex partition, LeaderEpoch epoch, Offset from, Offset to) const;
  /// It has failed once more.
  void failed(PartitionIndex partition, LeaderEpoch epoch, Offset offset);

 private:
  using Name = std::pair<std::uint64_t, std::int64_t>;  // partition and offset, or lane and number
  struct Known {
    double share = 0;
    std::uint32_t failures_most = 0;
    bool by_message = false;
    sim::StreamKey key;
    std::map<Name, std::uint32_t> failures{};  // of records that do not fail for ever
  };
  Name name_of(PartitionIndex partition, LeaderEpoch epoch, Offset offset) const;

  Cluster& cluster_;
  PoisonOptions options_;
  std::shared_ptr<Known> known_;
};

}  // namespace models::kafka
