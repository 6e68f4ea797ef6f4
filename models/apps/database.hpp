// A database: one host, local transactions, an outbox table and a log of commits.
//
// A transaction is one message with all its statements. It locks its aggregate's row (who comes later waits), gives its new
// row an id from a sequence, and commits some time later: ids are handed out in one order and become visible in another, as
// with every database that does not commit one transaction at a time (PostgreSQL, "9.17 Sequence Manipulation Functions": a
// value is taken at once and never given back). What is committed is durable and has its place in the log; what is open when
// the process dies is rolled back, and its id stays unused.
//
// Facts have identities, which are unique: whoever asks again after having heard nothing is told that it is there
// (Outcome::repeated). So are causes, where the change names one: the table of processed events.
//
// Readers are relays. Rows of the outbox are read in order of ids without those that another has locked (SKIP LOCKED), and
// locked until they are marked or the reader's connection is gone; or above an id; or the log is read from a position, and
// a reader that has come to its end waits. Where each reader that keeps a position goes on is kept here, as a replication slot.
//
// Two-phase commit: prepare() does all of a transaction but its commit, and is durable; the row stays locked until decide().
//
// Model: one round trip a transaction; statements of one never meet those of another but at the row of its aggregate; the
// disk's time is part of the transaction's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/apps/facts.hpp"
#include "models/apps/options.hpp"
#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models {

class DatabaseClient;

/// What a transaction does.
struct Change {
  FactId fact{};               ///< lane 0: none; then only the cause is noted
  Fact what{};                 ///< of the fact; the aggregate also where there is none
  EntityId by{};               ///< whose fact it is
  FactId cause{};              ///< the event that it answers to; lane 0: none is noted
  std::uint32_t reaction = 0;  ///< which of those to the cause
  FactId viewed{};             ///< the event that is taken into a view; lane 0: none
  FactTypeSet unless = 0;      ///< nothing is done where the aggregate has one of these here
  FactTypeSet needs = 0;       ///< or has not all of these
  bool of_queue = false;       ///< a message of it, in a database that is a queue: no fact of its own
  bool to_outbox = false;
  bool to_be_published = false;  ///< by whomever
};

enum class Outcome : std::uint8_t {
  committed,  ///< of a prepare: the vote is yes
  repeated,   ///< it had been committed before
  left_out,   ///< `unless` and `needs` say so; its cause is noted
  lost,       ///< no answer came: it was carried out, or not
};

enum class ReadFrom : std::uint8_t { outbox, above_id, log };

struct OutboxRow {
  std::int64_t id = 0;  ///< of the sequence; of the log: the position
  FactId fact{};
};

struct DatabaseCall {
  enum class What : std::uint8_t { transact, prepare, decide, read, mark, look };
  What what{};
  std::uint64_t ticket = 0;  ///< the caller's own
  Outcome outcome{};
  Change change{};               // transact, prepare, look: whether a view has change.fact
  std::int64_t transaction = 0;  // prepare, decide: its number
  EntityId coordinator{};
  std::int64_t over_below =
      0;                // prepare, decide: all of its transactions below this number have come to their ends
  bool commit = false;  // decide
  ReadFrom from{};      // read, mark
  std::uint32_t reader = 0;     ///< that keeps a position
  std::int64_t position = -1;   // read: from here on, -1: from where it is kept; mark: to be kept
  std::uint32_t most = 0;       // read
  std::vector<OutboxRow> rows;  // read: the answer; mark: of the outbox, to be deleted
  // the database's own
  DatabaseClient* client = nullptr;  ///< null: has given up
  ConnectionId connection{};
  sim::Time finish{};
  std::int64_t row_id = -1;
};
using DatabaseCallRef = std::shared_ptr<DatabaseCall>;

class Database final : public NodeProgram {
 public:
  Database(Context& context, Node& node, const DatabaseOptions& options);

  Node& node() { return node_; }
  Context& context() { return context_; }
  /// A reader that keeps a position; before the run.
  std::uint32_t add_reader();
  /// Somebody reads the log: it is kept until all have marked it.
  void keep_log() { keeps_log_ = true; }
  void receive(DatabaseCallRef call);

  /// No transaction is open, prepared or waiting.
  bool idle() const;
  /// Nothing is left in the outbox; above the id that a reader keeps; or of the log behind what it keeps.
  bool all_read(ReadFrom from, std::uint32_t reader) const;
  /// The view of this database has taken the fact in.
  bool view_has(FactId fact) const { return view_.has(fact); }

  // NodeProgram
  bool takes_time() const override { return options_.transaction.mean() > 0 || options_.query.mean() > 0; }
  void crashed() override;
  void restarted() override;

 private:
  /// A set of (lane, number).
  class Ids {
   public:
    bool has(FactId id) const {
      return id.lane.value < rows_.size() && static_cast<std::size_t>(id.seq) < rows_[id.lane.value].size() &&
             rows_[id.lane.value][static_cast<std::size_t>(id.seq)];
    }
    void add(FactId id) {
      if (id.lane.value >= rows_.size()) rows_.resize(id.lane.value + 1);
      std::vector<bool>& row = rows_[id.lane.value];
      if (static_cast<std::size_t>(id.seq) >= row.size()) row.resize(static_cast<std::size_t>(id.seq) + 1);
      row[static_cast<std::size_t>(id.seq)] = true;
    }

   private:
    std::vector<std::vector<bool>> rows_;
  };
  struct Row {
    OutboxRow row;
    ConnectionId locked{};  ///< by whom; none: 0
  };

  /// A vote that was given: all of a transaction but its commit.
  struct Prepared {
    std::int64_t transaction = 0;
    EntityId coordinator{};
    Change change;
    std::int64_t row_id = -1;
    sim::Time given{};
  };

  /// What a participant knows of a coordinator.
  struct Coordinator {
    EntityId id{};
    std::int64_t over_below = 0;          ///< its transactions below this number are none of its own any more
    std::vector<std::int64_t> aborted{};  ///< of the others, those aborted before they were prepared: rare
  };

  static FactId processed_id(const Change& change) {
    return {change.cause.lane, change.cause.seq * kMostReactions + change.reaction};
  }
  FactTypeSet types_of(std::uint32_t aggregate) const {
    return aggregate < types_.size() ? types_[aggregate] : 0;
  }
  bool locked(std::uint32_t aggregate) const;
  void begin(DatabaseCallRef call);
  /// What becomes of it without any doing.
  std::optional<Outcome> settled(const Change& change);
  void run(DatabaseCallRef call, sim::Duration time);
  void finish_due();
  void finish(DatabaseCallRef call);
  /// Makes the change part of the database; `then` what comes behind it, unless the node dies of it.
  template <class Then>
  void commit(const Change& change, std::int64_t row_id, Then then);
  /// Answers, and lets go on who waits for the row.
  void carried_out(DatabaseCallRef call, std::uint32_t aggregate);
  void take_into_view(const Change& change);
  void decide(DatabaseCallRef call);
  void read(DatabaseCall& call);
  void read_outbox(DatabaseCall& call);
  void read_log(DatabaseCall& call);
  void mark(DatabaseCall& call);
  void wake_readers();
  bool is_locked(const Row& row) const;
  void free_rows_of(ConnectionId connection);
  void forget_prepare(const DatabaseCall& abort);
  Coordinator& coordinator(const DatabaseCall& call);
  /// It was aborted before it was prepared, as far as is remembered.
  bool is_over(const DatabaseCall& call);
  /// That it is not in doubt for longer than DatabaseOptions::in_doubt_most.
  void watch(const Prepared& vote);
  /// In doubt for too long: the vote is withdrawn, against all promises.
  void abort_alone(EntityId coordinator, std::int64_t transaction);
  void emit_vote(const Prepared& vote, VoteCode code);
  /// Who waited for its row begins.
  void wake(std::uint32_t aggregate);
  void respond(DatabaseCallRef call);

 public:
  static constexpr std::int64_t kMostReactions = 64;  ///< of a service, each now and later

 private:
  Context& context_;
  Node& node_;
  DatabaseOptions options_;
  sim::StreamKey transaction_draws_;
  sim::Stream query_draws_;
  bool keeps_log_ = false;
  StepCell& inserted_step_;
  StepCell& stored_step_;
  StepCell& vote_step_;

  // durable
  std::int64_t next_id_ = 0;  // of the sequence: not given back by a rollback
  std::vector<Row> outbox_;   // by rising id
  std::deque<FactId> log_;    // from log_base_ on
  std::int64_t log_base_ = 0;
  std::int64_t committed_ = 0;      // transactions so far: the end of the log
  std::vector<std::int64_t> kept_;  // by reader
  Ids facts_, processed_, view_;
  std::vector<FactTypeSet> types_;  // by aggregate
  std::vector<Prepared> prepared_;  // votes given, not decided
  std::vector<Coordinator> coordinators_;

  // of the process
  std::vector<DatabaseCallRef> running_;  // by rising finish
  std::deque<DatabaseCallRef> waiting_;   // for a row
  std::vector<DatabaseCallRef> readers_;  // at the log's end
  std::vector<DatabaseCallRef> ready_;    // of these, about to be answered
  std::vector<ConnectionId> watched_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models
