// Elections: who asks, who votes, who leads, who resigns. The log is in raft_log.cpp.
#include "models/kafka/quorum/raft_voter.hpp"

#include <algorithm>

namespace models::kafka {
namespace {

/// Of an election's backoff (KafkaRaftClient.RETRY_BACKOFF_BASE_MS).
constexpr sim::Duration kBackoffBase = std::chrono::milliseconds{100};
/// For which a controller that shuts down waits for its successor (KafkaRaftManager.shutdown).
constexpr sim::Duration kShutdownTimeout = std::chrono::seconds{5};

/// KafkaRaftManager.buildNetworkClient
RpcOptions between_controllers(const BrokerConfig& config) {
  return {.request_timeout = config.controller_quorum_request_timeout,
          .reconnect_backoff = std::chrono::milliseconds{50},
          .reconnect_backoff_max = std::chrono::milliseconds{500}};
}

}  // namespace

RaftVoter::RaftVoter(Cluster& cluster, Node& node, std::int32_t number, MetadataLog& metadata,
                     RaftListener& listener)
    : cluster_(cluster),
      node_(node),
      number_(number),
      metadata_(metadata),
      listener_(listener),
      stream_(cluster.context().simulation.seed(), "kafka/raft/" + node.name()),
      peers_(static_cast<std::size_t>(cluster.options().controllers)),
      timer_(cluster.context().simulation, node, [this] { on_timer(); }),
      retry_timer_(cluster.context().simulation, node, [this] { retry(); }),
      flush_timer_(cluster.context().simulation, node, [this] { flush(); }),
      fetch_timer_(cluster.context().simulation, node, [this] { expire_fetches(); }),
      begin_timer_(cluster.context().simulation, node, [this] { send_begin_epochs(); }) {
  metadata_.keep(*this);
  for (std::int32_t n = 0; n < cluster.options().controllers; ++n) {
    if (n == number) continue;
    peers_[static_cast<std::size_t>(n)].channel =
        std::make_unique<RpcChannel>(cluster, node, controller_id(n), between_controllers(config()));
  }
}

void RaftVoter::start() {
  if (number_ != 0) return become_follower(epoch_, 0);
  enter(RaftState::leader, number_);
  claimed_ = true;
  watch_majority();
  begin_timer_.arm_after(config().controller_quorum_fetch_timeout / 2);
}

// ---- life ---------------------------------------------------------------------------------------------------------

void RaftVoter::crashed() {
  for (auto* timer : {&timer_, &retry_timer_, &flush_timer_, &fetch_timer_, &begin_timer_}) timer->disarm();
  for (Peer& peer : peers_) {
    if (peer.channel) peer.channel->abandon();
  }
  gathered_.clear();
  parked_.clear();
  released_.clear();
  claimed_ = false;
  shutting_down_ = false;
  waking_ = false;
}

/// QuorumState.initialize: who led its epoch cannot lead it again, and who knew a leader begins with it.
void RaftVoter::restarted() {
  losses_ = 0;
  const bool led = state_ == RaftState::leader || state_ == RaftState::resigned;
  const std::int32_t known = leader_;
  state_ = RaftState::unattached;
  if (led) {
    enter(RaftState::resigned, kNoController);
    return await_election();
  }
  known != kNoController ? become_follower(epoch_, known) : become_unattached(epoch_, true);
}

void RaftVoter::shut_down() {
  shutting_down_ = true;
  if (state_ == RaftState::leader) return resign();
  if (leader_ != kNoController) return listener_.may_end();
  timer_.arm_after(kShutdownTimeout);
}

// ---- transitions --------------------------------------------------------------------------------------------------

void RaftVoter::enter(RaftState state, std::int32_t leader) {
  const bool led = state_ == RaftState::leader;
  state_ = state;
  leader_ = leader;
  ++round_;
  backing_off_ = has_fetched_ = fetch_in_flight_ = false;
  retry_timer_.disarm();
  begin_timer_.disarm();
  for (Peer& peer : peers_) peer.asked = peer.voted = peer.granted = false;
  if (led) leave_lead();
}

void RaftVoter::leave_lead() {
  gathered_.clear();
  flush_timer_.disarm();
  wake();  // all of them: nobody leads here any more
  if (!claimed_) return;
  claimed_ = false;
  listener_.renounced();
}

/// QuorumState.transitionToUnattached: whoever waited for an election to end goes on waiting, or one who cannot win, and stands
/// again and again, would keep those who can from standing.
void RaftVoter::become_unattached(std::int32_t epoch, bool anew) {
  const bool waits_on = !anew && state_ != RaftState::follower && state_ != RaftState::leader;
  if (epoch > epoch_) voted_ = kNoController;
  epoch_ = epoch;
  enter(RaftState::unattached, kNoController);
  if (shutting_down_) return timer_.arm_after(kShutdownTimeout);
  if (!waits_on) return await_election();
  timer_.arm_at(std::max(election_ends_, cluster_.context().now()));
}

void RaftVoter::await_election() {
  election_ends_ = cluster_.context().simulation.after(random_election_timeout());
  timer_.arm_at(election_ends_);
}

void RaftVoter::become_follower(std::int32_t epoch, std::int32_t leader) {
  if (epoch > epoch_) voted_ = kNoController;
  epoch_ = epoch;
  enter(RaftState::follower, leader);
  losses_ = 0;
  timer_.arm_after(config().controller_quorum_fetch_timeout);
  if (!shutting_down_) return fetch();
  cluster_.context().simulation.post([this, life = node_.incarnation()] {
    if (life == node_.incarnation()) listener_.may_end();
  });
}

void RaftVoter::stand() {
  rule(Rule::raft_pre_vote) ? become_prospective() : become_candidate();
}

void RaftVoter::become_prospective() {
  enter(RaftState::prospective, leader_);
  ask_for_votes();
}

void RaftVoter::become_candidate() {
  ++epoch_;
  voted_ = number_;
  enter(RaftState::candidate, kNoController);
  ask_for_votes();
}

void RaftVoter::become_leader() {
  enter(RaftState::leader, number_);
  losses_ = 0;
  high_watermark_ = 0;
  epoch_start_ = log_end();
  for (Peer& peer : peers_) {
    peer.end = 0;
    peer.fetched = false;
    peer.last_fetch = {};
  }
  // Nothing is committed before a record of one's own epoch is (KafkaRaftClient.onBecomeLeader).
  log_.push_back({epoch_, &metadata_.store({.control = true})});
  watch_majority();
  send_begin_epochs();
  advance_high_watermark();
}

/// LeaderState.timeUntilCheckQuorumExpires
void RaftVoter::watch_majority() {
  if (rule(Rule::raft_check_quorum))
    timer_.arm_after(config().controller_quorum_fetch_timeout * 3 / 2);
  else
    timer_.disarm();
}

void RaftVoter::resign() {
  successors_.clear();
  for (std::size_t n = 0; n < peers_.size(); ++n) {
    if (peers_[n].channel) successors_.push_back(static_cast<std::int32_t>(n));
  }
  std::stable_sort(successors_.begin(), successors_.end(), [this](std::int32_t a, std::int32_t b) {
    return peers_[static_cast<std::size_t>(a)].end > peers_[static_cast<std::size_t>(b)].end;
  });
  enter(RaftState::resigned, kNoController);
  send_end_epochs();
  shutting_down_ ? timer_.arm_after(kShutdownTimeout) : await_election();
}

void RaftVoter::on_timer() {
  if (shutting_down_) return listener_.may_end();
  switch (state_) {
    case RaftState::unattached:
    case RaftState::follower:
      return stand();
    case RaftState::prospective:
      return lose_election();
    case RaftState::candidate:
      return backing_off_ ? stand() : lose_election();
    case RaftState::leader:
      return resign();
    case RaftState::resigned:
      return rule(Rule::raft_pre_vote) ? become_unattached(epoch_ + 1) : become_candidate();
  }
}

void RaftVoter::lose_election() {
  if (state_ == RaftState::prospective)
    return leader_ != kNoController ? become_follower(epoch_, leader_) : become_unattached(epoch_, true);
  backing_off_ = true;
  ++losses_;
  timer_.arm_after(random_backoff());
}

bool RaftVoter::adopt(std::int32_t epoch, std::int32_t leader) {
  const bool another = leader != kNoController && leader != number_;
  if (epoch > epoch_)
    another ? become_follower(epoch, leader) : become_unattached(epoch);
  else if (epoch == epoch_ && another && leader_ == kNoController)
    become_follower(epoch, leader);
  else
    return epoch < epoch_;
  return true;
}

/// QuorumState.randomElectionTimeoutMs
sim::Duration RaftVoter::random_election_timeout() {
  const auto least = config().controller_quorum_election_timeout;
  return least +
         sim::Duration{static_cast<std::int64_t>(stream_.uniform() * static_cast<double>(least.count()))};
}

/// KafkaRaftClient.binaryExponentialElectionBackoffMs
sim::Duration RaftVoter::random_backoff() {
  const std::uint64_t slots = std::uint64_t{2} << std::min(20U, losses_ - 1);
  const auto wait = kBackoffBase * static_cast<std::int64_t>(stream_.uniform_int(slots));
  return std::max(sim::Duration{1},
                  std::min<sim::Duration>(wait, config().controller_quorum_election_backoff_max));
}

// ---- votes --------------------------------------------------------------------------------------------------------

void RaftVoter::ask_for_votes() {
  Peer& self = peers_[static_cast<std::size_t>(number_)];
  self.voted = self.granted = true;
  await_election();
  for (std::size_t n = 0; n < peers_.size(); ++n) {
    if (peers_[n].channel && !peers_[n].asked) ask_for_vote(static_cast<std::int32_t>(n));
  }
}

void RaftVoter::ask_for_vote(std::int32_t number) {
  Ref<VoteCall> call = cluster_.take<VoteCall>();
  call->candidate = number_;
  call->epoch = epoch_;
  call->last_epoch = last_epoch();
  call->end = log_end();
  call->pre_vote = state_ == RaftState::prospective;
  call->round = round_;
  Peer& peer = peers_[static_cast<std::size_t>(number)];
  peer.asked = true;
  peer.channel->call<&RaftVoter::on_vote>(*this, std::move(call));
}

void RaftVoter::on_vote(BrokerId from, Ref<VoteCall> call) {
  if (failed(from, *call) || adopt(call->epoch, call->leader)) return;
  if (call->round != round_ || call->error != ErrorCode::none || backing_off_) return;
  peer(from).voted = true;
  peer(from).granted = call->granted;
  count_votes();
}

/// EpochElection.isVoteGranted, isVoteRejected
void RaftVoter::count_votes() {
  std::size_t granted = 0;
  std::size_t open = 0;
  for (const Peer& peer : peers_) {
    granted += peer.granted ? 1 : 0;
    open += peer.voted ? 0 : 1;
  }
  if (granted >= majority()) return state_ == RaftState::prospective ? become_candidate() : become_leader();
  if (granted + open < majority()) lose_election();
}

void RaftVoter::handle(Ref<VoteCall> call) {
  if (call->epoch < epoch_) {
    call->error = ErrorCode::fenced_leader_epoch;
  } else {
    if (call->epoch > epoch_) become_unattached(call->epoch);
    call->granted = can_grant(*call);
    const bool votes = state_ == RaftState::unattached || state_ == RaftState::prospective;
    if (call->granted && !call->pre_vote && votes && voted_ == kNoController) {
      voted_ = call->candidate;
      if (state_ == RaftState::unattached) await_election();
    }
  }
  tell_epoch(*call);
  listener_.answer(std::move(call));
}

/// UnattachedState, FollowerState, ProspectiveState, CandidateState, ResignedState: canGrantVote
bool RaftVoter::can_grant(const VoteCall& call) const {
  const std::int32_t last = last_epoch();
  const bool up_to_date = call.last_epoch > last || (call.last_epoch == last && call.end >= log_end());
  if (state_ == RaftState::leader) return false;
  if (state_ == RaftState::follower) return call.pre_vote && !has_fetched_ && up_to_date;
  if (call.pre_vote) return up_to_date;
  if (state_ != RaftState::unattached && state_ != RaftState::prospective) return voted_ == call.candidate;
  return voted_ == kNoController ? up_to_date : voted_ == call.candidate;
}

// ---- the start and the end of a reign -----------------------------------------------------------------------------

/// LeaderState.beginQuorumEpochTimer: to those who have not fetched for a while, and so may not know who leads.
void RaftVoter::send_begin_epochs() {
  const sim::Duration every = config().controller_quorum_fetch_timeout / 2;
  const sim::Time now = cluster_.context().now();
  for (Peer& peer : peers_) {
    const bool fetches = peer.last_fetch > sim::Time{} && now - peer.last_fetch < every;
    if (!peer.channel || peer.asked || fetches) continue;
    Ref<BeginQuorumEpochCall> call = cluster_.take<BeginQuorumEpochCall>();
    call->epoch = epoch_;
    call->leader = number_;
    call->round = round_;
    peer.asked = true;
    peer.channel->call<&RaftVoter::on_begun>(*this, std::move(call));
  }
  begin_timer_.arm_after(every);
}

void RaftVoter::handle(Ref<BeginQuorumEpochCall> call) {
  if (call->epoch < epoch_)
    call->error = ErrorCode::fenced_leader_epoch;
  else
    adopt(call->epoch, call->leader);
  tell_epoch(*call);
  listener_.answer(std::move(call));
}

void RaftVoter::on_begun(BrokerId from, Ref<BeginQuorumEpochCall> call) {
  if (call->round == round_) peer(from).asked = false;
  if (call->error != ErrorCode::disconnected) adopt(call->epoch, call->leader);
}

void RaftVoter::send_end_epochs() {
  for (Peer& peer : peers_) {
    if (!peer.channel || peer.asked) continue;
    Ref<EndQuorumEpochCall> call = cluster_.take<EndQuorumEpochCall>();
    call->epoch = epoch_;
    call->leader = number_;
    call->successors = successors_;
    call->round = round_;
    peer.asked = true;
    peer.channel->call<&RaftVoter::on_ended>(*this, std::move(call));
  }
}

/// The successor that is preferred stands at once, the others wait (KafkaRaftClient.endEpochElectionBackoff).
void RaftVoter::handle(Ref<EndQuorumEpochCall> call) {
  const std::int32_t resigned = call->leader;
  if (call->epoch < epoch_) {
    call->error = ErrorCode::fenced_leader_epoch;
  } else {
    adopt(call->epoch, resigned);
    if (state_ == RaftState::follower && leader_ == resigned) {
      const auto at = std::find(call->successors.begin(), call->successors.end(), number_);
      const auto place = at - call->successors.begin();
      const sim::Duration most = config().controller_quorum_election_backoff_max;
      const sim::Duration base = sim::Duration{most.count() >> (call->successors.size() - 1)};
      timer_.arm_after(place == 0 ? sim::Duration{}
                                  : std::min(most, base * (std::int64_t{1} << (place - 1))));
    }
  }
  tell_epoch(*call);
  listener_.answer(std::move(call));
}

void RaftVoter::on_ended(BrokerId from, Ref<EndQuorumEpochCall> call) {
  if (!failed(from, *call)) adopt(call->epoch, call->leader);
}

/// Whatever the state asks of the others, again.
void RaftVoter::retry() {
  if (state_ == RaftState::prospective || (state_ == RaftState::candidate && !backing_off_)) {
    for (std::size_t n = 0; n < peers_.size(); ++n) {
      if (peers_[n].channel && !peers_[n].asked) ask_for_vote(static_cast<std::int32_t>(n));
    }
  }
  if (state_ == RaftState::resigned) send_end_epochs();
  if (state_ == RaftState::follower) fetch();
}

}  // namespace models::kafka
