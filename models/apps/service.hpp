// An instance of a service: requests and events come in, each is one transaction of its database, and what that says is
// published as Publishing has it.
//
//     request or event -> [send, acknowledged] -> transaction -> [send, acknowledged] -> answer
//
// An instance works on `threads` requests at a time; the others wait. Events it takes one after the other, as they come from
// a poll (Publishing makes no difference). A transaction of which nothing was heard is asked for again, under the identity of
// its fact; an event that the producer gives up is lost, and said to be sent in no other place.
//
// A reaction that comes later is a row of timers, written in the transaction that notes its cause, and survives the instance.
//
// Two-phase commit: the service is the coordinator of its own transactions, over its database and a queue that is another one.
// Both prepare; when both have voted yes the decision is written to the service's log, and told to both until they have
// answered. What a service finds in its log when it comes back was decided, and is told again; what it had begun and not
// decided is aborted (presumed abort). A participant knows nothing between its vote and that.
//
// When the process dies, what was in its hands is gone: a transaction that has left it is carried out or not, a row of the
// outbox or in a topic stays, requests are never answered.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/apps/database_client.hpp"
#include "models/apps/event_sender.hpp"
#include "models/apps/options.hpp"
#include "models/apps/relay.hpp"
#include "models/clients/message_source.hpp"
#include "models/faults/step_then.hpp"
#include "sim/ring.hpp"

namespace models {

/// A service's options, looked up once for all of its instances.
struct ServicePlan {
  struct Reaction {
    FactType on = 0;
    std::optional<FactType> then, otherwise;
    double fails = 0;
    std::optional<sim::Distribution> after;
    FactTypeSet unless = 0, needs = 0;
  };
  const ServiceOptions& options;
  FactBook& book;
  Database& database;
  EntityId entity{};           ///< of the service as a whole
  ProducerOptions workload{};  ///< when requests arise, and of which keys
  FactType begins = 0;
  std::vector<Reaction> reactions{};
  bool told_by_log = false;  ///< a relay reads the log of its database
  /// Of the view that is read after an answer; null: none.
  Database* view = nullptr;
  EntityId view_entity{};
  Database* queue = nullptr;  ///< the other participant of two-phase commits

  ServicePlan(const ServiceOptions& o, FactBook& b, Database& d, EntityId e);
  bool to_be_published() const {
    return (options.publish != Publishing::none && options.publish != Publishing::two_phase) || told_by_log;
  }
};

class Service final : public NodeProgram, private DatabaseUser, private EventSenderOwner {
 public:
  /// `index` of the service's instances. `make_sender` may be empty where nothing is sent by the service itself.
  Service(Context& context, Node& node, const ServicePlan& plan, std::uint32_t index,
          const SenderMaker& make_sender);

  void start();
  void stop_arrivals();
  bool idle();
  const Node& node() const { return node_; }
  /// The events of a poll, in order; `done` runs when all have been reacted to, perhaps before this returns.
  void react(std::span<const FactId> events, std::function<void()> done);

  // NodeProgram, and what its consumer tells it where that is the program
  void crashed() override;
  void restarted() override { start(); }
  void paused() override;
  void resumed() override;

 private:
  enum class Stage : std::uint8_t { free, sending, committing, preparing, deciding, waiting, looking };
  /// Something that is worked on: a request, a reaction, a timer that is due.
  struct Job {
    Stage stage = Stage::free;
    bool request = false;
    bool asked_again = false;  ///< its transaction was asked for before, and nothing was heard
    bool of_event = false;     ///< of the poll's events
    sim::Time created{};
    Change change;
    std::size_t reaction = 0;
    bool sets_timer = false;
    int votes = 0;     ///< of two: answers to prepare or decide
    bool yes = false;  ///< both are for it
  };
  /// A two-phase commit that is under way, in the service's own log.
  struct Branch {
    Change change;
    bool decided = false;  ///< to commit; what is not decided when the service comes back is aborted
    int told = 0;          ///< participants that know it
  };
  struct Timer {
    sim::Time due{};
    FactId cause{};
    std::size_t reaction = 0;
  };

  // requests
  void on_arrival();
  void take_arrivals();
  void begin_requests();
  void begin_request(sim::Time created, std::uint32_t key);
  void answer(std::size_t index, bool answered);

  // events
  void next_event();
  void begin_reaction(FactId cause, std::size_t reaction, bool of_event, bool later);
  void fire_timers();
  void arm_timers();

  std::size_t new_job();
  FactId make_fact(std::uint32_t aggregate, FactType type);
  void begin(std::size_t index);
  void send(std::size_t index);
  void commit(std::size_t index);
  void committed(std::size_t index, Outcome outcome);
  void has_committed(std::size_t index);
  void acknowledged(std::size_t index);
  /// step_then() of this service, which may also end while its process goes on.
  template <class Then>
  void behind(StepCell& step, Then then) {
    step_then(step, node_, [this, then = std::move(then), life = life_] {
      if (life_ == life) then();
    });
  }
  /// Calls `next` for the job a while later, unless the process has died by then.
  void later(std::size_t index, sim::Duration delay, void (Service::*next)(std::size_t));
  void done(std::size_t index);
  void read_own(std::size_t index);

  // two-phase commit (two_phase.cpp)
  void prepare(std::size_t index);
  void ask_participant(DatabaseClient& client, std::size_t index);
  void voted(std::size_t index, Outcome outcome);
  void decide(std::size_t index);
  void tell_participants(std::size_t index);
  void tell_participant(DatabaseClient& client, const Branch& branch, std::uint64_t ticket);
  /// All of its transactions below this number have come to their ends at both participants.
  std::int64_t over_below() const;
  void decision_told(DatabaseCall& call);
  void recover();
  std::vector<Branch>::iterator branch_of(FactId fact);

  void answered(DatabaseCall& call) override;
  void sent(FactId fact, bool acknowledged) override;

  Context& context_;
  Node& node_;
  const ServicePlan& plan_;
  std::uint32_t index_;
  LaneId lane_;  // of its facts
  DatabaseClient client_;
  std::unique_ptr<DatabaseClient> view_client_, queue_client_;
  std::unique_ptr<EventSender> sender_;
  MessageSource source_;
  sim::StreamKey outcome_draws_, delay_draws_, think_draws_;
  std::uint64_t requests_ = 0;  // begun
  std::uint32_t working_ = 0;   // requests in hand
  sim::Ring<sim::Time> queue_;  // requests that wait for a thread, by their arrival
  sim::Ring<std::uint32_t> queue_keys_;
  std::vector<Job> jobs_;
  std::vector<FactId> events_;  // of the poll
  std::size_t event_ = 0;       // the next of these …
  std::size_t reaction_ = 0;    // … and of the reactions to it
  bool stepping_ = false;
  std::function<void()> events_done_;
  std::vector<Timer> timers_;     // in the database
  std::vector<Branch> branches_;  // durable
  bool started_ = false;
  std::uint32_t life_ = 0;  // rises when the process ends
  StepCell& sent_step_;
  StepCell& committed_step_;
  StepCell& acknowledged_step_;
  StepCell& prepare_step_;
  StepCell& votes_step_;
  StepCell& decision_step_;
  StepCell& asked_step_;
  StepCell& told_step_;
  NodeTimer<std::function<void()>> arrival_timer_;
  NodeTimer<std::function<void()>> due_timer_;
};

}  // namespace models
