// How a broker serves fetches of consumers and followers (KafkaApis.handleFetchRequest,
// ReplicaManager.fetchMessages, DelayedFetch.scala, FetchSession.scala).
#include <algorithm>
#include <tuple>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/share/share_partition_manager.hpp"

namespace models::kafka {

void Broker::handle_fetch(Ref<FetchCall> call) {
  FetchSession* session = session_of(*call);
  if (session == nullptr) {
    call->error = ErrorCode::fetch_session_id_not_found;
    return answer(std::move(call));
  }
  session->fetch_before = session->last_fetch;
  session->last_fetch = wall_clock();
  ++session->fetches;
  session->replica_epoch = call->replica_epoch;
  session->rack = call->rack;
  session->read_committed = call->read_committed;
  update_session(*session, *call);
  if (!node_.up()) return;
  if (quotas_.any() && !session->follower()) {
    call->max_bytes =
        static_cast<std::int32_t>(std::min<std::int64_t>(call->max_bytes, quotas_.fetch_most(call->client)));
    call->min_bytes = std::min(call->min_bytes, call->max_bytes);
  }
  call->session = session->id();
  session->waiting = std::move(call);
  session->deadline = context().simulation.after(session->waiting->max_wait);
  if (remote_reader_ && read_remotely(*session)) return;
  if (session->waiting->max_wait <= sim::Duration{} || enough(*session)) {
    answer_fetch(*session);
    return;
  }
  await_records(*session);
}

/// Until its deadline, or until wake() finds something for it.
void Broker::await_records(FetchSession& session) {
  if (!session.in_purgatory) {
    session.in_purgatory = true;
    fetch_purgatory_.push_back(&session);
  }
  if (!fetch_timer_.armed() || fetch_timer_.deadline() > session.deadline)
    fetch_timer_.arm_at(session.deadline);
}

FetchSession* Broker::find_session(std::uint64_t id) {
  const auto at = std::lower_bound(sessions_.begin(), sessions_.end(), id,
                                   [](const OpenSession& s, std::uint64_t wanted) { return s.id < wanted; });
  return at != sessions_.end() && at->id == id ? at->session.get() : nullptr;
}

FetchSession* Broker::session_of(FetchCall& call) {
  if (call.session != 0) {
    FetchSession* const found = find_session(call.session);
    if (found == nullptr || !call.full) return found;
    forget_session(*found);
  } else {
    // The client begins anew: its older session is of no use to anybody.
    const auto old = std::find_if(sessions_.begin(), sessions_.end(), [&call](const OpenSession& s) {
      return s.session->client() == call.client && s.session->replica() == call.replica;
    });
    if (old != sessions_.end()) forget_session(*old->session);
  }
  const std::uint64_t id = next_session_++;
  sessions_.push_back({id, std::make_unique<FetchSession>(*this, id, call.replica, call.client)});
  return sessions_.back().session.get();
}

void Broker::forget_session(FetchSession& session) {
  rouse(session);
  for (std::uint32_t i = 0; i < session.size(); ++i) {
    Replica* replica = replicas_[session.entry(i).partition.value];
    if (replica == nullptr) continue;
    std::erase_if(replica->watchers, [&session](const Watcher& w) { return w.session == &session; });
    for (Follower& f : replica->followers) {
      if (f.session == &session) f.session = nullptr;
    }
  }
  std::erase(fetch_purgatory_, &session);
  std::erase_if(sessions_, [&session](const OpenSession& s) { return s.session.get() == &session; });
}

void Broker::drop_sessions() {
  for (const OpenSession& one : sessions_) rouse(*one.session);
  for (const auto& replica : owned_) {
    replica->watchers.clear();
    for (Follower& f : replica->followers) f.session = nullptr;
  }
  fetch_purgatory_.clear();
  sessions_.clear();
}

void Broker::update_session(FetchSession& session, const FetchCall& call) {
  for (const PartitionIndex p : call.forgotten) {
    const std::uint32_t i = session.index_of(p);
    session.entry(i).present = false;
    if (Replica* replica = replicas_[p.value]) {
      std::erase_if(replica->watchers, [&session](const Watcher& w) { return w.session == &session; });
    }
  }
  for (const FetchPartition& fetch : call.partitions) {
    const std::uint32_t i = session.index_of(fetch.partition);
    FetchSession::Entry& entry = session.entry(i);
    if (!entry.present) {
      entry.present = true;
      entry.sent_high_watermark = kNoOffset;
      if (Replica* replica = replicas_[fetch.partition.value]) replica->watchers.push_back({&session, i});
    }
    entry.offset = fetch.fetch_offset;
    entry.current_epoch = fetch.current_leader_epoch;
    entry.last_epoch = fetch.last_fetched_epoch;
    entry.max_bytes = fetch.max_bytes;
    session.queue(i);
    if (session.follower()) note_follower_fetch(session, fetch);
    if (!node_.up()) return;
  }
  if (!session.left_out.empty()) readmit(session);
}

void Broker::note_follower_fetch(FetchSession& session, const FetchPartition& fetch) {
  Replica* replica = replicas_[fetch.partition.value];
  if (replica == nullptr || !replica->speaks_in(fetch.current_leader_epoch)) return;
  if (fetch.fetch_offset < replica->local_start()) return;  // out of range, or remote
  Follower* f = replica->follower(session.replica());
  if (f == nullptr) return;
  const EpochEnd mine = replica->log.end_of(fetch.last_fetched_epoch);
  const bool diverging = fetch.last_fetched_epoch != kNoEpoch &&
                         (mine.epoch < fetch.last_fetched_epoch || mine.end < fetch.fetch_offset);
  if (diverging && rules().has(Rule::diverging_fetch_uncredited)) return;  // its offset is worth nothing
  if (!diverging && fetch.fetch_offset > replica->log.end()) return;       // out of range
  const sim::Time now = wall_clock();
  if (f->session != &session) {
    f->session = &session;
    f->seen_fetches = session.fetches;
  } else if (f->seen_fetches + 1 < session.fetches) {
    // Nothing was appended since its previous fetch (append_extent would have noted that): it saw the present end.
    f->leader_end_at_last_fetch = replica->log.end();
    f->last_fetch = session.fetch_before;
  }
  // Replica.updateFetchStateOrThrow
  if (fetch.fetch_offset >= replica->log.end()) {
    f->last_caught_up = now;
  } else if (f->ever_fetched && fetch.fetch_offset >= f->leader_end_at_last_fetch) {
    f->last_caught_up = std::max(f->last_caught_up, f->last_fetch);
  }
  f->ever_fetched = true;
  f->broker_epoch = session.replica_epoch;
  f->seen_fetches = session.fetches;
  f->leader_end_at_last_fetch = replica->log.end();
  f->last_fetch = now;
  const bool moved = f->log_end != fetch.fetch_offset;
  f->log_end = fetch.fetch_offset;
  if (!replica->in_maximal_isr(f->broker)) maybe_expand(*replica, *f);
  if (moved) advance_high_watermark(*replica);
}

namespace {

/// Model: brokers here have no threads that could overtake each other. Without Rule::one_high_watermark_read, a fetch that comes
/// so soon after the high watermark rose has read it before and after.
constexpr sim::Duration kBetweenReads = std::chrono::microseconds{20};

/// What a consumer needs to tell records from what is none (LogSegment.collectAbortedTxns).
void tell_transactions(const FetchSession& session, const Replica& replica, FetchedPartition& out,
                       FetchCall& call) {
  out.has_transactions = replica.producers.has_transactions();
  if (!out.has_transactions || !session.read_committed) return;
  out.first_aborted = static_cast<std::uint32_t>(call.aborted.size());
  replica.producers.aborted_in(out.base_offset, out.end_offset,
                               [&call](const ProducerStates::Transaction& t) {
                                 call.aborted.push_back({t.producer_id, t.first, t.marker});
                               });
  out.aborted = static_cast<std::uint32_t>(call.aborted.size()) - out.first_aborted;
}

}  // namespace

/// Followers and consumers without a rack read from leaders alone (FetchParams.fetchOnlyLeader).
/// Model: Kafka lets a follower serve any consumer that asks it; only those that were sent there do. A partition with
/// transactions is read from its leader: followers here keep no index of them.
bool Broker::may_serve(const FetchSession& session, const Replica* replica) {
  if (replica == nullptr) return false;
  if (replica->leads) return true;
  const bool sent_there = session.rack >= 0 && !session.follower();
  return sent_there && replica->leader != kNoBroker && !replica->shared->transactional;
}

/// How far this session may read of the partition.
Offset Broker::read_limit(const FetchSession& session, const Replica& replica) const {
  if (session.follower()) return replica.log.end();
  if (!session.read_committed) return replica.high_watermark;
  if (!rules().has(Rule::one_high_watermark_read)) {
    // UnifiedLog.fetchLastStableOffsetMetadata before 2.6: undecided records at or above the high watermark do not matter, and
    // then it is the high watermark that counts, which is another one by now.
    const sim::Duration ago = cluster_.context().now() - replica.high_watermark_rose_at;
    const bool overtaken = ago > sim::Duration{} && ago < kBetweenReads;
    if (overtaken && replica.producers.first_unstable() >= replica.high_watermark_before)
      return replica.high_watermark;
  }
  return replica.last_stable_offset();
}

bool Broker::has_news(const FetchSession& session, const FetchSession::Entry& entry,
                      const Replica* replica) const {
  if (!may_serve(session, replica) || !replica->in_epoch(entry.current_epoch)) return true;
  if (entry.offset > replica->log.end()) return true;
  if (is_remote(session, entry, *replica)) return false;  // not by waiting here
  const Offset limit = read_limit(session, *replica);
  const Survivors* survivors = replica->log.survivors();
  const bool in_gaps =
      survivors != nullptr && entry.offset < survivors->end() && entry.offset >= replica->log.start();
  if (in_gaps) return replica->log.read(entry.offset, limit, 1).end > entry.offset;
  return entry.offset < limit;
}

/// What of a range is left in a compacted log.
void tell_survivors(const Replica& replica, const ReadResult& read, FetchedPartition& out, FetchCall& call) {
  if (!read.gaps) return;
  out.gaps = true;
  out.first_batch = read.first_batch;
  out.first_survivor = static_cast<std::uint32_t>(call.survivors.size());
  const Survivors& survivors = *replica.log.survivors();
  for (std::size_t i = survivors.find(out.base_offset);
       i < survivors.runs().size() && survivors.runs()[i].from < out.end_offset; ++i) {
    Surviving run = survivors.runs()[i];
    run.from = std::max(run.from, out.base_offset);
    run.to = std::min(run.to, out.end_offset);
    call.survivors.push_back(run);
  }
  out.survivors = static_cast<std::uint32_t>(call.survivors.size()) - out.first_survivor;
}

bool Broker::enough(FetchSession& session) {
  std::int64_t bytes = 0;
  for (const std::uint32_t i : session.queued()) {
    const FetchSession::Entry& entry = session.entry(i);
    if (!entry.present) continue;
    const Replica* replica = replicas_[entry.partition.value];
    if (session.follower() && replica != nullptr && throttled(*replica, session.replica())) continue;
    if (!has_news(session, entry, replica)) {
      if (replica->leads && preferred_read_replica(session, *replica, entry.offset) != kNoBroker) return true;
      continue;
    }
    const bool plain = may_serve(session, replica) && replica->in_epoch(entry.current_epoch) &&
                       entry.offset <= replica->log.end() && entry.offset >= replica->log.start();
    if (!plain || session.waiting->min_bytes <= 1) return true;
    bytes += replica->log.read(entry.offset, read_limit(session, *replica), entry.max_bytes).bytes;
    if (bytes >= session.waiting->min_bytes) return true;
  }
  return false;
}

void Broker::answer_fetch(FetchSession& session) {
  if (session.remote.state == FetchSession::Remote::reading) gave_up_reading(session);
  Ref<FetchCall> call = std::move(session.waiting);
  std::int64_t room = std::min(call->max_bytes, config().fetch_max_bytes);  // KafkaApis.handleFetchRequest
  std::vector<std::uint32_t>& queue = session.queued();
  std::size_t kept = 0;
  std::int64_t bytes = 0;
  for (std::size_t n = 0; n < queue.size(); ++n) {
    const std::uint32_t i = queue[n];
    FetchSession::Entry& entry = session.entry(i);
    const std::int64_t room_before = room;
    if (entry.present && !serve_entry(session, entry, room, *call)) {
      queue[kept++] = i;  // no room left: first in line next time
      continue;
    }
    bytes += room_before - room;
    entry.queued = false;
  }
  queue.resize(kept);
  call->response_bytes = static_cast<std::uint32_t>(kEmptyFetchBytes + bytes +
                                                    40 * static_cast<std::int64_t>(call->fetched.size()));
  if (quotas_.any() && !session.follower()) {
    call->throttle = quotas_.fetched(session.client(), call->response_bytes, call->service);
    if (call->throttle > sim::Duration{} && rules().has(Rule::answer_before_throttling))
      take_back(session, *call);
  }
  answer(std::move(call));
}

/// A throttled client gets nothing, and its session is as it was (FetchContext.getThrottledResponse).
void Broker::take_back(FetchSession& session, FetchCall& call) {
  for (const FetchedPartition& fetched : call.fetched) {
    const std::uint32_t i = session.index_of(fetched.partition);
    session.entry(i).sent_high_watermark = kNoOffset;
    session.queue(i);
  }
  call.fetched.clear();
  call.survivors.clear();
  call.response_bytes = kEmptyFetchBytes;
}

/// A follower whose disk was lost asks for what the cleaner has let go.
/// Model: of internal topics it begins where what is left does, as behind deleted records; Kafka's copies the newest of each key.
Offset Broker::left_from(const Replica& replica, Offset offset) const {
  const bool cleaned = cluster_.topic_of(replica.partition).internal && offset >= replica.log.start() &&
                       offset < replica.log.end();
  return cleaned ? replica.log.kept_from(offset) : replica.log.start();
}

bool Broker::serve_entry(FetchSession& session, FetchSession::Entry& entry, std::int64_t& room,
                         FetchCall& call) {
  Replica* replica = replicas_[entry.partition.value];
  FetchedPartition out{.partition = entry.partition,
                       .asked_epoch = entry.current_epoch,
                       .base_offset = entry.offset,
                       .end_offset = entry.offset};
  if (!may_serve(session, replica)) {
    out.error = ErrorCode::not_leader_or_follower;
    out.current_leader = hint(entry.partition);
  } else if (entry.current_epoch != kNoEpoch && entry.current_epoch < replica->leader_epoch) {
    out.error = ErrorCode::fenced_leader_epoch;
    out.current_leader = {replica->leader,
                          rules().has(Rule::leader_hints) ? replica->leader_epoch : kNoEpoch};
  } else if (entry.current_epoch > replica->leader_epoch) {
    out.error = ErrorCode::unknown_leader_epoch;
  } else {
    const EpochEnd mine = replica->log.end_of(entry.last_epoch);
    out.high_watermark = replica->high_watermark;
    out.log_start = replica->log.start();
    if (entry.last_epoch != kNoEpoch && (mine.epoch < entry.last_epoch || mine.end < entry.offset)) {
      out.diverging_epoch = mine.epoch;
      out.diverging_end = mine.end;
    } else if (entry.offset > replica->log.end() || entry.offset < replica->log.start()) {
      out.error = ErrorCode::offset_out_of_range;
      out.log_end = replica->log.end();
    } else if (session.follower() && left_from(*replica, entry.offset) > entry.offset) {
      out.error = ErrorCode::offset_out_of_range;
      out.log_start = left_from(*replica, entry.offset);
      out.log_end = replica->log.end();
    } else if (const BrokerId other = preferred_read_replica(session, *replica, entry.offset);
               other != kNoBroker) {
      out.preferred_read_replica = other;
    } else if (entry.offset < replica->disk.local_start && session.follower()) {
      out.error = ErrorCode::offset_moved_to_tiered_storage;
      out.log_end = replica->disk.local_start;
      out.last_epoch = replica->log.epoch_at(out.log_end - 1);
    } else if (is_remote(session, entry, *replica) && !session.has_read(entry)) {
      return false;  // in another fetch
    } else if (is_remote(session, entry, *replica) && session.remote.error != ErrorCode::none) {
      out.error = session.remote.error;
      out.log_end = replica->log.end();
    } else {
      const Offset limit =
          is_remote(session, entry, *replica) ? session.remote.end : read_limit(session, *replica);
      if (entry.offset < limit && room <= 0) return false;
      const bool slowed = session.follower() && throttled(*replica, session.replica());
      if (slowed) return false;
      const ReadResult read =
          replica->log.read(entry.offset, limit, std::min<std::int64_t>(entry.max_bytes, room));
      out.end_offset = read.end;
      out.bytes = read.bytes;
      out.last_epoch = read.epoch;
      tell_survivors(*replica, read, out, call);
      room -= read.bytes;
      if (session.follower())
        count_reassigned(*replica, session.replica(), read.bytes);
      else
        tell_transactions(session, *replica, out, call);
      if (Follower* f = session.follower() ? replica->follower(session.replica()) : nullptr)
        f->sent_end = read.end;
      // FetchSession.CachedPartition.maybeUpdateResponseData
      if (out.end_offset == out.base_offset && entry.sent_high_watermark == out.high_watermark &&
          entry.sent_log_start == out.log_start)
        return true;
      entry.sent_high_watermark = out.high_watermark;
      entry.sent_log_start = out.log_start;
    }
  }
  call.fetched.push_back(out);
  return true;
}

/// Where a consumer had better read: the most caught-up in-sync replica in its rack, unless the leader is there
/// (ReplicaManager.findPreferredReadReplica, RackAwareReplicaSelector.java).
BrokerId Broker::preferred_read_replica(const FetchSession& session, const Replica& replica,
                                        Offset offset) const {
  const bool asks =
      session.rack >= 0 && !session.follower() && replica.leads && !replica.shared->transactional;
  if (!asks || !cluster_.options().config.rack_aware_replica_selector) return kNoBroker;
  if (!rules().has(Rule::fetch_from_followers)) return kNoBroker;
  if (cluster_.rack_of(id_) == session.rack) return kNoBroker;
  const Follower* best = nullptr;
  for (const Follower& f : replica.followers) {
    if (cluster_.rack_of(f.broker) != session.rack || !replica.in_sync(f.broker) || f.log_end < offset)
      continue;
    const auto rank = [](const Follower& one) {
      return std::tuple(one.log_end, one.last_caught_up, one.broker);
    };
    if (best == nullptr || rank(f) > rank(*best)) best = &f;
  }
  return best == nullptr ? kNoBroker : best->broker;
}

/// This follower is being added, and what this broker sends to such has reached its bound
/// (ReplicaManager.shouldLeaderThrottle; leader.replication.throttled.rate).
/// Model: leaders are throttled; Kafka's tool sets the same bound for the followers, too.
bool Broker::throttled(const Replica& replica, BrokerId follower) {
  const double bound = throttle_of(replica, follower);
  return bound > 0 && reassignment_bytes_.per_second(context().now()) > bound;
}

double Broker::throttle_of(const Replica& replica, BrokerId follower) const {
  const PartitionState& state = image(replica.partition);
  if (!state.moved || replica.in_sync(follower)) return 0;
  const std::vector<BrokerId>& adding = state.moved->adding;
  return std::find(adding.begin(), adding.end(), follower) == adding.end() ? 0 : state.moved->throttle;
}

void Broker::count_reassigned(const Replica& replica, BrokerId follower, std::int64_t bytes) {
  if (bytes == 0 || throttle_of(replica, follower) <= 0) return;
  reassignment_bytes_.record(static_cast<double>(bytes), context().now());
}

void Broker::wake(Replica& replica, bool followers) {
  if (shares_ && !followers && replica.leads) shares_->readable(replica.partition);
  for (const Watcher& watcher : replica.watchers) {
    FetchSession& session = *watcher.session;
    if (session.follower() != followers) {
      // A new high watermark is worth telling a follower, but not worth waking it for.
      if (session.follower()) session.queue(watcher.entry);
      continue;
    }
    rouse(session);
    session.queue(watcher.entry);
    const bool waits = session.waiting && session.remote.state != FetchSession::Remote::reading;
    if (waits && (session.waiting->min_bytes <= 1 || enough(session))) answer_fetch(session);
  }
}

void Broker::expire_fetches() {
  const sim::Time now = context().now();
  sim::Time next = sim::kNever;
  std::size_t kept = 0;
  for (std::size_t n = 0; n < fetch_purgatory_.size(); ++n) {
    FetchSession* session = fetch_purgatory_[n];
    if (session->waiting && session->deadline <= now && !rest(*session)) answer_fetch(*session);
    if ((!session->waiting || session->resting) && session->deadline <= now) {
      session->in_purgatory = false;
      continue;
    }
    fetch_purgatory_[kept++] = session;
    next = std::min(next, std::max(session->deadline, now + sim::Duration{1}));
  }
  fetch_purgatory_.resize(kept);
  if (next != sim::kNever) fetch_timer_.arm_at(next);
}

void Broker::handle_list_offsets(Ref<ListOffsetsCall> call) {
  for (ListOffsetsCall::Item& item : call->items) {
    const Replica* replica = replicas_[item.partition.value];
    if (replica == nullptr || !replica->leads) {
      item.error = ErrorCode::not_leader_or_follower;
    } else if (item.current_leader_epoch != kNoEpoch && item.current_leader_epoch < replica->leader_epoch) {
      item.error = ErrorCode::fenced_leader_epoch;
    } else if (item.current_leader_epoch > replica->leader_epoch) {
      item.error = ErrorCode::unknown_leader_epoch;
    } else if (item.spec == OffsetSpec::earliest) {
      item.offset = replica->log.start();
    } else if (const auto latest = replica->latest_offset(item.read_committed)) {
      item.offset = item.spec == OffsetSpec::timestamp
                        ? std::min(*latest, replica->log.first_younger(item.timestamp))
                        : *latest;
    } else {
      item.error = ErrorCode::offset_not_available;
    }
  }
  answer(std::move(call));
}

void Broker::handle_epoch_ends(Ref<OffsetForLeaderEpochCall> call) {
  for (OffsetForLeaderEpochCall::Item& item : call->items) {
    const Replica* replica = replicas_[item.partition.value];
    if (replica == nullptr || !replica->leads) {
      item.error = ErrorCode::not_leader_or_follower;
      continue;
    }
    if (!replica->speaks_in(item.current_leader_epoch)) {
      item.error = item.current_leader_epoch < replica->leader_epoch ? ErrorCode::fenced_leader_epoch
                                                                     : ErrorCode::unknown_leader_epoch;
      continue;
    }
    const EpochEnd end = replica->log.end_of(item.epoch);
    item.end_epoch = end.epoch;
    item.end_offset = end.end;
  }
  answer(std::move(call));
}

}  // namespace models::kafka
