#include "models/apps/database_client.hpp"

#include <algorithm>
#include <utility>

namespace models {
namespace {

// Sizes on the wire, about.
constexpr std::uint32_t kStatement = 200;
constexpr std::uint32_t kStatementRow = 20;

}  // namespace

DatabaseClient::DatabaseClient(Node& node, Database& database, DatabaseUser& user)
    : network_(database.context().network), node_(node), database_(database), user_(user) {}

DatabaseClient::~DatabaseClient() {
  for (const DatabaseCallRef& call : all_) call->client = nullptr;
  network_.close(connection_);
}

DatabaseCallRef DatabaseClient::take(DatabaseCall::What what) {
  auto at = std::find_if(all_.begin(), all_.end(), [](const auto& call) { return call.use_count() == 1; });
  if (at == all_.end()) at = all_.insert(all_.end(), std::make_shared<DatabaseCall>());
  std::vector<OutboxRow> rows = std::move((*at)->rows);
  rows.clear();
  **at = DatabaseCall{};
  (*at)->rows = std::move(rows);
  (*at)->what = what;
  return *at;
}

void DatabaseClient::send(DatabaseCallRef call) {
  call->client = this;
  under_way_.push_back(call);
  if (open_) return transmit(call);
  if (connection_ == ConnectionId{}) connection_ = network_.connect(node_, database_.node(), *this);
}

void DatabaseClient::transmit(const DatabaseCallRef& call) {
  call->connection = connection_;
  const auto bytes = static_cast<std::uint32_t>(kStatement + kStatementRow * call->rows.size());
  network_.send(connection_, Side::client, bytes,
                [database = &database_, call = call] { database->receive(call); });
}

void DatabaseClient::connected(ConnectionId) {
  open_ = true;
  for (const DatabaseCallRef& call : under_way_) transmit(call);
}

void DatabaseClient::disconnected(ConnectionId) {
  open_ = false;
  connection_ = {};
  std::vector<DatabaseCallRef> lost;
  lost.swap(under_way_);
  for (const DatabaseCallRef& call : lost) call->client = nullptr;
  const std::uint32_t life = node_.incarnation();
  for (const DatabaseCallRef& call : lost) {
    if (node_.incarnation() != life) return;
    call->outcome = Outcome::lost;
    node_.run_or_hold([this, call] { user_.answered(*call); });
  }
}

void DatabaseClient::complete(const DatabaseCallRef& call) {
  const DatabaseCallRef done = call;
  done->client = nullptr;
  std::erase(under_way_, done);
  user_.answered(*done);
}

void DatabaseClient::abandon() {
  for (const DatabaseCallRef& call : under_way_) call->client = nullptr;
  under_way_.clear();
  network_.close(connection_);
  connection_ = {};
  open_ = false;
}

}  // namespace models
