// Where pending work lives: 64-byte slots, one cache line each, that never move while they are in use.
//
// A slot holds the word of the queue entry that may run it (the generation of every handle), one function that runs or
// destroys what it holds, and 48 bytes of inline storage. They stand in one range of addresses, which is reserved when the
// first is needed and filled as more are: the way from a queue entry to its slot is a shift and an addition, and that way
// is what every event waits for. Memory is given back only with the pool, so a steady state allocates nothing. The most
// recently freed slot is the next one given out: it is hot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace sim {

class Simulation;

namespace detail {

/// A word is the sequence number (40 bits) above the slot's index (24 bits). Sequences start at 1, so a word whose
/// sequence is 0 belongs to nobody.
inline constexpr unsigned kSlotBits = 24;
inline constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;
inline constexpr std::uint64_t kSequenceMost = (std::uint64_t{1} << 40) - 1;

constexpr bool names_an_entry(std::uint64_t word) noexcept {
  return word > kSlotMask;
}

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
  ~SlotPool();

  /// A dead slot whose `act` and storage are free to use.
  Slot& take() {
    if (free_ == nullptr) [[unlikely]]
      grow();
    Slot& slot = *free_;
    free_ = slot.as<Slot*>();
    return slot;
  }
  void give_back(Slot& slot) noexcept {
    ::new (static_cast<void*>(slot.storage)) Slot*(free_);
    free_ = &slot;
  }

  Slot& operator[](std::uint64_t word) const noexcept { return slots_[word & kSlotMask]; }
  void prefetch(std::uint64_t word) const noexcept { __builtin_prefetch(&(*this)[word], 1, 3); }
  bool holds(std::uint64_t word) const noexcept { return (word & kSlotMask) < size_; }
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t kFewest = 256;         ///< given out at first
  static constexpr std::size_t kMostAtOnce = 65'536;  ///< when more are needed

  void reserve();
  void grow();

  Slot* free_ = nullptr;
  Slot* slots_ = nullptr;
  std::size_t size_ = 0;
  std::size_t reserved_ = 0;
};

}  // namespace detail
}  // namespace sim
