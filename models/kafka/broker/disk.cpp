// What a broker does when its disk is slow, stands still or is full (LogDirFailureChannel.java,
// ReplicaManager.handleLogDirFailure).
//
// Request handlers and replica fetchers write on their own threads: they wait for the disk, and whoever wants a request handler
// when all wait, waits too. Heartbeats to the controller go on, so that a broker whose disk stands still keeps its leaderships.
// An append that fails takes its log directory offline; with the last of them the broker halts.
//
// Model: a broker has one log directory. Reads come from the page cache and never wait.
#include <utility>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/replica_fetcher.hpp"

namespace models::kafka {

bool Broker::can_write(std::int64_t bytes) {
  if (!disk_.full() && logs_.has_room(bytes)) return true;
  context().emit(Kind::broker_state, {.code = static_cast<std::uint16_t>(BrokerCode::disk_failed),
                                      .actor = node_.entity().value});
  // Posted: LogDirFailureHandler is a thread of its own; what failed here is answered, or not, by a process that halts.
  context().simulation.post([this, life = node_.incarnation(), full = disk_.full()] {
    if (life != node_.incarnation()) return;
    node_.crash();
    if (full && !disk_.full()) node_.restart();  // by the operator who has just made room
  });
  return false;
}

sim::Duration Broker::write_delay() {
  return disk_.delay() == nullptr ? sim::Duration{} : disk_.delay()->sample_duration(disk_stream_);
}

void Broker::disk_goes_on() {
  if (!node_.up()) return;
  const std::vector<AnyCall> written = std::exchange(stuck_, {});
  for (const AnyCall& call : written) {
    node_.paused() ? node_.run_or_hold([this, call] { finish_service(call); }) : finish_service(call);
    if (!node_.up()) return;
  }
  for (const auto& fetcher : fetchers_) {
    if (fetcher) fetcher->disk_goes_on();
  }
}

}  // namespace models::kafka
