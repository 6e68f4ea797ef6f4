// Fetches records into a buffer and hands them to poll() (AbstractFetch.java, FetchCollector.java, FetchSessionHandler.java).
//
// One fetch is in flight to each broker, in an incremental session (KIP-227). It asks for the partitions that have nothing
// buffered, so that what the application works on is not fetched again and the next data arrive meanwhile. poll() takes
// records from the oldest answer until it is used up, then from the next, max.poll.records in all. Errors of a partition wait in
// the buffer too, and are dealt with when poll() comes to them.
#pragma once

#include <vector>

#include "models/kafka/consumer/assignment.hpp"
#include "models/kafka/consumer/connections.hpp"
#include "models/kafka/consumer/positions.hpp"
#include "models/kafka/consumer/work.hpp"
#include "models/kafka/metadata.hpp"

namespace models::kafka {

class FetcherOwner {
 public:
  virtual ~FetcherOwner() = default;
  /// An answer came: poll() may find something, or may ask again.
  virtual void fetched() = 0;
};

class Fetcher final : public FetchSender {
 public:
  /// `rack`: as Cluster::find_rack() gives it.
  Fetcher(ConsumerGroup& group, Node& node, std::int32_t rack, Assignment& assignment, Positions& positions,
          Connections& connections, Metadata& metadata, FetcherOwner& owner);

  /// Sends a fetch to each broker that leads something to be fetched and has none in flight.
  void send();
  /// poll() asks for nothing more for now: what rests at brokers goes on, as nothing would follow it.
  void rouse();
  // FetchSender
  bool would_ask_again(BrokerId broker) override;
  /// Moves at most max.poll.records records into `work` and the positions past them.
  void collect(Work& work);
  bool buffered() const { return !buffer_.empty(); }
  /// Drops what was fetched for partitions that are no longer held.
  void assignment_changed();
  void forget();

 private:
  struct Buffered {
    PartitionIndex partition{};
    ErrorCode error = ErrorCode::none;
    Offset next = 0;
    Offset end = 0;
    LeaderEpoch epoch = kNoEpoch;
    bool has_transactions = false;            ///< some offsets may be no records
    std::vector<AbortedTransaction> aborted;  ///< of these offsets, where isolation.level=read_committed
  };
  struct Session {
    std::uint64_t id = 0;  ///< 0: the next request opens one
    bool in_flight = false;
    std::vector<PartitionIndex> members;  ///< as the broker knows them
    std::vector<PartitionIndex> wanted;   ///< of the request being built
    std::uint32_t same = 0;               ///< members that are wanted as they were asked for
    bool other = false;                   ///< something else is wanted, too
    bool may_rest = false;                ///< the broker was told that the same would be asked again
  };

  void want(PartitionIndex p);
  BrokerId source(HeldPartition& held) const;
  void send(BrokerId broker, Session& session);
  void list_changes(BrokerId broker, Session& session, FetchCall& call);
  void on_fetched(BrokerId from, Ref<FetchCall> call);
  void end_session(BrokerId broker, Session& session);
  /// At most `room` records of what was fetched, without markers and, as isolation.level says, what was aborted. Returns how
  /// many records it has added to `work`.
  std::int64_t take_records(Buffered& head, Work& work, std::int64_t room);
  void leave_out(PartitionIndex p, Offset from, Offset to);
  bool still_wanted(const Buffered& head) const;
  void deal_with_error(const Buffered& head);
  void retry_at(sim::Time at);
  void rouse(BrokerId broker, Session& session);

  const ConsumerConfig& config_;
  Cluster& cluster_;
  Context& context_;
  EntityId member_;
  std::int32_t rack_;
  EntityId group_;
  Assignment& assignment_;
  Positions& positions_;
  Connections& connections_;
  Metadata& metadata_;
  FetcherOwner& owner_;
  std::vector<Session> sessions_;  // by broker
  std::vector<Buffered> buffer_;   // oldest first; at most one a partition
  std::uint64_t round_ = 0;        // of building requests
  bool asking_ = false;            // the last poll() has asked for all it wants
  bool may_rest_ = false;          // some session
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::kafka
