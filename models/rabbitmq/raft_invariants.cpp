#include "models/rabbitmq/raft_invariants.hpp"

#include <utility>

namespace models::rabbitmq {

void RaftInvariants::leads(std::uint64_t term, std::uint16_t member) {
  const auto [at, fresh] = leaders_.emplace(term, member);
  if (fresh || at->second == member || broken_) return;
  broken_ = "queue " + queue_ + " has two leaders in term " + std::to_string(term);
}

/// Entries of one index and one term are one entry (log matching), so that the terms tell.
void RaftInvariants::applied(std::uint64_t index, std::uint64_t term) {
  if (index > last_) {
    last_ = index;
    if (terms_.empty() || terms_.rbegin()->second != term) terms_.emplace(index, term);
    return;
  }
  const auto behind = terms_.upper_bound(index);
  if (behind == terms_.begin() || std::prev(behind)->second == term || broken_) return;
  broken_ =
      "members of queue " + queue_ + " have applied different entries at index " + std::to_string(index);
}

}  // namespace models::rabbitmq
