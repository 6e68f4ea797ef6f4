#include "models/kafka/consumer/fetcher.hpp"

#include <algorithm>

#include "models/kafka/broker/replica.hpp"

namespace models::kafka {

Fetcher::Fetcher(ConsumerGroup& group, Node& node, std::int32_t rack, Assignment& assignment,
                 Positions& positions, Connections& connections, Metadata& metadata, FetcherOwner& owner)
    : config_(group.options().config),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      member_(node.entity()),
      rack_(rack),
      group_(group.entity()),
      assignment_(assignment),
      positions_(positions),
      connections_(connections),
      metadata_(metadata),
      owner_(owner),
      sessions_(static_cast<std::size_t>(group.cluster().broker_count())),
      retry_timer_(context_.simulation, node, [this] { owner_.fetched(); }) {}

void Fetcher::forget() {
  for (Session& session : sessions_) session = Session{};
  asking_ = may_rest_ = false;
  buffer_.clear();
  retry_timer_.disarm();
}

// ---- asking -------------------------------------------------------------------------------------------------------

void Fetcher::send() {
  for (Session& session : sessions_) {
    session.same = 0;
    session.other = false;
  }
  for (const PartitionIndex p : assignment_.partitions()) {
    if (assignment_.can_fetch(p) && !assignment_[p].buffered) want(p);
  }
  for (std::size_t b = 0; b < sessions_.size(); ++b) {
    Session& session = sessions_[b];
    const BrokerId broker{static_cast<std::int32_t>(b)};
    if (!session.wanted.empty())
      send(broker, session);
    else if (session.may_rest && (session.other || session.same != session.members.size()))
      rouse(broker, session);
  }
  asking_ = true;
}

bool Fetcher::would_ask_again(BrokerId broker) {
  Session& session = sessions_[static_cast<std::size_t>(broker.value)];
  const bool same = asking_ && !session.other && session.same == session.members.size();
  session.may_rest |= same;
  may_rest_ |= same;
  return same;
}

void Fetcher::rouse() {
  asking_ = false;
  if (!may_rest_) return;
  may_rest_ = false;
  for (std::size_t b = 0; b < sessions_.size(); ++b) {
    if (sessions_[b].may_rest) rouse(BrokerId{static_cast<std::int32_t>(b)}, sessions_[b]);
  }
}

void Fetcher::rouse(BrokerId broker, Session& session) {
  session.may_rest = false;
  connections_.data(broker).rouse();
}

void Fetcher::want(PartitionIndex p) {
  HeldPartition& held = assignment_[p];
  if (held.leader.leader == kNoBroker) held.leader = metadata_.leader(p);
  if (held.leader.leader == kNoBroker) return metadata_.request_update();
  const BrokerId from = source(held);
  Session& session = sessions_[static_cast<std::size_t>(from.value)];
  const bool leader = held.preferred_read_replica == kNoBroker;
  if (session.in_flight) {
    const bool as_asked = held.session == from && held.session_offset == held.position &&
                          held.session_epoch == held.leader.epoch;
    as_asked&& leader ? void(++session.same) : void(session.other = true);
    return;
  }
  if (context_.now() < held.retry_at) return retry_at(held.retry_at);
  const RpcChannel& channel = connections_.data(from);
  if (channel.backing_off()) return retry_at(channel.retry_at());
  if (channel.throttled()) return retry_at(std::max(channel.throttled_until(), context_.now()));
  session.wanted.push_back(p);
  leader ? void(++session.same) : void(session.other = true);
}

/// The leader, or for metadata.max.age.ms the replica that it named (AbstractFetch.selectReadReplica).
BrokerId Fetcher::source(HeldPartition& held) const {
  if (held.preferred_read_replica == kNoBroker) return held.leader.leader;
  if (context_.now() <= held.preferred_until) return held.preferred_read_replica;
  held.preferred_read_replica = kNoBroker;
  return held.leader.leader;
}

void Fetcher::send(BrokerId broker, Session& session) {
  Ref<FetchCall> call = cluster_.take<FetchCall>();
  call->sender = this;
  call->client = member_;
  call->rack = rack_;
  call->session = session.id;
  call->full = session.id == 0;
  call->read_committed = config_.read_committed;
  call->max_wait = config_.fetch_max_wait;
  call->min_bytes = config_.fetch_min_bytes;
  call->max_bytes = config_.fetch_max_bytes;
  list_changes(broker, session, *call);
  call->request_bytes = static_cast<std::uint32_t>(kEmptyFetchBytes + 40 * call->partitions.size() +
                                                   20 * call->forgotten.size());
  session.in_flight = true;
  connections_.data(broker).call<&Fetcher::on_fetched>(*this, std::move(call));
}

void Fetcher::list_changes(BrokerId broker, Session& session, FetchCall& call) {
  ++round_;
  const bool fenced = cluster_.options().rules.has(Rule::fetch_epoch_fencing);
  for (const PartitionIndex p : session.wanted) {
    HeldPartition& held = assignment_[p];
    held.session_round = round_;
    if (held.session == broker && held.session_offset == held.position &&
        held.session_epoch == held.leader.epoch)
      continue;
    held.session = broker;
    held.session_offset = held.position;
    held.session_epoch = held.leader.epoch;
    call.partitions.push_back({.partition = p,
                               .fetch_offset = held.position,
                               .current_leader_epoch = fenced ? held.leader.epoch : kNoEpoch,
                               .max_bytes = config_.max_partition_fetch_bytes});
  }
  for (const PartitionIndex p : session.members) {
    HeldPartition& held = assignment_[p];
    if (held.session_round == round_) continue;
    if (held.session == broker) held.session = kNoBroker;
    call.forgotten.push_back(p);
  }
  session.members.swap(session.wanted);
  session.wanted.clear();
}

void Fetcher::on_fetched(BrokerId from, Ref<FetchCall> call) {
  Session& session = sessions_[static_cast<std::size_t>(from.value)];
  session.in_flight = false;
  session.may_rest = false;
  if (call->error != ErrorCode::none) {
    end_session(from, session);
    if (call->error == ErrorCode::disconnected) metadata_.request_update();
    return owner_.fetched();  // from the leader, where it was another replica
  }
  session.id = call->session;
  for (const FetchedPartition& part : call->fetched) {
    HeldPartition& held = assignment_[part.partition];
    // What has been answered is listed anew in the next request, even at the same offset.
    if (held.session == from) held.session_offset = kNoOffset;
    if (part.preferred_read_replica != kNoBroker && assignment_.holds(part.partition)) {
      held.preferred_read_replica = part.preferred_read_replica;
      held.preferred_until = context_.simulation.after(config_.metadata_max_age);
    }
    if (metadata_.hear(part.partition, part.current_leader)) {  // it is asked instead, at once (KIP-951)
      metadata_.request_update();
      continue;
    }
    const bool news = part.error != ErrorCode::none || part.end_offset > part.base_offset;
    if (!news || held.buffered || !assignment_.holds(part.partition)) continue;
    held.buffered = true;
    buffer_.push_back({part.partition,
                       part.error,
                       part.base_offset,
                       part.end_offset,
                       part.last_epoch,
                       part.has_transactions,
                       {},
                       part.gaps,
                       {}});
    const auto first = call->aborted.begin() + part.first_aborted;
    buffer_.back().aborted.assign(first, first + part.aborted);
    const auto survivor = call->survivors.begin() + part.first_survivor;
    buffer_.back().survivors.assign(survivor, survivor + part.survivors);
  }
  owner_.fetched();
}

void Fetcher::end_session(BrokerId broker, Session& session) {
  for (const PartitionIndex p : session.members) {
    if (assignment_[p].session == broker) assignment_[p].session = kNoBroker;
    if (assignment_[p].preferred_read_replica == broker) assignment_[p].preferred_read_replica = kNoBroker;
  }
  session.members.clear();
  session.id = 0;
}

void Fetcher::retry_at(sim::Time at) {
  if (!retry_timer_.armed() || retry_timer_.deadline() > at) retry_timer_.arm_at(at);
}

// ---- handing out --------------------------------------------------------------------------------------------------

void Fetcher::collect(Work& work) {
  std::int64_t room = config_.max_poll_records;
  std::size_t used = 0;
  for (Buffered& head : buffer_) {
    if (room == 0) break;
    HeldPartition& held = assignment_[head.partition];
    if (still_wanted(head)) {
      const std::int64_t taken = take_records(head, work, room);
      room -= taken;
      // What is no record needs no commit.
      if (taken == 0 && held.settled == held.position) held.settled = head.next;
      held.position = head.next;
      held.offset_epoch = head.epoch;
      if (head.next < head.end) break;
    } else if (head.error != ErrorCode::none) {
      deal_with_error(head);
    }
    held.buffered = false;
    ++used;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used));
}

std::int64_t Fetcher::take_records(Buffered& head, Work& work, std::int64_t room) {
  if (!head.gaps) return take_records(head, head.end, work, room);
  std::int64_t taken = 0;
  for (; head.survivor < head.survivors.size(); ++head.survivor) {
    const Surviving& run = head.survivors[head.survivor];
    if (taken == room) return taken;
    if (run.from > head.next) {
      leave_out(head.partition, head.next, run.from, kCompactedAway);
      head.next = run.from;
    }
    taken += take_records(head, run.to, work, room - taken);
    if (head.next < run.to) return taken;
  }
  leave_out(head.partition, head.next, head.end, kCompactedAway);
  head.next = head.end;
  return taken;
}

std::int64_t Fetcher::take_records(Buffered& head, Offset end, Work& work, std::int64_t room) {
  if (head.has_transactions) return take_of_transactions(head, end, work, room);
  const Offset from = head.next;
  head.next = std::min(end, from + room);
  work.add(head.partition, from, head.next, head.epoch);
  return head.next - from;
}

std::int64_t Fetcher::take_of_transactions(Buffered& head, Offset end, Work& work, std::int64_t room) {
  // What the consumer would see in the batches' headers (CompletedFetch.nextFetchedRecord).
  const Branch& branch = cluster_.shared(head.partition).store.branch(head.epoch);
  std::int64_t taken = 0;
  Offset records = head.next;  // from here to head.next are records, or nothing is …
  Offset none = head.next;     // … or from here on there are none
  for (std::size_t e = branch.find(head.next); head.next < end; ++e) {
    const Extent& batch = branch[e];
    const Offset stop = std::min(batch.end(), end);
    const bool aborted =
        std::any_of(head.aborted.begin(), head.aborted.end(), [&batch](const AbortedTransaction& t) {
          return t.producer_id == batch.producer_id && t.first <= batch.base && batch.base < t.marker;
        });
    if (batch.is_marker() || (aborted && batch.kind == BatchKind::transactional)) {
      if (records < head.next) work.add(head.partition, records, head.next, head.epoch);
      records = head.next = stop;
      continue;
    }
    leave_out(head.partition, none, records);
    if (taken == room) {
      none = head.next;
      break;
    }
    const Offset to = std::min(stop, head.next + (room - taken));
    taken += to - head.next;
    none = head.next = to;
    if (to < stop) break;
  }
  if (records < head.next && none == head.next) work.add(head.partition, records, head.next, head.epoch);
  if (none < head.next) leave_out(head.partition, none, head.next);
  return taken;
}

void Fetcher::leave_out(PartitionIndex p, Offset from, Offset to, std::uint16_t why) {
  if (from >= to) return;
  context_.emit(Kind::left_out, {.code = why,
                                 .actor = member_.value,
                                 .place = cluster_.partition(p).entity.value,
                                 .peer = group_.value,
                                 .a = from,
                                 .b = to - from});
}

bool Fetcher::still_wanted(const Buffered& head) const {
  return head.error == ErrorCode::none && assignment_.can_fetch(head.partition) &&
         assignment_[head.partition].position == head.next;
}

void Fetcher::deal_with_error(const Buffered& head) {
  if (!assignment_.has_valid_position(head.partition)) return;
  HeldPartition& held = assignment_[head.partition];
  // A follower that knows less says nothing of the log: the leader is asked.
  const bool of_follower = held.preferred_read_replica != kNoBroker;
  held.preferred_read_replica = kNoBroker;
  if (of_follower && head.error == ErrorCode::offset_out_of_range) return owner_.fetched();
  if (head.error == ErrorCode::offset_out_of_range) {
    if (held.position == head.next) positions_.out_of_range(head.partition);
    return owner_.fetched();
  }
  const bool says_nothing_of_leaders =
      head.error == ErrorCode::unknown_leader_epoch || head.error == ErrorCode::unknown_server_error;
  if (!says_nothing_of_leaders) metadata_.request_update();
  // Model: Kafka asks again at once, and is refused at once, until it hears of the new leader; here it waits a moment,
  // which a change of leader cuts short.
  held.retry_at = context_.simulation.after(config_.retry_backoff);
}

void Fetcher::assignment_changed() {
  rouse();
  std::erase_if(buffer_, [this](const Buffered& b) { return !assignment_.holds(b.partition); });
}

}  // namespace models::kafka
