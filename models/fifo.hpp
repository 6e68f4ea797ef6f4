// What waits, in order: first in, first out.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace models {

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
  /// From the front to the back. For checks: it looks at each.
  template <class Look>
  void for_each(Look look) const {
    for (std::size_t i = 0; i < size_; ++i) {
      const std::size_t at = head_ + i;
      look(order_[head_block_ + at / kBlock]->items[at % kBlock]);
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

}  // namespace models
