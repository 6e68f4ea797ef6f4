// Memory of coroutine frames: one free list per size, so that processes that come and go allocate nothing in steady state.
#pragma once

#include <array>
#include <cstddef>

namespace sim::detail {

class FramePool {
 public:
  FramePool() = default;
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool();

  /// Aligned to 16 bytes. The pool must outlive what it handed out.
  void* allocate(std::size_t bytes);
  /// Gives back what allocate() of any pool returned for the same number of bytes.
  static void release(void* frame, std::size_t bytes) noexcept;

 private:
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kPooledMost = 2048;
  struct alignas(16) Header {
    FramePool* pool;
    Header* next;
  };

  std::array<Header*, kPooledMost / kStep + 1> free_{};
};

}  // namespace sim::detail
