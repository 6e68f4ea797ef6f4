#include "experiments/program.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/results/report.hpp"
#include "experiments/scenario/check.hpp"

namespace experiments {
namespace {

struct Commands {
  RunCommand run;
  SweepCommand sweep;
  ReplayCommand replay;
  CheckCommand check;
  DiffCommand diff;
  ImportCommand merge;
  ExportCommand exports;
  std::string list, name;
};

constexpr const char* kGuide = R"(
  mqlab run experiments/consumer_death.toml      one trial: what happened, and what was expected
  mqlab sweep experiments/consumer_death.toml    its grid of settings x seeds, into CSV files
  mqlab replay RUN-ID --check                    a row of these again, bit for bit
  mqlab check experiments/*.toml                 what scenarios expect, over 100 seeds
  mqlab list                                     metrics, faults, distributions, settings, scenarios
  mqlab new NAME                                 a scenario to start from

mqlab COMMAND --help tells what else a command takes.
)";

constexpr unsigned kMostThreads = 1024;

using Words = std::vector<std::string>;

/// An option that may be given several times, one word each.
void add_words(CLI::App& command, const std::string& name, Words& target, const char* type,
               const std::string& about) {
  command.add_option(name, target, about)->allow_extra_args(false)->type_name(type);
}

void add_scenario(CLI::App& command, std::string& target) {
  command.add_option("scenario", target, "a scenario file")->required()->type_name("FILE");
}

void add_threads(CLI::App& command, unsigned& target) {
  command.add_option("-j", target, "threads; all cores unless given")
      ->type_name("N")
      ->check(CLI::Range(0U, kMostThreads).description(""));
}

void add_format(CLI::App& command, std::string& target) {
  command.add_option("--format", target, "text or json; text unless given")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}).description(""));
}

/// A whole number from 0: CLI11 alone takes -1 for the largest there is.
template <class Number>
void add_number(CLI::App& command, const std::string& name, Number& target, const std::string& about) {
  const auto not_negative = [](const std::string& word) {
    return word.substr(0, 1) == "-" ? word + " is below 0" : std::string();
  };
  command.add_option(name, target, about)->type_name("N")->check(CLI::Validator(not_negative, ""));
}

void add_choice(CLI::App& command, TrialChoice& target) {
  command.add_option("what", target.what, "a run id of results below results/, or a folder of results")
      ->required()
      ->type_name("RUN-ID|DIR");
  command.add_option("--run", target.run, "a run id of that folder")->type_name("RUN-ID");
  add_number(command, "--point", target.point, "the number of a point");
  command.add_option("--variant", target.variant, "a variant")->type_name("NAME");
  add_number(command, "--seed", target.seed, "a seed");
}

constexpr const char* kForceHelp = "replace the results that the folder holds";
constexpr const char* kSetHelp = "change one value: groups.billing.members=5";

void describe_run(CLI::App& app, RunCommand& o) {
  CLI::App* run =
      app.add_subcommand("run", "one trial: what happened, its digest, and whether expectations held");
  add_scenario(*run, o.scenario);
  add_number(*run, "--seed", o.seed, "the seed; 1 unless given");
  run->add_option("--variant", o.variant, "one of the scenario's variants; the first unless given")
      ->type_name("NAME");
  add_words(*run, "--set", o.sets, "PATH=VALUE", kSetHelp);
  run->add_option("--out", o.out, "a folder for result files; none are written unless given")
      ->type_name("DIR");
  run->add_flag("--force", o.force, kForceHelp);
  run->add_option("--trace", o.trace, "also write the trace into the folder: csv")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("FORMAT");
  add_words(*run, "--describe-group", o.described, "GROUP",
            "the group's offsets and lag, as kafka-consumer-groups --describe shows them");
  run->add_flag("--queues", o.queues,
                "queues and publishers as RabbitMQ's management page and rabbitmqctl list_queues show them");
  add_words(*run, "--at", o.at, "TIME",
            "when the group or the queues are looked at: 31s; the end of the run unless given");
  run->add_flag(
      "--perf-test", o.perf_test,
      "producers and consumers as kafka-producer-perf-test and kafka-consumer-perf-test report them");
  add_format(*run, o.format);
  run->add_flag("-v,--verbose", o.verbose, "every metric that was measured");
  run->add_flag("--quiet", o.quiet, "no notes on settings that other settings change");
}

void describe_sweep(CLI::App& app, SweepCommand& o) {
  CLI::App* sweep =
      app.add_subcommand("sweep", "every point x variant x seed, into CSV files with 95 % intervals");
  add_scenario(*sweep, o.scenario);
  add_number(*sweep, "--trials", o.trials, "seeds of each point");
  add_number(*sweep, "--seed", o.seed, "the first seed");
  add_words(*sweep, "--set", o.sets, "PATH=VALUE", kSetHelp);
  add_words(*sweep, "--axis", o.axes, "PATH=SPEC",
            "values for one path: a,b,c or 10..90/9 (steps) or 1s..60s/log/4");
  add_threads(*sweep, o.threads);
  sweep->add_flag("--list", o.list, "print the trials (run id, point, variant, seed, axes), run none");
  CLI::Option* const resume =
      sweep->add_flag("--resume", o.resume, "keep what is finished in the folder and run the rest");
  sweep->add_flag("--force", o.force, kForceHelp)->excludes(resume);
  sweep->add_option("--shard", o.shard, "only every N-th trial, from the I-th: for several machines")
      ->type_name("I/N");
  sweep->add_option("--out", o.out, "a folder for the results; results/NAME unless given")->type_name("DIR");
  sweep->add_flag("--quiet", o.quiet, "no progress line, no notes");
  CLI::Option* digests = sweep->add_flag("--digests", o.digests, "print each trial's digest, write nothing");
  sweep->add_option("--repeat", o.repeat, "run each trial N times in this process, a digest for each")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->needs(digests);
  add_format(*sweep, o.format);
}

void describe_replay(CLI::App& app, ReplayCommand& o) {
  CLI::App* replay = app.add_subcommand("replay", "a recorded run again; --check compares it, bit for bit");
  add_choice(*replay, o.trials);
  replay->add_flag("--check", o.check,
                   "compare all that are meant with what is recorded, name the first difference");
}

void describe_export(CLI::App& app, ExportCommand& o) {
  CLI::App* exports = app.add_subcommand("export", "results in another form, into their folder");
  add_choice(*exports, o.trials);
  exports
      ->add_option("--format", o.format,
                   "csv: one value a row; openmetrics: one trial, as kafka_exporter shows it to Prometheus")
      ->type_name("FORMAT");
  exports->add_option("--every", o.every, "openmetrics: virtual time between scrapes; 15s unless given")
      ->type_name("TIME");
}

void describe_check(CLI::App& app, CheckCommand& o) {
  CLI::App* check =
      app.add_subcommand("check", "do the scenarios' expectations hold? Where nothing is judged, none does");
  check->add_option("paths", o.paths, "scenario files")->required()->type_name("FILE");
  add_number(*check, "--trials", o.trials, "seeds; 100 unless given. What needs more seeds fails");
  add_threads(*check, o.threads);
  check->add_flag("--quiet", o.quiet, "one line a scenario, no progress line, no notes");
}

void describe_diff(CLI::App& app, DiffCommand& o) {
  CLI::App* diff =
      app.add_subcommand("diff", "two runs of a scenario side by side; exits 1 where they differ");
  add_scenario(*diff, o.scenario);
  add_words(*diff, "--set", o.sets, "PATH=VALUE", kSetHelp);
  diff->add_option("--left-variant", o.left_variant, "the left run's variant")->type_name("NAME");
  diff->add_option("--right-variant", o.right_variant, "the right run's variant")->type_name("NAME");
  add_number(*diff, "--left-seed", o.left_seed, "the left run's seed; 1 unless given");
  add_number(*diff, "--right-seed", o.right_seed, "the right run's seed; 1 unless given");
}

void describe(CLI::App& app, Commands& c) {
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text() + ", commit " + source_commit());
  app.footer(kGuide);
  describe_run(app, c.run);
  describe_sweep(app, c.sweep);
  describe_replay(app, c.replay);
  describe_check(app, c.check);
  describe_diff(app, c.diff);
  CLI::App* list = app.add_subcommand("list", "what there is to choose from; without a name, the lists");
  list->add_option("what", c.list, "which list")->type_name("NAME");
  CLI::App* create = app.add_subcommand("new", "write NAME.toml, a scenario to start from");
  create->add_option("name", c.name, "the scenario's name")->required()->type_name("NAME");
  describe_export(app, c.exports);
  CLI::App* imports = app.add_subcommand(
      "import", "the trials of a sweep's shards into one folder, or RabbitMQ's definitions into a scenario");
  imports->add_option("folders", c.merge.folders, "folders of results, or a definitions.json")
      ->required()
      ->type_name("DIR|FILE");
  imports->add_option("--out", c.merge.out, "the folder that gets them, or the scenario file")
      ->required()
      ->type_name("DIR|FILE");
  imports->add_option("--vhost", c.merge.vhost, "definitions: which virtual host, where there are several")
      ->type_name("NAME");
  for (CLI::App* command : app.get_subcommands({})) command->footer("");
}

int dispatch(const CLI::App& app, const Commands& c, Streams io) {
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "run") return run_command(c.run, io);
  if (name == "sweep") return sweep_command(c.sweep, io);
  if (name == "replay") return replay_command(c.replay, io);
  if (name == "check") return check_command(c.check, io);
  if (name == "diff") return diff_command(c.diff, io);
  if (name == "list") return list_command(c.list, io);
  if (name == "new") return new_command(c.name, io);
  if (name == "import") return import_command(c.merge, io);
  return export_command(c.exports, io);
}

int complain(std::ostream& err, const std::string& message) {
  err << "mqlab: " << message << '\n';
  return 2;
}

/// Nobody reads the standard output any more, as with `| head`.
bool reader_left() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/// `code`, unless what was printed got lost on its way.
int flushed(int code, Streams io) {
  io.out.flush();
  if (io.out || reader_left()) return code;
  return complain(io.err, "the standard output cannot be written");
}

/// What CLI11 says of a command line: help and version are no errors.
/// "there is no option '--sed'; did you mean '--seed'?", or empty where all that look like options are some.
std::string unknown_option(const CLI::App& command, const Words& arguments) {
  Words names;
  for (const CLI::Option* option : command.get_options({})) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  for (const std::string& argument : arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    if (name == "--") break;
    if (name.size() < 3 || name.substr(0, 2) != "--") continue;
    if (std::find(names.begin(), names.end(), name) == names.end())
      return "there is no option '" + name + "'" + hint(name, views);
  }
  return {};
}

int usage(const CLI::App& app, const CLI::ParseError& error, const Words& arguments, std::ostream& out,
          std::ostream& err) {
  if (error.get_exit_code() == 0) return flushed(app.exit(error, out, err), {out, err});
  Words names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const bool known = std::find(names.begin(), names.end(), arguments.front()) != names.end();
  if (known) {
    const std::string unknown = unknown_option(*app.get_subcommand(arguments.front()), arguments);
    return complain(err, arguments.front() + ": " + (unknown.empty() ? error.what() : unknown) +
                             "\nsee: mqlab " + arguments.front() + " --help");
  }
  if (arguments.front().substr(0, 1) == "-") {
    const std::string unknown = unknown_option(app, {arguments.front()});
    return complain(err, (unknown.empty() ? error.what() : unknown) + "\nsee: mqlab --help");
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return complain(err, "there is no command '" + arguments.front() + "'" + hint(arguments.front(), views));
}

int run_command_line(const CLI::App& app, const Commands& commands, Streams io) {
  try {
    return flushed(dispatch(app, commands, io), io);
  } catch (const Interrupted& stop) {
    complain(io.err, stop.what());
    return 130;
  } catch (const std::exception& error) {  // BadScenario, UsageError, ResultsError, TrialError
    return complain(io.err, error.what());
  }
}

}  // namespace

int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app{"mqlab: a deterministic simulator of message queues and event logs", "mqlab"};
  Commands commands;
  describe(app, commands);
  if (arguments.empty()) {
    err << app.get_description() << '\n' << kGuide;
    return 2;
  }
  try {
    app.parse(Words(arguments.rbegin(), arguments.rend()));  // as CLI11 wants them
  } catch (const CLI::ParseError& error) {
    return usage(app, error, arguments, out, err);
  }
  return run_command_line(app, commands, {out, err});
}

}  // namespace experiments
