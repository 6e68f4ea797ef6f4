// A first-in-first-out queue in one power-of-two array: grows by doubling, never shrinks, allocates nothing in steady
// state. Grows only in push(); elements move when it does, so keep no pointers into it.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace sim {

template <class T>
class Ring {
  static_assert(std::is_nothrow_move_constructible_v<T>, "a ring moves its elements when it grows");

 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    while (!empty()) pop();
    if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
  }

  bool empty() const noexcept { return first_ == last_; }
  std::size_t size() const noexcept { return last_ - first_; }
  std::size_t capacity() const noexcept { return capacity_; }

  void push(T item) {
    if (size() == capacity_) [[unlikely]]
      grow();
    ::new (static_cast<void*>(items_ + (last_ & (capacity_ - 1)))) T(std::move(item));
    ++last_;
  }
  /// Requires: not empty.
  T pop() noexcept {
    T* const at = items_ + (first_++ & (capacity_ - 1));
    T item = std::move(*at);
    at->~T();
    return item;
  }
  /// Requires: not empty.
  const T& front() const noexcept { return items_[first_ & (capacity_ - 1)]; }

 private:
  void grow() {
    const std::size_t capacity = capacity_ == 0 ? 16 : 2 * capacity_;
    T* const items = std::allocator<T>().allocate(capacity);
    const std::size_t count = size();
    for (std::size_t i = 0; i < count; ++i) ::new (static_cast<void*>(items + i)) T(pop());
    if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
    items_ = items;
    capacity_ = capacity;
    first_ = 0;
    last_ = count;
  }

  T* items_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t first_ = 0;
  std::size_t last_ = 0;
};

}  // namespace sim
