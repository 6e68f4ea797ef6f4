// A schema registry (Confluent's): subjects and the versions that were registered under them, and what it answers.
//
// A version is registered once; whoever registers it again is told its id. A new one has to get along with those before it as the
// subject's compatibility level says, or is refused (409, IncompatibleSchemaException). Ids are given in the order of
// registration, over all subjects.
//
// Its node is a host of the network and a fault's target like any other: while its process is down nothing answers, while it
// stands still or cannot be reached requests wait, for as long as its clients do. What is registered outlives it (the topic
// _schemas).
//
// Model: one instance, whose store is its own: it neither waits for the cluster nor loses what it has answered.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/schema/options.hpp"
#include "sim/random.hpp"

namespace models::schema {

/// A version of a subject, by their places in the scenario.
struct VersionRef {
  std::uint32_t subject = 0;
  std::uint32_t version = 0;
  bool operator==(const VersionRef&) const = default;
};

class RegistryCaller;

class Registry final : public NodeProgram {
 public:
  enum class Request : std::uint8_t {
    add,   ///< POST /subjects/{subject}/versions: register it, unless it is
    find,  ///< POST /subjects/{subject}, GET /schemas/ids/{id}: is it registered?
  };

  /// Becomes the node's program. Adds an entity for each subject.
  Registry(Context& context, Node& node, const RegistryOptions& options,
           const std::vector<SubjectOptions>& subjects);

  /// Says what is registered from the beginning. Once, when the run starts.
  void tell();

  std::optional<std::uint32_t> find_subject(std::string_view name) const;
  /// The version of that name.
  std::optional<std::uint32_t> find_version(std::uint32_t subject, std::string_view name) const;
  Node& node() const { return node_; }
  EntityId subject_entity(std::uint32_t subject) const { return subjects_[subject].entity; }
  const RegistryOptions& options() const { return options_; }

  std::uint32_t subjects() const { return static_cast<std::uint32_t>(subjects_.size()); }
  std::size_t versions(std::uint32_t subject) const { return subjects_[subject].ids.size(); }

  bool registered(VersionRef version) const { return subjects_[version.subject].ids[version.version] >= 0; }
  /// Whoever deploys `who` registers that version first, or asks whether it would be accepted. Takes no time.
  RegistryCode add_now(VersionRef version, EntityId who);
  RegistryCode probe_now(VersionRef version, EntityId who);
  /// Can data of `writer` be read as `reader`? Both of one subject.
  bool readable(std::uint32_t subject, std::uint32_t reader, std::uint32_t writer) const {
    return subjects_[subject].readable[reader * subjects_[subject].ids.size() + writer];
  }
  /// A request has arrived; `caller`, which outlives the run, is answered over its connection.
  void receive(RegistryCaller& caller, std::uint64_t token);

  // NodeProgram
  void crashed() override { waiting_.clear(); }
  void restarted() override {}
  void resumed() override;

 private:
  struct Asked {
    RegistryCaller* caller = nullptr;
    std::uint64_t token = 0;
    VersionRef version;
    std::uint32_t life = 0;  ///< of the registry's process
    Request what = Request::find;
  };
  struct Subject {
    EntityId entity{};
    std::string name;
    Compatibility level = Compatibility::backward;
    std::vector<VersionOptions> versions;
    std::vector<std::int64_t> ids;          ///< by version; -1: not registered
    std::vector<const Schema*> registered;  ///< in their order
    std::vector<bool> readable;             ///< by reader and writer
  };

  bool up() const { return node_.up() && !node_.paused(); }
  bool accepts(VersionRef version) const;
  void carry_out(const Asked& asked);
  RegistryCode add(VersionRef version);
  void answer(const Asked& asked, RegistryCode code);
  void emit(EntityId actor, VersionRef version, RegistryCode code);

  Context& context_;
  Node& node_;
  RegistryOptions options_;
  std::vector<Subject> subjects_;
  std::vector<Asked> waiting_;  // while it stands still
  std::int64_t next_id_ = 1;
  sim::Stream service_;
};

/// A client's way to the registry: one request at a time, whose answer is waited for (RestService), over a connection that is
/// kept (HTTP keep-alive) until it breaks or an answer does not come in time. Part of its node's program.
class RegistryCaller final : private ConnectionListener {
 public:
  RegistryCaller(Registry& registry, Context& context, Node& node,
                 std::function<void(RegistryCode)> answered);
  ~RegistryCaller() override;
  RegistryCaller(const RegistryCaller&) = delete;
  RegistryCaller& operator=(const RegistryCaller&) = delete;

  bool waiting() const { return waiting_; }
  /// Requires !waiting(). `answered` runs once, later, and not while the node stands still.
  void ask(Registry::Request what, VersionRef version);
  /// The process has died, or does not care any more.
  void forget();
  EntityId entity() const { return node_.entity(); }

  // of the registry
  Registry::Request what() const { return what_; }
  VersionRef asked() const { return asked_; }
  bool waits_for(std::uint64_t token) const { return waiting_ && token == token_; }
  void answer(std::uint64_t token, RegistryCode code);

 private:
  void connected(ConnectionId id) override;
  void disconnected(ConnectionId id) override;
  void transmit();
  void hear(std::uint64_t token, RegistryCode code);
  void hang_up();
  void unreachable();

  Registry& registry_;
  Context& context_;
  Node& node_;
  std::function<void(RegistryCode)> answered_;
  NodeTimer<std::function<void()>> timeout_;
  Registry::Request what_ = Registry::Request::find;
  VersionRef asked_{};
  std::uint64_t token_ = 0;
  ConnectionId connection_{};
  bool open_ = false;
  bool waiting_ = false;
};

}  // namespace models::schema
