// A group of competing workers: each receives messages of one queue, works on them one at a time, and deletes them.
//
// A worker polls when it has nothing in hand. What a poll has brought is worked on in order: service time, outside effect,
// deletion. Whether the visibility timeout is over by then it does not know: somebody else may be working on the same message. A
// heartbeat extends it while the message is in hand.
//
// What belongs to messages and not to members is kept here: which effects the outside has seen, how often each has failed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/clients/offset_counts.hpp"
#include "models/clients/workload.hpp"
#include "models/sqs/client.hpp"
#include "sim/random.hpp"

namespace models::sqs {

class Worker;

class Workers {
 public:
  /// `options` outlives it. Throws ScenarioError when the queue does not exist or is read by another group.
  Workers(Context& context, Service& service, const GroupOptions& options, EntityId group);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void add_member(Node& node);
  /// It starts when a fault "join" says so.
  void stand_by() { standing_by_.back() = true; }
  void start();
  /// Nobody works, and nothing that somebody could be given is left.
  bool idle() const;

  const GroupOptions& options() const { return options_; }
  EntityId entity() const { return entity_; }
  QueueIndex queue() const { return queue_; }

  // ---- of messages, for members ----
  sim::Duration service(const Delivered& message);
  /// It will fail now.
  bool poisoned(const Delivered& message) const;
  void failed(const Delivered& message);
  /// Whether its effect is to be applied: false where the other side has seen it.
  bool apply_effect(const Delivered& message);

 private:
  Context& context_;
  Service& service_;
  const GroupOptions& options_;
  EntityId entity_;
  QueueIndex queue_;
  std::vector<std::unique_ptr<Worker>> members_;
  std::vector<bool> standing_by_;
  sim::StreamKey service_key_;
  sim::StreamKey poison_key_;
  using Key = std::pair<LaneId, std::uint64_t>;
  std::map<Key, std::uint32_t> failures_;  // of messages that do not fail for ever
  std::vector<OffsetCounts> seen_;         // by lane: effects asked for, with an idempotency key
};

class Worker final : public Client {
 public:
  Worker(Context& context, Service& service, Node& node, Workers& group);

  /// Begins to take part.
  void start();
  bool takes_part() const { return running_ && wanted_; }
  bool idle() const { return in_hand_.empty() && to_delete_.empty() && !restarting_ && settling_ == 0; }
  bool restarting() const { return restarting_; }

  // NodeProgram
  bool can_withdraw() const override { return true; }
  void take_part() override { start(); }
  void withdraw() override;
  void paused() override;
  void resumed() override;

 private:
  void completed(Call& call) override;
  void process_crashed() override;
  void process_restarted() override;

  const ReceiverOptions& options() const { return group_.options().sqs; }
  void poll();
  void received(const Call& call);
  void tell_delivered();
  /// So many have yet to come to the step `delivered`.
  void handed_out(std::int64_t left);
  void begin();
  void take_next();
  void done();
  void processed();
  void gave_up();
  void put_down();
  void remove(std::vector<Receipt>& receipts);
  void settle(Ref<Call> call);
  void extend();
  void leave();
  sim::Duration visibility() const;
  void tell(Kind kind, const Delivered& m, std::uint16_t code = 0);
  void tell_member(MemberCode code);

  Workers& group_;
  std::vector<Delivered> in_hand_;  // of the last poll
  std::size_t front_ = 0;           // the one that is worked on, or is next
  std::vector<Receipt> to_delete_;  // processed, when deletion waits for the others of a poll
  std::uint32_t settling_ = 0;      // calls for which the work waits
  std::uint64_t polls_ = 0;
  std::int32_t retries_ = 0;
  bool running_ = false;
  bool wanted_ = false;
  bool leaving_ = false;
  bool restarting_ = false;
  bool polling_ = false;
  sim::Duration left_{};  // of what was being done when the process was paused
  bool frozen_ = false;
  StepCell& delivered_step_;
  StepCell& effect_step_;
  StepCell& processed_step_;
  StepCell& delete_step_;
  StepCell& deleted_step_;
  StepCell& heartbeat_step_;
  NodeTimer<std::function<void()>> work_timer_;
  NodeTimer<std::function<void()>> poll_timer_;
  NodeTimer<std::function<void()>> heartbeat_timer_;
};

}  // namespace models::sqs
