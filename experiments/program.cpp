#include "experiments/program.hpp"

#include <algorithm>
#include <ostream>

#include <CLI/CLI.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/report.hpp"
#include "models/scenario_error.hpp"
#include "sim/assert.hpp"
#include "sim/simulation.hpp"

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

void describe(CLI::App& app, Commands& c) {
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  const CLI::IsMember formats({"text", "json"});

  CLI::App* run = app.add_subcommand("run", "one trial: a summary, the digest and the verdicts");
  run->add_option("scenario", c.run.scenario, "a scenario file")->required();
  run->add_option("--seed", c.run.seed, "the seed")->capture_default_str();
  run->add_option("--variant", c.run.variant, "one of the scenario's variants");
  run->add_option("--set", c.run.sets, "PATH=VALUE")->allow_extra_args(false);
  run->add_option("--out", c.run.out, "a folder for the result files");
  run->add_option("--trace", c.run.trace, "trace formats to write: csv")
      ->delimiter(',')
      ->allow_extra_args(false);
  run->add_option("--format", c.run.format, "text or json")->check(formats);

  CLI::App* sweep = app.add_subcommand("sweep", "every point x variant x seed");
  sweep->add_option("scenario", c.sweep.scenario, "a scenario file")->required();
  sweep->add_option("--trials", c.sweep.trials, "seeds a point");
  sweep->add_option("--seed", c.sweep.seed, "the first seed");
  sweep->add_option("--set", c.sweep.sets, "PATH=VALUE")->allow_extra_args(false);
  sweep->add_option("--axis", c.sweep.axes, "PATH=a,b,c or PATH=from..to/steps or PATH=from..to/log/steps")
      ->allow_extra_args(false);
  sweep->add_option("-j", c.sweep.threads, "threads (all cores unless given)");
  sweep->add_flag("--list", c.sweep.list, "print the trials, run none");
  sweep->add_flag("--resume", c.sweep.resume, "keep what is finished in --out and run the rest");
  sweep->add_option("--shard", c.sweep.shard, "I/N: only every N-th trial, from the I-th");
  sweep->add_option("--out", c.sweep.out, "a folder for the results (results/NAME unless given)");
  sweep->add_flag("--quiet", c.sweep.quiet, "no progress line");
  sweep->add_flag("--digests", c.sweep.digests, "print each trial's digest, write nothing");
  sweep->add_option("--format", c.sweep.format, "text or json")->check(formats);

  CLI::App* replay = app.add_subcommand("replay", "the same run again");
  replay->add_option("what", c.replay.what, "a run id, or a folder of results")->required();
  replay->add_option("--run", c.replay.run, "a run id of that folder");
  replay->add_option("--point", c.replay.point, "the number of a point");
  replay->add_option("--variant", c.replay.variant, "a variant");
  replay->add_option("--seed", c.replay.seed, "a seed");
  replay->add_flag("--check", c.replay.check, "compare with the recorded digests");

  CLI::App* check = app.add_subcommand("check", "do the scenarios' expectations hold?");
  check->add_option("paths", c.check.paths, "scenario files")->required();
  check->add_option("--trials", c.check.trials, "seeds (100 unless given)");
  check->add_option("-j", c.check.threads, "threads");
  check->add_flag("--quiet", c.check.quiet, "one line a scenario, no progress line");

  CLI::App* diff = app.add_subcommand("diff", "two runs of a scenario side by side");
  diff->add_option("scenario", c.diff.scenario, "a scenario file")->required();
  diff->add_option("--left-variant", c.diff.left_variant, "the left run's variant");
  diff->add_option("--right-variant", c.diff.right_variant, "the right run's variant");
  diff->add_option("--left-seed", c.diff.left_seed, "the left run's seed")->capture_default_str();
  diff->add_option("--right-seed", c.diff.right_seed, "the right run's seed")->capture_default_str();

  CLI::App* list = app.add_subcommand(
      "list", "what there is: metrics, verdicts, faults, distributions, kafka, schema ...");
  list->add_option("what", c.list, "which list; all their names unless given");
  CLI::App* create = app.add_subcommand("new", "writes NAME.toml, a scenario to start from");
  create->add_option("name", c.name, "the scenario's name")->required();
  CLI::App* exports = app.add_subcommand("export", "results in another form");
  exports->add_option("folder", c.folder, "a folder of results")->required();
  exports->add_option("--format", c.format, "csv: one value a row")->capture_default_str();
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

}  // namespace

int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  CLI::App app{"mqlab: a deterministic simulator of message queues and event logs", "mqlab"};
  Commands commands;
  describe(app, commands);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, out, err);
    return code == 0 ? 0 : 2;
  }
  try {
    const int code = dispatch(app, commands, {out, err});
    out.flush();
    if (!out) return complain(err, "the standard output cannot be written");
    return code;
  } catch (const BadScenario& error) {
    return complain(err, error.what());
  } catch (const UsageError& error) {
    return complain(err, error.what());
  } catch (const ResultsError& error) {
    return complain(err, error.what());
  } catch (const models::ScenarioError& error) {
    return complain(err, error.what());
  } catch (const sim::AssertionError& error) {
    return complain(err, std::string("a fault of mqlab itself: ") + error.what());
  } catch (const sim::LivelockError& error) {
    return complain(err, error.what());
  } catch (const std::exception& error) {
    return complain(err, error.what());
  }
}

}  // namespace experiments
