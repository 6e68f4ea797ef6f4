// A group of competing workers: consumers of the same queues, one connection each, which work on one message at a time.
//
// What is delivered waits in the client until the application comes to it (prefetch says how much may), and is then worked
// on: service time, outside effect, acknowledgement. With automatic acknowledgement the queue has forgotten a message by the
// time that it arrives. When the connection or channel dies, what waits in the client is dropped, and what the application is
// working on is finished, though its acknowledgement will go nowhere.
//
// How a message is worked on is any work queue's (models/clients/jobs.hpp, workbench.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "models/clients/jobs.hpp"
#include "models/clients/workbench.hpp"
#include "models/clients/workload.hpp"
#include "models/rabbitmq/client.hpp"
#include "models/rabbitmq/frames.hpp"
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
  Jobs& jobs() { return jobs_; }
  /// It is worked on now.
  Job job(const Deliver& message);

 private:
  Context& context_;
  Cluster& broker_;
  const GroupOptions& options_;
  EntityId entity_;
  std::vector<QueueIndex> queues_;
  std::vector<std::unique_ptr<Worker>> members_;
  std::vector<bool> standing_by_;
  Jobs jobs_;
  std::map<std::pair<LaneId, std::uint64_t>, std::uint64_t>
      attempts_;  // of messages that were delivered again
};

class Worker final : public Client, private WorkbenchOwner {
 public:
  Worker(Context& context, Cluster& broker, Node& node, Workers& group, std::uint32_t index);

  /// Begins to take part.
  void start();
  bool takes_part() const { return wanted_ && running(); }
  bool idle() const { return waiting_.empty() && !bench_.working() && !bench_.restarting(); }
  void tell_unfinished(std::vector<std::string>& lines) const;

  void delivered(Ref<Deliver> frame) override;
  // NodeProgram
  bool can_withdraw() const override { return true; }
  void take_part() override { start(); }
  void withdraw() override;
  void paused() override { bench_.paused(); }
  void resumed() override { bench_.resumed(); }
  bool takes_time() const override { return group_.jobs().takes_time(); }
  void slowed() override { bench_.slowed(); }

 private:
  void choose(std::vector<Broker*>& addresses) override;
  void channel_opened() override;
  void channel_lost() override;
  void process_crashed() override;
  void process_restarted() override;

  // WorkbenchOwner
  void processed() override { finish(Answer::ack); }
  void gave_up(PoisonOptions::Then how) override;

  /// Of a stream: what it has processed since it stored an offset.
  struct Done {
    std::uint32_t count = 0;
    std::int64_t last = 0;
  };
  bool speaks_stream() const { return channel_.consumer.stream != nullptr; }
  /// Whether that has sent an offset.
  bool track(const Deliver& m);
  void store_offsets();
  void forget_offsets();
  void take_next();
  void leave();
  void go();
  void finish(Answer how);
  void acknowledge();
  bool send_acknowledgement();
  void tell(Kind kind, const Deliver& m);
  void tell_member(MemberCode code);

  Workers& group_;
  Workbench bench_;
  sim::Ring<Ref<Deliver>> waiting_;  // in the client
  Ref<Deliver> message_;             // in the application
  std::uint32_t channel_number_ = 0;
  std::uint32_t message_channel_ = 0;  // on which it came
  bool wanted_ = false;
  bool leaving_ = false;                      // once it has finished what it is working on
  std::vector<Answers::One> unacknowledged_;  // processed, and not acknowledged yet
  StepCell& delivered_step_;
  StepCell& ack_step_;
  NodeTimer<std::function<void()>> flush_timer_;
  std::vector<Done> done_;  // by queue
  NodeTimer<std::function<void()>> ack_timer_;
};

}  // namespace models::rabbitmq
