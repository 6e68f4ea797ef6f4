#include "experiments/results/folder.hpp"

#include <fmt/format.h>

#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/report.hpp"
#include "experiments/results/store.hpp"

namespace experiments {
namespace {

/// Throws unless the folder, which has no store, is empty.
void check_empty(const std::string& folder, const std::string& advice) {
  const std::vector<std::string> found = entries_of(folder);
  if (found.empty()) return;
  throw ResultsError(fmt::format("{}: holds no results of mqlab but {}{}; {}", folder, found.front(),
                                 found.size() == 1 ? "" : " and more", advice));
}

}  // namespace

void take_folder(const std::string& folder, const std::string& identity, Earlier earlier,
                 const std::string& advice) {
  make_folder(folder);
  const std::string store = store_path(folder);
  if (earlier != Earlier::replace && !file_exists(store)) {
    check_empty(folder, advice);
  } else if (earlier != Earlier::replace) {
    const std::uint64_t trials = ResultsStore(store).count();
    if (trials == 0) {
      earlier = Earlier::replace;
    } else if (earlier == Earlier::refuse) {
      throw ResultsError(
          fmt::format("{}: holds {} finished trial{}; {}", folder, trials, trials == 1 ? "" : "s", advice));
    }
  }
  if (earlier == Earlier::keep)
    ResultsStore(store, identity);  // refuses another sweep's
  else
    remove_store(store);
  clear_results(folder);
}

bool holds_only(const std::string& folder, const std::string& run_id) {
  if (!file_exists(store_path(folder))) return false;
  ResultsStore store(store_path(folder));
  return store.count() == 1 && store.find_run(run_id).has_value();
}

}  // namespace experiments
