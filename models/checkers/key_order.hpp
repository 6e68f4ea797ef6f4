// The order in which one group processes the messages of each producer and key.
//
// A first processing is reordered when a later-created message of its key finished before it; a repeated one
// rewinds. A key is stale while the last to finish is not the latest created: what a blind overwrite by that
// key would leave behind.
//
// Records arrive when their poll ends, not when a message finished, so times decide, not arrival. Of each key
// the latest message is kept, with the time at which it first finished, and the time of the last finish of
// all (32 bytes a key). A first processing is compared with that latest message alone. So `reordered` is
// exact where records arrive in the order of their finishes, which they do for one application that works in
// order; where a poll that ends early tells of a later message first, disorder among the earlier ones of its
// key is counted once, or, when all of them finished before that later one, not at all. Whether there is any
// disorder between a message and the latest is never missed. `rewound` and `stale_keys` are exact.
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
  /// A message by its identity.
  struct Message {
    LaneId lane{};
    std::uint64_t seq = 0;
    std::uint64_t word() const { return static_cast<std::uint64_t>(lane.value) << 40 | seq; }
  };

  /// `message` of `key`, created and finished then; `again` when the group had processed it before.
  void processed(EntityId producer, std::uint32_t key, Message message, std::int64_t created,
                 std::int64_t finished, bool again, Found& found) {
    Latest& latest = entry(producer, key);
    if (again) return processed_again(latest, message, finished, found);
    const bool tie = created == latest.created && message.lane.value == latest.message >> 40;
    if (created < latest.created || (tie && message.word() < latest.message)) {
      if (finished > latest.finished) ++found.reordered;
      return finish(latest, finished, false);
    }
    // The former latest may have finished behind this one after all.
    if (latest.created >= 0 && finished < latest.finished) ++found.reordered;
    latest.created = created;
    latest.message = message.word();
    latest.finished = finished;
    if (finished < latest.last()) return set_stale(latest, true);
    finish(latest, finished, true);
  }

  /// The same for one of which nothing is remembered but its key: it had been processed before.
  void processed_again(EntityId producer, std::uint32_t key, Message message, std::int64_t finished,
                       Found& found) {
    processed_again(entry(producer, key), message, finished, found);
  }

  /// Keys are met in no order: what is remembered of one is seldom in the cache.
  void prefetch(EntityId producer, std::uint32_t key) const noexcept {
    if (producer.value < tables_.size() && key < tables_[producer.value].size())
      __builtin_prefetch(&tables_[producer.value][key], 1);
  }

  std::uint64_t stale_keys() const { return stale_; }

 private:
  struct Latest {
    std::int64_t created = -1;
    std::uint64_t message = 0;
    std::int64_t finished = 0;
    /// Finish of whatever message of the key finished last, doubled, and 1 while stale.
    std::int64_t mark = 0;
    std::int64_t last() const { return mark >> 1; }
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
  void processed_again(Latest& latest, Message message, std::int64_t finished, Found& found) {
    const bool is_latest = latest.message == message.word();
    if (!is_latest && finished > latest.finished) ++found.rewound;
    finish(latest, finished, is_latest);
  }
  void finish(Latest& latest, std::int64_t finished, bool is_latest) {
    if (finished < latest.last() || (finished == latest.last() && !is_latest)) return;
    latest.mark = finished * 2 + (latest.stale() ? 1 : 0);
    set_stale(latest, !is_latest);
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
