#include <algorithm>
#include <cmath>
#include <set>

#include "experiments/scenario/paths.hpp"
#include "experiments/scenario/sns_tables.hpp"
#include "models/broker_system.hpp"
#include "models/near_miss.hpp"

namespace experiments {
namespace {

using models::ProducerOptions;
using models::Scenario;
using models::Step;
using models::sns::DeliveryPolicy;
using models::sns::FilterPolicy;
using models::sns::FilterPolicyError;
using models::sns::Protocol;
using models::sns::SubscriptionOptions;
using models::sns::TopicOptions;

bool of_sns(const std::string& cluster) {
  return cluster == models::kSns;
}

template <class Options>
const Options* find(const std::vector<Options>& all, const std::string& name) {
  const auto at = std::find_if(all.begin(), all.end(), [&name](const Options& o) { return o.name == name; });
  return at == all.end() ? nullptr : &*at;
}

template <class Options>
Misfit missing(const std::string& path, const std::string& what, const std::string& name,
               const std::vector<Options>& all) {
  std::vector<std::string_view> known;
  for (const Options& o : all) known.push_back(o.name);
  return Misfit{path, "there is no " + what + " '" + name + "'" + models::did_you_mean(name, known)};
}

FoundMisfit delivery(const std::string& path, const DeliveryPolicy& policy) {
  const models::sns::RetryPolicy& retry = policy.retry;
  const std::string at = path + ".DeliveryPolicy.healthyRetryPolicy";
  if (retry.min_delay > retry.max_delay)
    return Misfit{at + ".minDelayTarget", "is above maxDelayTarget: InvalidParameter"};
  if (retry.backoff_retries() < 0)
    return Misfit{at + ".numRetries", "is less than the retries of its phases together: InvalidParameter"};
  if (retry.total() > models::sns::kHttpRetriesMost)
    return Misfit{at, "takes more than 3600 s in all: InvalidParameter"};
  return std::nullopt;
}

FoundMisfit topic(const TopicOptions& t) {
  const std::string path = join_path("sns.topics", t.name);
  const bool named = t.name.size() > 5 && t.name.substr(t.name.size() - 5) == ".fifo";
  if (t.fifo != named)
    return Misfit{path + ".name", t.fifo
                                      ? "of a FIFO topic ends in .fifo: InvalidParameter"
                                      : "ends in .fifo, which FIFO topics' do: FifoTopic = true is missing"};
  if (!t.fifo && t.content_based_deduplication)
    return Misfit{path + ".ContentBasedDeduplication", "is of FIFO topics: InvalidParameter"};
  if (!t.fifo && t.throughput_scope != models::sns::ThroughputScope::topic)
    return Misfit{path + ".FifoThroughputScope", "is of FIFO topics: InvalidParameter"};
  if (t.fifo && t.delivery_policy)
    return Misfit{path + ".DeliveryPolicy", "is of HTTP/S subscriptions, which FIFO topics do not have"};
  if (t.delivery_policy) return delivery(path, *t.delivery_policy);
  return std::nullopt;
}

FoundMisfit queue_for(const Scenario& s, const std::string& path, const std::string& name, bool fifo_topic) {
  if (!s.sqs) return Misfit{path, "is a queue: there is no [sqs]"};
  const models::sqs::QueueOptions* const q = find(s.sqs->queues, name);
  if (q == nullptr) return missing(path, "queue", name, s.sqs->queues);
  if (q->fifo && !fifo_topic)
    return Misfit{path, "is a FIFO queue: a standard topic delivers to standard queues (InvalidParameter)"};
  return std::nullopt;
}

FoundMisfit subscription(const Scenario& s, const SubscriptionOptions& own) {
  const std::string path = join_path("sns.subscriptions", own.name);
  const TopicOptions* const of = find(s.sns->topics, own.topic);
  if (of == nullptr) return missing(path + ".topic", "topic", own.topic, s.sns->topics);
  if (own.protocol == Protocol::sqs) {
    if (FoundMisfit wrong = queue_for(s, path + ".endpoint", own.endpoint, of->fifo)) return wrong;
  } else if (of->fifo) {
    return Misfit{path + ".protocol", "of a FIFO topic's subscription is sqs: InvalidParameter"};
  } else if (find(s.dependencies, own.endpoint) == nullptr) {
    return missing(path + ".endpoint", "dependency", own.endpoint, s.dependencies);
  }
  const bool http = own.protocol == Protocol::http || own.protocol == Protocol::https;
  if (own.delivery_policy && !http)
    return Misfit{path + ".DeliveryPolicy",
                  "is of HTTP/S alone: others have a policy that cannot be changed"};
  if (own.delivery_policy) {
    if (FoundMisfit wrong = delivery(path, *own.delivery_policy)) return wrong;
  }
  if (own.raw_message_delivery && own.protocol == Protocol::lambda)
    return Misfit{path + ".RawMessageDelivery", "is of queues, HTTP/S and Firehose: InvalidParameter"};
  if (!own.dead_letter_queue.empty()) {
    if (FoundMisfit wrong =
            queue_for(s, path + ".RedrivePolicy.deadLetterTargetArn", own.dead_letter_queue, of->fifo))
      return wrong;
    // A FIFO topic's dead letters keep their order: "must be a FIFO queue" for a FIFO queue's subscription.
    const bool fifo = own.protocol == Protocol::sqs && find(s.sqs->queues, own.endpoint)->fifo;
    if (fifo != find(s.sqs->queues, own.dead_letter_queue)->fifo)
      return Misfit{path + ".RedrivePolicy.deadLetterTargetArn",
                    "is not of the same type as the subscription's queue: InvalidParameter"};
  }
  if (!own.filter_policy) {
    if (own.filter_policy_scope != models::sns::FilterPolicyScope::message_attributes)
      return Misfit{path + ".FilterPolicyScope", "has no effect without FilterPolicy"};
    return std::nullopt;
  }
  try {
    const FilterPolicy policy(*own.filter_policy, own.filter_policy_scope);
  } catch (const FilterPolicyError& error) {
    return Misfit{path + ".FilterPolicy", error.what()};
  }
  return std::nullopt;
}

FoundMisfit producer(const Value& checked, const Scenario& s, const ProducerOptions& p) {
  const std::string path = join_path("producers", p.name);
  for (const Value& table : checked.find("producers")->items) {
    const Value* const own = table.find("name");
    if (own == nullptr || own->text != p.name) continue;
    for (const std::string_view key :
         {"transactions", "admission", "schema", "failover", "tombstones", "clock_ahead", "clock_behind",
          "resend_after_restart", "same_keys_as", "host", "resend", "rabbitmq", "sqs", "config"}) {
      if (table.find(key) != nullptr)
        return Misfit{path + "." + std::string(key), "is not modelled of SNS's publishers"};
    }
  }
  const TopicOptions* const t = find(s.sns->topics, p.to);
  if (t == nullptr) return missing(path + ".to", "topic", p.to, s.sns->topics);
  if (t->fifo && p.sns.message_group_id.empty() && p.keys.count == 0)
    return Misfit{
        path,
        "needs `keys` or sns.MessageGroupId: a FIFO topic's message must have a group (InvalidParameter)"};
  if (!t->fifo && !p.sns.message_group_id.empty())
    return Misfit{path + ".sns.MessageGroupId", "of a standard topic is not modelled"};
  if (!t->fifo && p.sns.new_deduplication_id_each_call)
    return Misfit{path + ".sns.MessageDeduplicationId", "is of FIFO topics: InvalidParameter"};
  double sum = 0;
  for (const models::sns::MessageKind& kind : p.sns.messages) sum += kind.share;
  if (!p.sns.messages.empty() && std::abs(sum - 1) > 1e-9)
    return Misfit{path + ".sns.messages", "have shares that do not add up to 1"};
  if (p.size.mean() > models::sns::kSizeMost)
    return Misfit{path + ".size", "is above 256 KB: InvalidParameter"};
  if (p.sns.sdk.backoff_base > p.sns.sdk.backoff_max)
    return Misfit{path + ".sns.backoff", "is above backoff_max"};
  return std::nullopt;
}

FoundMisfit fault(const Scenario& s, const models::FaultSpec& f, std::size_t index) {
  const std::string path = f.name.empty() ? "faults." + std::to_string(index) : join_path("faults", f.name);
  const auto owner = [](const std::string& node) { return node.substr(0, node.find('/')); };
  const auto is_ours = [&](const std::string& node) {
    const ProducerOptions* const p = find(s.producers, owner(node));
    return owner(node) == models::kSns || (p != nullptr && of_sns(p->cluster));
  };
  static const std::set<std::string> kOfKafka{"power-loss", "disk-loss", "disk-slow",      "disk-stall",
                                              "disk-full",  "restart",   "heartbeat-loss", "rolling"};
  if (is_ours(f.target) && kOfKafka.count(f.kind) > 0)
    return Misfit{path + ".kind",
                  "'" + f.kind + "' is not modelled of SNS and its clients: crash and pause are"};
  if (!f.when) return std::nullopt;
  const std::string& subject = f.when->subject.empty() ? f.target : f.when->subject;
  if (is_ours(subject) && (owner(subject) == models::kSns || f.when->step != Step::acknowledged))
    return Misfit{path + ".when.step", "never happens at '" + subject + "': a producer is acknowledged"};
  return std::nullopt;
}

}  // namespace

FoundMisfit sns_misfit(const Value& checked, const Scenario& s) {
  if (s.sns->topics.empty()) return Misfit{"sns", "has no [[sns.topics]]"};
  if (s.sns->endpoint_timeout <= sim::Duration{}) return Misfit{"sns.endpoint_timeout", "must be above 0"};
  std::set<std::string> topics;
  for (const TopicOptions& t : s.sns->topics) {
    if (!topics.insert(t.name).second)
      return Misfit{join_path("sns.topics", t.name) + ".name", "there are two of that name"};
    if (FoundMisfit wrong = topic(t)) return wrong;
  }
  std::set<std::string> names;
  for (const ProducerOptions& p : s.producers) names.insert(p.name);
  for (const models::GroupOptions& g : s.groups) names.insert(g.name);
  for (const SubscriptionOptions& own : s.sns->subscriptions) {
    if (!names.insert(own.name).second || own.name.find('/') != std::string::npos)
      return Misfit{join_path("sns.subscriptions", own.name) + ".name",
                    "must be nobody else's name, and hold no slash"};
    if (FoundMisfit wrong = subscription(s, own)) return wrong;
  }
  for (const ProducerOptions& p : s.producers) {
    if (!of_sns(p.cluster)) continue;
    if (FoundMisfit wrong = producer(checked, s, p)) return wrong;
  }
  for (const models::GroupOptions& g : s.groups) {
    if (of_sns(g.cluster))
      return Misfit{join_path("groups", g.name) + ".cluster",
                    "nobody reads from SNS: who subscribes is sent to"};
  }
  for (std::size_t i = 0; i < s.faults.size(); ++i) {
    if (FoundMisfit wrong = fault(s, s.faults[i], i)) return wrong;
  }
  return std::nullopt;
}

Scenario without_sns(Scenario s) {
  std::erase_if(s.producers, [](const ProducerOptions& p) { return of_sns(p.cluster); });
  s.sns.reset();
  if (!s.kafka && !s.sqs) s.kafka.emplace();
  return s;
}

}  // namespace experiments
