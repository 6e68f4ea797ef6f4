#include "models/kafka/consumer/share_fetcher.hpp"

#include <algorithm>
#include <limits>

#include "models/kafka/broker/broker.hpp"

namespace models::kafka {

ShareFetcher::ShareFetcher(ConsumerGroup& group, Node& node, Connections& connections, Metadata& metadata,
                           ShareFetcherOwner& owner)
    : config_(group.options().config),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      group_(group.entity()),
      entity_(node.entity()),
      connections_(connections),
      metadata_(metadata),
      owner_(owner),
      sessions_(static_cast<std::size_t>(group.cluster().broker_count())),
      retry_(group.cluster().partitions().size()),
      retry_timer_(context_.simulation, node, [this] { owner_.fetched(); }) {}

void ShareFetcher::forget() {
  for (Session& session : sessions_) session = Session{};
  assigned_.clear();
  buffer_.clear();
  std::fill(retry_.begin(), retry_.end(), sim::Time{});
  wants_more_ = false;
  closing_ = false;
  fetch_node_ = kNoBroker;
  retry_timer_.disarm();
}

void ShareFetcher::assign(const std::vector<PartitionIndex>& partitions) {
  std::erase_if(assigned_, [&](PartitionIndex p) {
    return std::find(partitions.begin(), partitions.end(), p) == partitions.end();
  });
  for (const PartitionIndex p : partitions) {
    if (std::find(assigned_.begin(), assigned_.end(), p) == assigned_.end()) assigned_.push_back(p);
  }
}

// ---- asking -------------------------------------------------------------------------------------------------------

void ShareFetcher::send() {
  if (closing_) return;
  if (!wants_more_) return send_acknowledgements();
  choose();
  for (std::size_t b = 0; b < sessions_.size(); ++b) {
    Session& session = sessions_[b];
    if (!session.in_flight) send(BrokerId{static_cast<std::int32_t>(b)}, session);
    session.wanted.clear();
  }
}

/// Which partitions are to be asked for, of which broker; and with record_limit, whose turn it is.
void ShareFetcher::choose() {
  const bool in_turn = config_.share_acquire_mode == ShareAcquireMode::record_limit;
  std::size_t moved = assigned_.size();
  for (std::size_t i = 0; i < assigned_.size(); ++i) {
    const PartitionIndex p = assigned_[i];
    const BrokerId leader = metadata_.leader(p).leader;
    if (leader == kNoBroker) {
      metadata_.request_update();
      continue;
    }
    Session& session = sessions_[static_cast<std::size_t>(leader.value)];
    if (session.in_flight) continue;
    if (context_.now() < retry_[p.value]) {
      retry_at(retry_[p.value]);
      continue;
    }
    const RpcChannel& channel = connections_.data(leader);
    if (channel.backing_off()) {
      retry_at(channel.retry_at());
      continue;
    }
    session.wanted.push_back(p);
    if (in_turn && fetch_node_ == kNoBroker) {
      fetch_node_ = leader;
      moved = i;
    }
  }
  // The next fetch begins with another partition (SubscriptionState.movePartitionToEnd).
  if (moved < assigned_.size())
    std::rotate(assigned_.begin() + static_cast<std::ptrdiff_t>(moved),
                assigned_.begin() + static_cast<std::ptrdiff_t>(moved) + 1, assigned_.end());
}

void ShareFetcher::send(BrokerId broker, Session& session) {
  std::sort(session.wanted.begin(), session.wanted.end());
  const bool its_turn =
      config_.share_acquire_mode == ShareAcquireMode::batch_optimized || fetch_node_ == broker;
  const bool fetches = its_turn && !session.wanted.empty();
  if (!fetches && session.to_tell.empty() && session.wanted == session.members) return;
  if (session.epoch == kInitialShareEpoch) {
    session.to_tell.clear();  // the session in which they were acquired is gone
    if (session.wanted.empty()) return;
  }
  Ref<ShareFetchCall> call = cluster_.take<ShareFetchCall>();
  call->group = group_;
  call->member = member_;
  call->session_epoch = session.epoch;
  call->max_wait = config_.fetch_max_wait;
  call->min_bytes = config_.fetch_min_bytes;
  call->max_bytes = config_.fetch_max_bytes;
  call->max_records = fetches ? config_.max_poll_records : 0;
  call->batch_size = config_.max_poll_records;
  call->mode = config_.share_acquire_mode;
  std::set_difference(session.wanted.begin(), session.wanted.end(), session.members.begin(),
                      session.members.end(), std::back_inserter(call->added));
  std::set_difference(session.members.begin(), session.members.end(), session.wanted.begin(),
                      session.wanted.end(), std::back_inserter(call->forgotten));
  session.members.swap(session.wanted);
  session.asked_from.clear();
  for (const PartitionIndex p : session.members) {
    const Replica* const replica = cluster_.broker(broker).replica(p);
    session.asked_from.push_back(replica == nullptr ? LogReader::kNoLowest : replica->log.start());
  }
  take_acknowledgements(session, call->acknowledgements);
  session.telling = !call->acknowledgements.empty();
  call->request_bytes = static_cast<std::uint32_t>(
      100 + 40 * call->added.size() + 20 * call->forgotten.size() + 30 * call->acknowledgements.size());
  session.in_flight = true;
  connections_.data(broker).call<&ShareFetcher::on_fetched>(*this, std::move(call));
}

// ---- acknowledging ------------------------------------------------------------------------------------------------

void ShareFetcher::acknowledge(BrokerId node, PartitionIndex p, Offset first, Offset end,
                               AcknowledgeType type) {
  std::vector<AcknowledgementBatch>& all = sessions_[static_cast<std::size_t>(node.value)].to_tell;
  if (!all.empty() && all.back().partition == p && all.back().end == first && all.back().type == type) {
    all.back().end = end;
  } else {
    all.push_back({p, first, end, type});
  }
}

/// By partition, in order of offsets.
void ShareFetcher::take_acknowledgements(Session& session, std::vector<AcknowledgementBatch>& into) {
  into.swap(session.to_tell);
  session.to_tell.clear();
  std::stable_sort(into.begin(), into.end(),
                   [](const AcknowledgementBatch& a, const AcknowledgementBatch& b) {
                     return a.partition != b.partition ? a.partition < b.partition : a.first < b.first;
                   });
}

void ShareFetcher::send_acknowledgements() {
  for (std::size_t b = 0; b < sessions_.size(); ++b) {
    Session& session = sessions_[b];
    if (session.in_flight || session.to_tell.empty()) continue;
    if (session.epoch == kInitialShareEpoch)
      session.to_tell.clear();
    else
      tell(BrokerId{static_cast<std::int32_t>(b)}, session, session.epoch);
  }
}

void ShareFetcher::tell(BrokerId broker, Session& session, std::int32_t epoch) {
  Ref<ShareAcknowledgeCall> call = cluster_.take<ShareAcknowledgeCall>();
  call->group = group_;
  call->member = member_;
  call->session_epoch = epoch;
  take_acknowledgements(session, call->acknowledgements);
  call->request_bytes = static_cast<std::uint32_t>(100 + 30 * call->acknowledgements.size());
  session.in_flight = session.telling = true;
  connections_.data(broker).call<&ShareFetcher::on_acknowledged>(*this, std::move(call));
}

bool ShareFetcher::acknowledging() const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [](const Session& s) { return s.telling || !s.to_tell.empty(); });
}

void ShareFetcher::close() {
  closing_ = true;
  for (std::size_t b = 0; b < sessions_.size(); ++b) {
    Session& session = sessions_[b];
    if (session.epoch != kInitialShareEpoch && !session.in_flight)
      tell(BrokerId{static_cast<std::int32_t>(b)}, session, kFinalShareEpoch);
  }
}

bool ShareFetcher::closed() const {
  return std::none_of(sessions_.begin(), sessions_.end(),
                      [](const Session& s) { return s.in_flight || s.epoch != kInitialShareEpoch; });
}

// ---- answers ------------------------------------------------------------------------------------------------------

void ShareFetcher::answered(Session& session, ErrorCode error) {
  session.in_flight = session.telling = false;
  if (error == ErrorCode::none) {
    session.epoch = session.epoch == std::numeric_limits<std::int32_t>::max() ? 1 : session.epoch + 1;
    return;
  }
  // ShareSessionHandler.handleResponse, handleError: the next request begins a session anew.
  session.epoch = kInitialShareEpoch;
  session.members.clear();
  if (error == ErrorCode::disconnected) metadata_.request_update();
}

void ShareFetcher::on_fetched(BrokerId from, Ref<ShareFetchCall> call) {
  Session& session = sessions_[static_cast<std::size_t>(from.value)];
  answered(session, call->error);
  if (fetch_node_ == from) fetch_node_ = kNoBroker;
  for (const SharePartitionResult& one : call->results) {
    if (one.error == ErrorCode::none) continue;
    if (metadata_.hear(one.partition, one.current_leader)) {  // it is asked instead, at once (KIP-951)
      metadata_.request_update();
      continue;
    }
    // Model: Kafka asks again as soon as it hears of a leader; here it waits a moment besides.
    retry_[one.partition.value] = context_.simulation.after(config_.retry_backoff);
    metadata_.request_update();
  }
  if (call->error == ErrorCode::share_session_limit_reached) {
    for (const PartitionIndex p : assigned_)
      retry_[p.value] = context_.simulation.after(config_.retry_backoff);
  }
  for (const AcquiredRecords& one : call->acquired) buffer(from, *call, one);
  if (!call->acquired.empty()) wants_more_ = false;
  if (closing_ && session.epoch != kInitialShareEpoch) tell(from, session, kFinalShareEpoch);
  owner_.fetched();
}

void ShareFetcher::on_acknowledged(BrokerId from, Ref<ShareAcknowledgeCall> call) {
  Session& session = sessions_[static_cast<std::size_t>(from.value)];
  answered(session, call->error);
  for (const SharePartitionResult& one : call->results) {
    if (metadata_.hear(one.partition, one.current_leader)) metadata_.request_update();
  }
  if (call->session_epoch == kFinalShareEpoch) session = Session{};
  if (closing_ && session.epoch != kInitialShareEpoch) tell(from, session, kFinalShareEpoch);
  owner_.fetched();
}

void ShareFetcher::retry_at(sim::Time at) {
  if (!retry_timer_.armed() || retry_timer_.deadline() > at)
    retry_timer_.arm_at(std::max(at, context_.now()));
}

// ---- handing out --------------------------------------------------------------------------------------------------

void ShareFetcher::buffer(BrokerId from, const ShareFetchCall& call, const AcquiredRecords& records) {
  buffer_.push_back({{from, records}, {}});
  if (!records.gaps) return;
  for (const auto& [partition, run] : call.survivors) {
    if (partition == records.partition && run.to > records.first && run.from < records.end)
      buffer_.back().survivors.push_back(run);
  }
}

/// The first offset of what is left of `head` that is a record, and where the run of such ends; two equal ones where there is
/// none up to there. Markers are none, and what compaction has removed: they are acknowledged as gaps
/// (ShareCompletedFetch.fetchRecords).
Offset ShareFetcher::next_record(const Buffered& head, Offset& end) {
  const AcquiredRecords& records = head.given.records;
  Offset first = records.first;
  end = records.end;
  if (records.gaps) {
    const auto run = std::find_if(head.survivors.begin(), head.survivors.end(),
                                  [first](const Surviving& one) { return one.to > first; });
    if (run == head.survivors.end()) return end;
    first = std::max(first, run->from);
    end = std::min(end, run->to);
  }
  const SharedPartition& shared = cluster_.shared(records.partition);
  if (!shared.transactional) return first;
  const Offset stop = end;
  const Branch& branch = shared.store.branch(records.epoch);
  std::size_t e = branch.find(first);
  while (first < stop && branch[e].is_marker()) first = branch[e++].end();
  first = std::min(first, stop);
  for (end = first; end < stop && !branch[e].is_marker(); ++e) end = std::min(stop, branch[e].end());
  return first;
}

/// What lies below `end` is no record that anybody could be given.
void ShareFetcher::leave_out(const Buffered& head, Offset end) {
  const AcquiredRecords& records = head.given.records;
  if (records.first >= end) return;
  acknowledge(head.given.node, records.partition, records.first, end, AcknowledgeType::gap);
  if (!records.gaps) return;
  context_.emit(Kind::left_out, {.code = kCompactedAway,
                                 .actor = entity_.value,
                                 .place = cluster_.partition(records.partition).entity.value,
                                 .peer = group_.value,
                                 .a = records.first,
                                 .b = end - records.first});
}

Offset ShareFetcher::lowest(PartitionIndex p, Offset lowest) const {
  for (const Buffered& one : buffer_)
    if (one.given.records.partition == p) lowest = std::min(lowest, one.given.records.first);
  for (const Session& session : sessions_) {
    if (!session.in_flight) continue;
    const auto at = std::lower_bound(session.members.begin(), session.members.end(), p);
    if (at == session.members.end() || *at != p) continue;
    lowest = std::min(lowest, session.asked_from[static_cast<std::size_t>(at - session.members.begin())]);
  }
  return lowest;
}

void ShareFetcher::collect(Work& work, std::vector<Given>& given) {
  std::int64_t room = config_.max_poll_records;
  std::size_t used = 0;
  for (; used < buffer_.size() && room > 0; ++used) {
    AcquiredRecords& left = buffer_[used].given.records;
    while (left.first < left.end && room > 0) {
      Offset end = 0;
      const Offset first = next_record(buffer_[used], end);
      leave_out(buffer_[used], first);
      end = std::min(end, first + room);
      if (first < end) {
        work.add(left.partition, first, end, left.epoch);
        given.push_back(buffer_[used].given);
        given.back().records.first = first;
        given.back().records.end = end;
        room -= end - first;
      }
      left.first = end;
    }
    if (left.first < left.end) break;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used));
}

}  // namespace models::kafka
