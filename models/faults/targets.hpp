// Who can be hit: nodes by name, and roles ("leader orders/0") that name a different node as the run goes on.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/ids.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models {

class Network;

/// Draws one node each time it is asked.
class FaultTarget {
 public:
  using Role = std::function<Node*()>;
  explicit FaultTarget(std::vector<Node*> nodes) : nodes_(std::move(nodes)) {}
  /// `players`: who may come to play it.
  FaultTarget(Role role, std::vector<Node*> players) : nodes_(std::move(players)), role_(std::move(role)) {}

  /// One of the nodes that `fits`, all as likely; null when none does. Draws only where there is a choice.
  Node* pick(sim::Stream& choice, const std::function<bool(const Node&)>& fits) const;
  /// Every node that could be picked.
  const std::vector<Node*>& nodes() const { return nodes_; }
  /// Another node as the run goes on.
  bool is_role() const { return static_cast<bool>(role_); }

 private:
  std::vector<Node*> nodes_;
  Role role_;
};

class FaultTargets {
 public:
  void add(Node& node) { nodes_.push_back(&node); }
  /// `role` returns the node that plays it now, or null; one of `players`.
  void add_role(std::string name, FaultTarget::Role role, std::vector<Node*> players) {
    roles_.insert_or_assign(std::move(name), FaultTarget(std::move(role), std::move(players)));
  }

  /// What an operator can do to a topic.
  struct Topic {
    EntityId entity{};
    std::int32_t partitions = 0;  ///< at the start
    /// Who asks for partitions; `client` empty: an operator. How long what it asks for now waits unread; then it is judged.
    struct Asker {
      std::string client;
      bool permissive = false;
    };
    std::function<sim::Duration(const Asker&)> muted;
    /// It has so many from now on; false when nothing happens. A refusal, too, is an answer.
    std::function<bool(std::int32_t partitions, const Asker&)> grow;
    /// It exists from now on; false when it does already.
    std::function<bool(const Asker&)> create;
    /// Its replicas are moved to these brokers, at so many bytes a second (0: as fast as can be).
    std::function<bool(const std::vector<std::int32_t>& brokers, double throttle)> reassign;
    /// The first replica of each partition leads again, where it is in sync; false when nothing changes.
    std::function<bool()> elect_preferred;
    /// Of each partition what lies below the offset and is older is deleted; without either all that is replicated.
    std::function<bool(std::optional<std::int64_t> offset, std::optional<sim::Duration> older_than)>
        delete_records;
    std::int32_t replicas = 1;  ///< of each partition
    std::int32_t brokers = 1;   ///< in the cluster
    std::string cluster = "kafka";
    /// What gives the topic other settings, by Kafka's names. Throws ScenarioError at `path` where it has no such setting.
    using Settings = std::vector<std::pair<std::string, std::string>>;
    std::function<std::function<bool()>(const std::string& path, const Settings&)> alter{};
    /// Any replica that is alive leads a partition that has no leader; false when nothing changes.
    std::function<bool()> elect_unclean{};
  };
  void add_topic(std::string name, Topic topic) { topics_.emplace(std::move(name), std::move(topic)); }
  /// Throws ScenarioError at `path`.
  const Topic& resolve_topic(const std::string& path, const std::string& name) const;

  /// An application that has instances standing by elsewhere.
  struct Application {
    EntityId entity{};
    /// Those take over; false when they have already.
    std::function<bool()> fail_over;
  };
  void add_application(std::string name, Application application) {
    applications_.emplace(std::move(name), std::move(application));
  }
  /// Throws ScenarioError at `path`.
  const Application& resolve_application(const std::string& path, const std::string& name) const;

  /// A producer whose values may have a schema.
  struct Writer {
    EntityId entity{};
    /// Its next messages are written with that version; false where it writes without one, or there is none of that name.
    std::function<bool(const std::string& version, std::int64_t messages)> write_wrong;
  };
  void add_writer(std::string name, Writer writer) { writers_.emplace(std::move(name), std::move(writer)); }
  /// Throws ScenarioError at `path`.
  const Writer& resolve_writer(const std::string& path, const std::string& name) const;

  /// A subscription of SNS.
  struct Subscription {
    EntityId entity{};
    std::function<void(bool denied)> deny;
  };
  void add_subscription(std::string name, Subscription subscription) {
    subscriptions_.emplace(std::move(name), std::move(subscription));
  }
  /// Throws ScenarioError at `path`.
  const Subscription& resolve_subscription(const std::string& path, const std::string& name) const;

  /// Null when there is no node of that name.
  Node* find(std::string_view name) const;
  /// A node, a role, or "billing/*". Throws ScenarioError at `path`.
  FaultTarget resolve(const std::string& path, const std::string& name) const;
  /// All nodes at a rack, zone or region, or all "kafka/0", "kafka/1" … for "kafka"; none when `name` is a node or a role.
  std::vector<Node*> found_at(const Network& network, std::string_view name) const;
  /// Exactly one node, by its name. Throws ScenarioError at `path`.
  Node& resolve_node(const std::string& path, const std::string& name) const;
  /// Throws: nobody is called `name`; did you mean …?
  [[noreturn]] void unknown(const std::string& path, const std::string& name) const;

 private:
  std::vector<Node*> nodes_;
  std::map<std::string, FaultTarget, std::less<>> roles_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<std::string, Application, std::less<>> applications_;
  std::map<std::string, Writer, std::less<>> writers_;
  std::map<std::string, Subscription, std::less<>> subscriptions_;
};

}  // namespace models
