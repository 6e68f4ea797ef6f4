// What channels have to do with a stream: publishing, reading, storing offsets.
#include "models/rabbitmq/stream.hpp"

#include <algorithm>

#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "sim/assert.hpp"

namespace models::rabbitmq {

// ---- publishing ---------------------------------------------------------------------------------------------------

/// A producer's messages to a stream are numbered densely, and a retry keeps its number: with a name that is its publishing id.
StreamEntry Stream::entry_of(Session& session, const Message& m) {
  std::vector<Channel>& channels = views_[session.broker->index()].channels;
  // A dead letter's publisher has no client, and no name.
  static const std::string nameless;
  const std::string& name = session.client != nullptr ? session.client->channel().publisher : nameless;
  auto at =
      std::find_if(channels.begin(), channels.end(), [&](const Channel& c) { return c.session == &session; });
  if (at == channels.end()) at = channels.insert(at, {&session, ~session.epoch, {}, 0});
  if (at->session_epoch != session.epoch) *at = {&session, session.epoch, writer_named(name), 0};
  ++at->published;
  return {m.seq, name.empty() ? at->published : m.seq + 1, m.lane, at->writer, m.size};
}

Taken Stream::publish(Session& session, std::uint64_t tag, Message& m) {
  const std::uint16_t node = session.broker->index();
  const Outgoing out{&session, session.epoch, tag, entry_of(session, m)};
  cluster_.histories().forget(m.history);
  if (session.confirms) views_[node].outgoing.push_back(out);
  send_write(node, out, session.confirms);
  return Taken::elsewhere;
}

void Stream::send_write(std::uint16_t node, const Outgoing& out, bool confirm) {
  const View& view = views_[node];
  if (view.leader == kNone) return;
  Ref<StreamMail> write = mail(StreamMail::What::write);
  write->epoch = view.epoch;
  write->session = out.session;
  write->session_epoch = out.session_epoch;
  write->tag = out.tag;
  write->confirm = confirm;
  write->node = node;
  write->entry = out.entry;
  post(cluster_.broker(node), members_[view.leader]->node, std::move(write), kContentBytes + out.entry.size);
}

/// To the leader that it has now heard of (rabbit_stream_queue:resend_all), with what else waits for one.
void Stream::resend(std::uint16_t node) {
  View& view = views_[node];
  std::erase_if(view.outgoing, [](const Outgoing& o) { return o.session->epoch != o.session_epoch; });
  for (std::size_t i = 0; i < view.outgoing.size(); ++i) send_write(node, view.outgoing[i], true);
  for (const auto& reader : view.readers) {
    if (reader->active && !reader->placed) place(node, *reader);
  }
}

void Stream::answered(std::uint16_t node, Session& session, std::uint32_t session_epoch, std::uint64_t tag) {
  std::deque<Outgoing>& outgoing = views_[node].outgoing;
  const auto at = std::find_if(outgoing.begin(), outgoing.end(), [&](const Outgoing& o) {
    return o.session == &session && o.session_epoch == session_epoch && o.tag == tag;
  });
  if (at == outgoing.end()) return;  // confirmed before: it was sent twice
  outgoing.erase(at);
  if (session.epoch == session_epoch) session.broker->answer_publish(session, tag, true);
}

/// Model: a dead letter is written by whoever leads, at once; at most once, as all that is written without confirms.
void Stream::take_dead_letter(Broker& from, Message& m, const Origin& origin) {
  const std::size_t leader = views_[from.index()].leader;
  const bool sent = leader != kNone &&
                    (&members_[leader]->node == &from || cluster_.connected(from, members_[leader]->node));
  from.tell_dead_letter(sent ? Kind::republished : Kind::failed, *this, m, origin);
  cluster_.histories().forget(m.history);
  if (!sent) return;
  send_write(from.index(), {nullptr, 0, 0, {.seq = m.seq, .lane = m.lane, .size = m.size}}, false);
}

// ---- reading ------------------------------------------------------------------------------------------------------

Stream::Reader* Stream::reader_of(std::uint16_t node, const Session& session, std::uint32_t session_epoch) {
  for (const auto& reader : views_[node].readers) {
    if (reader->session == &session && reader->session_epoch == session_epoch) return reader.get();
  }
  return nullptr;
}

/// False: the stream does not have a running replica on the local node (rabbit_stream_queue:consume).
bool Stream::consume(Session& session, const ConsumerOptions& consumer) {
  const std::uint16_t node = session.broker->index();
  const Member* const member = member_at(*session.broker);
  if (member == nullptr || (member->role != Role::replica && member->role != Role::writer)) return false;
  const std::size_t at = speaker();
  if (consumer.stream != nullptr && consumer.stream->single_active_consumer &&
      (at == kNone || !reaches(node, at)))
    return false;
  views_[node].readers.push_back(std::make_unique<Reader>());
  Reader& reader = *views_[node].readers.back();
  reader.session = &session;
  reader.session_epoch = session.epoch;
  reader.options = consumer;
  reader.credit = consumer.stream != nullptr ? consumer.stream->credit : consumer.prefetch;
  if (reader.tracks() || reader.single()) reader.reference = reference_named(consumer.stream->name);
  if (!reader.single()) {
    place(node, reader);
    return true;
  }
  reader.active = false;
  Ref<StreamMail> out = mail(StreamMail::What::join);
  out->session = &session;
  out->session_epoch = session.epoch;
  out->node = node;
  out->stored.reference = reader.reference;
  post(*session.broker, cluster_.broker(at), std::move(out));
  return true;
}

/// Where it begins: with tracking, the leader knows.
void Stream::place(std::uint16_t node, Reader& reader) {
  Broker& here = cluster_.broker(node);
  if (!reader.tracks()) {
    Member& member = *member_at(here);
    attach(member, reader, std::nullopt);
    return dispatch(member, reader);
  }
  const std::size_t leader = views_[node].leader;
  if (leader == kNone) return;  // asked when there is one
  Ref<StreamMail> out = mail(StreamMail::What::query);
  out->session = reader.session;
  out->session_epoch = reader.session_epoch;
  out->stored.reference = reader.reference;
  post(here, members_[leader]->node, std::move(out));
}

void Stream::attach(Member& member, Reader& reader, std::optional<std::int64_t> stored) {
  const StreamOffset from =
      stored ? StreamOffset{StreamOffset::At::offset, *stored, {}} : reader.options.offset;
  using At = StreamOffset::At;
  reader.next = member.log.attach(from, now());
  reader.placed = true;
  tell_position(reader, -1,
                stored                                       ? ResetCode::committed
                : from.at == At::first                       ? ResetCode::earliest
                : from.at == At::next || from.at == At::last ? ResetCode::latest
                                                             : ResetCode::sought);
}

void Stream::tell_position(const Reader& reader, std::int64_t before, ResetCode code) {
  cluster_.context().emit(Kind::position, {.code = static_cast<std::uint16_t>(code),
                                           .actor = reader.session->client->node().entity().value,
                                           .place = entity_.value,
                                           .peer = reader.options.group.value,
                                           .a = reader.next,
                                           .b = before});
}

void Stream::dispatch_all(Member& member) {
  for (const auto& reader : views_[member.node.index()].readers) dispatch(member, *reader);
}

/// What is committed and it has credit for: of AMQP a credit is a message, of the stream protocol a chunk.
void Stream::dispatch(Member& member, Reader& reader) {
  if (!reader.active || !reader.placed) return;
  const bool chunks = reader.options.stream != nullptr;
  while (reader.credit > 0 && reader.next < member.committed) {
    if (reader.next < member.log.start()) {
      // The segment that it was to read has been deleted: it goes on at the first that is there.
      const std::int64_t before = std::exchange(reader.next, member.log.start());
      tell_position(reader, before, ResetCode::earliest);
      continue;
    }
    const Chunk& chunk = member.log.chunk(member.log.find(reader.next));
    if (chunk.entries.empty()) {
      cluster_.context().emit(Kind::left_out, {.actor = reader.session->client->node().entity().value,
                                               .place = entity_.value,
                                               .peer = reader.options.group.value,
                                               .a = reader.next,
                                               .b = chunk.end() - reader.next});
      reader.next = chunk.end();
      continue;
    }
    const std::int64_t end = chunks ? chunk.end() : reader.next + 1;
    while (reader.next < end) send_entry(chunk, reader.next++, reader);
    --reader.credit;
  }
}

void Stream::send_entry(const Chunk& chunk, std::int64_t offset, Reader& reader) {
  const StreamEntry& entry = chunk.entries[static_cast<std::size_t>(offset - chunk.first)];
  Ref<Deliver> frame = cluster_.deliver_frames().take();
  frame->number = static_cast<std::uint64_t>(offset);
  frame->lane = entry.lane;
  frame->seq = entry.seq;
  frame->queue = index_;
  frame->bytes = entry.size;
  frame->redelivered = false;
  frame->ends_chunk = offset + 1 == chunk.end();
  frame->log_epoch = chunk.epoch;
  frame->ordinal = reader.options.stream == nullptr ? reader.held.push(now()) : 0;
  reader.session->broker->deliver(*reader.session, std::move(frame));
}

/// Whatever it says, it has credit for one more (rabbit_stream_queue:settle).
void Stream::answer(Session& session, std::uint64_t ordinal, Answer) {
  Reader* const reader = reader_of(session.broker->index(), session, session.epoch);
  MQLAB_ASSERT(reader != nullptr, "a channel answers for what it consumes");
  if (reader->options.stream == nullptr) {
    MQLAB_ASSERT(reader->held.holds(ordinal) && reader->held[ordinal] != sim::kNever,
                 "a delivery tag is answered once (PRECONDITION_FAILED, unknown delivery tag)");
    reader->held[ordinal] = sim::kNever;
    while (!reader->held.empty() && reader->held[reader->held.first()] == sim::kNever) reader->held.drop();
  }
  ++reader->credit;
  dispatch(*member_at(*session.broker), *reader);
}

sim::Time Stream::oldest_held(Session& session) {
  Reader* const reader = reader_of(session.broker->index(), session, session.epoch);
  if (reader == nullptr || reader->held.empty()) return sim::kNever;
  return reader->held[reader->held.first()];
}

void Stream::store_offset(Session& session, std::int64_t offset) {
  const std::uint16_t node = session.broker->index();
  const Reader* const reader = reader_of(node, session, session.epoch);
  if (reader == nullptr || views_[node].leader == kNone) return;  // nobody answers to this
  Ref<StreamMail> out = mail(StreamMail::What::store);
  out->stored = {reader->reference, offset, session.client->node().entity(), reader->options.group};
  post(*session.broker, members_[views_[node].leader]->node, std::move(out));
}

void Stream::leave(Session& session, std::uint32_t epoch) {
  const std::uint16_t node = session.broker->index();
  const Reader* const reader = reader_of(node, session, epoch);
  if (reader == nullptr) return;
  const bool single = reader->single();
  const ReferenceId reference = reader->reference;
  std::erase_if(views_[node].readers, [reader](const auto& r) { return r.get() == reader; });
  const std::size_t at = speaker();
  if (!single || at == kNone) return;
  Ref<StreamMail> out = mail(StreamMail::What::leave);
  out->session = &session;
  out->session_epoch = epoch;
  out->stored.reference = reference;
  post(*session.broker, cluster_.broker(at), std::move(out));
}

// ---- state --------------------------------------------------------------------------------------------------------

Broker& Stream::leader() const {
  return members_[writer_]->node;
}

bool Stream::is_at(const Broker& node) const {
  const Member* const member = member_at(node);
  return member != nullptr && (member->role == Role::replica || member->role == Role::writer);
}

/// Nothing waits in a stream: what a group has not read is its lag.
Queue::Depth Stream::depth() const {
  Depth depth;
  for (const View& view : views_) depth.consumers += view.readers.size();
  return depth;
}

bool Stream::finished(EntityId group) const {
  bool any = false;
  for (const View& view : views_) {
    for (const auto& reader : view.readers) {
      const Session& session = *reader->session;
      if (reader->options.group != group || !reader->active) continue;
      if (!session.client->is_on(session.connection)) continue;  // it has gone, and the node has not noticed
      if (!reader->placed || reader->next < told_committed_) return false;
      any = true;
    }
  }
  return any;
}

/// Every member has the log on its disk. What reads find in the page cache counts for no alarm.
Queue::Usage Stream::usage(const Broker& node) const {
  const Member* const member = member_at(node);
  return member == nullptr ? Usage{} : Usage{0, member->log.bytes()};
}

bool Stream::busy() const {
  return mails_.out() > 0 || phase_ != Phase::running ||
         std::any_of(members_.begin(), members_.end(),
                     [](const auto& m) { return m->writing || m->gathering || !m->pending.empty(); });
}

void Stream::tell_unfinished(std::vector<std::string>& lines) const {
  const std::string name = "stream " + options_.name + ": ";
  if (phase_ != Phase::running)
    lines.push_back(name + "it has no leader: a majority of its members must be reached");
  for (const auto& member : members_) {
    if (!member->pending.empty())
      lines.push_back(name + std::to_string(member->pending.size()) + " messages at its leader, " +
                      member->node.node().name() + ", wait for a majority, which has all below " +
                      std::to_string(member->committed) + " of " + std::to_string(member->log.end()));
  }
  for (const EntityId group : groups_) {
    if (finished(group)) continue;
    std::int64_t next = 0;
    for (const View& view : views_) {
      for (const auto& reader : view.readers) {
        if (reader->options.group == group && reader->active && reader->placed)
          next = std::max(next, reader->next);
      }
    }
    lines.push_back(name + "a group has been sent what is below " + std::to_string(next) + " of " +
                    std::to_string(told_committed_));
  }
}

/// All copies hold the same where both know it to be committed, and one writes in an epoch.
std::optional<std::string> Stream::broken() const {
  const Member& line = *members_[line_];
  for (const auto& one : members_) {
    const std::string who = "the copy of stream '" + options_.name + "' at " + one->node.node().name() + " ";
    if (const auto wrong = copy_fault(one->log, one->committed, line.log, line.committed))
      return who + *wrong;
    if (one.get() != &line && one->role == Role::writer && line.role == Role::writer &&
        one->epoch == line.epoch)
      return who + "writes in the leader's epoch, " + std::to_string(line.epoch);
  }
  return std::nullopt;
}

}  // namespace models::rabbitmq
