// What applications do, in plain data: how messages arise at a producer, and what a group of consumers does
// with them. The broker's own client settings (`config`) ride along.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/kafka/config.hpp"
#include "models/rabbitmq/options.hpp"
#include "models/schema/options.hpp"
#include "models/sns/options.hpp"
#include "models/sqs/options.hpp"
#include "sim/arrivals.hpp"
#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models {

/// Keys are ranks 0..count-1; the key's bytes are `prefix` followed by the rank in decimal ("user17").
struct KeyOptions {
  sim::Distribution rank = sim::Distribution::constant(0);  ///< draws a rank
  std::uint32_t count = 0;                                  ///< 0: null keys
  std::string prefix = "k";
  /// False: the application knows the key, the record carries none (order per key is still judged).
  bool on_wire = true;
  /// Whether records carry keys: then these decide on the partition.
  bool in_records() const { return count > 0 && on_wire; }
};

/// A closed loop: `outstanding` messages are under way; each next one is sent `think` after the
/// acknowledgement of its predecessor.
struct ClosedLoop {
  std::uint32_t outstanding = 1;
  sim::Distribution think = sim::Distribution::constant(0);  ///< ns
};

/// A producer's own transactions: what it sends between two commits is one.
struct TransactionOptions {
  sim::Duration every{};  ///< from the end of one commit to the beginning of the next; send() waits meanwhile
  double aborts = 0;      ///< the share that the application aborts instead
};

/// Where an application's instances go on when theirs are given up (fault "failover"): others, which stand by until then.
struct FailoverOptions {
  std::string cluster;  ///< of which they are clients; may be the same
  std::string rack, zone, region;
};

/// What stands between an application's messages and send(): who is let in, and what waits there.
struct AdmissionOptions {
  /// A token bucket: admits at most rate * t + burst messages in any time t, and refuses the others. 0: no bound.
  double rate = 0;  ///< messages a second
  double burst = 1;
  /// Messages of an application that is not critical are refused while a group's lag is high: from the moment at which it is
  /// seen above `above` until it is seen below `below`.
  struct Shed {
    std::string group;
    std::int64_t above = 0;  ///< records
    std::int64_t below = 0;
    sim::Duration every = std::chrono::seconds{1};  ///< how often the lag is looked at
  };
  std::optional<Shed> shed;
  /// The application's own queue before send(), which fills while send() blocks.
  struct Buffer {
    enum class Overflow : std::uint8_t { block, fail, drop_oldest, drop_newest };
    std::uint32_t messages = 1000;
    Overflow overflow = Overflow::block;
  };
  std::optional<Buffer> buffer;
};

struct ProducerOptions {
  std::string name;
  std::string cluster = "kafka";
  std::string to;               ///< topic; of RabbitMQ an exchange or a queue; of SQS a queue
  std::uint32_t instances = 1;  ///< more than one: "name/0", "name/1" …, each with these arrivals
  std::optional<sim::ArrivalProcess> arrivals;  ///< open loop …
  std::optional<ClosedLoop> closed_loop;        ///< … or closed
  std::uint64_t messages = 0;                   ///< stop after so many; 0: until `duration`
  KeyOptions keys;
  std::string same_keys_as;  ///< another producer, whose keys these are as well; empty: none
  /// Share of messages without a value: in a compacted topic each deletes its key.
  double tombstones = 0;
  sim::Distribution size = sim::Distribution::constant(100);  ///< bytes of value and key
  sim::Duration clock_ahead{};                                ///< of the brokers' clocks; negative: behind
  bool resend = false;  ///< the application sends a message again when its callback reports a failure
  /// An application that remembers (a table of what is to be sent): after a restart it sends again, as new
  /// messages, those that had been routed and not reported as successes. Open loops only.
  bool resend_after_restart = false;
  std::optional<TransactionOptions> transactions;
  std::optional<AdmissionOptions> admission;
  std::optional<schema::ClientOptions> schema;  ///< what it writes with; none: values without one
  std::string host, rack;                       ///< where it runs; empty: a host of its own
  std::string zone, region;
  std::optional<FailoverOptions> failover;
  kafka::ProducerConfig config;
  rabbitmq::PublisherOptions rabbitmq;  ///< where its cluster is RabbitMQ's, in place of `config`
  sqs::SenderOptions sqs{};             ///< where its cluster is SQS, in place of `config`
  sns::PublisherOptions sns{};          ///< where its cluster is SNS, likewise
};

enum class CommitMode : std::uint8_t {
  automatic,          ///< "auto": enable.auto.commit, inside poll()
  after_processing,   ///< commitSync after each poll's records are processed
  before_processing,  ///< commitSync before the first record is processed; when it fails the poll is dropped
  each_record,        ///< commitSync after each record
  asynchronous,       ///< commitAsync after each poll's records are processed
  in_transaction,  ///< sendOffsetsToTransaction: committed with what the poll's records were transformed into
  stored,  ///< librdkafka's enable.auto.offset.store=false: auto-commit of what the application has marked as done
  with_effect,  ///< the application's database holds the offset: one transaction for effect and offset, sought on assignment
  completed,  ///< of work handed to threads: every auto.commit.interval.ms, up to the first record that is not done
};

/// Work handed to other threads: poll() returns at once and goes on, `auto` then commits what is not yet
/// done.
struct HandOff {
  enum class Order : std::uint8_t {
    none,       ///< any thread takes the next record
    key,        ///< of a partition's records of one key, one is worked on at a time, the oldest first
    partition,  ///< of a partition's records
  };
  /// What happens to records beyond `buffer`.
  enum class Overflow : std::uint8_t {
    pause,        ///< none come: consumption is paused while another poll might not fit
    drop_oldest,  ///< they take the place of the oldest that wait
    drop_newest,  ///< they are left out
  };
  std::uint32_t threads = 1;
  Order order = Order::none;
  std::uint32_t buffer = 0;  ///< records handed over and not done, at most; 0: no bound
  Overflow overflow = Overflow::pause;
};

/// A circuit breaker around the calls of one process (Resilience4j's CircuitBreakerConfig and its defaults).
struct BreakerOptions {
  double failure_rate = 0.5;      ///< of the last calls, from which on it opens
  std::uint32_t window = 100;     ///< so many calls
  std::uint32_t min_calls = 100;  ///< before that it never opens
  sim::Duration open = std::chrono::seconds{60};
  std::uint32_t half_open_calls = 10;  ///< let through then, to see
  /// While it is open: consumption is paused, and records wait; or calls fail at once, as any other failure.
  bool pauses = true;
};

/// Messages that the application cannot process: an exception, at the end of their service time.
struct PoisonOptions {
  enum class Then : std::uint8_t {
    skip,  ///< it is logged and left out
    release,  ///< given back, to be delivered again: AcknowledgeType.RELEASE of a share group, basic.nack with requeue
    reject,   ///< refused for good: AcknowledgeType.REJECT of a share group, basic.reject without requeue
    crash,    ///< nobody catches the exception: the process dies, and a supervisor starts it again
    hand_on,  ///< it is written to the topic `to`
  };
  double share = 0;                                 ///< of all messages
  std::uint32_t failures = 0;                       ///< so often, then it succeeds; 0: always
  std::int32_t retries = 0;                         ///< in place, before anything else is done; -1: for ever
  sim::Duration backoff = std::chrono::seconds{1};  ///< before each retry
  Then then = Then::skip;                           ///< after the last
  std::string to{};                                 ///< of hand_on: a retry topic …
  bool dead_letter = false;                         ///< … or the end of it
  sim::Duration restart = std::chrono::seconds{5};  ///< from a crash to the next start
};

/// What processing a record calls, once its own service time is over.
struct CallOptions {
  std::string to;                                          ///< a dependency
  sim::Duration timeout = std::chrono::seconds{1};         ///< of each attempt
  std::uint32_t attempts = 3;                              ///< 0: for ever
  sim::Duration backoff = std::chrono::milliseconds{500};  ///< before the second attempt
  double multiplier = 1;                                   ///< from one to the next
  sim::Duration backoff_max = std::chrono::seconds{60};
  double jitter = 0;         ///< each is drawn within so much of itself to either side
  std::string dead_letters;  ///< topic for records whose attempts are used up; empty: they are left out
  PoisonOptions::Then then = PoisonOptions::Then::skip;  ///< of a queue's messages: skip, release or reject
  std::optional<BreakerOptions> breaker;
};

/// A service that groups call: a program on a host of its own. To crash it or to pause it is an outage.
/// Model: what a call takes on the way is said here (`latency`), and it is not lost there; of connections only those to a
/// process that is down are refused.
struct DependencyOptions {
  std::string name;
  sim::Distribution service = sim::Distribution::constant(0);  ///< ns a call
  std::uint32_t concurrency = 1;                               ///< calls worked on at a time
  std::uint32_t queue = 1000;                                  ///< that wait; more are refused
  sim::Duration latency{};                                     ///< one way
  std::string rack, zone, region;
};

/// Members are started and stopped by the group's lag (as KEDA's kafka scaler and a Kubernetes HPA do).
struct AutoscaleOptions {
  std::uint32_t min = 1;  ///< members, also at the start; `members` is the most
  std::int64_t lag_per_member =
      1000;  ///< records: wanted are lag / lag_per_member, at most as many as partitions
  sim::Duration every = std::chrono::seconds{15};        ///< how often it looks
  sim::Duration up_after{};                              ///< at least between a step and the next one up …
  sim::Duration down_after = std::chrono::seconds{300};  ///< … and down: so long must fewer have been enough
};

/// A table of processed messages beside the effect, in the application's own database (idempotent consumer).
enum class ProcessedIds : std::uint8_t {
  none,
  with_effect,   ///< written in the effect's transaction
  after_effect,  ///< in a transaction of its own, after the effect's
  before_effect  ///< in a transaction of its own, before the effect's
};

/// The outside effect of each message ("the charge"), applied when its processing ends.
struct EffectOptions {
  bool idempotency_key = false;  ///< the other side recognises a repeated message and leaves it out
  ProcessedIds processed_ids = ProcessedIds::none;
  /// It carries the generation in which its member was given the partition; the other side refuses one that is lower than one it
  /// has seen of that partition.
  bool fencing_token = false;
};

/// Consume, transform, produce: each record processed is made into one message, which is sent to the partition of the same
/// number of another topic (as TransactionalMessageCopier of Kafka's system tests does). A poll's messages are sent when all of
/// its records have been processed; its offsets are committed when they have been acknowledged, or with them in a transaction.
struct TransformOptions {
  std::string to;                                             ///< topic
  sim::Distribution size = sim::Distribution::constant(100);  ///< bytes of value and key
  /// In transactions: the share that the application aborts, to do it again (--enable-random-aborts).
  double aborts = 0;
  kafka::ProducerConfig config;
};

/// What the group is to its coordinator.
enum class GroupType : std::uint8_t {
  consumer,  ///< each partition is one member's (group.protocol says how)
  share,     ///< partitions are shared, records are acquired and acknowledged one by one (KIP-932)
};

/// Tumbling windows (TimeWindows.ofSizeAndGrace): a record counts in the window that its timestamp lies in, unless that is over.
struct WindowOptions {
  sim::Duration size = std::chrono::minutes{1};
  sim::Duration grace{};                     ///< a window is over so long after its end
  std::optional<sim::Duration> retention{};  ///< how long a store keeps one; size + grace unless given
};

/// A Streams application: each record is counted, and the change of the count is written to the changelog (transform.to).
struct StreamsOptions {
  std::optional<WindowOptions> windows;  ///< counts are of a key and a window; none: of a key
  sim::Duration restore =
      std::chrono::microseconds{5};  ///< to bring one record of the changelog into a store
  kafka::StreamsConfig config;
};

struct GroupOptions {
  std::string name;
  GroupType type = GroupType::consumer;
  std::string cluster = "kafka";
  std::vector<std::string> topics;
  std::uint32_t members = 1;
  sim::Distribution service = sim::Distribution::constant(0);  ///< ns a record
  CommitMode commit = CommitMode::automatic;
  /// CommitMode::stored: what is stored of a partition counts only while it is assigned (librdkafka 1.9); false: also what
  /// was stored after its revocation, once it is assigned again.
  bool reset_stored_offsets = true;
  std::optional<HandOff> hand_off;
  std::optional<EffectOptions> effect;
  std::optional<TransformOptions> transform;
  std::optional<StreamsOptions> streams;
  std::optional<PoisonOptions> poison;
  /// The application is that of another group, and this one reads what that one has handed on (Spring's retry topics: a listener
  /// container and a group for each): what becomes of a record there is what becomes of it for the other.
  std::string part_of{};
  /// It begins with a record only once that is of this age (Spring's backoff of a retry topic).
  sim::Duration delay{};
  std::optional<schema::ClientOptions> schema;  ///< what it reads with, of each topic whose values have one
  std::optional<CallOptions> calls;
  std::optional<AutoscaleOptions> autoscale;
  /// It keeps a table: of each key the last value that it has processed; a tombstone deletes it.
  bool materialise = false;
  /// Of a share group: so often the application renews the locks of what it has in hand (AcknowledgeType.RENEW).
  std::optional<sim::Duration> renew;
  std::string rack, zone, region;
  std::vector<std::string> racks;  ///< of the members in turn, in place of `rack`
  std::optional<FailoverOptions> failover;
  sim::Duration start{};    ///< when the members start
  sim::Duration stagger{};  ///< between the starts of successive members
  kafka::ConsumerConfig config;
  rabbitmq::SubscriberOptions
      rabbitmq;  ///< where its cluster is RabbitMQ's, in place of `topics`, `commit` and `config`
  sqs::ReceiverOptions sqs{};  ///< where its cluster is SQS, likewise
};

}  // namespace models
