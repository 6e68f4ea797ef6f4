#include "models/kafka/version_defaults.hpp"

#include <array>

namespace models::kafka {

std::span<const EarlierDefault> earlier_defaults() {
  using S = KeyScope;
  static constexpr auto kRows = std::to_array<EarlierDefault>({
      {S::producer, "acks", {3, 0}, "1", "KIP-679"},
      {S::producer, "enable.idempotence", {3, 0}, "false", "KIP-679"},
      {S::producer, "linger.ms", {4, 0}, "0", "KIP-1030"},
      {S::producer, "retries", {2, 1}, "0", "KIP-91"},
      {S::producer, "retry.backoff.max.ms", {3, 7}, "100", "KIP-580"},
      {S::producer, "partitioner.adaptive.partitioning.enable", {3, 3}, "false", "KIP-794"},
      {S::producer, "reconnect.backoff.max.ms", {0, 11}, "50", "KIP-144"},
      {S::consumer, "reconnect.backoff.max.ms", {0, 11}, "50", "KIP-144"},
      {S::consumer, "request.timeout.ms", {2, 0}, "305000", "KIP-266"},
      {S::consumer, "session.timeout.ms", {3, 0}, "10000", "KIP-735"},
      {S::consumer, "partition.assignment.strategy", {3, 0}, "RangeAssignor", "KIP-726"},
      {S::consumer, "retry.backoff.max.ms", {3, 7}, "100", "KIP-580"},
      {S::broker, "replica.lag.time.max.ms", {2, 5}, "10000", "KIP-537"},
      {S::broker, "zookeeper.session.timeout.ms", {2, 5}, "6000", "KIP-537"},
      {S::broker, "message.max.bytes", {2, 5}, "1000012", "KAFKA-4203"},
      {S::broker, "fetch.max.bytes", {2, 5}, "2147483647", "KIP-541"},
      {S::broker, "group.max.session.timeout.ms", {2, 3}, "300000", "KIP-345"},
      {S::broker, "producer.id.expiration.ms", {3, 4}, "604800000", "KIP-854"},
      {S::broker, "offsets.retention.minutes", {2, 0}, "1440", "KIP-186"},
      {S::broker, "unclean.leader.election.enable", {0, 11}, "true", "KIP-106"},
      {S::broker, "group.initial.rebalance.delay.ms", {0, 11}, "0", "KIP-134"},
      {S::broker, "group.consumer.assignment.interval.ms", {4, 3}, "0", "KIP-1263"},
      {S::broker, "transaction.partition.verification.enable", {3, 6}, "false", "KIP-890"},
      {S::broker, "log.message.timestamp.after.max.ms", {4, 0}, "9223372036854775807", "KIP-1030"},
      {S::broker, "group.coordinator.append.linger.ms", {4, 3}, "5", "KAFKA-19825"},
      {S::broker, "group.coordinator.append.linger.ms", {4, 0}, "0", "KIP-848"},
      {S::broker, "share.coordinator.append.linger.ms", {4, 3}, "5", "KAFKA-19825"},
  });
  return kRows;
}

std::span<const RaisedMinimum> raised_minima() {
  using S = KeyScope;
  static constexpr auto kRows = std::to_array<RaisedMinimum>({
      {S::broker, "log.segment.bytes", {4, 0}, 1048576, "KIP-1030"},
      {S::topic, "segment.bytes", {4, 0}, 1048576, "KIP-1030"},
  });
  return kRows;
}

}  // namespace models::kafka
