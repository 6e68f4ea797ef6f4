// What most tests of SQS's world begin with: "shop" sends to the queue "jobs", the group "workers" receives from it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/metrics/observers.hpp"
#include "models/scenario.hpp"
#include "models/sqs/service.hpp"
#include "models/trace_kinds.hpp"
#include "models/world.hpp"

namespace sqs_test {

/// At that rate, so many.
inline models::Scenario desk(std::uint64_t messages = 100, double rate = 100) {
  models::Scenario s;
  s.name = "desk";
  s.duration = std::chrono::seconds{10};
  s.sqs.emplace().queues.push_back({"jobs"});
  models::ProducerOptions shop;
  shop.name = "shop";
  shop.cluster = "sqs";
  shop.to = "jobs";
  shop.arrivals = sim::ArrivalProcess::constant(rate);
  shop.messages = messages;
  shop.sqs.requests = 100;
  s.producers.push_back(std::move(shop));
  models::GroupOptions workers;
  workers.name = "workers";
  workers.cluster = "sqs";
  workers.sqs.queue = "jobs";
  workers.sqs.wait = std::chrono::seconds{20};
  s.groups.push_back(std::move(workers));
  return s;
}

/// The same with a FIFO queue, whose groups are the messages' keys.
inline models::Scenario fifo_desk(std::uint64_t messages = 100, double rate = 100, std::uint32_t keys = 10) {
  models::Scenario s = desk(messages, rate);
  s.sqs->queues[0].name = "jobs.fifo";
  s.sqs->queues[0].fifo = true;
  s.sqs->queues[0].content_based_deduplication = true;
  s.producers[0].to = "jobs.fifo";
  s.producers[0].keys.rank = sim::Distribution::uniform(0, keys);
  s.producers[0].keys.count = keys;
  s.groups[0].sqs.queue = "jobs.fifo";
  return s;
}

/// Records of a run, but for their payloads.
class Records final : public sim::TraceSink {
 public:
  void consume(const sim::TraceBlock& block) override {
    all.insert(all.end(), block.records.begin(), block.records.end());
  }
  void finish(sim::Time) override {}
  std::vector<sim::TraceRecord> of(models::Kind kind) const {
    std::vector<sim::TraceRecord> out;
    for (const sim::TraceRecord& r : all) {
      if (r.kind == static_cast<std::uint16_t>(kind)) out.push_back(r);
    }
    return out;
  }
  std::int64_t count(models::Kind kind) const {
    std::int64_t sum = 0;
    for (const sim::TraceRecord& r : of(kind)) sum += r.b;
    return sum;
  }
  std::vector<sim::TraceRecord> all;
};

struct Run {
  explicit Run(const models::Scenario& scenario, std::uint64_t seed = 1, std::vector<models::Look> looks = {})
      : world(scenario, seed, {.checked = true, .looks = std::move(looks)}) {
    world.trace().add_sink(records);
    world.trace().add_sink(observers);
    outcome = world.run();
  }
  double value(models::Metric metric) const { return observers.values()[metric].value_or(-1); }
  sim::Time first(models::Kind kind) const {
    const auto found = records.of(kind);
    return found.empty() ? sim::kNever : found.front().time;
  }
  models::World world;
  Records records;
  models::Observers observers;
  models::RunOutcome outcome;
};

inline models::FaultSpec fault(std::string kind, std::string target, sim::Duration at,
                               std::optional<sim::Duration> length) {
  models::FaultSpec f;
  f.kind = std::move(kind);
  f.target = std::move(target);
  f.at = at;
  f.duration = length;
  return f;
}

inline models::FaultSpec fault_when(std::string kind, std::string target, models::Step step, std::int64_t nth,
                                    std::optional<sim::Duration> length = {}) {
  models::FaultSpec f = fault(std::move(kind), std::move(target), {}, length);
  f.at.reset();
  f.when = models::FaultSpec::When{step, nth, ""};
  return f;
}

}  // namespace sqs_test
