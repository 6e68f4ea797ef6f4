#include "models/kafka/protocol_rules.hpp"

#include <algorithm>
#include <charconv>

namespace models::kafka {

std::span<const std::string_view> known_versions() {
  static constexpr auto kVersions = std::to_array<std::string_view>(
      {"0.10", "0.11", "1.0", "1.1", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "3.0",
       "3.1",  "3.2",  "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", "3.9", "4.0", "4.1", "4.2", "4.3"});
  return kVersions;
}

std::optional<Version> parse_version(std::string_view text) {
  const auto known = known_versions();
  if (std::find(known.begin(), known.end(), text) == known.end()) return std::nullopt;
  const std::size_t dot = text.find('.');
  Version version;
  std::from_chars(text.data(), text.data() + dot, version.major);
  std::from_chars(text.data() + dot + 1, text.data() + text.size(), version.minor);
  return version;
}

std::span<const RuleInfo> rule_catalogue() {
  static constexpr auto kRows = std::to_array<RuleInfo>({
      {Rule::leader_epoch_truncation,
       "leader_epoch_truncation",
       {0, 11},
       {},
       "KIP-101",
       "a follower truncates to where its last leader epoch ends in its leader's log; without, to its own "
       "high "
       "watermark, which lags"},
      {Rule::epoch_in_epoch_end,
       "epoch_in_epoch_end",
       {2, 0},
       Rule::leader_epoch_truncation,
       "KIP-279",
       "the leader's answer names the epoch that it found, and the follower looks for it in its own log; "
       "without, logs that parted in an epoch that the leader has never seen stay apart"},
      {Rule::fetch_epoch_fencing,
       "fetch_epoch_fencing",
       {2, 1},
       {},
       "KIP-320",
       "requests name the leader epoch that their sender knows, and a leader of another refuses them; "
       "consumers "
       "have their position validated after a change of leader"},
      {Rule::truncation_on_fetch,
       "truncation_on_fetch",
       {2, 7},
       Rule::epoch_in_epoch_end,
       "KIP-595",
       "a fetch names the epoch of the last record fetched, and the answer tells where the logs part; "
       "without, a "
       "follower asks with OffsetForLeaderEpoch before it fetches from a new leader"},
      {Rule::diverging_fetch_uncredited,
       "diverging_fetch_uncredited",
       {3, 0},
       Rule::truncation_on_fetch,
       "KAFKA-13141",
       "a follower whose fetch shows that its log has parted from the leader's is not credited with the "
       "offset it "
       "names; without, that offset counts for the high watermark and the in-sync set"},
      {Rule::generation_with_owned,
       "generation_with_owned",
       {3, 0},
       {},
       "KAFKA-12984",
       "a member of a cooperative-sticky group tells since which generation it owns what it says it owns, "
       "and "
       "of two claims the later counts; without, both do, and the assignor gives a partition to two members "
       "or "
       "fails"},
      {Rule::lost_before_rejoin,
       "lost_before_rejoin",
       {3, 0},
       {},
       "KAFKA-12983",
       "a member that falls out of its group while it joins gives up what it held before it joins again; "
       "without, it goes on with it and claims it"},
      {Rule::rack_aware_assignors,
       "rack_aware_assignors",
       {3, 5},
       {},
       "KIP-881",
       "members tell their client.rack, and their assignors give a partition to a member in the rack of a "
       "replica as far as balance allows"},
      {Rule::strict_min_isr,
       "strict_min_isr",
       {3, 7},
       {},
       "KIP-966 (KAFKA-15583)",
       "the high watermark stands while fewer replicas are in sync than min.insync.replicas"},
      {Rule::eligible_leader_replicas,
       "eligible_leader_replicas",
       {4, 1},
       Rule::strict_min_isr,
       "KIP-966 (eligible.leader.replicas.version 1)",
       "who leaves an in-sync set that is too small may still be elected cleanly, unless it did not shut "
       "down "
       "cleanly; without, the last in-sync replica may, whatever it has lost"},
      {Rule::alter_partition,
       "alter_partition",
       {2, 7},
       {},
       "KIP-497",
       "with ZooKeeper, a leader asks the controller for another in-sync set; without, it writes it to "
       "ZooKeeper itself, and the controller tells the other brokers seconds later"},
      {Rule::sequence_window,
       "sequence_window",
       {0, 11},
       {},
       "KIP-98, KAFKA-5494",
       "a leader knows a producer's last five batches again and acknowledges a repeated one; without, it "
       "answers OUT_OF_ORDER_SEQUENCE_NUMBER to all that does not continue"},
      {Rule::renumber_after_earlier,
       "renumber_after_earlier",
       kNoVersion,
       {},
       "KAFKA-14034 (proposed)",
       "an idempotent producer whose batch has failed for good gives new sequence numbers only when all "
       "batches sent before it are through; without, at once, to those that are being retried as well"},
      {Rule::abort_before_new_epoch,
       "abort_before_new_epoch",
       {0, 11},
       {},
       "librdkafka 1.8.2 (#3575)",
       "an OUT_OF_ORDER_SEQUENCE_NUMBER in a transaction is retried or fails the transaction; without, the "
       "producer "
       "gets a new epoch in its midst, which aborts what it has sent, and goes on"},
      {Rule::one_high_watermark_read,
       "one_high_watermark_read",
       {2, 6},
       {},
       "KAFKA-9807",
       "a fetch of committed data reads the high watermark once; without, twice, and a record that becomes "
       "visible in between is handed out though its transaction is open"},
      {Rule::raft_check_quorum,
       "raft_check_quorum",
       {3, 7},
       {},
       "KAFKA-15489",
       "a controller from which no majority of the quorum has fetched for one and a half fetch timeouts "
       "resigns; without, it goes on until it hears of a successor"},
      {Rule::raft_pre_vote,
       "raft_pre_vote",
       {4, 0},
       {},
       "KIP-996",
       "a controller asks whether it would be elected before it stands; without, one that comes back raises "
       "the epoch, and the active controller loses its office"},
      {Rule::raft_high_watermark_in_fetch,
       "raft_high_watermark_in_fetch",
       {4, 1},
       {},
       "KIP-1166",
       "a broker hears at once that metadata it has fetched are committed; without, with the next record or "
       "after 500 ms"},
      {Rule::member_id_first,
       "member_id_first",
       {2, 2},
       {},
       "KIP-394",
       "a new dynamic member is given its id before it joins; without, a join that is sent anew makes a "
       "second "
       "member, which nobody is"},
      {Rule::sticky_partitioner,
       "sticky_partitioner",
       {2, 4},
       {},
       "KIP-480",
       "messages without a key stay on a partition until its batch is done; without, each goes to the next "
       "partition"},
      {Rule::uniform_sticky_partitioner,
       "uniform_sticky_partitioner",
       {3, 3},
       Rule::sticky_partitioner,
       "KIP-794",
       "they stay until batch.size bytes went there, so that slow brokers get no more than others; without, "
       "until a batch is full or sent"},
      {Rule::generation_with_offsets,
       "generation_with_offsets",
       {2, 5},
       {},
       "KIP-447",
       "offsets that are committed in a transaction are refused to a member of an earlier generation; "
       "without, "
       "only the transactional id fences"},
      {Rule::sequences_outlive_metadata,
       "sequences_outlive_metadata",
       {0, 11},
       {},
       "KIP-98",
       "a producer whose metadata do not name its topic for a while keeps its sequence numbers; without, it "
       "forgets the topic and begins again at 0, which the leader takes for batches that it has"},
      {Rule::answer_before_throttling,
       "answer_before_throttling",
       {2, 0},
       {},
       "KIP-219",
       "who exceeds his quota is answered at once, and then not read from; without, the answer is held back, "
       "and a client may run out of patience meanwhile"},
      {Rule::offsets_of_live_groups_stay,
       "offsets_of_live_groups_stay",
       {2, 1},
       {},
       "KIP-211",
       "committed offsets expire when their group has been empty for offsets.retention.minutes; without, so "
       "long after their commit, though members live and have nothing new to commit"},
      {Rule::static_members,
       "static_members",
       {2, 3},
       {},
       "KIP-345",
       "a member with group.instance.id keeps its place over a restart; without, each process is a new "
       "member"},
      {Rule::fetch_from_followers,
       "fetch_from_followers",
       {2, 4},
       {},
       "KIP-392",
       "with replica.selector.class a consumer is sent to the replica in its rack; without, leaders serve "
       "all"},
      {Rule::cooperative_rebalancing,
       "cooperative_rebalancing",
       {2, 4},
       {},
       "KIP-429",
       "members with the CooperativeStickyAssignor keep what stays theirs in a rebalance; without, they give "
       "up everything first, as with the StickyAssignor"},
      {Rule::fenced_stay_out_of_sync,
       "fenced_stay_out_of_sync",
       {3, 3},
       {},
       "KIP-841",
       "a broker that is fenced, or is being shut down, is let into no in-sync set; without, it is as soon "
       "as "
       "it has caught up, though it could not lead"},
      {Rule::broker_epochs_in_sync,
       "broker_epochs_in_sync",
       {3, 5},
       {},
       "KIP-903",
       "with KRaft, a follower that was restarted is let into the in-sync set by what its present process "
       "has "
       "fetched; without, a request of its leader that was on its way lets it in with what it had before"},
      {Rule::epoch_stays_on_shrink,
       "epoch_stays_on_shrink",
       {3, 6},
       {},
       "KAFKA-15021",
       "with KRaft, the leader epoch stays when an in-sync set shrinks; without, it rises, and all that "
       "fetch and produce are refused until they know"},
      {Rule::consumer_protocol,
       "consumer_protocol",
       {4, 0},
       {},
       "KIP-848",
       "groups with group.protocol=consumer are assigned by their coordinator, member by member; without, "
       "they are classic"},
      {Rule::transactions_v2,
       "transactions_v2",
       {4, 0},
       {},
       "KIP-890",
       "with transaction_version 2 the epoch of a producer rises with every transaction, and brokers name "
       "the partitions; without, late batches may join the next transaction"},
      {Rule::share_groups,
       "share_groups",
       {4, 2},
       {},
       "KIP-932",
       "groups of type share; without, they are refused"},
      {Rule::assignment_epochs,
       "assignment_epochs",
       {4, 3},
       Rule::consumer_protocol,
       "KIP-1251",
       "a commit with an earlier epoch of its member's counts for partitions that it has had since then; "
       "without, it is refused, and what it covers comes again if they move on"},
      {Rule::leader_hints,
       "leader_hints",
       {3, 7},
       {},
       "KIP-951",
       "a broker that does not lead says who does, and clients go there at once; without, they ask for "
       "metadata first"},
      {Rule::dated_tombstones,
       "dated_tombstones",
       {3, 1},
       {},
       "KIP-534",
       "a tombstone stays for delete.retention.ms from the cleaning that first met it; without, as long as "
       "its segment is not that much older than the last one cleaned, which can be for ever"},
      {Rule::recovery_by_epoch,
       "recovery_by_epoch",
       {2, 5},
       {},
       "KIP-360",
       "an idempotent producer that has lost the thread of its sequence numbers raises its epoch and goes "
       "on, and a leader that "
       "knows nothing of a producer takes what comes; without, the producer gets another id, all its batches "
       "with it, or fails, "
       "and the leader answers UNKNOWN_PRODUCER_ID"},
      {Rule::leader_stays_on_return,
       "leader_stays_on_return",
       {3, 2},
       Rule::static_members,
       "KIP-814",
       "a static member that leads its group and is started again is told so, and looks after new "
       "partitions; without, nobody "
       "does until the next rebalance"},
      {Rule::delivery_timeout,
       "delivery_timeout",
       {2, 1},
       {},
       "KIP-91",
       "delivery.timeout.ms bounds the time of a batch from its creation, in flight or not; without, a batch "
       "expires only while it waits unsent, request.timeout.ms after the last append to it, its creation and "
       "linger.ms, or its last attempt and back-off, and `retries` bounds the rest"},
      {Rule::coordinator_threads,
       "coordinator_threads",
       {4, 0},
       {},
       "KIP-848",
       "what a group coordinator does takes its time on group.coordinator.threads, for one partition of "
       "__consumer_offsets after the other; without, on the request handlers' threads"},
  });
  static_assert(kRows.size() == static_cast<std::size_t>(Rule::count_));
  return kRows;
}

ProtocolRules::ProtocolRules(Version version) {
  for (const RuleInfo& row : rule_catalogue()) set(row.rule, version >= row.since);
}

void ProtocolRules::set(Rule rule, bool on) {
  on_[index(rule)] = on;
  // What a rule needs stands above it in the table.
  for (const RuleInfo& row : rule_catalogue()) {
    in_force_[index(row.rule)] = on_[index(row.rule)] && (!row.needs || has(*row.needs));
  }
}

}  // namespace models::kafka
