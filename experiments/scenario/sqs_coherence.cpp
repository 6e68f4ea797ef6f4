#include "experiments/scenario/sqs_coherence.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "experiments/scenario/flow_coherence.hpp"
#include "experiments/scenario/paths.hpp"
#include "models/broker_system.hpp"
#include "models/near_miss.hpp"

namespace experiments {
namespace {

using models::GroupOptions;
using models::PoisonOptions;
using models::ProducerOptions;
using models::Scenario;
using models::Step;
using models::sqs::QueueOptions;
using models::sqs::ServiceOptions;

bool of_sqs(const std::string& cluster) {
  return cluster == models::kSqs;
}

const QueueOptions* find(const ServiceOptions& s, const std::string& name) {
  const auto at =
      std::find_if(s.queues.begin(), s.queues.end(), [&](const QueueOptions& q) { return q.name == name; });
  return at == s.queues.end() ? nullptr : &*at;
}

Misfit no_queue(const std::string& path, const ServiceOptions& s, const std::string& name) {
  std::vector<std::string_view> known;
  for (const QueueOptions& q : s.queues) known.push_back(q.name);
  return {path, "there is no queue '" + name + "' in [sqs]" + models::did_you_mean(name, known)};
}

/// The first of these keys that the table has.
FoundMisfit not_modelled(const Value& tables, const std::string& name, const std::string& path,
                         std::initializer_list<std::string_view> keys) {
  for (const Value& table : tables.items) {
    const Value* const own = table.find("name");
    if (own == nullptr || own->text != name) continue;
    for (const std::string_view key : keys) {
      if (table.find(key) != nullptr)
        return Misfit{path + "." + std::string(key), "is not modelled of SQS's clients"};
    }
  }
  return std::nullopt;
}

/// Whether the producer's or group's `sqs` table has the key.
bool gives(const Value& tables, const std::string& name, std::string_view key) {
  for (const Value& table : tables.items) {
    const Value* const own = table.find("name");
    const Value* const sqs = table.find("sqs");
    if (own != nullptr && own->text == name && sqs != nullptr && sqs->find(key) != nullptr) return true;
  }
  return false;
}

// ---- queues -------------------------------------------------------------------------------------------------------

/// quotas-queues: QueueName.
FoundMisfit queue_name(const QueueOptions& q) {
  const std::string path = join_path("sqs.queues", q.name);
  constexpr std::string_view kSuffix = ".fifo";
  const bool suffix = q.name.ends_with(kSuffix);
  if (q.fifo && !suffix) return Misfit{path + ".name", "of a FIFO queue must end with .fifo"};
  if (!q.fifo && suffix) return Misfit{path + ".name", "ends with .fifo, which needs FifoQueue = true"};
  if (q.name.size() > 80) return Misfit{path + ".name", "must have 80 characters at most"};
  const std::string_view stem =
      suffix ? std::string_view(q.name).substr(0, q.name.size() - kSuffix.size()) : q.name;
  const bool fine = !stem.empty() && std::all_of(stem.begin(), stem.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  });
  if (!fine) return Misfit{path + ".name", "must be of letters, digits, hyphens and underscores"};
  return std::nullopt;
}

FoundMisfit redrive(const ServiceOptions& s, const QueueOptions& q) {
  if (!q.redrive) return std::nullopt;
  const std::string path = join_path("sqs.queues", q.name) + ".RedrivePolicy.deadLetterTargetArn";
  const QueueOptions* const target = find(s, q.redrive->dead_letter_queue);
  if (target == nullptr) return no_queue(path, s, q.redrive->dead_letter_queue);
  if (target == &q) return Misfit{path, "is the queue itself"};
  if (target->fifo != q.fifo)
    return Misfit{path, q.fifo ? "of a FIFO queue must be a FIFO queue"
                               : "of a standard queue must be a standard queue"};
  using Permission = models::sqs::RedriveAllowPolicy::Permission;
  const auto& allow = target->redrive_allow;
  const bool named =
      std::find(allow.source_queues.begin(), allow.source_queues.end(), q.name) != allow.source_queues.end();
  if (allow.permission == Permission::deny_all || (allow.permission == Permission::by_queue && !named))
    return Misfit{path, "does not take this queue's dead letters: its RedriveAllowPolicy"};
  return std::nullopt;
}

FoundMisfit queue(const Value& checked, const ServiceOptions& s, const QueueOptions& q) {
  const std::string path = join_path("sqs.queues", q.name);
  if (FoundMisfit wrong = queue_name(q)) return wrong;
  using models::sqs::DeduplicationScope;
  using models::sqs::FifoThroughputLimit;
  using Permission = models::sqs::RedriveAllowPolicy::Permission;
  for (const Value& table : checked.find("sqs")->find("queues")->items) {
    if (table.find("name")->text != q.name || q.fifo) continue;
    for (const std::string_view key :
         {"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}) {
      if (table.find(key) != nullptr)
        return Misfit{path + "." + std::string(key), "is of FIFO queues: InvalidAttributeName"};
    }
  }
  if (q.fifo_throughput_limit == FifoThroughputLimit::per_message_group_id &&
      q.deduplication_scope != DeduplicationScope::message_group)
    return Misfit{
        path + ".FifoThroughputLimit",
        "needs DeduplicationScope = \"messageGroup\": perMessageGroupId is allowed with that alone"};
  const auto& allow = q.redrive_allow;
  if (allow.source_queues.size() > 10)
    return Misfit{path + ".RedriveAllowPolicy.sourceQueueArns", "may name ten queues"};
  if (allow.permission == Permission::by_queue && allow.source_queues.empty())
    return Misfit{path + ".RedriveAllowPolicy.redrivePermission", "\"byQueue\" needs sourceQueueArns"};
  if (allow.permission != Permission::by_queue && !allow.source_queues.empty())
    return Misfit{path + ".RedriveAllowPolicy.sourceQueueArns", "needs redrivePermission = \"byQueue\""};
  for (const std::string& source : allow.source_queues) {
    if (find(s, source) == nullptr) return no_queue(path + ".RedriveAllowPolicy.sourceQueueArns", s, source);
  }
  return std::nullopt;
}

/// Why of what is in a dead-letter queue some has come from no queue that has made it a dead letter; nothing where that cannot
/// be.
FoundMisfit without_source(const Scenario& scenario, std::size_t index, const std::string& path) {
  const ServiceOptions& s = *scenario.sqs;
  const std::string& from = s.moves[index].source;
  const auto refuse = [&](const std::string& what) {
    return Misfit{path, "needs DestinationArn: what " + what + " '" + from + "' has come from no queue"};
  };
  for (const ProducerOptions& p : scenario.producers) {
    if (of_sqs(p.cluster) && p.to == from) return refuse("producers send to");
  }
  // API_StartMessageMoveTask: "DLQs whose sources are non-SQS queues, such as … SNS topics, are not currently supported".
  if (scenario.sns) {
    for (const models::sns::SubscriptionOptions& o : scenario.sns->subscriptions) {
      const bool delivers = o.protocol == models::sns::Protocol::sqs && o.endpoint == from;
      if (delivers || o.dead_letter_queue == from)
        return refuse("the subscription '" + o.name + "' of SNS brings to");
    }
  }
  for (std::size_t i = 0; i < s.moves.size(); ++i) {
    const models::sqs::MoveOptions& other = s.moves[i];
    const QueueOptions* const here = find(s, from);
    const bool back =
        other.destination.empty() && here->redrive && here->redrive->dead_letter_queue == other.source;
    if (i != index && (other.destination == from || back))
      return refuse("the move from '" + other.source + "' brings to");
  }
  return std::nullopt;
}

FoundMisfit move(const Scenario& scenario, std::size_t index) {
  const ServiceOptions& s = *scenario.sqs;
  const models::sqs::MoveOptions& m = s.moves[index];
  const std::string path = "sqs.moves." + std::to_string(index);
  const QueueOptions* const source = find(s, m.source);
  if (source == nullptr) return no_queue(path + ".SourceArn", s, m.source);
  const bool dead = std::any_of(s.queues.begin(), s.queues.end(), [&](const QueueOptions& q) {
    return q.redrive && q.redrive->dead_letter_queue == m.source;
  });
  if (!dead)
    return Misfit{path + ".SourceArn", "is no queue's dead-letter queue: only those can be moved from"};
  if (m.at >= scenario.duration) return Misfit{path + ".at", "is not before the end of the run's duration"};
  if (m.destination.empty()) return without_source(scenario, index, path);
  const QueueOptions* const to = find(s, m.destination);
  if (to == nullptr) return no_queue(path + ".DestinationArn", s, m.destination);
  if (to == source) return Misfit{path + ".DestinationArn", "is the source"};
  if (to->fifo != source->fifo)
    return Misfit{path + ".DestinationArn", "must be of the source's kind: FIFO or standard"};
  return std::nullopt;
}

// ---- clients ------------------------------------------------------------------------------------------------------

FoundMisfit sdk(const std::string& path, const models::sqs::SdkOptions& o) {
  if (o.attempt_timeout <= sim::Duration{}) return Misfit{path + ".attempt_timeout", "must be above 0"};
  if (o.backoff_max < o.backoff_base) return Misfit{path + ".backoff_max", "is below `backoff`"};
  return std::nullopt;
}

FoundMisfit producer(const Value& checked, const ServiceOptions& s, const ProducerOptions& p) {
  const std::string path = join_path("producers", p.name);
  const Value& tables = *checked.find("producers");
  if (FoundMisfit wrong =
          not_modelled(tables, p.name, path,
                       {"transactions", "admission", "schema", "failover", "tombstones", "clock_ahead",
                        "clock_behind", "resend_after_restart", "same_keys_as", "host"}))
    return wrong;
  if (p.resend)
    return Misfit{path + ".resend",
                  "is not for SQS: `sqs.retry_after` says when the application sends a message again"};
  const QueueOptions* const q = find(s, p.to);
  if (q == nullptr) return no_queue(path + ".to", s, p.to);
  if (FoundMisfit wrong = sdk(path + ".sqs", p.sqs.sdk)) return wrong;
  if (q->fifo && p.sqs.delay)
    return Misfit{
        path + ".sqs.DelaySeconds",
        "of a message is not for FIFO queues, which have DelaySeconds of their own: InvalidParameterValue"};
  if (q->fifo && p.sqs.message_group_id.empty() && p.keys.count == 0)
    return Misfit{path,
                  "needs `keys` or sqs.MessageGroupId: a message of a FIFO queue must have a group "
                  "(MissingParameter)"};
  const bool id = gives(tables, p.name, "MessageDeduplicationId");
  if (!q->fifo && id) return Misfit{path + ".sqs.MessageDeduplicationId", "is of FIFO queues"};
  if (!q->fifo && !p.sqs.message_group_id.empty())
    return Misfit{path + ".sqs.MessageGroupId", "of a standard queue (fair queues) is not modelled"};
  if (q->fifo && !q->content_based_deduplication && !id)
    return Misfit{path,
                  "needs sqs.MessageDeduplicationId, or its queue ContentBasedDeduplication = true "
                  "(InvalidParameterValue)"};
  if (p.sqs.deduplication_id == models::sqs::SenderOptions::DeduplicationId::key && p.keys.count == 0)
    return Misfit{path + ".sqs.MessageDeduplicationId", "\"key\" needs `keys`"};
  if (p.sqs.batch == 1 && gives(tables, p.name, "batch_open"))
    return Misfit{path + ".sqs.batch_open", "has no effect without `batch`"};
  return std::nullopt;
}

FoundMisfit group(const Value& checked, const Scenario& s, const GroupOptions& g) {
  const std::string path = join_path("groups", g.name);
  const Value& tables = *checked.find("groups");
  if (FoundMisfit wrong = not_modelled(tables, g.name, path,
                                       {"type", "hand_off", "transform", "streams", "schema", "autoscale",
                                        "materialise", "renew", "failover", "part_of", "delay"}))
    return wrong;
  const models::sqs::ReceiverOptions& r = g.sqs;
  if (r.queue.empty()) return Misfit{path, "needs `sqs` with the queue that it receives from"};
  const QueueOptions* const q = find(*s.sqs, r.queue);
  if (q == nullptr) return no_queue(path + ".sqs.queue", *s.sqs, r.queue);
  if (FoundMisfit wrong = sdk(path + ".sqs", r.sdk)) return wrong;
  if (g.effect && g.effect->fencing_token)
    return Misfit{path + ".effect.fencing_token",
                  "is the generation of a consumer group: a queue's consumers have none"};
  if (g.effect && (g.effect->processed_ids == models::ProcessedIds::before_effect ||
                   g.effect->processed_ids == models::ProcessedIds::after_effect))
    return Misfit{path + ".effect.processed_ids",
                  "in a transaction of its own is not modelled of SQS's clients"};
  if (FoundMisfit wrong = queue_calls_misfit(path, g, s, false)) return wrong;
  using Then = PoisonOptions::Then;
  if (g.poison && g.poison->then == Then::reject)
    return Misfit{path + ".poison.then",
                  "SQS has no reject: what is not deleted comes again, until maxReceiveCount: \"release\""};
  if (g.poison && (g.poison->then == Then::hand_on || !g.poison->to.empty()))
    return Misfit{path + (g.poison->then == Then::hand_on ? ".poison.then" : ".poison.to"),
                  "writes to a topic of Kafka: a queue has RedrivePolicy"};
  const bool releases =
      (g.poison && g.poison->then == Then::release) || (g.calls && g.calls->then == Then::release);
  if (r.release && !releases)
    return Misfit{path + ".sqs.release", "has no effect without then = \"release\" of poison or calls"};
  if (r.when == models::sqs::ReceiverOptions::Delete::before_processing) {
    const std::string why =
        ": with delete = \"before-processing\" what is in hand is deleted (MessageNotInflight)";
    if (r.heartbeat) return Misfit{path + ".sqs.heartbeat", "has nothing to extend" + why};
    if (r.release) return Misfit{path + ".sqs.release", "has nothing to give back" + why};
  }
  const sim::Duration visibility = r.visibility_timeout.value_or(q->visibility_timeout);
  if (r.heartbeat && (*r.heartbeat <= sim::Duration{} || visibility <= *r.heartbeat))
    return Misfit{path + ".sqs.heartbeat", "must be above 0 and below the visibility timeout"};
  if (r.attempt_ids && !q->fifo) return Misfit{path + ".sqs.ReceiveRequestAttemptId", "is of FIFO queues"};
  const sim::Duration wait = r.wait.value_or(q->receive_wait);
  if (wait >= r.sdk.attempt_timeout)
    return Misfit{path + ".sqs.attempt_timeout", "must be longer than a receive waits"};
  if (g.start >= s.duration) return Misfit{path + ".start", "is not before the end of the run's duration"};
  return std::nullopt;
}

// ---- faults, names ------------------------------------------------------------------------------------------------

/// A fault that SQS or its clients do not know, or a step that never happens there.
FoundMisfit fault(const Scenario& s, const models::FaultSpec& f, std::size_t index) {
  const std::string path = f.name.empty() ? "faults." + std::to_string(index) : join_path("faults", f.name);
  const auto owner = [](const std::string& node) { return node.substr(0, node.find('/')); };
  const auto producer_of = [&](const std::string& node) {
    return std::any_of(s.producers.begin(), s.producers.end(),
                       [&](const auto& p) { return of_sqs(p.cluster) && p.name == owner(node); });
  };
  const auto group_of = [&](const std::string& node) {
    const auto at = std::find_if(s.groups.begin(), s.groups.end(),
                                 [&](const auto& g) { return of_sqs(g.cluster) && g.name == owner(node); });
    return at == s.groups.end() ? nullptr : &*at;
  };
  const bool service = owner(f.target) == models::kSqs;
  static const std::set<std::string> kOfKafka{"power-loss", "disk-loss", "disk-slow", "disk-stall",
                                              "disk-full",  "restart",   "rolling"};
  if ((service || producer_of(f.target) || group_of(f.target) != nullptr) && kOfKafka.count(f.kind) > 0)
    return Misfit{path + ".kind",
                  "'" + f.kind + "' is not modelled of SQS and its clients: crash and pause are"};
  if (f.kind == "heartbeat-loss" && (service || producer_of(f.target)))
    return Misfit{path + ".target", "sends no heartbeats: members of groups do, with sqs.heartbeat"};
  if (const GroupOptions* const g = group_of(f.target);
      g != nullptr && f.kind == "heartbeat-loss" && !g->sqs.heartbeat)
    return Misfit{path + ".target", "sends no heartbeats: the group '" + g->name + "' has no sqs.heartbeat"};
  if (!f.when) return std::nullopt;
  const std::string& subject = f.when->subject.empty() ? f.target : f.when->subject;
  const GroupOptions* const g = group_of(subject);
  const auto never = [&](const std::string& why) {
    return Misfit{path + ".when.step", "never happens at '" + subject + "': " + why};
  };
  const Step step = f.when->step;
  if (owner(subject) == models::kSqs && step != Step::appended) return never("SQS appends");
  if (producer_of(subject) && step != Step::acknowledged) return never("a producer is acknowledged");
  if (g == nullptr) return std::nullopt;
  if (step == Step::effect_applied && !g->effect) return never("the group '" + g->name + "' has no `effect`");
  if (step == Step::heartbeat_sent && !g->sqs.heartbeat)
    return never("the group '" + g->name + "' has no sqs.heartbeat");
  if ((step == Step::commit_sent || step == Step::committed) &&
      g->sqs.when == models::sqs::ReceiverOptions::Delete::never)
    return never("nothing is deleted there");
  static const std::set<Step> kOfMembers{
      Step::delivered,   Step::effect_applied, Step::processed_not_committed,
      Step::commit_sent, Step::committed,      Step::heartbeat_sent};
  if (kOfMembers.count(step) == 0) return never("SQS's consumers do not do that");
  return std::nullopt;
}

/// Names by which hosts and queues are known.
FoundMisfit names(const Scenario& s) {
  std::set<std::string> taken{models::kSqs};
  const auto take = [&taken](const std::string& table, const std::string& name) -> FoundMisfit {
    const std::string path = join_path(table, name) + ".name";
    if (name.find('/') != std::string::npos)
      return Misfit{path, "must hold no slash: name/0 are its instances or members"};
    if (!taken.insert(name).second) return Misfit{path, "'" + name + "' is the name of something else"};
    return std::nullopt;
  };
  for (const models::kafka::ClusterOptions& c : s.clusters) {
    if (!taken.insert(c.name).second)
      return Misfit{join_path("clusters", c.name) + ".name", "is that of [sqs]"};
  }
  for (const QueueOptions& q : s.sqs->queues) {
    if (FoundMisfit wrong = take("sqs.queues", q.name)) return wrong;
  }
  for (const ProducerOptions& p : s.producers) {
    if (FoundMisfit wrong = take("producers", p.name)) return wrong;
  }
  for (const GroupOptions& g : s.groups) {
    if (FoundMisfit wrong = take("groups", g.name)) return wrong;
  }
  return std::nullopt;
}

}  // namespace

FoundMisfit sqs_misfit(const Value& checked, const Scenario& s) {
  if (s.sqs->queues.empty()) return Misfit{"sqs", "has no [[sqs.queues]]"};
  if (FoundMisfit wrong = names(s)) return wrong;
  for (const QueueOptions& q : s.sqs->queues) {
    if (FoundMisfit wrong = queue(checked, *s.sqs, q)) return wrong;
  }
  for (const QueueOptions& q : s.sqs->queues) {
    if (FoundMisfit wrong = redrive(*s.sqs, q)) return wrong;
  }
  if (s.sqs->sampled_servers > s.sqs->servers) return Misfit{"sqs.sampled_servers", "is more than `servers`"};
  for (std::size_t i = 0; i < s.sqs->moves.size(); ++i) {
    if (FoundMisfit wrong = move(s, i)) return wrong;
  }
  for (const ProducerOptions& p : s.producers) {
    if (!of_sqs(p.cluster)) continue;
    if (FoundMisfit wrong = producer(checked, *s.sqs, p)) return wrong;
  }
  for (const GroupOptions& g : s.groups) {
    if (!of_sqs(g.cluster)) continue;
    if (FoundMisfit wrong = group(checked, s, g)) return wrong;
    if (s.alerts && s.alerts->group == g.name)
      return Misfit{"alerts.group",
                    "'" + g.name + "' reads a queue, which has no lag: it is of groups that read topics"};
  }
  for (std::size_t i = 0; i < s.faults.size(); ++i) {
    if (FoundMisfit wrong = fault(s, s.faults[i], i)) return wrong;
  }
  return std::nullopt;
}

Scenario without_sqs(Scenario s) {
  std::erase_if(s.producers, [](const ProducerOptions& p) { return of_sqs(p.cluster); });
  std::erase_if(s.groups, [](const GroupOptions& g) { return of_sqs(g.cluster); });
  s.sqs.reset();
  if (!s.kafka) s.kafka.emplace();
  return s;
}

}  // namespace experiments
