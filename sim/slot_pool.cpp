#include "sim/slot_pool.hpp"

#include <sys/mman.h>

#include <algorithm>

#include "sim/assert.hpp"

namespace sim::detail {

SlotPool::~SlotPool() {
  if (slots_ != nullptr) munmap(slots_, reserved_ * sizeof(Slot));
}

/// Addresses, not memory: a page costs something only once a slot on it is used. Where the system grants less than all
/// (a limit on addresses), fewer will do.
void SlotPool::reserve() {
  for (std::size_t slots = kSlotsMost; slots >= kMostAtOnce; slots /= 4) {
    void* const range = mmap(nullptr, slots * sizeof(Slot), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    slots_ = static_cast<Slot*>(range);
    reserved_ = slots;
    // Many pending events are met in no order at all: in small pages most of them would cost a walk of the page table. A
    // run with few never comes that far. Only advice, so that its failure is none.
    if (slots > kMostAtOnce)
      madvise(slots_ + kMostAtOnce, (slots - kMostAtOnce) * sizeof(Slot), MADV_HUGEPAGE);
    return;
  }
  throw std::bad_alloc();
}

void SlotPool::grow() {
  if (slots_ == nullptr) reserve();
  const std::size_t more = std::clamp(size_, kFewest, kMostAtOnce);
  MQLAB_ASSERT(size_ + more <= reserved_,
               "too many pending events: 16,777,216 is the most, fewer where the process may not have 1 GiB "
               "of addresses");
  for (std::size_t i = size_ + more; i-- > size_;) {
    Slot* const slot = ::new (static_cast<void*>(slots_ + i)) Slot;
    slot->word = i;
    slot->act = nullptr;
    give_back(*slot);
  }
  size_ += more;
}

}  // namespace sim::detail
