// Which version of its subject each message was written with: what a reader would find in the first five bytes of its value.
//
// A producer writes with one version for a long time, so that a few runs of seqs tell it of each of its lanes. Kept outside of
// the cluster, for the length of a run: a record that is read again, or in another cluster, says the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "models/entities.hpp"
#include "models/schema/registry.hpp"

namespace models::schema {

class WrittenSchemas {
 public:
  struct Found {
    VersionRef version{};
    bool any = false;        ///< it was written with one
    std::int64_t until = 0;  ///< so are all seqs before that one
  };

  explicit WrittenSchemas(const Entities& entities) : entities_(entities) {}

  /// From now on all that `producer` sends to `place`, from seq `from` on.
  void note(EntityId producer, EntityId place, std::int64_t from, VersionRef version) {
    std::vector<Run>& runs = lanes_[{producer, place}];
    if (!runs.empty() && runs.back().from == from) runs.pop_back();
    if (!runs.empty() && runs.back().version == version) return;
    runs.push_back({from, version});
  }

  Found at(LaneId lane, std::int64_t seq) const {
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    const Lane& names = entities_.lanes()[lane.value];
    const auto found = lanes_.find({names.producer, names.place});
    if (found == lanes_.end()) return {.until = kNever};
    const std::vector<Run>& runs = found->second;
    const auto after = std::upper_bound(runs.begin(), runs.end(), seq,
                                        [](std::int64_t s, const Run& run) { return s < run.from; });
    const std::int64_t until = after == runs.end() ? kNever : after->from;
    if (after == runs.begin()) return {.until = until};
    return {std::prev(after)->version, true, until};
  }

 private:
  struct Run {
    std::int64_t from = 0;
    VersionRef version;
  };

  const Entities& entities_;
  std::map<std::pair<EntityId, EntityId>, std::vector<Run>> lanes_;
};

}  // namespace models::schema
