#include "models/kafka/broker/controller_links.hpp"

#include <algorithm>

namespace models::kafka {

ControllerLinks::ControllerLinks(Cluster& cluster, Node& broker)
    : learns_(cluster.options().controllers > 1 || cluster.options().zookeeper),
      choice_(cluster.context().simulation.seed(), "broker/" + broker.name() + "/controllers") {
  const auto add = [&](BrokerId controller, const RpcOptions& options) {
    requests_.push_back({.heartbeats = std::make_unique<RpcChannel>(cluster, broker, controller, options),
                         .alterations = std::make_unique<RpcChannel>(cluster, broker, controller, options)});
  };
  if (cluster.options().zookeeper) {
    for (std::int32_t b = 0; b < cluster.broker_count(); ++b) add(BrokerId{b}, RpcOptions{});
    return;
  }
  const RpcOptions inside{.request_timeout = std::chrono::seconds{30}};
  RpcOptions fetches = inside;
  const std::int32_t controllers = cluster.options().controllers;
  if (controllers == 1) only_ = &cluster.node(kController);
  if (controllers > 1) fetches.request_timeout = cluster.options().config.controller_quorum_request_timeout;
  for (std::int32_t n = 0; n < controllers; ++n) {
    add(controller_id(n), inside);
    metadata_.push_back(std::make_unique<RpcChannel>(cluster, broker, controller_id(n), fetches));
  }
}

void ControllerLinks::answered() {
  if (only_ != nullptr && metadata().in_flight() > 0 && asked_process_ != only_->incarnation())
    metadata().disconnect();
}

void ControllerLinks::introduce(MetadataLogCall& call) {
  if (only_ != nullptr) asked_process_ = only_->incarnation();
  call.epoch = epoch_;
  call.seen = std::max(seen_, call.from);
}

void ControllerLinks::heard(const MetadataLogCall& call) {
  if (!learns_) return;
  if (call.error == ErrorCode::none) {
    seen_ = call.seen;
    leader_ = call.leader;
    return;
  }
  if (call.error == ErrorCode::disconnected || call.epoch < epoch_) return ask_another();
  epoch_ = call.epoch;
  seen_ = 0;
  leader_ = call.leader;
  if (leader_ == kNoController || leader_ == asked_) return ask_another();
  asked_ = leader_;
}

void ControllerLinks::ask_another() {
  const auto others = static_cast<std::uint64_t>(metadata_.size()) - 1;
  const auto step = 1 + static_cast<std::int32_t>(choice_.uniform_int(others));
  asked_ = (asked_ + step) % static_cast<std::int32_t>(metadata_.size());
}

void ControllerLinks::abandon() {
  for (const Requests& to : requests_) {
    to.heartbeats->abandon();
    to.alterations->abandon();
  }
  for (const auto& channel : metadata_) channel->abandon();
  seen_ = 0;
}

}  // namespace models::kafka
