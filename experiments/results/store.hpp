// results.sqlite: what a sweep has finished, trial by trial, so that a killed sweep goes on with nothing lost
// or doubled.
//
// One writer at a time; a trial is one row and one transaction. What is stored of a trial is a function of
// its run alone, so that whatever order trials finish in, the files made from the store are the same to the
// byte.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiments/trial.hpp"

struct sqlite3;

namespace experiments {

/// Which trial of a sweep.
struct TrialKey {
  std::uint64_t point = 0;
  std::uint64_t variant = 0;
  std::uint64_t seed = 0;
};

struct StoredTrial {
  TrialKey key;
  TrialResult result;
};

class ResultsStore {
 public:
  /// Opens or makes the file. `identity` names the sweep (a hash of all its runs): a store of another one is
  /// refused. Throws ResultsError.
  ResultsStore(const std::string& path, const std::string& identity);
  /// An existing store, of whatever sweep, to be read alone. Throws ResultsError.
  explicit ResultsStore(const std::string& path);
  ~ResultsStore();
  ResultsStore(const ResultsStore&) = delete;
  ResultsStore& operator=(const ResultsStore&) = delete;

  void put(const StoredTrial& trial);
  bool has(const TrialKey& key);
  std::uint64_t count();
  std::optional<StoredTrial> find(const TrialKey& key);
  std::optional<StoredTrial> find_run(const std::string& run_id);
  /// Every trial in order of point, variant, seed. Without `large` the chain of digests, labelled metrics,
  /// time series and anomalies stay on the disk.
  void for_each(bool large, const std::function<void(const StoredTrial&)>& visit);
  /// Named texts beside the trials ("identity").
  void put_text(const std::string& name, const std::string& text);
  std::optional<std::string> text(const std::string& name);
  /// Nothing more will be put: the table `metrics` (run_id, metric, value) is made for who asks in SQL, the
  /// journal beside the file goes, and the file alone is the store.
  void finish();

 private:
  void open(int flags);
  void close();
  void make_tables();
  void check_format();
  void fill_metrics();
  void execute(const char* sql);

  std::string path_;
  sqlite3* db_ = nullptr;
};

/// Where a folder of results has its store.
std::string store_path(const std::string& folder);

/// Removes a store with its journal, if it is there. Throws ResultsError.
void remove_store(const std::string& path);

}  // namespace experiments
