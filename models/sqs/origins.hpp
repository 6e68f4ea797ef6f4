// Which messages dead letters and the like were at first, and where they come from. Numbered from 1; slots are used again.
#pragma once

#include <cstdint>
#include <vector>

#include "models/ids.hpp"
#include "models/sqs/message.hpp"

namespace models::sqs {

struct Identity {
  LaneId lane{};
  std::uint64_t seq = 0;
};

class Origins {
 public:
  struct Origin {
    Identity identity;
    bool dead_letter = false;
    QueueIndex source{};  ///< of a dead letter: whose
    sim::Time moved{};    ///< when it came to the queue where it is
  };
  std::uint32_t add(const Origin& origin) {
    if (free_.empty()) {
      all_.push_back(origin);
      return static_cast<std::uint32_t>(all_.size());
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    all_[slot - 1] = origin;
    return slot;
  }
  /// No effect on 0.
  void forget(std::uint32_t origin) {
    if (origin != 0) free_.push_back(origin);
  }
  const Origin& operator[](std::uint32_t origin) const { return all_[origin - 1]; }
  Identity identity(const Message& m) const {
    return m.origin == 0 ? Identity{m.lane, m.seq} : all_[m.origin - 1].identity;
  }

 private:
  std::vector<Origin> all_;
  std::vector<std::uint32_t> free_;
};

}  // namespace models::sqs
