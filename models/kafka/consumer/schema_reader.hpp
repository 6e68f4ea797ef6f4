// The deserialiser of a group whose application reads with a version of a schema (KafkaAvroDeserializer), and what its members
// share: which version that is.
//
// A record carries the id of the version that it was written with. A process that meets an id for the first time asks the
// registry for its schema, and keeps it for life (CachedSchemaRegistryClient). Avro's rules then bring the writer's schema to
// the reader's, or do not: such a record is poison to this version of the application, and so is one whose id no registry
// knows, or, until it answers, one whose schema the registry did not say. GroupOptions::poison says what becomes of it.
//
// With WhenRefused::keep whoever deploys a version asks the registry first whether it would be accepted
// (schema-registry:test-compatibility), and leaves the old one where it is if not.
//
// Model: the exception is the application's to handle, as ErrorHandlingDeserializer hands it over, when it comes to the record;
// in a consumer without such a thing poll() throws it, and the records before it have been handed out by then. A deployment
// takes no time and restarts nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/kafka/cluster.hpp"
#include "models/network/node.hpp"
#include "models/schema/schemas.hpp"

namespace models::kafka {

/// What the group's application reads with.
class GroupSchemas {
 public:
  GroupSchemas(schema::Schemas& schemas, Cluster& cluster, const GroupOptions& options, EntityId group,
               const std::vector<TopicIndex>& topics);

  /// Once, when the group starts. `deployed` runs after each change of version.
  void start(std::function<void()> deployed);

  schema::Schemas& all() { return schemas_; }
  const schema::Schemas& all() const { return schemas_; }
  EntityId group() const { return group_; }
  /// Of that subject; nothing: its records are not looked into.
  std::optional<std::uint32_t> version(std::uint32_t subject) const { return versions_[subject]; }

 private:
  void deploy(const schema::Upgrade& upgrade);
  void tell(std::uint32_t subject, std::uint32_t version, DeploymentCode code) const;

  schema::Schemas& schemas_;
  Context& context_;
  schema::ClientOptions options_;
  EntityId group_;
  std::vector<std::uint32_t> subjects_;                 // of its topics
  std::vector<std::optional<std::uint32_t>> versions_;  // by subject
  std::function<void()> deployed_;
};

/// A member's.
class SchemaReader {
 public:
  /// `answered` runs when the registry has answered look_up().
  SchemaReader(GroupSchemas& group, Cluster& cluster, Node& node, std::function<void()> answered);

  /// The first of records [from, to) of one leader epoch that cannot be read, as far as this process knows; `to`: all can.
  Offset first_unread(PartitionIndex partition, LeaderEpoch epoch, Offset from, Offset to) const;
  /// Before that record can be read, or cannot, the registry has to be asked.
  bool must_ask(PartitionIndex partition, LeaderEpoch epoch, Offset offset) const;
  /// Asks it: `answered` follows. No effect while an answer is waited for.
  void look_up(PartitionIndex partition, LeaderEpoch epoch, Offset offset);
  bool waiting() const { return caller_.waiting(); }

  /// The attempt at a record that cannot be read has failed: says so, unless it is `again`.
  void failed(PartitionIndex partition, LeaderEpoch epoch, Offset offset, bool again);
  void crashed();

 private:
  /// What of `count` records stands in the way.
  struct Judged {
    std::optional<UnreadableCode> wrong{};
    bool unknown = false;  ///< its schema was not asked for yet
    std::int64_t count = 1;
    schema::VersionRef writer{};
    std::uint32_t reader = 0;
  };
  Judged judge(PartitionIndex partition, LeaderEpoch epoch, Offset offset) const;
  bool knows(schema::VersionRef version) const { return known_[version.subject][version.version]; }

  GroupSchemas& group_;
  Cluster& cluster_;
  Node& node_;
  std::function<void()> answered_;
  std::vector<std::vector<bool>> known_;  // by subject and version
  schema::VersionRef asked_{};
  std::optional<UnreadableCode> refused_;  // the last look-up found no schema; until the attempt has failed
  schema::RegistryCaller caller_;
};

}  // namespace models::kafka
