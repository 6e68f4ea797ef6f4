// The commands of mqlab, one file each; program.cpp reads the command line into these options.
// Each returns the exit code: 0 done and everything expected held, 1 it did not. What cannot be done is
// thrown (exit 2), and so is Interrupted (exit 130).
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "experiments/trial_choice.hpp"

namespace experiments {

struct Streams {
  std::ostream& out;  ///< results
  std::ostream& err;  ///< progress and diagnostics
};

struct RunCommand {
  std::string scenario;
  std::uint64_t seed = 1;
  std::string variant;
  std::vector<std::string> sets;
  std::string out;
  std::vector<std::string> trace;
  std::vector<std::string> described;  ///< consumer groups
  std::vector<std::string> at;         ///< when they are looked at; empty: at the end
  std::string format = "text";
  bool verbose = false, force = false, quiet = false;
  bool queues = false;     ///< as RabbitMQ's management page shows them
  bool perf_test = false;  ///< producers and consumers as Kafka's benchmarks report them
};
int run_command(const RunCommand& options, Streams io);

struct SweepCommand {
  std::string scenario;
  std::optional<std::uint64_t> trials, seed;
  std::vector<std::string> sets, axes;
  unsigned threads = 0;  ///< 0: as many as the machine has
  unsigned repeat = 1;   ///< with digests: how often this process runs each trial
  bool list = false, resume = false, force = false, quiet = false, digests = false;
  std::string shard;  ///< "i/n"
  std::string out;
  std::string format = "text";
};
int sweep_command(const SweepCommand& options, Streams io);

struct ReplayCommand {
  TrialChoice trials;
  bool check = false;
};
int replay_command(const ReplayCommand& options, Streams io);

struct CheckCommand {
  std::vector<std::string> paths;
  std::optional<std::uint64_t> trials;
  unsigned threads = 0;
  bool quiet = false;
};
int check_command(const CheckCommand& options, Streams io);

struct DiffCommand {
  std::string scenario;
  std::vector<std::string> sets;
  std::string left_variant, right_variant;
  std::uint64_t left_seed = 1, right_seed = 1;
};
int diff_command(const DiffCommand& options, Streams io);

/// `what`: one of the lists that are printed when it is empty.
int list_command(const std::string& what, Streams io);
int new_command(const std::string& name, Streams io);

struct ExportCommand {
  TrialChoice trials;  ///< csv: a folder alone
  std::string format = "csv";
  std::string every = "15s";  ///< openmetrics: the scrape interval
};
int export_command(const ExportCommand& options, Streams io);

struct ImportCommand {
  std::vector<std::string> folders;
  std::string out;
  std::optional<std::string> vhost;  ///< of definitions
};
int import_command(const ImportCommand& options, Streams io);
/// RabbitMQ's definitions, a file, into a scenario.
int import_definitions(const ImportCommand& options, Streams io);

}  // namespace experiments
