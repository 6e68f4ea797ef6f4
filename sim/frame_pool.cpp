#include "sim/frame_pool.hpp"

#include <new>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace sim::detail {
namespace {

/// A frame that was given back stays in the pool: the sanitizer is told that nobody may look at it.
void forbid([[maybe_unused]] void* frame, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __SANITIZE_ADDRESS__
  __asan_poison_memory_region(frame, bytes);
#endif
}
void allow([[maybe_unused]] void* frame, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(frame, bytes);
#endif
}

}  // namespace

FramePool::~FramePool() {
  for (Header* header : free_) {
    while (header != nullptr) {
      Header* const next = header->next;
      ::operator delete(header);
      header = next;
    }
  }
}

void* FramePool::allocate(std::size_t bytes) {
  const std::size_t total = bytes + sizeof(Header);
  const std::size_t step = (total + kStep - 1) / kStep;
  Header* header;
  if (total <= kPooledMost && free_[step] != nullptr) {
    header = free_[step];
    free_[step] = header->next;
  } else {
    header = ::new (::operator new(step* kStep)) Header;
  }
  header->pool = this;
  allow(header + 1, bytes);
  return header + 1;
}

void FramePool::release(void* frame, std::size_t bytes) noexcept {
  Header* const header = static_cast<Header*>(frame) - 1;
  const std::size_t total = bytes + sizeof(Header);
  if (total > kPooledMost) {
    ::operator delete(header);
    return;
  }
  FramePool& pool = *header->pool;
  const std::size_t step = (total + kStep - 1) / kStep;
  header->next = pool.free_[step];
  pool.free_[step] = header;
  forbid(frame, bytes);
}

}  // namespace sim::detail
