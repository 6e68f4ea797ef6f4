#include "models/apps/database.hpp"

#include <algorithm>
#include <utility>

#include "models/apps/database_client.hpp"
#include "models/faults/step_then.hpp"

namespace models {
namespace {

// Sizes on the wire, about.
constexpr std::uint32_t kAnswer = 80;
constexpr std::uint32_t kAnswerRow = 150;

std::string stream_name(const DatabaseOptions& options, const char* purpose) {
  return "database/" + options.name + "/" + purpose;
}

bool is_write(DatabaseCall::What what) {
  return what == DatabaseCall::What::transact || what == DatabaseCall::What::prepare;
}

}  // namespace

Database::Database(Context& context, Node& node, const DatabaseOptions& options)
    : context_(context),
      node_(node),
      options_(options),
      transaction_draws_(sim::stream_key(context.simulation.seed(), stream_name(options, "transactions"))),
      query_draws_(context.simulation.seed(), stream_name(options, "queries")),
      inserted_step_(context.steps.cell(node.entity(), Step::row_inserted)),
      stored_step_(context.steps.cell(node.entity(), Step::transaction_stored)),
      vote_step_(context.steps.cell(node.entity(), Step::vote_given)),
      timer_(context.simulation, node, [this] { finish_due(); }) {
  node.set_program(*this);
}

std::uint32_t Database::add_reader() {
  kept_.push_back(0);
  return static_cast<std::uint32_t>(kept_.size() - 1);
}

void Database::crashed() {
  running_.clear();
  waiting_.clear();
  readers_.clear();
  watched_.clear();
  for (Row& row : outbox_) row.locked = {};
  timer_.disarm();
}

// ---- transactions -------------------------------------------------------------------------------------------------

void Database::receive(DatabaseCallRef call) {
  switch (call->what) {
    case DatabaseCall::What::prepare:
      if (is_over(*call)) {
        call->outcome = Outcome::left_out;
        return respond(std::move(call));
      }
      [[fallthrough]];
    case DatabaseCall::What::transact:
      return locked(call->change.what.aggregate) ? waiting_.push_back(std::move(call))
                                                 : begin(std::move(call));
    case DatabaseCall::What::decide:
      return decide(std::move(call));
    case DatabaseCall::What::mark:
      mark(*call);
      return respond(std::move(call));
    case DatabaseCall::What::read:
    case DatabaseCall::What::look:
      return run(std::move(call), options_.query.sample_duration(query_draws_));
  }
}

bool Database::locked(std::uint32_t aggregate) const {
  const auto holds = [aggregate](const DatabaseCallRef& call) {
    return is_write(call->what) && call->change.what.aggregate == aggregate;
  };
  const auto held = [aggregate](const Prepared& vote) { return vote.change.what.aggregate == aggregate; };
  return std::any_of(running_.begin(), running_.end(), holds) ||
         std::any_of(prepared_.begin(), prepared_.end(), held);
}

std::optional<Outcome> Database::settled(const Change& change) {
  const bool seen = change.cause.lane != LaneId{} && processed_.has(processed_id(change));
  if (seen || (change.fact.lane != LaneId{} && facts_.has(change.fact))) return Outcome::repeated;
  const FactTypeSet types = types_of(change.what.aggregate);
  if ((types & change.unless) == 0 && (types & change.needs) == change.needs) return std::nullopt;
  if (change.cause.lane != LaneId{}) processed_.add(processed_id(change));
  return Outcome::left_out;
}

void Database::begin(DatabaseCallRef call) {
  if (const std::optional<Outcome> outcome = settled(call->change)) {
    call->outcome = *outcome;
    const std::uint32_t aggregate = call->change.what.aggregate;
    respond(std::move(call));
    return wake(aggregate);
  }
  // Keyed by what it does: two configurations under one seed meet the same work.
  const FactId named = call->change.fact.lane != LaneId{} ? call->change.fact : call->change.cause;
  sim::Stream draw = sim::Stream::keyed(transaction_draws_, named.lane.value,
                                        static_cast<std::uint64_t>(named.seq), call->change.reaction);
  call->row_id = next_id_++;
  run(std::move(call), options_.transaction.sample_duration(draw));
  inserted_step_.advance(1);
}

void Database::run(DatabaseCallRef call, sim::Duration time) {
  call->finish = context_.now() + node_.stretched(time);
  const auto at =
      std::upper_bound(running_.begin(), running_.end(), call->finish,
                       [](sim::Time finish, const DatabaseCallRef& other) { return finish < other->finish; });
  running_.insert(at, std::move(call));
  timer_.arm_at(std::max(running_.front()->finish, context_.now()));
}

void Database::finish_due() {
  const std::uint32_t life = node_.incarnation();
  while (!running_.empty() && running_.front()->finish <= context_.now()) {
    DatabaseCallRef call = std::move(running_.front());
    running_.erase(running_.begin());
    finish(std::move(call));
    if (node_.incarnation() != life) return;
    if (node_.paused()) break;
  }
  if (!running_.empty()) timer_.arm_at(std::max(running_.front()->finish, context_.now()));
}

void Database::finish(DatabaseCallRef call) {
  switch (call->what) {
    case DatabaseCall::What::look:
      call->outcome = view_.has(call->change.fact) ? Outcome::committed : Outcome::left_out;
      return respond(std::move(call));
    case DatabaseCall::What::read:
      if (call->from == ReadFrom::log) {
        read_log(*call);
        if (call->rows.empty()) return readers_.push_back(std::move(call));
      } else {
        // Whose session has ended meanwhile locks nothing.
        if (!context_.network.open(call->connection)) return;
        read_outbox(*call);
      }
      return respond(std::move(call));
    case DatabaseCall::What::prepare:
      prepared_.push_back({call->transaction, call->coordinator, call->change, call->row_id, context_.now()});
      emit_vote(prepared_.back(), VoteCode::prepared);
      watch(prepared_.back());
      return step_then(vote_step_, node_, [this, call] {
        call->outcome = Outcome::committed;
        respond(call);
      });
    default:
      commit(call->change, call->row_id, [this, call] { carried_out(call, call->change.what.aggregate); });
  }
}

void Database::carried_out(DatabaseCallRef call, std::uint32_t aggregate) {
  call->outcome = Outcome::committed;
  respond(std::move(call));
  wake(aggregate);
}

template <class Then>
void Database::commit(const Change& change, std::int64_t row_id, Then then) {
  if (change.cause.lane != LaneId{}) processed_.add(processed_id(change));
  if (change.viewed.lane != LaneId{}) take_into_view(change);
  if (change.fact.lane == LaneId{}) return then();
  if (change.of_queue) return step_then(stored_step_, node_, std::move(then));
  facts_.add(change.fact);
  if (change.what.aggregate >= types_.size()) types_.resize(change.what.aggregate + 1);
  types_[change.what.aggregate] |= set_of(change.what.type);
  const std::int64_t position = committed_++;
  if (keeps_log_) log_.push_back(change.fact);
  if (change.to_outbox) {
    const auto at = std::upper_bound(outbox_.begin(), outbox_.end(), row_id,
                                     [](std::int64_t id, const Row& row) { return id < row.row.id; });
    outbox_.insert(at, Row{{row_id, change.fact}, {}});
  }
  const bool told = change.to_be_published;
  context_.emit(Kind::fact,
                {.code = static_cast<std::uint16_t>(change.what.type | (told ? kToBePublished : 0)),
                 .actor = node_.entity().value,
                 .place = change.by.value,
                 .peer = change.fact.lane.value,
                 .a = change.fact.seq,
                 .b = change.what.aggregate,
                 .c = position});
  step_then(stored_step_, node_, [this, then = std::move(then)] {
    wake_readers();
    then();
  });
}

void Database::take_into_view(const Change& change) {
  view_.add(change.viewed);
  context_.emit(Kind::applied, {.actor = node_.entity().value,
                                .place = change.by.value,
                                .peer = change.viewed.lane.value,
                                .a = change.viewed.seq,
                                .b = change.what.aggregate});
}

void Database::wake(std::uint32_t aggregate) {
  if (locked(aggregate)) return;
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [aggregate](const DatabaseCallRef& call) {
    return call->change.what.aggregate == aggregate;
  });
  if (next == waiting_.end()) return;
  DatabaseCallRef call = std::move(*next);
  waiting_.erase(next);
  begin(std::move(call));
}

// ---- votes --------------------------------------------------------------------------------------------------------

void Database::emit_vote(const Prepared& vote, VoteCode code) {
  context_.emit(Kind::vote, {.code = static_cast<std::uint16_t>(code),
                             .actor = node_.entity().value,
                             .place = vote.coordinator.value,
                             .a = vote.transaction});
}

/// It waits for its row, has not come so far, or is still on its way over a connection that broke: it never will be prepared.
void Database::forget_prepare(const DatabaseCall& abort) {
  const auto same = [&abort](const DatabaseCallRef& other) {
    return other->what == DatabaseCall::What::prepare && other->transaction == abort.transaction &&
           other->coordinator == abort.coordinator;
  };
  std::erase_if(waiting_, same);
  std::erase_if(running_, same);
  coordinator(abort).aborted.push_back(abort.transaction);
}

/// What is over has been answered by all participants: a request to prepare it that is still on its way comes in vain, and nobody
/// needs to remember more than up to where.
Database::Coordinator& Database::coordinator(const DatabaseCall& call) {
  auto at = std::find_if(coordinators_.begin(), coordinators_.end(),
                         [&call](const Coordinator& c) { return c.id == call.coordinator; });
  if (at == coordinators_.end()) at = coordinators_.insert(at, Coordinator{call.coordinator});
  if (call.over_below > at->over_below) {
    at->over_below = call.over_below;
    std::erase_if(at->aborted, [&](std::int64_t transaction) { return transaction < at->over_below; });
  }
  return *at;
}

bool Database::is_over(const DatabaseCall& call) {
  const Coordinator& from = coordinator(call);
  return call.transaction < from.over_below ||
         std::find(from.aborted.begin(), from.aborted.end(), call.transaction) != from.aborted.end();
}

void Database::watch(const Prepared& vote) {
  if (!options_.in_doubt_most) return;
  context_.simulation.schedule_at(std::max(vote.given + *options_.in_doubt_most, context_.now()),
                                  [this, coordinator = vote.coordinator, number = vote.transaction] {
                                    abort_alone(coordinator, number);
                                  });
}

void Database::restarted() {
  for (const Prepared& vote : prepared_) watch(vote);
}

void Database::abort_alone(EntityId coordinator, std::int64_t transaction) {
  if (node_.paused())
    return node_.run_or_hold([this, coordinator, transaction] { abort_alone(coordinator, transaction); });
  const auto at = std::find_if(prepared_.begin(), prepared_.end(), [&](const Prepared& vote) {
    return vote.transaction == transaction && vote.coordinator == coordinator;
  });
  if (at == prepared_.end() || !node_.up()) return;
  const Prepared vote = *at;
  prepared_.erase(at);
  emit_vote(vote, VoteCode::aborted);
  wake(vote.change.what.aggregate);
}

void Database::decide(DatabaseCallRef call) {
  const auto at = std::find_if(prepared_.begin(), prepared_.end(), [&call](const Prepared& vote) {
    return vote.transaction == call->transaction && vote.coordinator == call->coordinator;
  });
  call->outcome = Outcome::repeated;
  if (at == prepared_.end()) {
    if (!call->commit && !is_over(*call)) forget_prepare(*call);
    const std::uint32_t aggregate = call->change.what.aggregate;
    respond(std::move(call));
    return wake(aggregate);
  }
  const Prepared vote = *at;
  prepared_.erase(at);
  emit_vote(vote, call->commit ? VoteCode::committed : VoteCode::aborted);
  const std::uint32_t aggregate = vote.change.what.aggregate;
  if (!call->commit) return carried_out(std::move(call), aggregate);
  commit(vote.change, vote.row_id, [this, call, aggregate] { carried_out(call, aggregate); });
}

// ---- readers ------------------------------------------------------------------------------------------------------

void Database::read_outbox(DatabaseCall& call) {
  const bool locks = call.from == ReadFrom::outbox;
  const std::int64_t from = locks ? 0 : call.position >= 0 ? call.position : kept_[call.reader];
  for (Row& row : outbox_) {
    if (call.rows.size() >= call.most) break;
    if (row.row.id < from || (locks && is_locked(row))) continue;
    if (locks) row.locked = call.connection;
    call.rows.push_back(row.row);
  }
  if (!locks || call.rows.empty()) return;
  if (std::find(watched_.begin(), watched_.end(), call.connection) != watched_.end()) return;
  watched_.push_back(call.connection);
  context_.network.watch_client(call.connection,
                                [this, connection = call.connection] { free_rows_of(connection); });
}

/// Behind a cut link nobody tells the server that a session has ended: it is seen by who comes to its rows.
bool Database::is_locked(const Row& row) const {
  return row.locked != ConnectionId{} && context_.network.open(row.locked);
}

void Database::free_rows_of(ConnectionId connection) {
  std::erase(watched_, connection);
  for (Row& row : outbox_) {
    if (row.locked == connection) row.locked = {};
  }
}

void Database::read_log(DatabaseCall& call) {
  if (call.position < 0) call.position = kept_[call.reader];
  for (std::int64_t at = std::max(call.position, log_base_); at < committed_ && call.rows.size() < call.most;
       ++at)
    call.rows.push_back({at, log_[static_cast<std::size_t>(at - log_base_)]});
}

void Database::wake_readers() {
  ready_.swap(readers_);
  for (DatabaseCallRef& call : ready_) {
    read_log(*call);
    respond(std::move(call));
  }
  ready_.clear();
}

void Database::mark(DatabaseCall& call) {
  call.outcome = Outcome::committed;
  if (call.from == ReadFrom::outbox) {
    // What is not in the answer of the relay is read again.
    std::sort(call.rows.begin(), call.rows.end(),
              [](const OutboxRow& a, const OutboxRow& b) { return a.id < b.id; });
    auto sent = call.rows.begin();
    std::erase_if(outbox_, [&](const Row& row) {
      while (sent != call.rows.end() && sent->id < row.row.id) ++sent;
      return sent != call.rows.end() && sent->id == row.row.id;
    });
    return free_rows_of(call.connection);
  }
  kept_[call.reader] = std::max(kept_[call.reader], call.position);
  if (call.from != ReadFrom::log) {
    std::erase_if(outbox_, [&call](const Row& row) { return row.row.id < call.position; });
    return;
  }
  const std::int64_t needed = *std::min_element(kept_.begin(), kept_.end());
  for (; log_base_ < needed && !log_.empty(); ++log_base_) log_.pop_front();
}

bool Database::idle() const {
  const auto writes = [](const DatabaseCallRef& call) { return is_write(call->what); };
  return waiting_.empty() && prepared_.empty() && std::none_of(running_.begin(), running_.end(), writes);
}

bool Database::all_read(ReadFrom from, std::uint32_t reader) const {
  switch (from) {
    case ReadFrom::outbox:
      return outbox_.empty();
    case ReadFrom::above_id:
      return std::none_of(outbox_.begin(), outbox_.end(),
                          [&](const Row& row) { return row.row.id >= kept_[reader]; });
    case ReadFrom::log:
      return kept_[reader] >= committed_;
  }
  return true;
}

// ---- answers ------------------------------------------------------------------------------------------------------

void Database::respond(DatabaseCallRef call) {
  const auto bytes = static_cast<std::uint32_t>(kAnswer + kAnswerRow * call->rows.size());
  const ConnectionId connection = call->connection;
  context_.network.send(connection, Side::server, bytes, [call = std::move(call)] {
    if (call->client != nullptr) call->client->complete(call);
  });
}

}  // namespace models
