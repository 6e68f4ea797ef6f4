#include "experiments/results/store.hpp"

#include <sqlite3.h>

#include <bit>

#include "experiments/errors.hpp"
#include "experiments/results/files.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

/// A prepared statement, finalised at the end of its scope.
class Statement {
 public:
  Statement(sqlite3* db, const std::string& path, const char* sql) : db_(db), path_(path) {
    if (sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) != SQLITE_OK) fail();
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int i, std::uint64_t value) {
    check(sqlite3_bind_int64(statement_, i, static_cast<sqlite3_int64>(value)));
    return *this;
  }
  Statement& bind(int i, const std::string& value) {
    check(sqlite3_bind_blob64(statement_, i, value.data(), value.size(), SQLITE_TRANSIENT));
    return *this;
  }
  Statement& bind(int i, double value) {
    check(sqlite3_bind_double(statement_, i, value));
    return *this;
  }
  /// As text, which SQL compares with text; others are bytes.
  Statement& bind_text(int i, std::string_view value) {
    check(sqlite3_bind_text64(statement_, i, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
  }
  /// To be stepped once more.
  void reset() { check(sqlite3_reset(statement_)); }
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail();
    return false;
  }
  std::uint64_t integer(int i) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, i));
  }
  std::string text(int i) const {
    const void* data = sqlite3_column_blob(statement_, i);
    const int size = sqlite3_column_bytes(statement_, i);
    return data == nullptr ? std::string{}
                           : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
  }

 private:
  void check(int code) {
    if (code != SQLITE_OK) fail();
  }
  [[noreturn]] void fail() { throw ResultsError(path_ + ": " + sqlite3_errmsg(db_)); }
  sqlite3* db_;
  const std::string& path_;
  sqlite3_stmt* statement_ = nullptr;
};

void put_word(std::string& out, std::uint64_t word) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(word >> (8 * i) & 0xff);
}

std::uint64_t get_word(const std::string& in, std::size_t at) {
  std::uint64_t word = 0;
  for (int i = 7; i >= 0; --i)
    word = word << 8 | static_cast<unsigned char>(in[at + static_cast<std::size_t>(i)]);
  return word;
}

void put_number(std::string& out, double number) {
  put_word(out, std::bit_cast<std::uint64_t>(number));
}

/// Each metric as a flag and its bits.
std::string pack_metrics(const std::vector<std::optional<double>>& metrics) {
  std::string out;
  for (const std::optional<double>& m : metrics) {
    put_word(out, m ? 1 : 0);
    put_number(out, m.value_or(0.0));
  }
  return out;
}

std::vector<std::optional<double>> unpack_metrics(const std::string& in) {
  std::vector<std::optional<double>> metrics(in.size() / 16);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (get_word(in, 16 * i) != 0) metrics[i] = std::bit_cast<double>(get_word(in, 16 * i + 8));
  }
  return metrics;
}

std::string pack_chain(const sim::DigestChain& chain) {
  std::string out;
  put_word(out, chain.records_per_partial);
  for (const auto& partial : chain.partials) {
    put_word(out, partial[0]);
    put_word(out, partial[1]);
  }
  return out;
}

sim::DigestChain unpack_chain(const std::string& in) {
  sim::DigestChain chain;
  if (in.size() < 8) return chain;
  chain.records_per_partial = get_word(in, 0);
  for (std::size_t at = 8; at + 16 <= in.size(); at += 16)
    chain.partials.push_back({get_word(in, at), get_word(in, at + 8)});
  return chain;
}

std::string pack_words(const std::vector<std::uint64_t>& words) {
  std::string out;
  for (const std::uint64_t w : words) put_word(out, w);
  return out;
}

void put_string(std::string& out, const std::string& text) {
  put_word(out, text.size());
  out += text;
}

/// Metric, value's bits, group, subject.
std::string pack_labelled(const std::vector<LabelledValue>& labelled) {
  std::string out;
  for (const LabelledValue& row : labelled) {
    put_word(out, row.metric);
    put_number(out, row.value);
    put_string(out, row.group);
    put_string(out, row.subject);
  }
  return out;
}

/// Takes packed values off the front of a text that may be damaged.
class Unpacker {
 public:
  explicit Unpacker(const std::string& in) : in_(in) {}
  bool more() const { return whole_ && at_ < in_.size(); }
  bool whole() const { return whole_; }
  std::uint64_t word() {
    if (!has(8)) return 0;
    at_ += 8;
    return get_word(in_, at_ - 8);
  }
  std::string text() {
    const std::uint64_t size = word();
    if (!has(size)) return {};
    at_ += size;
    return in_.substr(at_ - size, size);
  }

 private:
  bool has(std::uint64_t size) {
    whole_ = whole_ && size <= in_.size() - at_;
    return whole_;
  }
  const std::string& in_;
  std::size_t at_ = 0;
  bool whole_ = true;
};

/// Nothing when the text is damaged.
std::optional<std::vector<LabelledValue>> unpack_labelled(const std::string& in) {
  std::vector<LabelledValue> labelled;
  Unpacker from(in);
  while (from.more()) {
    LabelledValue row;
    row.metric = from.word();
    row.value = std::bit_cast<double>(from.word());
    row.group = from.text();
    row.subject = from.text();
    if (row.metric >= models::metric_catalogue().size()) return std::nullopt;
    labelled.push_back(std::move(row));
  }
  return from.whole() ? std::optional(std::move(labelled)) : std::nullopt;
}

/// Raised when the tables change.
constexpr std::uint64_t kFormat = 2;

/// What every reader wants, then what is large.
constexpr const char* kColumns =
    "SELECT point, variant, seed, run_id, digest, metrics, faults, drained, events, records";
constexpr const char* kLargeColumns = ", chain, timeseries, anomalies, labelled";

StoredTrial read_row(const Statement& row, bool large, const std::string& path) {
  StoredTrial trial;
  trial.key = {row.integer(0), row.integer(1), row.integer(2)};
  trial.result.seed = trial.key.seed;
  trial.result.run_id = row.text(3);
  trial.result.digest = row.text(4);
  trial.result.metrics = unpack_metrics(row.text(5));
  const auto damaged = [&] {
    return ResultsError(path + ": the trial " + trial.result.run_id +
                        " is damaged, or was stored by another version of mqlab");
  };
  if (trial.result.metrics.size() != models::metric_catalogue().size()) throw damaged();
  const std::string faults = row.text(6);
  for (std::size_t at = 0; at + 8 <= faults.size(); at += 8)
    trial.result.outcome.faults_fired.push_back(get_word(faults, at));
  trial.result.outcome.drained = row.integer(7) != 0;
  trial.result.outcome.events = row.integer(8);
  trial.result.outcome.records = row.integer(9);
  if (large) {
    trial.result.chain = unpack_chain(row.text(10));
    trial.result.timeseries = row.text(11);
    trial.result.anomalies = row.text(12);
    auto labelled = unpack_labelled(row.text(13));
    if (!labelled) throw damaged();
    trial.result.labelled = std::move(*labelled);
  }
  return trial;
}

}  // namespace

ResultsStore::ResultsStore(const std::string& path, const std::string& identity) : path_(path) {
  open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  try {
    check_format();
    make_tables();
    const std::optional<std::string> stored = text("identity");
    if (stored && *stored != identity) {
      throw ResultsError(
          path +
          ": holds results of another scenario, sweep or version of the models; choose another --out, "
          "or replace them with --force");
    }
    if (!stored) put_text("identity", identity);
    execute("DROP TABLE IF EXISTS metrics");  // of what was finished before: see finish()
  } catch (...) {
    close();
    throw;
  }
}

ResultsStore::ResultsStore(const std::string& path) : path_(path) {
  open(SQLITE_OPEN_READWRITE);  // what was killed is rolled back first; a file that is locked is only read
  try {
    check_format();
    static_cast<void>(count());  // says so when this is no store
  } catch (...) {
    close();
    throw;
  }
}

ResultsStore::~ResultsStore() {
  close();
}

void ResultsStore::open(int flags) {
  if (sqlite3_open_v2(path_.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
    const std::string reason = db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory";
    close();
    throw ResultsError(path_ + ": " + reason);
  }
  sqlite3_busy_timeout(db_, 10'000);
}

void ResultsStore::close() {
  sqlite3_close(db_);
  db_ = nullptr;
}

void ResultsStore::check_format() {
  Statement table(db_, path_, "SELECT 1 FROM sqlite_master WHERE name = 'trials'");
  if (!table.step()) return;
  Statement format(db_, path_, "PRAGMA user_version");
  if (!format.step() || format.integer(0) != kFormat) {
    throw ResultsError(path_ +
                       ": was stored by another version of mqlab; choose another --out, or replace it with "
                       "--force");
  }
}

void ResultsStore::make_tables() {
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA synchronous = NORMAL");
  execute("BEGIN");
  execute(("PRAGMA user_version = " + std::to_string(kFormat)).c_str());
  execute("CREATE TABLE IF NOT EXISTS texts (name TEXT PRIMARY KEY, text BLOB)");
  execute(
      "CREATE TABLE IF NOT EXISTS trials (point INTEGER, variant INTEGER, seed INTEGER, run_id TEXT, "
      "digest TEXT, chain BLOB, metrics BLOB, faults BLOB, drained INTEGER, events INTEGER, records "
      "INTEGER, timeseries BLOB, anomalies BLOB, labelled BLOB, PRIMARY KEY (point, variant, seed))");
  execute("COMMIT");
}

void ResultsStore::fill_metrics() {
  execute("BEGIN");
  execute("DROP TABLE IF EXISTS metrics");
  execute(
      "CREATE TABLE metrics (run_id TEXT, metric TEXT, value REAL, PRIMARY KEY (run_id, metric)) WITHOUT "
      "ROWID");
  Statement row(db_, path_, "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?)");
  for_each(false, [&](const StoredTrial& trial) {
    for (const models::MetricInfo& m : models::metric_catalogue()) {
      const auto& value = trial.result.metrics[static_cast<std::size_t>(m.metric)];
      if (!value) continue;
      row.bind_text(1, trial.result.run_id).bind_text(2, m.name).bind(3, *value).step();
      row.reset();
    }
  });
  execute("COMMIT");
}

void ResultsStore::finish() {
  fill_metrics();
  execute("PRAGMA journal_mode = DELETE");
}

void ResultsStore::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw ResultsError(path_ + ": " + sqlite3_errmsg(db_));
  }
}

void ResultsStore::put(const StoredTrial& trial) {
  Statement row(db_, path_, "INSERT OR REPLACE INTO trials VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  const TrialResult& r = trial.result;
  row.bind(1, trial.key.point).bind(2, trial.key.variant).bind(3, trial.key.seed);
  row.bind_text(4, r.run_id)
      .bind_text(5, r.digest)
      .bind(6, pack_chain(r.chain))
      .bind(7, pack_metrics(r.metrics));
  row.bind(8, pack_words(r.outcome.faults_fired)).bind(9, std::uint64_t{r.outcome.drained ? 1u : 0u});
  row.bind(10, r.outcome.events).bind(11, r.outcome.records).bind(12, r.timeseries).bind(13, r.anomalies);
  row.bind(14, pack_labelled(r.labelled));
  row.step();
}

bool ResultsStore::has(const TrialKey& key) {
  Statement row(db_, path_, "SELECT 1 FROM trials WHERE point = ? AND variant = ? AND seed = ?");
  return row.bind(1, key.point).bind(2, key.variant).bind(3, key.seed).step();
}

std::uint64_t ResultsStore::count() {
  Statement tables(db_, path_, "SELECT 1 FROM sqlite_master");
  if (!tables.step()) return 0;  // killed before it had made its tables
  Statement row(db_, path_, "SELECT count(*) FROM trials");
  return row.step() ? row.integer(0) : 0;
}

std::optional<StoredTrial> ResultsStore::find(const TrialKey& key) {
  const std::string sql =
      std::string(kColumns) + kLargeColumns + " FROM trials WHERE point = ? AND variant = ? AND seed = ?";
  Statement row(db_, path_, sql.c_str());
  if (!row.bind(1, key.point).bind(2, key.variant).bind(3, key.seed).step()) return std::nullopt;
  return read_row(row, true, path_);
}

std::optional<StoredTrial> ResultsStore::find_run(const std::string& run_id) {
  const std::string sql =
      std::string(kColumns) + kLargeColumns + " FROM trials WHERE CAST(run_id AS TEXT) = CAST(? AS TEXT)";
  Statement row(db_, path_, sql.c_str());
  if (!row.bind(1, run_id).step()) return std::nullopt;
  return read_row(row, true, path_);
}

void ResultsStore::for_each(bool large, const std::function<void(const StoredTrial&)>& visit) {
  const std::string sql =
      std::string(kColumns) + (large ? kLargeColumns : "") + " FROM trials ORDER BY point, variant, seed";
  Statement row(db_, path_, sql.c_str());
  while (row.step()) visit(read_row(row, large, path_));
}

void ResultsStore::put_text(const std::string& name, const std::string& text) {
  Statement row(db_, path_, "INSERT OR REPLACE INTO texts VALUES (CAST(? AS TEXT), ?)");
  row.bind(1, name).bind(2, text).step();
}

std::optional<std::string> ResultsStore::text(const std::string& name) {
  Statement row(db_, path_, "SELECT text FROM texts WHERE name = CAST(? AS TEXT)");
  if (!row.bind(1, name).step()) return std::nullopt;
  return row.text(0);
}

std::string store_path(const std::string& folder) {
  return folder + "/results.sqlite";
}

void remove_store(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) remove_file(path + suffix);
}

}  // namespace experiments
