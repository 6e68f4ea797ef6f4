// An incremental fetch session (KIP-227): the partitions that one client or follower reads from one broker, and what of them
// is worth looking at.
//
// A session keeps a queue of entries that may have something new, so that a fetch costs what has changed and not what it
// subscribes to. Partitions that were served go to the back of the queue (FetchSession.java rotates them likewise); those that
// did not fit into a response keep their place.
#pragma once

#include <cstdint>
#include <vector>

#include "models/kafka/protocol.hpp"
#include "models/network/connection.hpp"
#include "sim/ring.hpp"
#include "sim/time.hpp"

namespace models::kafka {

class Broker;

class FetchSession final : public RestingTraffic {
 public:
  struct Entry {
    PartitionIndex partition;
    Offset offset = 0;
    LeaderEpoch current_epoch = kNoEpoch;
    LeaderEpoch last_epoch = kNoEpoch;
    Offset sent_high_watermark = kNoOffset;
    Offset sent_log_start = 0;
    std::int32_t max_bytes = 0;
    bool present = false;
    bool queued = false;
  };

  FetchSession(Broker& broker, std::uint64_t id, BrokerId replica, EntityId client)
      : broker_(broker), id_(id), replica_(replica), client_(client) {}

  std::uint64_t id() const { return id_; }
  bool follower() const { return replica_ != kNoBroker; }
  BrokerId replica() const { return replica_; }
  EntityId client() const { return client_; }

  Entry& entry(std::uint32_t i) { return entries_[i]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }
  /// Index of the entry of `p`, made when there is none.
  std::uint32_t index_of(PartitionIndex p);
  void queue(std::uint32_t i) {
    if (entries_[i].queued) return;
    entries_[i].queued = true;
    queue_.push_back(i);
  }
  /// Entries with news, in order of service; the caller removes what it has dealt with (and clears `queued`).
  std::vector<std::uint32_t>& queued() { return queue_; }

  /// The read of remote storage that its fetch has waited for was of this entry as it is.
  bool has_read(const Entry& of) const {
    return remote.state == Remote::read && &entries_[remote.entry] == &of && remote.from == of.offset;
  }

  // RestingTraffic
  void rouse() override;

  Ref<FetchCall> waiting;  ///< a fetch in purgatory
  sim::Time deadline{};    ///< of that fetch
  /// What that fetch waits for from remote storage, and for nothing else (remote_fetch.cpp).
  struct Remote {
    enum State : std::uint8_t { none, reading, read } state = none;
    ErrorCode error = ErrorCode::none;
    std::uint32_t entry = 0;
    Offset from = 0;
    Offset end = 0;  ///< once it has been read
  };
  Remote remote{};
  bool in_purgatory = false;  ///< stands in the broker's list of deadlines
  bool resting = false;       ///< `waiting` goes round unsimulated (resting_fetches.cpp), since `deadline`
  RoundTrip trip{};           ///< while it does
  sim::Time last_fetch{};     ///< when the latest fetch came
  sim::Time fetch_before{};   ///< when the one before came
  std::uint64_t fetches = 0;
  std::int32_t rack = -1;           ///< a consumer's
  std::int64_t replica_epoch = -1;  ///< of the latest fetch, where a follower's
  /// Its next fetch may bring the follower back in sync there, though it does not name them.
  std::vector<PartitionIndex> left_out{};
  bool read_committed = false;  ///< isolation.level of its last fetch

 private:
  Broker& broker_;
  std::uint64_t id_;
  BrokerId replica_;
  EntityId client_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> by_partition_;  // sorted by partition
  std::vector<std::uint32_t> queue_;
};

}  // namespace models::kafka
