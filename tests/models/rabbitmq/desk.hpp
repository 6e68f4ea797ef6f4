// What most tests of RabbitMQ's world begin with: "shop" publishes to the queue "jobs", the group "workers" reads it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/metrics/observers.hpp"
#include "models/scenario.hpp"
#include "models/trace_kinds.hpp"
#include "models/world.hpp"

namespace rabbitmq_test {

/// One message each `every`, from that on, so many.
inline models::Scenario desk(std::uint64_t messages = 100, double rate = 100) {
  models::Scenario s;
  s.name = "desk";
  s.duration = std::chrono::seconds{10};
  s.rabbitmq.emplace().queues.push_back({"jobs"});
  models::ProducerOptions shop;
  shop.name = "shop";
  shop.cluster = "rabbitmq";
  shop.to = "jobs";
  shop.arrivals = sim::ArrivalProcess::constant(rate);
  shop.messages = messages;
  shop.rabbitmq.confirms = 1000;
  s.producers.push_back(std::move(shop));
  models::GroupOptions workers;
  workers.name = "workers";
  workers.cluster = "rabbitmq";
  workers.rabbitmq.queues = {"jobs"};
  workers.rabbitmq.prefetch = 10;
  s.groups.push_back(std::move(workers));
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
  std::vector<sim::TraceRecord> all;
};

struct Run {
  explicit Run(const models::Scenario& scenario, std::uint64_t seed = 1) : world(scenario, seed) {
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

/// One metric of a long run, of which no records are kept.
inline double measured(const models::Scenario& scenario, models::Metric metric) {
  models::World world(scenario, 1);
  models::Observers observers({.warmup = scenario.warmup});
  world.trace().add_sink(observers);
  world.run();
  return observers.values()[metric].value_or(-1);
}

inline models::FaultSpec fault(std::string kind, std::string target, sim::Duration at,
                               std::optional<sim::Duration> length) {
  models::FaultSpec f;
  f.kind = std::move(kind);
  f.target = std::move(target);
  f.at = at;
  f.duration = length;
  return f;
}

}  // namespace rabbitmq_test
