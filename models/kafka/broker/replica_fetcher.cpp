#include "models/kafka/broker/replica_fetcher.hpp"

#include <algorithm>

#include "models/kafka/broker/broker.hpp"

namespace models::kafka {

ReplicaFetcher::ReplicaFetcher(Broker& broker, BrokerId source)
    : broker_(broker),
      channel_(broker.cluster(), broker.node(), source, {}),
      retry_timer_(broker.context().simulation, broker.node(), [this] { send(); }) {}

ReplicaFetcher::Entry* ReplicaFetcher::find(PartitionIndex p) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), p,
                                   [](const Entry& e, PartitionIndex q) { return e.replica->partition < q; });
  return at != entries_.end() && at->replica->partition == p ? &*at : nullptr;
}

void ReplicaFetcher::add(Replica& replica) {
  if (Entry* entry = find(replica.partition)) {
    entry->changed = true;
    entry->delayed_until = {};
  } else {
    const auto at =
        std::lower_bound(entries_.begin(), entries_.end(), replica.partition,
                         [](const Entry& e, PartitionIndex q) { return e.replica->partition < q; });
    entries_.insert(at, {&replica});
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
  forgotten_.clear();
  session_ = 0;
  in_flight_ = false;
  backing_off_until_ = {};
  retry_timer_.disarm();
}

void ReplicaFetcher::restart_session() {
  session_ = 0;
  forgotten_.clear();
  for (Entry& entry : entries_) {
    entry.changed = true;
    entry.known = false;
  }
}

void ReplicaFetcher::send() {
  if (in_flight_ || entries_.empty()) return;
  const sim::Time now = broker_.context().now();
  if (now < backing_off_until_) return retry_timer_.arm_at(backing_off_until_);
  const BrokerConfig& config = broker_.config();
  Ref<FetchCall> call = broker_.cluster().take<FetchCall>();
  call->replica = broker_.id();
  call->replica_epoch = broker_.epoch();
  call->client = broker_.node().entity();
  call->session = session_;
  call->max_wait = config.replica_fetch_wait_max;
  call->min_bytes = config.replica_fetch_min_bytes;
  call->max_bytes = config.replica_fetch_response_max_bytes;
  call->forgotten.assign(forgotten_.begin(), forgotten_.end());
  forgotten_.clear();
  for (Entry& entry : entries_) {
    if (!entry.changed || entry.delayed_until > now) continue;
    const Replica& replica = *entry.replica;
    const Offset end = replica.log.end();
    call->partitions.push_back({.partition = replica.partition,
                                .fetch_offset = end,
                                .current_leader_epoch = replica.leader_epoch,
                                .last_fetched_epoch = end > 0 ? replica.log.epoch_at(end - 1) : kNoEpoch,
                                .max_bytes = config.replica_fetch_max_bytes});
    entry.changed = false;
    entry.known = true;
  }
  call->request_bytes = static_cast<std::uint32_t>(100 + 30 * call->partitions.size());
  in_flight_ = true;
  channel_.call<&ReplicaFetcher::on_fetched>(*this, std::move(call));
}

void ReplicaFetcher::on_fetched(BrokerId, Ref<FetchCall> call) {
  in_flight_ = false;
  if (call->error != ErrorCode::none) {
    restart_session();
    if (call->error != ErrorCode::fetch_session_id_not_found) {
      backing_off_until_ = broker_.context().simulation.after(broker_.config().replica_fetch_backoff);
    }
    return send();
  }
  session_ = call->session;
  for (const FetchedPartition& fetched : call->fetched) apply(fetched);
  send();
}

void ReplicaFetcher::apply(const FetchedPartition& fetched) {
  Entry* entry = find(fetched.partition);
  if (entry == nullptr) return;
  Replica& replica = *entry->replica;
  if (fetched.error != ErrorCode::none) {
    // Not leader yet, or no more: the metadata log will tell; meanwhile ask again later (replica.fetch.backoff.ms).
    entry->changed = true;
    entry->delayed_until = broker_.context().simulation.after(broker_.config().replica_fetch_backoff);
    if (!retry_timer_.armed() || retry_timer_.deadline() > entry->delayed_until)
      retry_timer_.arm_at(entry->delayed_until);
    return;
  }
  // Asked before a change of role: an old answer, above all one to truncate, says nothing of the log as it is now.
  if (fetched.asked_epoch != replica.leader_epoch || fetched.base_offset != replica.log.end()) return;
  if (fetched.diverging_end != kNoOffset || fetched.diverging_epoch != kNoEpoch)
    return truncate(*entry, fetched);
  if (fetched.end_offset > fetched.base_offset) {
    replica.log.copy(fetched.last_epoch, fetched.base_offset, fetched.end_offset);
    entry->changed = true;
  }
  broker_.follower_moved(replica, fetched.high_watermark);
}

void ReplicaFetcher::truncate(Entry& entry, const FetchedPartition& fetched) {
  // AbstractFetcherThread.getOffsetTruncationState
  Replica& replica = *entry.replica;
  Offset to = fetched.diverging_end == kNoOffset ? replica.high_watermark : fetched.diverging_end;
  if (fetched.diverging_epoch != kNoEpoch) {
    const EpochEnd mine = replica.log.end_of(fetched.diverging_epoch);
    if (mine.end != kNoOffset) to = std::min(to, mine.end);
  }
  replica.log.truncate(to);
  replica.high_watermark = std::min(replica.high_watermark, replica.log.end());
  entry.changed = true;
}

}  // namespace models::kafka
