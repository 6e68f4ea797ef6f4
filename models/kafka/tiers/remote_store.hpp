// The remote storage of a cluster with tiers, and transfers to and from it (RemoteStorageManager.java is what Kafka asks of it).
//
// It is a host of its own, "remote-storage", that faults can hit: while it is down every request fails, after the time that
// one takes; while it stands still nothing comes back. It loses nothing.
//
// Model: it is no host of the network but one that brokers reach in `[kafka.remote] latency`, each transfer at `bandwidth`
// whatever else is transferred, as object stores do that grow with their load.
#pragma once

#include <functional>
#include <vector>

#include "models/kafka/options.hpp"
#include "models/network/node.hpp"
#include "sim/random.hpp"

namespace models::kafka {

class RemoteTransfer;

class RemoteStore final : public NodeProgram {
 public:
  RemoteStore(Node& node, const RemoteOptions& options) : node_(node), options_(options) {
    node.set_program(*this);
  }

  Node& node() { return node_; }
  bool up() const { return node_.up(); }
  /// How long a request takes that transfers so many bytes.
  sim::Duration time(std::int64_t bytes, sim::Stream& draws) const;

  /// The transfer would be over, but the store stands still: it is told when that has changed, in order.
  void wait(RemoteTransfer& transfer) { waiting_.push_back(&transfer); }
  void forget(const RemoteTransfer& transfer) { std::erase(waiting_, &transfer); }

  // NodeProgram
  void crashed() override { tell(); }
  void restarted() override {}
  void resumed() override { tell(); }

 private:
  void tell();

  Node& node_;
  const RemoteOptions& options_;
  std::vector<RemoteTransfer*> waiting_;
};

/// One transfer at a time, of a broker. The broker disarms it when it crashes.
class RemoteTransfer {
 public:
  /// `done` is told whether it succeeded.
  RemoteTransfer(sim::Simulation& simulation, Node& broker, RemoteStore& store,
                 std::function<void(bool succeeded)> done);
  ~RemoteTransfer() { cancel(); }
  RemoteTransfer(const RemoteTransfer&) = delete;
  RemoteTransfer& operator=(const RemoteTransfer&) = delete;

  void begin(std::int64_t bytes, sim::Stream& draws);
  void cancel();
  bool busy() const { return timer_.armed() || waits_; }
  /// From the store: it goes on, or has died.
  void store_changed();

 private:
  void due();

  RemoteStore& store_;
  std::function<void(bool)> done_;
  std::uint32_t life_ = 0;  // of the store, when it began
  bool refused_ = false;
  bool waits_ = false;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
