#include "models/planted_leak.hpp"

#if defined(MQLAB_PLANTED_LEAK_LIBM)
#include <cmath>
#include <cstring>

namespace models {

std::int64_t planted_leak() {
  // libm's exp differs between processors with and without FMA in about one value of a thousand.
  std::uint64_t bits = 0;
  for (int i = 1; i <= 100'000; ++i) {
    const double y = std::exp(static_cast<double>(i) * 1e-4);
    std::uint64_t word = 0;
    std::memcpy(&word, &y, sizeof word);
    bits = bits * 31 + word;
  }
  return static_cast<std::int64_t>(bits);
}

}  // namespace models

#elif defined(MQLAB_PLANTED_LEAK_UNORDERED)
#include <memory>
#include <unordered_set>
#include <vector>

namespace models {

/// The library's own hash of a pointer is its address: equal distances then give one order wherever they begin.
struct MixedAddress {
  std::size_t operator()(const int* p) const {
    return (reinterpret_cast<std::uintptr_t>(p) * 0x9E3779B97F4A7C15u) >> 7;
  }
};

std::int64_t planted_leak() {
  // The order of a set of pointers follows the addresses, which differ from process to process.
  std::vector<std::unique_ptr<int> > owned;
  std::unordered_set<const int*, MixedAddress> set;
  for (int i = 0; i < 256; ++i) {
    owned.push_back(std::make_unique<int>(i));
    set.insert(owned.back().get());
  }
  std::uint64_t order = 0;
  for (const int* p : set) order = order * 67 + static_cast<std::uint64_t>(*p);
  return static_cast<std::int64_t>(order);
}

}  // namespace models

#elif defined(MQLAB_PLANTED_LEAK_STATIC)

namespace models {

std::int64_t planted_leak() {
  // What one run leaves behind for the next: every process counts alike, a trial's second run does not.
  static std::int64_t calls = 0;
  return ++calls;
}

}  // namespace models

#else

namespace models {

std::int64_t planted_leak() {
  return 0;
}

}  // namespace models

#endif
