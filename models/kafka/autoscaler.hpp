// Starts and stops a group's members by its lag, as KEDA's kafka scaler and a Kubernetes HPA do: wanted are
// ceil(lag / lag_per_member) members, at least `min`, at most as many as there are members or partitions (more would be idle).
//
// Up: at once, but not within up_after of the step before. Down: only to the highest number that was wanted at any time in the
// last down_after (the HPA's stabilization window). What stops closes cleanly. Each step is a rebalance, during which the lag
// grows.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "models/kafka/consumer/group.hpp"
#include "models/kafka/lag_reader.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class Autoscaler final : public NodeProgram {
 public:
  /// Becomes the node's program. Requires: group.options().autoscale, and that members from `min` on stand by.
  Autoscaler(ConsumerGroup& group, Node& node);

  void start() { reader_.start(); }
  std::uint32_t wanted() const { return wanted_; }

  // NodeProgram
  void crashed() override { reader_.stop(); }
  void restarted() override { reader_.start(); }

 private:
  void see(std::int64_t lag);
  void scale_to(std::uint32_t members, std::int64_t lag);

  ConsumerGroup& group_;
  Context& context_;
  AutoscaleOptions options_;
  std::uint32_t most_;
  std::uint32_t wanted_;
  sim::Time stepped_at_{};
  std::vector<std::pair<sim::Time, std::uint32_t>> recent_;  // what was wanted, within down_after
  LagReader reader_;
};

}  // namespace models::kafka
