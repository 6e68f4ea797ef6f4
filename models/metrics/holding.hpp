// What producers hold for a partition: messages offered and not yet reported as acknowledged or failed.
//
// A batch is told of when it closes, with the times its messages were created: what is held is known by then
// at the latest, and so is since when. What a producer held when it crashed is held no longer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "models/metrics/entity_table.hpp"
#include "sim/trace.hpp"

namespace models {

class Holding {
 public:
  /// An `offered` record.
  void offered(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
    const sim::Time created{sim::Duration{payload[0]}};
    Place& place = places_[r.place];
    place.since = place.messages == 0 ? created : std::min(place.since, created);
    place.messages += r.b;
    Lane& lane = lanes_[r.peer];
    lane.producer = r.actor;
    lane.place = r.place;
    lane.messages += r.b;
  }
  /// An `acknowledged` or `failed` record.
  void settled(const sim::TraceRecord& r) { release(lanes_[r.peer], r.b); }
  void crashed(std::uint32_t producer) {
    for (Lane& lane : lanes_.rows()) {
      if (lane.producer == producer) release(lane, lane.messages);
    }
  }

  /// Whether anything is held for this partition, and if so since when without a break.
  bool any(std::uint32_t place) { return places_[place].messages > 0; }
  sim::Time since(std::uint32_t place) { return places_[place].since; }

 private:
  struct Place {
    std::int64_t messages = 0;
    sim::Time since{};
  };
  struct Lane {
    std::uint32_t producer = 0;
    std::uint32_t place = 0;
    std::int64_t messages = 0;
  };

  void release(Lane& lane, std::int64_t messages) {
    const std::int64_t n = std::min(messages, lane.messages);
    lane.messages -= n;
    places_[lane.place].messages -= n;
  }

  EntityTable<Place> places_;
  EntityTable<Lane> lanes_;
};

}  // namespace models
