#include "models/kafka/mirror/mirror_keys.hpp"

#include "models/kafka/config_table.hpp"

namespace models::kafka {
namespace {

using namespace config_table;
using M = MirrorConfig;

Error set_policy(M& config, std::string_view text) {
  constexpr std::string_view kPackage = "org.apache.kafka.connect.mirror.";
  if (text.starts_with(kPackage)) text.remove_prefix(kPackage.size());
  if (text != "DefaultReplicationPolicy" && text != "IdentityReplicationPolicy")
    return "'" + std::string(text) + "' is neither DefaultReplicationPolicy nor IdentityReplicationPolicy";
  config.identity_policy = text == "IdentityReplicationPolicy";
  return std::nullopt;
}

constexpr auto kMirrorKeys = std::to_array<Key<M>>({
    {"tasks.max", "int", "1", integer<&M::tasks_max, 1, 1000, M>},
    {"replication.policy.class", "class", "DefaultReplicationPolicy", set_policy},
    {"replication.factor", "int", "2", integer<&M::replication_factor, 1, 32767, M>},
    {"offset.lag.max", "long", "100", integer<&M::offset_lag_max, 0, kInt64Max, M>},
    {"emit.checkpoints.interval.seconds", "s", "60",
     span<&M::emit_checkpoints_interval, 1, 1'000'000'000, M>},
    {"sync.group.offsets.enabled", "bool", "false", boolean<&M::sync_group_offsets_enabled, M>},
    {"sync.group.offsets.interval.seconds", "s", "60",
     span<&M::sync_group_offsets_interval, 1, 1'000'000'000, M>},
    {"offset.flush.interval.ms", "ms", "60000", span<&M::offset_flush_interval, 1, 1'000'000, M>},
    {"topics", "list", ".*", nullptr, "`topics` of the mirror names them"},
    {"groups", "list", ".*", nullptr, "all groups of the source but mirrors' own"},
    {"exactly.once.source.support", "string", "disabled", nullptr, "tasks write without transactions"},
    {"emit.checkpoints.enabled", "bool", "true", nullptr,
     "sync.group.offsets.enabled is what has an effect here"},
    {"emit.offset-syncs.enabled", "bool", "true", nullptr, "offset syncs are always written"},
    {"offset-syncs.topic.location", "string", "source", nullptr, "offset syncs are no topic here"},
    {"refresh.topics.interval.seconds", "s", "600", nullptr, "remote topics are there from the beginning"},
    {"refresh.groups.interval.seconds", "s", "600", nullptr, "groups are known from the beginning"},
    {"sync.topic.configs.enabled", "bool", "true", nullptr,
     "remote topics have the defaults of their cluster"},
    {"sync.topic.acls.enabled", "bool", "true", nullptr, "nobody is authenticated"},
    {"emit.heartbeats.enabled", "bool", "true", nullptr, "the heartbeats topic is not modelled"},
});

}  // namespace

std::optional<ConfigError> set(MirrorConfig& config, std::string_view key, std::string_view value) {
  return config_table::set(kMirrorKeys, KeyScope::mirror, config, key, value);
}

void append_mirror_keys(std::vector<KeyInfo>& rows) {
  config_table::append_rows(rows, KeyScope::mirror, kMirrorKeys);
}

}  // namespace models::kafka
