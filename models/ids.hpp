// Identities that do not mix: a lane is not a partition, an offset is not a count.
#pragma once

#include <compare>
#include <cstdint>

namespace models {

template <class Tag, class Rep = std::uint32_t>
struct Id {
  Rep value{};
  constexpr auto operator<=>(const Id&) const = default;
};

/// Anything that a trace record can name; an index into Entities. 0 is "nothing".
using EntityId = Id<struct EntityTag>;
/// A (producer, partition or queue) pair; an index into Entities::lanes(). Lane 0 holds what was refused before routing.
using LaneId = Id<struct LaneTag>;
/// A host of the network; an index into Network.
using HostId = Id<struct HostTag>;

}  // namespace models
