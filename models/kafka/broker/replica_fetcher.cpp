#include "models/kafka/broker/replica_fetcher.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/broker/broker.hpp"

namespace models::kafka {
namespace {

/// Of a fetcher's number in its name: there are fewer entities.
constexpr unsigned kNumberShift = 22;

}  // namespace

ReplicaFetcher::ReplicaFetcher(Broker& broker, BrokerId source, std::int32_t number)
    : broker_(broker),
      name_{broker.node().entity().value + (static_cast<std::uint32_t>(number) << kNumberShift)},
      channel_(broker.cluster(), broker.node(), source, {}),
      retry_timer_(broker.context().simulation, broker.node(), [this] { send(); }),
      write_timer_(broker.context().simulation, broker.node(), [this] { disk_goes_on(); }) {}

ReplicaFetcher::Entry* ReplicaFetcher::find(PartitionIndex p) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), p,
                                   [](const Entry& e, PartitionIndex q) { return e.replica->partition < q; });
  return at != entries_.end() && at->replica->partition == p ? &*at : nullptr;
}

void ReplicaFetcher::add(Replica& replica) {
  // Before KIP-101 as part of becoming a follower, without a word to the leader (ReplicaManager.makeFollowers in 0.10).
  const bool by_epoch = broker_.rules().has(Rule::leader_epoch_truncation);
  if (!by_epoch) replica.truncate(replica.high_watermark);
  const bool truncating = by_epoch && !broker_.rules().has(Rule::truncation_on_fetch);
  if (Entry* entry = find(replica.partition)) {
    change(*entry);
    entry->delayed_until = {};
    entry->truncating = truncating;
  } else {
    const auto at =
        std::lower_bound(entries_.begin(), entries_.end(), replica.partition,
                         [](const Entry& e, PartitionIndex q) { return e.replica->partition < q; });
    change(*entries_.insert(at, {.replica = &replica, .truncating = truncating}));
    std::erase(forgotten_, replica.partition);
  }
  if (!in_flight_ && !retry_timer_.armed()) retry_timer_.arm_after({});
}

void ReplicaFetcher::remove(PartitionIndex p) {
  const Entry* entry = find(p);
  if (entry == nullptr) return;
  if (entry->known) forgotten_.push_back(p);
  entries_.erase(entries_.begin() + (entry - entries_.data()));
}

void ReplicaFetcher::stop() {
  channel_.abandon();
  entries_.clear();
  changed_.clear();
  forgotten_.clear();
  session_ = 0;
  in_flight_ = false;
  held_ = {};
  backing_off_until_ = {};
  retry_timer_.disarm();
  write_timer_.disarm();
}

void ReplicaFetcher::restart_session() {
  session_ = 0;
  forgotten_.clear();
  for (Entry& entry : entries_) {
    change(entry);
    entry.known = false;
  }
}

void ReplicaFetcher::send() {
  if (in_flight_ || entries_.empty()) return;
  const sim::Time now = broker_.context().now();
  if (now < backing_off_until_) return retry_timer_.arm_at(backing_off_until_);
  if (truncate_first()) return;
  const bool on_fetch = broker_.rules().has(Rule::truncation_on_fetch);
  const bool fenced = broker_.rules().has(Rule::fetch_epoch_fencing);
  const BrokerConfig& config = broker_.config();
  Ref<FetchCall> call = broker_.cluster().take<FetchCall>();
  call->replica = broker_.id();
  call->replica_epoch = broker_.epoch();
  call->client = name_;
  call->session = session_;
  call->max_wait = config.replica_fetch_wait_max;
  call->min_bytes = config.replica_fetch_min_bytes;
  call->max_bytes = config.replica_fetch_response_max_bytes;
  call->forgotten.assign(forgotten_.begin(), forgotten_.end());
  forgotten_.clear();
  std::sort(changed_.begin(), changed_.end());
  std::size_t kept = 0;
  for (const PartitionIndex p : changed_) {
    Entry* const found = find(p);
    if (found == nullptr || !found->changed) continue;
    Entry& entry = *found;
    if (entry.truncating || entry.delayed_until > now) {
      // It leaves the session meanwhile (ReplicaFetcherThread.buildFetch: isReadyForFetch). Asked on with the epoch of before it
      // would be refused again and again, and delayed anew each time.
      changed_[kept++] = p;
      if (std::exchange(entry.known, false)) call->forgotten.push_back(p);
      continue;
    }
    const Replica& replica = *entry.replica;
    const Offset end = replica.log.end();
    call->partitions.push_back({.partition = replica.partition,
                                .fetch_offset = end,
                                .current_leader_epoch = fenced ? replica.leader_epoch : kNoEpoch,
                                .last_fetched_epoch = on_fetch && end > replica.log.start()
                                                          ? replica.log.epoch_at(end - 1)
                                                          : kNoEpoch,
                                .max_bytes = config.replica_fetch_max_bytes});
    entry.changed = false;
    entry.known = true;
  }
  changed_.resize(kept);
  // ReplicaFetcherThread.buildFetch: nothing to ask for, and nothing to forget.
  const bool asks = !call->partitions.empty() || !call->forgotten.empty() ||
                    std::any_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.known; });
  if (!asks) return;
  call->request_bytes = static_cast<std::uint32_t>(100 + 30 * call->partitions.size());
  in_flight_ = true;
  channel_.call<&ReplicaFetcher::on_fetched>(*this, std::move(call));
}

void ReplicaFetcher::on_fetched(BrokerId, Ref<FetchCall> call) {
  const bool writes = std::any_of(call->fetched.begin(), call->fetched.end(),
                                  [](const FetchedPartition& f) { return f.end_offset > f.base_offset; });
  if (writes && broker_.disk()->hinders()) {
    const sim::Duration delay = broker_.write_delay();
    held_ = std::move(call);
    if (delay > sim::Duration{}) return write_timer_.arm_after(delay);
    return disk_goes_on();
  }
  take(call);
}

void ReplicaFetcher::disk_goes_on() {
  if (!held_ || write_timer_.armed() || broker_.disk()->stalled()) return;
  const Ref<FetchCall> call = std::exchange(held_, {});
  take(call);
}

void ReplicaFetcher::take(const Ref<FetchCall>& call) {
  in_flight_ = false;
  if (call->error != ErrorCode::none) {
    restart_session();
    if (call->error != ErrorCode::fetch_session_id_not_found) {
      backing_off_until_ = broker_.context().simulation.after(broker_.config().replica_fetch_backoff);
    }
    return send();
  }
  session_ = call->session;
  for (const FetchedPartition& fetched : call->fetched) apply(fetched, *call);
  send();
}

namespace {

/// The log has diverged and ends within a batch of its leader's, which is sent as a whole. UnifiedLog.append refuses it
/// (UnexpectedAppendOffsetException), and the partition has failed: it is fetched again when its leader changes
/// (AbstractFetcherThread.markPartitionFailed, KIP-461).
/// Model: before 2.3 the whole fetcher thread ended, and with it all that was fetched from that broker.
bool begins_below(const FetchedPartition& fetched, const Replica& replica) {
  if (fetched.gaps || replica.log.end() == replica.log.start()) return false;
  const Branch& leaders = replica.shared->store.branch(fetched.last_epoch);
  return leaders[leaders.find(fetched.base_offset)].base < fetched.base_offset;
}

}  // namespace

void ReplicaFetcher::apply(const FetchedPartition& fetched, const FetchCall& call) {
  Entry* entry = find(fetched.partition);
  // Asked before its log is to be cut: no answer counts, be it an error (AbstractFetcherThread: isReadyForFetch).
  if (entry == nullptr || entry->truncating) return;
  Replica& replica = *entry->replica;
  const bool out_of_range = fetched.error == ErrorCode::offset_out_of_range;
  // Not leader yet, or no more: the metadata log will tell; meanwhile ask again later.
  const bool moved = fetched.error == ErrorCode::offset_moved_to_tiered_storage;
  if (fetched.error != ErrorCode::none && !out_of_range && !moved) return delay(*entry);
  // Asked before a change of role: an old answer, above all one to truncate, says nothing of the log as it is now.
  const bool of_now = fetched.asked_epoch == kNoEpoch || fetched.asked_epoch == replica.leader_epoch;
  if (!of_now || fetched.base_offset != replica.log.end()) return;
  if (moved) {
    if (!broker_.logs().rebuild_from_remote(replica, fetched.log_start, fetched.log_end, fetched.last_epoch))
      return delay(*entry);
    return change(*entry);
  }
  if (out_of_range) {
    // AbstractFetcherThread.fetchOffsetAndTruncate: "There is a potential for a mismatch between the logs of the two replicas
    // here. We don't fix this mismatch as of now."
    change(*entry);
    if (fetched.log_end < replica.log.end()) return replica.truncate(fetched.log_end);
    if (fetched.log_start > replica.log.end()) broker_.logs().restart_at(replica, fetched.log_start);
    return;
  }
  if (fetched.diverging_end != kNoOffset || fetched.diverging_epoch != kNoEpoch) {
    truncate(*entry, {fetched.diverging_epoch, fetched.diverging_end});
    return;
  }
  if (fetched.end_offset > fetched.base_offset) {
    if (begins_below(fetched, replica)) return remove(replica.partition);
    if (!broker_.can_write(fetched.bytes)) return;
    if (fetched.gaps) {
      const std::span<const Surviving> all(call.survivors);
      replica.log.copy(fetched.last_epoch, fetched.base_offset, fetched.end_offset,
                       {.first_batch = fetched.first_batch,
                        .records = all.subspan(fetched.first_survivor, fetched.survivors)});
    } else {
      replica.log.copy(fetched.last_epoch, fetched.base_offset, fetched.end_offset);
    }
    broker_.logs().appended(replica, fetched.base_offset, fetched.bytes,
                            replica.log.at(fetched.end_offset - 1).max_timestamp);
    change(*entry);
  }
  broker_.follower_moved(replica, fetched.high_watermark);
  broker_.logs().leader_starts_at(replica, fetched.log_start);
}

void ReplicaFetcher::change(Entry& entry) {
  if (entry.changed) return;
  entry.changed = true;
  changed_.push_back(entry.replica->partition);
}

void ReplicaFetcher::delay(Entry& entry) {
  change(entry);
  entry.delayed_until = broker_.context().simulation.after(broker_.config().replica_fetch_backoff);
  if (!retry_timer_.armed() || retry_timer_.deadline() > entry.delayed_until)
    retry_timer_.arm_at(entry.delayed_until);
}

// ---- truncation ---------------------------------------------------------------------------------------------------

bool ReplicaFetcher::truncate_first() {
  if (broker_.rules().has(Rule::truncation_on_fetch)) return false;  // nobody ever has to
  Ref<OffsetForLeaderEpochCall> call;
  for (Entry& entry : entries_) {
    if (!entry.truncating || entry.delayed_until > broker_.context().now()) continue;
    Replica& replica = *entry.replica;
    if (replica.log.latest_epoch() == kNoEpoch) {  // AbstractFetcherThread.truncateToHighWatermark
      replica.truncate(replica.high_watermark);
      entry.truncating = false;
      continue;
    }
    if (!call) call = broker_.cluster().take<OffsetForLeaderEpochCall>();
    call->items.push_back({.partition = replica.partition,
                           .current_leader_epoch = replica.leader_epoch,
                           .epoch = replica.log.latest_epoch()});
  }
  if (!call) return false;
  in_flight_ = true;
  channel_.call<&ReplicaFetcher::on_epoch_ends>(*this, std::move(call));
  return true;
}

void ReplicaFetcher::on_epoch_ends(BrokerId, Ref<OffsetForLeaderEpochCall> call) {
  in_flight_ = false;
  for (const OffsetForLeaderEpochCall::Item& item : call->items) {
    Entry* entry = find(item.partition);
    // Asked before a change of role.
    if (entry == nullptr || !entry->truncating || item.current_leader_epoch != entry->replica->leader_epoch)
      continue;
    if (call->error != ErrorCode::none || item.error != ErrorCode::none)
      delay(*entry);
    else
      entry->truncating = !truncate(*entry, {item.end_epoch, item.end_offset});
  }
  send();
}

bool ReplicaFetcher::truncate(Entry& entry, EpochEnd leaders) {
  // AbstractFetcherThread.getOffsetTruncationState
  Replica& replica = *entry.replica;
  change(entry);
  Offset to = leaders.end;
  bool complete = true;
  if (leaders.end == kNoOffset) {
    to = replica.high_watermark;
  } else if (leaders.epoch != kNoEpoch && broker_.rules().has(Rule::epoch_in_epoch_end)) {
    const EpochEnd mine = replica.log.end_of(leaders.epoch);
    if (mine.end != kNoOffset) {
      complete = mine.epoch == leaders.epoch;
      to = complete ? std::min(leaders.end, mine.end) : mine.end;
    }
  }
  replica.truncate(to);
  return complete;
}

}  // namespace models::kafka
