// The serialiser of a producer whose values have a schema (KafkaAvroSerializer): it writes the id of the version in front of each
// value, and asks the registry for it where this process does not know it yet.
//
// An id once learned is kept for the life of the process (CachedSchemaRegistryClient): the registry is needed for what is new
// alone. send() throws SerializationException where the registry refuses the version (409) or does not answer; the next send()
// asks again.
//
// A new version is deployed with WhenRefused::fail and used at once; with WhenRefused::keep whoever deploys registers it first,
// and the producer goes on with the old one where that fails.
//
// Model: a deployment takes no time and restarts nothing; faults of kind "restart" or "rolling" do. Bytes are as many with
// each version.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/kafka/producer/accumulator.hpp"
#include "models/network/node.hpp"
#include "models/schema/schemas.hpp"

namespace models::kafka {

class Serializer {
 public:
  struct Owner {
    /// The version that is used has its id now, or the registry has none.
    std::function<void(bool ready)> answered;
    /// From now on that version is to be used: use().
    std::function<void(std::uint32_t version)> deployed;
  };

  /// Requires options.schema, and the subject of the topic with all versions that they name.
  Serializer(schema::Schemas& schemas, Context& context, Node& node, const ProducerOptions& options,
             Accumulator& accumulator, Owner owner);

  /// Once, when the producer starts for the first time.
  void start();
  /// The application's process has died, and forgot what it knew.
  void crashed();

  bool ready() const { return known_[version_]; }
  /// Asks for the id of the version in use; no effect while the answer is waited for.
  void ask();
  /// What is appended from now on is written with that version.
  void use(std::uint32_t version);

  /// The next so many messages are written with another version, whatever the registry says (fault "wrong-schema"). False when
  /// there is none of that name.
  bool write_wrong(const std::string& version, std::int64_t messages);
  bool has_wrong() const { return wrong_left_ > 0; }
  /// The newest message of `queue` has just been appended.
  void appended(const PartitionQueue& queue) {
    if (wrong_left_ > 0) appended_wrong(queue);
  }

 private:
  void deploy(const schema::Upgrade& upgrade);
  void tell(std::uint32_t version, DeploymentCode code) const;
  void answered(RegistryCode code);
  void appended_wrong(const PartitionQueue& queue);
  schema::VersionRef ref(std::uint32_t version) const { return {subject_, version}; }

  schema::Schemas& schemas_;
  Context& context_;
  Node& node_;
  const schema::ClientOptions& options_;
  Accumulator& accumulator_;
  Owner owner_;
  std::uint32_t subject_;
  std::uint32_t version_;
  std::vector<bool> known_;  // by version: this process has its id
  std::uint32_t asked_ = 0;
  std::uint32_t wrong_ = 0;
  std::int64_t wrong_left_ = 0;
  schema::RegistryCaller caller_;
};

/// The subject of a topic's values (TopicNameStrategy).
std::string value_subject(const std::string& topic);

}  // namespace models::kafka
