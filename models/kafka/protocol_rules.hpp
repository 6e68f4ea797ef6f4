// The rules of Kafka's protocol that changed from version to version and decide what is lost, repeated or seen: each with
// its name, the version since which it holds and its effect. `[kafka] version` selects those of a version, `[kafka.rules]`
// switches each by itself.
//
// To add one: an enumerator, its row in protocol_rules.cpp, and has(Rule::…) where the models act on it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace models::kafka {

struct Version {
  std::int32_t major = 4;
  std::int32_t minor = 3;
  constexpr auto operator<=>(const Version&) const = default;
};
inline constexpr Version kNewestVersion{};
/// Of a rule that was proposed and that no release has.
inline constexpr Version kNoVersion{99, 0};

/// The releases that can be asked for, as a scenario writes them, oldest first.
std::span<const std::string_view> known_versions();
/// One of known_versions(); nothing for any other text.
std::optional<Version> parse_version(std::string_view text);

enum class Rule : std::uint8_t {
  leader_epoch_truncation,
  epoch_in_epoch_end,
  fetch_epoch_fencing,
  truncation_on_fetch,
  diverging_fetch_uncredited,
  generation_with_owned,
  lost_before_rejoin,
  rack_aware_assignors,
  strict_min_isr,
  eligible_leader_replicas,
  alter_partition,
  sequence_window,
  renumber_after_earlier,
  abort_before_new_epoch,
  one_high_watermark_read,
  raft_check_quorum,
  raft_pre_vote,
  raft_high_watermark_in_fetch,
  member_id_first,
  sticky_partitioner,
  uniform_sticky_partitioner,
  generation_with_offsets,
  sequences_outlive_metadata,
  answer_before_throttling,
  offsets_of_live_groups_stay,
  static_members,
  fetch_from_followers,
  cooperative_rebalancing,
  fenced_stay_out_of_sync,
  broker_epochs_in_sync,
  epoch_stays_on_shrink,
  consumer_protocol,
  transactions_v2,
  share_groups,
  assignment_epochs,
  leader_hints,
  dated_tombstones,
  recovery_by_epoch,
  leader_stays_on_return,
  delivery_timeout,
  coordinator_threads,
  count_
};

struct RuleInfo {
  Rule rule;
  std::string_view name;      ///< as a scenario writes it
  Version since;              ///< kNoVersion: of none
  std::optional<Rule> needs;  ///< without which it has no effect
  std::string_view source;    ///< KIP or issue
  std::string_view effect;
};
/// One row a rule, in order of the enumeration.
std::span<const RuleInfo> rule_catalogue();

/// The rules that a cluster and its clients go by. All brokers and clients are of one version.
class ProtocolRules {
 public:
  ProtocolRules() : ProtocolRules(kNewestVersion) {}
  explicit ProtocolRules(Version version);

  /// In force: switched on, and so is what it needs.
  bool has(Rule rule) const { return in_force_[index(rule)]; }
  /// A leader knows what its followers hold: none is elected cleanly that lacks what was shown.
  bool offsets_count() const {
    return has(Rule::epoch_in_epoch_end) &&
           (has(Rule::diverging_fetch_uncredited) || !has(Rule::truncation_on_fetch));
  }
  void set(Rule rule, bool on);

 private:
  static constexpr std::size_t kRules = static_cast<std::size_t>(Rule::count_);
  static constexpr std::size_t index(Rule rule) { return static_cast<std::size_t>(rule); }

  std::array<bool, kRules> on_{};
  std::array<bool, kRules> in_force_{};
};

}  // namespace models::kafka
