#include "models/rabbitmq/raft.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

/// AER_CHUNK_SIZE
constexpr std::size_t kBatch = 128;
/// max_pipeline_count
constexpr std::uint64_t kPipeline = 4096;

}  // namespace

Ref<RaftFrame> RaftMember::frame(RaftFrame::What what) const {
  Ref<RaftFrame> f = host_.raft_frame();
  f->what = what;
  f->from = self_;
  f->term = term_;
  f->success = false;
  return f;
}

void RaftMember::begin(std::uint16_t leader) {
  term_ = 1;
  leader_ = leader;
  voted_for_ = leader;
  log_.append({1, {}});
  written_ = commit_ = applied_ = 1;
  for (Peer& peer : peers_) peer = {2, 1, 1, 1, false};
  if (leader == self_) become(RaftRole::leader);
}

// ---- roles --------------------------------------------------------------------------------------------------------

/// maybe_set_election_timeout: one that runs goes on.
void RaftMember::wait(ElectionTimeout timeout) {
  if (std::exchange(waiting_, true)) return;
  host_.raft_wait(*this, timeout);
}

void RaftMember::become(RaftRole role) {
  if (std::exchange(waiting_, false)) host_.raft_stop_waiting(*this);
  role_ = role;
  votes_ = 0;
  missing_from_ = 0;
  host_.raft_role_changed(*this);
}

void RaftMember::see_term(std::uint64_t term) {
  if (term <= term_) return;
  term_ = term;
  validated_ = missing_from_ = 0;
  voted_for_ = kNobody;
}

void RaftMember::step_down(std::uint64_t term) {
  see_term(term);
  if (role_ == RaftRole::follower) return;
  if (role_ == RaftRole::leader) leader_ = kNobody;
  become(RaftRole::follower);
  wait(ElectionTimeout::extended);
}

void RaftMember::heard_leader(std::uint16_t leader) {
  if (role_ != RaftRole::follower) become(RaftRole::follower);
  leader_ = leader;
  if (std::exchange(waiting_, false)) host_.raft_stop_waiting(*this);
}

/// call_for_election(pre_vote, …)
void RaftMember::ask_for_pre_votes() {
  leader_ = kNobody;
  if (role_ != RaftRole::pre_vote) become(RaftRole::pre_vote);
  votes_ = 0;
  ++token_;
  wait(ElectionTimeout::extended);
  for (std::uint16_t peer = 0; peer < size(); ++peer) {
    if (peer == self_) continue;
    Ref<RaftFrame> f = frame(RaftFrame::What::pre_vote);
    f->token = token_;
    f->index = log_.last_index();
    f->index_term = log_.last_term();
    host_.raft_send(*this, peer, std::move(f));
  }
  count_vote();
}

void RaftMember::ask_for_votes() {
  const bool again = role_ == RaftRole::candidate;
  if (!again) become(RaftRole::candidate);
  votes_ = 0;
  ++term_;
  voted_for_ = self_;
  leader_ = kNobody;
  wait(again ? ElectionTimeout::medium : ElectionTimeout::brief);
  for (std::uint16_t peer = 0; peer < size(); ++peer) {
    if (peer == self_) continue;
    Ref<RaftFrame> f = frame(RaftFrame::What::vote);
    f->index = log_.last_index();
    f->index_term = log_.last_term();
    host_.raft_send(*this, peer, std::move(f));
  }
  count_vote();
}

void RaftMember::count_vote() {
  if (++votes_ != majority()) return;
  if (role_ == RaftRole::pre_vote) return ask_for_votes();
  lead();
}

void RaftMember::lead() {
  for (Peer& peer : peers_) peer = {log_.last_index() + 1, 0, log_.last_index(), 0, false};
  leader_ = self_;
  become(RaftRole::leader);
  log_.append({term_, {}});
  host_.raft_write(*this, log_.last_index());
  replicate(true);
}

void RaftMember::election_timeout() {
  waiting_ = false;
  switch (role_) {
    case RaftRole::follower:
    case RaftRole::pre_vote:
      return ask_for_pre_votes();
    case RaftRole::candidate:
      return ask_for_votes();
    case RaftRole::leader:
      return;
  }
}

// ---- what is known of nodes ---------------------------------------------------------------------------------------

/// DOWN, noconnection
void RaftMember::peer_down(std::uint16_t peer) {
  if (role_ == RaftRole::follower && peer == leader_) wait(ElectionTimeout::brief);
}

void RaftMember::peer_suspected(std::uint16_t peer) {
  if (role_ == RaftRole::follower && peer == leader_) wait(ElectionTimeout::extended);
}

void RaftMember::peer_trusted(std::uint16_t peer) {
  if (role_ != RaftRole::follower || peer != leader_) return;
  if (std::exchange(waiting_, false)) host_.raft_stop_waiting(*this);
}

/// Model: Ra's leader sends again what is not acknowledged at its next tick, up to 5 s later.
void RaftMember::peer_up(std::uint16_t peer) {
  // What it has asked for may have been lost. Ra asks again after a while.
  if (peer == leader_) missing_from_ = 0;
  if (role_ != RaftRole::leader) return;
  peers_[peer].installing = false;
  peers_[peer].next = (peers_[peer].match > 0 ? peers_[peer].match : peers_[peer].guess) + 1;
  send_entries(peer);
}

void RaftMember::crash() {
  cut_after(std::max(written_, log_.snapshot_index()));
  // What it had applied without having it on its own disk it will apply again.
  applied_ = std::min(applied_, log_.last_index());
  validated_ = 0;
  waiting_ = false;
  role_ = RaftRole::follower;
  leader_ = kNobody;
  missing_from_ = 0;
}

/// Model: what was applied is known again at once; Ra recovers it from its snapshot and log.
void RaftMember::restart() {
  commit_ = applied_;
  wait(ElectionTimeout::brief);
}

// ---- the leader ---------------------------------------------------------------------------------------------------

std::uint64_t RaftMember::command(Ref<Command> command) {
  MQLAB_ASSERT(leads(), "commands go to the leader");
  const std::uint64_t index = log_.append({term_, std::move(command)});
  host_.raft_write(*this, index);
  if (leads()) replicate(false);
  return index;
}

void RaftMember::replicate(bool always) {
  for (std::uint16_t peer = 0; peer < size(); ++peer) {
    if (peer == self_) continue;
    const Peer& p = peers_[peer];
    if (always || p.next <= log_.last_index() || p.commit_sent < commit_) send_entries(peer);
  }
}

void RaftMember::send_entries(std::uint16_t peer) {
  Peer& p = peers_[peer];
  if (p.installing) return;
  if (p.next < log_.first_index()) {
    Ref<RaftFrame> f = frame(RaftFrame::What::snapshot);
    f->index = log_.snapshot_index();
    f->index_term = log_.snapshot_term();
    p.installing = true;
    return host_.raft_send(*this, peer, std::move(f));
  }
  do {
    if (p.next > std::max(p.match, p.guess) + kPipeline) return;
    Ref<RaftFrame> f = frame(RaftFrame::What::append);
    f->index = p.next - 1;
    f->index_term = *log_.term_at(p.next - 1);
    f->commit = commit_;
    while (p.next <= log_.last_index() && f->entries.size() < kBatch) f->entries.push_back(log_.at(p.next++));
    p.commit_sent = commit_;
    host_.raft_send(*this, peer, std::move(f));
  } while (p.next <= log_.last_index());
}

/// evaluate_quorum
void RaftMember::advance_commit() {
  // The highest index that a majority has.
  std::uint64_t on_majority = 0;
  for (std::uint16_t a = 0; a < size(); ++a) {
    const std::uint64_t index = a == self_ ? written_ : peers_[a].match;
    std::size_t have = 0;
    for (std::uint16_t b = 0; b < size(); ++b) have += (b == self_ ? written_ : peers_[b].match) >= index;
    if (have >= majority()) on_majority = std::max(on_majority, index);
  }
  if (on_majority <= commit_ || log_.term_at(on_majority) != term_) return;
  commit_ = on_majority;
  apply();
}

/// A follower applies what is on its own disk, too.
void RaftMember::apply() {
  const std::uint64_t end = leads() ? commit_ : std::min(commit_, written_);
  while (applied_ < end) {
    ++applied_;
    host_.raft_apply(*this, applied_, log_.at(applied_));
  }
}

void RaftMember::cut_after(std::uint64_t index) {
  if (log_.last_index() <= index) return;
  log_.truncate_after(index);
  written_ = std::min(written_, index);
  ++write_life_;
}

void RaftMember::on_appended(const RaftFrame& f) {
  if (role_ != RaftRole::leader || f.term < term_) return;
  Peer& p = peers_[f.from];
  if (f.success) {
    p.match = std::max(p.match, f.index);
    p.next = std::max(p.next, f.next);
    advance_commit();
    return replicate(false);
  }
  const std::optional<std::uint64_t> term = log_.term_at(f.index);
  if (!term) {
    p.next = std::min(f.next, log_.last_index() + 1);
  } else if (*term == f.index_term && f.index >= p.match) {
    p.match = f.index;
    p.next = std::min(f.next, log_.last_index() + 1);
  } else if (f.index < p.match) {
    // It knows less than it did: what was not written when it crashed had not been acknowledged, so this is an old answer.
    p.next = p.match + 1;
  } else {
    p.next = std::max(std::min(p.next - 1, f.index), p.match + 1);
  }
  p.guess = p.next - 1;
  send_entries(f.from);
}

// ---- followers ----------------------------------------------------------------------------------------------------

void RaftMember::answer_append(std::uint16_t leader, bool success, std::uint64_t last, std::uint64_t next) {
  Ref<RaftFrame> f = frame(RaftFrame::What::appended);
  f->success = success;
  f->index = last;
  f->index_term = log_.term_at(last).value_or(0);
  f->next = next;
  host_.raft_send(*this, leader, std::move(f));
}

void RaftMember::on_append(const RaftFrame& f) {
  if (f.term < term_) return answer_append(f.from, false, written_, written_ + 1);
  MQLAB_ASSERT(role_ != RaftRole::leader || f.term > term_, "a term has one leader");
  see_term(f.term);
  heard_leader(f.from);
  const std::optional<std::uint64_t> before = log_.term_at(f.index);
  if (f.index > log_.last_index() || before != f.index_term) {
    // What comes behind the entries that it has asked for is of no use yet.
    if (missing_from_ != 0 && f.index >= missing_from_) return;
    // Of what a snapshot stands for, it cannot say more than that it has it.
    const bool missing = f.index > log_.last_index() || f.index < log_.snapshot_index();
    const std::uint64_t next = (missing ? log_.last_index() : applied_) + 1;
    missing_from_ = next;
    return answer_append(f.from, false, missing ? written_ : applied_, next);
  }
  missing_from_ = 0;
  std::uint64_t index = f.index;
  bool wrote = false;
  for (const RaftEntry& entry : f.entries) {
    ++index;
    if (index <= log_.last_index()) {
      if (log_.term_at(index) == entry.term) continue;
      MQLAB_ASSERT(index > applied_, "what was applied is not overwritten");
      cut_after(index - 1);
    }
    log_.append(entry);
    wrote = true;
  }
  if (f.entries.empty() && log_.last_index() > f.index) {
    MQLAB_ASSERT(f.index >= applied_, "what was applied is not forgotten");
    cut_after(f.index);
  }
  validated_ = std::max(validated_, index);
  commit_ = std::max(commit_, std::min(f.commit, index));
  apply();
  if (wrote) return host_.raft_write(*this, log_.last_index());
  answer_append(f.from, true, std::min(written_, index), index + 1);
}

void RaftMember::written(std::uint64_t index, std::uint64_t life) {
  if (life != write_life_) return;
  written_ = std::max(written_, index);
  if (role_ == RaftRole::leader) {
    const std::uint64_t before = commit_;
    advance_commit();
    if (commit_ > before && leads()) replicate(false);
  } else if (role_ == RaftRole::follower && leader_ != kNobody) {
    apply();
    // What it has from an earlier leader may not be this one's.
    if (validated_ > 0) answer_append(leader_, true, std::min(written_, validated_), validated_ + 1);
  }
}

void RaftMember::on_snapshot(const RaftFrame& f) {
  if (f.term < term_) return;
  see_term(f.term);
  heard_leader(f.from);
  missing_from_ = 0;
  if (f.index > applied_) {
    if (log_.term_at(f.index) == f.index_term) {
      // What lies behind it stays: it may have been acknowledged.
      log_.compact(f.index);
      written_ = std::max(written_, f.index);
    } else {
      log_.reset(f.index, f.index_term);
      written_ = f.index;
      ++write_life_;
    }
    validated_ = std::max(validated_, f.index);
    commit_ = std::max(commit_, f.index);
    applied_ = f.index;
    host_.raft_installed(*this, f.index);
  }
  Ref<RaftFrame> answer = frame(RaftFrame::What::snapshot_installed);
  answer->index = f.index;
  host_.raft_send(*this, f.from, std::move(answer));
}

// ---- votes --------------------------------------------------------------------------------------------------------

bool RaftMember::up_to_date(const RaftFrame& f) const {
  return f.index_term > log_.last_term() ||
         (f.index_term == log_.last_term() && f.index >= log_.last_index());
}

/// process_pre_vote
void RaftMember::on_pre_vote(const RaftFrame& f) {
  if (role_ == RaftRole::leader) {
    if (f.term > term_) return step_down(f.term);
    // It leads, and says so.
    return send_entries(f.from);
  }
  if (f.term > term_ && role_ == RaftRole::candidate) step_down(f.term);
  Ref<RaftFrame> answer = frame(RaftFrame::What::pre_voted);
  answer->token = f.token;
  if (f.term >= term_) {
    see_term(f.term);
    answer->success = up_to_date(f);
    if (!answer->success && role_ == RaftRole::follower) return wait(ElectionTimeout::extended);
  }
  answer->term = term_;
  host_.raft_send(*this, f.from, std::move(answer));
}

void RaftMember::on_vote(const RaftFrame& f) {
  if (f.term > term_) {
    if (role_ == RaftRole::follower)
      see_term(f.term);
    else
      step_down(f.term);
  }
  const bool free = voted_for_ == kNobody || voted_for_ == f.from;
  Ref<RaftFrame> answer = frame(RaftFrame::What::voted);
  answer->success = f.term == term_ && role_ == RaftRole::follower && free && up_to_date(f);
  if (answer->success) voted_for_ = f.from;
  host_.raft_send(*this, f.from, std::move(answer));
}

void RaftMember::receive(const RaftFrame& f) {
  switch (f.what) {
    case RaftFrame::What::append:
      return on_append(f);
    case RaftFrame::What::snapshot:
      return on_snapshot(f);
    case RaftFrame::What::pre_vote:
      return on_pre_vote(f);
    case RaftFrame::What::vote:
      return on_vote(f);
    case RaftFrame::What::appended:
      if (f.term > term_) return step_down(f.term);
      return on_appended(f);
    case RaftFrame::What::snapshot_installed:
      if (role_ != RaftRole::leader || f.term != term_) return;
      peers_[f.from].installing = false;
      peers_[f.from].match = std::max(peers_[f.from].match, f.index);
      peers_[f.from].next = peers_[f.from].match + 1;
      return send_entries(f.from);
    case RaftFrame::What::pre_voted:
      if (f.term > term_) return step_down(f.term);
      if (role_ == RaftRole::pre_vote && f.success && f.token == token_ && f.term == term_) count_vote();
      return;
    case RaftFrame::What::voted:
      if (f.term > term_) return step_down(f.term);
      if (role_ == RaftRole::candidate && f.success && f.term == term_) count_vote();
      return;
  }
}

}  // namespace models::rabbitmq
