// Amazon SQS and what its clients ask of it, as plain data. Names and defaults are those of its API (CreateQueue, SendMessage,
// ReceiveMessage …) and of the AWS SDKs' standard retry mode.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models::sqs {

// What SQS does not let anybody exceed (SQSDeveloperGuide, quotas-messages, quotas-queues, quotas-fifo).
inline constexpr std::uint32_t kBatchMost = 10;  ///< entries of a request, messages of an answer
inline constexpr std::uint32_t kSizeMost = 1024 * 1024;
inline constexpr sim::Duration kVisibilityMost =
    std::chrono::hours{12};  ///< of one receive, extensions included
inline constexpr sim::Duration kDelayMost = std::chrono::minutes{15};
inline constexpr sim::Duration kWaitMost = std::chrono::seconds{20};
inline constexpr sim::Duration kDeduplicationInterval = std::chrono::minutes{5};

struct RedrivePolicy {
  std::string dead_letter_queue{};      ///< the name in deadLetterTargetArn
  std::uint32_t max_receive_count = 0;  ///< maxReceiveCount
};

/// Whose dead letters a queue takes.
struct RedriveAllowPolicy {
  enum class Permission : std::uint8_t { allow_all, deny_all, by_queue };
  Permission permission = Permission::allow_all;  ///< redrivePermission
  std::vector<std::string> source_queues{};       ///< the names in sourceQueueArns
};

enum class DeduplicationScope : std::uint8_t { queue, message_group };
enum class FifoThroughputLimit : std::uint8_t { per_queue, per_message_group_id };

struct QueueOptions {
  std::string name{};
  bool fifo = false;                         ///< FifoQueue
  bool content_based_deduplication = false;  ///< ContentBasedDeduplication
  DeduplicationScope deduplication_scope = DeduplicationScope::queue;
  FifoThroughputLimit fifo_throughput_limit = FifoThroughputLimit::per_queue;
  sim::Duration delay{};                                        ///< DelaySeconds
  std::uint32_t maximum_message_size = kSizeMost;               ///< MaximumMessageSize
  sim::Duration retention = std::chrono::hours{4 * 24};         ///< MessageRetentionPeriod
  sim::Duration receive_wait{};                                 ///< ReceiveMessageWaitTimeSeconds
  sim::Duration visibility_timeout = std::chrono::seconds{30};  ///< VisibilityTimeout
  std::optional<RedrivePolicy> redrive{};
  RedriveAllowPolicy redrive_allow{};
};

/// StartMessageMoveTask: an operator moves what is in a dead-letter queue.
struct MoveOptions {
  std::string source{};
  std::string destination{};  ///< empty: each message to the queue it came from
  sim::Duration at{};         ///< since the start of the run
  /// MaxNumberOfMessagesPerSecond. Model: "system optimized", where none is given, is the most that may be given.
  std::uint32_t rate = 500;
};

struct ServiceOptions {
  std::vector<QueueOptions> queues{};
  std::vector<MoveOptions> moves{};
  /// How long a request is worked on.
  sim::Distribution latency = sim::Distribution::constant(0);
  // Model: AWS tells neither of how many servers a standard queue's messages are on, nor how many of them a short poll asks
  // ("a weighted random distribution", sqs-short-and-long-polling).
  std::uint32_t servers = 8;          ///< of a standard queue
  std::uint32_t sampled_servers = 3;  ///< that a short poll asks
  /// Of deletions in a standard queue, the share that one of the servers misses, which holds a copy: the message comes back
  /// when its visibility timeout is over (standard-queues-at-least-once-delivery).
  double duplicate_share = 0;
  std::uint32_t standard_in_flight = 120'000;  ///< messages of a queue, at most
  std::uint32_t fifo_in_flight = 120'000;
  std::uint32_t fifo_window =
      120'000;  ///< how many messages of a FIFO queue are looked at for groups to receive from
  std::uint32_t fifo_calls = 300;  ///< of an API action a second, of a FIFO queue or of a message group
  std::string rack{}, zone{}, region{};
};

/// The SDK's client (retry mode "standard").
struct SdkOptions {
  std::uint32_t max_attempts = 3;  ///< of each request, the first included
  sim::Duration backoff_base =
      std::chrono::seconds{1};  ///< times 2 from one to the next, times a number from 0 to 1 …
  sim::Duration backoff_max = std::chrono::seconds{20};      ///< … and never longer than this
  sim::Duration attempt_timeout = std::chrono::seconds{30};  ///< apiCallAttemptTimeout
};

/// What a producer says to SQS.
struct SenderOptions {
  SdkOptions sdk{};
  std::uint32_t batch = 1;  ///< messages of a SendMessageBatch; 1: SendMessage
  sim::Duration batch_open =
      std::chrono::milliseconds{200};    ///< that the first of them waits for others (maxBatchOpenMs)
  std::uint32_t requests = 1;            ///< under way at a time; then messages wait in the application
  std::optional<sim::Duration> delay{};  ///< DelaySeconds of each message; none: the queue's
  std::string message_group_id{};        ///< of all messages; empty: their keys are their groups
  /// What a MessageDeduplicationId is made of: of the message, so that it stays the same whenever it is sent again; of its key
  /// alone; or a new one for each call.
  enum class DeduplicationId : std::uint8_t { message, key, call };
  DeduplicationId deduplication_id = DeduplicationId::message;
  /// When the SDK has given up the application keeps the message, and sends it again after so long; none: it has failed.
  std::optional<sim::Duration> retry_after{};
};

/// What a group's members say to SQS.
struct ReceiverOptions {
  SdkOptions sdk{};
  std::string queue{};
  std::uint32_t max_messages = 1;       ///< MaxNumberOfMessages
  std::optional<sim::Duration> wait{};  ///< WaitTimeSeconds; none: the queue's
  std::optional<sim::Duration>
      visibility_timeout{};       ///< VisibilityTimeout of what is received; none: the queue's
  sim::Duration poll_interval{};  ///< from an empty answer to the next call
  enum class Delete : std::uint8_t { after_processing, after_batch, before_processing, never };
  Delete when = Delete::after_processing;
  /// So often what a member has in hand is made invisible for `visibility_timeout` again (ChangeMessageVisibility).
  std::optional<sim::Duration> heartbeat{};
  /// What a worker fails on and does not delete is made visible after so long (ChangeMessageVisibility); none: it is left alone,
  /// until its visibility timeout is over.
  std::optional<sim::Duration> release{};
  bool attempt_ids = false;  ///< ReceiveRequestAttemptId: what an answer that was lost had in it comes again
};

}  // namespace models::sqs
