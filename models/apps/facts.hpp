// Facts, and the events that say them.
//
// A fact is what one transaction of a service has done to one aggregate ("order 17 was paid"). Its identity is given by the
// service before anything is written, as an application's own id of an event is: a lane of the instance, and a number in it.
// Payload bytes do not exist, so this book says what a message would: which fact it is about, of which aggregate and type.
// Services and relays write it when they hand a message to a producer, and whoever reads the message looks it up. It is no
// judge, and no part of any process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/ids.hpp"
#include "sim/assert.hpp"

namespace models {

struct FactId {
  LaneId lane{};  ///< 0: none
  std::int64_t seq = 0;
  bool operator==(const FactId&) const = default;
};

/// Index of a type of fact.
using FactType = std::uint16_t;
/// Types of facts, a bit each.
using FactTypeSet = std::uint64_t;
inline constexpr std::size_t kMostFactTypes = 64;
constexpr FactTypeSet set_of(FactType type) {
  return FactTypeSet{1} << type;
}

struct Fact {
  std::uint32_t aggregate = 0;
  FactType type = 0;
};

class FactBook {
 public:
  /// The index of a type of that name, which is new or known. Requires fewer than kMostFactTypes of them.
  FactType type(std::string_view name) {
    for (std::size_t i = 0; i < types_.size(); ++i) {
      if (types_[i] == name) return static_cast<FactType>(i);
    }
    MQLAB_ASSERT(types_.size() < kMostFactTypes, "there are too many types of facts");
    types_.emplace_back(name);
    return static_cast<FactType>(types_.size() - 1);
  }
  const std::vector<std::string>& types() const { return types_; }

  /// The next fact of a lane.
  FactId made(LaneId lane, Fact fact) {
    if (lane.value >= facts_.size()) facts_.resize(lane.value + 1);
    facts_[lane.value].push_back(fact);
    return {lane, static_cast<std::int64_t>(facts_[lane.value].size()) - 1};
  }
  const Fact& operator[](FactId id) const { return facts_[id.lane.value][static_cast<std::size_t>(id.seq)]; }

  /// `count` messages of a lane, from `first_seq` on, say the facts from `fact` on. In order of the lane's seqs.
  void said(LaneId message, std::int64_t first_seq, std::int64_t count, FactId fact) {
    if (message.value >= said_.size()) said_.resize(message.value + 1);
    std::vector<FactId>& lane = said_[message.value];
    lane.resize(static_cast<std::size_t>(first_seq));
    for (std::int64_t i = 0; i < count; ++i) lane.push_back({fact.lane, fact.seq + i});
  }
  /// What that message says; lane 0: no fact.
  FactId fact_of(LaneId message, std::int64_t seq) const {
    if (message.value >= said_.size()) return {};
    const std::vector<FactId>& lane = said_[message.value];
    return static_cast<std::size_t>(seq) < lane.size() ? lane[static_cast<std::size_t>(seq)] : FactId{};
  }

 private:
  std::vector<std::string> types_;
  std::vector<std::vector<Fact>> facts_;   // by lane
  std::vector<std::vector<FactId>> said_;  // by lane of messages
};

}  // namespace models
