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
  CHECK(said("publish = 'outbox'\n", "", fault("transaction-committed")).empty());
}
