// A database by itself: transactions, their ids and their order, the outbox, the log, and votes.
#include <algorithm>
#include <memory>
#include <vector>

#include "models/apps/database.hpp"
#include "models/apps/database_client.hpp"
#include "models/network/network.hpp"
#include "tests/catch.hpp"

namespace {

using namespace std::chrono_literals;
using models::DatabaseCall;
using models::FactId;
using models::Outcome;
using models::ReadFrom;
using What = DatabaseCall::What;

/// Sees all facts as they are committed.
struct Commits final : sim::TraceSink {
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind == static_cast<std::uint16_t>(models::Kind::fact)) facts.push_back(r.a);
      if (r.kind == static_cast<std::uint16_t>(models::Kind::vote)) votes.push_back(r.code);
    }
  }
  std::vector<std::int64_t> facts;
  std::vector<std::uint16_t> votes;
};

/// Somebody with a connection, who remembers the answers.
struct User final : models::DatabaseUser {
  User(models::Node& node, models::Database& database) : client(node, database, *this) {}
  void answered(DatabaseCall& call) override {
    outcomes.push_back(call.outcome);
    rows.clear();
    for (const models::OutboxRow& row : call.rows) rows.push_back(row.id);
  }
  models::DatabaseClient client;
  std::vector<Outcome> outcomes;
  std::vector<std::int64_t> rows;  // of the last answer
};

struct Ground {
  explicit Ground(std::vector<double> transactions_ms = {1}, double query_ms = 0) : network(simulation, {}) {
    trace.add_sink(commits);
    for (double& ms : transactions_ms) ms *= 1e6;
    options.name = "db";
    options.transaction = sim::Distribution::schedule(transactions_ms);
    options.query = sim::Distribution::constant(query_ms * 1e6);
    node = make("db");
    database = std::make_unique<models::Database>(context, *node, options);
    one = make("one");
    two = make("two");
    user = std::make_unique<User>(*one, *database);
    other = std::make_unique<User>(*two, *database);
  }
  std::unique_ptr<models::Node> make(const char* name) {
    const models::EntityId entity = entities.add(models::EntityKind::database, name);
    return std::make_unique<models::Node>(simulation, network, entity, network.add_host(name), name);
  }
  /// A transaction that commits fact `seq` of `aggregate`.
  models::Change change(std::int64_t seq, std::uint32_t aggregate = 0) const {
    models::Change c;
    c.fact = {models::LaneId{1}, seq};
    c.what.aggregate = aggregate;
    c.to_outbox = true;
    return c;
  }
  void transact(User& who, const models::Change& c) {
    const auto call = who.client.take(What::transact);
    call->change = c;
    who.client.send(call);
  }
  void read(User& who, ReadFrom from, std::uint32_t most = 100, std::int64_t position = -1) {
    const auto call = who.client.take(What::read);
    call->from = from;
    call->most = most;
    call->position = position;
    who.client.send(call);
  }
  void mark(User& who, ReadFrom from, std::vector<std::int64_t> ids, std::int64_t position = -1) {
    const auto call = who.client.take(What::mark);
    call->from = from;
    call->position = position;
    for (const std::int64_t id : ids) call->rows.push_back({id, {}});
    who.client.send(call);
  }
  void prepare(User& who, std::int64_t number, const models::Change& c, std::int64_t over_below = 0) {
    const auto call = who.client.take(What::prepare);
    call->transaction = number;
    call->over_below = over_below;
    call->change = c;
    who.client.send(call);
  }
  void decide(User& who, std::int64_t number, bool commit) {
    const auto call = who.client.take(What::decide);
    call->transaction = number;
    call->commit = commit;
    who.client.send(call);
  }
  /// The first one dies, and the other comes to the outbox.
  void die_and_let_the_other_read() {
    one->crash();
    user->client.abandon();
    run();
    read(*other, ReadFrom::outbox);
    run();
  }
  void run(sim::Duration d = 100ms) {
    simulation.run_until(simulation.now() + d);
    trace.flush();
  }

  sim::Simulation simulation;
  sim::Trace trace;
  models::Entities entities;
  models::Network network;
  models::Steps steps;
  models::Context context{simulation, trace, entities, network, steps};
  Commits commits;
  models::DatabaseOptions options;
  std::unique_ptr<models::Node> node, one, two;
  std::unique_ptr<models::Database> database;
  std::unique_ptr<User> user, other;
};

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("ids are handed out in one order, and rows become visible in another", "[apps]") {
  Ground g({10, 2});
  const std::uint32_t reader = g.database->add_reader();
  REQUIRE(reader == 0);
  g.transact(*g.user, g.change(0, 0));
  g.transact(*g.user, g.change(1, 1));
  g.run(8ms);
  g.read(*g.other, ReadFrom::above_id);
  g.run(1ms);
  g.run();
  CHECK(g.other->rows == Ids{1});
  CHECK(g.commits.facts == Ids{1, 0});
  // Who goes on behind the highest id never sees the other.
  g.read(*g.other, ReadFrom::above_id, 100, 2);
  g.run();
  CHECK(g.other->rows.empty());
  g.read(*g.other, ReadFrom::above_id, 100, 0);
  g.run();
  CHECK(g.other->rows == Ids{0, 1});
}

TEST_CASE("the log is in order of commits, and whoever has come to its end waits", "[apps]") {
  Ground g({10, 2});
  g.database->add_reader();
  g.database->keep_log();
  g.transact(*g.user, g.change(0, 0));
  g.transact(*g.user, g.change(1, 1));
  g.run();
  g.read(*g.other, ReadFrom::log);
  g.run();
  CHECK(g.other->rows == Ids{0, 1});
  CHECK_FALSE(g.database->all_read(ReadFrom::log, 0));
  g.mark(*g.other, ReadFrom::log, {}, 2);
  g.read(*g.other, ReadFrom::log, 100, 2);
  g.run();
  CHECK(g.database->all_read(ReadFrom::log, 0));
  CHECK(g.other->outcomes.size() == 2);
  g.transact(*g.user, g.change(2));
  g.run();
  CHECK(g.other->rows == Ids{2});
}

TEST_CASE("transactions of one aggregate follow one another", "[apps]") {
  Ground g({10, 2, 2});
  g.transact(*g.user, g.change(0));
  g.transact(*g.user, g.change(1));
  g.transact(*g.user, g.change(2));
  g.run();
  CHECK(g.commits.facts == Ids{0, 1, 2});
}

TEST_CASE("what is open when the process dies is rolled back, and its id stays unused", "[apps]") {
  Ground g({10, 10});
  g.transact(*g.user, g.change(0));
  g.run(5ms);
  g.node->crash();
  g.run();
  CHECK(g.user->outcomes == std::vector{Outcome::lost});
  CHECK(g.commits.facts.empty());
  g.node->restart();
  g.transact(*g.user, g.change(1));
  g.run();
  CHECK(g.commits.facts == Ids{1});
  g.read(*g.other, ReadFrom::outbox);
  g.run();
  CHECK(g.other->rows == Ids{1});
}

TEST_CASE("a fact or a cause that is there is not written again", "[apps]") {
  Ground g;
  g.transact(*g.user, g.change(0));
  g.transact(*g.user, g.change(0));
  models::Change c = g.change(1);
  c.cause = {models::LaneId{2}, 7};
  g.transact(*g.user, c);
  c.fact.seq = 2;
  g.transact(*g.user, c);
  c.fact.seq = 3;
  c.reaction = 1;
  g.transact(*g.user, c);
  g.run();
  CHECK(g.user->outcomes == std::vector{Outcome::committed, Outcome::repeated, Outcome::committed,
                                        Outcome::repeated, Outcome::committed});
  CHECK(g.commits.facts == Ids{0, 1, 3});
}

TEST_CASE("a guard looks at the aggregate's facts", "[apps]") {
  Ground g;
  models::Change first = g.change(0);
  first.what.type = 3;
  g.transact(*g.user, first);
  models::Change c = g.change(1);
  c.unless = models::set_of(3);
  g.transact(*g.user, c);
  c.what.aggregate = 1;
  g.transact(*g.user, c);
  models::Change needy = g.change(2, 2);
  needy.needs = models::set_of(3);
  g.transact(*g.user, needy);
  g.run();
  const std::vector<Outcome> sorted{Outcome::committed, Outcome::committed, Outcome::left_out,
                                    Outcome::left_out};
  std::vector<Outcome> outcomes = g.user->outcomes;
  std::sort(outcomes.begin(), outcomes.end());
  CHECK(outcomes == sorted);
  CHECK(g.commits.facts == Ids{0, 1});
}

TEST_CASE("rows that one reader has locked are left out by the others, until they are marked or it dies",
          "[apps]") {
  Ground g;
  for (std::int64_t i = 0; i < 4; ++i) g.transact(*g.user, g.change(i, static_cast<std::uint32_t>(i)));
  g.run();
  g.read(*g.user, ReadFrom::outbox, 2);
  g.run();
  CHECK(g.user->rows == Ids{0, 1});
  g.read(*g.other, ReadFrom::outbox, 2);
  g.run();
  CHECK(g.other->rows == Ids{2, 3});
  g.mark(*g.other, ReadFrom::outbox, {2, 3});
  g.run();
  g.read(*g.other, ReadFrom::outbox);
  g.run();
  CHECK(g.other->rows.empty());
  g.die_and_let_the_other_read();
  CHECK(g.other->rows == Ids{0, 1});
  CHECK_FALSE(g.database->all_read(ReadFrom::outbox, 0));
}

TEST_CASE("a reader that dies while its query runs locks nothing", "[apps]") {
  Ground g({1}, 10);
  g.transact(*g.user, g.change(0));
  g.run();
  g.read(*g.user, ReadFrom::outbox);
  g.run(5ms);
  g.die_and_let_the_other_read();
  CHECK(g.other->rows == Ids{0});
}

TEST_CASE("rows of a session that ended behind a cut link are free when others come to them", "[apps]") {
  Ground g;
  g.transact(*g.user, g.change(0));
  g.run();
  g.read(*g.user, ReadFrom::outbox);
  g.run();
  REQUIRE(g.user->rows == Ids{0});
  g.network.cut(g.one->host(), g.node->host());
  g.die_and_let_the_other_read();
  CHECK(g.other->rows == Ids{0});
}

TEST_CASE("a vote survives the process, and keeps its row locked until the decision", "[apps]") {
  Ground g;
  g.prepare(*g.user, 1, g.change(0));
  g.run();
  CHECK(g.user->outcomes == std::vector{Outcome::committed});
  CHECK(g.commits.facts.empty());
  g.transact(*g.other, g.change(1));
  g.run();
  CHECK(g.other->outcomes.empty());
  g.node->crash();
  g.node->restart();
  g.run();
  g.transact(*g.other, g.change(1));
  g.run();
  CHECK(g.other->outcomes == std::vector{Outcome::lost});
  CHECK_FALSE(g.database->idle());
  g.decide(*g.user, 1, true);
  g.run();
  CHECK(g.commits.facts == Ids{0, 1});
  CHECK(g.database->idle());
}

TEST_CASE("a vote that is to be aborted leaves nothing", "[apps]") {
  Ground g;
  g.prepare(*g.user, 1, g.change(0));
  g.run();
  g.decide(*g.user, 1, false);
  g.decide(*g.user, 2, false);
  g.transact(*g.user, g.change(1));
  g.run();
  CHECK(g.commits.facts == Ids{1});
  CHECK(g.commits.votes == std::vector<std::uint16_t>{static_cast<std::uint16_t>(models::VoteCode::prepared),
                                                      static_cast<std::uint16_t>(models::VoteCode::aborted)});
}

TEST_CASE("what is aborted before it is prepared never will be, and lets others go on", "[apps]") {
  Ground g({20});
  g.prepare(*g.user, 1, g.change(0));
  g.run(5ms);
  g.transact(*g.other, g.change(1));
  g.run(5ms);
  g.decide(*g.user, 1, false);
  g.run();
  CHECK(g.commits.facts == Ids{1});
  g.prepare(*g.user, 1, g.change(0));
  g.run();
  CHECK(g.user->outcomes.back() == Outcome::left_out);
  CHECK(g.commits.votes.empty());
  CHECK(g.database->idle());
}

TEST_CASE("of what is over at both participants no more is remembered than up to where", "[apps]") {
  Ground g;
  for (const std::int64_t number : {1, 2, 3, 7}) g.decide(*g.user, number, false);
  g.run();
  // Its coordinator has come to 6, and none before that is open: requests to prepare those come late, and in vain.
  g.prepare(*g.user, 6, g.change(0), 6);
  g.run();
  CHECK(g.user->outcomes.back() == Outcome::committed);
  for (const std::int64_t number : {2, 4, 5, 7}) {
    g.prepare(*g.user, number, g.change(number, 1), 6);
    g.run();
    CHECK(g.user->outcomes.back() == Outcome::left_out);
  }
  g.prepare(*g.user, 8, g.change(8, 2), 6);
  g.run();
  CHECK(g.user->outcomes.back() == Outcome::committed);
}
