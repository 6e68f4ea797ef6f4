#include "experiments/scenario/rabbitmq_coherence.hpp"

#include <algorithm>
#include <set>

#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/rabbitmq_policies.hpp"
#include "models/broker_system.hpp"

namespace experiments {
namespace {

using models::GroupOptions;
using models::PoisonOptions;
using models::ProducerOptions;
using models::Scenario;
using models::Step;

bool of_rabbitmq(const std::string& cluster) {
  return cluster == models::kRabbitMq;
}

/// The first of these keys that the table has.
FoundMisfit not_modelled(const Value& tables, const std::string& name, const std::string& path,
                         std::initializer_list<std::string_view> keys) {
  for (const Value& table : tables.items) {
    const Value* const own = table.find("name");
    if (own == nullptr || own->text != name) continue;
    for (const std::string_view key : keys) {
      if (table.find(key) != nullptr)
        return Misfit{path + "." + std::string(key), "is not modelled of RabbitMQ's clients"};
    }
  }
  return std::nullopt;
}

FoundMisfit producer(const Value& checked, const ProducerOptions& p) {
  const std::string path = join_path("producers", p.name);
  if (FoundMisfit wrong =
          not_modelled(*checked.find("producers"), p.name, path,
                       {"transactions", "admission", "schema", "failover", "tombstones", "clock_ahead",
                        "clock_behind", "resend_after_restart", "same_keys_as", "host"}))
    return wrong;
  if (p.resend && p.rabbitmq.confirms == 0)
    return Misfit{path + ".resend", "needs rabbitmq.confirms: without confirms nobody learns of a failure"};
  if (p.rabbitmq.connection.recovery_interval <= sim::Duration{})
    return Misfit{path + ".rabbitmq.recovery_interval", "must be above 0"};
  return std::nullopt;
}

FoundMisfit subscriber(const Scenario& s, const GroupOptions& g, const std::string& path) {
  const models::rabbitmq::SubscriberOptions& r = g.rabbitmq;
  // rabbit_channel.erl: global_qos is denied by default
  if (r.prefetch_global > 0 && s.rabbitmq->version >= "4.3")
    return Misfit{path + ".prefetch_global",
                  "is refused since 4.3 (NOT_IMPLEMENTED, global_qos is deprecated)"};
  if (r.prefetch_global > 0 && s.rabbitmq->nodes > 1)
    return Misfit{path + ".prefetch_global",
                  "is modelled of a single node: queues of others do not ask this one's channels"};
  if (r.automatic_ack && (r.messages_per_ack > 1 || r.nack_multiple))
    return Misfit{path + (r.nack_multiple ? ".nack_multiple" : ".messages_per_ack"),
                  "needs ack = \"manual\""};
  if (r.prefetch > 0 && r.messages_per_ack > r.prefetch && r.ack_timeout == sim::Duration{})
    return Misfit{path + ".messages_per_ack",
                  "is above the prefetch, and without ack_timeout nothing would ever come again"};
  if (!r.same_connection_as.empty() &&
      std::none_of(s.producers.begin(), s.producers.end(), [&r](const ProducerOptions& p) {
        return of_rabbitmq(p.cluster) && p.name == r.same_connection_as;
      }))
    return Misfit{path + ".same_connection_as",
                  "there is no producer '" + r.same_connection_as + "' of RabbitMQ"};
  for (const std::string& name : r.queues) {
    for (const models::rabbitmq::QueueOptions& q : s.rabbitmq->queues) {
      if (q.name != name) continue;
      if (q.exclusive && g.members > 1)
        return Misfit{path + ".queues", "'" + name + "' is exclusive, and the group has " +
                                            std::to_string(g.members) +
                                            " members: RESOURCE_LOCKED for all but one"};
      if (r.prefetch_global > 0 && q.arguments.type != models::rabbitmq::QueueType::classic)
        return Misfit{path + ".prefetch_global", "is refused by '" + name + "', which is no classic queue"};
    }
  }
  return std::nullopt;
}

FoundMisfit group(const Value& checked, const Scenario& s, const GroupOptions& g) {
  const std::string path = join_path("groups", g.name);
  if (FoundMisfit wrong = not_modelled(*checked.find("groups"), g.name, path,
                                       {"type", "hand_off", "calls", "transform", "streams", "schema",
                                        "autoscale", "materialise", "renew", "failover", "part_of", "delay"}))
    return wrong;
  if (g.rabbitmq.queues.empty())
    return Misfit{path, "needs `rabbitmq` with the queues that it consumes from"};
  if (FoundMisfit wrong = subscriber(s, g, path + ".rabbitmq")) return wrong;
  const std::set<std::string> queues(g.rabbitmq.queues.begin(), g.rabbitmq.queues.end());
  if (queues.size() != g.rabbitmq.queues.size())
    return Misfit{path + ".rabbitmq.queues", "names a queue twice"};
  if (g.effect && g.effect->fencing_token)
    return Misfit{path + ".effect.fencing_token",
                  "is the generation of a consumer group: a queue's consumers have none"};
  if (g.effect && (g.effect->processed_ids == models::ProcessedIds::before_effect ||
                   g.effect->processed_ids == models::ProcessedIds::after_effect))
    return Misfit{path + ".effect.processed_ids",
                  "in a transaction of its own is not modelled of RabbitMQ's clients"};
  using Then = PoisonOptions::Then;
  if (g.poison && (g.poison->then == Then::hand_on || !g.poison->to.empty()))
    return Misfit{path + (g.poison->then == Then::hand_on ? ".poison.then" : ".poison.to"),
                  "writes to a topic of Kafka: a queue has x-dead-letter-exchange, and then = \"reject\" "
                  "sends there"};
  if (g.poison && g.rabbitmq.automatic_ack &&
      (g.poison->then == Then::release || g.poison->then == Then::reject))
    return Misfit{path + ".poison.then",
                  "needs rabbitmq.ack = \"manual\": what is settled cannot be given back"};
  if (g.start >= s.duration) return Misfit{path + ".start", "is not before the end of the run's duration"};
  if (g.rabbitmq.connection.recovery_interval <= sim::Duration{})
    return Misfit{path + ".rabbitmq.recovery_interval", "must be above 0"};
  return std::nullopt;
}

/// A node that the cluster does not have.
FoundMisfit no_such_node(const Scenario& s, const std::string& path,
                         const std::vector<std::uint16_t>& nodes) {
  for (const std::uint16_t node : nodes) {
    if (node >= s.rabbitmq->nodes)
      return Misfit{path, "names node " + std::to_string(node) + ": there are " +
                              std::to_string(s.rabbitmq->nodes) + ", counted from 0"};
  }
  return std::nullopt;
}

FoundMisfit queue(const Scenario& s, const models::rabbitmq::QueueOptions& q) {
  if (FoundMisfit wrong = no_such_node(s, join_path("rabbitmq.queues", q.name) + ".node", {q.node}))
    return wrong;
  const std::string path = join_path("rabbitmq.queues", q.name) + ".arguments";
  const models::rabbitmq::QueueArguments& a = q.arguments;
  // rabbit_queue_type_util / rabbit_amqqueue: check_dlxrk_arg, routing_key_but_no_dlx_defined
  if (a.dead_letter_routing_key && !a.dead_letter_exchange)
    return Misfit{path + ".x-dead-letter-routing-key", "needs x-dead-letter-exchange: PRECONDITION_FAILED"};
  const bool bounded = a.max_length || a.max_length_bytes;
  const bool policies = !s.rabbitmq->policies.empty() || !s.rabbitmq->operator_policies.empty();
  if (a.overflow != models::rabbitmq::Overflow::drop_head && !bounded && !policies)
    return Misfit{path + ".x-overflow", "has no effect without x-max-length or x-max-length-bytes"};
  return std::nullopt;
}

/// A fault that RabbitMQ's nodes or clients do not know, or a step that never happens there.
FoundMisfit fault(const Scenario& s, const models::FaultSpec& f, std::size_t index) {
  const std::string path = f.name.empty() ? "faults." + std::to_string(index) : join_path("faults", f.name);
  const auto owner = [](const std::string& node) { return node.substr(0, node.find('/')); };
  const auto producer_of = [&](const std::string& node) {
    return std::any_of(s.producers.begin(), s.producers.end(),
                       [&](const auto& p) { return of_rabbitmq(p.cluster) && p.name == owner(node); });
  };
  const auto group_of = [&](const std::string& node) {
    const auto at = std::find_if(s.groups.begin(), s.groups.end(), [&](const auto& g) {
      return of_rabbitmq(g.cluster) && g.name == owner(node);
    });
    return at == s.groups.end() ? nullptr : &*at;
  };
  const bool broker = owner(f.target) == models::kRabbitMq;
  static const std::set<std::string> kOfKafka{"power-loss", "disk-loss", "disk-slow", "disk-stall",
                                              "disk-full",  "restart",   "rolling"};
  if ((broker || producer_of(f.target) || group_of(f.target) != nullptr) && kOfKafka.count(f.kind) > 0)
    return Misfit{path + ".kind",
                  "'" + f.kind + "' is not modelled of RabbitMQ and its clients: crash and pause are"};
  if (broker && f.kind == "heartbeat-loss")
    return Misfit{path + ".target",
                  "is the broker: heartbeats of its clients get lost, a member's or a producer's"};
  if (!f.when) return std::nullopt;
  const std::string& subject = f.when->subject.empty() ? f.target : f.when->subject;
  const GroupOptions* const g = group_of(subject);
  const auto never = [&](const std::string& why) {
    return Misfit{path + ".when.step", "never happens at '" + subject + "': " + why};
  };
  const Step step = f.when->step;
  if (owner(subject) == models::kRabbitMq && step != Step::appended) return never("a queue's broker appends");
  if (producer_of(subject) && step != Step::acknowledged && step != Step::heartbeat_sent)
    return never("a producer is acknowledged, and sends heartbeats");
  if (g == nullptr) return std::nullopt;
  if (step == Step::effect_applied && !g->effect) return never("the group '" + g->name + "' has no `effect`");
  if (step == Step::commit_sent && g->rabbitmq.automatic_ack) return never("nothing is acknowledged there");
  if (step != Step::delivered && step != Step::effect_applied && step != Step::processed_not_committed &&
      step != Step::commit_sent && step != Step::heartbeat_sent)
    return never("RabbitMQ's consumers do not do that");
  return std::nullopt;
}

/// Names by which hosts are known.
FoundMisfit names(const Scenario& s) {
  std::set<std::string> taken{models::kRabbitMq};
  for (const models::kafka::ClusterOptions& c : s.clusters) {
    if (!taken.insert(c.name).second)
      return Misfit{join_path("clusters", c.name) + ".name", "is that of [rabbitmq]"};
  }
  for (const ProducerOptions& p : s.producers) {
    if (p.name.find('/') != std::string::npos)
      return Misfit{join_path("producers", p.name) + ".name", "must hold no slash: name/0 are its instances"};
    if (!taken.insert(p.name).second)
      return Misfit{join_path("producers", p.name) + ".name",
                    "'" + p.name + "' is the name of something else"};
  }
  for (const GroupOptions& g : s.groups) {
    if (g.name.find('/') != std::string::npos)
      return Misfit{join_path("groups", g.name) + ".name", "must hold no slash: name/0 are its members"};
    if (!taken.insert(g.name).second)
      return Misfit{join_path("groups", g.name) + ".name", "'" + g.name + "' is the name of something else"};
  }
  return std::nullopt;
}

}  // namespace

FoundMisfit rabbitmq_misfit(const Value& checked, const Scenario& s) {
  if (FoundMisfit wrong = names(s)) return wrong;
  if (FoundMisfit wrong = policy_misfit(*s.rabbitmq, checked)) return wrong;
  for (const models::rabbitmq::QueueOptions& q : s.rabbitmq->queues) {
    if (FoundMisfit wrong = queue(s, q)) return wrong;
  }
  for (const ProducerOptions& p : s.producers) {
    if (!of_rabbitmq(p.cluster)) continue;
    if (FoundMisfit wrong = producer(checked, p)) return wrong;
    if (FoundMisfit wrong = no_such_node(s, join_path("producers", p.name) + ".rabbitmq.addresses",
                                         p.rabbitmq.connection.addresses))
      return wrong;
  }
  for (const GroupOptions& g : s.groups) {
    if (!of_rabbitmq(g.cluster)) continue;
    if (FoundMisfit wrong = group(checked, s, g)) return wrong;
    if (FoundMisfit wrong = no_such_node(s, join_path("groups", g.name) + ".rabbitmq.addresses",
                                         g.rabbitmq.connection.addresses))
      return wrong;
    if (s.alerts && s.alerts->group == g.name)
      return Misfit{"alerts.group",
                    "'" + g.name + "' reads queues, which have no lag: it is of groups that read topics"};
  }
  for (std::size_t i = 0; i < s.faults.size(); ++i) {
    if (FoundMisfit wrong = fault(s, s.faults[i], i)) return wrong;
  }
  return std::nullopt;
}

Scenario without_rabbitmq(Scenario s) {
  std::erase_if(s.producers, [](const ProducerOptions& p) { return of_rabbitmq(p.cluster); });
  std::erase_if(s.groups, [](const GroupOptions& g) { return of_rabbitmq(g.cluster); });
  s.rabbitmq.reset();
  if (!s.kafka) s.kafka.emplace();
  return s;
}

}  // namespace experiments
