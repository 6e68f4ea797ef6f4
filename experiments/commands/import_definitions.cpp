// `mqlab import definitions.json --out scenario.toml`: RabbitMQ's definitions as a scenario.
#include <ostream>

#include "experiments/commands/commands.hpp"
#include "experiments/definitions/definitions.hpp"
#include "experiments/definitions/json_document.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "experiments/scenario/experiment.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "models/world.hpp"

namespace experiments {
namespace {

constexpr std::size_t kMostBytes = 64U << 20U;

/// "shop" of "exports/shop.json", as scenarios may be named.
std::string name_of(const std::string& file) {
  std::string name = file.substr(file.rfind('/') + 1);
  name.erase(std::min(name.rfind('.'), name.size()));
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain) c = '_';
  }
  return name.empty() ? "definitions" : name;
}

/// What is written is to load and to run.
void try_out(const std::string& toml, const std::string& file) {
  try {
    const Resolved resolved = resolve_toml(toml, "the scenario");
    const models::World world(resolved.scenario, 1);
  } catch (const std::exception& error) {
    throw BadScenario(Place::option(file), "", std::string("makes no scenario that runs: ") + error.what());
  }
}

}  // namespace

int import_definitions(const ImportCommand& o, Streams io) {
  if (o.folders.size() != 1) throw UsageError("definitions are imported from one file at a time");
  const std::string& file = o.folders.front();
  if (file_exists(o.out)) throw UsageError(o.out + ": exists already");
  const Value document =
      parse_json_document(read_text_file(file, Place::option(file), "definitions", kMostBytes), file);
  const DefinitionsScenario scenario = scenario_of_definitions(document, o.vhost, name_of(file));
  try_out(scenario.toml, file);
  write_file(o.out, scenario.toml);
  for (const std::string& line : scenario.left_out) io.err << "left out: " << line << '\n';
  io.out << o.out << "\nrun it: mqlab run " << o.out << '\n';
  return 0;
}

}  // namespace experiments
