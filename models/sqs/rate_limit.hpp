// So many calls a second, and no more. A bucket that holds as many tokens as a second brings.
//
// Model: AWS says "transactions per second" and not how they are counted (quotas-messages).
#pragma once

#include <chrono>
#include <cstdint>

#include "sim/time.hpp"

namespace models::sqs {

class RateLimit {
 public:
  /// Whether a call is let through, which counts for so many. `per_second` 0: each is. One that counts for more than a second
  /// brings is let through when the bucket is full, and those that come after it wait the longer.
  bool admit(std::uint32_t per_second, sim::Time now, std::uint32_t count = 1) {
    if (per_second == 0) return true;
    constexpr sim::Duration kSecond = std::chrono::seconds{1};
    const sim::Duration all{kSecond.count() / static_cast<std::int64_t>(per_second) * count};
    const sim::Time from = full_at_ < now ? now : full_at_;
    if (from - now + all > (all < kSecond ? kSecond : all)) return false;
    full_at_ = from + all;
    return true;
  }

  sim::Time full_at() const { return full_at_; }

 private:
  sim::Time full_at_{};  // when the bucket is full again
};

}  // namespace models::sqs
