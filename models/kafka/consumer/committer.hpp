// Commits offsets: of their own accord inside poll() (enable.auto.commit), asynchronously, or while the
// application waits (ConsumerCoordinator.java).
//
// What is committed is "all consumed": the position of every partition held, which is past the last record that poll() has
// handed out. Whether the application has processed those records is not known here, unless it stores offsets itself.
//
// A blocking commit is repeated after retriable errors until its time is over; an asynchronous one never,
// since a later one may have been sent meanwhile. A commit that fails for good leaves a commit_refused record
// for each position that it would have settled.
#pragma once

#include <vector>

#include "models/kafka/consumer/assignment.hpp"
#include "models/kafka/consumer/membership.hpp"
#include "models/kafka/consumer/stored_offsets.hpp"

namespace models::kafka {

class CommitterOwner {
 public:
  virtual ~CommitterOwner() = default;
  /// The blocking commit is over.
  virtual void commit_finished(ErrorCode error) = 0;
};

class Committer {
 public:
  Committer(ConsumerGroup& group, Node& node, Assignment& assignment, Membership& membership,
            CommitterOwner& owner);

  /// What is committed is what the application has stored, not all consumed.
  void commit_stored(StoredOffsets& stored) { stored_ = &stored; }

  // ---- enable.auto.commit ----
  /// Called by poll(): commits what earlier polls handed out when auto.commit.interval.ms has passed.
  void automatic_if_due();
  void restart_interval();
  sim::Time next_automatic() const { return next_automatic_; }

  /// commitAsync(): all consumed.
  void asynchronous();

  /// commitSync(): all consumed. commit_finished() runs once, perhaps before this returns.
  void blocking(sim::Duration limit);
  /// commitSync() of one position.
  void blocking(const OffsetCommitCall::Item& item, sim::Duration limit);
  bool blocked() const { return blocked_; }
  /// Some commit waits for its answer, or to be sent.
  bool under_way() const { return blocked_ || !in_flight_.empty() || !waiting_.empty(); }

  /// The coordinator may be known now.
  void wake();
  void forget();

 private:
  using Items = std::vector<OffsetCommitCall::Item>;
  enum class Purpose : std::uint8_t { automatic, asynchronous, blocking, nobody };
  struct InFlight {
    const OffsetCommitCall* call;
    Purpose purpose;
  };

  void all_consumed(Items& items) const;
  ErrorCode send(Purpose purpose, const Items& items);
  void on_answer(BrokerId from, Ref<OffsetCommitCall> call);
  Purpose take_purpose(const OffsetCommitCall* call);
  void settle(const OffsetCommitCall& call);
  /// The error as the application sees it, after the membership has drawn its conclusions.
  ErrorCode interpret(BrokerId from, const OffsetCommitCall& call);
  void failed(Purpose purpose, const Items& items, ErrorCode error);
  void refuse(const Items& items, ErrorCode error);
  void begin_blocking(sim::Duration limit);
  void arm(sim::Time at);
  void try_blocking();
  void finish_blocking(ErrorCode error);
  void timer_due();

  const ConsumerConfig& config_;
  const std::string& group_name_;
  EntityId group_;
  Cluster& cluster_;
  Context& context_;
  Node& node_;
  Assignment& assignment_;
  StoredOffsets* stored_ = nullptr;
  Membership& membership_;
  CommitterOwner& owner_;
  std::vector<InFlight> in_flight_;
  sim::Time next_automatic_{};
  Items scratch_;
  Items waiting_;  // an asynchronous commit that waits for the coordinator to be found
  Items blocking_items_;
  bool blocked_ = false;
  bool blocking_sent_ = false;
  std::uint32_t attempts_ = 0;
  sim::Time deadline_{};
  sim::Time retry_at_{};
  StepCell& sent_step_;
  StepCell& committed_step_;
  sim::Stream jitter_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
