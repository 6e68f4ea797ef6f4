// What RabbitMQ's management page shows of queues and publishers, counted from the trace of a run: at any times that are asked
// for, messages ready and unacknowledged, and what has been published, delivered, redelivered, acknowledged, confirmed,
// returned and dropped since the run began.
//
// Names and meanings are those of the management page and of rabbitmq_prometheus. Counting costs when it is asked for, and
// nothing otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "experiments/trial.hpp"
#include "models/trace_kinds.hpp"

namespace experiments {

struct QueueCounts {
  std::int64_t ready = 0;
  std::int64_t unacknowledged = 0;
  std::int64_t published = 0;            ///< into the queue, dead letters too
  std::int64_t delivered_manual = 0;     ///< to consumers that acknowledge
  std::int64_t delivered_automatic = 0;  ///< to others
  std::int64_t redelivered = 0;          ///< of both
  std::int64_t acknowledged = 0;
  /// By RemovedCode, dead-lettered and not.
  std::map<std::pair<models::RemovedCode, bool>, std::int64_t> removed;
};

struct PublisherCounts {
  std::int64_t routed = 0;     ///< copies into queues
  std::int64_t confirmed = 0;  ///< of these
  std::int64_t failed = 0;     ///< nacked, or of a connection that went
  std::int64_t returned = 0;   ///< unroutable, mandatory
  std::int64_t dropped = 0;    ///< unroutable, not mandatory
};

struct BoardState {
  std::map<std::uint32_t, QueueCounts> queues;          ///< by entity
  std::map<std::uint32_t, PublisherCounts> publishers;  ///< by entity
};

/// A sink of one run.
class QueueBoard final : public TrialWatcher {
 public:
  /// `shown` is called for each of `times`, which rise, with what had happened by then, that instant included. A time that the
  /// run does not reach is its end.
  QueueBoard(std::vector<sim::Time> times, std::function<void(std::size_t, const BoardState&)> shown)
      : times_(std::move(times)), shown_(std::move(shown)) {}

  void attach(const models::Entities& entities) override { entities_ = &entities; }
  void consume(const sim::TraceBlock& block) override;
  void finish(sim::Time end) override;

 private:
  void look(const sim::TraceRecord& r);
  void show_before(sim::Time t);

  std::vector<sim::Time> times_;
  std::size_t next_ = 0;
  std::function<void(std::size_t, const BoardState&)> shown_;
  const models::Entities* entities_ = nullptr;
  BoardState state_;
};

}  // namespace experiments
