// Things with successive numbers of which the oldest go first, but any may be looked at: what is unconfirmed or unacknowledged.
// One power-of-two array: allocates nothing in steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/fifo.hpp"

namespace models::rabbitmq {

template <class T>
class Window {
 public:
  bool empty() const { return first_ == next_; }
  std::uint64_t first() const { return first_; }
  /// Of the next one that is pushed.
  std::uint64_t next() const { return next_; }
  bool holds(std::uint64_t number) const { return number >= first_ && number < next_; }
  T& operator[](std::uint64_t number) { return items_[number & (items_.size() - 1)]; }
  const T& operator[](std::uint64_t number) const { return items_[number & (items_.size() - 1)]; }

  std::uint64_t push(T item) {
    if (next_ - first_ == items_.size()) grow();
    (*this)[next_] = std::move(item);
    return next_++;
  }
  /// Forgets the oldest. Requires: not empty.
  void drop() { (*this)[first_++] = T{}; }
  /// Forgets all and numbers from 0 again.
  void reset() {
    while (!empty()) drop();
    first_ = next_ = 0;
  }

 private:
  void grow() {
    std::vector<T> more(items_.empty() ? 16 : 2 * items_.size());
    for (std::uint64_t i = first_; i < next_; ++i) more[i & (more.size() - 1)] = std::move((*this)[i]);
    items_ = std::move(more);
  }

  std::vector<T> items_;
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace models::rabbitmq
