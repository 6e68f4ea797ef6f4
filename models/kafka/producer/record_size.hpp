// How many bytes records take inside a batch, exactly as Kafka's format v2 packs them: a batch header of 61
// bytes, and per record varints for its length, the distance of its timestamp (ms) and of its offset from the
// batch's first, its key and value (DefaultRecord.sizeInBytes, DefaultRecordBatch.RECORD_BATCH_OVERHEAD,
// ByteUtils.sizeOfVarint). A batch of 16384 bytes holds 148 records of 100 bytes because of this, not 163.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "models/clients/workload.hpp"
#include "sim/time.hpp"

namespace models::kafka {

inline constexpr std::int32_t kBatchOverhead = 61;
/// DefaultRecord.MAX_RECORD_OVERHEAD: length, attributes, timestamp and offset at their longest.
inline constexpr std::int32_t kMaxRecordOverhead = 21;

/// Length of a zigzag varint of n >= 0.
constexpr std::int32_t varint_bytes(std::int64_t n) noexcept {
  std::int32_t bytes = 1;
  for (std::uint64_t left = static_cast<std::uint64_t>(n) >> 6; left != 0; left >>= 7) ++bytes;
  return bytes;
}

/// What of a record does not depend on its place in a batch: attributes, key, value, count of headers.
class RecordSizer {
 public:
  /// A message's size is its value and key together; a key is on the wire when `keys` says so.
  RecordSizer(const KeyOptions& keys)
      : prefix_(keys.in_records() ? static_cast<std::int32_t>(keys.prefix.size()) : -1) {}

  std::int32_t fixed_bytes(std::uint32_t size, std::uint32_t rank) const {
    const auto total = static_cast<std::int32_t>(size);
    if (prefix_ < 0) return 2 + 1 + varint_bytes(total) + total;
    const std::int32_t key = prefix_ + digits(rank);
    const std::int32_t value = total > key ? total - key : 0;
    return 2 + varint_bytes(key) + key + varint_bytes(value) + value;
  }

  /// AbstractRecords.estimateSizeInBytesUpperBound: a batch of this record alone, at most.
  static constexpr std::int32_t upper_bound(std::int32_t fixed) {
    return kBatchOverhead + kMaxRecordOverhead + fixed - 1;
  }

 private:
  static constexpr std::int32_t digits(std::uint32_t rank) noexcept {
    constexpr std::uint32_t kPowers[] = {10,        100,        1'000,       10'000,       100'000,
                                         1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
    std::int32_t n = 1;
    for (const std::uint32_t power : kPowers) n += rank >= power ? 1 : 0;
    return n;
  }

  std::int32_t prefix_;  // -1: null keys
};

/// The bytes of one batch as records are added to it.
struct BatchFill {
  std::int32_t bytes = 0;
  std::int32_t count = 0;
  std::int32_t limit = 0;     ///< the buffer's size: records are added while they fit (the first always does)
  std::int64_t first_ms = 0;  ///< timestamp of the first record
  std::int64_t long_delta_from = 0;  ///< ns; timestamps from here on take two bytes or more

  /// An empty batch in a buffer of `limit` bytes whose first record is stamped `t`.
  static BatchFill opened(std::int32_t limit, sim::Time t) {
    const std::int64_t ms = sim::nanoseconds(t) / 1'000'000;
    return {kBatchOverhead, 0, limit, ms, (ms + 64) * 1'000'000};
  }
  /// What the next record would take, stamped `t`.
  std::int32_t record_bytes(std::int32_t fixed, sim::Time t) const {
    const std::int64_t ns = sim::nanoseconds(t);
    const std::int32_t delta = ns < long_delta_from ? 1 : varint_bytes(ns / 1'000'000 - first_ms);
    const std::int32_t body = fixed + delta + (count < 64 ? 1 : varint_bytes(count));
    return body + (body < 64 ? 1 : body < 8192 ? 2 : varint_bytes(body));
  }
  bool fits(std::int32_t record) const { return count == 0 || bytes + record <= limit; }
  void add(std::int32_t record) {
    bytes += record;
    ++count;
  }
  bool full() const { return count > 0 && bytes >= limit; }
};

}  // namespace models::kafka
