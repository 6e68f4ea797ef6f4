#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/store.hpp"
#include "models/model_version.hpp"

namespace experiments {
namespace {

using Json = nlohmann::ordered_json;

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

StoredTrial choose(ResultsStore& store, const ReplayCommand& o, const std::string& run,
                   const Json& manifest) {
  if (!run.empty()) {
    if (const auto found = store.find_run(run)) return *found;
    throw UsageError("there is no run '" + run + "' in these results");
  }
  std::optional<StoredTrial> chosen;
  store.for_each(false, [&](const StoredTrial& t) {
    if (chosen || (o.point && t.key.point != *o.point) || (o.seed && t.key.seed != *o.seed)) return;
    if (!o.variant.empty() && manifest["variants"].at(t.key.variant) != o.variant) return;
    chosen = t;
  });
  if (!chosen) throw UsageError("no trial of these results has that point, variant and seed");
  return *chosen;
}

/// The first block whose partial digests differ, or nothing when all that both have agree.
std::optional<std::size_t> first_difference(const sim::DigestChain& a, const sim::DigestChain& b) {
  if (a.records_per_partial != b.records_per_partial) return 0;
  for (std::size_t i = 0; i < std::min(a.partials.size(), b.partials.size()); ++i) {
    if (a.partials[i] != b.partials[i]) return i;
  }
  return std::nullopt;
}

}  // namespace

int replay_command(const ReplayCommand& o, Streams io) {
  std::string run;
  const std::string folder = folder_of(o, run);
  if (!file_exists(folder + "/manifest.json"))
    throw ResultsError(folder + ": has no manifest.json: the sweep did not finish; --resume it");
  const Json manifest = Json::parse(read_file(folder + "/manifest.json"));
  if (manifest["model_version"] != models::kModelVersion) {
    throw ResultsError(fmt::format("{}: made by version {} of the models, this is version {}", folder,
                                   manifest["model_version"].dump(), models::kModelVersion));
  }
  ResultsStore store(folder + "/results.sqlite");
  const StoredTrial recorded = choose(store, o, run, manifest);
  const std::string variant = manifest["variants"].at(recorded.key.variant);
  for (const Json& cell : manifest["resolved"]) {
    if (cell["point"] != recorded.key.point || cell["variant"] != variant) continue;
    const Resolved resolved =
        resolve_json(cell["scenario"].dump(), ".", Place::option(folder + "/manifest.json"));
    const TrialResult again = run_trial(resolved, recorded.key.seed);
    io.out << fmt::format("run {}: point {}, variant {}, seed {}\ndigest   {}\n", recorded.result.run_id,
                          recorded.key.point, variant, recorded.key.seed, again.digest);
    if (!o.check) return 0;
    io.out << fmt::format("recorded {}\n", recorded.result.digest);
    if (again.digest == recorded.result.digest) {
      io.out << "the same, bit for bit\n";
      return 0;
    }
    const auto block = first_difference(again.chain, recorded.result.chain);
    if (block) {
      const std::uint64_t per = again.chain.records_per_partial;
      io.out << fmt::format("the runs part in block {}: records {} to {}\n", *block, *block * per + 1,
                            (*block + 1) * per);
    } else {
      io.out << "the runs part after the last block that both have\n";
    }
    return 1;
  }
  throw ResultsError(folder + "/manifest.json: holds no scenario for that trial");
}

}  // namespace experiments
