#include "sim/slot_pool.hpp"

#include <algorithm>
#include <new>

#include "sim/assert.hpp"

namespace sim::detail {

void SlotPool::Block::operator()(Slot* slots) const noexcept {
  ::operator delete(static_cast<void*>(slots), std::align_val_t{alignof(Slot)});
}

void SlotPool::grow() {
  const std::size_t chunks = std::clamp<std::size_t>(chunk_index_.size(), 1, kBlockChunksMost);
  const std::size_t slots = chunks * kChunkSlots;
  MQLAB_ASSERT(size_ + slots <= kSlotsMost, "too many pending events: 16,777,216 is the most");
  auto* const memory =
      static_cast<Slot*>(::operator new(slots * sizeof(Slot), std::align_val_t{alignof(Slot)}));
  blocks_.emplace_back(memory);
  for (std::size_t c = 0; c < chunks; ++c) chunk_index_.push_back(memory + c * kChunkSlots);
  chunks_ = chunk_index_.data();
  for (std::size_t i = slots; i-- > 0;) {
    Slot* const slot = ::new (static_cast<void*>(memory + i)) Slot;
    slot->word = size_ + i;
    slot->act = nullptr;
    give_back(*slot);
  }
  size_ += slots;
}

}  // namespace sim::detail
