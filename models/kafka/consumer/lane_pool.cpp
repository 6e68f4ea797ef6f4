#include "models/kafka/consumer/lane_pool.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/kafka/consumer/processor.hpp"

namespace models::kafka {
namespace {

constexpr std::size_t kBuckets = 1024;  // a power of 2

std::size_t bucket_of(std::uint64_t name) {
  return static_cast<std::size_t>((name * 0x9e3779b97f4a7c15u) >> 54) & (kBuckets - 1);
}

}  // namespace

bool works_in_lanes(const GroupOptions& group) {
  return group.calls || group.commit == CommitMode::completed ||
         group.hand_off->order != HandOff::Order::none || group.hand_off->buffer > 0;
}

LanePool::LanePool(ConsumerGroup& group, Node& node, Recorder& recorder, StoredOffsets* completed,
                   std::function<void()> moved)
    : group_(group),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      node_(node),
      recorder_(recorder),
      completed_(completed),
      moved_(std::move(moved)),
      options_(*group.options().hand_off),
      buckets_(kBuckets, kNone),
      lines_(cluster_.partitions().size()),
      at_work_(options_.threads, kNone),
      attempts_(options_.threads),
      effect_step_(context_.steps.cell(node.entity(), Step::effect_applied)),
      uncommitted_step_(context_.steps.cell(node.entity(), Step::processed_not_committed)),
      work_(context_.simulation, node, options_.threads, [this](std::size_t thread) { worked(thread); }) {
  for (std::size_t thread = options_.threads; thread-- > 0;) free_threads_.push_back(thread);
  if (!group.options().calls) return;
  const CallOptions& calls = *group.options().calls;
  CallerOwner& owner = *this;
  caller_.emplace(context_, node, group.entity(), group.options().name, calls, group.dependency(),
                  options_.threads, owner);
  if (!calls.dead_letters.empty())
    dead_letters_ =
        std::make_unique<DeadLetters>(group, node, calls.dead_letters,
                                      [this](std::size_t thread) { over(thread, Outcome::dead_lettered); });
}

void LanePool::started() {
  if (dead_letters_) dead_letters_->start();
}

// ---- handed over --------------------------------------------------------------------------------------------------

void LanePool::take(Work& work) {
  draw_service(group_, work);
  work.for_each(0, work.size(), [&](const Work::Range& range, Offset from, Offset to, std::int64_t first) {
    for (Offset at = from; at < to; ++at) {
      const std::int64_t i = first + (at - from);
      const std::int32_t task = add(range, at, work.finish(i) - work.finish(i - 1));
      if (options_.overflow != HandOff::Overflow::pause) make_room(task);
      if (tasks_[static_cast<std::size_t>(task)].state == State::waiting) wait_in_lane(task);
    }
  });
  work.clear();
  begin_ready();
}

std::int32_t LanePool::add(const Work::Range& range, Offset offset, std::int64_t service) {
  if (free_tasks_.empty()) {
    free_tasks_.push_back(static_cast<std::int32_t>(tasks_.size()));
    tasks_.emplace_back();
  }
  const std::int32_t index = free_tasks_.back();
  free_tasks_.pop_back();
  Task& task = tasks_[static_cast<std::size_t>(index)];
  task = Task{};
  task.partition = range.partition;
  task.epoch = range.epoch;
  task.offset = offset;
  task.service = service;
  task.number = handed_over_++;
  Line& line = lines_[range.partition.value];
  (line.last == kNone ? line.first : tasks_[static_cast<std::size_t>(line.last)].next_of_partition) = index;
  line.last = index;
  ++pending_;
  return index;
}

/// The newest would be one too many: it, or the oldest that waits, goes.
void LanePool::make_room(std::int32_t newest) {
  if (pending_ <= options_.buffer) return;
  std::int32_t victim = newest;
  if (options_.overflow == HandOff::Overflow::drop_oldest && !ready_.empty()) {
    std::pop_heap(ready_.begin(), ready_.end());
    victim = ready_.back().task;
    ready_.pop_back();
  }
  leave_out(victim);
}

std::uint64_t LanePool::lane_name(PartitionIndex partition, LeaderEpoch epoch, Offset offset) {
  constexpr std::uint32_t kNoKey = 0xffffffff;
  std::uint32_t key = kNoKey;
  if (options_.order == HandOff::Order::key) {
    const MessageRun message = messages_at(cluster_, partition, epoch, offset);
    const RecordKeys& keys = cluster_.record_keys();
    if (keys.keyed(message.lane)) key = keys.at(message.lane, message.first_seq) & ~kTombstone;
  }
  return std::uint64_t{partition.value} << 32 | key;
}

std::int32_t LanePool::find_lane(std::uint64_t name) {
  std::int32_t& bucket = buckets_[bucket_of(name)];
  for (std::int32_t at = bucket; at != kNone; at = lanes_[static_cast<std::size_t>(at)].next_in_bucket) {
    if (lanes_[static_cast<std::size_t>(at)].name == name) return at;
  }
  if (free_lanes_.empty()) {
    free_lanes_.push_back(static_cast<std::int32_t>(lanes_.size()));
    lanes_.emplace_back();
  }
  const std::int32_t lane = free_lanes_.back();
  free_lanes_.pop_back();
  lanes_[static_cast<std::size_t>(lane)] = Lane{.name = name, .next_in_bucket = bucket};
  bucket = lane;
  return lane;
}

void LanePool::drop_lane(std::int32_t lane) {
  std::int32_t* at = &buckets_[bucket_of(lanes_[static_cast<std::size_t>(lane)].name)];
  while (*at != lane) at = &lanes_[static_cast<std::size_t>(*at)].next_in_bucket;
  *at = lanes_[static_cast<std::size_t>(lane)].next_in_bucket;
  free_lanes_.push_back(lane);
}

void LanePool::wait_in_lane(std::int32_t index) {
  Task& task = tasks_[static_cast<std::size_t>(index)];
  if (options_.order == HandOff::Order::none) return push_ready(index);
  task.lane = find_lane(lane_name(task.partition, task.epoch, task.offset));
  Lane& lane = lanes_[static_cast<std::size_t>(task.lane)];
  if (lane.tasks++ == 0) return push_ready(index);
  (lane.last_waiting == kNone ? lane.first_waiting
                              : tasks_[static_cast<std::size_t>(lane.last_waiting)].next_of_lane) = index;
  lane.last_waiting = index;
}

void LanePool::push_ready(std::int32_t task) {
  ready_.push_back({tasks_[static_cast<std::size_t>(task)].number, task});
  std::push_heap(ready_.begin(), ready_.end());
}

// ---- at work ------------------------------------------------------------------------------------------------------

void LanePool::begin_ready() {
  if (frozen_) return;
  while (!free_threads_.empty() && !ready_.empty()) {
    std::pop_heap(ready_.begin(), ready_.end());
    const std::int32_t index = ready_.back().task;
    ready_.pop_back();
    Task& task = tasks_[static_cast<std::size_t>(index)];
    const std::size_t thread = free_threads_.back();
    free_threads_.pop_back();
    at_work_[thread] = index;
    task.state = State::at_work;
    work_.set(thread, context_.simulation.after(node_.stretched(sim::Duration{task.service})),
              Timetable::Passes::while_running);
  }
}

void LanePool::worked(std::size_t thread) {
  if (!caller_) return over(thread, Outcome::done);
  const Task& task = tasks_[static_cast<std::size_t>(at_work_[thread])];
  const PartitionInfo& partition = cluster_.partition(task.partition);
  const std::uint64_t place =
      std::uint64_t{partition.topic.value} << 32 | static_cast<std::uint32_t>(partition.number);
  caller_->begin(thread, place, static_cast<std::uint64_t>(task.offset));
}

void LanePool::call_over(std::size_t thread, bool answered, std::uint32_t attempts) {
  if (answered) return over(thread, Outcome::done);
  if (!dead_letters_) return over(thread, Outcome::left_out);
  attempts_[thread] = attempts;
  dead_letters_->put(thread,
                     cluster_.partition(tasks_[static_cast<std::size_t>(at_work_[thread])].partition).number);
}

Work::Range LanePool::record(const Task& task) const {
  return {task.partition, task.offset, task.offset + 1, task.epoch, 0};
}

void LanePool::over(std::size_t thread, Outcome outcome) {
  const std::uint32_t life = node_.incarnation();
  const bool was_full = full();
  const std::int32_t index = std::exchange(at_work_[thread], kNone);
  free_threads_.push_back(thread);
  std::int64_t applied = 0;
  const Work::Range range = record(tasks_[static_cast<std::size_t>(index)]);
  if (outcome == Outcome::done) {
    const std::array<std::int64_t, 1> finish{sim::nanoseconds(context_.now())};
    applied = recorder_.done(range, range.from, range.to, finish);
  } else {
    if (outcome == Outcome::dead_lettered) recorder_.dead_lettered(range, attempts_[thread]);
    recorder_.abandoned(range);
  }
  leave_lane(index);
  complete(index);
  if (applied > 0) effect_step_.advance(applied);
  if (node_.incarnation() == life && outcome == Outcome::done) uncommitted_step_.advance(1);
  if (node_.incarnation() == life) moved(was_full);
}

void LanePool::moved(bool was_full) {
  begin_ready();
  if (pending_ == 0 || (was_full && !full())) moved_();
}

bool LanePool::full() const {
  if (caller_ && caller_->holds()) return true;
  if (options_.buffer == 0 || options_.overflow != HandOff::Overflow::pause) return false;
  return pending_ + group_.options().config.max_poll_records > options_.buffer;
}

/// It is not worked on, nor waits: the next of its lane may begin.
void LanePool::leave_lane(std::int32_t index) {
  const std::int32_t in = tasks_[static_cast<std::size_t>(index)].lane;
  if (in == kNone) return;
  Lane& lane = lanes_[static_cast<std::size_t>(in)];
  if (--lane.tasks == 0) return drop_lane(in);
  const std::int32_t next = lane.first_waiting;
  lane.first_waiting = tasks_[static_cast<std::size_t>(next)].next_of_lane;
  if (lane.first_waiting == kNone) lane.last_waiting = kNone;
  push_ready(next);
}

void LanePool::leave_out(std::int32_t index) {
  recorder_.abandoned(record(tasks_[static_cast<std::size_t>(index)]));
  complete(index);
}

/// All up to the first that is not over is completed.
void LanePool::complete(std::int32_t index) {
  Task& task = tasks_[static_cast<std::size_t>(index)];
  task.state = State::over;
  --pending_;
  if (task.revoked) return free_tasks_.push_back(index);
  Line& line = lines_[task.partition.value];
  while (line.first != kNone && tasks_[static_cast<std::size_t>(line.first)].state == State::over) {
    const Task& first = tasks_[static_cast<std::size_t>(line.first)];
    if (completed_ != nullptr) completed_->store(first.partition, first.offset + 1, first.epoch);
    free_tasks_.push_back(std::exchange(line.first, first.next_of_partition));
  }
  if (line.first == kNone) line.last = kNone;
}

// ---- what happens to the member -----------------------------------------------------------------------------------

Offset LanePool::lowest(PartitionIndex partition, Offset otherwise) const {
  const std::int32_t first = lines_[partition.value].first;
  if (first != kNone) otherwise = std::min(otherwise, tasks_[static_cast<std::size_t>(first)].offset);
  for (const std::int32_t task : at_work_) {  // it may have been revoked
    if (task != kNone && tasks_[static_cast<std::size_t>(task)].partition == partition)
      otherwise = std::min(otherwise, tasks_[static_cast<std::size_t>(task)].offset);
  }
  return otherwise;
}

void LanePool::revoked(PartitionIndex p) {
  const bool was_full = full();
  std::erase_if(ready_,
                [&](const Ready& r) { return tasks_[static_cast<std::size_t>(r.task)].partition == p; });
  std::make_heap(ready_.begin(), ready_.end());
  Line line = std::exchange(lines_[p.value], Line{});
  for (std::int32_t index = line.first; index != kNone;) {
    Task& task = tasks_[static_cast<std::size_t>(index)];
    const std::int32_t next = task.next_of_partition;
    task.revoked = true;
    if (task.state == State::over) {
      free_tasks_.push_back(index);
    } else if (task.state == State::waiting) {
      recorder_.abandoned(record(task));
      if (task.lane != kNone && --lanes_[static_cast<std::size_t>(task.lane)].tasks == 0)
        drop_lane(task.lane);
      --pending_;
      free_tasks_.push_back(index);
    }
    index = next;
  }
  // Lanes are of one partition: what still works in one has nobody behind it.
  for (const std::int32_t at : at_work_) {
    if (at == kNone || tasks_[static_cast<std::size_t>(at)].lane == kNone) continue;
    const Task& task = tasks_[static_cast<std::size_t>(at)];
    if (task.partition != p) continue;
    Lane& lane = lanes_[static_cast<std::size_t>(task.lane)];
    lane.first_waiting = lane.last_waiting = kNone;
  }
  if (was_full && !full()) context_.simulation.post([this] { moved_(); });
}

void LanePool::paused() {
  if (frozen_) return;
  frozen_ = true;
  work_.paused();
  if (caller_) caller_->paused();
  if (dead_letters_) dead_letters_->paused();
}

void LanePool::resumed() {
  if (!frozen_) return;
  frozen_ = false;
  work_.resumed();
  if (caller_) caller_->resumed();
  if (dead_letters_) dead_letters_->resumed();
  begin_ready();
}

void LanePool::crashed() {
  work_.forget();
  if (caller_) caller_->crashed();
  if (dead_letters_) dead_letters_->crashed();
  tasks_.clear();
  free_tasks_.clear();
  lanes_.clear();
  free_lanes_.clear();
  std::fill(buckets_.begin(), buckets_.end(), kNone);
  std::fill(lines_.begin(), lines_.end(), Line{});
  ready_.clear();
  std::fill(at_work_.begin(), at_work_.end(), kNone);
  free_threads_.clear();
  for (std::size_t thread = options_.threads; thread-- > 0;) free_threads_.push_back(thread);
  pending_ = 0;
  frozen_ = false;
}

}  // namespace models::kafka
