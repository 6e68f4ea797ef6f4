// A voter of the controllers' quorum: elects a leader, and replicates the metadata log to a majority.
//
// Rules: KafkaRaftClient.java, QuorumState.java, LeaderState.java, EpochElection.java. A follower fetches from its leader,
// without end; when no fetch has succeeded for controller.quorum.fetch.timeout.ms it asks the others whether they would vote
// for it (pre-vote, KIP-996: since 4.0, without it raises the epoch at once) and, if a majority would, stands for election.
// Each vote goes once an epoch, to a log that is no shorter than one's own. An election lasts a random time between one and two
// controller.quorum.election.timeout.ms; who has lost backs off by a random time that doubles with each loss, up to
// controller.quorum.election.backoff.max.ms. A leader commits what a majority has fetched, once that includes a record of its own
// epoch; it is the active controller from then on. A leader from which no majority has fetched for one and a half fetch timeouts
// resigns (KAFKA-15489, since 3.7), and so does one that shuts down: it names its successors, the best log first
// (EndQuorumEpoch).
//
// Epoch, vote and log are on disk before anybody hears of them: a crash takes none of it.
//
// Model: the voters are fixed (KIP-853 has them changed), snapshots are not needed, and no NoOpRecord is written every
// metadata.max.idle.interval.ms: nothing measures how old the metadata are.
// Model: brokers, which are observers of the quorum, are sent what is committed, not what may yet be cut off; without KIP-1166
// (4.1) they hear that it is only with the next record, or when their fetch has waited its 500 ms.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/quorum/metadata_log.hpp"
#include "models/kafka/quorum/metadata_writer.hpp"
#include "models/kafka/rpc.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models::kafka {

enum class RaftState : std::uint8_t { unattached, follower, prospective, candidate, leader, resigned };

/// What a voter tells the controller that it belongs to (RaftClient.Listener).
class RaftListener {
 public:
  virtual ~RaftListener() = default;
  /// It leads, and all that was committed before is known to it: the controller becomes active.
  virtual void claimed() = 0;
  /// It leads no longer; what it wrote and is not committed may never be.
  virtual void renounced() = 0;
  /// Its records below `end` are committed.
  virtual void committed(std::size_t end) = 0;
  /// Answers a call and goes on with the next of its connection.
  virtual void answer(AnyCall call) = 0;
  /// After shut_down(): another leads, or nobody will while this waits.
  virtual void may_end() = 0;
};

class RaftVoter final : public MetadataWriter, public MetadataKeeper {
 public:
  /// A record on this voter's disk. Two logs that hold one of the same epoch at the same place are equal up to there.
  using Record = RaftRecord;

  RaftVoter(Cluster& cluster, Node& node, std::int32_t number, MetadataLog& metadata, RaftListener& listener);

  /// At time 0 the quorum has been up for a while: the first voter leads.
  void start();
  void crashed();
  void restarted();
  /// Resigns where it leads; RaftListener::may_end() follows.
  void shut_down();

  void handle(Ref<VoteCall> call);
  void handle(Ref<BeginQuorumEpochCall> call);
  void handle(Ref<EndQuorumEpochCall> call);
  void handle(Ref<MetadataLogCall> call);

  // MetadataWriter
  void append(const MetadataChange& change) override;
  std::size_t end() const override { return log_end() + gathered_.size(); }
  /// As far as this voter knows: one that has been deposed and has not heard of it cannot count what its successor commits.
  std::size_t done() const override { return high_watermark_; }
  bool claimed() const override { return claimed_; }
  std::int32_t epoch() const override { return epoch_; }

  RaftState state() const { return state_; }
  std::int32_t number() const { return number_; }
  /// From log_start() on: what lies before is in a snapshot.
  const std::deque<Record>& records() const { return log_; }
  std::size_t log_start() const { return start_; }
  std::size_t log_end() const { return start_ + log_.size(); }

  // MetadataKeeper
  bool holds(std::size_t n) const override;
  void forget_below(std::size_t n) override;

 private:
  struct Peer {
    std::unique_ptr<RpcChannel> channel;
    bool voted = false;    ///< in this round
    bool granted = false;  ///< in this round
    bool asked = false;    ///< an answer is awaited, or has come
    bool fetched = false;  ///< since the majority was last heard of
    sim::Time last_fetch{};
    std::size_t end = 0;  ///< of its log, as its last fetch told; unknown: 0
  };
  struct Parked {
    Ref<MetadataLogCall> call;
    sim::Time deadline;
  };

  // ---- transitions ----
  void enter(RaftState state, std::int32_t leader);
  void leave_lead();
  void become_unattached(std::int32_t epoch, bool anew = false);
  void await_election();
  void become_follower(std::int32_t epoch, std::int32_t leader);
  void become_prospective();
  void become_candidate();
  void become_leader();
  void watch_majority();
  void resign();
  void stand();  // for election, or asks first whether it would be elected
  void lose_election();
  bool adopt(std::int32_t epoch, std::int32_t leader);
  void on_timer();
  sim::Duration random_election_timeout();
  sim::Duration random_backoff();

  // ---- votes ----
  void ask_for_votes();
  void ask_for_vote(std::int32_t peer);
  void on_vote(BrokerId from, Ref<VoteCall> call);
  void count_votes();
  bool can_grant(const VoteCall& call) const;
  void on_begun(BrokerId from, Ref<BeginQuorumEpochCall> call);
  void on_ended(BrokerId from, Ref<EndQuorumEpochCall> call);
  void send_begin_epochs();
  void send_end_epochs();
  void retry();

  // ---- the log ----
  void fetch();
  void on_fetched(BrokerId from, Ref<MetadataLogCall> call);
  void store(const MetadataLogCall& call);
  void flush();
  void note_fetch(const MetadataLogCall& call);
  void advance_high_watermark();
  void serve(Ref<MetadataLogCall> call);
  bool has_news(const MetadataLogCall& call) const;
  bool parted(const MetadataLogCall& call, std::int32_t& found) const;
  void wake();
  void expire_fetches();
  const Record& at(std::size_t n) const { return log_[n - start_]; }
  template <class Ready>
  void release(Ready ready);
  std::int32_t last_epoch() const;
  std::size_t end_of_epoch(std::int32_t epoch, std::int32_t& found) const;

  const BrokerConfig& config() const { return cluster_.options().config; }
  std::size_t majority() const { return peers_.size() / 2 + 1; }
  bool rule(Rule r) const { return cluster_.options().rules.has(r); }
  Peer& peer(BrokerId id) { return peers_[static_cast<std::size_t>(controller_number(id))]; }
  /// The call did not arrive, or its answer did not: it is made again, if the state still asks for it.
  template <class CallT>
  bool failed(BrokerId to, const CallT& call) {
    if (call.error != ErrorCode::disconnected) return false;
    if (call.round != round_) return true;
    peer(to).asked = false;
    retry_timer_.arm_after(config().controller_quorum_retry_backoff);
    return true;
  }
  template <class CallT>
  void tell_epoch(CallT& call) const {
    call.epoch = epoch_;
    call.leader = leader_;
  }

  Cluster& cluster_;
  Node& node_;
  std::int32_t number_;
  MetadataLog& metadata_;
  RaftListener& listener_;
  sim::Stream stream_;

  // ---- on disk ----
  std::int32_t epoch_ = 1;
  std::int32_t voted_ = kNoController;
  std::deque<Record> log_;
  std::size_t start_ = 0;            // of the log: the snapshot ends there
  std::int32_t snapshot_epoch_ = 1;  // of the last record before

  RaftState state_ = RaftState::unattached;
  std::int32_t leader_ = kNoController;
  std::uint32_t round_ = 0;  // of requests: rises with each transition, so that answers of old are told apart
  std::uint32_t losses_ = 0;
  bool backing_off_ = false;
  bool has_fetched_ = false;  // from this leader
  bool fetch_in_flight_ = false;
  bool shutting_down_ = false;
  bool waking_ = false;
  std::vector<std::int32_t> successors_;  // named when it resigned
  std::vector<Peer> peers_;               // by number, this one included

  // ---- of a leader ----
  bool claimed_ = false;
  std::size_t epoch_start_ = 0;
  std::size_t high_watermark_ = 0;
  std::vector<const MetadataChange*> gathered_;  // for controller.quorum.append.linger.ms
  std::vector<Parked> parked_;                   // in order of deadline
  std::vector<Parked> released_;                 // of these, about to be answered

  sim::Time election_ends_{};
  NodeTimer<std::function<void()>> timer_;  // fetch, election, backoff, or checks that a majority fetches
  NodeTimer<std::function<void()>> retry_timer_;  // requests that failed
  NodeTimer<std::function<void()>> flush_timer_;
  NodeTimer<std::function<void()>> fetch_timer_;  // of parked fetches
  NodeTimer<std::function<void()>> begin_timer_;
};

}  // namespace models::kafka
