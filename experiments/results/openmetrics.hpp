// What a Prometheus would have scraped of a run, under the names of kafka_exporter, in the OpenMetrics text format: for
// dashboards and alerts that one has already. `promtool tsdb create-blocks-from openmetrics` reads it.
//
// Names, labels and the meaning of absent offsets are those of danielqsj/kafka_exporter (kafka_exporter.go): a group that has
// committed nothing in a partition of a topic it reads has offset and lag -1 there; partitions without a leader, and groups
// whose coordinator is away, have no sample; a new leader that cannot say where its log ends yet has no end. All are gauges.
//
// Model: a scrape takes no time. Timestamps are virtual seconds, from 0.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/kafka/cluster.hpp"

namespace experiments {

/// As a label's value: \\, " and line feeds escaped.
std::string label_value(std::string_view text);

class OpenMetrics {
 public:
  /// `groups`: the consumer groups to show.
  explicit OpenMetrics(std::vector<std::string> groups) : groups_(std::move(groups)) {}

  /// Times only rise.
  void scrape(double time_s, models::kafka::Cluster& cluster);
  /// Everything that was scraped: one family after another, in it one series after another; without the line that ends it
  /// all.
  std::string text() const;

  /// The families, in the order of text().
  enum class Family : std::uint8_t {
    brokers,
    broker_info,
    topic_partitions,
    current_offset,
    oldest_offset,
    replicas,
    in_sync_replica,
    leader,
    leader_is_preferred,
    under_replicated,
    group_members,
    group_current_offset,
    group_current_offset_sum,
    group_lag,
    group_lag_sum,
  };
  static constexpr std::size_t kFamilies = 15;

 private:
  void scrape_partition(models::kafka::Cluster& cluster, models::kafka::PartitionIndex p);
  void scrape_group(models::kafka::Cluster& cluster, const std::string& group);
  void add(Family family, const std::string& labels, std::int64_t value);

  std::vector<std::string> groups_;
  std::string at_;                                                    ///< the time of this scrape
  std::array<std::map<std::string, std::string>, kFamilies> series_;  ///< labels -> lines
};

}  // namespace experiments
