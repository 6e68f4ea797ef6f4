// How a controller comes into office and leaves it: by itself where it is alone, else as the quorum decides
// (QuorumController.claim, renounce).
#include <algorithm>

#include "models/kafka/broker/controller.hpp"

namespace models::kafka {

void Controller::crashed() {
  if (writer_ != nullptr && writer_->claimed()) tell_office(false);
  retire();
  parked_.clear();
  deferred_.clear();
  ending_ = told_to_end_ = start_again_ = false;
  if (raft_) raft_->crashed();
}

void Controller::restarted() {
  raft_ ? raft_->restarted() : watch_brokers();
}

void Controller::shut_down() {
  start_again_ = false;
  begin_to_end();
}

void Controller::begin_to_end() {
  told_to_end_ = node_.paused();
  if (told_to_end_) return node_.run_or_hold([this] { begin_to_end(); });
  if (!node_.up() || ending_) return;
  ending_ = true;
  raft_->shut_down();
}

void Controller::start_up() {
  if (!node_.up()) return node_.restart();
  start_again_ = ending_ || told_to_end_;
}

void Controller::may_end() {
  if (!ending_) return;
  const bool again = start_again_;
  node_.crash();
  if (again) node_.restart();
}

/// What is committed counts; what another wrote beyond is gone. Brokers have a full session (BrokerHeartbeatManager.register).
void Controller::claimed() {
  partitions_ = log_.states();
  for (std::size_t b = 0; b < brokers_.size(); ++b) {
    const RegisteredBroker& known = log_.broker(BrokerId{static_cast<std::int32_t>(b)});
    BrokerRegistration& broker = brokers_[b];
    broker.epoch = known.epoch;
    broker.incarnation = known.incarnation;
    broker.fenced = known.fenced;
    broker.shutdown_at.reset();
    if (known.shutting_down) broker.shutdown_at = log_.committed();
    broker.metadata_offset = 0;
    next_broker_epoch_ = std::max(next_broker_epoch_, known.epoch + 1);
  }
  altered_ = log_.altered();
  count_leaderless();
  watch_brokers();
  if (writer_ != nullptr) tell_office(true);
}

void Controller::renounced() {
  retire();
  tell_office(false);
  cluster_.context().simulation.post(
      [this, life = node_.incarnation(), refused = std::move(deferred_)]() mutable {
        if (life != node_.incarnation()) return;
        for (Deferred& deferred : refused) {
          deferred.call->error = ErrorCode::not_controller;
          answer(std::move(deferred.call));
        }
      });
  deferred_.clear();
}

/// Model: what clients owe is forgotten with the office; Kafka's controllers know it as long as their process lives.
void Controller::retire() {
  mutations_.forget();
  for (BrokerRegistration& broker : brokers_) broker.session->disarm();
  rebalance_timer_.disarm();
  unclean_timer_.disarm();
}

void Controller::committed(std::size_t end) {
  while (!deferred_.empty() && deferred_.front().end <= end) {
    AnyCall call = std::move(deferred_.front().call);
    deferred_.erase(deferred_.begin());
    answer(std::move(call));
  }
}

/// KafkaController.processBrokerChange: who came, went or was there twice (KIP-380).
void Controller::note_alive(const std::vector<ZooKeeperCall::Alive>& alive) {
  for (std::size_t b = 0; b < brokers_.size(); ++b) {
    const BrokerId id{static_cast<std::int32_t>(b)};
    const auto at = std::find_if(alive.begin(), alive.end(),
                                 [id](const ZooKeeperCall::Alive& one) { return one.broker == id; });
    BrokerRegistration& broker = brokers_[b];
    const bool same = at != alive.end() && at->session == broker.epoch;
    if (!broker.fenced && !same) fence(id);
    if (at == alive.end() || !broker.fenced) continue;
    broker.epoch = at->session;
    broker.incarnation = at->incarnation;
    unfence(id);
  }
}

void Controller::read_again() {
  partitions_ = log_.states();
  count_leaderless();
  for (std::size_t b = 0; b < brokers_.size(); ++b) {
    if (brokers_[b].fenced) leave_in_sync_sets(BrokerId{static_cast<std::int32_t>(b)});
  }
}

void Controller::tell_office(bool active) {
  cluster_.context().emit(Kind::controller_changed,
                          {.actor = node_.entity().value, .a = writer_->epoch(), .b = active ? 1 : 0});
}

}  // namespace models::kafka
