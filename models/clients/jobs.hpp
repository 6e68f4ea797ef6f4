// What the messages of a work queue are to the application that a group of workers runs, whichever broker hands them out.
//
// A message is known by what its producer published (lane and sequence number), a dead letter by its first: that is what its
// service time is drawn by, whether it is poison, and its idempotency key.
//
// To add a broker family: its group of workers has a Jobs, each worker a Workbench (workbench.hpp), which it gives the next
// message when it has one, and which says what became of it; receiving and settling are the family's own.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "models/clients/offset_counts.hpp"
#include "models/clients/workload.hpp"
#include "models/context.hpp"
#include "models/fifo.hpp"
#include "models/ids.hpp"
#include "sim/random.hpp"
#include "sim/time.hpp"

namespace models {

class Dependency;

/// A message in a worker's hands.
struct Job {
  EntityId queue{};
  std::int64_t number = 0;  ///< in that queue
  LaneId lane{};
  std::uint64_t seq = 0;
  std::int64_t log_epoch = 0;  ///< of a log that is replicated: in which it was read
  std::uint64_t attempt = 0;   ///< how often it was delivered before, as far as anybody counts
};

class Jobs {
 public:
  /// `options` outlives it.
  Jobs(Context& context, const GroupOptions& options);

  const GroupOptions& options() const { return options_; }
  /// The work on a message calls it, as options().calls says.
  void call(Dependency& dependency) { dependency_ = &dependency; }
  Dependency* dependency() const { return dependency_; }
  /// Whether working on a message takes any time.
  bool takes_time() const { return !options_.service.is_constant() || options_.service.mean() > 0; }
  sim::Duration service(const Job& job) const;
  /// It will fail now.
  bool poisoned(const Job& job) const;
  void failed(const Job& job);
  /// Whether its effect is to be applied: false where the other side has seen it.
  bool apply_effect(const Job& job);
  /// Messages of which it is known how often they have failed.
  std::size_t failures() const { return failures_.size(); }

 private:
  const GroupOptions& options_;
  Dependency* dependency_ = nullptr;  // null: it calls nothing
  sim::StreamKey service_key_;
  sim::StreamKey poison_key_;
  using Key = std::pair<LaneId, std::uint64_t>;
  /// Model: a group does not learn what becomes of a message that it gives back, and copies of one that has succeeded may come;
  /// so that is remembered of so many messages, those that failed last. One that comes later than that fails anew.
  static constexpr std::size_t kRemembered = 1 << 16;
  std::map<Key, std::uint32_t> failures_;  // of messages that do not fail for ever
  Fifo<Key> failed_;                       // these, the first that failed first
  std::vector<OffsetCounts> seen_;         // by lane: effects asked for, with an idempotency key
};

}  // namespace models
