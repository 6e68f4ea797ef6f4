// Amazon SQS, as one host: `sqs/0`. It carries out calls of the API on its queues and says in the trace what becomes of messages.
//
// What was accepted is never lost here. When the host crashes SQS is unavailable: connections end, calls get no answer; messages
// are where they were, and time goes on for what is in flight.
//
// Messages from inside AWS (SNS, EventBridge …): accept() is SendMessage without a network. Its caller is at the host `sqs/0`
// at that moment (it has sent whatever it sends over the network, to node()), has a lane of its own for the queue
// (Entities::add_lane(its entity, entity(queue))), and has told the message as `offered` in it. accept() tells `stored`, and
// returns what SendMessage would: `duplicate` is a success to its sender, and nothing was stored (a FIFO queue has recognised
// the deduplication id). A FIFO queue needs `group` and `deduplication`; a standard queue looks at neither. SNS's raw or
// wrapped delivery is in `size`; whoever receives the message is told `lane` and `seq`, or those of `origin` where it has one:
// SNS gives the identity that its publisher gave the message there, so that workers draw by it and recognise it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/sqs/call.hpp"
#include "models/sqs/deduplication.hpp"
#include "models/sqs/fifo_queue.hpp"
#include "models/sqs/group_limits.hpp"
#include "models/sqs/origins.hpp"
#include "models/sqs/rate_limit.hpp"
#include "models/sqs/standard_queue.hpp"
#include "sim/random.hpp"

namespace models::sqs {

/// A queue as CloudWatch shows it (sqs-available-cloudwatch-metrics). Counts are since the start of the run.
struct QueueMetrics {
  std::uint64_t visible = 0;      ///< ApproximateNumberOfMessagesVisible
  std::uint64_t not_visible = 0;  ///< ApproximateNumberOfMessagesNotVisible
  std::uint64_t delayed = 0;      ///< ApproximateNumberOfMessagesDelayed
  sim::Duration oldest{};         ///< ApproximateAgeOfOldestMessage
  std::uint64_t sent = 0;         ///< NumberOfMessagesSent: not what comes as a dead letter
  std::uint64_t received = 0;     ///< NumberOfMessagesReceived
  std::uint64_t deleted = 0;  ///< NumberOfMessagesDeleted: every deletion that succeeds, repetitions included
  std::uint64_t empty_receives = 0;  ///< NumberOfEmptyReceives
};

/// A message from inside.
struct Inside {
  LaneId lane{};
  std::uint64_t seq = 0;
  std::uint32_t size = 0;
  std::optional<Identity> origin{};  ///< which message it is to those who receive it; none: itself
  GroupKey group{};
  DeduplicationKey deduplication{};
};

class Service final : public NodeProgram {
 public:
  enum class Accepted : std::uint8_t { stored, duplicate, refused };

  Service(Context& context, const ServiceOptions& options, Node& node);
  ~Service() override;

  Node& node() { return node_; }
  const ServiceOptions& options() const { return options_; }

  // ---- while the world is built ----
  std::optional<QueueIndex> find_queue(std::string_view name) const;
  /// The group that reads the queue. One at most: its members compete.
  void read_by(QueueIndex q, EntityId group) { places_[q.value]->group = group; }
  EntityId reader(QueueIndex q) const { return places_[q.value]->group; }
  EntityId entity(QueueIndex q) const { return places_[q.value]->entity; }
  const Queue& queue(QueueIndex q) const { return *places_[q.value]->queue; }
  Pool<Call>& calls() { return calls_; }
  std::uint32_t new_client() { return clients_++; }

  // ---- from inside AWS ----
  Accepted accept(QueueIndex queue, const Inside& message);

  // ---- calls that arrive ----
  void called(Ref<Call> call);
  /// A client's connection is new: when it ends, what it waited for is forgotten.
  void watch(ConnectionId connection);

  // ---- the run ----
  void start();
  /// Says who reads what.
  void tell() const;
  /// Says what is there when the run ends.
  void tell_depths() const;
  bool idle() const;
  /// Nothing of the queue is left for anybody.
  bool empty(QueueIndex q) const;
  void tell_unfinished(std::vector<std::string>& lines) const;
  std::size_t queues() const { return places_.size(); }
  /// For reports. The first call looks at every message of the queue.
  QueueMetrics metrics(QueueIndex q);
  std::optional<std::string> broken() const;

  // NodeProgram
  void crashed() override;
  void restarted() override;

 private:
  static constexpr std::size_t kActions = 4;
  /// A queue with its surroundings.
  struct Place final : QueueOwner {
    Place(Service& owner, QueueIndex index, const QueueOptions& options, EntityId named);
    void stored(const Message& m) override;
    void delayed(const Message& m, bool begins) override;
    void dispatched(const Message& m, const Receipt& receipt, std::uint32_t receives, PollId to) override;
    void answered(PollId poll, std::uint32_t messages, Error error) override;
    void settled(const Message& m, SettledCode how) override;
    void requeued(const Message& m, RequeuedCode why) override;
    void removed(const Message& m, RemovedCode why) override;
    bool misses_deletion(const Message& m, std::uint32_t receives) override;
    void tell(Kind kind, std::uint16_t code, const Message& m, std::int64_t c = 0);
    FifoQueue* fifo() { return queue->options().fifo ? static_cast<FifoQueue*>(queue.get()) : nullptr; }

    Service& service;
    QueueIndex index;
    EntityId entity;
    EntityId group{};
    LaneId lane{};  ///< of what the service itself brings here
    std::uint64_t seq = 0;
    std::optional<QueueIndex> dead_letters_to;
    QueueMetrics counts;
    std::unique_ptr<Queue> queue;
    Deduplication deduplication;
    sim::Stream servers;  ///< which of them a request is for
    sim::StreamKey duplicates;
    std::array<RateLimit, kActions> limits;  ///< of a FIFO queue's actions …
    GroupLimits group_limits;                ///< … or of what is sent to each of its message groups
    struct Attempt {
      std::uint64_t id = 0;
      std::vector<Delivered> messages;
    };
    std::vector<Attempt> attempts;  ///< of ReceiveMessage with an id: each client's last
    NodeTimer<std::function<void()>> timer;
  };
  /// A call of ReceiveMessage that is being answered, or waits.
  struct Asked {
    Ref<Call> call;
  };
  /// A message on its way from one queue to another.
  struct Transfer {
    Message message;
    RemovedCode why{};
    QueueIndex from{};
    QueueIndex to{};
    GroupKey group;
  };
  /// StartMessageMoveTask, while it lasts.
  /// Model: it lasts until nothing can be received there; what is in flight then, or comes later, stays. AWS moves about as many
  /// as were there when it began (ApproximateNumberOfMessagesToMove of ListMessageMoveTasks).
  struct Move {
    const MoveOptions* options = nullptr;
    QueueIndex from{};
    std::optional<QueueIndex> to;
    bool done = false;
    std::unique_ptr<NodeTimer<std::function<void()>>> timer;
  };

  sim::Time now() const { return context_.now(); }
  void carry_out(const Ref<Call>& call);
  void send(Place& place, Call& call);
  Error send_one(Place& place, LaneId lane, const SendEntry& entry, sim::Duration delay, std::uint32_t server,
                 std::uint32_t origin, bool& duplicate);
  void receive(Place& place, const Ref<Call>& call);
  bool receive_again(Place& place, Call& call);
  void remove(Place& place, Call& call);
  void change_visibility(Place& place, Call& call);
  void respond(const Ref<Call>& call);
  std::uint32_t server_of(Place& place);

  void transfer();
  std::optional<QueueIndex> move_target(const Message& m) const;
  void move_next(std::size_t move);

  /// What happens to consecutive messages is one record.
  void tell(const sim::TraceRecord& record, Kind kind);
  void flush();
  /// After whatever was done to queues: what goes elsewhere is there, timers are set, and all is told.
  void settle_down(Place& place);

  Context& context_;
  const ServiceOptions& options_;
  Node& node_;
  std::vector<std::unique_ptr<Place>> places_;
  Pool<Call> calls_;
  std::uint32_t clients_ = 0;
  std::vector<Asked> asked_;  // by PollId
  std::vector<PollId> free_asked_;
  Origins origins_;
  std::vector<Transfer> transfers_;
  std::vector<Place*> touched_;
  std::vector<Move> moves_;
  const Move* moving_ = nullptr;
  sim::Stream latency_;
  sim::TraceRecord pending_{};
  Kind pending_kind_ = Kind::none;
  StepCell& appended_step_;
};

}  // namespace models::sqs
