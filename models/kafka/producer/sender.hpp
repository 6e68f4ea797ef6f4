// The producer's sender: decides which brokers have data that is ready, drains one batch per partition into a
// request, and settles what comes back (Sender.java, RecordAccumulator.ready and .drain).
//
// A partition is ready when it is neither muted nor backing off and its first batch is full, or linger.ms
// old, or the application waits for memory. One ready partition makes its broker ready; the request to that
// broker takes the first batch of every partition it leads, up to max.request.size, lingering ones too.
//
// The real sender is a thread that may lag behind; this one acts at the instant at which there is something
// to do. Model: it also expires batches while it waits for a producer id, which the real one puts off
// (Sender.runOnce).
#pragma once

#include <cstdint>
#include <vector>

#include "models/kafka/producer/accumulator.hpp"
#include "models/kafka/producer/gateway.hpp"
#include "models/kafka/producer/partitioner.hpp"
#include "models/kafka/producer/sequences.hpp"
#include "models/kafka/producer/transaction_manager.hpp"
#include "sim/random.hpp"

namespace models::kafka {

/// The application's callbacks. Each may crash the producer (a fault at a named step): the sender asks
/// alive() and returns.
class SenderClient {
 public:
  virtual ~SenderClient() = default;
  virtual void acknowledged(Batch& batch, Offset base_offset) = 0;
  virtual void failed(Batch& batch, ErrorCode error) = 0;
  virtual bool alive() const = 0;
};

class Sender {
 public:
  Sender(const ProducerConfig& config, Accumulator& accumulator, ProducerGateway& gateway,
         SenderClient& client, sim::Stream backoff, bool has_delivery_timeout);

  /// Does everything that can be done at `now`. `starved`: the application waits for memory. Returns when it
  /// must run next if nothing happens meanwhile; kNever when there is no such time.
  sim::Time run(sim::Time now, bool starved);

  void produced(ProduceCall& call, sim::Time now);
  /// The producer has a transactional id.
  void use_transactions(TransactionManager& transactions) { transactions_ = &transactions; }
  void producer_id_given(const InitProducerIdCall& call, sim::Time now);
  /// Looks the leaders up again.
  void leaders_changed();
  /// Forgets everything but the queues, which the producer empties; batches that expired on the wire go back
  /// to the pool.
  void crashed();
  /// Rises whenever a batch left or entered a queue other than by an append.
  std::uint64_t moves() const { return moves_; }
  /// Batches on the wire whose failure has been reported: nobody waits for them any more.
  std::size_t given_up() const { return expired_.size(); }

  // ---- for the partitioner ----------------------------------------------------------------------------------------
  /// Partitions with a leader; all when there is none.
  std::span<const std::uint32_t> available() const { return available_; }
  /// Queues of the partitions to choose from, or none while some partition was never used
  /// (RecordAccumulator.partitionReady).
  std::span<PartitionLoad> loads(sim::Time now);

  const Sequences& sequences() const { return sequences_; }
  Sequences& sequences() { return sequences_; }

 private:
  struct Destination {
    std::vector<std::uint32_t> partitions;  ///< that it leads
    std::size_t drain_index = 0;
    bool ready = false;  ///< has data to send
    bool stuck = false;  ///< had data to send when last looked at, and could not be sent to
    bool looked_at = false;
    sim::Time drained{};  ///< when it could last be sent to
  };

  void ensure_producer_id(sim::Time now);
  void drop_unsent();
  bool find_ready(sim::Time now, bool starved);
  void consider(std::uint32_t partition, sim::Time now, bool starved);
  bool due(const PartitionQueue& queue, sim::Time now, bool starved);
  bool send_to(std::size_t broker, sim::Time now, bool starved);
  void drain(Destination& broker, BrokerId id, ProduceCall& call, sim::Time now, bool starved);
  bool drain_partition(std::uint32_t partition, Destination& broker, BrokerId id, ProduceCall& call,
                       std::int64_t& bytes, sim::Time now, bool starved);
  Batch* take_first(PartitionQueue& queue);
  void complete_unanswered(const Ref<ProduceCall>& call, sim::Time now);

  void expire(sim::Time now);
  void expire_queue(PartitionQueue& queue, sim::Time now);
  sim::Time expires_unsent(const PartitionQueue& queue, const Batch& batch) const;
  void expire_in_flight(PartitionQueue& queue, sim::Time now);
  void note_deadline(sim::Time at) { next_ = std::min(next_, at); }

  void settle(Batch& batch, ErrorCode error, Offset base_offset, sim::Time now);
  void succeed(Batch& batch, Offset base_offset);
  bool can_retry(const Batch& batch, ErrorCode error, Offset log_start, sim::Time now);
  void send_again(Batch& batch, sim::Time now);
  void send_in_halves(Batch& batch);
  void give_up(Batch& batch, ErrorCode error, bool adjust);

  const ProducerConfig& config_;
  Accumulator& accumulator_;
  ProducerGateway& gateway_;
  SenderClient& client_;
  Sequences sequences_;
  TransactionManager* transactions_ = nullptr;
  sim::Stream backoff_;
  bool one_in_flight_;         ///< guaranteeMessageOrder
  bool one_partition_;         ///< in each request: librdkafka
  bool has_delivery_timeout_;  ///< Rule::delivery_timeout
  std::vector<Destination> brokers_;
  std::vector<std::uint32_t> available_;
  std::vector<PartitionLoad> loads_;
  std::vector<Batch*> expired_;  ///< on the wire; their failure has been reported
  std::uint64_t moves_ = 0;
  sim::Time next_{};
  bool id_requested_ = false;
  sim::Time id_retry_at_{};
};

}  // namespace models::kafka
