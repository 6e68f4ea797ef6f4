// Which records a group's application cannot process, and how often each has failed so far (GroupOptions::poison).
//
// A record is poison to all members alike and after every redelivery: the draw is keyed by its partition and offset. How often
// it has failed is kept here, outside of any process, as the fault lies in the message or in what it needs, not in a member.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "models/clients/workload.hpp"
#include "models/kafka/types.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class PoisonedRecords {
 public:
  PoisonedRecords(std::uint64_t seed, const GroupOptions& group);

  /// By themselves; others cannot be read (SchemaReader).
  bool any() const { return options_.share > 0; }
  const PoisonOptions& options() const { return options_; }
  /// The first of records [from, to) that would fail now; `to` when none would.
  Offset first(PartitionIndex partition, Offset from, Offset to) const;
  /// It has failed once more.
  void failed(PartitionIndex partition, Offset offset);

 private:
  PoisonOptions options_;
  sim::StreamKey key_;
  std::map<std::pair<PartitionIndex, Offset>, std::uint32_t>
      failures_;  // of records that do not fail for ever
};

}  // namespace models::kafka
