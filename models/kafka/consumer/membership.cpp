#include "models/kafka/consumer/membership.hpp"

#include "models/kafka/backoff.hpp"
#include "models/kafka/consumer/classic_membership.hpp"
#include "models/kafka/consumer/consumer_membership.hpp"

namespace models::kafka {

Membership::Membership(ConsumerGroup& group, Node& node, std::string instance_id, Connections& connections,
                       Metadata& metadata, MembershipOwner& owner)
    : group_(group),
      config_(group.options().config),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      node_(node),
      instance_id_(std::move(instance_id)),
      connections_(connections),
      metadata_(metadata),
      owner_(owner),
      heartbeat_step_(context_.steps.cell(node.entity(), Step::heartbeat_sent)),
      jitter_(context_.simulation.seed(), "kafka/membership/" + node.name()),
      clock_(context_.simulation, node),
      lookup_timer_(context_.simulation, node, [this] { look_up(); }) {
  connections_.on_group_change([this](BrokerId broker) { group_connection_changed(broker); });
}

void Membership::start() {
  running_ = true;
  look_up();
}

void Membership::forget() {
  running_ = false;
  coordinator_ = kNoBroker;
  looking_up_ = false;
  lookups_failed_ = 0;
  lookup_not_before_ = {};
  state_ = MemberState::unjoined;
  generation_ = -1;
  member_id_.clear();
  assigned_.clear();
  fatal_ = ErrorCode::none;
  leaving_ = false;
  lookup_timer_.disarm();
  clock_.forget();
}

RpcChannel* Membership::coordinator() {
  if (coordinator_known()) return &connections_.group(coordinator_);
  look_up();
  return nullptr;
}

void Membership::look_up() {
  if (!running_ || looking_up_ || coordinator_known()) return;
  if (context_.now() < lookup_not_before_) {
    if (!lookup_timer_.armed()) lookup_timer_.arm_at(lookup_not_before_);
    return;
  }
  looking_up_ = true;
  Ref<FindCoordinatorCall> call = cluster_.take<FindCoordinatorCall>();
  call->group = group_.options().name;
  connections_.least_loaded().call<&Membership::on_found>(*this, std::move(call));
}

void Membership::on_found(BrokerId, Ref<FindCoordinatorCall> call) {
  looking_up_ = false;
  const bool found = call->error == ErrorCode::none && call->coordinator != kNoBroker;
  if (found && !connections_.group(call->coordinator).backing_off()) {
    coordinator_ = call->coordinator;
    connections_.group(coordinator_).connect();
    coordinator_found();
    owner_.membership_changed();
    return;
  }
  if (!found) metadata_.request_update();
  lookup_not_before_ = context_.simulation.after(
      exponential_backoff(config_.retry_backoff, config_.retry_backoff_max, lookups_failed_++, jitter_));
  look_up();
}

void Membership::lose_coordinator(BrokerId from, bool disconnect) {
  if (coordinator_ != from || from == kNoBroker) return;
  coordinator_ = kNoBroker;
  coordinator_lost();
  if (lookups_failed_ > 0) {
    lookup_not_before_ = context_.simulation.after(
        exponential_backoff(config_.retry_backoff, config_.retry_backoff_max, lookups_failed_ - 1, jitter_));
  }
  ++lookups_failed_;
  if (disconnect) connections_.group(from).disconnect();
  look_up();
}

void Membership::group_connection_changed(BrokerId broker) {
  if (broker == coordinator_ && connections_.group(broker).backing_off()) lose_coordinator(broker, false);
}

void Membership::report(MemberCode code) {
  context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(code),
                                     .actor = node_.entity().value,
                                     .peer = group_.entity().value,
                                     .b = generation_});
}

std::unique_ptr<Membership> make_membership(ConsumerGroup& group, Node& node, std::string instance_id,
                                            Connections& connections, Metadata& metadata,
                                            MembershipOwner& owner) {
  if (group.options().config.group_protocol == GroupProtocol::consumer) {
    return std::make_unique<ConsumerMembership>(group, node, std::move(instance_id), connections, metadata,
                                                owner);
  }
  return std::make_unique<ClassicMembership>(group, node, std::move(instance_id), connections, metadata,
                                             owner);
}

}  // namespace models::kafka
