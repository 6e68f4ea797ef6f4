// FifoThroughputLimit = "perMessageGroupId": so many calls a second for each message group; and the like of SNS's FIFO topics.
// Of a group that has been quiet for as long as its bucket needs to be full nothing is kept.
//
// Model: AWS spreads groups over partitions, each of which takes so many, and splits those that are busy
// (high-throughput-fifo, partitions and data distribution); here each group has its own.
#pragma once

#include "models/fifo.hpp"
#include "models/sqs/flat_map.hpp"
#include "models/sqs/group_key.hpp"
#include "models/sqs/rate_limit.hpp"

namespace models::sqs {

class GroupLimits {
 public:
  bool admit(GroupKey group, std::uint32_t per_second, sim::Time now, std::uint32_t count = 1) {
    while (!known_.empty() && known_.front().look_at <= now) {
      const Known k = known_.front();
      known_.pop();
      const sim::Time full = limits_.find(k.group)->full_at();
      if (full <= now)
        limits_.remove(k.group);
      else
        known_.push({k.group, now + kRound});
    }
    RateLimit* limit = limits_.find(group);
    if (limit == nullptr) {
      limit = &limits_.add(group, {});
      known_.push({group, now + kRound});
    }
    return limit->admit(per_second, now, count);
  }
  std::size_t size() const { return limits_.size(); }

 private:
  static constexpr sim::Duration kRound = std::chrono::seconds{1};
  struct Known {
    GroupKey group;
    sim::Time look_at{};
  };
  FlatMap<GroupKey, RateLimit> limits_;
  Fifo<Known> known_;
};

}  // namespace models::sqs
