// What a member does with a poll's records once they have been processed, before it commits: something that takes time, and
// may fail. Parts of the member's program: they die with it.
#pragma once

#include <cstdint>

#include "models/kafka/consumer/work.hpp"

namespace models::kafka {

struct GroupMembership;

enum class TransformOutcome : std::uint8_t {
  taken,     ///< sent, and committed later: commit()
  done,      ///< all sent and acknowledged; in a transaction: committed, with the offsets
  failed,    ///< not all were sent, or the transaction was aborted: to be done again
  migrated,  ///< the tasks are somebody else's: the application gives them up, and joins its group anew
  fatal,     ///< fenced, or worse: this application has ended
};

class OutletOwner {
 public:
  virtual ~OutletOwner() = default;
  virtual void transformed(TransformOutcome outcome) = 0;
};

class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void start() = 0;
  virtual void close() = 0;
  /// `work` has been processed; transformed() runs once, perhaps before this returns. `membership` signs the offsets.
  virtual void take(const Work& work, const GroupMembership& membership) = 0;
  /// Something that was taken is not committed: commit() ends that, at commit_due(), and before partitions are given up.
  virtual bool open() const { return false; }
  virtual sim::Time commit_due() const { return sim::kNever; }
  /// Requires open(), and nothing under way. transformed() runs once, perhaps before this returns.
  virtual void commit(const GroupMembership&) {}
  /// The offsets of what was ended could not be committed, as in the middle of a rebalance: it is open still.
  virtual void not_committed() {}
  /// What is open is not ours any more.
  virtual void drop() {}
  virtual void crashed() = 0;
  virtual void paused() = 0;
  virtual void resumed() = 0;
};

}  // namespace models::kafka
