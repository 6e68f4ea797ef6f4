// Things with successive numbers of which the oldest go first, but any may be looked at: what is unconfirmed or unacknowledged.
// One power-of-two array: allocates nothing in steady state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

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

/// First in, first out, in blocks: memory is what is in it and a block or two; blocks are used again.
template <class T, std::size_t kBlock = 256>
class Fifo {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void push(const T& item) {
    if (tail_ == kBlock) {
      order_.push_back(spare_.empty() ? std::make_unique<Block>() : std::move(spare_.back()));
      if (!spare_.empty()) spare_.pop_back();
      tail_ = 0;
    }
    order_.back()->items[tail_++] = item;
    ++size_;
  }
  /// Requires: not empty.
  const T& front() const { return order_[head_block_]->items[head_]; }
  /// Requires: not empty.
  void pop() {
    --size_;
    if (++head_ < kBlock && size_ > 0) return;
    head_ = size_ > 0 ? 0 : tail_;
    if (size_ == 0 && head_ < kBlock) return;
    head_ = 0;
    spare_.push_back(std::move(order_[head_block_++]));
    if (head_block_ == order_.size()) {
      order_.clear();
      head_block_ = 0;
    } else if (head_block_ >= 64 && 2 * head_block_ >= order_.size()) {
      order_.erase(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(head_block_));
      head_block_ = 0;
    }
  }

 private:
  struct Block {
    std::array<T, kBlock> items;
  };
  std::vector<std::unique_ptr<Block>> order_;
  std::vector<std::unique_ptr<Block>> spare_;
  std::size_t head_block_ = 0;
  std::size_t head_ = 0;
  std::size_t tail_ = kBlock;  // in the last block
  std::size_t size_ = 0;
};

}  // namespace models::rabbitmq
