#include "models/kafka/streams.hpp"

#include "models/kafka/config_table.hpp"

namespace models::kafka {
namespace {

using config_table::Error;
using config_table::integer;
using config_table::Key;
using config_table::span;
using S = StreamsConfig;

Error set_guarantee(StreamsConfig& config, std::string_view text) {
  if (text != "at_least_once" && text != "exactly_once_v2")
    return "'" + std::string(text) + "' is neither at_least_once nor exactly_once_v2";
  config.exactly_once = text == "exactly_once_v2";
  return std::nullopt;
}

constexpr auto kStreamsKeys = std::to_array<Key<S>>({
    {"processing.guarantee", "string", "at_least_once", set_guarantee},
    {"commit.interval.ms", "ms", "30000", span<&S::commit_interval, 0, 1'000'000, S>,
     "100 ms unless given with exactly_once_v2: a transaction then spans it"},
    {"num.standby.replicas", "int", "0", integer<&S::num_standby_replicas, 0, 10'000, S>},
    {"num.stream.threads", "int", "1", nullptr, "one thread each: give the group more members"},
    {"application.id", "string", "", nullptr, "groups go by the name of their table"},
    {"acceptable.recovery.lag", "int", "10000", nullptr, "the assignor does not look at stores"},
    {"max.warmup.replicas", "int", "2", nullptr, "there are no warm-up replicas"},
    {"probing.rebalance.interval.ms", "ms", "600000", nullptr, "there are no warm-up replicas"},
    {"poll.ms", "ms", "100", nullptr, "poll() returns when there is something to be done"},
    {"state.dir", "string", "", nullptr, "stores are on the member's own disk"},
    {"statestore.cache.max.bytes", "bytes", "10485760", nullptr, "each change is written to the changelog"},
});

}  // namespace

std::optional<ConfigError> set(StreamsConfig& config, std::string_view key, std::string_view value) {
  return config_table::set(kStreamsKeys, KeyScope::streams, config, key, value);
}

void append_streams_keys(std::vector<KeyInfo>& rows) {
  config_table::append_rows(rows, KeyScope::streams, kStreamsKeys);
}

void prefer_streams_settings(GroupOptions& group) {
  const StreamsConfig& streams = group.streams->config;
  group.config.max_poll_records = 1000;
  group.config.auto_offset_reset = AutoOffsetReset::earliest;
  group.config.read_committed = streams.exactly_once;
  group.config.partition_assignment_strategy = {Assignor::cooperative_sticky};
  group.commit = streams.exactly_once ? CommitMode::in_transaction : CommitMode::after_processing;
  ProducerConfig& producer = group.transform->config;
  producer.linger = std::chrono::milliseconds{100};
  if (!streams.exactly_once) return;
  producer.delivery_timeout = std::chrono::milliseconds{2147483647};
  producer.transaction_timeout = std::chrono::seconds{10};
}

}  // namespace models::kafka
