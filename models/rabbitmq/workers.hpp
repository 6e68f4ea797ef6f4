// A group of competing workers: consumers of the same queues, one connection each, which work on one message at a time.
//
// What is delivered waits in the client until the application comes to it (prefetch says how much may), and is then worked
// on: service time, outside effect, acknowledgement. With automatic acknowledgement the queue has forgotten a message by the
// time that it arrives. When the connection or channel dies, what waits in the client is dropped, and what the application is
// working on is finished, though its acknowledgement will go nowhere.
//
// What belongs to messages and not to members is kept here: how often each was tried, which effects the outside has seen. A
// message is known by what its producer published (lane and sequence number), a dead letter by its first: that is what its
// service time is drawn by, whether it is poison, and its idempotency key.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "models/clients/offset_counts.hpp"
#include "models/clients/workload.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/frames.hpp"
#include "sim/random.hpp"
#include "sim/ring.hpp"

namespace models::rabbitmq {

class Worker;

class Workers {
 public:
  /// `options` outlives it. Throws ScenarioError when a queue does not exist or is read by another group.
  Workers(Context& context, Cluster& broker, const GroupOptions& options, EntityId group);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void add_member(Node& node);
  /// It starts when a fault "join" says so.
  void stand_by() { standing_by_.back() = true; }
  void start();
  /// Nobody works, and nothing that somebody could be given is left.
  bool idle() const;
  void tell_unfinished(std::vector<std::string>& lines) const;

  const GroupOptions& options() const { return options_; }
  EntityId entity() const { return entity_; }
  const std::vector<QueueIndex>& queues() const { return queues_; }

  // ---- of messages, for members ----
  sim::Duration service(const Deliver& message);
  /// It will fail now.
  bool poisoned(const Deliver& message) const;
  void failed(const Deliver& message);
  /// Whether its effect is to be applied: false where the other side has seen it.
  bool apply_effect(const Deliver& message);

 private:
  Context& context_;
  Cluster& broker_;
  const GroupOptions& options_;
  EntityId entity_;
  std::vector<QueueIndex> queues_;
  std::vector<std::unique_ptr<Worker>> members_;
  std::vector<bool> standing_by_;
  sim::StreamKey service_key_;
  sim::StreamKey poison_key_;
  using Identity = std::pair<LaneId, std::uint64_t>;
  std::map<Identity, std::uint64_t> attempts_;  // of messages that were delivered again
  std::map<Identity, std::uint32_t> failures_;  // of messages that do not fail for ever
  std::vector<OffsetCounts> seen_;              // by lane: effects asked for, with an idempotency key
};

class Worker final : public Client {
 public:
  Worker(Context& context, Cluster& broker, Node& node, Workers& group, std::uint32_t index);

  /// Begins to take part.
  void start();
  bool takes_part() const { return wanted_ && running(); }
  bool idle() const { return waiting_.empty() && !working_ && !restarting_; }
  bool restarting() const { return restarting_; }
  void tell_unfinished(std::vector<std::string>& lines) const;

  void delivered(Ref<Deliver> frame) override;
  // NodeProgram
  bool can_withdraw() const override { return true; }
  void take_part() override { start(); }
  void withdraw() override;
  void paused() override;
  void resumed() override;

 private:
  void channel_opened() override;
  void channel_lost() override;
  void process_crashed() override;
  void process_restarted() override;

  void take_next();
  void begin_work();
  void done();
  void processed();
  void gave_up();
  void leave();
  void finish(Answer how);
  void acknowledge();
  void tell(Kind kind, const Deliver& m, std::uint16_t code = 0);
  void tell_member(MemberCode code);

  Workers& group_;
  sim::Ring<Ref<Deliver>> waiting_;  // in the client
  Ref<Deliver> message_;             // in the application
  std::uint32_t channel_number_ = 0;
  std::uint32_t message_channel_ = 0;  // on which it came
  std::int32_t retries_ = 0;
  bool working_ = false;
  bool wanted_ = false;
  bool leaving_ = false;  // once it has finished what it is working on
  bool restarting_ = false;
  sim::Duration left_{};  // of what was being done when the process was paused
  bool frozen_ = false;
  std::vector<Answers::One> unacknowledged_;  // processed, and not acknowledged yet
  StepCell& delivered_step_;
  StepCell& effect_step_;
  StepCell& processed_step_;
  StepCell& ack_step_;
  NodeTimer<std::function<void()>> work_timer_;
  NodeTimer<std::function<void()>> ack_timer_;
};

}  // namespace models::rabbitmq
