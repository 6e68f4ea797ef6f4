// What a mirror's task does with the records of a poll: it writes them to the target, waits until all are there, and notes pairs
// of offsets (MirrorSourceTask).
//
// Each broker of the target has one request at a time, of batches whose partition has no other on the way; what fails in a way
// that may pass is sent again for ever, before what came later (delivery.timeout.ms and max.block.ms are without end in
// Connect). A connection that breaks leaves doubt, and the records may be copied twice.
//
// Model: a batch of the source, or what a poll brings of it, is a batch at the target; Connect's producer packs them anew.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/metadata.hpp"
#include "models/kafka/mirror/checkpoints.hpp"
#include "models/kafka/mirror/mirror.hpp"

namespace models::kafka {

class MirrorTask final : public Outlet {
 public:
  MirrorTask(Mirror& mirror, Node& node, OutletOwner& owner, std::unique_ptr<Checkpoints> checkpoints);

  void start() override;
  void close() override { crashed(); }
  void take(const Work& work, const GroupMembership& membership) override;
  void crashed() override;
  void paused() override {}
  void resumed() override {}

 private:
  /// A batch on its way to the target.
  struct Copy {
    PartitionIndex source{};
    Offset upstream = 0;
    ProduceBatch batch;
  };
  struct Destination {
    std::unique_ptr<RpcChannel> channel;
    std::vector<Copy> in_flight;  // in order of the request
  };

  void make_copies(PartitionIndex source, Offset from, Offset to, LeaderEpoch epoch);
  void send();
  bool send_to(BrokerId broker);
  bool on_the_way(PartitionIndex target) const;
  void on_produced(BrokerId from, Ref<ProduceCall> call);
  void retry_later();
  void finish_if_done();

  Mirror& mirror_;
  Cluster& target_;
  OutletOwner& owner_;
  Metadata metadata_;
  std::vector<Destination> brokers_;
  std::deque<Copy> waiting_;  // oldest first
  std::size_t sent_ = 0;      // batches on the way
  bool working_ = false;
  NodeTimer<std::function<void()>> retry_timer_;
  std::unique_ptr<Checkpoints> checkpoints_;  // of the first task
};

}  // namespace models::kafka
