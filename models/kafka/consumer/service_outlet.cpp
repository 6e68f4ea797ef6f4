#include "models/kafka/consumer/service_outlet.hpp"

#include <algorithm>

#include "models/kafka/consumer/effect_site.hpp"

namespace models::kafka {

void ServiceOutlet::take(const Work& work, const GroupMembership&) {
  events_.clear();
  for (const Work::Range& range : work.ranges()) {
    for (Offset at = range.from; at < range.to;) {
      const MessageRun run = messages_at(cluster_, range.partition, range.epoch, at);
      const std::int64_t count = std::min<std::int64_t>(run.count, range.to - at);
      for (std::int64_t i = 0; i < count; ++i) events_.push_back(book_.fact_of(run.lane, run.first_seq + i));
      at += count;
    }
  }
  service_.react(events_, [this] { owner_.transformed(TransformOutcome::done); });
}

}  // namespace models::kafka
