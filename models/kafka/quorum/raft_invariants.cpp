#include "models/kafka/quorum/raft_invariants.hpp"

#include <algorithm>

#include "models/kafka/broker/controller.hpp"

namespace models::kafka {

const RaftVoter& RaftInvariants::voter(std::int32_t number) {
  return *cluster_.controller(number).raft();
}

std::optional<std::string> RaftInvariants::check() {
  const std::int32_t voters = cluster_.options().controllers;
  if (voters == 1) return std::nullopt;
  seen_.resize(static_cast<std::size_t>(voters));
  bool changed = cluster_.metadata_log().committed() != committed_;
  for (std::int32_t n = 0; n < voters; ++n) {
    const RaftVoter& one = voter(n);
    const bool leads = one.state() == RaftState::leader;
    if (auto broken = leads ? led(one.epoch(), n) : std::nullopt) return broken;
    const Seen now{one.log_end(), one.records().empty() ? 0 : one.records().back().epoch};
    Seen& before = seen_[static_cast<std::size_t>(n)];
    changed = changed || now != before;
    before = now;
  }
  if (!changed) return std::nullopt;
  for (std::int32_t n = 0; n < voters; ++n) {
    for (std::int32_t m = 0; m < n; ++m) {
      if (auto broken = check_logs(voter(m), voter(n))) return broken;
    }
  }
  return check_committed();
}

std::optional<std::string> RaftInvariants::led(std::int32_t epoch, std::int32_t number) {
  const auto row = static_cast<std::size_t>(epoch);
  if (leaders_.size() <= row) leaders_.resize(row + 1, kNoController);
  if (leaders_[row] == kNoController) leaders_[row] = number;
  if (leaders_[row] == number) return std::nullopt;
  return "controllers " + std::to_string(leaders_[row]) + " and " + std::to_string(number) +
         " have both led in epoch " + std::to_string(epoch);
}

std::optional<std::string> RaftInvariants::check_logs(const RaftVoter& a, const RaftVoter& b) const {
  const std::size_t start = a.log_start();
  if (start != b.log_start())
    return "the metadata logs of controllers " + std::to_string(a.number()) + " and " +
           std::to_string(b.number()) + " begin at " + std::to_string(start) + " and " +
           std::to_string(b.log_start());
  std::size_t same = std::min(a.records().size(), b.records().size());
  while (same > 0 && a.records()[same - 1].epoch != b.records()[same - 1].epoch) --same;
  const auto end = a.records().begin() + static_cast<std::ptrdiff_t>(same);
  const auto [differs, other] = std::mismatch(a.records().begin(), end, b.records().begin());
  if (differs == end) return std::nullopt;
  return "the metadata logs of controllers " + std::to_string(a.number()) + " and " +
         std::to_string(b.number()) + " hold records of epoch " +
         std::to_string(a.records()[same - 1].epoch) + " at " + std::to_string(start + same - 1) +
         ", and differ at " +
         std::to_string(static_cast<std::ptrdiff_t>(start) + (differs - a.records().begin()));
}

std::optional<std::string> RaftInvariants::check_committed() {
  const MetadataLog& metadata = cluster_.metadata_log();
  committed_ = metadata.committed();
  if (committed_ == 0) return std::nullopt;
  const std::int32_t voters = cluster_.options().controllers;
  std::int32_t holders = 0;
  for (std::int32_t n = 0; n < voters; ++n) {
    holders += voter(n).holds(committed_ - 1) ? 1 : 0;
  }
  if (holders > voters / 2) return std::nullopt;
  return "the committed metadata up to " + std::to_string(committed_) + " are in " + std::to_string(holders) +
         " logs of " + std::to_string(voters);
}

}  // namespace models::kafka
