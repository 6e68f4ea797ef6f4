// What keeps publishers from being read: alarms of memory and disk, for the whole cluster (rabbit_alarm.erl,
// rabbit_reader.erl), and credit that a queue has not given (credit_flow.erl).
//
// An alarm blocks connections that publish, with all that they carry: acknowledgements on the same connection are not read
// either. A connection that only consumes goes on.
//
// Model: memory and disk are what messages in queues need (Queue::usage); a node's own hundred megabytes are not counted. Whoever
// publishes hears connection.blocked and stops; of TCP's buffers there is what is under way.

#include <algorithm>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/client.hpp"

namespace models::rabbitmq {
namespace {

/// memory_monitor_interval (vm_memory_monitor.erl)
constexpr sim::Duration kMemoryInterval = std::chrono::milliseconds{2500};
/// rabbit_disk_monitor.erl: so much is written in a second at most; it looks twice before the limit could be reached.
constexpr std::int64_t kFastRate = 250'000'000;
constexpr sim::Duration kLeastInterval = std::chrono::milliseconds{100};
constexpr sim::Duration kMostInterval = std::chrono::seconds{10};

}  // namespace

Queue::Usage Broker::usage() const {
  Queue::Usage all;
  for (std::size_t i = 0; i < cluster_.queue_count(); ++i) {
    const Queue& queue = cluster_.queue(QueueIndex{static_cast<std::uint16_t>(i)});
    const Queue::Usage one = queue.usage(*this);
    all.memory += one.memory;
    all.disk += one.disk;
  }
  return all;
}

void Broker::start_monitors() {
  if (cluster_.options().memory_limit() > 0) look_at_memory();
  if (cluster_.options().disk_size > 0) look_at_disk();
}

void Broker::look_at_memory() {
  memory_timer_.arm_after(kMemoryInterval);
  const bool alarm = usage().memory > cluster_.options().memory_limit();
  if (alarm == memory_alarm_) return;
  memory_alarm_ = alarm;
  cluster_.alarms_changed();
}

void Broker::look_at_disk() {
  const std::int64_t free = cluster_.options().disk_size - usage().disk;
  const std::int64_t room = free - cluster_.options().disk_limit();
  // interval/1: half of the time in which the room could be filled
  const sim::Duration half = sim::Duration{std::abs(room) * (1'000'000'000 / kFastRate) / 2};
  disk_timer_.arm_after(std::clamp(half, kLeastInterval, kMostInterval));
  const bool alarm = room < 0;
  if (alarm == disk_alarm_) return;
  disk_alarm_ = alarm;
  cluster_.alarms_changed();
}

/// What is blocked is read again when there is no alarm left; who is to be blocked is with the next message that it publishes.
void Broker::alarms_changed() {
  if (cluster_.alarm()) return;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    Session& session = *sessions_[i];
    if (session.open && session.blocked) block(session, false, BlockedCode::memory);
  }
}

void Broker::block(Session& session, bool blocked, BlockedCode why) {
  if (session.blocked == blocked) return;
  session.blocked = blocked;
  tell_blocked(session, blocked, why);
  if (blocked) tell_client(session, true);
  const std::string& producer = session.client->channel().producer;
  // What consumes on the same connection.
  for (std::size_t n = 0; blocked && !producer.empty() && n < cluster_.size(); ++n) {
    Broker& broker = cluster_.broker(n);
    for (const auto& other : broker.sessions_) {
      if (other->open && other->client != nullptr && other->client->channel().same_connection_as == producer)
        broker.block(*other, true, why);
    }
  }
  if (!blocked) read_on(session);
}

void Broker::set_flow(Session& session, bool blocked) {
  session.flow = blocked ? session.flow + 1 : session.flow - 1;
  if (session.flow != (blocked ? 1U : 0U)) return;
  tell_blocked(session, blocked, BlockedCode::flow);
  if (blocked)
    tell_client(session, true);
  else
    read_on(session);
}

void Broker::tell_blocked(const Session& session, bool blocked, BlockedCode why) const {
  if (session.client == nullptr) return;  // nobody's connection
  context_.emit(Kind::connection_blocked, {.code = static_cast<std::uint16_t>(why),
                                           .actor = session.client->node().entity().value,
                                           .place = node_.entity().value,
                                           .a = blocked ? 1 : 0});
}

void Broker::tell_client(Session& session, bool blocked) {
  if (session.client == nullptr || session.told_blocked == blocked) return;
  session.told_blocked = blocked;
  context_.network.send(session.connection, Side::server, kMethodBytes,
                        [client = session.client, id = session.connection, blocked] {
                          if (client->is_on(id)) client->blocked(blocked);
                        });
}

void Broker::read_on(Session& session) {
  const std::uint32_t epoch = session.epoch;
  while (session.epoch == epoch && !stopped(session) && !session.unread.empty()) {
    const Session::Unread next = std::move(session.unread.front());
    session.unread.pop_front();
    --unread_;
    if (next.publish)
      take(session, *next.publish);
    else
      take(session, *next.answers);
  }
  // What has come is read first: until then TCP's window is closed.
  if (session.epoch == epoch && !stopped(session)) tell_client(session, false);
}

void Broker::forget_unread(Session& session) {
  if (stopped(session))
    tell_blocked(session, false, session.flow > 0 ? BlockedCode::flow : BlockedCode::memory);
  session.blocked = session.told_blocked = false;
  session.flow = 0;
  unread_ -= session.unread.size();
  session.unread.clear();
}

void Broker::tell_blocked(std::vector<std::string>& lines) const {
  for (const auto& session : sessions_) {
    if (!session->open || session->client == nullptr || !stopped(*session)) continue;
    const std::string& name = session->client->node().name();
    if (session->flow > 0)
      lines.push_back(name + ": a queue gives its connection no credit");
    else
      lines.push_back(name + ": an alarm blocks its connection, " + std::to_string(session->unread.size()) +
                      " frames of which are not read");
  }
}

}  // namespace models::rabbitmq
