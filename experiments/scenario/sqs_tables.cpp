#include "experiments/scenario/sqs_tables.hpp"

#include "experiments/errors.hpp"
#include "experiments/scenario/table_parts.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

using models::sqs::DeduplicationScope;
using models::sqs::FifoThroughputLimit;
using models::sqs::MoveOptions;
using models::sqs::QueueOptions;
using models::sqs::ReceiverOptions;
using models::sqs::RedriveAllowPolicy;
using models::sqs::RedrivePolicy;
using models::sqs::SenderOptions;
using models::sqs::ServiceOptions;

/// What SQS has and mqlab does not.
template <class Target>
Row<Target> refused(std::string_view name, std::string_view why) {
  return {{name, KeyType::refused, why}, [](const Value&, Target&, const BindContext&) {}};
}

sim::Duration seconds(const Value& v) {
  return std::chrono::seconds{v.integer};
}

/// "arn:aws:sqs:us-east-1:123456789012:orders-dlq", or the queue's name alone.
std::string queue_name(const std::string& arn) {
  const std::size_t at = arn.rfind(':');
  return at == std::string::npos ? arn : arn.substr(at + 1);
}

const std::vector<Row<RedrivePolicy>>& redrive_rows() {
  static const std::vector<Row<RedrivePolicy>> rows{
      {{"deadLetterTargetArn", KeyType::name, "ARN or name of the dead-letter queue", "", true},
       [](const Value& v, RedrivePolicy& p, const BindContext&) {
         p.dead_letter_queue = queue_name(v.text);
       }},
      {{"maxReceiveCount", KeyType::integer,
        "a message that was received so often goes there when its turn comes again", "", true, 1, 1000},
       [](const Value& v, RedrivePolicy& p, const BindContext&) {
         p.max_receive_count = whole<std::uint32_t>(v);
       }},
  };
  return rows;
}

const std::vector<Row<RedriveAllowPolicy>>& redrive_allow_rows() {
  using Permission = RedriveAllowPolicy::Permission;
  static const std::vector<Row<RedriveAllowPolicy>> rows{
      {choice_key("redrivePermission", "whose dead-letter queue it may be", "\"allowAll\"",
                  {"allowAll", "denyAll", "byQueue"}),
       [](const Value& v, RedriveAllowPolicy& p, const BindContext&) {
         p.permission = v.text == "denyAll"   ? Permission::deny_all
                        : v.text == "byQueue" ? Permission::by_queue
                                              : Permission::allow_all;
       }},
      {{"sourceQueueArns", KeyType::names, "with byQueue: theirs, ten at most"},
       [](const Value& v, RedriveAllowPolicy& p, const BindContext&) {
         for (const std::string& arn : names(v)) p.source_queues.push_back(queue_name(arn));
       }},
  };
  return rows;
}

const std::vector<Row<QueueOptions>>& queue_rows() {
  static const Section redrive = section_of("RedrivePolicy", redrive_rows());
  static const Section allow = section_of("RedriveAllowPolicy", redrive_allow_rows());
  static const std::vector<Row<QueueOptions>> rows{
      {{"name", KeyType::name,
        "QueueName: 80 letters, digits, hyphens and underscores at most; a FIFO queue's ends with .fifo", "",
        true},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.name = v.text; }},
      {{"FifoQueue", KeyType::boolean,
        "order within message groups, and no duplicates of what was sent within five minutes", "false"},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.fifo = v.boolean; }},
      {{"DelaySeconds", KeyType::integer, "s that a message that comes cannot be received", "0", false, 0,
        900},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.delay = seconds(v); }},
      {{"MaximumMessageSize", KeyType::integer, "bytes", "1048576", false, 1024, 1'048'576},
       [](const Value& v, QueueOptions& q, const BindContext&) {
         q.maximum_message_size = whole<std::uint32_t>(v);
       }},
      {{"MessageRetentionPeriod", KeyType::integer,
        "s after its sending that a message is deleted, received or not", "345600", false, 60, 1'209'600},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.retention = seconds(v); }},
      {{"ReceiveMessageWaitTimeSeconds", KeyType::integer,
        "s that a receive waits for a message, unless it says otherwise; 0: short polling", "0", false, 0,
        20},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.receive_wait = seconds(v); }},
      {{"VisibilityTimeout", KeyType::integer, "s that nobody else receives what was received", "30", false,
        0, 43'200},
       [](const Value& v, QueueOptions& q, const BindContext&) { q.visibility_timeout = seconds(v); }},
      {table_key("RedrivePolicy", "where messages go that are received too often; nowhere unless given",
                 redrive),
       [](const Value& v, QueueOptions& q, const BindContext& c) {
         bind_rows(v, redrive_rows(), q.redrive.emplace(), c);
       }},
      {table_key("RedriveAllowPolicy", "of a dead-letter queue", allow),
       [](const Value& v, QueueOptions& q, const BindContext& c) {
         bind_rows(v, redrive_allow_rows(), q.redrive_allow, c);
       }},
      {{"ContentBasedDeduplication", KeyType::boolean,
        "FIFO: the deduplication id is made of the body: that of a message stays the same whenever it is "
        "sent again",
        "false"},
       [](const Value& v, QueueOptions& q, const BindContext&) {
         q.content_based_deduplication = v.boolean;
       }},
      {choice_key("DeduplicationScope", "FIFO: where a deduplication id is known", "\"queue\"",
                  {"queue", "messageGroup"}),
       [](const Value& v, QueueOptions& q, const BindContext&) {
         q.deduplication_scope =
             v.text == "queue" ? DeduplicationScope::queue : DeduplicationScope::message_group;
       }},
      {choice_key("FifoThroughputLimit", "FIFO: what 300 calls of an action a second are for", "\"perQueue\"",
                  {"perQueue", "perMessageGroupId"}),
       [](const Value& v, QueueOptions& q, const BindContext&) {
         q.fifo_throughput_limit = v.text == "perQueue" ? FifoThroughputLimit::per_queue
                                                        : FifoThroughputLimit::per_message_group_id;
       }},
      refused<QueueOptions>("Policy", "who may do what is not modelled: everybody may do everything"),
      refused<QueueOptions>("KmsMasterKeyId", "encryption is not modelled"),
      refused<QueueOptions>("KmsDataKeyReusePeriodSeconds", "encryption is not modelled"),
      refused<QueueOptions>("SqsManagedSseEnabled", "encryption is not modelled"),
  };
  return rows;
}

const std::vector<Row<MoveOptions>>& move_rows() {
  static const std::vector<Row<MoveOptions>> rows{
      {{"SourceArn", KeyType::name, "ARN or name of a dead-letter queue", "", true},
       [](const Value& v, MoveOptions& m, const BindContext&) { m.source = queue_name(v.text); }},
      {{"DestinationArn", KeyType::name, "ARN or name of a queue; each message's own source unless given"},
       [](const Value& v, MoveOptions& m, const BindContext&) { m.destination = queue_name(v.text); }},
      {{"MaxNumberOfMessagesPerSecond", KeyType::integer, "how fast", "500", false, 1, 500},
       [](const Value& v, MoveOptions& m, const BindContext&) { m.rate = whole<std::uint32_t>(v); }},
      {{"at", KeyType::duration, "since the start of the run", "", true},
       [](const Value& v, MoveOptions& m, const BindContext&) { m.at = parse_duration(v.text); }},
  };
  return rows;
}

const std::vector<Row<ServiceOptions>>& quota_rows() {
  static const std::vector<Row<ServiceOptions>> rows{
      {{"standard_in_flight", KeyType::integer,
        "messages of a standard queue in flight: beyond, a short poll is OverLimit", "120000", false, 1, 1e9},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.standard_in_flight = whole<std::uint32_t>(v);
       }},
      {{"fifo_in_flight", KeyType::integer,
        "of a FIFO queue: beyond, nothing is received (20000 before November 2024)", "120000", false, 1, 1e9},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.fifo_in_flight = whole<std::uint32_t>(v);
       }},
      {{"fifo_window", KeyType::integer, "so many of a FIFO queue's first messages are looked at for groups",
        "120000", false, 1, 1e9},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.fifo_window = whole<std::uint32_t>(v);
       }},
      {{"fifo_calls", KeyType::integer,
        "calls of an action a second, of a FIFO queue; or messages sent, of a message group "
        "(FifoThroughputLimit)",
        "300", false, 1, 1e6},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.fifo_calls = whole<std::uint32_t>(v); }},
  };
  return rows;
}

/// What every client of the SDK has.
template <class Options>
std::vector<Row<Options>> with_sdk(std::vector<Row<Options>> rows) {
  rows.push_back(
      {{"max_attempts", KeyType::integer, "of a call, the first included (AWS_MAX_ATTEMPTS)", "3", false, 1,
        100},
       [](const Value& v, Options& o, const BindContext&) { o.sdk.max_attempts = whole<std::uint32_t>(v); }});
  rows.push_back(
      {{"backoff", KeyType::duration,
        "before the second attempt, times a number from 0 to 1; twice as much before each next", "\"1s\""},
       [](const Value& v, Options& o, const BindContext&) { o.sdk.backoff_base = parse_duration(v.text); }});
  rows.push_back(
      {{"backoff_max", KeyType::duration, "and never longer than this", "\"20s\""},
       [](const Value& v, Options& o, const BindContext&) { o.sdk.backoff_max = parse_duration(v.text); }});
  rows.push_back({{"attempt_timeout", KeyType::duration,
                   "apiCallAttemptTimeout: so long an answer is waited for", "\"30s\""},
                  [](const Value& v, Options& o, const BindContext&) {
                    o.sdk.attempt_timeout = parse_duration(v.text);
                  }});
  return rows;
}

}  // namespace

const std::vector<Row<ServiceOptions>>& sqs_rows() {
  static const Section queue = section_of("a queue and its attributes", queue_rows());
  static const Section move =
      section_of("an operator moves dead letters (StartMessageMoveTask)", move_rows());
  static const Section quotas = section_of("what an account is not given more of", quota_rows());
  static const std::vector<Row<ServiceOptions>> rows{
      {tables("queues", "the queues", queue),
       [](const Value& v, ServiceOptions& s, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, queue_rows(), s.queues.emplace_back(), c);
       }},
      {tables("moves", "StartMessageMoveTask", move),
       [](const Value& v, ServiceOptions& s, const BindContext& c) {
         for (const Value& item : v.items) bind_rows(item, move_rows(), s.moves.emplace_back(), c);
       }},
      {table_key("quotas", "what an account is not given more of", quotas),
       [](const Value& v, ServiceOptions& s, const BindContext& c) { bind_rows(v, quota_rows(), s, c); }},
      {draw_key("latency", "how long a call is worked on", "\"0s\"", Draws::durations),
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.latency = durations(v); }},
      {{"servers", KeyType::integer, "on which a standard queue's messages are", "8", false, 1, 64},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.servers = whole<std::uint32_t>(v); }},
      {{"sampled_servers", KeyType::integer, "of these, that a short poll asks", "3", false, 1, 64},
       [](const Value& v, ServiceOptions& s, const BindContext&) {
         s.sampled_servers = whole<std::uint32_t>(v);
       }},
      {{"duplicate_share", KeyType::share,
        "of deletions in standard queues that a server misses, which brings the message back", "0"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.duplicate_share = v.number; }},
      {{"rack", KeyType::name, "of the host sqs/0"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.rack = v.text; }},
      {{"zone", KeyType::name, "of the host sqs/0"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.zone = v.text; }},
      {{"region", KeyType::name, "of the host sqs/0"},
       [](const Value& v, ServiceOptions& s, const BindContext&) { s.region = v.text; }},
  };
  return rows;
}

const std::vector<Row<SenderOptions>>& sqs_sender_rows() {
  using Id = SenderOptions::DeduplicationId;
  static const std::vector<Row<SenderOptions>> rows = with_sdk<SenderOptions>({
      {{"batch", KeyType::integer, "messages of a SendMessageBatch; 1: SendMessage", "1", false, 1, 10},
       [](const Value& v, SenderOptions& s, const BindContext&) { s.batch = whole<std::uint32_t>(v); }},
      {{"batch_open", KeyType::duration,
        "that the first message of a batch waits for others (maxBatchOpenMs)", "\"200ms\""},
       [](const Value& v, SenderOptions& s, const BindContext&) { s.batch_open = parse_duration(v.text); }},
      {{"requests", KeyType::integer, "under way at a time; meanwhile messages wait in the application", "1",
        false, 1, 10'000},
       [](const Value& v, SenderOptions& s, const BindContext&) { s.requests = whole<std::uint32_t>(v); }},
      {{"DelaySeconds", KeyType::integer, "of each message (standard queues); the queue's unless given", "",
        false, 0, 900},
       [](const Value& v, SenderOptions& s, const BindContext&) { s.delay = seconds(v); }},
      {{"MessageGroupId", KeyType::name, "of all its messages (FIFO queues); their keys unless given"},
       [](const Value& v, SenderOptions& s, const BindContext&) { s.message_group_id = v.text; }},
      {choice_key("MessageDeduplicationId",
                  "what it is made of (FIFO queues): of the message, and so the same whenever that is sent "
                  "again; of its "
                  "key; or new for each call of the application",
                  "\"message\"", {"message", "key", "call"}),
       [](const Value& v, SenderOptions& s, const BindContext&) {
         s.deduplication_id = v.text == "message" ? Id::message : v.text == "key" ? Id::key : Id::call;
       }},
      {{"retry_after", KeyType::duration,
        "when the SDK has given a message up the application sends it again after so long; it has failed "
        "unless given"},
       [](const Value& v, SenderOptions& s, const BindContext&) { s.retry_after = parse_duration(v.text); }},
  });
  return rows;
}

const std::vector<Row<ReceiverOptions>>& sqs_receiver_rows() {
  using Delete = ReceiverOptions::Delete;
  static const std::vector<Row<ReceiverOptions>> rows = with_sdk<ReceiverOptions>({
      {{"queue", KeyType::name, "that each member receives from", "", true},
       [](const Value& v, ReceiverOptions& r, const BindContext&) { r.queue = v.text; }},
      {{"MaxNumberOfMessages", KeyType::integer, "of an answer", "1", false, 1, 10},
       [](const Value& v, ReceiverOptions& r, const BindContext&) {
         r.max_messages = whole<std::uint32_t>(v);
       }},
      {{"WaitTimeSeconds", KeyType::integer, "s that a receive waits for a message; the queue's unless given",
        "", false, 0, 20},
       [](const Value& v, ReceiverOptions& r, const BindContext&) { r.wait = seconds(v); }},
      {{"VisibilityTimeout", KeyType::integer,
        "s of what is received, and of each heartbeat; the queue's unless given", "", false, 0, 43'200},
       [](const Value& v, ReceiverOptions& r, const BindContext&) { r.visibility_timeout = seconds(v); }},
      {{"ReceiveRequestAttemptId", KeyType::boolean,
        "FIFO queues: the SDK's retry of a receive gets what the lost answer had in it", "false"},
       [](const Value& v, ReceiverOptions& r, const BindContext&) { r.attempt_ids = v.boolean; }},
      {{"poll_interval", KeyType::duration, "from an empty answer to the next call", "\"0s\""},
       [](const Value& v, ReceiverOptions& r, const BindContext&) {
         r.poll_interval = parse_duration(v.text);
       }},
      {choice_key("delete",
                  "when DeleteMessage is called; after-batch: DeleteMessageBatch, once for each poll",
                  "\"after-processing\"", {"after-processing", "after-batch", "before-processing", "never"}),
       [](const Value& v, ReceiverOptions& r, const BindContext&) {
         r.when = v.text == "after-processing"    ? Delete::after_processing
                  : v.text == "after-batch"       ? Delete::after_batch
                  : v.text == "before-processing" ? Delete::before_processing
                                                  : Delete::never;
       }},
      {{"heartbeat", KeyType::duration,
        "so often the VisibilityTimeout of what is in hand begins anew (ChangeMessageVisibility); never "
        "unless given"},
       [](const Value& v, ReceiverOptions& r, const BindContext&) { r.heartbeat = parse_duration(v.text); }},
      {{"release", KeyType::integer,
        "s after which what a worker has failed on is visible (ChangeMessageVisibility); when its timeout is "
        "over unless "
        "given",
        "", false, 0, 43'200},
       [](const Value& v, ReceiverOptions& r, const BindContext&) { r.release = seconds(v); }},
  });
  return rows;
}

Row<models::ProducerOptions> sqs_sender_row() {
  static const Section section = section_of("SendMessage, SendMessageBatch", sqs_sender_rows());
  return {table_key("sqs", "what it says to SQS, where it is its client", section),
          [](const Value& v, models::ProducerOptions& p, const BindContext& c) {
            bind_rows(v, sqs_sender_rows(), p.sqs, c);
          }};
}

Row<models::GroupOptions> sqs_receiver_row() {
  static const Section section = section_of("ReceiveMessage, DeleteMessage", sqs_receiver_rows());
  return {table_key("sqs", "what its members say to SQS, where they are its clients", section),
          [](const Value& v, models::GroupOptions& g, const BindContext& c) {
            bind_rows(v, sqs_receiver_rows(), g.sqs, c);
          }};
}

}  // namespace experiments
