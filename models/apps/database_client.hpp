// A program's connection to a database. Calls that are under way when it breaks are answered with Outcome::lost; the next call
// connects again.
#pragma once

#include <vector>

#include "models/apps/database.hpp"

namespace models {

class DatabaseUser {
 public:
  virtual ~DatabaseUser() = default;
  /// A call of one's own has been answered, or was lost. It is used again after this.
  virtual void answered(DatabaseCall& call) = 0;
};

class DatabaseClient final : private ConnectionListener {
 public:
  DatabaseClient(Node& node, Database& database, DatabaseUser& user);
  ~DatabaseClient() override;
  DatabaseClient(const DatabaseClient&) = delete;
  DatabaseClient& operator=(const DatabaseClient&) = delete;

  /// A cleared call, to be filled and sent.
  DatabaseCallRef take(DatabaseCall::What what);
  void send(DatabaseCallRef call);
  /// The process has died: nothing is answered any more.
  void abandon();
  bool idle() const { return under_way_.empty(); }

  /// From the database.
  void complete(const DatabaseCallRef& call);

 private:
  void connected(ConnectionId id) override;
  void disconnected(ConnectionId id) override;
  void transmit(const DatabaseCallRef& call);

  Network& network_;
  Node& node_;
  Database& database_;
  DatabaseUser& user_;
  ConnectionId connection_{};
  bool open_ = false;
  std::vector<DatabaseCallRef> under_way_;  // in order of sending
  std::vector<DatabaseCallRef> all_;        // to be used again
};

}  // namespace models
