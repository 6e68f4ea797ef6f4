#include "experiments/scenario/poison_table.hpp"

#include <algorithm>

#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::GroupOptions;
using models::Scenario;
using Then = models::PoisonOptions::Then;

bool hands_on(const GroupOptions& group) {
  return group.poison && group.poison->then == Then::hand_on;
}

bool reads(const GroupOptions& group, const std::string& topic) {
  return std::find(group.topics.begin(), group.topics.end(), topic) != group.topics.end();
}

const models::kafka::TopicOptions* find_topic(const Scenario& s, const std::string& name) {
  const auto& topics = s.kafka->topics;
  const auto at =
      std::find_if(topics.begin(), topics.end(), [&name](const auto& t) { return t.name == name; });
  return at == topics.end() ? nullptr : &*at;
}

FoundMisfit target_misfit(const Scenario& s, const GroupOptions& g, const std::string& path) {
  const std::string& to = g.poison->to;
  if (to.empty()) return Misfit{path + ".poison.to", "is missing: the topic that records are handed on to"};
  const models::kafka::TopicOptions* const target = find_topic(s, to);
  if (target == nullptr) return Misfit{path + ".poison.to", "there is no topic '" + to + "'"};
  if (g.topics.size() != 1) return Misfit{path + ".topics", "is one topic where records are handed on"};
  const models::kafka::TopicOptions* const source = find_topic(s, g.topics.front());
  if (source == nullptr || source->partitions != target->partitions)
    return Misfit{path + ".poison.to", "must have as many partitions as '" + g.topics.front() +
                                           "': a record goes to that of the same number"};
  for (const auto& producer : s.producers) {
    if (producer.to == to) return Misfit{path + ".poison.to", "is what '" + producer.name + "' sends to"};
  }
  for (const models::FaultSpec& fault : s.faults) {
    const bool other = fault.kind == "grow" || fault.kind == "create-topic";
    if (other && (fault.target == to || fault.target == g.topics.front()))
      return Misfit{path + ".poison.to",
                    "has the partitions of the start, as '" + g.topics.front() + "' has"};
  }
  for (const GroupOptions& other : s.groups) {
    if (hands_on(other) && &other != &g && other.poison->to == to)
      return Misfit{path + ".poison.to", "is what '" + other.name + "' hands on to as well"};
    if (reads(other, to) && other.part_of != g.name)
      return Misfit{
          join_path("groups", other.name) + ".topics",
          "'" + to + "' is read by groups that are part of '" + g.name + "' alone: `part_of` says so"};
  }
  return {};
}

}  // namespace

const Section& poison_section() {
  static const Section section = [] {
    Section s{
        "messages that the application cannot process",
        {{"share", KeyType::share, "of all messages, beside those that cannot be read (schema)", "0"},
         {"failures", KeyType::integer, "so often, then it succeeds; 0: always", "0", false, 0, 1e6},
         {"retries", KeyType::integer, "in place, before anything else; -1: for ever", "0", false, -1, 1e6},
         {"backoff", KeyType::duration, "before each retry", "\"1s\""},
         {"restart", KeyType::duration, "from a crash to the next start", "\"5s\""},
         {"to", KeyType::name, "of retry-topic and dead-letter: the topic"}}};
    s.keys.push_back(
        choice_key("then",
                   "after the last: leave it out, die, or write it to another topic, from which it is tried "
                   "again or not; of share groups and queues: give it back, or refuse it",
                   "\"skip\"", {"skip", "crash", "release", "reject", "retry-topic", "dead-letter"}));
    return s;
  }();
  return section;
}

models::PoisonOptions bind_poison(const Value& v) {
  models::PoisonOptions poison;
  if (const Value* n = v.find("share")) poison.share = n->number;
  if (const Value* n = v.find("failures")) poison.failures = whole<std::uint32_t>(*n);
  if (const Value* n = v.find("retries")) poison.retries = whole<std::int32_t>(*n);
  if (const Value* d = v.find("backoff")) poison.backoff = parse_duration(d->text);
  if (const Value* d = v.find("restart")) poison.restart = parse_duration(d->text);
  if (const Value* t = v.find("to")) poison.to = t->text;
  const Value* const then = v.find("then");
  if (then != nullptr) {
    if (then->text == "crash") poison.then = Then::crash;
    if (then->text == "release") poison.then = Then::release;
    if (then->text == "reject") poison.then = Then::reject;
    if (then->text == "retry-topic" || then->text == "dead-letter") poison.then = Then::hand_on;
    poison.dead_letter = then->text == "dead-letter";
  }
  return poison;
}

FoundMisfit retry_misfit(const Scenario& s) {
  for (const GroupOptions& g : s.groups) {
    const std::string path = join_path("groups", g.name);
    if (hands_on(g)) {
      if (g.type == models::GroupType::share)
        return Misfit{path + ".poison.then", "is not modelled of share groups: they reject it"};
      if (g.streams || g.failover || g.schema || g.cluster != "kafka")
        return Misfit{path + ".poison.then", "of this kind is for plain groups of [kafka]"};
      if (FoundMisfit wrong = target_misfit(s, g, path)) return wrong;
    } else if (g.poison && !g.poison->to.empty()) {
      return Misfit{path + ".poison.to", "goes with then = \"retry-topic\" or \"dead-letter\""};
    }
    if (g.delay < sim::Duration{}) return Misfit{path + ".delay", "is negative"};
    if (g.delay > sim::Duration{} && (g.type == models::GroupType::share || g.hand_off))
      return Misfit{path + ".delay", "is for groups whose one thread waits"};
    if (g.part_of.empty()) continue;
    const auto whole = std::find_if(s.groups.begin(), s.groups.end(),
                                    [&g](const GroupOptions& other) { return other.name == g.part_of; });
    if (whole == s.groups.end() || &*whole >= &g)
      return Misfit{path + ".part_of", "there is no group '" + g.part_of + "' before it"};
    if (g.type == models::GroupType::share)
      return Misfit{path + ".part_of", "is not modelled of share groups"};
    if (!hands_on(*whole) || g.topics.size() != 1 || g.topics.front() != whole->poison->to)
      return Misfit{path + ".topics", "is what '" + whole->name + "' hands on to (poison.to)"};
    if (g.poison && (g.poison->share > 0 || g.poison->failures > 0))
      return Misfit{path + ".poison", "share and failures are those of '" + whole->name + "'"};
  }
  return {};
}

}  // namespace experiments
