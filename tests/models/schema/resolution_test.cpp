// Avro's schema resolution and the registry's compatibility levels, against Avro's own examples and against a reader that
// decodes.
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/schema/compatibility.hpp"
#include "tests/catch.hpp"

using namespace models::schema;

namespace {

Field required(std::string name, Type type = Type::int_) {
  return {.name = std::move(name), .type = type};
}
Field optional(std::string name, Type type = Type::int_) {
  return {.name = std::move(name), .type = type, .has_default = true};
}
Field renamed(std::string name, std::string alias, Type type = Type::int_) {
  return {.name = std::move(name), .type = type, .aliases = {std::move(alias)}};
}
Schema record(std::vector<Field> fields) {
  return {std::move(fields)};
}

bool accepted(Compatibility level, const std::vector<Schema>& history, const Schema& candidate) {
  std::vector<const Schema*> registered;
  for (const Schema& schema : history) registered.push_back(&schema);
  return !conflict(level, registered, candidate);
}

// ---- a reader of its own: data of the writer, field by field, brought into the reader's record (Schema.applyAliases and
// ResolvingGrammarGenerator, rather than SchemaCompatibility) ----

bool decodes_value(Type written, Type wanted) {
  const std::map<Type, std::set<Type>> taken_as{{Type::int_, {Type::long_, Type::float_, Type::double_}},
                                                {Type::long_, {Type::float_, Type::double_}},
                                                {Type::float_, {Type::double_}},
                                                {Type::string, {Type::bytes}},
                                                {Type::bytes, {Type::string}}};
  if (written == wanted) return true;
  const auto found = taken_as.find(written);
  return found != taken_as.end() && found->second.count(wanted) > 0;
}

bool decodes(const Schema& reader, const Schema& writer) {
  std::map<std::string, std::string> names;  // alias to the reader's name
  for (const Field& field : reader.fields) {
    for (const std::string& alias : field.aliases) names[alias] = field.name;
  }
  std::map<std::string, const Field*> wanted;
  for (const Field& field : reader.fields) wanted[field.name] = &field;
  std::set<std::string> filled;
  for (const Field& field : writer.fields) {
    std::string name = field.name;
    if (const auto alias = names.find(name); alias != names.end()) name = alias->second;
    const auto into = wanted.find(name);
    if (into == wanted.end()) continue;  // read over
    if (!filled.insert(name).second) return false;
    if (!decodes_value(field.type, into->second->type)) return false;
  }
  return std::all_of(reader.fields.begin(), reader.fields.end(),
                     [&](const Field& field) { return filled.count(field.name) > 0 || field.has_default; });
}

/// Names a, b, c; an alias is a name that the reader has not itself, and none is claimed twice: what Avro leaves open is left
/// out.
rc::Gen<Schema> a_schema() {
  return rc::gen::exec([] {
    Schema schema;
    std::set<std::string> claimed;
    const std::vector<std::string> all{"a", "b", "c"};
    for (const std::string& name : all) {
      if (!*rc::gen::arbitrary<bool>()) continue;
      const Type type = *rc::gen::element(Type::int_, Type::long_, Type::double_, Type::string);
      schema.fields.push_back({.name = name, .type = type, .has_default = *rc::gen::arbitrary<bool>()});
      claimed.insert(name);
    }
    for (Field& field : schema.fields) {
      const std::string alias = *rc::gen::elementOf(all);
      if (*rc::gen::arbitrary<bool>() && claimed.insert(alias).second) field.aliases.push_back(alias);
    }
    return schema;
  });
}

struct Level {
  Compatibility level;
  bool backward, forward, transitive;
};
const std::vector<Level> kLevels{{Compatibility::none, false, false, false},
                                 {Compatibility::backward, true, false, false},
                                 {Compatibility::backward_transitive, true, false, true},
                                 {Compatibility::forward, false, true, false},
                                 {Compatibility::forward_transitive, false, true, true},
                                 {Compatibility::full, true, true, false},
                                 {Compatibility::full_transitive, true, true, true}};

/// What the level promises of a candidate behind `history`, by data that are decoded.
bool keeps_promises(const Level& level, const std::vector<Schema>& history, const Schema& candidate) {
  const std::size_t first = level.transitive || history.empty() ? 0 : history.size() - 1;
  for (std::size_t v = first; v < history.size(); ++v) {
    if (level.backward && !decodes(candidate, history[v])) return false;
    if (level.forward && !decodes(history[v], candidate)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Avro's examples of what a reader can read", "[schema]") {
  // TestSchemaCompatibility: A_INT_RECORD1, A_LONG_RECORD1, A_INT_B_INT_RECORD1, A_DINT_RECORD1, A_INT_B_DINT_RECORD1,
  // A_DINT_B_DINT_RECORD1
  const Schema a_int = record({required("a")});
  const Schema a_long = record({required("a", Type::long_)});
  const Schema a_int_b_int = record({required("a"), required("b")});
  const Schema a_dint = record({optional("a")});
  const Schema a_int_b_dint = record({required("a"), optional("b")});
  const Schema a_dint_b_dint = record({optional("a"), optional("b")});
  const Schema empty = record({});
  for (const Schema* reader : {&empty, &a_int, &a_long, &a_dint, &a_int_b_dint, &a_dint_b_dint})
    CHECK(can_read(*reader, a_int));
  for (const Schema* reader : {&empty, &a_int, &a_dint, &a_int_b_int, &a_dint_b_dint})
    CHECK(can_read(*reader, a_int_b_int));
  CHECK(can_read(a_dint, empty));
  CHECK(can_read(a_dint_b_dint, empty));
  CHECK(resolve(a_int, empty) == Resolution::missing_default);
  CHECK(resolve(a_int_b_dint, empty) == Resolution::missing_default);
  CHECK(resolve(a_int_b_int, a_int) == Resolution::missing_default);
  CHECK(resolve(a_int, a_long) == Resolution::type_mismatch);
}

TEST_CASE("numbers are promoted one way, string and bytes both ways", "[schema]") {
  const std::vector<Type> numbers{Type::int_, Type::long_, Type::float_, Type::double_};
  for (std::size_t written = 0; written < numbers.size(); ++written) {
    for (std::size_t wanted = 0; wanted < numbers.size(); ++wanted)
      CHECK(promotes(numbers[written], numbers[wanted]) == (written <= wanted));
    CHECK_FALSE(promotes(numbers[written], Type::string));
    CHECK_FALSE(promotes(Type::boolean, numbers[written]));
  }
  CHECK(promotes(Type::string, Type::bytes));
  CHECK(promotes(Type::bytes, Type::string));
  CHECK_FALSE(promotes(Type::bytes, Type::boolean));
}

TEST_CASE("a new name is another field, unless the reader knows the old one as an alias", "[schema]") {
  const Schema old_name = record({required("note")});
  CHECK(resolve(record({required("comment")}), old_name) == Resolution::missing_default);
  CHECK(can_read(record({renamed("comment", "note")}), old_name));
  CHECK_FALSE(can_read(old_name, record({renamed("comment", "note")})));  // the writer's aliases help nobody
  // TestSchemaCompatibility.TestLookupWriterField: several match
  CHECK(resolve(record({renamed("comment", "note")}), record({required("note"), required("comment")})) ==
        Resolution::ambiguous);
}

TEST_CASE("the levels of a registry: what may follow on what", "[schema]") {
  const Schema v1 = record({required("id"), required("note")});
  const Schema adds = record({required("id"), required("note"), required("currency")});
  const Schema adds_optional = record({required("id"), required("note"), optional("currency")});
  const Schema removes = record({required("id")});
  const Schema renames = record({required("id"), required("comment")});
  const auto levels = [&v1](const Schema& next) {
    std::string all;
    for (const Level& level : kLevels) all += accepted(level.level, {v1}, next) ? 'y' : 'n';
    return all;
  };
  //                             none, backward (transitive), forward (transitive), full (transitive)
  CHECK(levels(adds) == "ynnyynn");
  CHECK(levels(adds_optional) == "yyyyyyy");
  CHECK(levels(removes) == "yyynnnn");
  CHECK(levels(renames) == "ynnnnnn");
}

TEST_CASE("a level that looks at the last version alone lets old ones poison", "[schema]") {
  const Schema v1 = record({required("id")});
  const Schema v2 = record({required("id"), optional("currency")});
  const Schema v3 = record({required("id"), required("currency")});
  CHECK(accepted(Compatibility::backward, {v1, v2}, v3));
  CHECK_FALSE(can_read(v3, v1));
  CHECK_FALSE(accepted(Compatibility::backward_transitive, {v1, v2}, v3));
  CHECK(accepted(Compatibility::forward, {v3, v2}, v1));
  CHECK_FALSE(can_read(v3, v1));
  CHECK_FALSE(accepted(Compatibility::forward_transitive, {v3, v2}, v1));
  const std::vector<const Schema*> registered{&v1, &v2};
  const auto why = conflict(Compatibility::full_transitive, registered, v3);
  REQUIRE(why);
  CHECK(why->version == 0);
  CHECK(why->candidate_reads);
  CHECK(why->resolution == Resolution::missing_default);
}

TEST_CASE("names are parsed as the registry writes them", "[schema]") {
  CHECK(compatibility_names().size() == 7);
  CHECK(parse_compatibility("FULL_TRANSITIVE") == Compatibility::full_transitive);
  CHECK_FALSE(parse_compatibility("full"));
  CHECK(parse_type("long") == Type::long_);
  CHECK_FALSE(parse_type("Long"));
}

TEST_CASE("property: what resolves can be decoded, and nothing else", "[schema]") {
  REQUIRE(rc::check([] {
    const Schema reader = *a_schema();
    const Schema writer = *a_schema();
    RC_ASSERT(can_read(reader, writer) == decodes(reader, writer));
  }));
}

TEST_CASE("property: a version is accepted exactly when every promised pair can be decoded", "[schema]") {
  REQUIRE(rc::check([] {
    for (const Level& level : kLevels) {
      std::vector<Schema> history;
      for (int i = 0; i < 5; ++i) {
        const Schema candidate = *a_schema();
        const bool taken = accepted(level.level, history, candidate);
        RC_ASSERT(taken == keeps_promises(level, history, candidate));
        if (taken) history.push_back(candidate);
      }
      // What a transitive level has let in can be read for ever.
      for (std::size_t later = 0; level.transitive && later < history.size(); ++later) {
        for (std::size_t earlier = 0; earlier < later; ++earlier) {
          if (level.backward) RC_ASSERT(decodes(history[later], history[earlier]));
          if (level.forward) RC_ASSERT(decodes(history[earlier], history[later]));
        }
      }
    }
  }));
}
