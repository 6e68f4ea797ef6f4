// A producer in front of a scripted cluster: requests arrive half a round trip later, are appended to plain
// logs (with the broker's own check of producer ids), and are answered half a round trip after that. A test
// gives single requests another fate, and reads the trace.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/kafka/broker/producer_state.hpp"
#include "models/kafka/producer/producer.hpp"
#include "models/network/network.hpp"
#include "tests/catch.hpp"

namespace producer_test {

using namespace models;
using namespace models::kafka;
using namespace std::chrono_literals;
using sim::Duration;
using sim::Time;

/// Every record of a trace, with its payload.
struct Seen {
  Time time;
  Kind kind;
  std::uint16_t code;
  std::uint32_t place, lane;
  std::int64_t a, b, c;
  std::vector<std::int64_t> payload;
};

class Recorder final : public sim::TraceSink {
 public:
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      const auto payload = block.payload(r);
      seen.push_back({r.time, static_cast<Kind>(r.kind), r.code, r.place, r.peer, r.a, r.b, r.c,
                      std::vector<std::int64_t>(payload.begin(), payload.end())});
    }
  }
  std::vector<Seen> of(Kind kind) const {
    std::vector<Seen> found;
    std::copy_if(seen.begin(), seen.end(), std::back_inserter(found),
                 [kind](const Seen& s) { return s.kind == kind; });
    return found;
  }
  /// Messages that records of this kind cover.
  std::int64_t messages(Kind kind) const {
    std::int64_t sum = 0;
    for (const Seen& s : seen) sum += s.kind == kind ? s.b : 0;
    return sum;
  }
  std::vector<Seen> seen;
};

/// What happens to a request.
struct Fate {
  ErrorCode error = ErrorCode::none;  ///< of every batch in it, instead of appending
  bool answer_lost = false;           ///< appended, but the connection dies before the answer
  bool request_lost = false;          ///< the connection dies before the request arrives
  Duration slower{};                  ///< the answer takes longer
};

struct Appended {
  std::int64_t first_seq;
  std::int32_t count;
  std::int32_t base_sequence;
  std::int16_t epoch;
};

class ScriptedGateway final : public ProducerGateway {
 public:
  ScriptedGateway(sim::Simulation& simulation, const ProducerConfig& config, std::size_t partitions,
                  GatewayListener& listener, Pool<ProduceCall>& pool)
      : simulation_(simulation),
        config_(config),
        listener_(listener),
        pool_(pool),
        logs(partitions),
        leaders(partitions),
        states_(partitions),
        ends_(partitions) {
    for (PartitionLeader& leader : leaders) leader.epoch = 0;
    spread(1);
  }

  static constexpr std::int32_t kBrokers = 3;

  /// Partition p is led by broker p mod n. Requires n <= kBrokers.
  void spread(std::int32_t n) {
    for (std::size_t p = 0; p < leaders.size(); ++p)
      leaders[p].leader = BrokerId{static_cast<std::int32_t>(p) % n};
  }
  void publish_metadata() { listener_.on_metadata(); }

  void start() override {
    if (!metadata_withheld) after(round_trip, [this] { metadata_arrives(); });
  }
  void stop() override {
    ++life_;
    known_ = false;
    std::fill(in_flight_.begin(), in_flight_.end(), 0);
  }
  std::int32_t broker_count() const override { return kBrokers; }
  bool ready(BrokerId b) const override {
    const auto i = static_cast<std::size_t>(b.value);
    return !unreachable && b != unreachable_broker &&
           in_flight_[i] < static_cast<std::size_t>(config_.max_in_flight_requests_per_connection);
  }
  void connect(BrokerId) override { ++connects; }
  void init_producer_id() override {
    ++ids_given;
    after(round_trip, [this] {
      InitProducerIdCall call;
      call.producer_id = 1000 + ids_given;
      call.producer_epoch = 0;
      listener_.on_producer_id(call);
    });
  }
  bool metadata_known() const override { return known_; }
  PartitionLeader leader(PartitionIndex p) const override { return leaders[p.value]; }
  void request_metadata() override { ++metadata_requests; }
  Ref<ProduceCall> take_call() override { return pool_.take(); }

  void produce(BrokerId broker, Ref<ProduceCall> call) override {
    const Fate fate = fates.count(requests) > 0 ? fates[requests] : Fate{};
    ++requests;
    sizes.push_back(call->batches.size());
    const auto b = static_cast<std::size_t>(broker.value);
    if (call->acks != 0) ++in_flight_[b];
    if (!fate.request_lost) {
      simulation_.schedule_after(round_trip / 2, [this, call, fate] { arrive(*call, fate); });
    }
    if (call->acks == 0) return;
    last_answer_[b] = std::max(simulation_.now() + round_trip + fate.slower, last_answer_[b] + Duration{1});
    simulation_.schedule_at(last_answer_[b], [this, b, call, fate, life = life_] {
      if (life != life_) return;
      --in_flight_[b];
      call->error = fate.answer_lost || fate.request_lost ? ErrorCode::disconnected : ErrorCode::none;
      listener_.on_produced(*call);
    });
  }

  template <class F>
  void after(Duration delay, F work) {
    simulation_.schedule_after(delay, [this, work, life = life_] {
      if (life == life_) work();
    });
  }

 private:
  void metadata_arrives() {
    known_ = true;
    listener_.on_metadata();
  }
  void arrive(ProduceCall& call, const Fate& fate) {
    for (ProduceBatch& batch : call.batches) {
      batch.error = fate.error;
      batch.base_offset = kNoOffset;
      if (fate.error == ErrorCode::none) append(batch);
    }
  }
  void append(ProduceBatch& batch) {
    const std::size_t p = batch.partition.value;
    if (batch.bytes > largest_batch) {
      batch.error = ErrorCode::message_too_large;
      return;
    }
    if (batch.producer_id != kNoProducerId) {
      const auto verdict =
          states_[p].check(batch.producer_id, batch.producer_epoch, batch.base_sequence, batch.count);
      batch.error = verdict.error;
      batch.base_offset = verdict.base_offset;
      if (verdict.error != ErrorCode::none || verdict.duplicate) return;
    }
    Extent extent;
    extent.base = batch.base_offset = ends_[p];
    extent.producer_id = batch.producer_id;
    extent.producer_epoch = batch.producer_epoch;
    extent.base_sequence = batch.base_sequence;
    extent.count = batch.count;
    states_[p].appended(extent);
    ends_[p] += batch.count;
    logs[p].push_back({batch.first_seq, batch.count, batch.base_sequence, batch.producer_epoch});
  }

  sim::Simulation& simulation_;
  const ProducerConfig& config_;
  GatewayListener& listener_;
  Pool<ProduceCall>& pool_;

 public:
  Duration round_trip{2ms};
  bool metadata_withheld = false;
  bool unreachable = false;
  BrokerId unreachable_broker = kNoBroker;
  std::int32_t largest_batch = 1 << 30;
  int requests = 0, connects = 0, metadata_requests = 0, ids_given = 0;
  std::map<int, Fate> fates;                ///< by number of the request
  std::vector<std::size_t> sizes;           ///< batches of each request
  std::vector<std::vector<Appended>> logs;  ///< by partition
  std::vector<PartitionLeader> leaders;

 private:
  std::vector<ProducerStates> states_;
  std::vector<Offset> ends_;
  std::vector<std::size_t> in_flight_ = std::vector<std::size_t>(kBrokers);
  std::vector<Time> last_answer_ = std::vector<Time>(kBrokers);
  std::uint64_t life_ = 0;
  bool known_ = false;
};

/// One producer "shop" to a topic of `partitions` partitions.
class Shop {
 public:
  explicit Shop(const ProducerOptions& producer_options, std::uint32_t partitions = 1, std::uint64_t seed = 1,
                bool run_ahead = true, const ProtocolRules& rules = {})
      : options(producer_options),
        simulation(sim::Simulation::Options{.seed = seed}),
        network(simulation, NetworkOptions{}),
        context{simulation, trace, entities, network, steps},
        node(simulation, network, entities.add(EntityKind::producer, "shop"), network.add_host("shop"),
             "shop") {
    trace.add_sink(recorder);
    std::vector<PartitionQueue> queues(partitions);
    for (std::uint32_t p = 0; p < partitions; ++p) {
      queues[p].index = PartitionIndex{p};
      queues[p].entity = entities.add(EntityKind::partition, "orders/" + std::to_string(p));
    }
    producer = std::make_unique<Producer>(
        context, node, options, std::move(queues),
        [&](GatewayListener& listener) {
          auto made =
              std::make_unique<ScriptedGateway>(simulation, options.config, partitions, listener, calls);
          cluster = made.get();
          return made;
        },
        setup_of(run_ahead, rules));
  }

  static ProducerSetup setup_of(bool run_ahead, const ProtocolRules& rules) {
    ProducerSetup setup{.run_ahead = run_ahead};
    setup.rules = rules;
    return setup;
  }
  void start() { producer->start(); }
  void run_until(Duration end) {
    simulation.run_until(Time{end});
    trace.flush();
  }
  /// Arrivals stop at `duration`, then all that goes on goes on.
  void run(Duration duration) {
    start();
    simulation.schedule_at(Time{duration}, [this] { producer->stop_arrivals(); });
    run_until(duration + 400s);
  }
  void at(Duration t, std::function<void()> work) { simulation.schedule_at(Time{t}, std::move(work)); }

  /// Lane seqs in the log of a partition, in order of offset.
  std::vector<std::int64_t> log(std::size_t partition = 0) const {
    std::vector<std::int64_t> seqs;
    for (const Appended& batch : cluster->logs[partition]) {
      for (std::int32_t i = 0; i < batch.count; ++i) seqs.push_back(batch.first_seq + i);
    }
    return seqs;
  }
  std::vector<Seen> of(Kind kind) const { return recorder.of(kind); }
  std::int64_t messages(Kind kind) const { return recorder.messages(kind); }

  ProducerOptions options;
  Pool<ProduceCall> calls;  // outlives the events that hold calls
  sim::Simulation simulation;
  sim::Trace trace;
  Recorder recorder;
  Entities entities;
  Steps steps;
  Network network;
  Context context;
  Node node;
  std::unique_ptr<Producer> producer;
  ScriptedGateway* cluster = nullptr;
};

inline ProducerOptions keyless(double rate_per_s) {
  ProducerOptions options;
  options.name = "shop";
  options.to = "orders";
  options.arrivals = sim::ArrivalProcess::poisson(rate_per_s);
  return options;
}

/// Messages at the given milliseconds.
inline ProducerOptions at_ms(const std::vector<double>& times) {
  ProducerOptions options = keyless(1);
  std::vector<Time> exact;
  for (const double ms : times) exact.push_back(Time{Duration{static_cast<std::int64_t>(ms * 1e6)}});
  options.arrivals = sim::ArrivalProcess::replay(exact);
  return options;
}

}  // namespace producer_test
