#include "models/kafka/broker/replica.hpp"

#include <algorithm>

namespace models::kafka {
namespace {

bool contains(const std::vector<BrokerId>& set, BrokerId b) {
  return std::find(set.begin(), set.end(), b) != set.end();
}

}  // namespace

bool Replica::in_sync(BrokerId b) const {
  return contains(isr, b);
}

bool Replica::in_maximal_isr(BrokerId b) const {
  return contains(isr, b) || (asked_isr && contains(*asked_isr, b));
}

Follower* Replica::follower(BrokerId b) {
  for (Follower& f : followers) {
    if (f.broker == b) return &f;
  }
  return nullptr;
}

Offset Replica::sent_to_followers() const {
  Offset most = 0;
  for (const Follower& f : followers) most = std::max({most, f.sent_end, f.log_end});
  return most;
}

bool Replica::caught_up(const Follower& f, sim::Time now, sim::Duration lag_max) const {
  return f.log_end == log.end() || (f.ever_fetched && now - f.last_caught_up <= lag_max);
}

Offset Replica::allowed_high_watermark(sim::Time now, sim::Duration lag_max,
                                       const std::vector<bool>& ineligible, bool strict) const {
  if (strict && under_min_isr()) return high_watermark;
  Offset least = log.end();
  for (const Follower& f : followers) {
    if (f.log_end >= least) continue;
    const bool may_join = !ineligible[static_cast<std::size_t>(f.broker.value)] && caught_up(f, now, lag_max);
    if (in_maximal_isr(f.broker) || may_join) least = f.log_end;
  }
  return std::max(least, high_watermark);
}

}  // namespace models::kafka
