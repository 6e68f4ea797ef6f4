// Who leads a stream, and which of several consumers of one name is active (rabbit_stream_coordinator.erl,
// rabbit_stream_sac_coordinator.erl).
#include <algorithm>

#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/stream.hpp"

namespace models::rabbitmq {

// ---- who can speak for it -----------------------------------------------------------------------------------------

bool Stream::reaches(std::size_t from, std::size_t to) const {
  const Broker& a = cluster_.broker(from);
  const Broker& b = cluster_.broker(to);
  if (!a.node().up() || !b.node().up()) return false;
  return from == to || (cluster_.connected(a, b) && cluster_.connected(b, a));
}

bool Stream::may_speak(std::size_t at) const {
  std::size_t there = 0;
  for (std::size_t to = 0; to < views_.size(); ++to) there += reaches(at, to) ? 1 : 0;
  return 2 * there > views_.size();
}

/// A node that is connected to a majority of all: who it was as long as it may, or the first; kNone when there is none.
std::size_t Stream::speaker() {
  if (may_speak(speaker_)) return speaker_;
  for (std::size_t at = 0; at < views_.size(); ++at) {
    if (may_speak(at)) return speaker_ = at;
  }
  return kNone;
}

bool Stream::lost_leader(std::size_t at) const {
  const Member& writer = *members_[writer_];
  const std::size_t there = writer.node.index();
  if (at == there) return writer.role != Role::writer;
  return lost_[at][there] || (reaches(at, there) && writer.role == Role::off);
}

void Stream::link_down(Broker& at, Broker& other) {
  lost_[at.index()][other.index()] = true;
  if (Member* const member = member_at(at)) {
    for (Follower& follower : member->followers) {
      if (&members_[follower.member]->node == &other) follower.attached = false;
    }
  }
  // Consumers at a node that is away keep their turn for a while.
  if (speaker() == at.index()) {
    cluster_.context().simulation.schedule_after(cluster_.options().config.sac_disconnected_timeout,
                                                 [this, node = other.index()] { presume_down(node); });
  }
  reconsider();
}

void Stream::link_up(Broker& at, Broker& other) {
  lost_[at.index()][other.index()] = false;
  Member* const member = member_at(at);
  if (member != nullptr && member->role == Role::replica && &members_[member->leader]->node == &other)
    ask_to_attach(*member);
  const View& view = views_[at.index()];
  if (view.leader != kNone && &members_[view.leader]->node == &other) resend(at.index());
  sweep_singles();
  reconsider();
}

void Stream::node_crashed(Broker& node) {
  std::fill(lost_[node.index()].begin(), lost_[node.index()].end(), true);
  View& view = views_[node.index()];
  view.readers.clear();
  view.outgoing.clear();
  view.channels.clear();
  view.leader = kNone;
  view.epoch = 0;
  Member* const member = member_at(node);
  if (member == nullptr) return;
  rest(*member, Role::off);
  member->retention_timer.disarm();
}

void Stream::node_restarted(Broker& node) {
  sweep_singles();
  if (Member* const member = member_at(node)) retain(*member);
  reconsider();
}

// ---- electing -----------------------------------------------------------------------------------------------------

void Stream::reconsider() {
  const std::size_t at = speaker();
  if (at == kNone) return;
  switch (phase_) {
    case Phase::running:
      return lost_leader(at) ? elect(at) : settle_roles(at);
    case Phase::stopping:
      return stop_members(at);
    case Phase::starting: {
      const Member& writer = *members_[writer_];
      return reaches(at, writer.node.index()) ? choose() : elect(at);
    }
  }
}

/// All that can be reached stop, and say how far they have come.
void Stream::elect(std::size_t at) {
  if (phase_ == Phase::running) {
    cluster_.context().emit(Kind::leader_changed, {.code = static_cast<std::uint16_t>(LeaderCode::offline),
                                                   .place = entity_.value,
                                                   .a = static_cast<std::int64_t>(epoch_),
                                                   .b = members_[line_]->log.end()});
  }
  phase_ = Phase::stopping;
  ++epoch_;
  std::fill(tails_.begin(), tails_.end(), std::nullopt);
  stop_members(at);
}

/// Those that have not said yet how far they have come.
void Stream::stop_members(std::size_t at) {
  const std::uint32_t epoch = epoch_;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (tails_[i] || !reaches(at, members_[i]->node.index())) continue;
    post(cluster_.broker(at), members_[i]->node, mail(StreamMail::What::stop));
    if (epoch_ != epoch || phase_ != Phase::stopping) return;
  }
}

void Stream::stopped(const StreamMail& m) {
  if (phase_ != Phase::stopping || m.epoch != epoch_) return;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i]->node.index() == m.node) tails_[i] = m.tail;
  }
  const auto there = std::count_if(tails_.begin(), tails_.end(), [](const auto& t) { return t.has_value(); });
  if (2 * static_cast<std::size_t>(there) <= members_.size()) return;
  // select_leader: the highest epoch, and in it the highest offset; of several one by the time and the command's index.
  // Model: by the epoch.
  std::vector<std::size_t> best;
  for (std::size_t i = 0; i < tails_.size(); ++i) {
    if (!tails_[i]) continue;
    const auto rank = [this](std::size_t of) { return std::pair(tails_[of]->epoch, tails_[of]->end); };
    if (!best.empty() && rank(i) < rank(best[0])) continue;
    if (!best.empty() && rank(best[0]) < rank(i)) best.clear();
    best.push_back(i);
  }
  writer_ = best[epoch_ % best.size()];
  phase_ = Phase::starting;
  choose();
}

void Stream::choose() {
  const std::size_t at = speaker();
  if (at != kNone) post(cluster_.broker(at), members_[writer_]->node, mail(StreamMail::What::lead));
}

/// Who does not copy from the leader yet does so now, and every node is told who it is.
void Stream::settle_roles(std::size_t at) {
  const std::uint32_t epoch = epoch_;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Member& member = *members_[i];
    if (i == writer_ || !reaches(at, member.node.index())) continue;
    if (member.role == Role::replica && member.epoch == epoch) continue;
    Ref<StreamMail> out = mail(StreamMail::What::follow);
    out->offset = static_cast<std::int64_t>(writer_);
    post(cluster_.broker(at), member.node, std::move(out));
  }
  for (std::size_t node = 0; node < views_.size(); ++node) {
    if (views_[node].epoch == epoch || !reaches(at, node)) continue;
    Ref<StreamMail> out = mail(StreamMail::What::leader_is);
    out->offset = static_cast<std::int64_t>(writer_);
    post(cluster_.broker(at), cluster_.broker(node), std::move(out));
  }
}

// ---- single active consumers --------------------------------------------------------------------------------------

Stream::Single& Stream::single(ReferenceId reference) {
  for (Single& one : singles_) {
    if (one.reference == reference) return one;
  }
  singles_.push_back({reference, {}, false});
  return singles_.back();
}

void Stream::join(const StreamMail& m) {
  Single& of = single(m.stored.reference);
  const auto same = [&m](const Single::One& one) {
    return one.session == m.session && one.session_epoch == m.session_epoch;
  };
  if (std::none_of(of.consumers.begin(), of.consumers.end(), same))
    of.consumers.push_back({m.session, m.session_epoch, m.node});
  activate_first(of);
}

void Stream::part(const Session& session, std::uint32_t session_epoch, ReferenceId reference) {
  Single& of = single(reference);
  const auto gone = std::find_if(of.consumers.begin(), of.consumers.end(), [&](const Single::One& one) {
    return one.session == &session && one.session_epoch == session_epoch;
  });
  if (gone == of.consumers.end()) return;
  if (gone == of.consumers.begin()) of.told = false;
  of.consumers.erase(gone);
  activate_first(of);
}

void Stream::activate_first(Single& of) {
  const std::size_t at = speaker();
  if (of.told || of.consumers.empty() || at == kNone || !reaches(at, of.consumers.front().node)) return;
  of.told = true;
  const Single::One& first = of.consumers.front();
  Ref<StreamMail> out = mail(StreamMail::What::activate);
  out->session = first.session;
  out->session_epoch = first.session_epoch;
  post(cluster_.broker(at), cluster_.broker(first.node), std::move(out));
}

/// What could not be told while nodes did not reach one another: channels that have ended, consumers that have come.
void Stream::sweep_singles() {
  const std::size_t at = speaker();
  if (at == kNone) return;
  for (std::size_t i = 0; i < singles_.size(); ++i) {
    const std::vector<Single::One> all = singles_[i].consumers;
    for (const Single::One& one : all) {
      if (reaches(at, one.node) && one.session->epoch != one.session_epoch)
        part(*one.session, one.session_epoch, singles_[i].reference);
    }
  }
  for (std::size_t node = 0; node < views_.size(); ++node) {
    if (!reaches(at, node)) continue;
    for (const auto& reader : views_[node].readers) {
      if (!reader->single() || reader->active) continue;
      Single& of = single(reader->reference);
      const auto same = [&reader](const Single::One& one) {
        return one.session == reader->session && one.session_epoch == reader->session_epoch;
      };
      const auto known = std::find_if(of.consumers.begin(), of.consumers.end(), same);
      if (known == of.consumers.end())
        of.consumers.push_back({reader->session, reader->session_epoch, static_cast<std::uint16_t>(node)});
      else if (known == of.consumers.begin())
        of.told = false;  // but it has not heard
    }
  }
  for (std::size_t i = 0; i < singles_.size(); ++i) activate_first(singles_[i]);
}

/// They have been away for too long: somebody else's turn (stream_sac_disconnected_timeout).
void Stream::presume_down(std::uint16_t node) {
  const std::size_t at = speaker();
  if (at == kNone || reaches(at, node)) return;
  for (std::size_t i = 0; i < singles_.size(); ++i) {
    const std::vector<Single::One> all = singles_[i].consumers;
    for (const Single::One& one : all) {
      if (one.node == node) part(*one.session, one.session_epoch, singles_[i].reference);
    }
  }
}

}  // namespace models::rabbitmq
