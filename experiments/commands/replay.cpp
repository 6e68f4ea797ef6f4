#include <algorithm>
#include <chrono>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/manifest.hpp"
#include "experiments/results/screen.hpp"
#include "experiments/results/store.hpp"
#include "experiments/sweep.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

using Json = Manifest;

/// A folder of results, found by its own name or as the one below results/ that holds the run.
std::string folder_of(const ReplayCommand& o, std::string& run) {
  if (file_exists(store_path(o.what))) {
    run = o.run;
    return o.what;
  }
  run = o.what;
  for (const std::string& folder : folders_below("results")) {
    if (!file_exists(store_path(folder))) continue;
    ResultsStore store(store_path(folder));
    if (store.find_run(run)) return folder;
  }
  throw UsageError("'" + o.what + "' is neither a folder of results nor a run id in a folder below results/");
}

/// The trials that the options speak of, at least one, in canonical order.
std::vector<TrialKey> choose(ResultsStore& store, const ReplayCommand& o, const std::string& run,
                             const Json& manifest, const std::string& folder) {
  if (!run.empty()) {
    if (const auto found = store.find_run(run)) return {found->key};
    throw UsageError("there is no run '" + run + "' in " + folder);
  }
  std::vector<TrialKey> chosen;
  store.for_each(false, [&](const StoredTrial& t) {
    if ((o.point && t.key.point != *o.point) || (o.seed && t.key.seed != *o.seed)) return;
    if (!o.seed && !covers(manifest, t.key)) return;
    if (!o.variant.empty() && variant_of(manifest, t.key, folder) != o.variant) return;
    chosen.push_back(t.key);
  });
  if (chosen.empty()) throw UsageError("no trial of " + folder + " has that point, variant and seed");
  return chosen;
}

StoredTrial recorded_at(ResultsStore& store, const TrialKey& key, const std::string& folder) {
  auto found = store.find(key);
  if (!found) throw ResultsError(folder + "/results.sqlite: a trial has gone");
  return std::move(*found);
}

Resolved resolved_of(const Json& manifest, const TrialKey& key, const std::string& folder) {
  const std::string path = folder + "/manifest.json";
  const std::string variant = variant_of(manifest, key, folder);
  for (const Json& cell : manifest["resolved"]) {
    if (!cell.is_object() || cell.value("point", Json()) != key.point ||
        cell.value("variant", Json()) != variant)
      continue;
    return resolve_json(cell.value("scenario", Json()).dump(),
                        directory_of(manifest["file"].get<std::string>()), Place::option(path));
  }
  throw ResultsError(path + ": is damaged: it holds no scenario for that trial");
}

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

std::string title(const StoredTrial& recorded, const Json& manifest, const std::string& folder) {
  return fmt::format("run {}: {}, point {}, variant {}, seed {}\n", recorded.result.run_id, folder,
                     recorded.key.point, variant_of(manifest, recorded.key, folder), recorded.key.seed);
}

constexpr std::size_t kShown = 10;  // of the trials that differ

int check_all(const std::vector<TrialKey>& keys, const Json& manifest, const std::string& folder,
              ResultsStore& store, Streams io) {
  const Table table(folder);
  const auto began = std::chrono::steady_clock::now();
  SweepProgress progress;
  progress.total = keys.size();
  std::size_t differ = 0;
  std::string said;
  {
    ProgressLine line(io.err, false);
    std::optional<Resolved> resolved;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const StoredTrial recorded = recorded_at(store, keys[i], folder);
      const bool same_cell =
          i > 0 && keys[i].point == keys[i - 1].point && keys[i].variant == keys[i - 1].variant;
      if (!same_cell) resolved.emplace(resolved_of(manifest, keys[i], folder));
      const TrialResult again = run_trial(*resolved, keys[i].seed);
      const std::string difference = differences(again, recorded, table);
      if (!difference.empty() && ++differ <= kShown)
        said += title(recorded, manifest, folder) + "NOT the same\n" + difference;
      ++progress.done;
      progress.events += again.outcome.events;
      progress.simulated_s += sim::seconds(again.outcome.end);
      progress.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
      line.show(progress);
    }
  }
  io.out << said << (differ > kShown ? "…\n" : "");
  io.out << fmt::format("{}: {} of {} trials are the same, bit for bit\n", folder, keys.size() - differ,
                        keys.size());
  return differ == 0 ? 0 : 1;
}

int replay_one(const TrialKey& key, bool check, const Json& manifest, const std::string& folder,
               ResultsStore& store, std::ostream& out) {
  const StoredTrial recorded = recorded_at(store, key, folder);
  const TrialResult again = run_trial(resolved_of(manifest, key, folder), key.seed);
  out << title(recorded, manifest, folder) << "digest   " << again.digest << '\n';
  if (!check) {
    out << '\n' << trial_text(again, false);
    return 0;
  }
  const std::string difference = differences(again, recorded, Table(folder));
  out << "recorded " << recorded.result.digest << '\n'
      << (difference.empty() ? "the same, bit for bit\n" : "NOT the same\n" + difference);
  return difference.empty() ? 0 : 1;
}

}  // namespace

int replay_command(const ReplayCommand& o, Streams io) {
  std::string run;
  const std::string folder = folder_of(o, run);
  const Json manifest = read_manifest(folder);
  ResultsStore store(store_path(folder));
  const std::vector<TrialKey> keys = choose(store, o, run, manifest, folder);
  if (o.check && keys.size() > 1) return check_all(keys, manifest, folder, store, io);
  return replay_one(keys.front(), o.check, manifest, folder, store, io.out);
}

}  // namespace experiments
