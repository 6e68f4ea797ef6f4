// What was sent to a FIFO queue in the last five minutes, by its MessageDeduplicationId, whether it is still there or not
// (using-messagededuplicationid-property). A message that is recognised does not begin the interval anew.
#pragma once

#include "models/fifo.hpp"
#include "models/sqs/flat_map.hpp"
#include "models/sqs/options.hpp"
#include "sim/time.hpp"

namespace models::sqs {

/// MessageDeduplicationId: two numbers, of which the first says what the second is counted in: a lane, or something above 2^40;
/// and the message group where the scope is that.
struct DeduplicationKey {
  std::uint64_t space = 0;
  std::uint64_t id = 0;
  std::uint64_t group = 0;
  bool operator==(const DeduplicationKey&) const = default;
  std::uint64_t hash() const { return mixed(mixed(space ^ mixed(group)) + id); }
};

class Deduplication {
 public:
  /// Whether that is known; if not, it is from now on.
  bool recognises(const DeduplicationKey& key, sim::Time now) {
    while (!oldest_.empty() && oldest_.front().until <= now) {
      known_.remove(oldest_.front().key);
      oldest_.pop();
    }
    if (known_.find(key) != nullptr) return true;
    known_.add(key, true);
    oldest_.push({key, now + kDeduplicationInterval});
    return false;
  }
  std::size_t size() const { return known_.size(); }

 private:
  struct Entry {
    DeduplicationKey key;
    sim::Time until{};
  };
  FlatMap<DeduplicationKey, bool> known_;
  Fifo<Entry> oldest_;
};

}  // namespace models::sqs
