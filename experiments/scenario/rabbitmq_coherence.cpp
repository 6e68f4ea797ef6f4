#include "experiments/scenario/rabbitmq_coherence.hpp"

#include <algorithm>
#include <set>

#include "experiments/scenario/flow_coherence.hpp"
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
      // rabbit_quorum_queue, rabbit_stream_queue: consume
      if (r.exclusive && q.arguments.type != models::rabbitmq::QueueType::classic)
        return Misfit{path + ".exclusive", "has no effect on '" + name +
                                               "', which is no classic queue: it lets in whoever comes; "
                                               "x-single-active-consumer says who is served"};
      if (r.prefetch_global > 0 && q.arguments.type != models::rabbitmq::QueueType::classic)
        return Misfit{path + ".prefetch_global", "is refused by '" + name + "', which is no classic queue"};
    }
  }
  return std::nullopt;
}

FoundMisfit group(const Value& checked, const Scenario& s, const GroupOptions& g) {
  const std::string path = join_path("groups", g.name);
  if (FoundMisfit wrong = not_modelled(*checked.find("groups"), g.name, path,
                                       {"type", "hand_off", "transform", "streams", "schema", "autoscale",
                                        "materialise", "renew", "failover", "part_of", "delay"}))
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
  if (FoundMisfit wrong = queue_calls_misfit(path, g, s, true)) return wrong;
  if (g.calls && g.rabbitmq.automatic_ack && g.calls->then != Then::skip)
    return Misfit{path + ".calls.then",
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

using models::rabbitmq::QueueType;

const models::rabbitmq::QueueOptions* find_queue(const Scenario& s, const std::string& name) {
  for (const models::rabbitmq::QueueOptions& q : s.rabbitmq->queues) {
    if (q.name == name) return &q;
  }
  return nullptr;
}

bool is_stream(const Scenario& s, const std::string& name) {
  const models::rabbitmq::QueueOptions* const q = find_queue(s, name);
  return q != nullptr && q->arguments.type == QueueType::stream;
}

/// What a stream does not take (rabbit_stream_queue:capabilities, declare), and what nothing else takes.
FoundMisfit stream(const Scenario& s, const models::rabbitmq::QueueOptions& q, const std::string& path) {
  const models::rabbitmq::QueueArguments& a = q.arguments;
  const auto invalid = [&path](const char* key) {
    return Misfit{path + "." + key, "is no argument of a stream: PRECONDITION_FAILED, invalid arg"};
  };
  if (a.type != QueueType::stream) {
    if (a.max_age) return Misfit{path + ".x-max-age", "is of streams: PRECONDITION_FAILED, invalid arg"};
    if (a.max_segment_bytes != 500'000'000)
      return Misfit{path + ".x-stream-max-segment-size-bytes",
                    "is of streams: PRECONDITION_FAILED, invalid arg"};
    if (a.cluster_size)
      return Misfit{path + ".x-initial-cluster-size", "is of streams: PRECONDITION_FAILED, invalid arg"};
    return std::nullopt;
  }
  if (!q.durable)
    return Misfit{join_path("rabbitmq.queues", q.name) + ".durable",
                  "must be true: a stream that is not durable is refused (PRECONDITION_FAILED)"};
  if (a.message_ttl) return invalid("x-message-ttl");
  if (a.max_length) return invalid("x-max-length");
  if (a.overflow != models::rabbitmq::Overflow::drop_head) return invalid("x-overflow");
  if (a.dead_letter_exchange) return invalid("x-dead-letter-exchange");
  if (a.dead_letter_routing_key) return invalid("x-dead-letter-routing-key");
  if (a.max_priority > 0) return invalid("x-max-priority");
  if (a.single_active_consumer) return invalid("x-single-active-consumer");
  if (a.expires) return invalid("x-expires");
  if (a.cluster_size && *a.cluster_size > s.rabbitmq->nodes)
    return Misfit{path + ".x-initial-cluster-size", "is " + std::to_string(*a.cluster_size) + " on " +
                                                        std::to_string(s.rabbitmq->nodes) + " nodes"};
  return std::nullopt;
}

FoundMisfit stream_publisher(const Scenario& s, const ProducerOptions& p) {
  const std::string path = join_path("producers", p.name) + ".rabbitmq.stream";
  if (!p.rabbitmq.stream) return std::nullopt;
  if (!is_stream(s, p.to) || p.rabbitmq.exchange)
    return Misfit{path, "needs `to` that names a stream: its protocol knows no exchanges"};
  if (p.rabbitmq.confirms == 0)
    return Misfit{path, "needs `confirms`: the stream protocol confirms all that is published"};
  if (p.instances > 1 && !p.rabbitmq.stream->name.empty())
    return Misfit{path + ".name",
                  "is of one publisher: of two that share it the stream drops what it takes for known"};
  return std::nullopt;
}

FoundMisfit stream_consumer(const Scenario& s, const GroupOptions& g) {
  const std::string path = join_path("groups", g.name);
  const models::rabbitmq::SubscriberOptions& r = g.rabbitmq;
  const bool any =
      std::any_of(r.queues.begin(), r.queues.end(), [&](const auto& q) { return is_stream(s, q); });
  const bool all =
      std::all_of(r.queues.begin(), r.queues.end(), [&](const auto& q) { return is_stream(s, q); });
  if (any != all)
    return Misfit{path + ".rabbitmq.queues", "names streams and queues: they are read in other ways"};
  if (!any) {
    if (r.stream) return Misfit{path + ".rabbitmq.stream", "is for streams: no queue there is one"};
    if (r.offset.at != models::rabbitmq::StreamOffset::At::next)
      return Misfit{path + ".rabbitmq.x-stream-offset", "is for streams: no queue there is one"};
    return std::nullopt;
  }
  if (r.automatic_ack)
    return Misfit{path + ".rabbitmq.ack",
                  "automatic acknowledgement not supported by stream: NOT_IMPLEMENTED"};
  if (!r.priorities.empty()) return Misfit{path + ".rabbitmq.x-priority", "is not known by streams"};
  if (!r.stream && r.prefetch == 0)
    return Misfit{path + ".rabbitmq.prefetch",
                  "consumer prefetch count is not set for stream: PRECONDITION_FAILED"};
  if (r.stream && r.prefetch > 0)
    return Misfit{path + ".rabbitmq.prefetch",
                  "is of AMQP: consumers of the stream protocol have stream.credit"};
  const bool named = r.stream && !r.stream->name.empty();
  if (r.stream && !named && r.stream->tracking != models::rabbitmq::OffsetTracking::none)
    return Misfit{path + ".rabbitmq.stream.tracking", "needs stream.name, under which offsets are stored"};
  if (r.stream && !named && r.stream->single_active_consumer)
    return Misfit{path + ".rabbitmq.stream.single-active-consumer",
                  "needs stream.name, of which one is active"};
  if (g.members > 1 && !(r.stream && r.stream->single_active_consumer))
    return Misfit{path + ".members",
                  "each consumer of a stream reads all of it: make it groups of one member, or "
                  "rabbitmq.stream.single-active-consumer"};
  return std::nullopt;
}

FoundMisfit queue(const Scenario& s, const models::rabbitmq::QueueOptions& q) {
  if (FoundMisfit wrong = no_such_node(s, join_path("rabbitmq.queues", q.name) + ".node", {q.node}))
    return wrong;
  const std::string path = join_path("rabbitmq.queues", q.name) + ".arguments";
  const models::rabbitmq::QueueArguments& a = q.arguments;
  if (FoundMisfit wrong = stream(s, q, path)) return wrong;
  // rabbit_queue_type_util / rabbit_amqqueue: check_dlxrk_arg, routing_key_but_no_dlx_defined
  if (a.dead_letter_routing_key && !a.dead_letter_exchange)
    return Misfit{path + ".x-dead-letter-routing-key", "needs x-dead-letter-exchange: PRECONDITION_FAILED"};
  const bool bounded = a.max_length || a.max_length_bytes || a.at_least_once;
  const bool policies = !s.rabbitmq->policies.empty() || !s.rabbitmq->operator_policies.empty();
  if (a.overflow != models::rabbitmq::Overflow::drop_head && !bounded && !policies)
    return Misfit{path + ".x-overflow", "has no effect without x-max-length or x-max-length-bytes"};
  return std::nullopt;
}

/// Properties that only classic queues have (rabbit_queue_type_util: check_auto_delete, check_exclusive).
FoundMisfit property(const models::rabbitmq::QueueOptions& q) {
  if (q.arguments.type == QueueType::classic) return std::nullopt;
  const std::string path = join_path("rabbitmq.queues", q.name);
  const auto invalid = [&](const char* key, const char* name) {
    return Misfit{path + "." + key, "is of classic queues: PRECONDITION_FAILED, invalid property '" +
                                        std::string(name) + "' for queue '" + q.name + "'"};
  };
  if (q.auto_delete) return invalid("auto_delete", "auto-delete");
  if (q.exclusive) return invalid("exclusive", "exclusive-owner");
  if (q.service > sim::Duration{})
    return Misfit{path + ".service",
                  "is of a classic queue's process: credit flow is not modelled of others"};
  return std::nullopt;
}

/// rabbit_quorum_queue.erl, and what versions do not have yet.
FoundMisfit queue_type(const Scenario& s, const models::rabbitmq::QueueOptions& q) {
  const std::string path = join_path("rabbitmq.queues", q.name) + ".arguments";
  const models::rabbitmq::QueueArguments& a = q.arguments;
  const std::string& version = s.rabbitmq->version;
  if (a.type != models::rabbitmq::QueueType::quorum) {
    if (a.delivery_limit)
      return Misfit{path + ".x-delivery-limit", "is of quorum queues: classic queues have none"};
    if (a.at_least_once) return Misfit{path + ".x-dead-letter-strategy", "is of quorum queues"};
    if (a.consumer_timeout) return Misfit{path + ".x-consumer-timeout", "is of quorum queues"};
    if (a.delayed_retry != models::rabbitmq::DelayedRetry::disabled)
      return Misfit{path + ".x-delayed-retry-type", "is of quorum queues"};
    return std::nullopt;
  }
  if (!q.durable)
    return Misfit{join_path("rabbitmq.queues", q.name) + ".durable", "is true of quorum queues"};
  if (a.max_priority > 0)
    return Misfit{path + ".x-max-priority", "is of classic queues: PRECONDITION_FAILED"};
  if (a.overflow == models::rabbitmq::Overflow::reject_publish_dlx)
    return Misfit{path + ".x-overflow", "'reject-publish-dlx' is of classic queues"};
  // Where policies may give these, they fall back to at-most-once as RabbitMQ does.
  const bool policies = !s.rabbitmq->policies.empty() || !s.rabbitmq->operator_policies.empty();
  if (a.at_least_once && !policies &&
      (!a.dead_letter_exchange || a.overflow != models::rabbitmq::Overflow::reject_publish))
    return Misfit{
        path + ".x-dead-letter-strategy",
        "'at-least-once' needs x-dead-letter-exchange and x-overflow = \"reject-publish\": RabbitMQ "
        "would fall back to at-most-once"};
  if (version < "4.3" && a.consumer_timeout)
    return Misfit{path + ".x-consumer-timeout", "of queues comes with 4.3: before, channels are closed"};
  if (version < "4.3" && a.delayed_retry != models::rabbitmq::DelayedRetry::disabled)
    return Misfit{path + ".x-delayed-retry-type", "comes with 4.3"};
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
    if (FoundMisfit wrong = property(q)) return wrong;
    if (FoundMisfit wrong = queue_type(s, q)) return wrong;
  }
  for (const ProducerOptions& p : s.producers) {
    if (!of_rabbitmq(p.cluster)) continue;
    if (FoundMisfit wrong = producer(checked, p)) return wrong;
    if (FoundMisfit wrong = stream_publisher(s, p)) return wrong;
    if (FoundMisfit wrong = no_such_node(s, join_path("producers", p.name) + ".rabbitmq.addresses",
                                         p.rabbitmq.connection.addresses))
      return wrong;
  }
  for (const GroupOptions& g : s.groups) {
    if (!of_rabbitmq(g.cluster)) continue;
    if (FoundMisfit wrong = group(checked, s, g)) return wrong;
    if (FoundMisfit wrong = stream_consumer(s, g)) return wrong;
    if (FoundMisfit wrong = no_such_node(s, join_path("groups", g.name) + ".rabbitmq.addresses",
                                         g.rabbitmq.connection.addresses))
      return wrong;
    const bool reads_log = std::all_of(g.rabbitmq.queues.begin(), g.rabbitmq.queues.end(),
                                       [&](const std::string& q) { return is_stream(s, q); });
    if (s.alerts && s.alerts->group == g.name && !reads_log)
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
