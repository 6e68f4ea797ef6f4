// The commands that only write files: new and import.
#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/folder.hpp"
#include "experiments/results/store.hpp"

namespace experiments {
namespace {

constexpr const char* kTemplate = R"([scenario]
name = "NAME"
question = "What do you want to know?"
duration = "60s"
warmup = "10s"

[kafka]
brokers = 3

[[kafka.topics]]
name = "orders"
partitions = 6
replication-factor = 3
config = { min.insync.replicas = 2 }

[[producers]]
name = "shop"
to = "orders"
arrivals = { process = "poisson", rate = 500 }
keys = { distribution = "zipf", count = 1000, exponent = 1.1 }

[[groups]]
name = "billing"
topics = ["orders"]
members = 3
service = { distribution = "lognormal", mean = "1ms", cv = 0.5 }
commit = "after-processing"
[groups.config]
session.timeout.ms = 10000
auto.offset.reset = "earliest"

[[faults]]
name = "death"
kind = "crash"
target = "billing/1"
at = "30s"

[[expect]]
name = "nothing is lost"
metric = "lost"
equals = 0

[sweep]
trials = 10
)";

/// The sweep that a folder's store is of.
std::string identity_of(const std::string& folder) {
  return ResultsStore(store_path(folder)).text("identity").value_or("");
}

/// Adds the trials of one store to another of the same sweep.
void merge(const std::string& folder, ResultsStore& into) {
  ResultsStore from(store_path(folder));
  from.for_each(true, [&](const StoredTrial& trial) {
    const auto there = into.find(trial.key);
    if (there && there->result.digest != trial.result.digest) {
      throw ResultsError(folder + ": the run " + trial.result.run_id +
                         " has another digest here than in what was imported before");
    }
    if (!there) into.put(trial);
  });
}

}  // namespace

int new_command(const std::string& name, Streams io) {
  const bool plain =
      !name.empty() &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
          std::string::npos;
  if (!plain) throw UsageError("a scenario's name is made of letters, digits, _ and -");
  const std::string path = name + ".toml";
  if (file_exists(path)) throw UsageError(path + ": exists already");
  std::string text = kTemplate;
  text.replace(text.find("NAME"), 4, name);
  write_file(path, text);
  io.out << path << "\nrun it: mqlab run " << path << '\n';
  return 0;
}

int import_command(const ImportCommand& o, Streams io) {
  if (!std::filesystem::is_directory(o.folders.front())) return import_definitions(o, io);
  if (o.vhost)
    throw UsageError("--vhost is of RabbitMQ's definitions, and " + o.folders.front() + " is a folder");
  const std::string identity = identity_of(o.folders.front());
  for (const std::string& folder : o.folders) {
    std::error_code none;
    if (std::filesystem::equivalent(folder, o.out, none))
      throw UsageError(folder + ": is the folder of --out");
    if (identity_of(folder) != identity)
      throw UsageError(o.folders.front() + " and " + folder + " hold different sweeps");
  }
  take_folder(o.out, identity, Earlier::keep, "choose another --out");
  ResultsStore into(store_path(o.out), identity);
  for (const std::string& folder : o.folders) merge(folder, into);
  into.finish();
  io.out << fmt::format(
      "{}/results.sqlite: {} trials; mqlab sweep SCENARIO --out {} --resume writes the tables\n", o.out,
      into.count(), o.out);
  return 0;
}

}  // namespace experiments
