// The members of a stream: who writes, who copies, and what of it is committed (osiris_writer.erl, osiris_replica.erl).
#include <algorithm>

#include "models/faults/step_then.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/stream.hpp"
#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

/// Model: chunks that are on their way to a replica, at most; TCP bounds their bytes.
constexpr std::uint32_t kUnderWay = 64;
/// osiris_retention.erl, DEFAULT_SCHEDULED_EVAL_TIME
constexpr sim::Duration kRetentionInterval = std::chrono::hours{1};

StreamLogOptions log_options(const QueueArguments& a) {
  return {.max_segment_bytes = a.max_segment_bytes, .max_bytes = a.max_length_bytes, .max_age = a.max_age};
}

}  // namespace

Stream::Member::Member(Stream& stream, Broker& at, const StreamLogOptions& options)
    : node(at),
      log{options},
      write_timer(stream.cluster_.context().simulation, at.node(), [&stream, this] { stream.wrote(*this); }),
      retention_timer(stream.cluster_.context().simulation, at.node(),
                      [&stream, this] { stream.retain(*this); }) {}

Stream::Stream(Cluster& cluster, QueueIndex index, const QueueOptions& options, EntityId entity)
    : Queue(cluster, index, options, entity) {
  const std::size_t nodes = cluster.size();
  const std::size_t size = std::min<std::size_t>(options.arguments.cluster_size.value_or(nodes), nodes);
  // Model: of several nodes with as few leaders RabbitMQ takes any.
  const std::size_t first =
      options.arguments.locator == LeaderLocator::balanced ? index.value % nodes : options.node;
  for (std::size_t i = 0; i < size; ++i)
    members_.push_back(
        std::make_unique<Member>(*this, cluster.broker((first + i) % nodes), log_options(options.arguments)));
  views_.resize(nodes);
  lost_.assign(nodes, std::vector<bool>(nodes));
  tails_.resize(size);
}

Stream::~Stream() = default;

void Stream::started() {
  for (View& view : views_) {
    view.leader = 0;
    view.epoch = epoch_;
  }
  become_writer(*members_[0], epoch_);
  for (std::size_t i = 1; i < members_.size(); ++i) become_replica(*members_[i], epoch_, 0);
}

// ---- roles --------------------------------------------------------------------------------------------------------

void Stream::rest(Member& member, Role role) {
  member.role = role;
  member.leader = kNone;
  member.followers.clear();
  member.highest.clear();
  member.gathering = {};
  member.writing = {};
  member.pending.clear();
  member.write_timer.disarm();
}

void Stream::become_writer(Member& member, std::uint32_t epoch) {
  rest(member, Role::writer);
  member.epoch = epoch;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].get() != &member) member.followers.push_back({.member = i});
  }
  declare_line(member);
  commit(member);
}

void Stream::become_replica(Member& member, std::uint32_t epoch, std::size_t leader) {
  rest(member, Role::replica);
  member.epoch = epoch;
  member.leader = leader;
  ask_to_attach(member);
}

/// What the trace knows as the log is now this member's.
void Stream::declare_line(Member& writer) {
  Member& before = *members_[line_];
  const bool first = writer.epoch == 1;
  cluster_.context().emit(Kind::leader_changed, {.code = static_cast<std::uint16_t>(LeaderCode::elected),
                                                 .actor = writer.node.node().entity().value,
                                                 .place = entity_.value,
                                                 .a = static_cast<std::int64_t>(writer.epoch),
                                                 .b = writer.log.end()});
  if (first || &before == &writer) return;
  line_ = static_cast<std::size_t>(
      std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m.get() == &writer; }) -
      members_.begin());
  const std::int64_t same = std::max(writer.log.agrees_until(before.log.epoch_ends()), writer.log.start());
  if (same < before.log.end()) {
    told_committed_ = std::min(told_committed_, same);
    cluster_.context().emit(Kind::truncated, {.actor = writer.node.node().entity().value,
                                              .place = entity_.value,
                                              .a = same,
                                              .b = before.log.end() - same,
                                              .c = static_cast<std::int64_t>(writer.epoch)});
  }
  // A member that was elected before it had cut them off brings messages of a leader of long ago back.
  for (std::size_t i = writer.log.find(same); i < writer.log.chunks(); ++i)
    tell_stored(writer, writer.log.chunk(i), kRestored, same);
  tell_expired(writer);
}

// ---- writing ------------------------------------------------------------------------------------------------------

Chunk& Stream::gather(Member& writer) {
  if (!writer.gathering) writer.gathering = chunks_.take();
  return *writer.gathering;
}

/// A message, or an offset to store. What its publisher is known to have written already is left out, and confirmed when all is
/// that is here (osiris_writer:handle_duplicates).
void Stream::accept(Member& writer, const StreamMail& m) {
  Chunk& chunk = gather(writer);
  if (m.what == StreamMail::What::store) {
    chunk.stored.push_back(m.stored);
    return begin_write(writer);
  }
  bool known = false;
  if (m.entry.writer != WriterId{}) {
    const auto [at, inserted] = writer.highest.try_emplace(m.entry.writer, 0);
    if (inserted) at->second = writer.log.publishing_id(m.entry.writer).value_or(0);
    known = m.entry.publishing_id <= at->second;
    if (!known) at->second = m.entry.publishing_id;
  }
  if (!known) chunk.entries.push_back(m.entry);
  if (m.confirm) {
    std::int64_t end = writer.log.end() + static_cast<std::int64_t>(chunk.entries.size());
    if (writer.writing) end += writer.writing->end() - writer.writing->first;
    writer.pending.push_back({end, m.session, m.session_epoch, m.node, m.tag});
  }
  if (chunk.entries.empty() && chunk.stored.empty()) {
    writer.gathering = {};
    return answer_pending(writer);
  }
  begin_write(writer);
}

void Stream::begin_write(Member& writer) {
  if (writer.writing || !writer.gathering) return;
  writer.writing = std::move(writer.gathering);
  writer.writing->first = writer.log.end();
  writer.writing->epoch = writer.epoch;
  writer.write_timer.arm_after(writer.node.instant_disk() ? sim::Duration{} : writer.node.draw_write());
}

void Stream::wrote(Member& writer) {
  const Ref<Chunk> chunk = std::move(writer.writing);
  chunk->written = now();
  const bool rolled = writer.log.append(chunk);
  const bool on_line = members_[line_].get() == &writer;
  tell_stored(writer, *chunk, on_line ? std::uint16_t{0} : kOffLine, chunk->first);
  if (on_line) tell_committed(writer, *chunk);
  if (rolled) retain(writer);
  begin_write(writer);
  step_then(writer.node.appended_step(), writer.node.node(), [this, &writer, epoch = writer.epoch] {
    if (writer.role == Role::writer && writer.epoch == epoch) spread(writer);
  });
}

void Stream::tell_stored(const Member& writer, const Chunk& chunk, std::uint16_t code, std::int64_t from) {
  const std::array<std::int64_t, 1> epoch{static_cast<std::int64_t>(chunk.epoch)};
  const std::size_t n = chunk.entries.size();
  std::size_t i = from > chunk.first ? static_cast<std::size_t>(from - chunk.first) : 0;
  while (i < n) {
    const StreamEntry& first = chunk.entries[i];
    std::size_t end = i + 1;
    while (end < n && chunk.entries[end].lane == first.lane &&
           chunk.entries[end].seq == first.seq + (end - i))
      ++end;
    cluster_.context().emit(Kind::stored,
                            {.code = code,
                             .actor = writer.node.node().entity().value,
                             .place = entity_.value,
                             .peer = first.lane.value,
                             .a = static_cast<std::int64_t>(first.seq),
                             .b = static_cast<std::int64_t>(end - i),
                             .c = chunk.first + static_cast<std::int64_t>(i)},
                            epoch);
    i = end;
  }
}

void Stream::tell_committed(const Member& writer, const Chunk& chunk) {
  for (const Chunk::Stored& one : chunk.stored)
    cluster_.context().emit(Kind::committed, {.actor = one.member.value,
                                              .place = entity_.value,
                                              .peer = one.group.value,
                                              .a = one.offset + 1,
                                              .b = -1});
  static_cast<void>(writer);
}

// ---- copying ------------------------------------------------------------------------------------------------------

/// What is new goes to those who copy, and is committed when enough have it.
void Stream::spread(Member& writer) {
  for (Follower& follower : writer.followers) feed(writer, follower);
  commit(writer);
}

void Stream::feed(Member& writer, Follower& follower) {
  while (follower.attached && follower.sent < writer.log.end() && follower.under_way < kUnderWay) {
    if (follower.sent < writer.log.start()) {
      // Retention has overtaken it: it begins anew.
      follower.attached = false;
      Ref<StreamMail> out = mail(StreamMail::What::attached);
      out->epoch = writer.epoch;
      out->tag = follower.request;
      out->offset = -1;
      return post(writer.node, members_[follower.member]->node, std::move(out));
    }
    const std::size_t i = writer.log.find(follower.sent);
    Ref<StreamMail> out = mail(StreamMail::What::chunk);
    out->epoch = writer.epoch;
    out->tag = follower.request;
    out->chunk = writer.log.share(i);
    out->committed = writer.committed;
    follower.sent = out->chunk->end();
    ++follower.under_way;
    const auto bytes = static_cast<std::uint32_t>(out->chunk->bytes());
    post(writer.node, members_[follower.member]->node, std::move(out), bytes);
  }
}

void Stream::ask_to_attach(Member& replica) {
  Ref<StreamMail> out = mail(StreamMail::What::attach);
  out->epoch = replica.epoch;
  out->tag = ++replica.request;
  out->ends = replica.log.epoch_ends();
  out->offset = replica.log.end();
  post(replica.node, members_[replica.leader]->node, std::move(out));
}

/// It keeps what the leader has, too, and goes on from there.
void Stream::attach_follower(Member& writer, const StreamMail& m) {
  for (Follower& follower : writer.followers) {
    if (members_[follower.member]->node.index() != m.from) continue;
    const std::int64_t same = writer.log.agrees_until(m.ends);
    const bool behind = m.ends.empty() || same < writer.log.start();
    follower.attached = true;
    follower.request = m.tag;
    follower.under_way = 0;
    follower.sent = follower.has = behind ? writer.log.start() : same;
    Ref<StreamMail> out = mail(StreamMail::What::attached);
    out->epoch = writer.epoch;
    out->tag = m.tag;
    out->offset = follower.sent;
    post(writer.node, members_[follower.member]->node, std::move(out));
    feed(writer, follower);
    Ref<StreamMail> known = mail(StreamMail::What::committed);
    known->epoch = writer.epoch;
    known->committed = writer.committed;
    post(writer.node, members_[follower.member]->node, std::move(known));
  }
  commit(writer);
}

void Stream::attached(Member& replica, const StreamMail& m) {
  if (m.offset < 0) return ask_to_attach(replica);
  const bool holds = m.offset >= replica.log.start() && m.offset <= replica.log.end() &&
                     (replica.log.chunks() > 0 || m.offset == replica.log.end());
  if (holds)
    replica.log.truncate(m.offset);
  else
    replica.log.reset(m.offset);
  replica.committed = std::min(replica.committed, replica.log.end());
}

void Stream::copy(Member& replica, StreamMail& m) {
  MQLAB_ASSERT(m.chunk->first == replica.log.end(), "a replica is sent chunks in their order");
  if (replica.log.append(std::move(m.chunk))) retain(replica);
  replica.committed = std::max(replica.committed, std::min(m.committed, replica.log.end()));
  Ref<StreamMail> out = mail(StreamMail::What::copied);
  out->epoch = replica.epoch;
  out->tag = replica.request;
  out->offset = replica.log.end();
  post(replica.node, members_[replica.leader]->node, std::move(out));
  dispatch_all(replica);
}

// ---- committing ---------------------------------------------------------------------------------------------------

/// osiris_writer:agreed_commit: what more than half of the members have.
void Stream::commit(Member& writer) {
  std::vector<std::int64_t> ends{writer.log.end()};
  for (const Follower& follower : writer.followers) ends.push_back(follower.has);
  std::sort(ends.begin(), ends.end(), std::greater<>());
  const std::int64_t agreed = ends[ends.size() / 2];
  if (agreed <= writer.committed && told_committed_ >= writer.committed) return answer_pending(writer);
  writer.committed = std::max(writer.committed, agreed);
  if (members_[line_].get() == &writer && writer.committed > told_committed_) {
    told_committed_ = writer.committed;
    cluster_.context().emit(
        Kind::high_watermark,
        {.actor = writer.node.node().entity().value, .place = entity_.value, .a = writer.committed});
  }
  for (const Follower& follower : writer.followers) {
    if (!follower.attached) continue;
    Ref<StreamMail> out = mail(StreamMail::What::committed);
    out->epoch = writer.epoch;
    out->committed = writer.committed;
    post(writer.node, members_[follower.member]->node, std::move(out));
  }
  answer_pending(writer);
  dispatch_all(writer);
}

void Stream::answer_pending(Member& writer) {
  while (!writer.pending.empty() && writer.pending.front().end <= writer.committed) {
    const Pending p = writer.pending.front();
    writer.pending.pop_front();
    Ref<StreamMail> out = mail(StreamMail::What::written);
    out->session = p.session;
    out->session_epoch = p.session_epoch;
    out->tag = p.tag;
    post(writer.node, cluster_.broker(p.node), std::move(out));
  }
}

// ---- retention ----------------------------------------------------------------------------------------------------

void Stream::retain(Member& member) {
  const std::size_t dropped = member.log.retain(now());
  if (dropped > 0 && members_[line_].get() == &member) tell_expired(member);
  if (member.log.ages()) member.retention_timer.arm_after(kRetentionInterval);
}

void Stream::tell_expired(const Member& member) {
  const std::int64_t start = member.log.start();
  if (start <= told_expired_) return;
  cluster_.context().emit(Kind::expired, {.actor = member.node.node().entity().value,
                                          .place = entity_.value,
                                          .a = told_expired_,
                                          .b = start - told_expired_,
                                          .c = 1});
  told_expired_ = start;
}

}  // namespace models::rabbitmq
