#include "models/kafka/mirror/offset_syncs.hpp"

#include <algorithm>

namespace models::kafka {
namespace {

/// 2^n, without end from 2^62 on.
constexpr std::int64_t power(std::size_t n) {
  return std::int64_t{1} << std::min<std::size_t>(n, 62);
}

/// Of two pairs at places i < j the older is recent enough for its place (OffsetSyncStore, invariant B) …
bool recent(const OffsetSync& at_i, const OffsetSync& at_j, std::size_t i, std::size_t j) {
  return at_i == at_j || at_i.upstream - at_j.upstream <= power(j) - power(i);
}
/// … and they are far enough apart (invariant C).
bool apart(const OffsetSync& at_i, const OffsetSync& at_j, std::size_t i) {
  return at_i == at_j || at_i.upstream - at_j.upstream >= power(i < 2 ? 0 : i - 2);
}

}  // namespace

void OffsetSyncs::copied(Offset upstream, Offset downstream, std::int64_t count,
                         std::int64_t offset_lag_max) {
  const bool first = last_downstream_ == kNoOffset;
  const bool skipped = upstream - previous_upstream_ != 1;
  const bool truncated = downstream < previous_downstream_;
  if (first || skipped || truncated || downstream - (last_downstream_ + 1) >= offset_lag_max) {
    last_downstream_ = downstream;
    add({upstream, downstream});
  }
  // Within the batch offsets rise together.
  const std::int64_t step = std::max<std::int64_t>(offset_lag_max, 0) + 1;
  for (Offset next = last_downstream_ + step; next < downstream + count; next += step) {
    last_downstream_ = next;
    add({upstream + (next - downstream), next});
  }
  previous_upstream_ = upstream + count - 1;
  previous_downstream_ = downstream + count - 1;
}

void OffsetSyncs::add(OffsetSync sync) {
  if (noted_++ == 0 || sync.upstream < syncs_[0].upstream) {
    syncs_.fill(sync);
    return;
  }
  const Syncs original = syncs_;
  syncs_[0] = sync;
  replace_older(original);
}

/// OffsetSyncStore.updateSyncArray: old pairs move to places further back where those there have become too old.
void OffsetSyncs::replace_older(const Syncs& original) {
  OffsetSync replacement = syncs_[0];
  std::size_t candidate = 0;
  for (std::size_t current = 1; current < kSyncs; ++current) {
    const std::size_t previous = current - 1;
    bool skip = false;
    do {
      const OffsetSync old = original[candidate];
      const bool separated = apart(syncs_[previous], old, previous);
      const bool separated_from_next = current + 1 >= kSyncs || apart(old, syncs_[current + 1], current);
      const bool promoted =
          recent(syncs_[previous], old, previous, current) && separated && separated_from_next;
      if (promoted) replacement = old;
      const bool duplicate = candidate + 1 < kSyncs && old == original[candidate + 1];
      skip = duplicate || !separated;
      if (promoted || skip) ++candidate;
    } while (candidate < current && skip);
    if (recent(syncs_[previous], syncs_[current], previous, current)) return;
    syncs_[current] = replacement;
  }
}

std::optional<Offset> OffsetSyncs::translated(Offset upstream) const {
  if (noted_ == 0) return std::nullopt;
  for (const OffsetSync& sync : syncs_) {
    if (sync.upstream > upstream) continue;
    return sync.downstream + (sync.upstream == upstream ? 0 : 1);
  }
  return kNoOffset;
}

}  // namespace models::kafka
