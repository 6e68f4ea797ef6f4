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
  std::string list, name, folder, format = "csv";
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

constexpr const char* kSetHelp = "change one value: groups.billing.members=5";

void describe_run(CLI::App& app, RunCommand& o) {
  CLI::App* run =
      app.add_subcommand("run", "one trial: what happened, its digest, and whether expectations held");
  add_scenario(*run, o.scenario);
  run->add_option("--seed", o.seed, "the seed; 1 unless given")->type_name("N");
  run->add_option("--variant", o.variant, "one of the scenario's variants; the first unless given")
      ->type_name("NAME");
  add_words(*run, "--set", o.sets, "PATH=VALUE", kSetHelp);
  run->add_option("--out", o.out, "a folder for result files; none are written unless given")
      ->type_name("DIR");
  run->add_option("--trace", o.trace, "also write the trace into the folder: csv")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("FORMAT");
  add_format(*run, o.format);
  run->add_flag("-v,--verbose", o.verbose, "every metric that was measured");
}

void describe_sweep(CLI::App& app, SweepCommand& o) {
  CLI::App* sweep =
      app.add_subcommand("sweep", "every point x variant x seed, into CSV files with 95 % intervals");
  add_scenario(*sweep, o.scenario);
  sweep->add_option("--trials", o.trials, "seeds of each point")->type_name("N");
  sweep->add_option("--seed", o.seed, "the first seed")->type_name("N");
  add_words(*sweep, "--set", o.sets, "PATH=VALUE", kSetHelp);
  add_words(*sweep, "--axis", o.axes, "PATH=SPEC",
            "values for one path: a,b,c or 10..90/9 (steps) or 1s..60s/log/4");
  add_threads(*sweep, o.threads);
  sweep->add_flag("--list", o.list, "print the trials (run id, point, variant, seed, axes), run none");
  sweep->add_flag("--resume", o.resume, "keep what is finished in the folder and run the rest");
  sweep->add_option("--shard", o.shard, "only every N-th trial, from the I-th: for several machines")
      ->type_name("I/N");
  sweep->add_option("--out", o.out, "a folder for the results; results/NAME unless given")->type_name("DIR");
  sweep->add_flag("--quiet", o.quiet, "no progress line");
  sweep->add_flag("--digests", o.digests, "print each trial's digest, write nothing");
  add_format(*sweep, o.format);
}

void describe_replay(CLI::App& app, ReplayCommand& o) {
  CLI::App* replay = app.add_subcommand("replay", "a recorded run again; --check compares it, bit for bit");
  replay->add_option("what", o.what, "a run id of results below results/, or a folder of results")
      ->required()
      ->type_name("RUN-ID|DIR");
  replay->add_option("--run", o.run, "a run id of that folder")->type_name("RUN-ID");
  replay->add_option("--point", o.point, "the number of a point")->type_name("N");
  replay->add_option("--variant", o.variant, "a variant")->type_name("NAME");
  replay->add_option("--seed", o.seed, "a seed")->type_name("N");
  replay->add_flag("--check", o.check, "compare with what is recorded, name the first difference");
}

void describe_check(CLI::App& app, CheckCommand& o) {
  CLI::App* check = app.add_subcommand("check", "do the scenarios' expectations hold?");
  check->add_option("paths", o.paths, "scenario files")->required()->type_name("FILE");
  check->add_option("--trials", o.trials, "seeds; 100 unless given")->type_name("N");
  add_threads(*check, o.threads);
  check->add_flag("--quiet", o.quiet, "one line a scenario, no progress line");
}

void describe_diff(CLI::App& app, DiffCommand& o) {
  CLI::App* diff =
      app.add_subcommand("diff", "two runs of a scenario side by side; exits 1 where they differ");
  add_scenario(*diff, o.scenario);
  add_words(*diff, "--set", o.sets, "PATH=VALUE", kSetHelp);
  diff->add_option("--left-variant", o.left_variant, "the left run's variant")->type_name("NAME");
  diff->add_option("--right-variant", o.right_variant, "the right run's variant")->type_name("NAME");
  diff->add_option("--left-seed", o.left_seed, "the left run's seed; 1 unless given")->type_name("N");
  diff->add_option("--right-seed", o.right_seed, "the right run's seed; 1 unless given")->type_name("N");
}

void describe(CLI::App& app, Commands& c) {
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
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
  CLI::App* exports = app.add_subcommand("export", "results in another form");
  exports->add_option("folder", c.folder, "a folder of results")->required()->type_name("DIR");
  exports->add_option("--format", c.format, "csv: one value a row")->type_name("FORMAT");
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
  return export_command(c.folder, c.format, io);
}

int complain(std::ostream& err, const std::string& message) {
  err << "mqlab: " << message << '\n';
  return 2;
}

/// What CLI11 says of a command line: help and version are no errors.
int usage(const CLI::App& app, const CLI::ParseError& error, const Words& arguments, std::ostream& out,
          std::ostream& err) {
  if (error.get_exit_code() == 0) return app.exit(error, out, err);
  Words names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const bool known = std::find(names.begin(), names.end(), arguments.front()) != names.end();
  if (known) {
    return complain(
        err, arguments.front() + ": " + error.what() + "\nsee: mqlab " + arguments.front() + " --help");
  }
  if (arguments.front().substr(0, 1) == "-")
    return complain(err, std::string(error.what()) + "\nsee: mqlab --help");
  const std::vector<std::string_view> views(names.begin(), names.end());
  return complain(err, "there is no command '" + arguments.front() + "'" + hint(arguments.front(), views));
}

/// Nobody reads the standard output any more, as with `| head`.
bool reader_left() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

int run_command_line(const CLI::App& app, const Commands& commands, Streams io) {
  try {
    const int code = dispatch(app, commands, io);
    io.out.flush();
    if (io.out || reader_left()) return code;
    return complain(io.err, "the standard output cannot be written");
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
