#include "experiments/results/rabbitmq_metrics.hpp"

#include <fmt/format.h>

#include <utility>

#include "experiments/results/openmetrics.hpp"

namespace experiments {

using models::RemovedCode;

struct RabbitMetrics::Family {
  std::string_view name;  ///< without _total
  bool counter;
  std::string_view help;  ///< RabbitMQ's
};

namespace {

std::string type_label(const std::string& type) {
  return "queue_type=\"rabbit_" + type + "_queue\"";
}

}  // namespace

/// Samples by family and labels, in the order of times.
class RabbitMetrics::Lines {
 public:
  void at(double time_s) { at_ = fmt::format("{}", time_s); }
  void add(const Family& family, const std::string& labels, std::int64_t value) {
    Samples& samples = families_[std::string(family.name)];
    samples.family = family;
    samples.lines[labels] += fmt::format("{}{}{} {} {}\n", family.name, family.counter ? "_total" : "",
                                         labels.empty() ? "" : "{" + labels + "}", value, at_);
  }
  std::string text() const {
    std::string text;
    for (const auto& [name, samples] : families_) {
      text += fmt::format("# TYPE {0} {1}\n# HELP {0} {2}\n", name,
                          samples.family.counter ? "counter" : "gauge", samples.family.help);
      for (const auto& [labels, lines] : samples.lines) text += lines;
    }
    return text;
  }

 private:
  struct Samples {
    Family family{};
    std::map<std::string, std::string> lines;
  };
  std::string at_;
  std::map<std::string, Samples> families_;
};

RabbitMetrics::RabbitMetrics(const std::vector<sim::Time>& times)
    : times_(times),
      states_(times.size()),
      board_(times, [this](std::size_t i, const BoardState& state) { states_[i].board = state; }) {}

void RabbitMetrics::scrape(std::size_t index, models::World& world) {
  State& state = states_[index];
  state.seen = true;
  state.queues = world.queues();
  state.nodes = world.nodes_with_queues();
  if (!names_.empty()) return;
  for (const models::Entity& entity : world.entities().all()) names_.push_back(entity.name);
}

void RabbitMetrics::add_queues(const State& state, Lines& lines) const {
  static constexpr Family kReady{"rabbitmq_queue_messages_ready", false,
                                 "Messages ready to be delivered to consumers"};
  static constexpr Family kUnacked{"rabbitmq_queue_messages_unacked", false,
                                   "Messages delivered to consumers but not yet acknowledged"};
  static constexpr Family kMessages{"rabbitmq_queue_messages", false,
                                    "Sum of ready and unacknowledged messages - total queue depth"};
  static constexpr Family kConsumers{"rabbitmq_queue_consumers", false, "Consumers on a queue"};
  static constexpr Family kPublished{
      "rabbitmq_queue_messages_published", true,
      "Total number of messages published into a queue through an exchange on a channel"};
  static constexpr Family kDeliveredAck{
      "rabbitmq_queue_messages_delivered_ack", true,
      "Total number of messages delivered from a queue to consumers in manual acknowledgement mode"};
  static constexpr Family kDelivered{
      "rabbitmq_queue_messages_delivered", true,
      "Total number of messages delivered from a queue to consumers in automatic acknowledgement mode"};
  static constexpr Family kRedelivered{"rabbitmq_queue_messages_redelivered", true,
                                       "Total number of messages redelivered from a queue to consumers"};
  static constexpr Family kAcked{"rabbitmq_queue_messages_acked", true,
                                 "Total number of messages acknowledged by consumers on a queue"};
  for (const models::QueueView& view : state.queues) {
    if (!view.exists) continue;
    const std::string labels = "vhost=\"/\",queue=" + label_value(names_[view.queue.value]);
    const auto found = state.board.queues.find(view.queue.value);
    const QueueCounts counts = found == state.board.queues.end() ? QueueCounts{} : found->second;
    lines.add(kReady, labels, static_cast<std::int64_t>(view.ready));
    lines.add(kUnacked, labels, static_cast<std::int64_t>(view.unacknowledged));
    lines.add(kMessages, labels, static_cast<std::int64_t>(view.ready + view.unacknowledged));
    lines.add(kConsumers, labels, static_cast<std::int64_t>(view.consumers));
    lines.add(kPublished, labels, counts.published);
    lines.add(kDeliveredAck, labels, counts.delivered_manual);
    lines.add(kDelivered, labels, counts.delivered_automatic);
    lines.add(kRedelivered, labels, counts.redelivered);
    lines.add(kAcked, labels, counts.acknowledged);
  }
}

void RabbitMetrics::add_publishers(const State& state, Lines& lines) const {
  static constexpr Family kReturned{"rabbitmq_channel_messages_unroutable_returned", true,
                                    "Total number of messages published as mandatory into an exchange and "
                                    "returned to the publisher as unroutable"};
  static constexpr Family kDropped{
      "rabbitmq_channel_messages_unroutable_dropped", true,
      "Total number of messages published as non-mandatory into an exchange and dropped as unroutable"};
  static constexpr Family kReturnedAll{"rabbitmq_global_messages_unroutable_returned", true, kReturned.help};
  static constexpr Family kDroppedAll{"rabbitmq_global_messages_unroutable_dropped", true, kDropped.help};
  std::int64_t returned = 0;
  std::int64_t dropped = 0;
  for (const auto& [entity, counts] : state.board.publishers) {
    const std::string channel = "channel=" + label_value(names_[entity]);
    lines.add(kReturned, channel, counts.returned);
    lines.add(kDropped, channel, counts.dropped);
    returned += counts.returned;
    dropped += counts.dropped;
  }
  lines.add(kReturnedAll, "protocol=\"amqp091\"", returned);
  lines.add(kDroppedAll, "protocol=\"amqp091\"", dropped);
}

void RabbitMetrics::add_global(const State& state, Lines& lines) const {
  static constexpr Family kRouted{"rabbitmq_global_messages_routed", true,
                                  "Total number of messages routed to queues or streams"};
  static constexpr Family kDelivered{"rabbitmq_global_messages_delivered", true,
                                     "Total number of messages delivered to consumers"};
  static constexpr Family kManual{
      "rabbitmq_global_messages_delivered_consume_manual_ack", true,
      "Total number of messages delivered to consumers using basic.consume with manual acknowledgment"};
  static constexpr Family kAutomatic{
      "rabbitmq_global_messages_delivered_consume_auto_ack", true,
      "Total number of messages delivered to consumers using basic.consume with automatic acknowledgment"};
  static constexpr Family kRedelivered{"rabbitmq_global_messages_redelivered", true,
                                       "Total number of messages redelivered to consumers"};
  static constexpr Family kAcknowledged{"rabbitmq_global_messages_acknowledged", true,
                                        "Total number of messages acknowledged by consumers"};
  static constexpr std::pair<RemovedCode, Family> kDead[] = {
      {RemovedCode::rejected,
       {"rabbitmq_global_messages_dead_lettered_rejected", true,
        "Total number of messages dead-lettered due to basic.reject or basic.nack"}},
      {RemovedCode::expired,
       {"rabbitmq_global_messages_dead_lettered_expired", true,
        "Total number of messages dead-lettered due to message TTL exceeded"}},
      {RemovedCode::maxlen,
       {"rabbitmq_global_messages_dead_lettered_maxlen", true,
        "Total number of messages dead-lettered due to overflow drop-head or reject-publish-dlx"}},
      {RemovedCode::delivery_limit,
       {"rabbitmq_global_messages_dead_lettered_delivery_limit", true,
        "Total number of messages dead-lettered due to delivery-limit exceeded"}}};
  std::map<std::string, QueueCounts> by_type;
  for (const models::QueueView& view : state.queues) {
    QueueCounts& sum = by_type[view.type];
    const auto found = state.board.queues.find(view.queue.value);
    if (found == state.board.queues.end()) continue;
    sum.delivered_manual += found->second.delivered_manual;
    sum.delivered_automatic += found->second.delivered_automatic;
    sum.redelivered += found->second.redelivered;
    sum.acknowledged += found->second.acknowledged;
    for (const auto& [how, count] : found->second.removed) sum.removed[how] += count;
  }
  std::int64_t routed = 0;
  for (const auto& [entity, counts] : state.board.publishers) routed += counts.routed;
  lines.add(kRouted, "protocol=\"amqp091\"", routed);
  for (const auto& [type, sum] : by_type) {
    const std::string labels = "protocol=\"amqp091\"," + type_label(type);
    lines.add(kDelivered, labels, sum.delivered_manual + sum.delivered_automatic);
    lines.add(kManual, labels, sum.delivered_manual);
    lines.add(kAutomatic, labels, sum.delivered_automatic);
    lines.add(kRedelivered, labels, sum.redelivered);
    lines.add(kAcknowledged, labels, sum.acknowledged);
    for (const auto& [why, family] : kDead) {
      for (const bool lettered : {false, true}) {
        const auto found = sum.removed.find({why, lettered});
        lines.add(
            family,
            type_label(type) + ",dead_letter_strategy=\"" + (lettered ? "at_most_once" : "disabled") + "\"",
            found == sum.removed.end() ? 0 : found->second);
      }
    }
  }
}

void RabbitMetrics::add_nodes(const State& state, Lines& lines) const {
  static constexpr Family kReceived{"rabbitmq_global_messages_received", true,
                                    "Total number of messages received from publishers"};
  static constexpr Family kReceivedConfirm{
      "rabbitmq_global_messages_received_confirm", true,
      "Total number of messages received from publishers expecting confirmations"};
  static constexpr Family kConfirmed{"rabbitmq_global_messages_confirmed", true,
                                     "Total number of messages confirmed to publishers"};
  static constexpr Family kPublishers{"rabbitmq_global_publishers", false, "Current number of publishers"};
  static constexpr Family kOpened{"rabbitmq_connections_opened", true, "Total number of connections opened"};
  static constexpr Family kClosed{"rabbitmq_connections_closed", true,
                                  "Total number of connections closed or terminated"};
  static constexpr Family kConnections{"rabbitmq_connections", false, "Connections currently open"};
  static constexpr Family kMemory{"rabbitmq_process_resident_memory_bytes", false, "Memory used in bytes"};
  static constexpr Family kMemoryLimit{"rabbitmq_resident_memory_limit_bytes", false,
                                       "Memory high watermark in bytes"};
  static constexpr Family kDisk{"rabbitmq_disk_space_available_bytes", false,
                                "Disk space available in bytes"};
  static constexpr Family kDiskLimit{"rabbitmq_disk_space_available_limit_bytes", false,
                                     "Free disk space low watermark in bytes"};
  static constexpr Family kMemoryAlarm{"rabbitmq_alarms_memory_used_watermark", false,
                                       "is 1 if VM memory watermark alarm is in effect"};
  static constexpr Family kDiskAlarm{"rabbitmq_alarms_free_disk_space_watermark", false,
                                     "is 1 if free disk space watermark alarm is in effect"};
  for (const models::NodeView& node : state.nodes) {
    if (!node.up) continue;
    const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
    const std::string of_node = "node=" + label_value(names_[node.node.value]);
    const std::string of_protocol = of_node + ",protocol=\"amqp091\"";
    lines.add(kReceived, of_protocol, number(node.received));
    lines.add(kReceivedConfirm, of_protocol, number(node.received_confirm));
    lines.add(kConfirmed, of_protocol, number(node.confirmed));
    lines.add(kPublishers, of_protocol, number(node.publishers));
    lines.add(kOpened, of_node, number(node.connections_opened));
    lines.add(kClosed, of_node, number(node.connections_closed));
    lines.add(kConnections, of_node, number(node.connections_opened - node.connections_closed));
    if (node.memory_limit > 0) {
      lines.add(kMemory, of_node, node.memory);
      lines.add(kMemoryLimit, of_node, node.memory_limit);
      lines.add(kMemoryAlarm, of_node, node.memory_alarm ? 1 : 0);
    }
    if (node.disk_free_limit > 0) {
      lines.add(kDisk, of_node, node.disk_free);
      lines.add(kDiskLimit, of_node, node.disk_free_limit);
      lines.add(kDiskAlarm, of_node, node.disk_alarm ? 1 : 0);
    }
  }
}

std::string RabbitMetrics::text() const {
  Lines lines;
  for (std::size_t i = 0; i < times_.size(); ++i) {
    if (!states_[i].seen) continue;
    lines.at(sim::seconds(times_[i]));
    add_queues(states_[i], lines);
    add_publishers(states_[i], lines);
    add_global(states_[i], lines);
    add_nodes(states_[i], lines);
  }
  return lines.text();
}

}  // namespace experiments
