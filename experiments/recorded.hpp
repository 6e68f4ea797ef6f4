// Trials that a folder of results holds, to be run again.
#pragma once

#include <string>
#include <vector>

#include "experiments/results/manifest.hpp"
#include "experiments/results/store.hpp"
#include "experiments/sweep.hpp"
#include "experiments/trial_choice.hpp"

namespace experiments {

class Recorded {
 public:
  /// Throws UsageError when the choice means no trial, ResultsError when the folder cannot be read.
  explicit Recorded(const TrialChoice& choice);

  const std::string& folder() const { return folder_; }
  /// At least one, in canonical order.
  const std::vector<TrialKey>& keys() const { return keys_; }
  StoredTrial trial(const TrialKey& key);
  std::string variant(const TrialKey& key) const { return variant_of(manifest_, key, folder_); }
  /// As the manifest has it, whatever the scenario's file says by now.
  Resolved scenario(const TrialKey& key) const;

 private:
  std::vector<TrialKey> choose(const TrialChoice& choice);

  std::string run_;
  std::string folder_;
  Manifest manifest_;
  ResultsStore store_;
  std::vector<TrialKey> keys_;
};

}  // namespace experiments
