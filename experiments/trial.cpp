#include "experiments/trial.hpp"

#include <fmt/format.h>

#include "experiments/errors.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/results/csv.hpp"
#include "models/metrics/observers.hpp"
#include "sim/assert.hpp"

namespace experiments {
namespace {

std::string name_of(const models::Entities& entities, models::EntityId id) {
  return entities[id].name;
}

std::string series_rows(const models::Observers& observers, const models::Entities& entities,
                        const std::string& id, bool all) {
  std::string rows;
  for (const models::Sample& s : observers.samples()) {
    const bool partition = entities[s.subject].kind == models::EntityKind::partition;
    if (partition && !all) continue;
    std::string subject = name_of(entities, s.subject);
    if (partition && s.group.value != 0) subject = name_of(entities, s.group) + ":" + subject;
    CsvRow(rows)
        .text(id)
        .number(sim::seconds(s.time))
        .text(models::series_catalogue()[static_cast<std::size_t>(s.series)].name)
        .text(subject)
        .number(s.value)
        .end();
  }
  return rows;
}

std::string anomaly_rows(const models::Observers& observers, const models::Entities& entities,
                         const std::string& id) {
  std::string rows;
  for (const models::Anomaly& a : observers.anomalies().rows()) {
    const models::Lane lane = entities.lanes()[a.lane.value];
    CsvRow row(rows);
    row.text(id)
        .number(sim::seconds(a.time))
        .text(models::verdict_name(a.verdict))
        .text(name_of(entities, a.place));
    row.text(name_of(entities, a.other)).text(name_of(entities, lane.producer));
    a.first_seq < 0 ? row.empty() : row.integer(a.first_seq);
    a.offset < 0 ? row.empty() : row.integer(a.offset);
    row.integer(a.count).integer(static_cast<std::int64_t>(a.record)).end();
  }
  return rows;
}

std::vector<LabelledValue> labelled_values(const models::Observers& observers,
                                           const models::Entities& entities) {
  std::vector<LabelledValue> out;
  for (const models::Labelled& row : observers.labelled()) {
    const models::Entity& subject = entities[row.subject];
    LabelledValue value{static_cast<std::size_t>(row.metric), name_of(entities, row.group), subject.name,
                        row.value};
    if (subject.kind == models::EntityKind::group) {
      value.group = subject.name;
      value.subject.clear();
    } else if (subject.kind == models::EntityKind::member) {
      value.group = name_of(entities, subject.parent);
    }
    out.push_back(std::move(value));
  }
  return out;
}

/// trace.csv as it comes.
class TraceWriter final : public sim::TraceSink {
 public:
  TraceWriter(std::string& out, const models::Entities& entities) : out_(out), entities_(entities) {
    out_ = kTraceHeader;
  }
  void consume(const sim::TraceBlock& block) override {
    for (std::size_t i = 0; i < block.records.size(); ++i)
      write(block, block.records[i], block.first + i, block.causes[i]);
  }
  bool wants_causes() const override { return true; }

 private:
  void write(const sim::TraceBlock& block, const sim::TraceRecord& r, sim::RecordNumber number,
             sim::RecordNumber cause) {
    std::string payload;
    for (const std::int64_t word : block.payload(r))
      payload += (payload.empty() ? "" : " ") + std::to_string(word);
    CsvRow(out_)
        .integer(static_cast<std::int64_t>(number))
        .number(sim::seconds(r.time))
        .text(models::kind_name(r.kind))
        .integer(r.code)
        .text(entities_[r.actor].name)
        .text(r.place < entities_.all().size() ? entities_[r.place].name : std::to_string(r.place))
        .text(peer(r))
        .integer(r.a)
        .integer(r.b)
        .integer(r.c)
        .text(payload)
        .text(cause == 0 ? "" : std::to_string(cause))
        .end();
  }
  /// The peer is a lane for what producers do, and for facts; else an entity.
  std::string peer(const sim::TraceRecord& r) const {
    const auto kind = static_cast<models::Kind>(r.kind);
    const bool lane = kind == models::Kind::offered || kind == models::Kind::acknowledged ||
                      kind == models::Kind::failed || kind == models::Kind::resent ||
                      kind == models::Kind::stored || kind == models::Kind::refused ||
                      kind == models::Kind::fact || kind == models::Kind::published ||
                      kind == models::Kind::applied || kind == models::Kind::viewed;
    return lane ? "lane " + std::to_string(r.peer) : entities_[r.peer].name;
  }
  std::string& out_;
  const models::Entities& entities_;
};

/// Ends a run when the user asks to stop, at the next block of its trace.
class StopSink final : public sim::TraceSink {
 public:
  void consume(const sim::TraceBlock&) override {
    if (interrupted.load(std::memory_order_relaxed)) throw Interrupted();
  }
};

/// Where a run stood when it failed.
std::string account(models::World& world, const std::string& run, std::uint64_t seed, const char* what) {
  const sim::Simulation& at = world.simulation();
  return fmt::format("{}\nin run {}: seed {}, at {} s, sequence {}, after {} events", what, run, seed,
                     sim::seconds(at.now()), at.next_sequence(), at.events_executed());
}

}  // namespace

TrialResult run_trial(const Resolved& resolved, std::uint64_t seed, const TrialOptions& options) {
  models::World world(resolved.scenario, seed, options.world);
  models::Observers observers({.warmup = resolved.scenario.warmup,
                               .sample = resolved.scenario.sample,
                               .entities = &world.entities(),
                               .alerts = resolved.scenario.alerts ? &*resolved.scenario.alerts : nullptr});
  world.trace().add_sink(observers);
  std::optional<TraceWriter> writer;
  if (options.trace_csv != nullptr)
    world.trace().add_sink(writer.emplace(*options.trace_csv, world.entities()));
  for (TrialWatcher* const watcher : options.watchers) {
    watcher->attach(world.entities());
    world.trace().add_sink(*watcher);
  }
  StopSink stop;
  world.trace().add_sink(stop);
  TrialResult result;
  result.run_id = run_id(resolved, seed);
  result.seed = seed;
  try {
    result.outcome = world.run();
  } catch (const sim::AssertionError& error) {
    throw TrialError(account(world, result.run_id, seed,
                             ("a fault of mqlab itself: " + std::string(error.what())).c_str()));
  } catch (const sim::LivelockError& error) {
    throw TrialError(account(world, result.run_id, seed, error.what()));
  }
  result.digest = world.trace().digest();
  result.chain = world.trace().chain();
  result.metrics = observers.values().all();
  result.labelled = labelled_values(observers, world.entities());
  result.timeseries = series_rows(observers, world.entities(), result.run_id, options.all_series);
  result.anomalies = anomaly_rows(observers, world.entities(), result.run_id);
  return result;
}

}  // namespace experiments
