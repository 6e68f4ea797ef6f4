// What is kept of trials: the store, the CSV files, and the statistics in them.
#include <cmath>
#include <map>

#include "experiments/errors.hpp"
#include "experiments/results/csv.hpp"
#include "experiments/results/files.hpp"
#include "experiments/results/report.hpp"
#include "experiments/results/store.hpp"
#include "models/metrics/catalogue.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

constexpr auto kDuplicated = static_cast<std::size_t>(models::Metric::duplicated);

StoredTrial trial(std::uint64_t seed, double duplicated) {
  StoredTrial t;
  t.key = {0, 0, seed};
  t.result.run_id = "run" + std::to_string(seed);
  t.result.seed = seed;
  t.result.digest = std::string(32, 'd');
  t.result.chain.partials = {{1, 2}, {3, seed}};
  t.result.metrics.resize(models::metric_catalogue().size());
  t.result.metrics[kDuplicated] = duplicated;
  t.result.labelled = {{kDuplicated, "billing", "", duplicated}, {kDuplicated, "", "orders/0", 0.5}};
  t.result.timeseries = "series,of," + std::to_string(seed) + "\n";
  t.result.outcome.faults_fired = {seed, 0};
  t.result.outcome.drained = true;
  return t;
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == ',')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

/// The row of a metric in summary.csv, by column.
std::map<std::string, std::string> summary_row(const std::string& csv, const std::string& metric) {
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> header = cells(line);
  while (std::getline(lines, line)) {
    const std::vector<std::string> row = cells(line);
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i < header.size(); ++i) out[header[i]] = row[i];
    if (out["metric"] == metric) return out;
  }
  return {};
}

}  // namespace

TEST_CASE("what is stored of a trial is what was put") {
  const TempFolder folder;
  ResultsStore store(folder.path("results.sqlite"), "identity");
  store.put(trial(3, 1.5));
  CHECK(store.has({0, 0, 3}));
  CHECK_FALSE(store.has({0, 0, 4}));
  CHECK(store.count() == 1);
  const auto found = store.find_run("run3");
  REQUIRE(found);
  CHECK(found->key.seed == 3);
  CHECK(found->result.digest == std::string(32, 'd'));
  CHECK(found->result.chain.partials == trial(3, 1.5).result.chain.partials);
  CHECK(found->result.metrics == trial(3, 1.5).result.metrics);
  CHECK(found->result.labelled == trial(3, 1.5).result.labelled);
  CHECK(found->result.timeseries == "series,of,3\n");
  CHECK(found->result.outcome.faults_fired == std::vector<std::uint64_t>{3, 0});
  CHECK_FALSE(store.find_run("run4"));
}

TEST_CASE("trials come back in order, whatever order they were put in") {
  const TempFolder folder;
  ResultsStore store(folder.path("results.sqlite"), "identity");
  for (const std::uint64_t seed : {5U, 1U, 3U}) store.put(trial(seed, 0));
  std::vector<std::uint64_t> seeds;
  store.for_each(false, [&](const StoredTrial& t) { seeds.push_back(t.key.seed); });
  CHECK(seeds == std::vector<std::uint64_t>{1, 3, 5});
}

TEST_CASE("a store of another sweep is refused") {
  const TempFolder folder;
  { ResultsStore store(folder.path("results.sqlite"), "one"); }
  CHECK_NOTHROW(ResultsStore(folder.path("results.sqlite"), "one"));
  CHECK_THROWS_WITH(ResultsStore(folder.path("results.sqlite"), "two"),
                    ContainsSubstring("holds results of another scenario"));
}

TEST_CASE("a store that is no database, is missing or is a folder is refused") {
  const TempFolder folder;
  CHECK_THROWS_WITH(ResultsStore(folder.write("a.sqlite", std::string(5000, 'x'))),
                    ContainsSubstring("a.sqlite: file is not a database"));
  CHECK_THROWS_AS(ResultsStore(folder.path("none.sqlite")), ResultsError);
  make_folder(folder.path("b.sqlite"));
  CHECK_THROWS_AS(ResultsStore(folder.path("b.sqlite"), "i"), ResultsError);
}

TEST_CASE("a row whose metrics are not those of this program is refused, not read past its end") {
  const TempFolder folder;
  {
    ResultsStore store(folder.path("results.sqlite"), "i");
    StoredTrial damaged = trial(1, 0);
    damaged.result.metrics.resize(3);
    store.put(damaged);
  }
  ResultsStore store(folder.path("results.sqlite"));
  CHECK_THROWS_WITH(store.for_each(false, [](const StoredTrial&) {}), ContainsSubstring("is damaged"));
}

TEST_CASE("the 95 % interval is Student's") {
  const TempFolder folder;
  const Experiment experiment = load(std::string(kSmall), {.trials = 5});
  const Grid grid(experiment);
  ResultsStore store(folder.path("results.sqlite"), grid.identity());
  const double values[] = {2, 4, 4, 7, 13};
  for (std::uint64_t i = 0; i < 5; ++i) store.put(trial(i + 1, values[i]));
  write_results(folder.path(""), experiment, grid, store);
  auto row = summary_row(folder.read("summary.csv"), "duplicated");
  CHECK(row["trials"] == "5");
  CHECK(std::stod(row["mean"]) == Approx(6));
  // s = sqrt((16 + 4 + 4 + 1 + 49) / 4) = 4.301163; t(0.975, 4) = 2.776445; t s / sqrt(5)
  CHECK(std::stod(row["half_width_95"]) == Approx(2.776445 * std::sqrt(18.5 / 5)).epsilon(1e-6));
  CHECK(row["min"] == "2");
  CHECK(row["p25"] == "4");
  CHECK(row["p50"] == "4");
  CHECK(row["p75"] == "7");
  CHECK(row["max"] == "13");
  CHECK(row["unit"] == "messages");
}

TEST_CASE("one trial has a mean and no interval") {
  const TempFolder folder;
  const Experiment experiment = load(std::string(kSmall), {.trials = 1});
  const Grid grid(experiment);
  ResultsStore store(folder.path("results.sqlite"), grid.identity());
  store.put(trial(1, 3));
  write_results(folder.path(""), experiment, grid, store);
  auto row = summary_row(folder.read("summary.csv"), "duplicated");
  CHECK(row["mean"] == "3");
  CHECK(row["half_width_95"].empty());
}

TEST_CASE("trials of the store that the sweep does not ask for stay out of its files") {
  const TempFolder folder;
  const Experiment experiment = load(std::string(kSmall), {.trials = 2});
  const Grid grid(experiment);
  ResultsStore store(folder.path("results.sqlite"), grid.identity());
  for (std::uint64_t seed = 1; seed <= 4; ++seed) store.put(trial(seed, 0));
  write_results(folder.path(""), experiment, grid, store);
  const std::string csv = folder.read("trials.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);
  CHECK(folder.read("timeseries.csv").find("series,of,3") == std::string::npos);
}

TEST_CASE("CSV fields are quoted where RFC 4180 asks for it, numbers read back exactly") {
  CHECK(csv_field("plain") == "plain");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("say \"x\"") == "\"say \"\"x\"\"\"");
  CHECK(csv_field("two\nlines") == "\"two\nlines\"");
  CHECK(csv_number(0.1) == "0.1");
  CHECK(csv_number(120438) == "120438");
  CHECK(std::stod(csv_number(1.0 / 3)) == 1.0 / 3);
  std::string row;
  CsvRow(row).text("a").number(std::optional<double>()).integer(-3).end();
  CHECK(row == "a,,-3\n");
}

TEST_CASE("a file is whole or not there") {
  const TempFolder folder;
  const std::string path = folder.path("f.csv");
  write_file(path, "one\n");
  CHECK(read_file(path) == "one\n");
  {
    OutputFile file(path);
    file.append("half of two");
  }  // given up
  CHECK(read_file(path) == "one\n");
  CHECK_FALSE(file_exists(path + ".part"));
  OutputFile file(path);
  file.append("tw");
  file.append("o\n");
  file.commit();
  CHECK(read_file(path) == "two\n");
}

TEST_CASE("what cannot be written says which file and why") {
  const TempFolder folder;
  const std::string file = folder.write("file", "x");
  CHECK_THROWS_WITH(write_file(file + "/below.csv", "x"),
                    ContainsSubstring("below.csv: cannot be written: Not a directory"));
  CHECK_THROWS_WITH(write_file(folder.path("no/where.csv"), "x"),
                    ContainsSubstring("No such file or directory"));
  CHECK_THROWS_AS(make_folder(file), ResultsError);
  CHECK_THROWS_AS(make_folder(file + "/below"), ResultsError);
  CHECK_THROWS_AS(read_file(folder.path("none")), ResultsError);
}
