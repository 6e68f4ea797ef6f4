#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/experiment.hpp"
#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/rabbitmq_tables.hpp"
#include "experiments/scenario/sns_tables.hpp"
#include "experiments/scenario/sqs_tables.hpp"
#include "models/checkers/catalogue.hpp"
#include "models/checkers/verdicts.hpp"
#include "models/faults/catalogue.hpp"
#include "models/faults/steps.hpp"
#include "models/kafka/config.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/trace_kinds.hpp"
#include "sim/arrivals.hpp"
#include "sim/catalogue.hpp"
#include "sim/distributions.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;

void print_parameter(const sim::ParameterInfo& p, std::ostream& out) {
  out << fmt::format("    {:<16} {:<24} {:<10} {}\n", p.name, p.unit,
                     p.default_value.empty() ? "" : "= " + std::string(p.default_value), p.doc);
}

void print_entry(const sim::CatalogueEntry& entry, std::ostream& out) {
  out << fmt::format("{:<24} {}\n", entry.name, entry.doc);
  for (const sim::ParameterInfo& p : entry.parameters) print_parameter(p, out);
}

void list_metrics(std::ostream& out) {
  for (const auto& m : models::metric_catalogue())
    out << fmt::format("{:<32} {:<12} {}\n", m.name, m.unit, m.about);
  out << "\ntime series:\n";
  for (const auto& s : models::series_catalogue())
    out << fmt::format("{:<32} {:<12} {}\n", s.name, s.unit, s.about);
}

void list_verdicts(std::ostream& out) {
  for (const auto& v : models::verdict_catalogue())
    out << fmt::format("{:<24} {:<22} {}\n", v.name, v.judge, v.definition);
}

void list_checkers(std::ostream& out) {
  for (const auto& c : models::checker_catalogue()) out << fmt::format("{:<24} {}\n", c.name, c.about);
}

void list_faults(std::ostream& out) {
  for (const auto& f : models::fault_catalogue()) print_entry(f.entry, out);
  out << "\nevery fault:\n";
  for (const sim::ParameterInfo& p : models::common_fault_parameters()) print_parameter(p, out);
}

void list_distributions(std::ostream& out) {
  for (const auto& d : sim::distribution_catalogue()) print_entry(d, out);
}

void list_arrivals(std::ostream& out) {
  for (const auto& a : sim::arrival_catalogue()) print_entry(a, out);
}

void list_steps(std::ostream& out) {
  for (const auto& s : models::step_catalogue()) out << fmt::format("{:<30} {}\n", s.name, s.subject);
}

void list_kinds(std::ostream& out) {
  for (const auto& k : models::kind_catalogue())
    out << fmt::format("{:<20} a={:<16} b={:<16} c={}\n", k.name, k.a, k.b, k.c);
}

void list_kafka(std::ostream& out) {
  constexpr std::string_view kScopes[] = {
      "broker",  "topic", "producer", "consumer", "librdkafka-producer", "librdkafka-consumer",
      "streams", "mirror"};
  for (const auto& k : models::kafka::key_catalogue()) {
    out << fmt::format("{:<9} {:<44} {:<7} {:<28} {}\n", kScopes[static_cast<std::size_t>(k.scope)], k.name,
                       k.type, k.default_value, k.modelled ? "modelled" : "refused: " + std::string(k.note));
  }
}

/// What a broker's and its clients' tables hold, and what of it is refused.
void list_broker(const Section& section, const std::string& path, std::ostream& out) {
  for (const Key& key : section.keys) {
    const std::string name = path + "." + std::string(key.name);
    out << fmt::format("{:<60} {:<12} {}\n", name, key.default_value,
                       (key.type == KeyType::refused ? "refused: " : "") + std::string(key.about));
    if (key.section != nullptr) list_broker(*key.section, name, out);
  }
}

void list_rabbitmq(std::ostream& out) {
  list_broker(section_of("", rabbitmq_rows()), "rabbitmq", out);
  list_broker(section_of("", publisher_rows()), "producers.rabbitmq", out);
  list_broker(section_of("", subscriber_rows()), "groups.rabbitmq", out);
}

void list_sns(std::ostream& out) {
  list_broker(section_of("", sns_rows()), "sns", out);
  list_broker(section_of("", sns_publisher_rows()), "producers.sns", out);
}

void list_sqs(std::ostream& out) {
  list_broker(section_of("", sqs_rows()), "sqs", out);
  list_broker(section_of("", sqs_sender_rows()), "producers.sqs", out);
  list_broker(section_of("", sqs_receiver_rows()), "groups.sqs", out);
}

void print_section(const Section& section, const std::string& path, std::ostream& out) {
  for (const Key& key : section.keys) {
    if (key.type == KeyType::refused) continue;
    const std::string name = path.empty() ? std::string(key.name) : path + "." + std::string(key.name);
    out << fmt::format("{:<40} {:<10} {}\n", name,
                       key.default_value.empty() ? (key.required ? "required" : "") : key.default_value,
                       key.about);
    if (key.section != nullptr) print_section(*key.section, name, out);
  }
}

void list_keys(std::ostream& out) {
  print_section(scenario_format(), "", out);
}

Json schema_of(const Section& section);

Json schema_of(const Key& key) {
  Json s;
  s["description"] = key.about;
  switch (key.type) {
    case KeyType::text:
    case KeyType::name:
      s["type"] = "string";
      break;
    case KeyType::names:
      s["type"] = {"string", "array"};
      break;
    case KeyType::boolean:
      s["type"] = "boolean";
      break;
    case KeyType::integer:
      s["type"] = "integer";
      break;
    case KeyType::number:
      s["type"] = "number";
      break;
    case KeyType::share:
    case KeyType::duration:
    case KeyType::size:
    case KeyType::bandwidth:
    case KeyType::rate:
      s["type"] = {"string", "number"};
      break;
    case KeyType::choice:
      for (const std::string_view c : key.choices) s["enum"].push_back(c);
      break;
    case KeyType::refused:
      break;
    case KeyType::numbers:
    case KeyType::number_lists:
      s["type"] = "array";
      break;
    case KeyType::scalar:
      s["type"] = {"boolean", "number", "string"};
      break;
    case KeyType::distribution:
    case KeyType::arrivals:
    case KeyType::keys:
      s["type"] = {"object", "string", "number"};
      break;
    case KeyType::config:
    case KeyType::paths:
      s["type"] = "object";
      break;
    case KeyType::table:
      s.update(schema_of(*key.section));
      break;
    case KeyType::tables:
      s["type"] = "array";
      s["items"] = schema_of(*key.section);
      break;
  }
  return s;
}

/// Adds a key that brokers write with dots, as a file has it without quotation marks: TOML makes a table of each part.
void add_nested(Json& s, std::string_view name, const Json& value) {
  const std::size_t dot = name.find('.');
  Json& part = s["properties"][std::string(name.substr(0, dot))];
  if (dot == std::string_view::npos) {
    part = value;
    return;
  }
  part["type"] = "object";
  part["additionalProperties"] = false;
  add_nested(part, name.substr(dot + 1), value);
}

Json schema_of(const Section& section) {
  Json s;
  s["type"] = "object";
  s["properties"] = Json::object();
  for (const Key& key : section.keys) {
    if (key.type == KeyType::refused) continue;
    const Json value = schema_of(key);
    s["properties"][std::string(key.name)] = value;
    if (key.name.find('.') != std::string_view::npos) add_nested(s, key.name, value);
    if (key.required) s["required"].push_back(key.name);
  }
  s["additionalProperties"] = false;
  return s;
}

void list_schema(std::ostream& out) {
  Json schema = schema_of(scenario_format());
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "mqlab scenario";
  out << schema.dump(2) << '\n';
}

constexpr const char* kCatalogueFolder = "experiments";

/// The scenarios in the folder where the catalogue is, seen from the folder of the project.
void list_scenarios(std::ostream& out) {
  const std::vector<std::string> files = files_below(kCatalogueFolder, ".toml");
  if (files.empty()) {
    throw UsageError(std::string("there is no scenario in ") + kCatalogueFolder +
                     "/ here: call this in mqlab's own folder");
  }
  for (const std::string& file : files) {
    const Experiment e = load_experiment(file, {.without_axes = true});
    out << fmt::format("{:<44} {}\n", file, e.question);
  }
}

struct Listing {
  std::string_view name;
  std::string_view about;
  void (*print)(std::ostream&);
};

constexpr Listing kListings[] = {
    {"metrics", "every metric and time series, with units", list_metrics},
    {"verdicts", "what runs are judged for", list_verdicts},
    {"checkers", "who judges", list_checkers},
    {"faults", "what can go wrong, with parameters", list_faults},
    {"distributions", "how values are drawn", list_distributions},
    {"arrivals", "how messages arise", list_arrivals},
    {"steps", "named moments at which a fault can strike", list_steps},
    {"kinds", "the vocabulary of the trace", list_kinds},
    {"kafka", "Kafka's configuration keys, with defaults", list_kafka},
    {"rabbitmq", "RabbitMQ's settings and arguments, with defaults, and what is refused", list_rabbitmq},
    {"sns", "SNS's attributes of topics and subscriptions, with defaults, and what is refused", list_sns},
    {"sqs", "SQS's queue attributes and parameters, with defaults, and what is refused", list_sqs},
    {"keys", "the keys of a scenario file", list_keys},
    {"scenarios", "the catalogue: what each file asks", list_scenarios},
    {"schema", "a JSON Schema of scenario files, for editors", list_schema},
};

}  // namespace

int list_command(const std::string& what, Streams io) {
  if (what.empty()) {
    for (const Listing& l : kListings) io.out << fmt::format("mqlab list {:<14} {}\n", l.name, l.about);
    return 0;
  }
  std::vector<std::string_view> names;
  for (const Listing& l : kListings) {
    if (l.name == what) {
      l.print(io.out);
      return 0;
    }
    names.push_back(l.name);
  }
  throw UsageError("there is no list of '" + what + "'" + hint(what, names));
}

}  // namespace experiments
