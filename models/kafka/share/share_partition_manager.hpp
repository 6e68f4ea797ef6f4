// A broker's part in share groups: sessions with their members, fetches that wait, and the in-flight records of the partitions
// that it leads (SharePartitionManager.java, DelayedShareFetch.java, ShareSessionCache.java).
//
// A fetch is answered when something can be acquired of the partitions in its session, or after fetch.max.wait.ms; what it says
// of records acquired before is carried out first, and the answer waits until the share coordinator has stored that. Of several
// members who wait for a partition the one that has waited longest is served first.
//
// State is made when a member first asks for a partition: read from the share coordinator, or begun at
// share.auto.offset.reset. It is forgotten with the leadership; what was acquired then is unknown to the next leader, which
// delivers it again, with the delivery count that was stored last.
//
// Model: reading the log takes no time, so that two fetches never meet at one partition (maybeAcquireFetchLock). Client quotas do
// not count share fetches.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "models/kafka/broker/log.hpp"
#include "models/kafka/share/share_partition.hpp"
#include "models/kafka/share/share_persister.hpp"
#include "models/trace_kinds.hpp"

namespace models::kafka {

class Broker;
struct Replica;

class SharePartitionManager {
 public:
  explicit SharePartitionManager(Broker& broker);
  ~SharePartitionManager();

  void receive(Ref<ShareFetchCall> call);
  void receive(Ref<ShareAcknowledgeCall> call);
  /// There is more to read of `p`.
  void readable(PartitionIndex p);
  /// This broker leads `p` in another epoch, or no longer.
  void role_changed(PartitionIndex p);
  void crashed();

  /// As this broker has it, where it leads and somebody has asked; or null. For invariants, tools and tests.
  const SharePartition* find(const ShareKey& key) const;
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& all : entries_) {
      for (const auto& entry : all) visit(entry->key, entry->records);
    }
  }

 private:
  struct Session;
  struct Entry {
    Entry(Broker& broker, SharePartitionManager& manager, const ShareKey& of, LeaderEpoch leader_epoch,
          const SharePartition::Options& options, std::uint64_t number);
    ShareKey key;
    LeaderEpoch epoch;
    std::uint64_t id;
    SharePartition records;
    bool active = false;
    std::vector<Session*> waiting;  ///< for something to acquire, oldest first
    NodeTimer<std::function<void()>> locks;
  };
  struct Session {
    Session(Broker& broker, SharePartitionManager& manager, EntityId of, ShareMember who);
    EntityId group;
    ShareMember member;
    std::int32_t epoch = 1;
    std::vector<PartitionIndex> partitions;
    Ref<ShareFetchCall> waiting;
    NodeTimer<std::function<void()>> deadline;
  };
  /// Changes on their way to the share coordinator.
  struct Write {
    std::uint64_t token = 0;  ///< 0: free
    std::uint64_t entry = 0;  ///< its id
    ShareKey key;
    std::vector<ShareStateBatch> changes;
    bool transition = false;
    Ref<ShareFetchCall> fetch;
    Ref<ShareAcknowledgeCall> acknowledge;
  };
  using SessionKey = std::pair<EntityId, ShareMember>;

  // ---- sessions ----
  template <class Call>
  Session* session_of(Call& call);
  void update(Session& session, const ShareFetchCall& call);
  /// Said by the member, or its connection is gone (ShareSessionCache.connectionDisconnectListener).
  void end_session(EntityId group, ShareMember member);

  // ---- partitions ----
  Entry* entry(EntityId group, PartitionIndex p) const;
  void ensure_entry(EntityId group, PartitionIndex p);
  void stored(Ref<ShareGroupStateCall> call);
  void loaded(Entry& entry, ShareGroupStateCall& call);
  bool begin_at_reset(Entry& entry, ShareGroupState& state);
  void tell_start(const Entry& entry, Offset start, ResetCode why);
  void drop(Entry& entry);
  void locks_due(Entry& entry);
  void watch_locks(Entry& entry);
  void changed(Entry& entry);
  void advance(Entry& entry);

  // ---- acknowledgements ----
  template <class Call>
  void acknowledge(const Ref<Call>& call);
  template <class Call>
  static SharePartitionResult& result(Call& call, PartitionIndex p);
  Write& write(Entry& entry, std::vector<ShareStateBatch>& changes, bool transition);
  void written(Write& write, ErrorCode error);
  template <class Call>
  void settle(Ref<Call> call, PartitionIndex p, ErrorCode error);
  template <class Call>
  void answer(Ref<Call> call);
  void tell_archived(const ShareKey& key, const std::vector<ShareStateBatch>& changes);

  // ---- fetches ----
  Offset limit(const Entry& entry, const Replica& replica) const;
  bool has_news(Entry& entry, Offset& from, Offset& to);
  bool ready(Session& session);
  void wait(Session& session);
  void stop_waiting(Session& session);
  void complete(Session& session);
  void fetch(Entry& entry, ShareFetchCall& call, std::int64_t& left, std::int64_t room);
  void list_batches(const ReplicaLog& log, Offset from, const ReadResult& read);
  void tell_survivors(const Entry& entry, ShareFetchCall& call, Offset from, Offset end);
  void tell_gap(const Entry& entry, Offset from, Offset end);
  void leave_out_aborted(Entry& entry, ShareFetchCall& call, std::size_t first, Offset from, Offset to);
  void wake(Entry& entry);
  void maybe_answer(Ref<ShareFetchCall> call);

  Broker& broker_;
  Cluster& cluster_;
  SharePersister persister_;
  std::vector<std::vector<std::unique_ptr<Entry>>> entries_;  // by partition
  std::map<SessionKey, std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Write>> writes_;
  std::uint64_t next_number_ = 1;
  std::vector<LogBatch> batches_;
  std::vector<ShareStateBatch> changes_;
};

}  // namespace models::kafka
