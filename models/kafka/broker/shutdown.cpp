// How a broker ends in an orderly way (BrokerServer.shutdown, BrokerLifecycleManager.BeginControlledShutdownEvent).
//
// With controlled.shutdown.enable it says so in its heartbeats and goes on serving until the controller has moved its
// leaderships and grants the end; without, or when it is not running yet, it ends at once, and the controller notices by its
// session. Either way the log is whole.
//
// Model: Kafka's limit of 5 minutes for the controller's consent is not modelled; nor is the time that closing a log takes.
#include "models/kafka/broker/broker.hpp"

namespace models::kafka {

namespace {

/// After the first answer to the wish, a little sooner than usual (BrokerHeartbeatResponseEvent).
constexpr sim::Duration kFirstShutdownRetry = std::chrono::milliseconds{50};

}  // namespace

void Broker::shut_down() {
  start_again_ = false;
  begin_to_end();
}

void Broker::begin_to_end() {
  told_to_end_ = node_.paused();
  if (told_to_end_) return node_.run_or_hold([this] { begin_to_end(); });
  if (!node_.up() || shutdown_ != Shutdown::no) return;
  if (!config().controlled_shutdown_enable || broker_epoch_ == -1) return end_process();
  shutdown_ = Shutdown::pending;
  send_heartbeat();  // at once; when one is under way, at its answer
}

void Broker::start_up() {
  if (!node_.up()) return node_.restart();
  start_again_ = shutdown_ != Shutdown::no || told_to_end_;
}

void Broker::on_shutdown_reply(const BrokerHeartbeatCall& call) {
  if (call.should_shut_down) return zookeeper_ ? zookeeper_->close([this] { end_process(); }) : end_process();
  const bool first = shutdown_ == Shutdown::pending;
  shutdown_ = Shutdown::answered;
  if (!call.want_shut_down) return send_heartbeat();  // it was on its way already: asks now
  heartbeat_timer_.arm_after(first ? kFirstShutdownRetry : config().broker_heartbeat_interval);
}

void Broker::end_process() {
  shutdown_ = Shutdown::ending;
  const bool again = start_again_;
  start_again_ = false;
  node_.crash();
  if (again) node_.restart();
}

}  // namespace models::kafka
