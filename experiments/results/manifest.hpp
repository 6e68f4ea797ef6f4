// Reading the manifest.json of a folder of results.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "experiments/results/store.hpp"

namespace experiments {

using Manifest = nlohmann::ordered_json;

/// The manifest of a finished folder, of this version of the models. Throws ResultsError when there is none,
/// when it is damaged, or when it is of another version.
Manifest read_manifest(const std::string& folder);

/// Is the trial one of those that the folder's tables are about? A store may hold more: see --resume.
bool covers(const Manifest& manifest, const TrialKey& key);

/// The name of a trial's variant.
std::string variant_of(const Manifest& manifest, const TrialKey& key, const std::string& folder);

}  // namespace experiments
