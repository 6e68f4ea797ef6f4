#include "models/kafka/autoscaler.hpp"

#include <algorithm>

#include "models/kafka/consumer/consumer.hpp"

namespace models::kafka {
namespace {

std::uint32_t partitions_of(const ConsumerGroup& group, const Cluster& cluster) {
  std::uint32_t partitions = 0;
  for (const TopicIndex t : group.topics())
    partitions += static_cast<std::uint32_t>(cluster.topic(t).partitions_most);
  return partitions;
}

}  // namespace

Autoscaler::Autoscaler(ConsumerGroup& group, Node& node)
    : group_(group),
      context_(group.cluster().context()),
      options_(*group.options().autoscale),
      most_(std::min(group.options().members, partitions_of(group, group.cluster()))),
      wanted_(std::min(options_.min, most_)),
      reader_(group.cluster(), node, group.options().name, group.options().topics, options_.every,
              [this](std::int64_t lag) { see(lag); }) {
  node.set_program(*this);
}

void Autoscaler::see(std::int64_t lag) {
  const sim::Time now = context_.now();
  const std::int64_t members = (lag + options_.lag_per_member - 1) / options_.lag_per_member;
  const auto wanted =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(members, std::min(options_.min, most_), most_));
  std::erase_if(recent_, [&](const auto& seen) { return now - seen.first > options_.down_after; });
  recent_.emplace_back(now, wanted);
  if (wanted > wanted_) {
    if (stepped_at_ == sim::Time{} || now - stepped_at_ >= options_.up_after) scale_to(wanted, lag);
    return;
  }
  const auto highest = std::max_element(recent_.begin(), recent_.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool long_enough =
      now - sim::Time{} >= options_.down_after && now - stepped_at_ >= options_.down_after;
  if (highest->second < wanted_ && long_enough) scale_to(highest->second, lag);
}

void Autoscaler::scale_to(std::uint32_t members, std::int64_t lag) {
  context_.emit(Kind::scaled, {.peer = group_.entity().value, .a = members, .b = wanted_, .c = lag});
  stepped_at_ = context_.now();
  const std::uint32_t before = std::exchange(wanted_, members);
  for (std::uint32_t i = before; i < members; ++i) group_.members()[i]->start();
  for (std::uint32_t i = members; i < before; ++i) group_.members()[i]->stop();
}

}  // namespace models::kafka
