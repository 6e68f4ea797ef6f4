// A member's copy of a quorum queue's log: entries by index, from 1, of which the oldest are forgotten once a snapshot stands for
// them. What entries say is shared by the copies that have it.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "models/pool.hpp"
#include "models/rabbitmq/command.hpp"
#include "sim/assert.hpp"

namespace models::rabbitmq {

struct RaftEntry {
  std::uint64_t term = 0;
  Ref<Command> command{};  ///< null: the first entry of a leader's term (noop)
};

class RaftLog {
 public:
  std::uint64_t last_index() const { return next_ - 1; }
  std::uint64_t last_term() const { return *term_at(last_index()); }
  /// Of the oldest entry that is kept.
  std::uint64_t first_index() const { return first_; }
  std::uint64_t snapshot_index() const { return first_ - 1; }
  std::uint64_t snapshot_term() const { return snapshot_term_; }
  /// Nothing: there is no such entry, or none any more. That of 0, and of a snapshot's last, is known.
  std::optional<std::uint64_t> term_at(std::uint64_t index) const {
    if (index + 1 == first_) return snapshot_term_;
    if (index < first_ || index >= next_) return std::nullopt;
    return at(index).term;
  }
  const RaftEntry& at(std::uint64_t index) const {
    MQLAB_ASSERT(index >= first_ && index < next_, "the entry is in the log");
    return items_[index & (items_.size() - 1)];
  }
  std::uint64_t append(RaftEntry entry) {
    if (next_ - first_ == items_.size()) grow();
    items_[next_ & (items_.size() - 1)] = std::move(entry);
    return next_++;
  }
  void truncate_after(std::uint64_t index) {
    while (next_ > index + 1) items_[--next_ & (items_.size() - 1)] = {};
  }
  /// A snapshot stands for all up to `index`, which is in the log.
  void compact(std::uint64_t index) {
    snapshot_term_ = *term_at(index);
    while (first_ <= index) items_[first_++ & (items_.size() - 1)] = {};
  }
  /// A snapshot that has arrived stands for all that was.
  void reset(std::uint64_t index, std::uint64_t term) {
    truncate_after(first_ - 1);
    first_ = next_ = index + 1;
    snapshot_term_ = term;
  }

 private:
  void grow() {
    std::vector<RaftEntry> more(items_.empty() ? 16 : 2 * items_.size());
    for (std::uint64_t i = first_; i < next_; ++i)
      more[i & (more.size() - 1)] = std::move(items_[i & (items_.size() - 1)]);
    items_ = std::move(more);
  }

  std::vector<RaftEntry> items_;
  std::uint64_t first_ = 1;
  std::uint64_t next_ = 1;
  std::uint64_t snapshot_term_ = 0;
};

}  // namespace models::rabbitmq
