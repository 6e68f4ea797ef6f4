#include "experiments/scenario/flow_coherence.hpp"

#include <algorithm>

#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"

namespace experiments {
namespace {

using models::GroupOptions;
using models::HandOff;
using models::Scenario;

/// There is none of that name.
template <class Named>
Misfit no_such(const std::string& path, const char* what, const std::string& name,
               const std::vector<Named>& all) {
  std::vector<std::string_view> names;
  for (const Named& one : all) names.push_back(one.name);
  return {path, "there is no " + std::string(what) + " '" + name + "'" + hint(name, names)};
}

bool given(const Value& checked, const std::string& path) {
  return look_up(checked, Path::parse(path, checked.place)) != nullptr;
}

FoundMisfit hand_off(const std::string& path, const GroupOptions& g) {
  if (g.commit == models::CommitMode::completed && !g.hand_off)
    return Misfit{path + ".commit", "of what is completed is for work that is handed to threads: hand_off"};
  if (g.calls && !g.hand_off)
    return Misfit{path + ".calls", "are made by threads that work is handed to: hand_off = { threads = 1 }"};
  if (!g.hand_off) return {};
  const HandOff& h = *g.hand_off;
  if (h.overflow != HandOff::Overflow::pause && h.buffer == 0)
    return Misfit{path + ".hand_off.overflow", "needs a `buffer`: without a bound nothing overflows"};
  if (h.overflow != HandOff::Overflow::pause && h.order != HandOff::Order::none)
    return Misfit{path + ".hand_off.order", "is not modelled of a buffer that lets records go"};
  if (h.overflow == HandOff::Overflow::pause && h.buffer > 0 &&
      h.buffer < static_cast<std::uint32_t>(g.config.max_poll_records))
    return Misfit{path + ".hand_off.buffer", "is smaller than max.poll.records: no poll would fit into it"};
  const bool lanes = g.calls || h.order != HandOff::Order::none || h.buffer > 0;
  if (lanes && g.commit == models::CommitMode::stored)
    return Misfit{path + ".commit",
                  "of stored offsets is modelled of threads without lanes, calls and buffer"};
  return {};
}

FoundMisfit any_calls(const std::string& path, const GroupOptions& g, const Scenario& s) {
  const models::CallOptions& c = *g.calls;
  const auto to = std::find_if(s.dependencies.begin(), s.dependencies.end(),
                               [&](const auto& d) { return d.name == c.to; });
  if (to == s.dependencies.end()) return no_such(path + ".calls.to", "dependency", c.to, s.dependencies);
  if (c.attempts != 1 && c.backoff.count() <= 0 && to->latency.count() <= 0)
    return Misfit{path + ".calls.backoff",
                  "must be above 0 where a call takes no time (dependencies.latency): it would be tried "
                  "again without end at "
                  "one instant"};
  if (c.breaker && c.breaker->failure_rate <= 0)
    return Misfit{path + ".calls.breaker.failure_rate", "must be above 0"};
  if (c.timeout.count() <= 0) return Misfit{path + ".calls.timeout", "must be above 0"};
  if (c.breaker && c.breaker->open.count() <= 0)
    return Misfit{path + ".calls.breaker.open", "must be above 0"};
  return {};
}

FoundMisfit calls(const std::string& path, const GroupOptions& g, const Scenario& s) {
  if (!g.calls) return {};
  if (FoundMisfit wrong = any_calls(path, g, s)) return wrong;
  const models::CallOptions& c = *g.calls;
  if (c.then != models::PoisonOptions::Then::skip)
    return Misfit{path + ".calls.then", "is for groups that read queues: a log has calls.dead_letters"};
  if (c.attempts == 0 && !c.dead_letters.empty())
    return Misfit{path + ".calls.dead_letters", "would never get any: attempts = 0 tries for ever"};
  const models::kafka::ClusterOptions* cluster = &*s.kafka;
  for (const auto& other : s.clusters) cluster = other.name == g.cluster ? &other : cluster;
  const bool there = std::any_of(cluster->topics.begin(), cluster->topics.end(),
                                 [&](const auto& t) { return t.name == c.dead_letters; });
  if (!c.dead_letters.empty() && !there)
    return no_such(path + ".calls.dead_letters", "topic", c.dead_letters, cluster->topics);
  return {};
}

FoundMisfit fencing(const std::string& path, const GroupOptions& g) {
  if (!g.effect || !g.effect->fencing_token) return {};
  const bool two = g.effect->processed_ids == models::ProcessedIds::after_effect ||
                   g.effect->processed_ids == models::ProcessedIds::before_effect;
  if (g.type == models::GroupType::share || two || g.commit == models::CommitMode::with_effect)
    return Misfit{
        path + ".effect.fencing_token",
        "is not modelled of share groups, of a second transaction, and of offsets that are stored with "
        "the effect"};
  return {};
}

bool is_group(const Scenario& s, const std::string& name) {
  return std::any_of(s.groups.begin(), s.groups.end(), [&](const GroupOptions& g) { return g.name == name; });
}

FoundMisfit admission(const std::string& path, const models::ProducerOptions& p, const Scenario& s,
                      const Value& checked) {
  if (!p.admission) return {};
  const models::AdmissionOptions& a = *p.admission;
  const std::string at = path + ".admission";
  if (!p.arrivals) return Misfit{at, "is for messages that arise by themselves: a closed loop waits"};
  if (p.resend || p.transactions)
    return Misfit{at, "is not modelled of producers that resend, or of transactions"};
  if (p.failover) return Misfit{at, "is not modelled of producers with a failover"};
  if (a.rate <= 0 && given(checked, at + ".burst"))
    return Misfit{at + ".burst", "needs a `rate`: without one every message is let in"};
  if (!a.shed) return {};
  const auto group =
      std::find_if(s.groups.begin(), s.groups.end(), [&](const auto& g) { return g.name == a.shed->group; });
  if (group == s.groups.end()) return no_such(at + ".shed.group", "group", a.shed->group, s.groups);
  if (group->cluster != p.cluster || group->type == models::GroupType::share)
    return Misfit{at + ".shed.group", "must be a consumer group of the producer's own cluster"};
  if (a.shed->below > a.shed->above) return Misfit{at + ".shed.below", "must be no higher than `above`"};
  if (a.shed->every.count() <= 0) return Misfit{at + ".shed.every", "must be above 0"};
  return {};
}

FoundMisfit autoscale(const std::string& path, const GroupOptions& g, const Scenario& s) {
  if (!g.autoscale) return {};
  const std::string at = path + ".autoscale";
  if (g.type == models::GroupType::share || g.failover || g.streams)
    return Misfit{at, "is not modelled of share groups, Streams and groups with a failover"};
  if (g.autoscale->min > g.members) return Misfit{at + ".min", "is more than there are members"};
  if (g.autoscale->every.count() <= 0) return Misfit{at + ".every", "must be above 0"};
  for (const models::FaultSpec& fault : s.faults) {
    const bool starts =
        fault.kind == "join" || fault.kind == "leave" || fault.kind == "restart" || fault.kind == "rolling";
    if (starts && fault.target.substr(0, g.name.size() + 1) == g.name + "/")
      return Misfit{at,
                    "decides who takes part: it does not go with faults \"join\", \"leave\", \"restart\" and "
                    "\"rolling\""};
  }
  return {};
}

FoundMisfit alerts(const Scenario& s, const Value& checked) {
  if (!s.alerts) return {};
  if (!is_group(s, s.alerts->group)) return no_such("alerts.group", "group", s.alerts->group, s.groups);
  if (!s.alerts->records && !s.alerts->age && !s.alerts->growth)
    return Misfit{"alerts", "has no rule: `records`, `age` or `growth` is one"};
  if (!s.alerts->growth && given(checked, "alerts.window"))
    return Misfit{"alerts.window", "is what growth is taken over: it needs `growth`"};
  if (s.alerts->window < s.sample)
    return Misfit{"alerts.window", "is shorter than scenario.sample: nothing could be seen to grow"};
  return {};
}

}  // namespace

FoundMisfit queue_calls_misfit(const std::string& path, const GroupOptions& group, const Scenario& scenario,
                               bool rejects) {
  if (!group.calls) return {};
  if (FoundMisfit wrong = any_calls(path, group, scenario)) return wrong;
  if (!group.calls->dead_letters.empty())
    return Misfit{path + ".calls.dead_letters", "is a topic of Kafka: a queue sends its dead letters itself"};
  if (!rejects && group.calls->then == models::PoisonOptions::Then::reject)
    return Misfit{path + ".calls.then", "SQS has no reject: \"release\", and maxReceiveCount ends it"};
  if (group.calls->attempts == 0 && group.calls->then != models::PoisonOptions::Then::skip)
    return Misfit{path + ".calls.then", "would never happen: attempts = 0 tries for ever"};
  return {};
}

FoundMisfit flow_misfit(const Scenario& s, const Value& checked) {
  for (const models::ProducerOptions& p : s.producers) {
    if (FoundMisfit wrong = admission(join_path("producers", p.name), p, s, checked)) return wrong;
  }
  for (const GroupOptions& g : s.groups) {
    const std::string path = join_path("groups", g.name);
    for (const FoundMisfit& wrong :
         {hand_off(path, g), calls(path, g, s), autoscale(path, g, s), fencing(path, g)}) {
      if (wrong) return wrong;
    }
  }
  return alerts(s, checked);
}

}  // namespace experiments
