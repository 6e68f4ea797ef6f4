// Threads that work on records with an order among them, one event for each: what a HandOffPool cannot foresee.
//
// Records wait in lanes: each in one of its own (any order), or with the others of its key or partition, of which one is worked
// on at a time. A thread that is free takes the oldest record that may begin. When its service time is over it may call a
// dependency (Caller), and holds its thread until that is over; a record whose attempts are used up goes to the dead letter
// topic, or is left out. What is completed without a gap is stored for the consumer to commit, as Confluent's parallel-consumer
// does (PartitionState.getOffsetHighestSequentialSucceeded): what is beyond the first record that is not done will be done
// again after a crash. What was revoked and has not begun is dropped; what has begun is finished, and not stored.
//
// Model: parallel-consumer also writes into a commit's metadata which records beyond it are completed
// (OffsetMapCodecManager), as long as 4096 bytes hold it; here such records are done again. Records without a key are in one lane
// of their partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "models/clients/caller.hpp"
#include "models/kafka/consumer/dead_letters.hpp"
#include "models/kafka/consumer/recorder.hpp"
#include "models/kafka/consumer/stored_offsets.hpp"
#include "models/kafka/consumer/work_pool.hpp"
#include "models/network/timetable.hpp"

namespace models::kafka {

/// Whether such a group's handed-over work needs this kind of pool.
bool works_in_lanes(const GroupOptions& group);

class LanePool final : public WorkPool, private CallerOwner {
 public:
  /// `completed`: where what is completed is stored; null: nowhere. `moved` runs when all is done, or more is wanted again.
  LanePool(ConsumerGroup& group, Node& node, Recorder& recorder, StoredOffsets* completed,
           std::function<void()> moved);

  void take(Work& work) override;
  bool idle() const override { return pending_ == 0; }
  bool full() const override;
  Offset lowest(PartitionIndex partition, Offset otherwise) const override;
  void revoked(PartitionIndex p) override;
  void paused() override;
  void resumed() override;
  void crashed() override;
  void started() override;

 private:
  static constexpr std::int32_t kNone = -1;
  enum class State : std::uint8_t { waiting, at_work, over };

  struct Task {
    PartitionIndex partition{};
    LeaderEpoch epoch = kNoEpoch;
    Offset offset = 0;
    std::int64_t service = 0;  ///< ns
    std::uint64_t number = 0;  ///< in order of hand-over
    std::int32_t lane = kNone;
    std::int32_t next_of_lane = kNone;
    std::int32_t next_of_partition = kNone;
    State state = State::waiting;
    bool revoked = false;
  };
  /// Records of which one is worked on at a time. Exists while it holds any.
  struct Lane {
    std::uint64_t name = 0;
    std::int32_t first_waiting = kNone;
    std::int32_t last_waiting = kNone;
    std::int32_t tasks = 0;
    std::int32_t next_in_bucket = kNone;
  };
  /// What was handed over of a partition and is not completed, oldest first.
  struct Line {
    std::int32_t first = kNone;
    std::int32_t last = kNone;
  };
  /// One may begin. A heap, the oldest on top.
  struct Ready {
    std::uint64_t number;
    std::int32_t task;
    bool operator<(const Ready& other) const { return number > other.number; }
  };
  enum class Outcome : std::uint8_t { done, dead_lettered, left_out };

  std::int32_t add(const Work::Range& range, Offset offset, std::int64_t service);
  std::uint64_t lane_name(PartitionIndex partition, LeaderEpoch epoch, Offset offset);
  std::int32_t find_lane(std::uint64_t name);
  void drop_lane(std::int32_t lane);
  void wait_in_lane(std::int32_t task);
  void make_room(std::int32_t newest);
  void push_ready(std::int32_t task);
  void begin_ready();
  void worked(std::size_t thread);
  void over(std::size_t thread, Outcome outcome);
  void leave_out(std::int32_t task);
  void leave_lane(std::int32_t task);
  void complete(std::int32_t task);
  void moved(bool was_full);
  Work::Range record(const Task& task) const;
  // CallerOwner
  void call_over(std::size_t thread, bool answered, std::uint32_t attempts) override;
  void breaker_moved() override { moved_(); }

  ConsumerGroup& group_;
  Cluster& cluster_;
  Context& context_;
  Node& node_;
  Recorder& recorder_;
  StoredOffsets* completed_;
  std::function<void()> moved_;
  HandOff options_;
  std::vector<Task> tasks_;
  std::vector<std::int32_t> free_tasks_;
  std::vector<Lane> lanes_;
  std::vector<std::int32_t> free_lanes_;
  std::vector<std::int32_t> buckets_;  // of lanes, by name
  std::vector<Line> lines_;            // by partition of the cluster
  std::vector<Ready> ready_;
  std::vector<std::int32_t> at_work_;    // by thread: its task
  std::vector<std::uint32_t> attempts_;  // by thread: of the call that failed
  std::vector<std::size_t> free_threads_;
  std::int64_t pending_ = 0;
  std::uint64_t handed_over_ = 0;
  bool frozen_ = false;
  StepCell& effect_step_;
  StepCell& uncommitted_step_;
  Timetable work_;  // by thread
  std::optional<Caller> caller_;
  std::unique_ptr<DeadLetters> dead_letters_;
};

}  // namespace models::kafka
