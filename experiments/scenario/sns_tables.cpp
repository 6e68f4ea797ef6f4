#include "experiments/scenario/sns_tables.hpp"

#include "experiments/scenario/sns_json.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::sns::BackoffFunction;
using models::sns::DeliveryPolicy;
using models::sns::FilterPolicyScope;
using models::sns::MessageKind;
using models::sns::Protocol;
using models::sns::PublisherOptions;
using models::sns::RetryPolicy;
using models::sns::ServiceOptions;
using models::sns::SubscriptionOptions;
using models::sns::ThroughputScope;
using models::sns::TopicOptions;

/// What SNS has and mqlab does not.
template <class Target>
Row<Target> refused(std::string_view name, std::string_view why) {
  return {{name, KeyType::refused, why}, [](const Value&, Target&, const BindContext&) {}};
}

/// An ARN's last part, or the name alone.
std::string name_of(const std::string& arn) {
  const std::size_t at = arn.rfind(':');
  return at == std::string::npos ? arn : arn.substr(at + 1);
}

const std::vector<Row<RetryPolicy>>& retry_rows() {
  using std::chrono::seconds;
  static const std::vector<Row<RetryPolicy>> rows{
      {{"minDelayTarget", KeyType::integer, "s, the least delay of a retry", "20", false, 1, 3600},
       [](const Value& v, RetryPolicy& p, const BindContext&) { p.min_delay = seconds{v.integer}; }},
      {{"maxDelayTarget", KeyType::integer, "s, the greatest", "20", false, 1, 3600},
       [](const Value& v, RetryPolicy& p, const BindContext&) { p.max_delay = seconds{v.integer}; }},
      {{"numRetries", KeyType::integer, "of all phases", "3", false, 0, 100},
       [](const Value& v, RetryPolicy& p, const BindContext&) { p.retries = v.integer; }},
      {{"numNoDelayRetries", KeyType::integer, "of these without delay, at first", "0", false, 0, 100},
       [](const Value& v, RetryPolicy& p, const BindContext&) { p.no_delay_retries = v.integer; }},
      {{"numMinDelayRetries", KeyType::integer, "then with the least delay (pre-backoff)", "0", false, 0,
        100},
       [](const Value& v, RetryPolicy& p, const BindContext&) { p.min_delay_retries = v.integer; }},
      {{"numMaxDelayRetries", KeyType::integer, "and at last with the greatest (post-backoff)", "0", false, 0,
        100},
       [](const Value& v, RetryPolicy& p, const BindContext&) { p.max_delay_retries = v.integer; }},
      {choice_key("backoffFunction", "from the least to the greatest, for those between", "\"linear\"",
                  {"linear", "arithmetic", "geometric", "exponential"}),
       [](const Value& v, RetryPolicy& p, const BindContext&) {
         p.backoff = v.text == "arithmetic"    ? BackoffFunction::arithmetic
                     : v.text == "geometric"   ? BackoffFunction::geometric
                     : v.text == "exponential" ? BackoffFunction::exponential
                                               : BackoffFunction::linear;
       }},
  };
  return rows;
}

const std::vector<Row<DeliveryPolicy>>& throttle_rows() {
  static const std::vector<Row<DeliveryPolicy>> rows{
      {{"maxReceivesPerSecond", KeyType::integer,
        "deliveries a second of a subscription; no throttling unless given", "", false, 1, 1e6},
       [](const Value& v, DeliveryPolicy& p, const BindContext&) {
         p.receives_per_second = whole<std::uint32_t>(v);
       }},
  };
  return rows;
}

const std::vector<Row<DeliveryPolicy>>& delivery_rows() {
  static const Section retry = section_of("how deliveries are tried again", retry_rows());
  static const Section throttle = section_of("how fast they come", throttle_rows());
  static const std::vector<Row<DeliveryPolicy>> rows{
      {table_key("healthyRetryPolicy", "retries while the endpoint is unavailable, 3600 s at most", retry),
       [](const Value& v, DeliveryPolicy& p, const BindContext& c) {
         bind_rows(v, retry_rows(), p.retry, c);
       }},
      {table_key("throttlePolicy", "and how many deliveries a second", throttle),
       [](const Value& v, DeliveryPolicy& p, const BindContext& c) { bind_rows(v, throttle_rows(), p, c); }},
      refused<DeliveryPolicy>("requestPolicy", "headers of requests are not modelled"),
      refused<DeliveryPolicy>("guaranteed", "is not supported by SNS any more"),
  };
  return rows;
}

const std::vector<Row<TopicOptions>>& topic_rows() {
  static const Section delivery = section_of("of its HTTP/S subscriptions", delivery_rows());
  static const std::vector<Row<TopicOptions>> rows{
      {{"name", KeyType::name, "the topic's name; a FIFO topic's ends in .fifo", "", true},
       [](const Value& v, TopicOptions& t, const BindContext&) { t.name = v.text; }},
      {{"FifoTopic", KeyType::boolean, "in order of message groups, without duplicates within 5 minutes",
        "false"},
       [](const Value& v, TopicOptions& t, const BindContext&) { t.fifo = v.boolean; }},
      {{"ContentBasedDeduplication", KeyType::boolean, "a message's id is made of its body", "false"},
       [](const Value& v, TopicOptions& t, const BindContext&) {
         t.content_based_deduplication = v.boolean;
       }},
      {choice_key("FifoThroughputScope",
                  "whose the throughput quota is, and within which duplicates are found", "\"Topic\"",
                  {"Topic", "MessageGroup"}),
       [](const Value& v, TopicOptions& t, const BindContext&) {
         t.throughput_scope = v.text == "Topic" ? ThroughputScope::topic : ThroughputScope::message_group;
       }},
      {table_key("DeliveryPolicy", "of its HTTP/S subscriptions that have none of their own", delivery),
       [](const Value& v, TopicOptions& t, const BindContext& c) {
         bind_rows(v, delivery_rows(), t.delivery_policy.emplace(), c);
       }},
      refused<TopicOptions>("KmsMasterKeyId",
                            "encryption is not modelled: fault deny-delivery is a key that fails"),
      refused<TopicOptions>("Policy", "who may publish is not modelled"),
      refused<TopicOptions>("ArchivePolicy", "archives of FIFO topics are not modelled"),
      refused<TopicOptions>("TracingConfig", "is not modelled"),
      refused<TopicOptions>("SignatureVersion", "is not modelled"),
      refused<TopicOptions>("DisplayName", "is of mail and telephones, which are not modelled"),
  };
  return rows;
}

const std::vector<Row<SubscriptionOptions>>& redrive_rows() {
  static const std::vector<Row<SubscriptionOptions>> rows{
      {{"deadLetterTargetArn", KeyType::name, "ARN or name of a queue of [sqs]", "", true},
       [](const Value& v, SubscriptionOptions& s, const BindContext&) {
         s.dead_letter_queue = name_of(v.text);
       }},
  };
  return rows;
}

const std::vector<Row<SubscriptionOptions>>& subscription_rows() {
  static const Section delivery = section_of("of an HTTP/S subscription", delivery_rows());
  static const Section redrive = section_of("where what is given up goes", redrive_rows());
  static const std::vector<Row<SubscriptionOptions>> rows{
      {{"name", KeyType::name, "by which faults know it; of one that calls also the group that reads it", "",
        true},
       [](const Value& v, SubscriptionOptions& s, const BindContext&) { s.name = v.text; }},
      {{"topic", KeyType::name, "ARN or name", "", true},
       [](const Value& v, SubscriptionOptions& s, const BindContext&) { s.topic = name_of(v.text); }},
      {choice_key("protocol", "what its endpoint is: a queue of [sqs], or a service of [[dependencies]]",
                  "\"sqs\"", {"sqs", "http", "https", "lambda", "firehose"}),
       [](const Value& v, SubscriptionOptions& s, const BindContext&) {
         s.protocol = v.text == "http"       ? Protocol::http
                      : v.text == "https"    ? Protocol::https
                      : v.text == "lambda"   ? Protocol::lambda
                      : v.text == "firehose" ? Protocol::firehose
                                             : Protocol::sqs;
       }},
      {{"endpoint", KeyType::name, "ARN or name of the queue, or name of the dependency", "", true},
       [](const Value& v, SubscriptionOptions& s, const BindContext&) { s.endpoint = name_of(v.text); }},
      {{"FilterPolicy", KeyType::text, "JSON: which messages it gets; all unless given"},
       [](const Value& v, SubscriptionOptions& s, const BindContext&) {
         s.filter_policy = parse_sns_json(v.text, v.place, "FilterPolicy");
       }},
      {choice_key("FilterPolicyScope", "what the policy looks at", "\"MessageAttributes\"",
                  {"MessageAttributes", "MessageBody"}),
       [](const Value& v, SubscriptionOptions& s, const BindContext&) {
         s.filter_policy_scope = v.text == "MessageBody" ? FilterPolicyScope::message_body
                                                         : FilterPolicyScope::message_attributes;
       }},
      {{"RawMessageDelivery", KeyType::boolean, "without SNS's envelope", "false"},
       [](const Value& v, SubscriptionOptions& s, const BindContext&) {
         s.raw_message_delivery = v.boolean;
       }},
      {table_key("RedrivePolicy", "unless given, what is given up is gone", redrive),
       [](const Value& v, SubscriptionOptions& s, const BindContext& c) {
         bind_rows(v, redrive_rows(), s, c);
       }},
      {table_key("DeliveryPolicy", "HTTP/S alone; the topic's unless given", delivery),
       [](const Value& v, SubscriptionOptions& s, const BindContext& c) {
         bind_rows(v, delivery_rows(), s.delivery_policy.emplace(), c);
       }},
      refused<SubscriptionOptions>("SubscriptionRoleArn", "roles are not modelled"),
      refused<SubscriptionOptions>("ReplayPolicy", "archives of FIFO topics are not modelled"),
  };
  return rows;
}

const std::vector<Row<MessageKind>>& message_rows() {
  static const std::vector<Row<MessageKind>> rows{
      unbound<MessageKind>({"name", KeyType::name, "by which paths know it"}),
      {{"share", KeyType::share, "of its messages", "1"},
       [](const Value& v, MessageKind& m, const BindContext&) { m.share = v.number; }},
      {{"MessageAttributes", KeyType::text,
        "JSON: names and values; a text is a String, a number a Number, a list a String.Array"},
       [](const Value& v, MessageKind& m, const BindContext&) {
         m.attributes = parse_sns_json(v.text, v.place, "MessageAttributes");
       }},
      {{"Message", KeyType::text, "JSON: the body, where filter policies look at it"},
       [](const Value& v, MessageKind& m, const BindContext&) {
         m.body = parse_sns_json(v.text, v.place, "Message");
       }},
  };
  return rows;
}

}  // namespace

const std::vector<Row<ServiceOptions>>& sns_rows() {
  static const Section topic = section_of("a topic", topic_rows());
  static const Section subscription = section_of("a subscription", subscription_rows());
  static const std::vector<Row<ServiceOptions>> rows{
      {tables("topics", "the topics", topic),
       [](const Value& v, ServiceOptions& s, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, topic_rows(), s.topics.emplace_back(), c);
       }},
      {tables("subscriptions", "who gets what is published", subscription),
       [](const Value& v, ServiceOptions& s, const BindContext& c) {
         for (const Value& item : v.items)
           bind_rows(item, subscription_rows(), s.subscriptions.emplace_back(), c);
       }},
      {draw_key("latency", "that a Publish is worked on", "\"0s\"", Draws::durations),
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.latency = durations(v); }},
      {draw_key("delivery", "from there to the first attempt to deliver", "\"0s\"", Draws::durations),
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.delivery = durations(v); }},
      {{"endpoint_timeout", KeyType::duration, "that an endpoint may take to answer", "\"15s\""},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.endpoint_timeout = parse_duration(v.text);
       }},
      {{"publishes_per_second", KeyType::integer, "quota: messages of all standard topics (us-east-1)",
        "30000", false, 1, 1e9},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.publishes_per_second = whole<std::uint32_t>(v);
       }},
      {{"fifo_publishes_per_second", KeyType::integer,
        "quota: messages of a FIFO topic, or of each message group with FifoThroughputScope = "
        "\"MessageGroup\"",
        "3000", false, 1, 1e9},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.fifo_publishes_per_second = whole<std::uint32_t>(v);
       }},
      {{"rack", KeyType::name, "of its host"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.rack = v.text; }},
      {{"zone", KeyType::name, "of its host"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.zone = v.text; }},
      {{"region", KeyType::name, "of its host"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.region = v.text; }},
  };
  return rows;
}

const std::vector<Row<PublisherOptions>>& sns_publisher_rows() {
  static const Section message = section_of("a kind of messages", message_rows());
  static const std::vector<Row<PublisherOptions>> rows{
      {{"batch", KeyType::integer, "messages of a PublishBatch; 1: Publish", "1", false, 1, 10},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.batch = whole<std::uint32_t>(v); }},
      {{"batch_open", KeyType::duration, "that the first message of a batch waits for others", "\"200ms\""},
       [](const Value& v, PublisherOptions& p, const BindContext&) {
         p.batch_open = parse_duration(v.text);
       }},
      {{"requests", KeyType::integer, "under way at a time; meanwhile messages wait in the application", "1",
        false, 1, 10'000},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.requests = whole<std::uint32_t>(v); }},
      {tables("messages", "kinds of messages, whose shares add up to 1; one without attributes unless given",
              message),
       [](const Value& v, PublisherOptions& p, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, message_rows(), p.messages.emplace_back(), c);
       }},
      {{"MessageGroupId", KeyType::name, "of all its messages (FIFO topics); their keys unless given"},
       [](const Value& v, PublisherOptions& p, const BindContext&) { p.message_group_id = v.text; }},
      {choice_key("MessageDeduplicationId",
                  "what it is made of (FIFO topics): of the message, or new for each call, the SDK's retries "
                  "among them",
                  "\"message\"", {"message", "call"}),
       [](const Value& v, PublisherOptions& p, const BindContext&) {
         p.new_deduplication_id_each_call = v.text == "call";
       }},
      {{"max_attempts", KeyType::integer, "of a call, the first included (AWS_MAX_ATTEMPTS)", "3", false, 1,
        100},
       [](const Value& v, PublisherOptions& p, const BindContext&) {
         p.sdk.max_attempts = whole<std::uint32_t>(v);
       }},
      {{"backoff", KeyType::duration,
        "before the second attempt, times a number from 0 to 1; twice as much before each next", "\"1s\""},
       [](const Value& v, PublisherOptions& p, const BindContext&) {
         p.sdk.backoff_base = parse_duration(v.text);
       }},
      {{"backoff_max", KeyType::duration, "and never longer than this", "\"20s\""},
       [](const Value& v, PublisherOptions& p, const BindContext&) {
         p.sdk.backoff_max = parse_duration(v.text);
       }},
      {{"attempt_timeout", KeyType::duration, "apiCallAttemptTimeout: so long an answer is waited for",
        "\"30s\""},
       [](const Value& v, PublisherOptions& p, const BindContext&) {
         p.sdk.attempt_timeout = parse_duration(v.text);
       }},
  };
  return rows;
}

Row<models::ProducerOptions> sns_publisher_row() {
  static const Section section = section_of("Publish, PublishBatch", sns_publisher_rows());
  return {table_key("sns", "what it says to SNS, where it is its client", section),
          [](const Value& v, models::ProducerOptions& p, const BindContext& c) {
            bind_rows(v, sns_publisher_rows(), p.sns, c);
          }};
}

}  // namespace experiments
