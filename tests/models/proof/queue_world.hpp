// A queue of queueing theory, built from the models: one producer, one partition on one broker, one group of
// one member.
//
// Customers are messages, servers are the application's threads: one (the poll loop itself) or several
// (hand-off). The rest of the cluster is made to take no time, so that nothing has to be subtracted:
//   - the network's latency is 0, so that requests and responses arrive at the instant they are sent. Only
//     one thing is left: two segments of one direction never arrive at the same nanosecond, so a customer may
//     be late by a few of them (a test measures how late against Lindley's recursion: nanoseconds, of a mean
//     service time of a million);
//   - linger.ms = 0 and a batch.size that holds one record: each record is sent when it arises;
//   - brokers serve requests in no time (their default), acks = 1, replication 1, commits are asynchronous;
//   - max.poll.records = 1: the application takes up one record at a time, in order of arrival.
// Times are nanoseconds of virtual time. A customer counts when it arises after the warm-up, however late it
// leaves.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "models/trace_kinds.hpp"
#include "models/world.hpp"
#include "sim/distributions.hpp"
#include "sim/trace.hpp"

namespace proof {

using namespace std::chrono_literals;

struct QueueModel {
  double arrivals_per_s = 0;
  sim::Distribution service = sim::Distribution::constant(0);  ///< ns
  std::uint32_t servers = 1;
  sim::Duration duration = 60s;
  sim::Duration warmup = 5s;
  std::int32_t poll_records = 1;
};

/// What became of one message.
struct Customer {
  std::int64_t created = 0;
  std::int64_t service = 0;
  std::int64_t finish = 0;
  std::int64_t sojourn() const { return finish - created; }
  std::int64_t wait() const { return sojourn() - service; }
};

inline models::Scenario scenario_of(const QueueModel& model) {
  models::Scenario s;
  s.name = "queue";
  s.duration = model.duration;
  s.warmup = model.warmup;
  s.network.base.latency = sim::Distribution::constant(0);
  models::kafka::ClusterOptions cluster;
  cluster.brokers = 1;
  cluster.config.group_initial_rebalance_delay = 0ms;
  cluster.config.offsets_topic_num_partitions = 1;
  cluster.config.offsets_topic_replication_factor = 1;
  models::kafka::TopicOptions topic;
  topic.name = "orders";
  cluster.topics.push_back(topic);
  s.kafka = cluster;

  models::ProducerOptions producer;
  producer.name = "shop";
  producer.to = "orders";
  producer.arrivals = sim::ArrivalProcess::poisson(model.arrivals_per_s);
  producer.config.acks = 1;
  producer.config.enable_idempotence = false;
  producer.config.linger = 0ms;
  producer.config.batch_size = 1;
  s.producers.push_back(producer);

  models::GroupOptions group;
  group.name = "billing";
  group.topics = {"orders"};
  group.service = model.service;
  if (model.servers > 1) group.hand_off = models::HandOff{model.servers};
  group.config.max_poll_records = model.poll_records;
  group.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
  s.groups.push_back(group);
  return s;
}

/// Reads the customers of a queue's run from its trace.
class QueueObserver : public sim::TraceSink {
 public:
  using Visit = std::function<void(const Customer&)>;

  QueueObserver(const QueueModel& model, std::uint64_t seed, Visit visit)
      : model_(model),
        service_key_(sim::stream_key(seed, "service/billing/orders")),
        visit_(std::move(visit)) {}

  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind == static_cast<std::uint16_t>(models::Kind::offered)) offered(r, block.payload(r));
      if (r.kind == static_cast<std::uint16_t>(models::Kind::processed)) processed(r, block.payload(r));
    }
  }
  std::uint64_t left() const { return left_; }
  std::size_t arisen() const { return created_.size(); }

 private:
  void offered(const sim::TraceRecord& r, std::span<const std::int64_t> times) {
    for (std::int64_t i = 0; i < r.b; ++i) created_.push_back(times[static_cast<std::size_t>(i)]);
  }
  /// One lane, nothing fails: a message's offset is its number.
  void processed(const sim::TraceRecord& r, std::span<const std::int64_t> finish) {
    const bool arithmetic = (r.code & models::kArithmetic) != 0;
    for (std::int64_t i = 0; i < r.b; ++i) {
      Customer c;
      c.created = created_[static_cast<std::size_t>(r.a + i)];
      c.finish = arithmetic ? finish[0] + i * finish[1] : finish[static_cast<std::size_t>(i)];
      c.service = service(r.a + i);
      ++left_;
      if (sim::Duration(c.created) >= model_.warmup) visit_(c);
    }
  }
  /// Service times are drawn by the message, so they can be drawn again.
  std::int64_t service(std::int64_t offset) const {
    sim::Stream stream = sim::Stream::keyed(service_key_, 0, static_cast<std::uint64_t>(offset), 0);
    return model_.service.sample_duration(stream).count();
  }

  const QueueModel& model_;
  sim::StreamKey service_key_;
  Visit visit_;
  std::vector<std::int64_t> created_;
  std::uint64_t left_ = 0;
};

/// Runs the queue with `seed`, and shows each customer to `visit` when it leaves.
inline void run_queue(const QueueModel& model, std::uint64_t seed, QueueObserver::Visit visit) {
  models::World world(scenario_of(model), seed);
  QueueObserver observer(model, seed, std::move(visit));
  world.trace().add_sink(observer);
  const models::RunOutcome outcome = world.run();
  if (!outcome.drained || observer.left() != observer.arisen()) {
    throw std::runtime_error("a queue's run did not drain: not every customer has left");
  }
}

}  // namespace proof
