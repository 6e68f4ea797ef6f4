// Cures of the swarm that are one rule of Kafka's protocol each (models/kafka/protocol_rules.hpp): taken back, that rule alone is
// off, and what needs it.
//
// Those that decide what is lost, repeated or seen list what they keep from happening; where it takes a chain of events that
// random worlds seldom bring, the row says so (rarely), and a catalogue scenario shows it. Those that decide only when things
// happen list nothing: without them, too, nothing goes wrong.
#pragma once

#include <vector>

#include "tests/models/proof/swarm_cures.hpp"

namespace proof {
namespace detail {

using models::kafka::Rule;

template <Rule R>
void without(models::Scenario& s) {
  s.kafka->rules.set(R, false);
}
template <Rule R>
bool has(const models::Scenario& s) {
  return s.kafka->rules.has(R);
}

/// What follows when logs of replicas part, or acknowledged records are cut off: the internal topics' are among them.
inline const std::vector<Verdict> kLogsPart =
    with(kLogLoss, {Verdict::duplicate,         Verdict::log_duplicate,     Verdict::nonmonotonic_send,
                    Verdict::int_send_skip,     Verdict::reordered_in_log,  Verdict::reordered_per_key,
                    Verdict::skipped,           Verdict::effect_duplicated, Verdict::in_flight,
                    Verdict::aborted_read,      Verdict::output_duplicated, Verdict::output_missing,
                    Verdict::event_lost,        Verdict::saga_stuck,        Verdict::expired,
                    Verdict::int_poll_skip,     Verdict::table_wrong,       Verdict::resurrected,
                    Verdict::saga_inconsistent, Verdict::event_invented});

template <Rule R>
Cure parts_logs(const char* name) {
  return {name, without<R>, kLogsPart, true, has<R>, true};
}
/// Decides when, or by whom, and nothing else.
template <Rule R>
Cure changes_times(const char* name) {
  return {name, without<R>, {}, false, has<R>, true};
}

/// Whose leader is succeeded twice while it is away.
inline void lead_again(models::Scenario& s) {
  s.kafka->config.min_insync_replicas = 1;
  for (int i = 0; i < 3 && s.kafka->brokers > 1; ++i) {
    s.faults.push_back(strike("crash", i % 2 == 0 ? "kafka/0" : "kafka/1", 2s + i * 1500ms, 1s));
  }
}

}  // namespace detail

inline const std::vector<Cure>& rule_cures() {
  using detail::changes_times;
  using detail::has;
  using detail::parts_logs;
  using models::Verdict;
  using models::kafka::Rule;
  static const std::vector<Cure> kRows{
      // hw_truncation_loss, hw_divergence
      {"rule leader_epoch_truncation",
       [](models::Scenario& s) {
         detail::without<Rule::leader_epoch_truncation>(s);
         detail::lead_again(s);
       },
       detail::kLogsPart, true, has<Rule::leader_epoch_truncation>, true},
      parts_logs<Rule::epoch_in_epoch_end>("rule epoch_in_epoch_end"),    // fast_failover_divergence
      parts_logs<Rule::fetch_epoch_fencing>("rule fetch_epoch_fencing"),  // zombie_fetcher
      parts_logs<Rule::diverging_fetch_uncredited>(
          "rule diverging_fetch_uncredited"),  // diverging_epoch_credit
      parts_logs<Rule::fenced_stay_out_of_sync>("rule fenced_stay_out_of_sync"),
      parts_logs<Rule::broker_epochs_in_sync>("rule broker_epochs_in_sync"),
      parts_logs<Rule::strict_min_isr>("rule strict_min_isr"),  // last_replica_standing
      // no_dedup_window
      {"rule sequence_window",
       [](models::Scenario& s) {
         detail::without<Rule::sequence_window>(s);
         models::FaultSpec lost = strike("response-loss", "kafka/0", 2s, 2s);
         s.faults.push_back(lost);
       },
       {Verdict::duplicate, Verdict::log_duplicate, Verdict::nonmonotonic_send, Verdict::int_send_skip,
        Verdict::reordered_in_log, Verdict::reordered_per_key, Verdict::output_duplicated,
        Verdict::output_missing, Verdict::event_lost, Verdict::saga_stuck, Verdict::in_flight,
        Verdict::unseen},
       true,
       has<Rule::sequence_window>,
       true},
      // lso_race
      {"rule one_high_watermark_read",
       detail::without<Rule::one_high_watermark_read>,
       {Verdict::aborted_read, Verdict::table_wrong, Verdict::resurrected, Verdict::duplicate,
        Verdict::log_duplicate},
       false,
       any_transactions,
       true},
      // coop_dual_owner: the assignor fails, and the group stands still
      {"rule generation_with_owned",
       detail::without<Rule::generation_with_owned>,
       {Verdict::in_flight, Verdict::unseen, Verdict::reordered_per_key},
       true,
       has<Rule::generation_with_owned>,
       true},
      {"rule lost_before_rejoin",
       detail::without<Rule::lost_before_rejoin>,
       {Verdict::in_flight, Verdict::unseen, Verdict::reordered_per_key, Verdict::poll_skip,
        Verdict::nonmonotonic_poll, Verdict::output_duplicated},
       true,
       has<Rule::lost_before_rejoin>,
       true},
      {"rule generation_with_offsets",
       detail::without<Rule::generation_with_offsets>,
       {Verdict::output_duplicated},
       false,
       any_transactions,
       true},
      {"rule transactions_v2",
       detail::without<Rule::transactions_v2>,
       {Verdict::output_duplicated, Verdict::output_missing, Verdict::in_flight, Verdict::unseen,
        Verdict::aborted_read, Verdict::lost, Verdict::lost_write},
       true,
       any_transactions,
       true},  // delayed_endtxn, hanging_txn
      changes_times<Rule::truncation_on_fetch>("rule truncation_on_fetch"),
      changes_times<Rule::member_id_first>("rule member_id_first"),
      changes_times<Rule::sticky_partitioner>("rule sticky_partitioner"),
      changes_times<Rule::uniform_sticky_partitioner>("rule uniform_sticky_partitioner"),
      changes_times<Rule::answer_before_throttling>("rule answer_before_throttling"),
      changes_times<Rule::offsets_of_live_groups_stay>("rule offsets_of_live_groups_stay"),
      changes_times<Rule::raft_check_quorum>("rule raft_check_quorum"),
      changes_times<Rule::raft_pre_vote>("rule raft_pre_vote"),
      changes_times<Rule::raft_high_watermark_in_fetch>("rule raft_high_watermark_in_fetch"),
      changes_times<Rule::epoch_stays_on_shrink>("rule epoch_stays_on_shrink"),
      changes_times<Rule::assignment_epochs>("rule assignment_epochs"),
      changes_times<Rule::leader_hints>("rule leader_hints"),
      changes_times<Rule::dated_tombstones>("rule dated_tombstones"),
  };
  return kRows;
}

}  // namespace proof
