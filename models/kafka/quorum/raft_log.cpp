// How the metadata log gets from the leader to the other voters, is committed, and reaches the brokers.
#include <algorithm>
#include <array>
#include <functional>
#include <iterator>

#include "models/kafka/quorum/raft_voter.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

/// A fetch that finds nothing new waits (KafkaRaftClient.MAX_FETCH_WAIT_MS).
constexpr sim::Duration kFetchWait = std::chrono::milliseconds{500};
constexpr std::uint32_t kRecordBytes = 100;

}  // namespace

// ---- a leader's log -----------------------------------------------------------------------------------------------

void RaftVoter::append(const MetadataChange& change) {
  MQLAB_ASSERT(claimed_, "only the active controller writes");
  gathered_.push_back(&change);
  if (!flush_timer_.armed()) flush_timer_.arm_after(config().controller_quorum_append_linger);
}

void RaftVoter::flush() {
  for (const MetadataChange* change : gathered_) log_.push_back({epoch_, change});
  gathered_.clear();
  advance_high_watermark();
  wake();
}

/// What a majority has fetched is committed (LeaderState.maybeUpdateHighWatermark).
void RaftVoter::advance_high_watermark() {
  std::array<std::size_t, kMostControllers> ends{};
  for (std::size_t n = 0; n < peers_.size(); ++n) ends[n] = peers_[n].channel ? peers_[n].end : log_end();
  const auto nth = ends.begin() + static_cast<std::ptrdiff_t>(majority()) - 1;
  std::nth_element(ends.begin(), nth, ends.begin() + static_cast<std::ptrdiff_t>(peers_.size()),
                   std::greater<>());
  if (*nth <= epoch_start_ || *nth <= high_watermark_) return;
  high_watermark_ = *nth;
  const std::size_t before = metadata_.committed();
  MQLAB_ASSERT(before == 0 || at(before - 1).change == &metadata_.change(before - 1),
               "a leader holds all that is committed");
  for (std::size_t n = before; n < high_watermark_; ++n) metadata_.commit(*at(n).change);
  if (!claimed_) {
    claimed_ = true;
    listener_.claimed();
  }
  listener_.committed(high_watermark_);
  wake();
}

// ---- who fetches from a leader ------------------------------------------------------------------------------------

void RaftVoter::handle(Ref<MetadataLogCall> call) {
  // KafkaRaftClient.validateLeaderOnlyRequest
  if (call->epoch != epoch_ || state_ != RaftState::leader) {
    call->error = call->epoch < epoch_   ? ErrorCode::fenced_leader_epoch
                  : call->epoch > epoch_ ? ErrorCode::unknown_leader_epoch
                                         : ErrorCode::not_leader_or_follower;
    tell_epoch(*call);
    return listener_.answer(std::move(call));
  }
  note_fetch(*call);
  if (has_news(*call)) return serve(std::move(call));
  parked_.push_back({std::move(call), cluster_.context().simulation.after(kFetchWait)});
  if (!fetch_timer_.armed())
    fetch_timer_.arm_at(std::max(parked_.front().deadline, cluster_.context().now()));
}

void RaftVoter::note_fetch(const MetadataLogCall& call) {
  std::int32_t found = 0;
  if (call.voter == kNoController || parted(call, found)) return;
  Peer& from = peers_[static_cast<std::size_t>(call.voter)];
  from.end = call.from;
  from.last_fetch = cluster_.context().now();
  from.fetched = true;
  // LeaderState.updateCheckQuorumForFollowingVoter: with this voter itself they are a majority.
  const auto fetched = static_cast<std::size_t>(
      std::count_if(peers_.begin(), peers_.end(), [](const Peer& peer) { return peer.fetched; }));
  if (fetched + 1 >= majority()) {
    for (Peer& peer : peers_) peer.fetched = false;
    watch_majority();
  }
  advance_high_watermark();
}

/// The sender's log is not a beginning of this one; `found` is the last epoch that both may have.
bool RaftVoter::parted(const MetadataLogCall& call, std::int32_t& found) const {
  if (call.voter == kNoController) return false;
  const std::size_t end = end_of_epoch(call.last_epoch, found);
  return found != call.last_epoch || call.from > end;
}

bool RaftVoter::has_news(const MetadataLogCall& call) const {
  std::int32_t found = 0;
  if (call.voter != kNoController) return call.from < log_end() || parted(call, found);
  return rule(Rule::raft_high_watermark_in_fetch) ? call.from < high_watermark_ : call.seen != log_end();
}

void RaftVoter::serve(Ref<MetadataLogCall> call) {
  std::int32_t found = 0;
  if (call->voter == kNoController) {
    call->to = std::max(call->from, high_watermark_);
    call->seen = log_end();
  } else if (call->from < start_) {
    // Asked long ago: its sender has had this since, from another leader.
    call->error = ErrorCode::not_leader_or_follower;
  } else if (parted(*call, found)) {
    call->diverging_end = end_of_epoch(call->last_epoch, found);
    call->diverging_epoch = found;
  } else {
    call->records.assign(log_.begin() + static_cast<std::ptrdiff_t>(call->from - start_), log_.end());
    call->response_bytes += kRecordBytes * static_cast<std::uint32_t>(call->records.size());
  }
  tell_epoch(*call);
  listener_.answer(std::move(call));
}

/// Answers, once what happens now has happened, those that wait for what there is now; all of them where nobody leads.
void RaftVoter::wake() {
  if (waking_ || parked_.empty()) return;
  waking_ = true;
  cluster_.context().simulation.post([this, life = node_.incarnation()] {
    if (life != node_.incarnation()) return;
    waking_ = false;
    release([this](const Parked& parked) {
      return state_ != RaftState::leader || parked.call->epoch != epoch_ || has_news(*parked.call);
    });
  });
}

void RaftVoter::expire_fetches() {
  const sim::Time now = cluster_.context().now();
  release([now](const Parked& parked) { return parked.deadline <= now; });
}

template <class Ready>
void RaftVoter::release(Ready ready) {
  std::vector<Parked>& released = released_;
  const auto first = std::stable_partition(parked_.begin(), parked_.end(),
                                           [&ready](const Parked& parked) { return !ready(parked); });
  std::move(first, parked_.end(), std::back_inserter(released));
  parked_.erase(first, parked_.end());
  if (parked_.empty())
    fetch_timer_.disarm();
  else
    fetch_timer_.arm_at(std::max(parked_.front().deadline, cluster_.context().now()));
  // An answer lets in the next call of its connection, which may be parked in its turn.
  while (!released.empty()) {
    Ref<MetadataLogCall> call = std::move(released.back().call);
    released.pop_back();
    if (state_ == RaftState::leader && call->epoch == epoch_) {
      serve(std::move(call));
      continue;
    }
    call->error = ErrorCode::not_leader_or_follower;
    tell_epoch(*call);
    listener_.answer(std::move(call));
  }
}

// ---- a follower ---------------------------------------------------------------------------------------------------

void RaftVoter::fetch() {
  if (state_ != RaftState::follower || fetch_in_flight_) return;
  Ref<MetadataLogCall> call = cluster_.take<MetadataLogCall>();
  call->voter = number_;
  call->epoch = epoch_;
  call->from = log_end();
  call->last_epoch = last_epoch();
  call->round = round_;
  fetch_in_flight_ = true;
  peers_[static_cast<std::size_t>(leader_)].channel->call<&RaftVoter::on_fetched>(*this, std::move(call));
}

void RaftVoter::on_fetched(BrokerId, Ref<MetadataLogCall> call) {
  const bool current = call->round == round_;
  if (current) fetch_in_flight_ = false;
  if (call->error != ErrorCode::disconnected && adopt(call->epoch, call->leader)) return;
  if (!current) return;
  if (call->error != ErrorCode::none) return retry_timer_.arm_after(config().controller_quorum_retry_backoff);
  store(*call);
  has_fetched_ = true;
  timer_.arm_after(config().controller_quorum_fetch_timeout);
  fetch();
}

void RaftVoter::store(const MetadataLogCall& call) {
  if (call.diverging_epoch < 0) {
    log_.insert(log_.end(), call.records.begin(), call.records.end());
    return;
  }
  std::int32_t found = 0;
  const std::size_t same =
      std::min({call.diverging_end, end_of_epoch(call.diverging_epoch, found), log_end()});
  const std::size_t held = std::min(metadata_.committed(), log_end());
  MQLAB_ASSERT(same >= held || at(held - 1).change != &metadata_.change(held - 1),
               "what is committed is not cut off");
  log_.erase(log_.begin() + static_cast<std::ptrdiff_t>(same - start_), log_.end());
}

/// Of the last record; before the first one that of the reign at time 0.
std::int32_t RaftVoter::last_epoch() const {
  return log_.empty() ? snapshot_epoch_ : log_.back().epoch;
}

/// Where the records of `epoch`, or of the largest below it, end: LeaderEpochFileCache.endOffsetFor.
std::size_t RaftVoter::end_of_epoch(std::int32_t epoch, std::int32_t& found) const {
  const auto end = std::partition_point(log_.begin(), log_.end(),
                                        [epoch](const Record& record) { return record.epoch <= epoch; });
  found = end == log_.begin() ? snapshot_epoch_ : std::prev(end)->epoch;
  return start_ + static_cast<std::size_t>(end - log_.begin());
}

// ---- snapshots ----------------------------------------------------------------------------------------------------

/// Logs that hold one record in common are equal before it.
bool RaftVoter::holds(std::size_t n) const {
  return n >= start_ && n < log_end() && at(n).change == &metadata_.change(n);
}

void RaftVoter::forget_below(std::size_t n) {
  for (; start_ < n; ++start_) {
    snapshot_epoch_ = log_.front().epoch;
    log_.pop_front();
  }
}

}  // namespace models::kafka
