// What the reader refuses of schemas.
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

const std::string kSubject =
    "\n[[subjects]]\nname = 'orders-value'\n"
    "[[subjects.versions]]\nname = 'first'\nfields = [{ name = 'id', type = 'long' }]\n"
    "[[subjects.versions]]\nname = 'second'\nfields = [{ name = 'id', type = 'long' }, { name = 'note', "
    "default = true }]\n";

/// `producer` and `group` are their lines, `behind` what follows.
std::string said(const std::string& producer, const std::string& group, const std::string& behind) {
  std::string text(kSmall);
  const auto insert = [&text](const std::string& place, const std::string& lines) {
    const std::size_t at = text.find(place);
    if (at == std::string::npos) throw std::runtime_error("no " + place);
    text.insert(at + place.size(), lines);
  };
  insert("rate = 100 }\n", producer);
  insert("members = 2\n", group);
  return complaint(text + behind);
}
bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const std::string kWrites = "schema = { version = 'first' }\n";

}  // namespace

TEST_CASE("a subject belongs to a topic, whose producers say what they write", "[schema]") {
  CHECK(said(kWrites, "", kSubject).empty());
  CHECK(said(kWrites, kWrites, kSubject).empty());
  CHECK(holds(said("", "", kSubject), "writes to a topic whose values have a schema"));
  CHECK(holds(said(kWrites, "", ""), "needs a subject"));
  CHECK(holds(said("", kWrites, ""), "needs a subject"));
  CHECK(holds(said(kWrites, "", kSubject + "\n[[subjects]]\nname = 'order-value'\n"),
              "did you mean 'orders-value'"));
  CHECK(holds(said(kWrites, "", "\n[[subjects]]\nname = 'orders-value'\n"), "versions"));
}

TEST_CASE("versions, levels and types are known by their names", "[schema]") {
  CHECK(holds(said("schema = { version = 'frist' }\n", "", kSubject), "did you mean 'first'"));
  CHECK(holds(said(kWrites, "schema = { version = 'secnd' }\n", kSubject), "did you mean 'second'"));
  CHECK(
      holds(said("schema = { version = 'first', upgrades = [{ at = '1s', to = 'sceond' }] }\n", "", kSubject),
            "upgrades.0.to"));
  CHECK(
      holds(said("schema = { version = 'first', upgrades = [{ at = '2s', to = 'second' }, { at = '1s', to = "
                 "'first' }] }\n",
                 "", kSubject),
            "is before the upgrade that it follows"));
  CHECK(holds(said(kWrites, "", kSubject + "compatibility = 'X'\n"), "compatibility"));
  std::string level = kSubject;
  level.insert(level.find("[[subjects.versions]]"), "compatibility = 'BACKWARDS'\n");
  CHECK(holds(said(kWrites, "", level), "did you mean 'BACKWARD'"));
  std::string type = kSubject;
  type.replace(type.find("'long'"), 6, "'lnog'");
  CHECK(holds(said(kWrites, "", type), "did you mean 'long'"));
}

TEST_CASE("versions differ, and so do the fields of one", "[schema]") {
  CHECK(holds(
      said(kWrites, "",
           kSubject + "[[subjects.versions]]\nname = 'third'\nfields = [{ name = 'id', type = 'long' }]\n"),
      "are those of 'first'"));
  CHECK(holds(said(kWrites, "", kSubject + "[[subjects.versions]]\nname = 'first'\nfields = []\n"),
              "this name is taken"));
  CHECK(holds(
      said(kWrites, "",
           kSubject + "[[subjects.versions]]\nname = 'third'\nfields = [{ name = 'a' }, { name = 'a' }]\n"),
      "this name is taken"));
}

TEST_CASE("a wrong schema needs a version, and a producer that has one", "[schema]") {
  const std::string fault = "\n[[faults]]\nkind = 'wrong-schema'\nat = '1s'\ntarget = 'shop'\n";
  CHECK(said(kWrites, "", kSubject + fault + "version = 'second'\n").empty());
  CHECK(said(kWrites, "", kSubject + fault + "version = 'second'\nmessages = 3\n").empty());
  CHECK(holds(said(kWrites, "", kSubject + fault + "version = 'secnd'\n"), "did you mean 'second'"));
  CHECK(holds(said("", "", fault + "version = 'second'\n"), "without a schema"));
}

TEST_CASE("schemas are not looked into where work is handed over or transformed", "[schema]") {
  CHECK(holds(said(kWrites, kWrites + "hand_off = { threads = 2 }\n", kSubject), "handed to other threads"));
  CHECK(holds(said(kWrites, kWrites + "transform = { to = 'orders' }\n", kSubject), "transform"));
}

TEST_CASE("who writes beside the producers of a subject is refused, and who is deployed after the end",
          "[schema]") {
  CHECK(holds(said(kWrites, "",
                   kSubject + "[[gateways]]\nname = 'door'\nto = 'orders'\n"
                              "arrivals = { process = 'poisson', rate = 10 }\n"),
              "gateways.door: writes to a topic whose values have a schema"));
  CHECK(holds(said(kWrites, "transform = { to = 'orders' }\n", kSubject),
              "groups.billing: writes to a topic whose values have a schema"));
  CHECK(
      holds(said("schema = { version = 'first', upgrades = [{ at = '3s', to = 'second' }] }\n", "", kSubject),
            "upgrades.0.at: is after the end of the run's duration"));
}

TEST_CASE("who writes to a topic with a schema is a producer", "[schema]") {
  const std::string wrong =
      "writes to a topic whose values have a schema ('orders-value'), which is modelled of [[producers]]";
  const std::string database = "\n[[databases]]\nname = 'db'\n";
  CHECK(holds(said(kWrites, "",
                   kSubject + database + "[[relays]]\nname = 'carrier'\ndatabase = 'db'\nto = 'orders'\n"),
              "relays.carrier: " + wrong));
  CHECK(holds(
      said(kWrites, "",
           kSubject + database +
               "[[services]]\nname = 'desk'\ndatabase = 'db'\narrivals = { process = 'poisson', rate = 5 }\n"
               "begins = 'asked'\npublish = 'after-commit'\nto = 'orders'\n"),
      "services.desk: " + wrong));
}

TEST_CASE("a registry without subjects, and messages of no version, are refused", "[schema]") {
  CHECK(holds(said("", "", "\n[registry]\ntimeout = '1s'\n"), "registry: knows no schemas: [[subjects]]"));
  const std::string fault = "\n[[faults]]\nname = 'it'\nkind = 'wrong-schema'\nat = '1s'\ntarget = ";
  CHECK(holds(said(kWrites, "", kSubject + fault + "'shop'\n"), "faults.it.version: is missing"));
  CHECK(holds(said(kWrites, "", kSubject + fault + "'shop'\n"), "allowed: first, second"));
  CHECK(holds(said(kWrites, "", kSubject + fault + "'shap'\nversion = 'first'\n"), "did you mean 'shop'"));
  CHECK(holds(said(kWrites, "", kSubject + fault + "'kafka/0'\nversion = 'first'\n"),
              "there is no producer 'kafka/0'"));
}
