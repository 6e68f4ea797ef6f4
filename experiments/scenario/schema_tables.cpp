#include "experiments/scenario/schema_tables.hpp"

#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::schema::ClientOptions;
using models::schema::Field;
using models::schema::RegistryOptions;
using models::schema::SubjectOptions;
using models::schema::Upgrade;
using models::schema::VersionOptions;
using models::schema::WhenRefused;

const std::vector<Row<Field>>& field_rows() {
  static const std::vector<Row<Field>> rows{
      {{"name", KeyType::name, "of the field", "", true},
       [](const Value& v, Field& f, const BindContext&) { f.name = v.text; }},
      {choice_key("type", "Avro's primitive types", "\"string\"", models::schema::type_names()),
       [](const Value& v, Field& f, const BindContext&) { f.type = *models::schema::parse_type(v.text); }},
      {{"default", KeyType::boolean, "whether readers have a default for it where writers do not write it",
        "false"},
       [](const Value& v, Field& f, const BindContext&) { f.has_default = v.boolean; }},
      {{"aliases", KeyType::names, "names that it has in schemas of writers"},
       [](const Value& v, Field& f, const BindContext&) { f.aliases = names(v); }},
  };
  return rows;
}

const std::vector<Row<VersionOptions>>& version_rows() {
  static const Section field = section_of("a field of the record", field_rows());
  static const std::vector<Row<VersionOptions>> rows{
      {{"name", KeyType::name, "by which producers, groups and faults know it", "", true},
       [](const Value& v, VersionOptions& o, const BindContext&) { o.name = v.text; }},
      {tables("fields", "{ name, type, default, aliases }, …", field),
       [](const Value& v, VersionOptions& o, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, field_rows(), o.schema.fields.emplace_back(), c);
       }},
      {{"registered", KeyType::boolean,
        "an operator has registered it before the run begins, unchecked; else who writes with it does",
        "false"},
       [](const Value& v, VersionOptions& o, const BindContext&) { o.registered = v.boolean; }},
  };
  return rows;
}

const std::vector<Row<Upgrade>>& upgrade_rows() {
  static const std::vector<Row<Upgrade>> rows{
      {{"at", KeyType::duration, "since the start of the run", "", true},
       [](const Value& v, Upgrade& u, const BindContext&) { u.at = parse_duration(v.text); }},
      {{"to", KeyType::name, "version", "", true},
       [](const Value& v, Upgrade& u, const BindContext&) { u.to = v.text; }},
  };
  return rows;
}

Row<ClientOptions> version_row(std::string_view about) {
  return {{"version", KeyType::name, about, "", true},
          [](const Value& v, ClientOptions& o, const BindContext&) { o.version = v.text; }};
}

Row<ClientOptions> upgrades_row() {
  static const Section upgrade = section_of("a deployment, which takes no time", upgrade_rows());
  return {tables("upgrades", "when it is deployed with another version, in order of time", upgrade),
          [](const Value& v, ClientOptions& o, const BindContext& c) {
            for (const Value& item : v.items) bind_rows(item, upgrade_rows(), o.upgrades.emplace_back(), c);
          }};
}

Row<ClientOptions> when_refused_row(std::string_view about, std::string_view otherwise) {
  return {choice_key("when_refused", about, otherwise, {"fail", "keep"}),
          [](const Value& v, ClientOptions& o, const BindContext&) {
            o.when_refused = v.text == "keep" ? WhenRefused::keep : WhenRefused::fail;
          }};
}

}  // namespace

const std::vector<Row<RegistryOptions>>& registry_rows() {
  static const std::vector<Row<RegistryOptions>> rows{
      {draw_key("service", "time to work on one request", "\"0s\"", Draws::durations),
       [](const Value& v, RegistryOptions& r, const BindContext&) { r.service = durations(v); }},
      {{"latency", KeyType::duration, "beside the network's: of a proxy between it and its clients, one way",
        "\"0s\""},
       [](const Value& v, RegistryOptions& r, const BindContext&) { r.latency = parse_duration(v.text); }},
      {{"timeout", KeyType::duration, "how long its clients wait for an answer (http.read.timeout.ms)",
        "\"60s\""},
       [](const Value& v, RegistryOptions& r, const BindContext&) { r.timeout = parse_duration(v.text); }},
  };
  return rows;
}

const std::vector<Row<SubjectOptions>>& subject_rows() {
  static const Section version = section_of("a version of the schema", version_rows());
  static const std::vector<Row<SubjectOptions>> rows{
      {{"name", KeyType::name, "TOPIC-value", "", true},
       [](const Value& v, SubjectOptions& s, const BindContext&) { s.name = v.text; }},
      {choice_key("compatibility", "of a new version with the last one, or with all", "\"BACKWARD\"",
                  models::schema::compatibility_names()),
       [](const Value& v, SubjectOptions& s, const BindContext&) {
         s.compatibility = *models::schema::parse_compatibility(v.text);
       }},
      {tables("versions", "that producers may come to write with", version),
       [](const Value& v, SubjectOptions& s, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, version_rows(), s.versions.emplace_back(), c);
       }},
  };
  return rows;
}

const std::vector<Row<ClientOptions>>& writer_rows() {
  static const std::vector<Row<ClientOptions>> rows{
      version_row("that it writes with from the start"),
      upgrades_row(),
      when_refused_row(
          "of a version that the registry refuses: it has been deployed, and each send() throws; or it is "
          "registered before it is deployed, and the old one stays",
          "\"fail\""),
      {{"auto_register", KeyType::boolean, "auto.register.schemas: it registers what it writes with", "true"},
       [](const Value& v, ClientOptions& o, const BindContext&) { o.auto_register = v.boolean; }},
  };
  return rows;
}

const std::vector<Row<ClientOptions>>& reader_rows() {
  static const std::vector<Row<ClientOptions>> rows{
      version_row("that it reads with from the start, of each of its topics that have a subject"),
      upgrades_row(),
      when_refused_row(
          "of a version that the registry would refuse: it is deployed all the same; or the registry is "
          "asked first, and the old one stays",
          "\"fail\""),
  };
  return rows;
}

}  // namespace experiments
