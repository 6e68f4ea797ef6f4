// The vocabulary of the trace, shared by every broker family, checker, metric and exporter.
//
// Fields not named below are 0. "Offsets [a, a+b)" and "seqs [a, a+b)" are half-open ranges. A kind says which verdicts
// and metrics read it; a family uses these kinds before it adds its own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace models {

enum class Kind : std::uint16_t {
  none = 0,

  // ---- messages on their way in -------------------------------------------------------------------------------
  /// actor producer, place partition, peer lane, seqs [a, a+b): the application handed them over and they were routed.
  /// Emitted when their batch closes or is cut short, in order of seq within a lane. Payload: b creation times (ns), then
  /// b keys (-1 for none) if code & kHasKeys.
  /// Reads: ledger (offered), latency, order per key.
  offered,
  /// actor producer, b messages refused before routing, code RefusedCode. Payload: b creation times (ns). Ledger (lane 0).
  refused,
  /// actor producer, place partition, peer lane, seqs [a, a+b), c base offset or -1 (acks=0): success reported to the
  /// application. Ledger (acknowledged), publish latency.
  acknowledged,
  /// as acknowledged, code ErrorCode of the family, c 1 when the record may have been written, 0 when it
  /// surely was not. Ledger (failed).
  failed,
  /// actor producer, peer new lane, seqs [a, a+b) are the application's resend of seqs [c, c+b) of lane payload[0].
  resent,
  /// actor leader, place partition, peer lane, seqs [a, a+b), c base offset. Payload: [leader epoch]. code kOffLine:
  /// appended by a leader that has already been succeeded; no part of the log. code kRestored: stored or truncated before, and
  /// part of the log (again) because its holder was elected before it had cut it off. Ledger (stored), order in the log,
  /// duplicates in the log.
  stored,
  /// actor new leader, place partition, offsets [a, a+b) have left the log, unless restored; c new leader
  /// epoch. Ledger (truncated).
  truncated,
  /// actor leader, place partition, a high watermark. Lag, unseen.
  high_watermark,

  // ---- messages on their way out ------------------------------------------------------------------------------
  /// place partition, peer group, code of kShared where its members share partitions and kMaterialises where it keeps a
  /// table: the group reads this partition; what it never settles of it is in flight or lost.
  /// Emitted when the world is built, before the first message, also for groups whose members start later.
  subscribed,
  /// actor member, place partition, peer group, a next offset to read, b position before (-1 none), code ResetCode.
  /// Ledger (passed, skipped).
  position,
  /// actor member, place partition, peer group, offsets [a, a+b) were handed to the application; c leader epoch of the
  /// last of them (0 where there are none), which tells a record from another that took its offset after a truncation.
  delivered,
  /// actor member, place partition, peer group, offsets [a, a+b), c as delivered: processing finished. code & kArithmetic:
  /// payload is [first finish, step] in ns; else b finish times. Ledger (processed), end-to-end latency, order per key.
  processed,
  /// actor member, place partition, peer group, offsets [a, a+b), c as delivered: the outside effect was applied
  /// (code kApplied) or recognised by its idempotency key and left out (code kSuppressed). Ledger (effect).
  effect,
  /// actor member, place partition, peer group, a committed offset, b committed before (-1 none). Ledger (settled), lag.
  committed,
  /// actor member, place partition, peer group, a offset that was not committed, code ErrorCode of the family.
  commit_refused,

  // ---- who owns what ------------------------------------------------------------------------------------------
  /// actor member, place partition, peer group, a 1 from now on fetchable by this member, 0 no longer; code OwnershipCode.
  ownership,
  /// actor coordinator, peer group, a new state, b generation, code old state (family's numbering, named by the family).
  group_state,
  /// actor member, peer group, code MemberCode, b generation; failed also of a producer with transactions, peer 0. Ledger (a
  /// crash empties the member's hands).
  member_state,
  /// actor new leader (0: none), place partition, a leader epoch, b its log end, code LeaderCode.
  leader_changed,
  /// actor leader, place partition, a partition epoch, b replicas in sync. Payload: their entities.
  isr_changed,
  /// actor broker, code BrokerCode.
  broker_state,
  /// actor client, place partition, a leader epoch: the client learned the new leader. Unavailability.
  client_refreshed,

  // ---- the run ------------------------------------------------------------------------------------------------
  /// actor target, place other end of a link, peer fault entity, code FaultCode, a 1 strikes, 0 heals.
  fault,
  /// code PhaseCode.
  phase,

  // ---- added since --------------------------------------------------------------------------------------------
  /// actor member, place partition, peer group, offsets [a, a+b), c as delivered: handed to the application, which will not
  /// process them. Ledger (in hand).
  abandoned,
  /// actor leader, place partition, peer lane, a offset of the first record of the transaction that ends here (c when it has
  /// none), b c - a, c offset of the marker; code kCommitted or kAborted: what that lane holds in [a, c) counts, or does not.
  /// Ledger (aborted), lag, reads of aborted records.
  transaction_marker,
  /// actor coordinator, b producer id, c epoch, code kCommitted or kAborted: a transaction was decided; or actor producer, code
  /// of models/transaction_codes.hpp: what it knows of its own. Transactions, reads of aborted records.
  transaction_state,
  /// actor member, place partition, peer group, offsets [a, a+b): markers, or records of aborted transactions, which its
  /// consumer did not hand out; code kCompactedAway: the log held nothing there any more. Lag, order of polls, ledger
  /// (compacted).
  left_out,
  /// actor member, peer new lane, seqs [a, a+b) were made of seqs [c, c+b) of lane payload[0] by group payload[1], which
  /// transforms. Outputs.
  derived,
  /// actor broker, place partition, offsets [a, a+b): when the run ended it was in sync and held other records there than the
  /// leader, below its high watermark. Divergence.
  diverged,
  /// actor broker, place partition, offsets [a, a+b) have left the log at its start, c segments were deleted (retention).
  /// Ledger (expired).
  expired,
  /// actor controller of a quorum, a its epoch, b 1 when it becomes active, 0 when it is no longer. Availability.
  controller_changed,
  /// actor leader, place partition, peer share group, offsets [a, a+b): archived, none of them will be delivered again; c how
  /// often they were. Or actor member: it has written them to a dead letter topic, after c attempts. Ledger (dead-lettered).
  archived,
  /// actor producer, peer another producer: their keys are the same. Ledger (order per key).
  same_keys,
  /// actor broker, place partition, a cleaned up to here, b bytes and c records that are gone; code kOffLine: of a replica that
  /// is not the leader's.
  compacted,
  /// actor producer, place partition, peer lane, of seqs [a, a+b) those in the payload have no value: they delete their key.
  /// Tables.
  tombstones,
  /// actor a mirror's group, place partition, peer partition whose records are copied into it, under their identity; without an
  /// actor and with a 1: some of them, as those who read it hand them on. Emitted when the world is built, before any
  /// subscription. Ledger (mirrored).
  mirrors,
  /// place partition, peer group: the group reads it no more, but its copy in another cluster. What it has not processed of it
  /// it will process there, or never. Ledger (lost).
  failed_over,
  /// actor broker, place partition, offsets [a, a+b), c bytes: a segment was copied to remote storage (code kCopied) or could not
  /// be (kCopyFailed), or was removed from there (kRemoteDeleted); or from offset a on a consumer's fetch reads it (kRemoteRead),
  /// or could not (kRemoteReadFailed).
  tiered,
  /// actor caller, place dependency, peer group, a attempt from 1: a call reached a dependency, or its host if no process
  /// listened there. Calls.
  called,
  /// the same, b ns that the caller waited, code CallCode: what it made of that attempt. Calls.
  call_ended,
  /// actor caller, place dependency, peer group, code BreakerCode: its circuit breaker. Calls.
  breaker_state,
  /// actor producer, a messages wait before send(), more than ever before. Admission.
  buffered,
  /// peer group, a members wanted from now on, b before, c the lag that was seen. Scaling.
  scaled,

  // ---- applications with databases of their own ------------------------------------------------------------------
  /// code a type of fact, a FactRole, b the type of what it undoes, or -1, c the types (a bit each) of the events to which the
  /// service with which sagas begin answers by it, or -1 where it does not. Emitted when the world is built. Sagas.
  fact_type,
  /// actor database, place service instance, peer lane of facts, a its seq: a transaction has committed this fact. b aggregate
  /// that it is of, c position in the database's log; code type, with kToBePublished where somebody is to publish it.
  /// Facts, sagas, views.
  fact,
  /// actor producer, peer lane, seqs [a, a+b) say facts [c, c+b) of lane payload[0]. Facts.
  published,
  /// actor service instance, a creation time (ns) of a request, b 1 it was answered, 0 whoever asked has heard nothing.
  /// Requests.
  request,
  /// actor database, place service, peer lane of facts, a seq: a view there has taken this fact in; b aggregate. Views.
  applied,
  /// actor service instance, place service whose view was read, peer lane of facts, a seq of what the reader had written just
  /// before, b 1 the view had it. Views.
  viewed,
  /// actor database, place service instance that decides, a number of a transaction over several participants, code VoteCode.
  /// Commitment.
  vote,

  // ---- schemas, windows ------------------------------------------------------------------------------------------
  /// actor producer or group, place subject, a version of the schema from now on, b before (-1 none); code DeploymentCode.
  /// Versions are numbered from 1 as the scenario lists them. Schemas.
  deployed,
  /// actor who asked (the registry: an operator), place subject, a version, b its id (-1 none), code RegistryCode: what the
  /// schema registry made of it. Schemas.
  registry_answer,
  /// actor member, place partition, peer group, a offset, b version that it was written with (-1: one that no registry knows), c
  /// version that was to read it; code UnreadableCode: an attempt to process it has failed for that. Schemas.
  unreadable,
  /// actor member, place partition, peer group, offsets [a, a+b): processed, and left out of every window, for which they come
  /// too late. Outputs.
  late,
  /// actor who asked (a client, or the controller for an operator), place topic, peer the error by its name, a partitions asked
  /// for, code RefusalCode: the controller has refused to create them. Operations.
  operation_refused,
  /// peer group, a windows of keys that its changelog counts, b of them higher than the messages that were counted, c lower.
  /// Emitted when the run ends. Payload: [by how much the ones are too high together, the others too low]. Outputs.
  window_counts,
  /// place partition, offsets [a, a+b): when the run ended the log held nothing there any more, because compaction had removed
  /// it. Lost write.
  emptied,

  // ---- queues ---------------------------------------------------------------------------------------------------
  // A queue is a place as a partition is; its messages are numbered densely as they are stored. These numbers are the offsets.
  /// actor broker, place queue, peer group, offsets [a, a+b) were sent to member c, and are unacknowledged from now on; code
  /// kRedelivered: they had been sent before, as the flag of basic.deliver says. Ledger (one holder), queue meter.
  dispatched,
  /// actor broker, place queue, peer group, offsets [a, a+b) have left the queue for having been acknowledged, code SettledCode.
  /// Ledger (settled), queue meter.
  settled,
  /// actor broker, place queue, peer group, offsets [a, a+b) are back at their places in the queue, code RequeuedCode.
  /// Ledger (one holder), queue meter.
  requeued,
  /// actor broker, place queue, offsets [a, a+b) have left the queue unacknowledged, code RemovedCode; c 1 where the queue has a
  /// dead letter exchange. Ledger (terminal state), queue meter.
  removed,
  /// actor broker, peer new lane, seqs [a, a+b) are dead letters: copies of offset c of queue payload[0], code RemovedCode.
  /// Ledger.
  republished,
  /// actor broker, place queue, a messages ready, b unacknowledged when the run ends. Ledger (no message in two places or
  /// in none).
  queue_depth,
  /// actor broker, place queue, offsets [a, a+b), c 1: nobody can be sent them yet (DelaySeconds), c 0: now they can. Queue
  /// meter.
  delayed,
  /// actor broker, place queue, c member: it has asked for messages, and was answered that there are none. Queue meter.
  empty_receive,
  /// actor SNS's host, place subscription, peer lane, seqs [a, a+b), code NotificationCode: what has become of messages for
  /// that subscription; those that its filter policy does not let through have no lane. Ledger (dead-lettered), notifications.
  notification,
  /// actor client, place broker, code BlockedCode, a 1 the broker has stopped reading its connection, 0 it reads again. Queue
  /// meter.
  connection_blocked,
  count_,
};

inline constexpr std::uint16_t kHasKeys = 1;        // offered
inline constexpr std::uint16_t kShared = 1;         // subscribed
inline constexpr std::uint16_t kOffLine = 1;        // stored
inline constexpr std::uint16_t kRestored = 2;       // stored
inline constexpr std::uint16_t kTransactional = 4;  // stored: part of a transaction that a marker will end
inline constexpr std::uint16_t kInQueue = 8;        // stored: the place is a queue
inline constexpr std::uint16_t kCommitted = 0;      // transaction_marker, transaction_state
inline constexpr std::uint16_t kAborted = 1;        // transaction_marker, transaction_state
inline constexpr std::uint16_t kArithmetic = 1;     // processed
inline constexpr std::uint16_t kApplied = 0;        // effect
inline constexpr std::uint16_t kSuppressed = 1;     // effect
inline constexpr std::uint16_t kCompactedAway = 1;  // left_out
inline constexpr std::uint16_t kMaterialises = 2;   // subscribed
inline constexpr std::uint16_t kQueue = 4;          // subscribed: the place is a queue
inline constexpr std::uint16_t kRedelivered = 1;    // dispatched

// Of `tiered`.
inline constexpr std::uint16_t kCopied = 0;
inline constexpr std::uint16_t kRemoteDeleted = 1;
inline constexpr std::uint16_t kRemoteRead = 2;
inline constexpr std::uint16_t kCopyFailed = 3;
inline constexpr std::uint16_t kRemoteReadFailed = 4;

/// over_rate: by a token bucket; shed: the lag of a group is too high; dropped: what waited made room for it, or it found none;
/// not_serialised: its schema is not in the registry, which has refused it or does not answer; unroutable: no binding matches;
/// returned: the same, and basic.return has told the application.
enum class RefusedCode : std::uint16_t {
  none,
  buffer_full,
  too_large,
  no_metadata,
  closed,
  over_rate,
  shed,
  dropped,
  not_serialised,
  unroutable,
  returned
};
/// by_ack: its holder said so; automatically: by being sent (no-ack); from_queue: who had held it said so, and it was back in
/// the queue by then.
enum class SettledCode : std::uint16_t { by_ack, automatically, from_queue };
/// holder_gone: its holder's channel has ended; timed_out: its holder did not answer in time (SQS: its visibility timeout was
/// over); undeleted: it was deleted, and a server that had missed that brings it back.
enum class RequeuedCode : std::uint16_t { by_nack, holder_gone, restart, timed_out, undeleted };
/// rejected: basic.reject or basic.nack without requeue; expired: its time to live was over; maxlen: it had to make room;
/// restart: its broker has crashed, and it was in memory alone; delivery_limit: it came back too often; left_behind: its queue
/// goes on elsewhere, without it (a mirror that was not synchronised, the losing side of a split); max_receives: it had been
/// received too often; moved: an operator has it moved to another queue; deleted: with its queue.
enum class RemovedCode : std::uint16_t {
  rejected,
  expired,
  maxlen,
  restart,
  delivery_limit,
  left_behind,
  max_receives,
  moved,
  deleted
};
/// filtered_out: its filter policy does not let them through; delivered: its endpoint has them; redriven: given up, they go to
/// its dead-letter queue; failed: given up, and gone.
enum class NotificationCode : std::uint16_t { filtered_out, delivered, redriven, failed };
/// memory, disk: by an alarm of some node; flow: its channel has no credit left.
enum class BlockedCode : std::uint16_t { memory, disk, flow };
/// accepted: whoever it is writes or reads with it; kept_old: the registry would refuse it, or was not to be had.
enum class DeploymentCode : std::uint16_t { accepted, kept_old };
/// known: it had that one already, or would take it; incompatible: 409; not_found: 404; unreachable: no answer.
enum class RegistryCode : std::uint16_t { registered, known, incompatible, not_found, unreachable };
/// unresolved: Avro's rules do not bring the writer's schema to the reader's; unknown: no schema has that id; no_answer: the
/// registry did not say.
enum class UnreadableCode : std::uint16_t { unresolved, unknown, no_answer };
/// refused: nobody listens; overloaded: it took no more; lost: it died over it; not_permitted: by the caller's own breaker.
enum class CallCode : std::uint16_t { answered, refused, overloaded, lost, timed_out, not_permitted };
enum class BreakerCode : std::uint16_t { closed, open, half_open };
inline constexpr std::uint16_t kToBePublished = 1u << 15;  // fact

enum class FactRole : std::uint16_t { step, succeeds, fails };
enum class VoteCode : std::uint16_t { prepared, committed, aborted };
enum class ResetCode : std::uint16_t { committed, earliest, latest, sought, by_duration };
enum class OwnershipCode : std::uint16_t { assigned, revoked, lost, crashed, closed };
/// failed: its application has ended of an error that nothing mends.
enum class MemberCode : std::uint16_t { joining, joined, left, evicted, fenced, crashed, restarted, failed };
enum class LeaderCode : std::uint16_t { elected, unclean, offline, resigned };
/// shutting_down: the controller has taken its leaderships (a controlled shutdown); stopped: it ended in an orderly way;
/// disk_failed: it is about to end, because its last log directory cannot be written to.
enum class BrokerCode : std::uint16_t {
  registered,
  unfenced,
  fenced,
  crashed,
  restarted,
  shutting_down,
  stopped,
  disk_failed,
};
enum class FaultCode : std::uint16_t {
  crash,
  pause,
  heartbeat_loss,
  link_cut,
  isolate,
  message_loss,
  delay,
  bandwidth,
  response_loss,
  connection_reset,
  join,
  leave,
  restart,
  rolling,
  grow,
  power_loss,
  reassign,
  elect_preferred_leaders,
  delete_records,
  disk_slow,
  disk_stall,
  disk_full,
  failover,
  wrong_schema,
  create_topic,
  disk_loss,
  slowdown,
  clock_skew,
  alter_config,
  elect_unclean_leaders,
  deny_delivery,
};
/// over_quota: it creates more than its share; against_policy: nobody may.
enum class RefusalCode : std::uint16_t { over_quota, against_policy };
enum class PhaseCode : std::uint16_t { started, warmed_up, arrivals_stopped, drained, drain_timed_out };

/// One row per kind: its snake_case name and what its a, b, c hold; for exporters, `list` and `explain`.
struct KindInfo {
  Kind kind;
  std::string_view name;
  std::string_view a, b, c;
};
std::span<const KindInfo> kind_catalogue();
std::string_view kind_name(std::uint16_t kind);

}  // namespace models
