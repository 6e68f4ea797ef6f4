// The order in which one group processes the messages of each producer and key.
//
// A first processing is reordered when a later-created message of its key finished before it; a repeated one
// rewinds. A key is stale while the last to finish is not the latest created: what a blind overwrite by that
// key would leave behind. Records arrive when their poll ends, not when a message finished, so times decide,
// not arrival: the latest message of each key is kept with the time it first finished (16 bytes a key).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/ids.hpp"

namespace models {

class KeyOrder {
 public:
  struct Found {
    std::uint64_t reordered = 0;
    std::uint64_t rewound = 0;
  };

  /// A message of `key`, created and finished then; `again` when the group had processed it before.
  void processed(EntityId producer, std::uint32_t key, std::int64_t created, std::int64_t finished,
                 bool again, Found& found) {
    Latest& latest = entry(producer, key);
    if (created > latest.created) {
      const bool late = finished < latest.finished();  // the former latest finished behind this one after all
      found.reordered += late ? 1 : 0;
      set_stale(latest, late);
      latest.created = created;
      latest.mark = finished * 2 + (late ? 1 : 0);
    } else if (created == latest.created) {
      set_stale(latest, false);
    } else if (finished > latest.finished()) {
      ++(again ? found.rewound : found.reordered);
      set_stale(latest, true);
    }
  }

  std::uint64_t stale_keys() const { return stale_; }

 private:
  struct Latest {
    std::int64_t created = -1;
    std::int64_t mark = 0;  ///< first finish, doubled, and 1 while stale
    std::int64_t finished() const { return mark >> 1; }
    bool stale() const { return (mark & 1) != 0; }
  };

  Latest& entry(EntityId producer, std::uint32_t key) {
    if (producer.value >= tables_.size()) tables_.resize(producer.value + 1);
    std::vector<Latest>& table = tables_[producer.value];
    if (key >= table.size()) table.resize(grown(table.size(), key), Latest{});
    return table[key];
  }
  static std::size_t grown(std::size_t size, std::uint32_t key) {
    const std::size_t needed = std::size_t{key} + 1;
    return needed > 2 * size ? needed : 2 * size;
  }
  void set_stale(Latest& latest, bool stale) {
    if (latest.stale() == stale) return;
    latest.mark += stale ? 1 : -1;
    stale_ += stale ? 1 : static_cast<std::uint64_t>(-1);
  }

  std::vector<std::vector<Latest>> tables_;  ///< by producer, then key
  std::uint64_t stale_ = 0;
};

}  // namespace models
