// Applications with databases of their own, as plain data: databases, services, and relays that bring what a database has
// to a topic.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/kafka/config.hpp"
#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models {

struct DatabaseOptions {
  std::string name;
  /// ns from a transaction's first statement, which gives its row an id, to its commit.
  sim::Distribution transaction = sim::Distribution::constant(1e6);
  sim::Distribution query = sim::Distribution::constant(1e6);  ///< ns of a relay's query
  /// After which a participant aborts by itself what it has voted for (a heuristic decision); absent: never.
  std::optional<sim::Duration> in_doubt_most;
  std::string rack, zone, region;
};

/// How what a service's transactions say gets into a topic.
enum class Publishing : std::uint8_t {
  none,           ///< nobody tells; or a relay that reads the database's log
  outbox,         ///< a row of an outbox table, in the transaction: a relay sends it
  after_commit,   ///< dual write: the service sends it when the transaction has been committed
  before_commit,  ///< dual write: the service sends it, and commits when it has been acknowledged
  two_phase,      ///< the queue is another database: both prepare, the service decides, both commit
};

/// What a service does upon an event: at most one transaction.
struct ReactionOptions {
  std::string on;         ///< type of event
  std::string then;       ///< type of the fact that comes of it; empty: the event is taken into a view
  double fails = 0;       ///< share in which `otherwise` comes of it
  std::string otherwise;  ///< type of fact; empty: nothing
  std::optional<sim::Distribution> after;  ///< ns later, by a timer in the database
  std::vector<std::string> unless;         ///< not if the aggregate has one of these facts in this database
  std::vector<std::string> needs;          ///< only if it has all of these
};

/// The service reads another's view just after it has answered a request: is what it wrote there?
struct OwnReadOptions {
  std::string view;                                          ///< a service
  sim::Distribution after = sim::Distribution::constant(0);  ///< ns from the answer to the query
};

struct ServiceOptions {
  std::string name;
  std::uint32_t instances = 1;  ///< "name", or "name/0", "name/1" …; of one that reads topics always so
  std::string database;
  // requests
  std::optional<sim::ArrivalProcess> arrivals;
  std::optional<ClosedLoop> closed_loop;
  std::uint64_t messages = 0;  ///< stop after so many requests of an instance; 0: never
  KeyOptions keys;             ///< aggregates; none: each request begins one of its own
  std::string begins;          ///< type of fact that a request leaves
  std::uint32_t threads = 8;   ///< requests that an instance works on at a time
  std::optional<OwnReadOptions> own_read;
  // events
  std::vector<std::string> reads;  ///< topics
  std::vector<ReactionOptions> reactions;
  bool processed_ids =
      true;  ///< each event's reactions are noted in their transactions, and left out when it comes again
  sim::Duration start{};  ///< when it begins to read
  kafka::ConsumerConfig consumer;
  // publishing
  Publishing publish = Publishing::none;
  std::string to;     ///< topic, of dual writes
  std::string queue;  ///< database, of two-phase commits
  sim::Distribution decision =
      sim::Distribution::constant(1e6);                       ///< ns to write a decision to the service's log
  sim::Distribution size = sim::Distribution::constant(200);  ///< bytes of an event
  kafka::ProducerConfig config;
  std::string rack, zone, region;
};

enum class RelayKind : std::uint8_t {
  polling,        ///< rows of the outbox that nobody has locked, deleted once sent (FOR UPDATE SKIP LOCKED)
  polling_by_id,  ///< rows whose id is above the highest that was sent
  capture,        ///< the database's log, in order of commits (change data capture)
};

struct RelayOptions {
  std::string name;
  std::string database;
  std::string to;  ///< topic
  RelayKind kind = RelayKind::polling;
  std::uint32_t instances = 1;
  /// Between queries that found nothing; of a capture: between savings of its position.
  sim::Duration every = std::chrono::milliseconds{100};
  std::uint32_t batch = 100;                                  ///< rows of a query
  sim::Distribution size = sim::Distribution::constant(200);  ///< bytes of an event
  kafka::ProducerConfig config;
  std::string rack, zone, region;
};

/// What an outcome of a saga is known by; and what undoes what.
struct SagaOptions {
  std::vector<std::string> succeeds, fails;  ///< types of facts
  struct Undo {
    std::string fact, by;
  };
  std::vector<Undo> undo;
};

}  // namespace models
