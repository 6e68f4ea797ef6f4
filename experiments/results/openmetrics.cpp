#include "experiments/results/openmetrics.hpp"

#include <string_view>

#include <fmt/format.h>

#include "models/kafka/broker/broker.hpp"
#include "models/kafka/broker/controller.hpp"
#include "models/kafka/group/describe.hpp"
#include "models/kafka/group/group.hpp"

namespace experiments {
namespace {

namespace kafka = models::kafka;
using Family = OpenMetrics::Family;

struct Described {
  std::string_view name;
  std::string_view help;
};
/// In the order of Family, in the words of the exporter.
constexpr std::array<Described, OpenMetrics::kFamilies> kFamily{{
    {"kafka_brokers", "Number of Brokers in the Kafka Cluster."},
    {"kafka_broker_info", "Information about the Kafka Broker."},
    {"kafka_topic_partitions", "Number of partitions for this Topic"},
    {"kafka_topic_partition_current_offset", "Current Offset of a Broker at Topic/Partition"},
    {"kafka_topic_partition_oldest_offset", "Oldest Offset of a Broker at Topic/Partition"},
    {"kafka_topic_partition_replicas", "Number of Replicas for this Topic/Partition"},
    {"kafka_topic_partition_in_sync_replica", "Number of In-Sync Replicas for this Topic/Partition"},
    {"kafka_topic_partition_leader", "Leader Broker ID of this Topic/Partition"},
    {"kafka_topic_partition_leader_is_preferred", "1 if Topic/Partition is using the Preferred Broker"},
    {"kafka_topic_partition_under_replicated_partition", "1 if Topic/Partition is under Replicated"},
    {"kafka_consumergroup_members", "Amount of members in a consumer group"},
    {"kafka_consumergroup_current_offset", "Current Offset of a ConsumerGroup at Topic/Partition"},
    {"kafka_consumergroup_current_offset_sum",
     "Current Offset of a ConsumerGroup at Topic for all partitions"},
    {"kafka_consumergroup_lag", "Current Approximate Lag of a ConsumerGroup at Topic/Partition"},
    {"kafka_consumergroup_lag_sum", "Current Approximate Lag of a ConsumerGroup at Topic for all partitions"},
}};

/// Of Kafka's listeners, as server.properties has it.
constexpr std::string_view kPort = ":9092";

std::string topic_label(const std::string& topic) {
  return "topic=" + label_value(topic);
}

std::string partition_labels(const std::string& topic, std::int32_t partition) {
  return fmt::format("partition=\"{}\",{}", partition, topic_label(topic));
}

std::string group_label(const std::string& group) {
  return "consumergroup=" + label_value(group);
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out + '"';
}

void OpenMetrics::add(Family family, const std::string& labels, std::int64_t value) {
  const auto f = static_cast<std::size_t>(family);
  series_[f][labels] +=
      fmt::format("{}{} {} {}\n", kFamily[f].name, labels.empty() ? "" : "{" + labels + "}", value, at_);
}

void OpenMetrics::scrape(double time_s, kafka::Cluster& cluster) {
  at_ = fmt::format("{}", time_s);
  std::int64_t brokers = 0;
  for (std::int32_t b = 0; b < cluster.broker_count(); ++b) {
    if (cluster.metadata_log().broker(kafka::BrokerId{b}).fenced) continue;
    ++brokers;
    const std::string& name = cluster.context().entities[cluster.node(kafka::BrokerId{b}).entity()].name;
    add(Family::broker_info,
        "address=" + label_value(name + std::string(kPort)) + fmt::format(",id=\"{}\"", b), 1);
  }
  add(Family::brokers, "", brokers);
  for (const kafka::TopicInfo& topic : cluster.topics()) {
    if (topic.internal) continue;
    add(Family::topic_partitions, topic_label(topic.name), topic.partitions);
    for (std::int32_t n = 0; n < topic.partitions; ++n)
      scrape_partition(cluster, kafka::PartitionIndex{topic.first.value + static_cast<std::uint32_t>(n)});
  }
  for (const std::string& group : groups_) scrape_group(cluster, group);
}

void OpenMetrics::scrape_partition(kafka::Cluster& cluster, kafka::PartitionIndex p) {
  const kafka::PartitionInfo& partition = cluster.partition(p);
  const kafka::PartitionState& state = cluster.metadata_log().state(p);
  const std::string labels = partition_labels(cluster.topic_of(p).name, partition.number);
  const bool preferred = state.leader == partition.replicas.front();
  if (state.leader != kafka::kNoBroker) add(Family::leader, labels, state.leader.value);
  if (const auto end = kafka::log_end_offset(cluster, p)) add(Family::current_offset, labels, *end);
  if (kafka::Broker* leader = kafka::leader_of(cluster, p))
    add(Family::oldest_offset, labels, leader->replica(p)->log.start());
  add(Family::replicas, labels, static_cast<std::int64_t>(partition.replicas.size()));
  add(Family::in_sync_replica, labels, static_cast<std::int64_t>(state.isr.size()));
  add(Family::leader_is_preferred, labels, preferred ? 1 : 0);
  add(Family::under_replicated, labels, state.isr.size() < partition.replicas.size() ? 1 : 0);
}

void OpenMetrics::scrape_group(kafka::Cluster& cluster, const std::string& name) {
  const kafka::Group* const group = kafka::find_group(cluster, name);
  if (group == nullptr) return;
  const std::string of_group = group_label(name);
  add(Family::group_members, of_group, static_cast<std::int64_t>(group->members().size()));
  for (const kafka::TopicInfo& topic : cluster.topics()) {
    const auto first = topic.first.value;
    const auto last = first + static_cast<std::uint32_t>(topic.partitions);
    std::int64_t sum = 0, lag_sum = 0;
    bool read = false;
    for (auto p = first; p != last && !topic.internal; ++p)
      read = read || group->offsets.find(kafka::PartitionIndex{p}) != nullptr;
    if (!read) continue;
    for (auto p = first; p != last; ++p) {
      const kafka::PartitionIndex partition{p};
      const std::string labels =
          of_group + "," + partition_labels(topic.name, cluster.partition(partition).number);
      const kafka::Offset offset = group->offsets.offset(partition);
      add(Family::group_current_offset, labels, offset);
      sum += offset;
      const auto end = kafka::log_end_offset(cluster, partition);
      if (!end) continue;
      const std::int64_t lag = offset == kafka::kNoOffset ? -1 : *end - offset;
      add(Family::group_lag, labels, lag);
      if (offset != kafka::kNoOffset) lag_sum += lag;
    }
    const std::string of_topic = of_group + "," + topic_label(topic.name);
    add(Family::group_current_offset_sum, of_topic, sum);
    add(Family::group_lag_sum, of_topic, lag_sum);
  }
}

std::string OpenMetrics::text() const {
  std::string text;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    text += fmt::format("# TYPE {0} gauge\n# HELP {0} {1}\n", kFamily[f].name, kFamily[f].help);
    for (const auto& [labels, lines] : series_[f]) text += lines;
  }
  return text;
}

}  // namespace experiments
