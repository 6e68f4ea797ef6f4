#include "models/kafka/tiers/remote_log.hpp"

#include <algorithm>
#include <utility>

namespace models::kafka {
namespace {

/// One beyond the last offset of the segment in this epoch; kNoOffset when it holds none.
Offset end_in(const RemoteSegment& segment, LeaderEpoch epoch) {
  const std::vector<ReplicaLog::EpochStart>& runs = segment.lineage.epochs();
  for (std::size_t i = runs.size(); i-- > 0;) {
    const Offset end = i + 1 < runs.size() ? runs[i + 1].start : segment.end;
    if (end <= segment.base) break;
    if (runs[i].epoch == epoch) return end;
  }
  return kNoOffset;
}

}  // namespace

void RemoteLog::add(RemoteSegment segment) {
  const auto at = std::upper_bound(segments_.begin(), segments_.end(), segment.base,
                                   [](Offset base, const RemoteSegment& s) { return base < s.base; });
  segments_.insert(at, std::move(segment));
}

const RemoteSegment* RemoteLog::find(LeaderEpoch epoch, Offset offset) const {
  auto at = std::upper_bound(segments_.begin(), segments_.end(), offset,
                             [](Offset o, const RemoteSegment& s) { return o < s.base; });
  while (at != segments_.begin()) {
    --at;
    const bool holds = offset < at->end && offset >= at->lineage.start();
    if (holds && at->lineage.epoch_at(offset) == epoch) return &*at;
  }
  return nullptr;
}

Offset RemoteLog::copied_of(const ReplicaLog& log) const {
  const std::vector<ReplicaLog::EpochStart>& runs = log.epochs();
  for (std::size_t i = runs.size(); i-- > 0;) {
    Offset highest = kNoOffset;
    for (const RemoteSegment& segment : segments_)
      highest = std::max(highest, end_in(segment, runs[i].epoch));
    if (highest != kNoOffset) return std::min(highest, i + 1 < runs.size() ? runs[i + 1].start : log.end());
  }
  return 0;
}

Offset RemoteLog::first_of(const ReplicaLog& log) const {
  for (const ReplicaLog::EpochStart& run : log.epochs()) {
    for (const RemoteSegment& segment : segments_) {
      if (end_in(segment, run.epoch) != kNoOffset) return segment.base;
    }
  }
  return kNoOffset;
}

bool RemoteLog::within(const RemoteSegment& segment, const ReplicaLog& log) {
  return segment.end <= log.end() && log.common_prefix(segment.lineage) >= segment.end;
}

}  // namespace models::kafka
