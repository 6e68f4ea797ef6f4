// Fetches records for a member of a share group, and says what became of them
// (ShareConsumeRequestManager.java, ShareSessionHandler.java, ShareFetchBuffer.java of Kafka 4.2).
//
// Nothing is fetched ahead: requests go out when poll() finds the buffer empty, to every broker that leads something
// (batch_optimized), or with share.acquire.mode=record_limit to one broker at a time, in turn; the others then only hear
// acknowledgements and changes of the session. The locks of what waits in the buffer are running.
//
// Acknowledgements go to the broker that the records came from, with the next fetch where there is one. What cannot be told (the
// session is gone, the leader has changed) is dropped: those records are delivered again.
#pragma once

#include <vector>

#include "models/kafka/consumer/connections.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/work.hpp"
#include "models/kafka/metadata.hpp"
#include "models/kafka/share/share_calls.hpp"

namespace models::kafka {

class ShareFetcherOwner {
 public:
  virtual ~ShareFetcherOwner() = default;
  /// An answer came.
  virtual void fetched() = 0;
};

class ShareFetcher {
 public:
  /// Records in the hands of the application, and where they came from.
  struct Given {
    BrokerId node = kNoBroker;
    AcquiredRecords records;
  };

  ShareFetcher(ConsumerGroup& group, Node& node, Connections& connections, Metadata& metadata,
               ShareFetcherOwner& owner);

  /// Under this name from now on.
  void start(ShareMember member) { member_ = member; }
  void assign(const std::vector<PartitionIndex>& partitions);
  /// poll() has found nothing.
  void want_more() { wants_more_ = true; }
  /// Sends what is to be sent to brokers that have nothing in flight.
  void send();
  /// Moves at most max.poll.records records into `work` and `given`.
  void collect(Work& work, std::vector<Given>& given);
  /// To be told with the next request to that broker.
  void acknowledge(BrokerId node, PartitionIndex p, Offset first, Offset end, AcknowledgeType type);

  bool buffered() const { return !buffer_.empty(); }
  /// The lower of `lowest` and what is buffered of `p`, or may be in an answer under way.
  Offset lowest(PartitionIndex p, Offset lowest) const;
  /// Something is to be told, or has been and is not answered.
  bool acknowledging() const;
  /// Ends all sessions with what is left to say; fetched() runs with every answer until closed().
  void close();
  bool closed() const;
  void forget();

 private:
  struct Session {
    std::int32_t epoch = kInitialShareEpoch;
    bool in_flight = false;
    bool telling = false;                 ///< what is in flight acknowledges something
    std::vector<PartitionIndex> members;  ///< as the broker knows them, ascending
    std::vector<Offset> asked_from;  ///< of each of `members`: nothing below can be in an answer under way
    std::vector<PartitionIndex> wanted;  ///< of the request being built
    std::vector<AcknowledgementBatch> to_tell;
  };

  /// What has been acquired and not handed out yet.
  struct Buffered {
    Given given;
    std::vector<Surviving> survivors;  ///< where the log has gaps
  };

  void choose();
  void send_acknowledgements();
  void send(BrokerId broker, Session& session);
  void tell(BrokerId broker, Session& session, std::int32_t epoch);
  void take_acknowledgements(Session& session, std::vector<AcknowledgementBatch>& into);
  void on_fetched(BrokerId from, Ref<ShareFetchCall> call);
  void on_acknowledged(BrokerId from, Ref<ShareAcknowledgeCall> call);
  void answered(Session& session, ErrorCode error);
  void retry_at(sim::Time at);
  void buffer(BrokerId from, const ShareFetchCall& call, const AcquiredRecords& records);
  Offset next_record(const Buffered& head, Offset& end);
  void leave_out(const Buffered& head, Offset end);

  const ConsumerConfig& config_;
  Cluster& cluster_;
  Context& context_;
  EntityId group_, entity_;
  Connections& connections_;
  Metadata& metadata_;
  ShareFetcherOwner& owner_;
  ShareMember member_ = 0;
  std::vector<Session> sessions_;         // by broker
  std::vector<PartitionIndex> assigned_;  // in the order in which they are asked for
  std::vector<sim::Time> retry_;          // by partition: not before
  std::vector<Buffered> buffer_;          // oldest first
  bool wants_more_ = false;
  bool closing_ = false;
  BrokerId fetch_node_ = kNoBroker;  // record_limit: whose turn it is
  NodeTimer<std::function<void()>> retry_timer_;
};

}  // namespace models::kafka
