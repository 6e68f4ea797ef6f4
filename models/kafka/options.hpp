// A Kafka cluster as plain data.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/kafka/config.hpp"
#include "models/kafka/protocol_rules.hpp"
#include "sim/distributions.hpp"

namespace models::kafka {

struct TopicOptions {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication_factor = 1;
  /// Partitions that it may come to have while the run lasts (fault "grow"); 0: as many as at the start.
  std::int32_t partitions_most = 0;
  /// It does not exist before somebody creates it (fault "create-topic"). Set by the world.
  bool created_later = false;
  /// Brokers that its replicas may come to (fault "reassign").
  std::vector<std::int32_t> moves_to;
  /// Brokers of each partition, preferred leader first; empty: round robin.
  std::vector<std::vector<std::int32_t>> assignment;
  TopicConfig config;
  /// Somebody looks at the keys of its records. Set by the world.
  bool keys_read = false;
  /// And at the timestamps of its records.
  bool times_read = false;
};

/// How long a broker's request handler thread works on a request: a fixed part, a part for each batch or partition in it,
/// and a part for each kilobyte.
/// Model: real brokers' times depend on hardware; the defaults are zero apart from what a scenario gives.
struct ServiceOptions {
  sim::Distribution request = sim::Distribution::constant(0);  ///< ns a request
  sim::Duration per_batch{};
  sim::Duration per_kilobyte{};
  /// What a group coordinator does of it, ns: on its own threads since 4.0, before on the request handler's.
  sim::Distribution coordinator = sim::Distribution::constant(0);

  bool coordinators_free() const { return coordinator.is_constant() && coordinator.mean() == 0; }
  bool free() const {
    return request.is_constant() && request.mean() == 0 && per_batch == sim::Duration{} &&
           per_kilobyte == sim::Duration{} && coordinators_free();
  }
};

/// Who a client is (KafkaPrincipal); the others are ANONYMOUS.
struct UserOptions {
  std::string name;
  std::vector<std::string> clients;  ///< names of producers and groups
};

/// What a user, a client id or a pair of them may do on each broker (kafka-configs --entity-type users, clients); 0: no limit.
struct QuotaOptions {
  /// A producer's or group's name; empty: the default, of each client that has none of its own; unset: all clients of the
  /// user together.
  std::optional<std::string> client = std::string{};
  /// A user's name; empty: the default, of each user that has none of his own; unset: whoever the user is.
  std::optional<std::string> user{};
  double producer_byte_rate = 0;  ///< bytes a second
  double consumer_byte_rate = 0;  ///< bytes a second
  double request_percentage = 0;  ///< of one request handler thread's time
  /// Partitions a second that it may create, at the controller (KIP-599).
  double controller_mutation_rate = 0;
};

/// What the plug-in that create.topic.policy.class.name names lets pass (KIP-108). It is asked when a topic is created, and not
/// when one grows (ReplicationControlManager.createPartitions).
/// Model: the plug-in is a bound on partitions. Unless given it is Kafka's own, on those of one request (KAFKA-17870, since 4.0;
/// here in all versions, and never of growth: KAFKA-19673).
struct CreateTopicPolicy {
  std::int32_t partitions_max = 10'000;
};

/// The machines' disks, as far as they decide what a power loss takes and how long a broker starts.
struct DiskOptions {
  /// The kernel writes a file's pages back once they have been dirty for so long, and looks every so often
  /// (vm.dirty_expire_centisecs 3000, vm.dirty_writeback_centisecs 500; Documentation/admin-guide/sysctl/vm.rst).
  sim::Duration write_back_after = std::chrono::seconds{30};
  sim::Duration write_back_every = std::chrono::seconds{5};
  /// How long a request handler waits for a flush (log.flush.interval.messages), ns.
  sim::Distribution flush = sim::Distribution::constant(0);
  /// At which a broker that did not shut down cleanly reads what lies above its recovery points; 0: in no time.
  double recovery_bytes_per_s = 0;
  std::int64_t size = 0;  ///< bytes of logs that fit; 0: any number
  /// How likely the last batch of a log that the kernel wrote back, and nobody flushed, is torn after a power loss: its CRC is
  /// wrong, and recovery cuts it off.
  double torn = 0;
};

/// Remote storage, of topics with remote.storage.enable.
struct RemoteOptions {
  sim::Distribution latency = sim::Distribution::constant(20e6);  ///< of a request, ns
  double bytes_per_s = 0;                                         ///< of a transfer; 0: it takes no time
};

/// Voters of a quorum of controllers, at most.
inline constexpr std::int32_t kMostControllers = 9;

struct ClusterOptions {
  /// Its brokers are "name/0", "name/1" …. What belongs to a cluster of another name than "kafka" has that before its own.
  std::string name = "kafka";
  std::int32_t brokers = 3;
  /// Voters of the metadata quorum, on hosts of their own: "controller", or "controller/0" and so on where there are several.
  std::int32_t controllers = 1;
  /// Before 4.0: brokers have sessions with ZooKeeper, on a host "zookeeper", and one of them is the controller.
  bool zookeeper = false;
  /// How long a new controller reads a partition's state from ZooKeeper. Model: nothing unless given; it depends on the ensemble.
  sim::Duration zookeeper_load_per_partition{};
  std::vector<std::string> racks;  ///< of broker i: racks[i % size]
  std::vector<std::string> zones;
  std::vector<std::string> regions;
  bool rest_idle_fetches = true;  ///< false: simulates what nobody can see, as slow as it is (for tests)
  ProtocolRules rules;
  BrokerConfig config;
  ServiceOptions service;
  DiskOptions disk;
  RemoteOptions remote;
  std::vector<TopicOptions> topics;
  std::vector<UserOptions> users;
  std::vector<QuotaOptions> quotas;
  CreateTopicPolicy create_topic_policy;
  /// The feature transaction.version: 0 and 1 have producers name their partitions, 2 is KIP-890.
  std::int32_t transaction_version = 2;
  /// Some client uses transactions: __transaction_state exists (Kafka makes it when first asked for a coordinator).
  bool transactional = false;
  /// Share groups and what each has set for itself: __share_group_state exists where there is one. Set by the world.
  std::vector<std::pair<std::string, ShareGroupConfig>> share_groups;
  /// Some fault of the run takes a broker's power: what is on disk is kept count of. Set by the world.
  bool power_may_fail = false;

  /// Before the names of its topics, and of its controller.
  std::string prefix() const { return name == "kafka" ? std::string{} : name + "/"; }
};

}  // namespace models::kafka
