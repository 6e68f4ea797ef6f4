// A group of competing workers: each receives messages of one queue, works on them one at a time, and deletes them.
//
// A worker polls when it has nothing in hand. What a poll has brought is worked on in order: service time, outside effect,
// deletion. Whether the visibility timeout is over by then it does not know: somebody else may be working on the same message. A
// heartbeat extends it while the message is in hand.
//
// How a message is worked on is any work queue's (models/clients/jobs.hpp, workbench.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/clients/jobs.hpp"
#include "models/clients/workbench.hpp"
#include "models/sqs/client.hpp"

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

  /// What messages are to their application.
  Jobs& jobs() { return jobs_; }

 private:
  Context& context_;
  Service& service_;
  const GroupOptions& options_;
  EntityId entity_;
  QueueIndex queue_;
  std::vector<std::unique_ptr<Worker>> members_;
  std::vector<bool> standing_by_;
  Jobs jobs_;
};

class Worker final : public Client, private WorkbenchOwner {
 public:
  Worker(Context& context, Service& service, Node& node, Workers& group);

  /// Begins to take part.
  void start();
  bool takes_part() const { return running_ && wanted_; }
  bool idle() const {
    return in_hand_.empty() && to_delete_.empty() && !bench_.restarting() && settling_ == 0;
  }

  // NodeProgram
  bool can_withdraw() const override { return true; }
  void take_part() override { start(); }
  void withdraw() override;
  void paused() override { bench_.paused(); }
  void resumed() override { bench_.resumed(); }
  bool takes_time() const override { return group_.jobs().takes_time(); }
  void slowed() override { bench_.slowed(); }

 private:
  void completed(Call& call) override;
  void process_crashed() override;
  void process_restarted() override;

  // WorkbenchOwner
  void processed() override { put_down(); }
  void gave_up(PoisonOptions::Then how) override;

  const ReceiverOptions& options() const { return group_.options().sqs; }
  void poll();
  void received(const Call& call);
  void tell_delivered();
  /// So many have yet to come to the step `delivered`.
  void handed_out(std::int64_t left);
  void begin();
  void take_next();
  void put_down();
  void remove(std::vector<Receipt>& receipts);
  void settle(Ref<Call> call);
  void extend();
  void leave();
  sim::Duration visibility() const;
  void tell_member(MemberCode code);

  Workers& group_;
  Workbench bench_;
  std::vector<Delivered> in_hand_;  // of the last poll
  std::size_t front_ = 0;           // the one that is worked on, or is next
  std::vector<Receipt> to_delete_;  // processed, when deletion waits for the others of a poll
  std::uint32_t settling_ = 0;      // calls for which the work waits
  std::uint64_t polls_ = 0;
  bool running_ = false;
  bool wanted_ = false;
  bool leaving_ = false;
  bool polling_ = false;
  StepCell& delivered_step_;
  StepCell& delete_step_;
  StepCell& deleted_step_;
  StepCell& heartbeat_step_;
  NodeTimer<std::function<void()>> poll_timer_;
  NodeTimer<std::function<void()>> heartbeat_timer_;
};

}  // namespace models::sqs
