// A quorum queue's leader watches channels and nodes; nodes go and come back.
#include <algorithm>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/quorum_queue.hpp"

namespace models::rabbitmq {

void QuorumQueue::order(Member& leader, Command::What what, ClientId client) {
  leader.raft.command(command(what, client));
}

/// leader_change, to channels of all nodes or of one; and each is monitored: of one that has ended the answer is its end.
void QuorumQueue::greet(Member& leader, const Broker* at) {
  std::vector<std::uint32_t> ids;
  for (const auto& [id, c] : channels_) ids.push_back(id);
  for (const std::uint32_t id : ids) {
    Channel* const c = find(ClientId{id});
    if (c == nullptr) continue;
    Broker& there = *c->session->broker;
    if (at != nullptr && &there != at) continue;
    tell_channel(leader.broker, ClientId{id}, Relay::What::leader, leader.raft.self());
    if (const Channel* const still = find(ClientId{id})) remind(leader, *still);
  }
  if (at != nullptr) return;
  for (std::size_t i = 0; i < cluster_.size(); ++i) {
    Broker& other = cluster_.broker(i);
    if (&other != &leader.broker && !cluster_.connected(leader.broker, other))
      suspect_clients_of(leader, other);
  }
}

/// What was said once may have gone with a link or with a leader: whether the queue refuses what it publishes, that its consumer
/// is out, and where no member is that delivers, what it holds; of which it drops what it has.
/// Model: a channel asks for deliveries that it misses when the next one shows it (get_missing_deliveries of
/// rabbit_fifo_client.erl), and hears of a queue that is full with the next thing said to it; here a leader says all when it can.
void QuorumQueue::remind(Member& leader, const Channel& c) {
  const ClientId id = c.id;
  if (c.ended || !fifo_.knows(id)) return;
  if (options_.arguments.overflow != Overflow::drop_head)
    tell_channel(leader.broker, id, fifo_.refuses(id) ? Relay::What::full : Relay::What::not_full, 0);
  if (fifo_.timed_out(id)) tell_channel(leader.broker, id, Relay::What::cancelled, 0);
  Channel* const to = find(id);
  if (to == nullptr || to->ended || member_at(*to->session->broker)) return;
  fifo_.each_held(id, [&](const Message& m, std::uint64_t n) { send_delivery(leader, *to, frame(m, n)); });
}

/// Channels on the member's node, which has heard of another leader.
void QuorumQueue::redirect_channels(Member& m) {
  m.known_leader = m.raft.leader();
  if (m.known_leader == RaftMember::kNobody) return;
  std::vector<std::uint32_t> here;
  for (const auto& [id, c] : channels_) {
    if (c->session->broker == &m.broker && c->leader != m.known_leader) here.push_back(id);
  }
  for (const std::uint32_t id : here)
    tell_channel(m.broker, ClientId{id}, Relay::What::leader, m.known_leader);
}

/// {down, Pid, noconnection}
void QuorumQueue::suspect_clients_of(Member& leader, const Broker& gone) {
  std::vector<ClientId> theirs;
  fifo_.each_client([&](ClientId id) {
    const Channel* const c = find(id);
    if (c != nullptr && c->session->broker == &gone) theirs.push_back(id);
  });
  for (const ClientId id : theirs) {
    order(leader, Command::What::suspect, id);
    leader.suspects.push_back({now() + cluster_.options().config.consumer_disconnected_timeout, id});
  }
  if (!leader.suspects.empty() && !leader.give_up_timer.armed())
    leader.give_up_timer.arm_at(leader.suspects.front().first);
}

void QuorumQueue::give_up_due(Member& m) {
  while (!m.suspects.empty() && m.suspects.front().first <= now()) {
    const ClientId id = m.suspects.front().second;
    m.suspects.pop_front();
    if (m.raft.leads()) order(m, Command::What::give_up, id);
  }
  if (!m.suspects.empty()) m.give_up_timer.arm_at(m.suspects.front().first);
}

void QuorumQueue::arm_tick(Member& m) {
  if (!m.raft.leads() || m.tick_pending) return;
  const sim::Time next = fifo_.next_event();
  if (next == sim::kNever)
    m.tick_timer.disarm();
  else if (!m.tick_timer.armed() || m.tick_timer.deadline() != next)
    m.tick_timer.arm_at(std::max(next, now()));
}

void QuorumQueue::link_down(Broker& at, Broker& other) {
  const auto own = member_at(at);
  if (!own) return;
  Member& m = *members_[*own];
  if (const auto peer = member_at(other)) m.raft.peer_down(*peer);
  if (m.raft.leads()) suspect_clients_of(m, other);
  end_turn(m);
}

void QuorumQueue::link_up(Broker& at, Broker& other) {
  const auto own = member_at(at);
  if (!own) return;
  Member& m = *members_[*own];
  if (const auto peer = member_at(other)) m.raft.peer_up(*peer);
  if (m.raft.leads()) {
    std::vector<ClientId> theirs;
    fifo_.each_client([&](ClientId id) {
      const Channel* const c = find(id);
      if (c != nullptr && c->session->broker == &other) theirs.push_back(id);
    });
    std::erase_if(m.suspects, [&](const auto& s) {
      return std::find(theirs.begin(), theirs.end(), s.second) != theirs.end();
    });
    for (const ClientId id : theirs) order(m, Command::What::trust, id);
    greet(m, &other);
  }
  end_turn(m);
}

void QuorumQueue::suspected(Broker& at, Broker& other, bool suspect) {
  const auto own = member_at(at);
  const auto peer = member_at(other);
  if (!own || !peer) return;
  if (suspect)
    members_[*own]->raft.peer_suspected(*peer);
  else
    members_[*own]->raft.peer_trusted(*peer);
}

void QuorumQueue::node_crashed(Broker& node) {
  for (const auto& [id, c] : channels_) {
    if (c->session->broker != &node) continue;
    c->ended = true;
    c->pending.reset();
  }
  const auto own = member_at(node);
  if (!own) return;
  Member& m = *members_[*own];
  m.election_timer.disarm();
  m.tick_timer.disarm();
  m.tick_pending = false;
  m.give_up_timer.disarm();
  m.suspects.clear();
  m.notes.clear();
  m.outgoing.clear();
  m.greeting = false;
  m.known_leader = RaftMember::kNobody;
  m.dead_letters.crashed();
  m.raft.crash();
}

void QuorumQueue::node_restarted(Broker& node) {
  if (const auto own = member_at(node)) members_[*own]->raft.restart();
}

}  // namespace models::rabbitmq
