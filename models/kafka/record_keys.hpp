// The keys of records in compacted topics: what a broker would find in a batch's payload.
//
// A key is the rank of its bytes (KeyOptions); producers of one topic name their keys alike, so equal ranks are equal keys.
// Four bytes a record, kept for the length of a run, for topics with cleanup.policy=compact alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/ids.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// Of a message's key in a batch and in this table: its value is null.
inline constexpr std::uint32_t kTombstone = std::uint32_t{1} << 31;

class RecordKeys {
 public:
  /// A lane's next records.
  void append(LaneId lane, std::span<const std::int64_t> keys) {
    if (lane.value >= lanes_.size()) lanes_.resize(lane.value + 1);
    for (const std::int64_t key : keys) lanes_[lane.value].push_back(static_cast<std::uint32_t>(key));
  }
  /// Its records have keys.
  bool keyed(LaneId lane) const { return lane.value < lanes_.size() && !lanes_[lane.value].empty(); }
  /// The key of a record, with kTombstone where it has no value.
  std::uint32_t at(LaneId lane, std::int64_t seq) const {
    return lanes_[lane.value][static_cast<std::size_t>(seq)];
  }

 private:
  std::vector<std::vector<std::uint32_t>> lanes_;
};

/// The timestamps of records, as their producers wrote them, of topics that a Streams application with windows reads.
class RecordTimes {
 public:
  /// A lane's next records: when they were created, by a clock that is so far ahead.
  void append(LaneId lane, std::span<const std::int64_t> created_at, sim::Duration clock_ahead) {
    if (lane.value >= lanes_.size()) lanes_.resize(lane.value + 1);
    for (const std::int64_t at : created_at) lanes_[lane.value].push_back(at + clock_ahead.count());
  }
  sim::Time at(LaneId lane, std::int64_t seq) const {
    return sim::Time{sim::Duration{lanes_[lane.value][static_cast<std::size_t>(seq)]}};
  }

 private:
  std::vector<std::vector<std::int64_t>> lanes_;  // ns
};

}  // namespace models::kafka
