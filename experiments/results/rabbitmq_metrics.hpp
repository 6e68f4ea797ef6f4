// What a Prometheus would have scraped of RabbitMQ, under the names of rabbitmq_prometheus (deps/rabbitmq_prometheus, metrics.md,
// prometheus_rabbitmq_core_metrics_collector.erl, rabbit_global_counters.erl): the global counters, what /metrics/per-object
// says of queues, and alarms. In the OpenMetrics text format; see openmetrics.hpp for timestamps.
//
// Model: nodes keep their counters when they crash. Of channels there is one to a client, which carries its name.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/results/queue_board.hpp"
#include "models/world.hpp"

namespace experiments {

class RabbitMetrics {
 public:
  /// Scrapes at `times`, which rise.
  explicit RabbitMetrics(const std::vector<sim::Time>& times);

  TrialWatcher& watcher() { return board_; }
  /// The state at a time of `times`, while the run stands still there. A run that has ended before is not scraped.
  void scrape(std::size_t index, models::World& world);
  /// After the run: families, without the line that ends them all.
  std::string text() const;

 private:
  struct State {
    bool seen = false;
    std::vector<models::QueueView> queues;
    std::vector<models::NodeView> nodes;
    BoardState board;
  };
  struct Family;
  class Lines;
  void add_queues(const State& state, Lines& lines) const;
  void add_publishers(const State& state, Lines& lines) const;
  void add_global(const State& state, Lines& lines) const;
  void add_nodes(const State& state, Lines& lines) const;

  std::vector<sim::Time> times_;
  std::vector<State> states_;
  std::vector<std::string> names_;  ///< by entity
  QueueBoard board_;
};

}  // namespace experiments
