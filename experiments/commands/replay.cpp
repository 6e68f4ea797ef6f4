#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/manifest.hpp"
#include "experiments/results/screen.hpp"
#include "experiments/results/store.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

using Json = Manifest;

/// A folder of results, found by its own name or as the one below results/ that holds the run.
std::string folder_of(const ReplayCommand& o, std::string& run) {
  if (file_exists(o.what + "/results.sqlite")) {
    run = o.run;
    return o.what;
  }
  run = o.what;
  for (const std::string& folder : folders_below("results")) {
    if (!file_exists(folder + "/results.sqlite")) continue;
    ResultsStore store(folder + "/results.sqlite");
    if (store.find_run(run)) return folder;
  }
  throw UsageError("'" + o.what + "' is neither a folder of results nor a run id in a folder below results/");
}

StoredTrial choose(ResultsStore& store, const ReplayCommand& o, const std::string& run, const Json& manifest,
                   const std::string& folder) {
  if (!run.empty()) {
    if (auto found = store.find_run(run)) return std::move(*found);
    throw UsageError("there is no run '" + run + "' in " + folder);
  }
  std::optional<TrialKey> chosen;
  store.for_each(false, [&](const StoredTrial& t) {
    if (chosen || (o.point && t.key.point != *o.point) || (o.seed && t.key.seed != *o.seed)) return;
    if (!o.variant.empty() && variant_of(manifest, t.key, folder) != o.variant) return;
    chosen = t.key;
  });
  auto found = chosen ? store.find(*chosen) : std::nullopt;
  if (!found) throw UsageError("no trial of " + folder + " has that point, variant and seed");
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

/// The row of trials.csv is what people read: it has to say what the store says. Empty when it does.
std::string table_difference(const std::string& folder, const StoredTrial& recorded) {
  const std::string path = folder + "/trials.csv";
  if (!file_exists(path)) return path + " is missing\n";
  const std::string text = "\n" + read_file(path);
  const std::size_t at = text.find("\n" + recorded.result.run_id + ",");
  if (at == std::string::npos) return path + " has no row of this run\n";
  const std::string row = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  if (row.find("," + recorded.result.digest + ",") != std::string::npos) return {};
  return path + " has another digest for this run\n";
}

std::string metric_differences(const TrialResult& again, const TrialResult& recorded) {
  std::string out;
  for (const models::MetricInfo& m : models::metric_catalogue()) {
    const auto i = static_cast<std::size_t>(m.metric);
    if (again.metrics[i] == recorded.metrics[i]) continue;
    out += fmt::format("{} was {}, is {}\n", m.name, short_number(recorded.metrics[i]),
                       short_number(again.metrics[i]));
  }
  return out;
}

/// Prints whether the run is the recorded one; returns the exit code.
int compare(const TrialResult& again, const StoredTrial& recorded, const std::string& folder,
            std::ostream& out) {
  out << "recorded " << recorded.result.digest << '\n';
  std::string difference;
  if (again.run_id != recorded.result.run_id) difference += "the scenario in the manifest is another one\n";
  if (again.digest != recorded.result.digest) difference += parting(again.chain, recorded.result.chain);
  difference += table_difference(folder, recorded) + metric_differences(again, recorded.result);
  out << (difference.empty() ? "the same, bit for bit\n" : "NOT the same\n" + difference);
  return difference.empty() ? 0 : 1;
}

}  // namespace

int replay_command(const ReplayCommand& o, Streams io) {
  std::string run;
  const std::string folder = folder_of(o, run);
  const Json manifest = read_manifest(folder);
  ResultsStore store(folder + "/results.sqlite");
  const StoredTrial recorded = choose(store, o, run, manifest, folder);
  const Resolved resolved = resolved_of(manifest, recorded.key, folder);
  const TrialResult again = run_trial(resolved, recorded.key.seed);
  io.out << fmt::format("run {}: {}, point {}, variant {}, seed {}\ndigest   {}\n", recorded.result.run_id,
                        folder, recorded.key.point, variant_of(manifest, recorded.key, folder),
                        recorded.key.seed, again.digest);
  if (o.check) return compare(again, recorded, folder, io.out);
  io.out << '\n' << trial_text(again, false);
  return 0;
}

}  // namespace experiments
