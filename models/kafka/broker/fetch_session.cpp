#include "models/kafka/broker/fetch_session.hpp"

#include <algorithm>

namespace models::kafka {

std::uint32_t FetchSession::index_of(PartitionIndex p) {
  const auto at =
      std::lower_bound(by_partition_.begin(), by_partition_.end(), p,
                       [this](std::uint32_t i, PartitionIndex q) { return entries_[i].partition < q; });
  if (at != by_partition_.end() && entries_[*at].partition == p) return *at;
  const auto made = static_cast<std::uint32_t>(entries_.size());
  by_partition_.insert(at, made);
  entries_.push_back({.partition = p});
  return made;
}

}  // namespace models::kafka
