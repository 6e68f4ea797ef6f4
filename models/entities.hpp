// The names behind the numbers in trace records. Filled while a world is built (lanes as messages are first routed),
// identical for every run of a scenario, read by sinks to label what they report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/ids.hpp"

namespace models {

enum class EntityKind : std::uint8_t {
  nothing,
  broker,
  controller,
  producer,
  topic,
  partition,           ///< parent: its topic; index: partition number
  internal_partition,  ///< of __consumer_offsets and the like: judged by nobody
  group,
  member,  ///< parent: its group; index: member number
  link,
  fault,
  store,  ///< remote storage of a cluster's tiers
  dependency,
  database,
  service,  ///< an instance of one that reads no topics
  relay,    ///< an instance: it brings what a database has to a topic
  registry,
  subject,       ///< of schemas
  error,         ///< of a family's protocol, by its name
  gateway,       ///< from devices to a topic
  queue,         ///< of a broker that settles messages one by one
  subscription,  ///< of a topic of SNS
};

struct Entity {
  EntityKind kind = EntityKind::nothing;
  std::string name;  ///< as users write it: "kafka/0", "orders", "orders/3", "billing", "billing/1", "shop"
  EntityId parent{};
  std::uint32_t index = 0;
};

struct Lane {
  EntityId producer{};
  EntityId place{};  ///< partition or queue
};

class Entities {
 public:
  Entities() : entities_(1), lanes_(1) {}

  EntityId add(EntityKind kind, std::string name, EntityId parent = {}, std::uint32_t index = 0) {
    entities_.push_back({kind, std::move(name), parent, index});
    return EntityId{static_cast<std::uint32_t>(entities_.size() - 1)};
  }
  LaneId add_lane(EntityId producer, EntityId place) {
    lanes_.push_back({producer, place});
    return LaneId{static_cast<std::uint32_t>(lanes_.size() - 1)};
  }
  /// The entity of that name, or EntityId{} when there is none. Linear: for set-up and reports.
  EntityId find(std::string_view name) const {
    for (std::size_t i = 1; i < entities_.size(); ++i) {
      if (entities_[i].name == name) return EntityId{static_cast<std::uint32_t>(i)};
    }
    return {};
  }

  const Entity& operator[](EntityId id) const { return entities_[id.value]; }
  const Entity& operator[](std::uint32_t id) const { return entities_[id]; }
  const std::vector<Entity>& all() const { return entities_; }
  const std::vector<Lane>& lanes() const { return lanes_; }

 private:
  std::vector<Entity> entities_;
  std::vector<Lane> lanes_;
};

}  // namespace models
