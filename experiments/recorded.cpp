#include "experiments/recorded.hpp"

#include <nlohmann/json.hpp>

#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"

namespace experiments {
namespace {

/// A folder of results, found by its own name or as the one below results/ that holds the run.
std::string folder_of(const TrialChoice& choice, std::string& run) {
  if (file_exists(store_path(choice.what))) {
    run = choice.run;
    return choice.what;
  }
  run = choice.what;
  for (const std::string& folder : folders_below("results")) {
    if (!file_exists(store_path(folder))) continue;
    ResultsStore store(store_path(folder));
    if (store.find_run(run)) return folder;
  }
  throw UsageError("'" + choice.what +
                   "' is neither a folder of results nor a run id in a folder below results/");
}

}  // namespace

Recorded::Recorded(const TrialChoice& choice)
    : folder_(folder_of(choice, run_)),
      manifest_(read_manifest(folder_)),
      store_(store_path(folder_)),
      keys_(choose(choice)) {}

std::vector<TrialKey> Recorded::choose(const TrialChoice& choice) {
  if (!run_.empty()) {
    if (const auto found = store_.find_run(run_)) return {found->key};
    throw UsageError("there is no run '" + run_ + "' in " + folder_);
  }
  std::vector<TrialKey> chosen;
  store_.for_each(false, [&](const StoredTrial& t) {
    if ((choice.point && t.key.point != *choice.point) || (choice.seed && t.key.seed != *choice.seed)) return;
    if (!choice.seed && !covers(manifest_, t.key)) return;
    if (!choice.variant.empty() && variant(t.key) != choice.variant) return;
    chosen.push_back(t.key);
  });
  if (chosen.empty()) throw UsageError("no trial of " + folder_ + " has that point, variant and seed");
  return chosen;
}

StoredTrial Recorded::trial(const TrialKey& key) {
  auto found = store_.find(key);
  if (!found) throw ResultsError(store_path(folder_) + ": a trial has gone");
  return std::move(*found);
}

Resolved Recorded::scenario(const TrialKey& key) const {
  const std::string path = folder_ + "/manifest.json";
  const std::string wanted = variant(key);
  for (const Manifest& cell : manifest_["resolved"]) {
    if (!cell.is_object() || cell.value("point", Manifest()) != key.point ||
        cell.value("variant", Manifest()) != wanted)
      continue;
    return resolve_json(cell.value("scenario", Manifest()).dump(),
                        directory_of(manifest_["file"].get<std::string>()), Place::option(path));
  }
  throw ResultsError(path + ": is damaged: it holds no scenario for that trial");
}

}  // namespace experiments
