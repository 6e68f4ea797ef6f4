// A member of a quorum queue, as Ra has it (rabbitmq/ra, ra_server.erl and ra_server_proc.erl): Raft with pre-vote, in which a
// leader pushes entries to its followers without waiting for each, and sends no heartbeats. Whether a leader is there others
// judge: its node goes down, or the failure detector suspects it. Pure: its host sends, writes, keeps time and applies.
//
// Entries count for an acknowledgement when they are on the member's disk (written()). An entry of the leader's own term is
// committed once a majority has it there, and everything before it with it. Term and vote survive a crash, and so does what was
// written.
//
// The Raft of Kafka's controllers (models/kafka/quorum) is another one, and shares nothing with this: there followers fetch from
// their leader, whose resignation and election go by what was fetched when, epochs begin with a record, and logs diverge and are
// truncated by the answers to fetches (KIP-595). What both have in common is what their checkers say.
#pragma once

#include <cstdint>
#include <vector>

#include "models/pool.hpp"
#include "models/rabbitmq/raft_log.hpp"

namespace models::rabbitmq {

class RaftMember;

/// From one member to another.
struct RaftFrame {
  enum class What : std::uint8_t {
    append,
    appended,
    pre_vote,
    pre_voted,
    vote,
    voted,
    snapshot,
    snapshot_installed
  };
  What what{};
  bool success = false;  ///< of an answer: appended, or the vote is given
  std::uint16_t from = 0;
  std::uint64_t term = 0;
  std::uint64_t token = 0;  ///< of a pre-vote
  std::uint64_t index =
      0;  ///< before the entries; the candidate's last; the member's last that is written; the snapshot's
  std::uint64_t index_term = 0;
  std::uint64_t next = 0;  ///< of `appended`: what is wanted next
  std::uint64_t commit = 0;
  std::vector<RaftEntry> entries{};

  // ---- where it goes ----
  void* group = nullptr;
  std::uint16_t to = 0;

  std::uint32_t refs = 0;
  Shelf<RaftFrame>* home = nullptr;
  void clear() { entries.clear(); }
};

/// How long until a member asks for votes: drawn by the host.
enum class ElectionTimeout : std::uint8_t { really_short, brief, medium, extended };

class RaftHost {
 public:
  virtual ~RaftHost() = default;
  virtual Ref<RaftFrame> raft_frame() = 0;
  virtual void raft_send(RaftMember& from, std::uint16_t to, Ref<RaftFrame> frame) = 0;
  /// Everything up to `index` is to be written; written() follows, at once or later.
  virtual void raft_write(RaftMember& member, std::uint64_t index) = 0;
  virtual void raft_wait(RaftMember& member, ElectionTimeout timeout) = 0;
  virtual void raft_stop_waiting(RaftMember& member) = 0;
  /// In order, once for each life of the member.
  virtual void raft_apply(RaftMember& member, std::uint64_t index, const RaftEntry& entry) = 0;
  virtual void raft_installed(RaftMember& member, std::uint64_t index) = 0;
  virtual void raft_role_changed(RaftMember& member) = 0;
};

enum class RaftRole : std::uint8_t { follower, pre_vote, candidate, leader };

class RaftMember {
 public:
  /// `size`: members, numbered from 0; `self` is one.
  RaftMember(RaftHost& host, std::uint16_t self, std::uint16_t size)
      : host_(host), self_(self), peers_(size) {}

  std::uint16_t self() const { return self_; }
  RaftRole role() const { return role_; }
  bool leads() const { return role_ == RaftRole::leader; }
  std::uint64_t term() const { return term_; }
  const RaftLog& entries() const { return log_; }
  std::uint64_t commit() const { return commit_; }
  std::uint64_t applied() const { return applied_; }
  std::uint64_t written_index() const { return written_; }
  /// Whom it takes for the leader; its size: nobody.
  std::uint16_t leader() const { return leader_; }

  /// The queue was declared: this member leads it, in term 1, and the others know.
  void begin(std::uint16_t leader);
  /// At the leader. Returns the index.
  std::uint64_t command(Ref<Command> command);
  void receive(const RaftFrame& frame);
  /// `life`: write_life() when it was asked for. What was cut off since is not meant.
  void written(std::uint64_t index, std::uint64_t life);
  std::uint64_t write_life() const { return write_life_; }
  void election_timeout();

  // ---- what is known of nodes ----
  void peer_down(std::uint16_t peer);
  void peer_suspected(std::uint16_t peer);
  void peer_trusted(std::uint16_t peer);
  void peer_up(std::uint16_t peer);

  void crash();
  void restart();
  /// Entries up to `index` are in a snapshot.
  void compact(std::uint64_t index) { log_.compact(index); }

 private:
  struct Peer {
    std::uint64_t next = 1;
    std::uint64_t match = 0;
    std::uint64_t guess = 0;  // of what it has, until it has answered
    std::uint64_t commit_sent = 0;
    bool installing = false;
  };
  std::uint16_t size() const { return static_cast<std::uint16_t>(peers_.size()); }
  std::size_t majority() const { return peers_.size() / 2 + 1; }
  void wait(ElectionTimeout timeout);
  void become(RaftRole role);
  void see_term(std::uint64_t term);
  void step_down(std::uint64_t term);
  void ask_for_pre_votes();
  void ask_for_votes();
  void lead();
  void count_vote();
  void replicate(bool always);
  void send_entries(std::uint16_t peer);
  void advance_commit();
  void cut_after(std::uint64_t index);
  void apply();
  Ref<RaftFrame> frame(RaftFrame::What what) const;
  void answer_append(std::uint16_t leader, bool success, std::uint64_t last, std::uint64_t next);
  void on_append(const RaftFrame& f);
  void on_appended(const RaftFrame& f);
  void on_snapshot(const RaftFrame& f);
  void on_pre_vote(const RaftFrame& f);
  void on_vote(const RaftFrame& f);
  bool up_to_date(const RaftFrame& f) const;
  void heard_leader(std::uint16_t leader);

  RaftHost& host_;
  const std::uint16_t self_;
  RaftRole role_ = RaftRole::follower;
  std::uint64_t term_ = 0;
  std::uint16_t voted_for_ = kNobody;
  std::uint16_t leader_ = kNobody;
  RaftLog log_;
  std::uint64_t written_ = 0;
  std::uint64_t commit_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t token_ = 0;
  std::uint64_t write_life_ = 0;    // rises when entries are cut off
  std::uint64_t validated_ = 0;     // so far its log is known to be its leader's
  std::uint64_t missing_from_ = 0;  // it has asked for entries from here on; 0: it misses none
  std::size_t votes_ = 0;
  bool waiting_ = false;  // for an election timeout
  std::vector<Peer> peers_;

 public:
  static constexpr std::uint16_t kNobody = 0xffff;
};

}  // namespace models::rabbitmq
