// Where pending work lives: 64-byte slots, one cache line each, that never move while they are in use.
//
// A slot holds the word of the queue entry that may run it (the generation of every handle), one function that runs or
// destroys what it holds, and 48 bytes of inline storage. Memory grows in blocks that double and is given back only
// with the pool, so a steady state allocates nothing. The most recently freed slot is the next one given out: it is hot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sim {

class Simulation;

namespace detail {

/// A word is the sequence number (40 bits) above the slot's index (24 bits). Sequences start at 1, so a word whose
/// sequence is 0 belongs to nobody.
inline constexpr unsigned kSlotBits = 24;
inline constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;
inline constexpr std::uint64_t kSequenceMost = (std::uint64_t{1} << 40) - 1;

constexpr bool names_an_entry(std::uint64_t word) noexcept { return word > kSlotMask; }

enum class Action { run, destroy };

struct alignas(64) Slot {
  using Act = void (*)(Simulation&, Slot&, Action);
  static constexpr std::size_t kCaptureBytes = 48;

  std::uint64_t word;  ///< low bits: own index, always; high bits: sequence of the live entry, or 0
  Act act;             ///< runs or destroys what is stored, and gives the slot back
  alignas(16) std::byte storage[kCaptureBytes];

  bool live() const noexcept { return names_an_entry(word); }
  void kill() noexcept { word &= kSlotMask; }
  template <class T>
  T& as() noexcept {
    static_assert(sizeof(T) <= kCaptureBytes && alignof(T) <= 16);
    return *std::launder(reinterpret_cast<T*>(storage));
  }
};
static_assert(sizeof(Slot) == 64);

class SlotPool {
 public:
  static constexpr std::size_t kSlotsMost = std::size_t{1} << kSlotBits;

  SlotPool() = default;
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  /// A dead slot whose `act` and storage are free to use.
  Slot& take() {
    if (free_ == nullptr) [[unlikely]] grow();
    Slot& slot = *free_;
    free_ = slot.as<Slot*>();
    return slot;
  }
  void give_back(Slot& slot) noexcept {
    ::new (static_cast<void*>(slot.storage)) Slot*(free_);
    free_ = &slot;
  }

  Slot& operator[](std::uint64_t word) const noexcept {
    const std::uint64_t index = word & kSlotMask;
    return chunks_[index >> kChunkBits][index & (kChunkSlots - 1)];
  }
  void prefetch(std::uint64_t word) const noexcept { __builtin_prefetch(&(*this)[word], 1, 3); }
  bool holds(std::uint64_t word) const noexcept { return (word & kSlotMask) < size_; }
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned kChunkBits = 10;
  static constexpr std::size_t kChunkSlots = std::size_t{1} << kChunkBits;
  static constexpr std::size_t kBlockChunksMost = 64;
  struct Block {
    void operator()(Slot* slots) const noexcept;
  };

  void grow();

  Slot* free_ = nullptr;
  Slot** chunks_ = nullptr;  ///< chunk_index_.data(), one load nearer
  std::size_t size_ = 0;
  std::vector<Slot*> chunk_index_;
  std::vector<std::unique_ptr<Slot[], Block>> blocks_;
};

}  // namespace detail
}  // namespace sim
