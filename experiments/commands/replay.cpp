#include <algorithm>
#include <chrono>
#include <ostream>

#include <fmt/format.h>
#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/recorded.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/screen.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

/// The first block whose partial digests differ, or nothing when all that both have agree.
std::optional<std::size_t> first_difference(const sim::DigestChain& a, const sim::DigestChain& b) {
  if (a.records_per_partial != b.records_per_partial) return std::nullopt;
  for (std::size_t i = 0; i < std::min(a.partials.size(), b.partials.size()); ++i) {
    if (a.partials[i] != b.partials[i]) return i;
  }
  return std::nullopt;
}

/// Where the second run of a trial parted from the first.
std::string parting(const sim::DigestChain& again, const sim::DigestChain& recorded) {
  const std::uint64_t per = again.records_per_partial;
  if (const auto block = first_difference(again, recorded)) {
    return fmt::format("the runs part in block {}: trace records {} to {}\n", *block, *block * per + 1,
                       (*block + 1) * per);
  }
  if (again.partials.empty() || recorded.partials.empty() || per != recorded.records_per_partial)
    return "the runs differ in length: their partial digests cannot be compared\n";
  return fmt::format("the runs agree in their first {} trace records\n",
                     std::min(again.partials.size(), recorded.partials.size()) * per);
}

/// trials.csv is what people read: it has to say what the store says.
class Table {
 public:
  explicit Table(const std::string& folder) : path_(folder + "/trials.csv") {
    if (file_exists(path_)) text_ = "\n" + read_file(path_);
  }
  /// Empty when the run's row holds its digest.
  std::string difference(const StoredTrial& recorded) const {
    if (text_.empty()) return path_ + " is missing\n";
    const std::size_t at = text_.find("\n" + recorded.result.run_id + ",");
    if (at == std::string::npos) return path_ + " has no row of this run\n";
    const std::string row = text_.substr(at + 1, text_.find('\n', at + 1) - at - 1);
    if (row.find("," + recorded.result.digest + ",") != std::string::npos) return {};
    return path_ + " has another digest for this run\n";
  }

 private:
  std::string path_;
  std::string text_;
};

std::string metric_differences(const TrialResult& again, const TrialResult& recorded) {
  std::string out;
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    const auto i = static_cast<std::size_t>(m.metric);
    if (again.metrics[i] == recorded.metrics[i]) continue;
    out += fmt::format("{} was {}, is {}\n", m.name, short_number(recorded.metrics[i]),
                       short_number(again.metrics[i]));
  }
  if (again.labelled != recorded.labelled) out += "metrics of single groups, partitions or members differ\n";
  return out;
}

/// Empty when the run is the recorded one.
std::string differences(const TrialResult& again, const StoredTrial& recorded, const Table& table) {
  std::string out;
  if (again.run_id != recorded.result.run_id) out += "the scenario in the manifest is another one\n";
  if (again.digest != recorded.result.digest) out += parting(again.chain, recorded.result.chain);
  return out + table.difference(recorded) + metric_differences(again, recorded.result);
}

std::string title(const StoredTrial& trial, const Recorded& recorded) {
  return fmt::format("run {}: {}, point {}, variant {}, seed {}\n", trial.result.run_id, recorded.folder(),
                     trial.key.point, recorded.variant(trial.key), trial.key.seed);
}

constexpr std::size_t kShown = 10;  // of the trials that differ

int check_all(Recorded& recorded, Streams io) {
  const std::vector<TrialKey>& keys = recorded.keys();
  const Table table(recorded.folder());
  const auto began = std::chrono::steady_clock::now();
  SweepProgress progress;
  progress.total = keys.size();
  std::size_t differ = 0;
  std::string said;
  {
    ProgressLine line(io.err, false);
    std::optional<Resolved> resolved;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const StoredTrial trial = recorded.trial(keys[i]);
      const bool same_cell =
          i > 0 && keys[i].point == keys[i - 1].point && keys[i].variant == keys[i - 1].variant;
      if (!same_cell) resolved.emplace(recorded.scenario(keys[i]));
      const TrialResult again = run_trial(*resolved, keys[i].seed);
      const std::string difference = differences(again, trial, table);
      if (!difference.empty() && ++differ <= kShown)
        said += title(trial, recorded) + "NOT the same\n" + difference;
      ++progress.done;
      progress.events += again.outcome.events;
      progress.simulated_s += sim::seconds(again.outcome.end);
      progress.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
      line.show(progress);
    }
  }
  io.out << said << (differ > kShown ? "…\n" : "");
  io.out << fmt::format("{}: {} of {} trials are the same, bit for bit\n", recorded.folder(),
                        keys.size() - differ, keys.size());
  return differ == 0 ? 0 : 1;
}

int replay_one(Recorded& recorded, bool check, std::ostream& out) {
  const TrialKey key = recorded.keys().front();
  const StoredTrial trial = recorded.trial(key);
  const TrialResult again = run_trial(recorded.scenario(key), key.seed);
  out << title(trial, recorded) << "digest   " << again.digest << '\n';
  if (!check) {
    out << '\n' << trial_text(again, false);
    return 0;
  }
  const std::string difference = differences(again, trial, Table(recorded.folder()));
  out << "recorded " << trial.result.digest << '\n'
      << (difference.empty() ? "the same, bit for bit\n" : "NOT the same\n" + difference);
  return difference.empty() ? 0 : 1;
}

}  // namespace

int replay_command(const ReplayCommand& o, Streams io) {
  Recorded recorded(o.trials);
  if (o.check && recorded.keys().size() > 1) return check_all(recorded, io);
  return replay_one(recorded, o.check, io.out);
}

}  // namespace experiments
