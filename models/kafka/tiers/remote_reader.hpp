// Reads of remote storage for consumers' fetches, on threads of their own (RemoteLogReader.java,
// remote.log.reader.threads). A read is of one partition, and reaches to the end of one remote segment at most
// (RemoteLogManager.read).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/broker/quotas.hpp"
#include "models/kafka/cluster.hpp"
#include "models/kafka/tiers/remote_store.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models::kafka {

struct Replica;

struct RemoteRead {
  std::uint64_t session = 0;
  std::uint64_t fetch = 0;  ///< which of that session
  const Replica* replica = nullptr;
  Offset from = 0;
  std::int64_t max_bytes = 0;
};

/// A read that has ended: [from, end) has been read, or why it has not.
struct RemoteReadResult {
  ErrorCode error = ErrorCode::none;
  Offset end = 0;
};

class RemoteReader {
 public:
  using Done = std::function<void(const RemoteRead&, const RemoteReadResult&)>;
  RemoteReader(Cluster& cluster, Node& node, Done done);

  /// More than remote.log.manager.fetch.max.bytes.per.second has been read lately.
  bool throttled();
  /// False: too many wait (remote.log.reader.max.pending.tasks). `done` is told later, unless the read is cancelled.
  bool submit(const RemoteRead& read);
  /// Nobody waits for what that session reads any more.
  void cancel(std::uint64_t session);
  void crashed();

 private:
  struct Thread {
    RemoteRead read;
    RemoteReadResult result;
    std::int64_t bytes = 0;
    std::unique_ptr<RemoteTransfer> transfer;
  };
  void begin(Thread& thread, const RemoteRead& read);
  void ended(Thread& thread, bool succeeded);
  void next(Thread& thread);
  const TierConfig& config() const { return cluster_.options().config.tiers; }

  Cluster& cluster_;
  Node& node_;
  Done done_;
  sim::Stream draws_;
  SampledRate read_bytes_;
  std::vector<std::unique_ptr<Thread>> threads_;  // made when first needed
  std::vector<RemoteRead> queue_;                 // oldest first
};

}  // namespace models::kafka
