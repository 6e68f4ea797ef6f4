// A relay: it reads what a database has to tell, sends it to a topic, waits until all of it was acknowledged, and notes that.
//
//     while (running) {
//       rows = read();          // kind: locked rows of the outbox, rows above an id, or the log behind a position
//       for (row : rows) send(event of row);
//       flush();
//       mark(rows);             // deletes them, or keeps the new position
//     }
//
// Between the acknowledgements and the note it may die, and whoever comes next sends the same again: at least once. What was
// not acknowledged is read again.
//
// Several instances of RelayKind::polling take the rows that the others have not locked, and nothing keeps events of one
// aggregate in order then. RelayKind::polling_by_id takes a row that commits behind one of a higher id for one that it has
// seen. RelayKind::capture keeps its position every `every` (Kafka Connect's offset.flush.interval.ms), the others with each
// batch.
//
// To add a kind: a RelayKind, its ReadFrom, and what Database does for that.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/apps/database_client.hpp"
#include "models/apps/event_sender.hpp"
#include "models/apps/options.hpp"

namespace models {

/// Makes the sender of a program on `node`.
using SenderMaker = std::function<std::unique_ptr<EventSender>(Node& node, EventSenderOwner& owner)>;

class Relay final : public NodeProgram, private DatabaseUser, private EventSenderOwner {
 public:
  /// `reader`: Database::add_reader(), of kinds that keep a position.
  Relay(Node& node, const RelayOptions& options, Database& database, std::uint32_t reader,
        const SenderMaker& make_sender);

  void start();
  /// It has nothing in hand, and there is nothing for it.
  bool idle() const;
  bool running() const { return node_.up(); }
  const Node& node() const { return node_; }

  // NodeProgram
  void crashed() override;
  void restarted() override;
  void paused() override { sender_->paused(); }
  void resumed() override { sender_->resumed(); }

 private:
  enum class State : std::uint8_t { resting, reading, sending, marking };

  void answered(DatabaseCall& call) override;
  void sent(FactId fact, bool acknowledged) override;
  void read();
  void rest();
  void have_read(const DatabaseCall& call);
  void send();
  void have_sent();
  void mark();
  void keep_position();

  Context& context_;
  Node& node_;
  const RelayOptions& options_;
  Database& database_;
  ReadFrom from_;
  std::uint32_t reader_;
  DatabaseClient client_;
  std::unique_ptr<EventSender> sender_;
  State state_ = State::resting;
  std::vector<OutboxRow> rows_;    // in hand
  std::vector<OutboxRow> unsent_;  // of these, given up by the producer
  std::vector<FactId> facts_;
  std::size_t outstanding_ = 0;  // of these, neither acknowledged nor given up
  std::int64_t position_ = -1;   // behind what was acknowledged; -1: as it is kept
  std::int64_t kept_ = -1;       // as the database has been told
  StepCell& read_step_;
  StepCell& sent_step_;
  StepCell& marked_step_;
  NodeTimer<std::function<void()>> timer_;
  NodeTimer<std::function<void()>> keep_timer_;  // of a capture
};

}  // namespace models
