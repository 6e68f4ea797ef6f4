// A Kafka producer with the application behind it: messages arise, send() puts them into batches, the sender
// ships them, and callbacks report what became of them (KafkaProducer.java).
//
// The application has one thread. Each message is handed to send() when it arises; where send() blocks (no
// metadata yet, or buffer.memory used up) the messages that arise meanwhile wait their turn behind it, and
// each has max.block.ms of its own from its call of send(). A message's creation time is when it arose, not
// when its turn came.
//
// Running ahead: arrivals are known some way into the future and are appended when something looks at the
// batches. The producer sleeps until the first instant at which an arrival matters (Forecast), and first of
// all catches up whenever anything else happens to it. With `run_ahead` off it wakes at every arrival
// instead; the trace is the same.
//
// Lanes are made when a message is first routed to a partition; seqs are dense in a lane over all lives of
// the producer. Application resend: when a callback reports a failure the message is handed to send() again,
// before newer ones, as a new message. A closed loop releases its next message when a callback reports
// success, or failure without resend, or send() refuses.
//
// Crash: what had arisen is on record (offered when it was routed, else refused with code closed); what
// waited in the buffer has failed, surely unwritten unless an earlier attempt left doubt, what was on the
// wire has failed and may be written, all with code client_closed. While the process is down nothing arises.
// A restart gets new metadata and a new producer id. With `resend_after_restart` what had been routed and had
// no success reported is handed to send() again then, before newer messages, each as a new message.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/apps/facts.hpp"
#include "models/clients/admission.hpp"
#include "models/clients/message_source.hpp"
#include "models/clients/workload.hpp"
#include "models/context.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/producer/accumulator.hpp"
#include "models/kafka/producer/forecast.hpp"
#include "models/kafka/producer/gateway.hpp"
#include "models/kafka/producer/partitioner.hpp"
#include "models/kafka/producer/router.hpp"
#include "models/kafka/producer/sender.hpp"
#include "models/kafka/producer/serializer.hpp"
#include "models/kafka/producer/transaction_manager.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

/// The program that an embedded producer belongs to.
class ProducerApplication {
 public:
  virtual ~ProducerApplication() = default;
  /// The producer has done all that can be done now: what was waited for may be so.
  virtual void producer_moved() = 0;
  /// A message of its own that resends, or says, something else was acknowledged or given up. Inside of what the producer
  /// does: producer_moved() comes after.
  virtual void told(LaneId, std::int64_t, bool) {}
};

/// What the world decides for a producer, beyond its options.
struct ProducerSetup {
  bool run_ahead = true;
  /// Shared by producers whose keys and topic are the same; made when null.
  std::shared_ptr<KeyPartitions> keys{};
  /// It is part of another program, which forwards what happens to the node and hands it messages (send()).
  ProducerApplication* application = nullptr;
  RecordKeys* record_keys = nullptr;    ///< of a topic whose keys are looked at, as the cluster keeps them
  RecordTimes* record_times = nullptr;  ///< of a topic whose timestamps are
  EntityId group{};                     ///< whose output its messages are, then
  std::string transactional_id{};       ///< empty: no transactions
  /// What the group reads whose lag ProducerOptions::admission looks at.
  std::vector<std::string> topics_watched{};
  ProtocolRules rules{};               ///< its cluster's
  FactBook* facts = nullptr;           ///< what its messages say, where they say facts
  schema::Schemas* schemas = nullptr;  ///< where ProducerOptions::schema is given
  /// Its messages' old lanes and numbers are its application's own, and of nobody else's interest.
  bool names_are_tickets = false;
};

class LagReader;

class Producer final : public NodeProgram,
                       private GatewayListener,
                       private SenderClient,
                       private TransactionOwner {
 public:
  using GatewayFactory = std::function<std::unique_ptr<ProducerGateway>(GatewayListener&)>;

  /// Streams and lanes go by the node's name and entity. Requires a topic that the cluster has. `options` and
  /// `cluster` outlive the producer. Becomes the node's program.
  Producer(Cluster& cluster, Node& node, const ProducerOptions& options, ProducerSetup setup = {});
  /// Against any gateway: `partitions` gives index and entity of the topic's partitions.
  Producer(Context& context, Node& node, const ProducerOptions& options,
           std::vector<PartitionQueue> partitions, const GatewayFactory& make_gateway,
           ProducerSetup setup = {});
  ~Producer() override;

  void start();
  // ---- embedded ----
  /// send() for each message, in order.
  void send(std::span<const Message> messages);
  /// A message as send() takes it, made of `count` bytes by the application.
  Message made(std::uint32_t size, LaneId of_lane, std::int64_t of_seq, std::int32_t partition) const;
  /// The event of a fact.
  Message event(std::uint32_t size, std::uint32_t key, LaneId lane, std::int64_t seq) const;
  /// Waits for no more than the answers: batches that linger are sent (flush()).
  void flush();
  /// All that was handed over lies in batches.
  bool accepted() const { return resent_ == resends_.size(); }
  /// All that was handed over has been sent and answered (flush()).
  bool flushed() const { return accepted() && accumulator_.batches() == sender_->given_up(); }
  /// How many messages have failed or were refused.
  std::uint64_t failures() const { return failures_; }
  /// Null without a transactional id. After a change on it: go_on().
  TransactionManager* transactions() { return transactions_.get(); }
  void go_on();

  /// Nothing arises any more; what has arisen goes on.
  void stop_arrivals();
  /// The next so many messages are written with another version of their schema, whatever the registry says. False when nothing
  /// has a schema here, or there is none of that name.
  bool write_wrong(const std::string& version, std::int64_t messages);
  /// Nothing will arise, nothing waits, nothing is buffered or on the wire.
  bool idle();

  // NodeProgram
  void crashed() override;
  void restarted() override;
  void paused() override;
  bool reads_wall_clock() const override { return true; }
  void resumed() override;

  const ProducerOptions& options() const { return options_; }
  const Node& node() const { return node_; }
  const Accumulator& accumulator() const { return accumulator_; }
  const Sequences& sequences() const { return sender_->sequences(); }

 private:
  enum class Blocked : std::uint8_t { no, on_metadata, on_memory, on_transaction, on_schema };
  /// Marks that the producer is inside one of its own callbacks: a crash there finds it in the middle of its work.
  class Busy {
   public:
    explicit Busy(Producer& producer) : producer_(producer) { ++producer_.busy_; }
    ~Busy() { --producer_.busy_; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    Producer& producer_;
  };

  // GatewayListener
  void on_produced(ProduceCall& call) override;
  void on_producer_id(InitProducerIdCall& call) override;
  void on_connection_changed(BrokerId broker) override;
  void on_metadata() override;
  // TransactionOwner
  void transaction_moved() override;
  // SenderClient
  void acknowledged(Batch& batch, Offset base_offset) override;
  void failed(Batch& batch, ErrorCode error) override;
  bool alive() const override { return node_.up(); }

  void show_partitions(std::uint32_t partitions);

  // The application's thread.
  void catch_up(sim::Time now);
  void send_arisen(sim::Time now);
  void send_one(const Message& message);
  bool send_sticky(sim::Time now);
  bool send_routed(sim::Time now);
  void block(Blocked on, sim::Time at);
  void refuse_unsent();
  void refuse_head(RefusedCode code, sim::Time now);
  void take_head();
  void unblock();
  Message described(std::size_t i) const;

  // Who is let in (gate.cpp).
  void let_in(sim::Time now);
  bool let_in_next(sim::Time now);
  void make_room(sim::Time now);
  sim::Time next_at_gate();

  // Its own transactions (own_transactions.cpp).
  void drive_transactions(sim::Time now);
  bool run_transactions();
  void end_transaction(bool commit);

  // Its schema (producer_schema.cpp).
  std::unique_ptr<Serializer> make_serializer(schema::Schemas& schemas);
  void wait_for_schema();
  void schema_answered(bool ready);
  void schema_deployed(std::uint32_t version);

  // Everything that follows from the present state, then sleep.
  void advance();
  void sleep();
  void on_timer();

  /// The batch's open messages, as new ones that name them.
  void send_again(const Batch& batch, LaneId lane, std::vector<Message>& out) const;
  void abandon_batches();
  /// What became of the batch's messages, where an application has named them.
  void tell_application(const Batch& batch, bool acknowledged);

  Context& context_;
  Node& node_;
  const ProducerOptions& options_;
  const ProducerConfig& config_;
  bool run_ahead_;
  bool forgets_sequences_;
  RecordSizer sizer_;
  std::int32_t fixed_ = 0;  ///< bytes of every record where all are alike, else 0
  MessageSource source_;
  std::optional<Admission> admission_;
  std::unique_ptr<LagReader> lag_reader_;
  std::size_t let_in_ =
      0;  ///< with admission: how many at the source's head were let in, and wait for send()
  std::size_t most_waited_ = 0;
  Accumulator accumulator_;
  std::unique_ptr<ProducerGateway> gateway_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<Forecast> forecast_;
  std::unique_ptr<TransactionManager> transactions_;
  std::unique_ptr<Serializer> serializer_;  // null: its values have no schema
  ProducerApplication* application_;
  bool flushing_ = false;
  std::uint64_t failures_ = 0;
  sim::Time commit_at_ = sim::kNever;  ///< with transactions of its own, while one is open
  sim::Stream abort_draws_;
  StepCell& acknowledged_step_;

  std::vector<Message> resends_;  ///< from resent_ on: messages whose callback reported a failure
  std::size_t resent_ = 0;
  std::vector<Message> remembered_;  ///< while the process is down: what a restart sends again
  Blocked blocked_ = Blocked::no;
  sim::Time block_deadline_ = sim::kNever;  ///< of the message at the head; kNever before its first try
  sim::Time free_{};                        ///< the application's thread was busy until then
  sim::Time sender_deadline_ = sim::kNever;
  sim::Time decision_{};              ///< what the forecast said …
  std::uint64_t decision_stamp_ = 0;  ///< … in which state of affairs
  std::uint64_t disturbances_ = 1;    ///< counts what the forecast could not foresee
  Batch* acknowledging_ = nullptr;
  bool wake_sender_ = false;
  bool paused_ = false;
  int busy_ = 0;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
