// `mqlab run --queues --at T`: queues and publishers as the management page and rabbitmqctl list_queues would show them at a
// moment.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/results/queue_board.hpp"
#include "models/scenario.hpp"
#include "models/world.hpp"

namespace experiments {

/// At one time.
struct ListedQueues {
  sim::Time at{};
  struct Row {
    std::string name;
    models::QueueView view;
    /// A second, over the five seconds before.
    double published = 0, delivered = 0, redelivered = 0, acknowledged = 0;
  };
  std::vector<Row> queues;
  struct Publisher {
    std::string name;
    PublisherCounts counts;
  };
  std::vector<Publisher> publishers;
};

/// Collects what --queues asks for while a run goes on.
class QueueList {
 public:
  /// `o.at`, or the end of the run. Throws UsageError where the scenario has no queues.
  QueueList(const RunCommand& o, const models::Scenario& scenario);
  std::vector<models::Look> looks();
  TrialWatcher& watcher() { return board_; }
  /// After the run.
  std::vector<ListedQueues> lists() const;

 private:
  void attach(models::World& world, std::size_t index);

  std::vector<sim::Time> at_;
  std::vector<sim::Time> times_;  ///< of the board: before each, and it
  std::vector<std::vector<models::QueueView>> views_;
  std::vector<BoardState> states_;
  std::vector<std::string> names_;    ///< by entity
  std::set<std::string> confirming_;  ///< producers with confirms
  std::vector<sim::Time> seen_;       ///< when, where the run ended before
  QueueBoard board_;
};

std::string as_text(const ListedQueues& list);
nlohmann::ordered_json as_json(const ListedQueues& list);

}  // namespace experiments
