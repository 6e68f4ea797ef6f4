// When the messages of a queue came, the oldest first: for ApproximateAgeOfOldestMessage, once somebody asks for that.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/time.hpp"

namespace models::sqs {

/// Memory is of the order of what is there, and each message costs a logarithm of that.
class Ages {
 public:
  /// Requires: a number above all before, and a time not below.
  void came(std::uint64_t number, sim::Time at) { entries_.push_back({number, at}); }
  /// No effect on what is unknown or gone.
  void gone(std::uint64_t number) {
    if (head_ == entries_.size() || number < entries_[head_].number) return;
    gone_.push_back(number);
    std::push_heap(gone_.begin(), gone_.end(), std::greater<>());
    while (!gone_.empty() && head_ < entries_.size() && gone_.front() <= entries_[head_].number) {
      if (gone_.front() == entries_[head_].number) ++head_;
      std::pop_heap(gone_.begin(), gone_.end(), std::greater<>());
      gone_.pop_back();
    }
    if (head_ + gone_.size() > entries_.size() / 2 + 64) tidy();
  }
  /// kNever: nothing is there.
  sim::Time oldest() const { return head_ == entries_.size() ? sim::kNever : entries_[head_].at; }

 private:
  struct Entry {
    std::uint64_t number = 0;
    sim::Time at{};
  };
  void tidy() {
    std::sort(gone_.begin(), gone_.end());
    std::size_t kept = 0;
    std::size_t next = 0;
    for (std::size_t i = head_; i < entries_.size(); ++i) {
      while (next < gone_.size() && gone_[next] < entries_[i].number) ++next;
      if (next == gone_.size() || gone_[next] != entries_[i].number) entries_[kept++] = entries_[i];
    }
    entries_.resize(kept);
    gone_.clear();
    head_ = 0;
  }

  std::vector<Entry> entries_;       // by number; those before head_ are gone
  std::vector<std::uint64_t> gone_;  // others: a heap, the oldest first
  std::size_t head_ = 0;
};

}  // namespace models::sqs
