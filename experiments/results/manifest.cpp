#include "experiments/results/manifest.hpp"

#include <fmt/format.h>

#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "models/model_version.hpp"

namespace experiments {

using Json = Manifest;

Manifest read_manifest(const std::string& folder) {
  const std::string path = folder + "/manifest.json";
  if (!file_exists(path))
    throw ResultsError(folder + ": has no manifest.json: the sweep did not finish; --resume it");
  Manifest manifest = Json::parse(read_file(path), nullptr, false);
  const auto has = [&](const char* key, Json::value_t type) {
    const auto at = manifest.is_object() ? manifest.find(key) : manifest.end();
    return at != manifest.end() && at->type() == type;
  };
  using Type = Json::value_t;
  if (!has("model_version", Type::number_unsigned) || !has("variants", Type::array) ||
      !has("resolved", Type::array) || !has("first_seed", Type::number_unsigned) ||
      !has("trials", Type::number_unsigned) || !has("file", Type::string)) {
    throw ResultsError(path + ": is damaged: it is no manifest of mqlab");
  }
  if (manifest["model_version"] != models::kModelVersion) {
    throw ResultsError(fmt::format("{}: made by version {} of the models, this is version {}", folder,
                                   manifest["model_version"].dump(), models::kModelVersion));
  }
  return manifest;
}

bool covers(const Manifest& manifest, const TrialKey& key) {
  const auto first = manifest["first_seed"].get<std::uint64_t>();
  return key.seed >= first && key.seed - first < manifest["trials"].get<std::uint64_t>();
}

std::string variant_of(const Manifest& manifest, const TrialKey& key, const std::string& folder) {
  if (key.variant >= manifest["variants"].size() || !manifest["variants"][key.variant].is_string())
    throw ResultsError(folder + "/manifest.json: is damaged: a variant is missing");
  return manifest["variants"][key.variant].get<std::string>();
}

}  // namespace experiments
