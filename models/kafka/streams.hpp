// Kafka Streams' configuration: what of StreamsConfig.java is modelled, and what it makes of the consumer and the producer
// inside.
//
// Each record changes a count in its task's store, and the change is written to the changelog: a group that consumes, transforms
// and produces. at_least_once: what was done since the last commit is done again after a crash, and counted again.
// exactly_once_v2: changes, offsets and what they are made from are one transaction.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/kafka/config.hpp"

namespace models::kafka {

std::optional<ConfigError> set(StreamsConfig& config, std::string_view key, std::string_view value);
void append_streams_keys(std::vector<KeyInfo>& rows);

/// The consumer's and the producer's settings that Streams prefers (CONSUMER_DEFAULT_OVERRIDES, PRODUCER_EOS_OVERRIDES …), and
/// how the group commits. Requires group.streams and group.transform.
void prefer_streams_settings(GroupOptions& group);

}  // namespace models::kafka
