// What the reader refuses of databases, services, relays and sagas that do not fit together.
#include <string>

#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

const std::string kDatabase = "[[databases]]\nname = 'db'\n";
const std::string kService =
    "[[services]]\nname = 'desk'\ndatabase = 'db'\narrivals = { process = 'poisson', rate = 5 }\nbegins = "
    "'asked'\n";
const std::string kRelay = "[[relays]]\nname = 'carrier'\ndatabase = 'db'\nto = 'orders'\n";

/// What is said of the three with more lines of each.
std::string said(const std::string& service, const std::string& relay = "", const std::string& more = "") {
  return complaint(small_and(kDatabase + kService + service + kRelay + relay + more));
}

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a database, a service and a relay that fit together are a good scenario") {
  CHECK(said("publish = 'outbox'\n").empty());
  CHECK(said("publish = 'after-commit'\nto = 'orders'\n").empty());
  CHECK(said("", "kind = 'capture'\n").empty());
}

TEST_CASE("names of databases, topics and other things must be those of something") {
  CHECK(holds(complaint(small_and(kService)), "services.desk.database: there is no database 'db'"));
  CHECK(holds(said("publish = 'after-commit'\nto = 'order'\n"),
              "services.desk.to: there is no topic 'order'; did you mean 'orders'?"));
  CHECK(holds(said("", "", "[[relays]]\nname = 'other'\ndatabase = 'db'\nto = 'order'\n"),
              "relays.other.to: there is no topic 'order'"));
  CHECK(holds(said("own_read = { view = 'nobody' }\n"),
              "services.desk.own_read.view: there is no service 'nobody'"));
  CHECK(holds(complaint(small_and(kDatabase + "[[databases]]\nname = 'shop'\n")),
              "is the name of something else"));
}

TEST_CASE("a service must have something to do, and somebody to tell") {
  CHECK(holds(complaint(small_and(kDatabase + "[[services]]\nname = 'desk'\ndatabase = 'db'\n")),
              "does nothing: it needs `arrivals` of requests, or topics that it `reads`"));
  CHECK(
      holds(complaint(small_and(kDatabase + "[[services]]\nname = 'desk'\ndatabase = 'db'\nreads = 'orders'\n"
                                            "begins = 'asked'\n")),
            "services.desk.begins: needs requests"));
  CHECK(holds(said("reactions = [{ on = 'paid', then = 'shipped' }]\n"),
              "services.desk.reactions: need events"));
  CHECK(holds(complaint(small_and(kDatabase + kService + "publish = 'outbox'\n")),
              "by an outbox needs a relay that reads its database"));
  CHECK(holds(said("publish = 'before-commit'\n"), "services.desk.to: is missing"));
  CHECK(holds(said("to = 'orders'\n"), "services.desk.to: goes with a dual write"));
}

TEST_CASE("nothing is sent twice by design") {
  CHECK(holds(said("publish = 'after-commit'\nto = 'orders'\n", "kind = 'capture'\n"),
              "is done already by the relay that captures its database's log"));
  CHECK(holds(said("", "", "[[relays]]\nname = 'other'\ndatabase = 'db'\nto = 'orders'\nkind = 'capture'\n"),
              "all would be sent twice"));
  CHECK(holds(said("", "kind = 'polling-by-id'\ninstances = 2\n"), "share rows by locking them"));
}

TEST_CASE("a two-phase commit has two participants") {
  CHECK(holds(said("publish = 'two-phase-commit'\n"), "services.desk.queue: goes with"));
  CHECK(holds(said("queue = 'db'\n"), "services.desk.queue: goes with"));
  CHECK(holds(said("publish = 'two-phase-commit'\nqueue = 'db'\n"), "is its own database"));
}

TEST_CASE("facts by which a saga is judged are made by some service") {
  CHECK(said("", "", "[saga]\nsucceeds = 'asked'\n").empty());
  CHECK(holds(said("", "", "[saga]\nsucceeds = 'done'\n"), "there is no service that makes a fact 'done'"));
  CHECK(holds(said("", "", "[saga]\nundo = [{ fact = 'asked', by = 'undone' }]\n"), "a fact 'undone'"));
}

TEST_CASE("a step that a service never comes to is refused") {
  const auto fault = [](const char* step) {
    return std::string("[[faults]]\nkind = 'crash'\ntarget = 'desk'\nwhen = { step = '") + step + "' }\n";
  };
  CHECK(holds(said("publish = 'outbox'\n", "", fault("event-acknowledged")), "it sends no events itself"));
  CHECK(holds(said("publish = 'outbox'\n", "", fault("votes-collected")), "it commits in one phase"));
  CHECK(holds(said("publish = 'outbox'\n", "", fault("participant-told")), "it commits in one phase"));
  CHECK(holds(said("publish = 'outbox'\n", "", fault("acknowledged")), "it sends no events itself"));
  CHECK(holds(said("publish = 'outbox'\n", "", fault("end-txn-sent")),
              "it takes part in no transaction of the log"));
  CHECK(said("publish = 'outbox'\n", "", fault("transaction-committed")).empty());
}

TEST_CASE("a step that a relay or a database of that kind never comes to is refused") {
  const auto fault = [](const char* target, const char* step) {
    return std::string("[[faults]]\nname = 'blow'\nkind = 'crash'\ntarget = '") + target +
           "'\nwhen = { step = '" + step + "' }\n";
  };
  const auto never = [&fault](const char* target, const char* step, const char* service, const char* relay) {
    return said(service, relay, fault(target, step));
  };
  CHECK(holds(never("carrier", "rows-marked", "", "kind = 'capture'\n"),
              "faults.blow.when.step: never happens at 'carrier': a capture marks no rows"));
  CHECK(never("carrier", "rows-sent", "", "kind = 'capture'\n").empty());
  CHECK(holds(
      never("carrier", "rows-read", "", ""),
      "never happens at 'carrier': no service of 'db' has publish = \"outbox\", and there are no rows"));
  CHECK(never("carrier", "rows-marked", "publish = 'outbox'\n", "").empty());
  CHECK(
      holds(never("carrier", "transaction-ended", "publish = 'outbox'\n", ""), "no transaction of the log"));
  CHECK(holds(never("db", "vote-given", "publish = 'outbox'\n", ""),
              "never happens at 'db': it takes part in no two-phase commit"));
  CHECK(never("db", "transaction-stored", "publish = 'outbox'\n", "").empty());
  const std::string view =
      "[[databases]]\nname = 'view-db'\n[[services]]\nname = 'view'\ndatabase = 'view-db'\nreads = "
      "'orders'\nreactions = [{ on = 'asked' }]\n[[databases]]\nname = 'idle-db'\n";
  CHECK(holds(said("publish = 'outbox'\n", "", view + fault("view-db", "transaction-stored")),
              "never happens at 'view-db': nobody makes facts in it"));
  CHECK(said("publish = 'outbox'\n", "", view + fault("view-db", "row-inserted")).empty());
  CHECK(holds(said("publish = 'outbox'\n", "", view + fault("idle-db", "row-inserted")),
              "never happens at 'idle-db': no service has it for its database"));
  CHECK(holds(said("publish = 'outbox'\n", "", view + fault("view/0", "effect-applied")),
              "its steps are transaction-sent and transaction-committed"));
  CHECK(holds(said("publish = 'outbox'\n", "", fault("billing/0", "transaction-sent")),
              "never happens at 'billing/0': the group 'billing' is no service with a database"));
}

TEST_CASE("a reaction waits for a fact that somebody makes, and says where it reads") {
  const auto reacts = [](const std::string& reaction) {
    return said(
        "publish = 'outbox'\n", "",
        "[[databases]]\nname = 'other-db'\n[[services]]\nname = 'other'\ndatabase = 'other-db'\nreads = "
        "'orders'\nreactions = [{ " +
            reaction + " }]\n");
  };
  CHECK(reacts("on = 'asked', then = 'answered'").empty());
  CHECK(holds(
      reacts("on = 'askd', then = 'answered'"),
      "services.other.reactions.0.on: there is no service that makes a fact 'askd'; did you mean 'asked'?"));
  CHECK(holds(
      reacts("on = 'answered', then = 'answered'"),
      "services.other.reactions.0.on: 'answered' is never said in what it reads ('orders'); allowed: asked"));
  CHECK(holds(reacts("on = 'asked', then = 'answered', unless = ['refused']"),
              "services.other.reactions.0.unless: there is no service that makes a fact 'refused'"));
  CHECK(
      holds(reacts("on = 'asked', then = 'answered', needs = ['asked']"),
            "services.other.reactions.0.needs: looks into the database 'other-db', where nobody makes a fact "
            "'asked'; allowed: answered"));
  CHECK(reacts("on = 'asked', then = 'answered', needs = ['answered']").empty());
}

TEST_CASE("who looks for what it wrote looks into a view that takes it in") {
  const auto looks = [](const std::string& name, const std::string& reaction) {
    return said(
        "publish = 'outbox'\nown_read = { view = '" + name + "' }\n", "",
        "[[databases]]\nname = 'view-db'\n[[services]]\nname = 'balances'\ndatabase = 'view-db'\nreads = "
        "'orders'\nreactions = [{ " +
            reaction + " }]\n");
  };
  CHECK(looks("balances", "on = 'asked'").empty());
  CHECK(holds(looks("balance", "on = 'asked'"),
              "services.desk.own_read.view: there is no service 'balance'; did you mean 'balances'?"));
  CHECK(holds(
      looks("balances", "on = 'asked', then = 'answered'"),
      "services.desk.own_read.view: 'balances' takes no 'asked' into a view: it needs a reaction { on = "
      "\"asked\" } without `then`"));
  CHECK(holds(looks("desk", "on = 'asked'"), "'desk' takes no 'asked' into a view"));
}

TEST_CASE("services and relays send outside transactions, and say so") {
  const std::string id = "config = { transactional.id = 'mine' }\n";
  CHECK(holds(said("publish = 'outbox'\n", id), "relays.carrier.config.transactional.id: does nothing here"));
  CHECK(holds(said("publish = 'after-commit'\nto = 'orders'\n" + id),
              "services.desk.config.transactional.id: does nothing here"));
}

TEST_CASE("what a service or a database of that kind has no use for is refused") {
  CHECK(holds(said("processed_ids = false\n"), "services.desk.processed_ids: goes with events"));
  CHECK(holds(said("start = '3s'\n"), "services.desk.start: is when it begins to read"));
  std::string other =
      "[[databases]]\nname = 'other-db'\n[[services]]\nname = 'other'\ndatabase = 'other-db'\nreads = "
      "'orders'\n";
  CHECK(holds(said("publish = 'outbox'\n", "", other), "services.other.reactions: are missing"));
  other += "reactions = [{ on = 'asked' }]\n";
  CHECK(said("publish = 'outbox'\n", "", other).empty());
  CHECK(holds(said("publish = 'outbox'\n", "", other + "messages = 3\n"),
              "services.other.messages: bounds requests"));
  CHECK(holds(said("publish = 'outbox'\n", "", other + "keys = { distribution = 'uniform', count = 3 }\n"),
              "services.other.keys: are of requests"));
  CHECK(holds(said("publish = 'outbox'\n", "", "[[databases]]\nname = 'q'\nin_doubt_most = '1s'\n"),
              "databases.q.in_doubt_most: goes with a two-phase commit"));
}
