// Threads that work on records while the poll loop goes on: the pattern behind "asynchronous processing with
// auto-commit loses records".
//
// Records are taken up in the order in which poll() returned them, each by the thread that is free first, from a queue
// without bounds. When each is done is known at hand-over (first come, first served); what a poll's records did is said when
// the last of them is done, or when a crash, a pause or a watched step cuts in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "models/kafka/consumer/recorder.hpp"
#include "models/kafka/consumer/stored_offsets.hpp"
#include "models/kafka/consumer/work_pool.hpp"
#include "models/network/node.hpp"

namespace models::kafka {

class HandOffPool final : public WorkPool {
 public:
  /// `drained` runs whenever nothing is left to do.
  HandOffPool(ConsumerGroup& group, Node& node, Recorder& recorder, std::uint32_t threads,
              std::function<void()> drained);

  /// Each record that is done is stored there.
  void store_in(StoredOffsets& stored) { stored_ = &stored; }

  void take(Work& work) override;
  void tell() override;
  bool idle() const override { return pending_ == 0; }
  Offset lowest(PartitionIndex partition, Offset otherwise) const override;
  void slowed() override;
  void paused() override;
  void resumed() override;
  void crashed() override;

 private:
  static constexpr std::int64_t kSaid = -1;  ///< in place of a finish time

  struct Batch {
    Work work;
    std::vector<std::int64_t> finish;  ///< of each record, ns, or kSaid
    std::int64_t last = 0;             ///< the latest finish
    std::int64_t left = 0;             ///< records not said
  };
  struct Due {
    std::int64_t finish;
    std::size_t batch, record;
  };

  std::int64_t until_watched() const;
  std::int64_t nth_finish(std::int64_t n);
  void plan();
  void timer_due();
  /// Puts into due_ what is done by `now`, of all batches or only of those that are complete, at most the first `most`.
  void gather(std::int64_t now, bool complete_only, std::int64_t most);
  /// Says what is due, and counts the steps. False when the node did not survive one of them.
  bool say();
  std::int64_t say_run(Batch& batch, std::size_t first, std::size_t end);
  void say_until_now();
  void put_away_finished();

  ConsumerGroup& group_;
  Context& context_;
  Node& node_;
  Recorder& recorder_;
  StoredOffsets* stored_ = nullptr;
  double slowness_ = 1;  // with which the times were reckoned
  std::function<void()> drained_;
  std::vector<std::int64_t> free_at_;            // by thread, ns
  std::vector<std::unique_ptr<Batch>> batches_;  // in order of hand-over
  std::vector<std::unique_ptr<Batch>> spare_;
  std::vector<Due> due_;
  std::int64_t pending_ = 0;
  bool stepping_ = false;
  bool frozen_ = false;
  std::int64_t frozen_at_ = 0;
  StepCell& effect_step_;
  StepCell& uncommitted_step_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models::kafka
