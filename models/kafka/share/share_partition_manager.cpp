#include "models/kafka/share/share_partition_manager.hpp"

#include <algorithm>

#include "models/kafka/broker/broker.hpp"
#include "models/network/network.hpp"

namespace models::kafka {
namespace {

/// A read's token is odd, a write's even.
constexpr std::uint64_t kRead = 1;

SharePartition::Options options_of(const BrokerConfig& broker, const ShareGroupConfig& group) {
  return {group.partition_max_record_locks.value_or(broker.group_share_partition_max_record_locks),
          group.delivery_count_limit.value_or(broker.group_share_delivery_count_limit),
          group.record_lock_duration.value_or(broker.group_share_record_lock_duration)};
}

}  // namespace

SharePartitionManager::Entry::Entry(Broker& broker, SharePartitionManager& manager, const ShareKey& of,
                                    LeaderEpoch leader_epoch, const SharePartition::Options& options,
                                    std::uint64_t number)
    : key(of),
      epoch(leader_epoch),
      id(number),
      records(options),
      locks(broker.context().simulation, broker.node(), [&manager, this] { manager.locks_due(*this); }) {}

SharePartitionManager::Session::Session(Broker& broker, SharePartitionManager& manager, EntityId of,
                                        ShareMember who)
    : group(of),
      member(who),
      deadline(broker.context().simulation, broker.node(), [&manager, this] { manager.complete(*this); }) {}

SharePartitionManager::SharePartitionManager(Broker& broker)
    : broker_(broker),
      cluster_(broker.cluster()),
      persister_(
          cluster_, broker.node(), [&broker](PartitionIndex p) { return broker.leader(p); },
          [this](Ref<ShareGroupStateCall> call) { stored(std::move(call)); }),
      entries_(cluster_.partitions().size()) {}

SharePartitionManager::~SharePartitionManager() = default;

void SharePartitionManager::crashed() {
  for (auto& all : entries_) all.clear();
  sessions_.clear();
  writes_.clear();
  persister_.crashed();
}

// ---- sessions -----------------------------------------------------------------------------------------------------

/// Null with call.error set. SharePartitionManager.newContext, acknowledgeSessionUpdate
template <class Call>
SharePartitionManager::Session* SharePartitionManager::session_of(Call& call) {
  const SessionKey key{call.group, call.member};
  const auto found = sessions_.find(key);
  if (call.session_epoch == kInitialShareEpoch) {
    if (!call.acknowledgements.empty()) {
      call.error = ErrorCode::invalid_request;
      return nullptr;
    }
    if (found != sessions_.end()) {
      stop_waiting(*found->second);
      sessions_.erase(found);
    }
    if (sessions_.size() >= static_cast<std::size_t>(broker_.config().group_share_max_share_sessions)) {
      call.error = ErrorCode::share_session_limit_reached;
      return nullptr;
    }
    broker_.context().network.watch_client(call.connection, [this, key] {
      broker_.node().run_or_hold([this, key] { end_session(key.first, key.second); });
    });
    auto made = std::make_unique<Session>(broker_, *this, call.group, call.member);
    return sessions_.emplace(key, std::move(made)).first->second.get();
  }
  if (found == sessions_.end()) {
    call.error = ErrorCode::share_session_not_found;
    return nullptr;
  }
  if (call.session_epoch == kFinalShareEpoch) return found->second.get();
  if (call.session_epoch != found->second->epoch) {
    call.error = ErrorCode::invalid_share_session_epoch;
    return nullptr;
  }
  ++found->second->epoch;
  return found->second.get();
}

void SharePartitionManager::update(Session& session, const ShareFetchCall& call) {
  for (const PartitionIndex p : call.forgotten) std::erase(session.partitions, p);
  for (const PartitionIndex p : call.added) {
    if (std::find(session.partitions.begin(), session.partitions.end(), p) == session.partitions.end())
      session.partitions.push_back(p);
  }
}

/// What the member still holds is available again (SharePartitionManager.releaseSession).
void SharePartitionManager::end_session(EntityId group, ShareMember member) {
  const auto found = sessions_.find({group, member});
  if (found == sessions_.end()) return;
  stop_waiting(*found->second);
  sessions_.erase(found);
  for (const auto& all : entries_) {
    for (const auto& one : all) {
      if (one->key.group != group || !one->active) continue;
      changes_.clear();
      one->records.release(member, changes_);
      if (!changes_.empty()) write(*one, changes_, true);
    }
  }
}

// ---- partitions ---------------------------------------------------------------------------------------------------

SharePartitionManager::Entry* SharePartitionManager::entry(EntityId group, PartitionIndex p) const {
  for (const auto& one : entries_[p.value]) {
    if (one->key.group == group) return one.get();
  }
  return nullptr;
}

const SharePartition* SharePartitionManager::find(const ShareKey& key) const {
  const Entry* const found = entry(key.group, key.partition);
  return found == nullptr || !found->active ? nullptr : &found->records;
}

void SharePartitionManager::ensure_entry(EntityId group, PartitionIndex p) {
  const Replica* const replica = broker_.replica(p);
  if (replica == nullptr || !replica->leads || entry(group, p) != nullptr) return;
  const ShareGroupConfig* const config = cluster_.share_group(group);
  if (config == nullptr) return;
  const std::uint64_t number = 2 * next_number_++;
  entries_[p.value].push_back(std::make_unique<Entry>(broker_, *this, ShareKey{group, p},
                                                      replica->leader_epoch,
                                                      options_of(broker_.config(), *config), number));
  persister_.read({group, p}, replica->leader_epoch, number | kRead);
}

void SharePartitionManager::stored(Ref<ShareGroupStateCall> call) {
  if ((call->token & kRead) != 0) {
    Entry* const asked = entry(call->group, call->partition);
    if (asked != nullptr && asked->id == (call->token & ~kRead)) loaded(*asked, *call);
    return;
  }
  for (const auto& one : writes_) {
    if (one->token == call->token) return written(*one, call->error);
  }
}

void SharePartitionManager::loaded(Entry& entry, ShareGroupStateCall& call) {
  // Whoever waits asks again, and it is tried once more.
  if (call.error != ErrorCode::none || !begin_at_reset(entry, call.state)) return drop(entry);
  entry.records.initialize(call.state);
  entry.active = true;
  const Replica& replica = *broker_.replica(entry.key.partition);
  if (entry.records.start_offset() < replica.log.start()) entry.records.log_start_moved(replica.log.start());
  if (entry.records.start_offset() > replica.log.end()) {
    // The log has lost what the group had read. Its fetches are out of range until the log is as long again, and what is
    // written up to there it never gets (ShareFetchUtils.processFetchResponse, SharePartition.updateCacheAndOffsets: the start
    // only rises).
    tell_start(entry, entry.records.start_offset(), ResetCode::committed);
  }
  wake(entry);
}

/// A group that comes for the first time (startOffsetDuringInitialization). False while the end of the log is unknown.
bool SharePartitionManager::begin_at_reset(Entry& entry, ShareGroupState& state) {
  if (state.start_offset != kNoOffset) return true;
  const Replica& replica = *broker_.replica(entry.key.partition);
  const ShareGroupConfig& config = *cluster_.share_group(entry.key.group);
  const bool latest = config.auto_offset_reset == AutoOffsetReset::latest;
  const bool by_duration = config.auto_offset_reset == AutoOffsetReset::by_duration;
  const std::optional<Offset> end = replica.latest_offset(config.read_committed);
  if ((latest || by_duration) && !end) return false;
  state.start_offset = latest ? *end : replica.log.start();
  ResetCode why = latest ? ResetCode::latest : ResetCode::earliest;
  if (by_duration) {
    // ShareFetchUtils.offsetForTimestamp, by the broker's clock
    const sim::Time since = broker_.context().now() + broker_.node().clock_ahead() - config.reset_duration;
    state.start_offset = std::min(*end, replica.log.first_younger(since));
    why = ResetCode::by_duration;
  }
  tell_start(entry, state.start_offset, why);
  return true;
}

void SharePartitionManager::tell_start(const Entry& entry, Offset start, ResetCode why) {
  broker_.context().emit(Kind::position, {.code = static_cast<std::uint16_t>(why),
                                          .actor = broker_.node().entity().value,
                                          .place = cluster_.partition(entry.key.partition).entity.value,
                                          .peer = entry.key.group.value,
                                          .a = start,
                                          .b = kNoOffset});
}

void SharePartitionManager::drop(Entry& entry) {
  const std::vector<Session*> waiting = entry.waiting;
  auto& all = entries_[entry.key.partition.value];
  std::erase_if(all, [&entry](const auto& one) { return one.get() == &entry; });
  for (Session* const session : waiting) {
    if (session->waiting && ready(*session)) complete(*session);
  }
}

void SharePartitionManager::role_changed(PartitionIndex p) {
  const Replica* const replica = broker_.replica(p);
  for (std::size_t i = entries_[p.value].size(); i-- > 0;) {
    Entry& one = *entries_[p.value][i];
    if (replica == nullptr || !replica->leads || replica->leader_epoch != one.epoch) drop(one);
  }
}

void SharePartitionManager::readable(PartitionIndex p) {
  for (const auto& one : entries_[p.value]) wake(*one);
}

/// A timer for the earliest of them; what has been acknowledged meanwhile is found when it fires.
void SharePartitionManager::watch_locks(Entry& entry) {
  if (entry.locks.armed()) return;
  const sim::Time next = entry.records.next_deadline();
  if (next != sim::kNever) entry.locks.arm_at(std::max(next, broker_.context().now()));
}

void SharePartitionManager::locks_due(Entry& entry) {
  changes_.clear();
  entry.records.expire(broker_.context().now(), changes_);
  if (!changes_.empty()) {
    tell_archived(entry.key, changes_);
    write(entry, changes_, false);
  }
  watch_locks(entry);
  wake(entry);
}

/// The start may move, and with it the window.
void SharePartitionManager::changed(Entry& entry) {
  advance(entry);
  wake(entry);
}

void SharePartitionManager::advance(Entry& entry) {
  const Offset before = entry.records.start_offset();
  if (entry.records.advance_start()) {
    broker_.context().emit(Kind::committed, {.actor = broker_.node().entity().value,
                                             .place = cluster_.partition(entry.key.partition).entity.value,
                                             .peer = entry.key.group.value,
                                             .a = entry.records.start_offset(),
                                             .b = before});
  }
}

// ---- acknowledgements ---------------------------------------------------------------------------------------------

template <class Call>
SharePartitionResult& SharePartitionManager::result(Call& call, PartitionIndex p) {
  for (SharePartitionResult& one : call.results) {
    if (one.partition == p) return one;
  }
  return call.results.emplace_back(SharePartitionResult{.partition = p});
}

template <class Call>
void SharePartitionManager::acknowledge(const Ref<Call>& call) {
  const std::vector<AcknowledgementBatch>& all = call->acknowledgements;
  for (std::size_t first = 0, end = 0; first < all.size(); first = end) {
    const PartitionIndex p = all[first].partition;
    while (end < all.size() && all[end].partition == p) ++end;
    Entry* const found = entry(call->group, p);
    if (found == nullptr || !found->active) {
      const Replica* const replica = broker_.replica(p);
      const bool leads = replica != nullptr && replica->leads;
      result(*call, p).acknowledge_error =
          leads ? ErrorCode::unknown_topic_or_partition : ErrorCode::not_leader_or_follower;
      continue;
    }
    changes_.clear();
    const std::span said = std::span(all).subspan(first, end - first);
    const bool renews = std::any_of(said.begin(), said.end(), [](const AcknowledgementBatch& batch) {
      return batch.type == AcknowledgeType::renew;
    });
    const bool may = !renews || cluster_.share_group(call->group)->renew_acknowledge_enable;
    const ErrorCode error =
        may ? found->records.acknowledge(call->member, said, broker_.context().now(), changes_)
            : ErrorCode::invalid_request;
    if (error != ErrorCode::none) {
      result(*call, p).acknowledge_error = error;
    } else if (!changes_.empty()) {
      ++call->awaiting;
      Write& made = write(*found, changes_, true);
      if constexpr (std::is_same_v<Call, ShareFetchCall>)
        made.fetch = call;
      else
        made.acknowledge = call;
    }
  }
}

SharePartitionManager::Write& SharePartitionManager::write(Entry& entry,
                                                           std::vector<ShareStateBatch>& changes,
                                                           bool transition) {
  auto free = std::find_if(writes_.begin(), writes_.end(), [](const auto& one) { return one->token == 0; });
  if (free == writes_.end()) free = writes_.insert(writes_.end(), std::make_unique<Write>());
  Write& made = **free;
  made.token = 2 * next_number_++;
  made.entry = entry.id;
  made.key = entry.key;
  made.changes.assign(changes.begin(), changes.end());
  made.transition = transition;
  persister_.write(entry.key, entry.epoch, entry.records.start_offset(), made.changes, made.token);
  return made;
}

void SharePartitionManager::written(Write& write, ErrorCode error) {
  write.token = 0;
  Ref<ShareFetchCall> fetch = std::move(write.fetch);
  Ref<ShareAcknowledgeCall> acknowledge = std::move(write.acknowledge);
  const PartitionIndex p = write.key.partition;
  Entry* const found = entry(write.key.group, p);
  const bool here = found != nullptr && found->id == write.entry;
  if (here && write.transition) {
    changes_.clear();
    found->records.complete(write.changes, error == ErrorCode::none, broker_.context().now(), &changes_);
    // Kafka stores nothing of what a rollback archives: another leader, which has not heard of it, delivers it again.
    tell_archived(write.key, error == ErrorCode::none ? write.changes : changes_);
    watch_locks(*found);
  }
  // A newer leader has begun (fetchPersisterError).
  const ErrorCode told = error == ErrorCode::fenced_leader_epoch ? ErrorCode::not_leader_or_follower : error;
  const ErrorCode answer = here ? told : ErrorCode::not_leader_or_follower;
  if (here) changed(*found);
  if (fetch) settle(std::move(fetch), p, answer);
  if (acknowledge) settle(std::move(acknowledge), p, answer);
}

/// Each request tells of a leader where its own error says that this broker is none: a fetch that of the fetch
/// (KafkaApis.processShareAcknowledgeResponse, handleShareFetchRequest).
template <class Call>
void SharePartitionManager::answer(Ref<Call> call) {
  for (SharePartitionResult& one : call->results) {
    const ErrorCode error = std::is_same_v<Call, ShareFetchCall> ? one.error : one.acknowledge_error;
    if (error == ErrorCode::not_leader_or_follower) one.current_leader = broker_.hint(one.partition);
  }
  broker_.answer(AnyCall(std::move(call)));
}

template <class Call>
void SharePartitionManager::settle(Ref<Call> call, PartitionIndex p, ErrorCode error) {
  if (error != ErrorCode::none) result(*call, p).acknowledge_error = error;
  --call->awaiting;
  if constexpr (std::is_same_v<Call, ShareFetchCall>) {
    maybe_answer(std::move(call));
  } else if (call->awaiting == 0) {
    answer(std::move(call));
  }
}

void SharePartitionManager::tell_archived(const ShareKey& key, const std::vector<ShareStateBatch>& changes) {
  for (const ShareStateBatch& batch : changes) {
    if (batch.state != ShareRecordState::archived) continue;
    broker_.context().emit(Kind::archived, {.actor = broker_.node().entity().value,
                                            .place = cluster_.partition(key.partition).entity.value,
                                            .peer = key.group.value,
                                            .a = batch.first,
                                            .b = batch.end - batch.first,
                                            .c = batch.delivery_count});
  }
}

void SharePartitionManager::receive(Ref<ShareAcknowledgeCall> call) {
  // ShareAcknowledge opens no session (acknowledgeSessionUpdate).
  if (call->session_epoch == kInitialShareEpoch)
    call->error = ErrorCode::invalid_share_session_epoch;
  else
    static_cast<void>(session_of(*call));
  if (call->error != ErrorCode::none) return broker_.answer(AnyCall(std::move(call)));
  call->awaiting = 1;
  acknowledge(call);
  if (call->session_epoch == kFinalShareEpoch) end_session(call->group, call->member);
  if (--call->awaiting == 0) answer(std::move(call));
}

// ---- fetches ------------------------------------------------------------------------------------------------------

void SharePartitionManager::receive(Ref<ShareFetchCall> call) {
  Session* const session = session_of(*call);
  if (session == nullptr) return broker_.answer(AnyCall(std::move(call)));
  update(*session, *call);
  for (const PartitionIndex p : session->partitions) ensure_entry(call->group, p);
  acknowledge(call);
  if (call->session_epoch == kFinalShareEpoch || call->max_records == 0 || session->partitions.empty()) {
    if (call->session_epoch == kFinalShareEpoch) end_session(call->group, call->member);
    call->fetched = true;
    return maybe_answer(std::move(call));
  }
  const sim::Duration max_wait = call->max_wait;
  session->waiting = std::move(call);
  if (ready(*session) || max_wait <= sim::Duration{}) return complete(*session);
  wait(*session);
  session->deadline.arm_after(max_wait);
}

void SharePartitionManager::wait(Session& session) {
  for (const PartitionIndex p : session.partitions) {
    if (Entry* const one = entry(session.group, p)) one->waiting.push_back(&session);
  }
}

void SharePartitionManager::stop_waiting(Session& session) {
  session.deadline.disarm();
  for (const PartitionIndex p : session.partitions) {
    if (Entry* const one = entry(session.group, p)) std::erase(one->waiting, &session);
  }
}

Offset SharePartitionManager::limit(const Entry& entry, const Replica& replica) const {
  return cluster_.share_group(entry.key.group)->read_committed ? replica.last_stable_offset()
                                                               : replica.high_watermark;
}

/// Offsets [from, to) can be read, and something of them acquired.
bool SharePartitionManager::has_news(Entry& entry, Offset& from, Offset& to) {
  if (!entry.active) return false;
  const Replica& replica = *broker_.replica(entry.key.partition);
  if (entry.records.start_offset() < replica.log.start()) entry.records.log_start_moved(replica.log.start());
  if (!entry.records.can_acquire()) return false;
  from = entry.records.next_fetch_offset();
  to = limit(entry, replica);
  if (from >= to) return false;
  // Compaction may have left nothing there, as far as it may be read yet.
  const Survivors* const survivors = replica.log.survivors();
  return survivors == nullptr || from >= survivors->end() || replica.log.read(from, to, 1).end > from;
}

bool SharePartitionManager::ready(Session& session) {
  const ShareFetchCall& call = *session.waiting;
  std::int64_t bytes = 0;
  bool led = false;
  for (const PartitionIndex p : session.partitions) {
    Entry* const one = entry(session.group, p);
    led |= one != nullptr;
    Offset from = 0, to = 0;
    if (one == nullptr || !has_news(*one, from, to)) continue;
    if (call.min_bytes <= 1) return true;
    bytes += broker_.replica(p)->log.read(from, to, call.max_bytes).bytes;
    if (bytes >= call.min_bytes) return true;
  }
  return !led;
}

void SharePartitionManager::complete(Session& session) {
  stop_waiting(session);
  Ref<ShareFetchCall> call = std::move(session.waiting);
  const std::size_t count = session.partitions.size();
  const std::int64_t room =
      std::max<std::int64_t>(1, call->max_bytes / static_cast<std::int64_t>(count));  // UNIFORM
  std::int64_t left = call->max_records;
  for (std::size_t i = 0; i < count; ++i) {
    // PartitionRotateStrategy.ROUND_ROBIN, by the session's epoch
    const std::size_t turn = (i + static_cast<std::size_t>(session.epoch)) % count;
    const PartitionIndex p = session.partitions[turn];
    Entry* const one = entry(session.group, p);
    if (one == nullptr)
      result(*call, p).error = ErrorCode::not_leader_or_follower;
    else if (left > 0)
      fetch(*one, *call, left, room);
  }
  call->fetched = true;
  maybe_answer(std::move(call));
}

void SharePartitionManager::fetch(Entry& entry, ShareFetchCall& call, std::int64_t& left, std::int64_t room) {
  Offset from = 0, to = 0;
  if (!has_news(entry, from, to)) return;
  const ReplicaLog& log = broker_.replica(entry.key.partition)->log;
  const ReadResult read = log.read(from, to, room);
  list_batches(log, from, read);
  if (batches_.empty()) return;
  if (from < batches_.front().base) tell_gap(entry, from, batches_.front().base);
  const std::size_t before = call.acquired.size();
  left -= entry.records.acquire({.member = call.member,
                                 .mode = call.mode,
                                 .batch_size = call.batch_size,
                                 .max_records = static_cast<std::int32_t>(left),
                                 .fetch_offset = from},
                                batches_, broker_.context().now(), call.acquired);
  for (std::size_t i = before; i < call.acquired.size(); ++i) {
    call.acquired[i].partition = entry.key.partition;
    call.acquired[i].epoch = read.epoch;
    call.acquired[i].gaps = read.gaps;
  }
  if (read.gaps && call.acquired.size() > before) tell_survivors(entry, call, from, read.end);
  if (from < batches_.front().base) advance(entry);
  if (cluster_.share_group(entry.key.group)->read_committed)
    leave_out_aborted(entry, call, before, from, read.end);
  if (call.acquired.size() > before) call.response_bytes += static_cast<std::uint32_t>(read.bytes);
  watch_locks(entry);
}

/// The batches of what was read. Compaction takes whole ones, and leaves the others their first and last offsets.
void SharePartitionManager::list_batches(const ReplicaLog& log, Offset from, const ReadResult& read) {
  batches_.clear();
  log.for_each_held(from, read.end, [this](const Extent& batch, Offset, Offset, sim::Time) {
    if (batches_.empty() || batches_.back().base != batch.base) batches_.push_back({batch.base, batch.end()});
  });
  // Nothing but the header of one.
  if (batches_.empty() && from < read.end) batches_.push_back({read.first_batch, read.end});
  if (!batches_.empty()) batches_.back().end = std::min(batches_.back().end, read.end);
}

void SharePartitionManager::tell_survivors(const Entry& entry, ShareFetchCall& call, Offset from,
                                           Offset end) {
  const PartitionIndex p = entry.key.partition;
  broker_.replica(p)->log.for_each_held(from, end, [&](const Extent&, Offset first, Offset stop, sim::Time) {
    call.survivors.emplace_back(p, Surviving{.from = first, .to = stop});
  });
}

/// Compaction has removed what lay there, and no member will hear of it.
void SharePartitionManager::tell_gap(const Entry& entry, Offset from, Offset end) {
  broker_.context().emit(Kind::left_out, {.code = kCompactedAway,
                                          .actor = broker_.node().entity().value,
                                          .place = cluster_.partition(entry.key.partition).entity.value,
                                          .peer = entry.key.group.value,
                                          .a = from,
                                          .b = end - from});
}

/// share.isolation.level=read_committed: what was aborted is archived, and nobody gets it.
void SharePartitionManager::leave_out_aborted(Entry& entry, ShareFetchCall& call, std::size_t first,
                                              Offset from, Offset to) {
  const Replica& replica = *broker_.replica(entry.key.partition);
  if (!replica.producers.has_transactions()) return;
  std::vector<AcquiredRecords>& all = call.acquired;
  replica.producers.aborted_in(from, to, [&](const ProducerStates::Transaction& t) {
    const auto leave_out = [&](const Extent& batch, Offset, Offset, sim::Time) {
      if (batch.producer_id != t.producer_id || batch.kind != BatchKind::transactional) return;
      entry.records.archive(call.member, batch.base, batch.end());
      for (std::size_t i = first; i < all.size(); ++i) {
        const AcquiredRecords whole = all[i];
        if (whole.end <= batch.base || whole.first >= batch.end()) continue;
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        for (const auto& [a, b] : {std::pair{whole.first, batch.base}, std::pair{batch.end(), whole.end}}) {
          if (a >= b) continue;
          AcquiredRecords part = whole;
          part.first = a;
          part.end = b;
          all.insert(all.begin() + static_cast<std::ptrdiff_t>(i++), part);
        }
        --i;
      }
    };
    replica.log.for_each_held(std::max(from, t.first), std::min(to, t.marker), leave_out);
  });
  advance(entry);
}

void SharePartitionManager::wake(Entry& entry) {
  Offset from = 0, to = 0;
  for (std::size_t i = 0; i < entry.waiting.size() && has_news(entry, from, to);) {
    Session& session = *entry.waiting[i];
    if (ready(session))
      complete(session);
    else
      ++i;
  }
}

void SharePartitionManager::maybe_answer(Ref<ShareFetchCall> call) {
  if (!call->fetched || call->awaiting > 0) return;
  call->response_bytes += static_cast<std::uint32_t>(40 * call->acquired.size());
  answer(std::move(call));
}

}  // namespace models::kafka
