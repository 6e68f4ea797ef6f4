// Reads a topic of transactional records batch by batch, in order of offsets, and tells which batches count: those of no
// transaction, and those whose transaction was committed. Markers come behind what they decide, so that a batch waits until its
// transaction has ended, and all behind it wait with it (the last stable offset).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "models/kafka/broker/log.hpp"

namespace models::kafka {

class ChangelogReader {
 public:
  /// Up to where it has read.
  Offset next() const { return next_; }

  /// Reads on up to `to`: calls visit(batch) for each that counts and waits for nothing.
  template <class Visit>
  void read(const ReplicaLog& log, Offset to, Visit&& visit) {
    if (next_ >= to) return;
    log.for_each(next_, [&](const Extent& batch, LeaderEpoch) {
      if (batch.base < to && batch.end() > next_) take(batch);
    });
    for (; !waiting_.empty() && waiting_.front().fate != Fate::open; waiting_.pop_front(), ++passed_) {
      if (waiting_.front().fate == Fate::counts) visit(waiting_.front().batch);
    }
  }

  /// Nothing more is read: what is still open does not count, and what is behind it waits no more.
  template <class Visit>
  void finish(Visit&& visit) {
    for (const Waiting& w : waiting_) {
      if (w.fate == Fate::counts) visit(w.batch);
    }
    waiting_.clear();
  }

 private:
  enum class Fate : std::uint8_t { open, counts, aborted };
  struct Waiting {
    Extent batch;
    Fate fate;
  };

  void take(const Extent& batch) {
    next_ = batch.end();
    if (!batch.is_marker()) {
      const bool open = batch.kind == BatchKind::transactional;
      if (open) open_[batch.producer_id].push_back(passed_ + waiting_.size());
      return waiting_.push_back({batch, open ? Fate::open : Fate::counts});
    }
    std::vector<std::size_t>& ended = open_[batch.producer_id];
    for (const std::size_t n : ended)
      waiting_[n - passed_].fate = batch.kind == BatchKind::commit_marker ? Fate::counts : Fate::aborted;
    ended.clear();
  }

  Offset next_ = 0;
  std::deque<Waiting> waiting_;
  std::size_t passed_ = 0;                               // how many have left the queue
  std::map<ProducerId, std::vector<std::size_t>> open_;  // of each producer's transaction: numbers of batches
};

}  // namespace models::kafka
