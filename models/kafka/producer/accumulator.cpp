#include "models/kafka/producer/accumulator.hpp"

#include <utility>

#include "models/network/node.hpp"
#include "sim/assert.hpp"

namespace models::kafka {

Accumulator::Accumulator(const Context& context, EntityId producer, const Options& options,
                         std::vector<PartitionQueue> partitions)
    : context_(context),
      producer_(producer),
      options_(options),
      available_(options.buffer_memory),
      partitions_(std::move(partitions)),
      busy_(partitions_.size()),
      size_(static_cast<std::uint32_t>(partitions_.size())),
      report_(context, producer) {
  options_.batch_size = std::max(options_.batch_size, 1);  // KafkaProducer.java
}

Accumulator::Outcome Accumulator::append(std::uint32_t partition, const Message& message, sim::Time at) {
  PartitionQueue& queue = partitions_[partition];
  Outcome outcome;
  outcome.bytes = append_to_open(partition, message, at);
  outcome.appended = outcome.bytes > 0;
  if (outcome.appended) {
    queue.batches.back()->last_append = at;
    outcome.closed = all_full(partition);
    return outcome;
  }
  if (room() <= 0) return outcome;
  if (!all_full(partition)) {
    close(*queue.batches.back());
    outcome.closed = true;
  }
  const std::int32_t needed = buffer_for(message.fixed);
  if (needed > available_) return outcome;
  available_ -= needed;
  if (queue.lane == LaneId{}) queue.lane = context_.entities.add_lane(producer_, queue.entity);
  queue.used = true;
  Batch& batch = pool_.take();
  batch.partition = partition;
  batch.first_seq = queue.next_seq;
  batch.buffer_bytes = needed;
  batch.created = batch.last_append = batch.last_attempt = at;
  batch.fill = BatchFill::opened(needed, at);
  queue.batches.push_back(batch);
  mark_busy(partition);
  add(queue, batch, message, batch.fill.record_bytes(message.fixed, at));
  outcome.appended = outcome.opened = true;
  outcome.closed = outcome.closed || batch.closed;
  outcome.bytes = batch.fill.bytes;
  return outcome;
}

void Accumulator::add(PartitionQueue& queue, Batch& batch, const Message& message, std::int32_t bytes) {
  if (message.old_lane != LaneId{}) {
    ResendRange* last = batch.resends.empty() ? nullptr : &batch.resends.back();
    if (last != nullptr && last->at + last->count == batch.count && last->old_lane == message.old_lane &&
        last->old_seq + last->count == message.old_seq) {
      ++last->count;
    } else {
      batch.resends.push_back({batch.count, 1, message.old_lane, message.old_seq});
    }
  }
  batch.fill.add(bytes);
  ++batch.count;
  ++batch.held;
  ++held_;
  ++queue.next_seq;
  batch.created_at.push_back(sim::nanoseconds(message.created));
  if (options_.keep_keys) batch.keys.push_back(message.key | (message.tombstone ? kTombstone : 0));
  if (options_.keep_sizes) batch.sizes.push_back(message.size);
  if (full(batch.fill)) close(batch);
}

Accumulator::Run Accumulator::append_run(std::uint32_t partition, const Columns& messages,
                                         const RecordSizer& sizer, std::int32_t fixed, sim::Time free,
                                         sim::Time now, std::int64_t most_bytes) {
  PartitionQueue& queue = partitions_[partition];
  Batch& batch = *queue.batches.back();
  MQLAB_ASSERT(!batch.closed, "a run goes to an open batch");
  Run run;
  BatchFill fill = batch.fill;
  const auto most = static_cast<std::size_t>(
      std::min(std::max<std::int64_t>(room(), 0), static_cast<std::int64_t>(messages.count)));
  for (; run.appended < most && run.bytes < most_bytes && !full(fill); ++run.appended) {
    const sim::Time created = messages.times[run.appended];
    if (created > now) break;
    const std::int32_t own =
        fixed > 0 ? fixed : sizer.fixed_bytes(messages.size_of(run.appended), messages.key_of(run.appended));
    if (!accepts(own)) break;
    const std::int32_t bytes = fill.record_bytes(own, std::max(created, free));
    if (!fits(fill, bytes)) break;
    fill.add(bytes);
    run.bytes += bytes;
  }
  if (run.appended == 0) return run;
  const auto n = static_cast<std::ptrdiff_t>(run.appended);
  batch.fill = fill;
  batch.last_append = std::max(messages.times[run.appended - 1], free);
  batch.count += static_cast<std::int32_t>(n);
  batch.held += static_cast<std::int32_t>(n);
  held_ += n;
  queue.next_seq += n;
  const std::size_t before = batch.created_at.size();
  batch.created_at.resize(before + run.appended);
  for (std::size_t i = 0; i < run.appended; ++i)
    batch.created_at[before + i] = sim::nanoseconds(messages.times[i]);
  if (options_.keep_keys) batch.keys.insert(batch.keys.end(), messages.keys, messages.keys + n);
  if (options_.keep_sizes) {
    if (messages.sizes != nullptr)
      batch.sizes.insert(batch.sizes.end(), messages.sizes, messages.sizes + n);
    else
      batch.sizes.resize(batch.sizes.size() + run.appended, messages.size);
  }
  if (full(fill)) close(batch);
  return run;
}

void Accumulator::close(Batch& batch) {
  if (batch.closed) return;
  batch.closed = true;
  // Model: a clock that is set while a batch is open counts for all that is in it.
  const sim::Duration wrong = options_.node == nullptr ? sim::Duration{} : options_.node->clock_ahead();
  batch.newest = sim::Time(sim::Duration(batch.created_at.back()) + wrong);
  const PartitionQueue& queue = partitions_[batch.partition];
  if (options_.record_keys != nullptr) options_.record_keys->append(queue.lane, batch.keys);
  if (options_.record_times != nullptr)
    options_.record_times->append(queue.lane, batch.created_at, options_.clock_ahead + wrong);
  report_.offered(queue.entity, queue.lane, batch);
}

void Accumulator::free_memory(Batch& batch) {
  available_ += batch.buffer_bytes;
  batch.buffer_bytes = 0;
  held_ -= std::exchange(batch.held, 0);
}

void Accumulator::release(Batch& batch) {
  free_memory(batch);
  pool_.put_back(batch);
}

std::array<Batch*, 2> Accumulator::halve(const Batch& batch) {
  MQLAB_ASSERT(batch.closed && batch.count > 1, "only a closed batch of several records can be split");
  const std::int64_t records = batch.fill.bytes - kBatchOverhead;
  std::array<Batch*, 2> halves{};
  std::int32_t from = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    Batch& half = pool_.take();
    const std::int32_t to = i == 0 ? batch.count / 2 : batch.count;
    half.partition = batch.partition;
    half.first_seq = batch.first_seq + from;
    half.count = to - from;
    half.fill = {kBatchOverhead + static_cast<std::int32_t>(records * half.count / batch.count), half.count};
    half.created = half.last_attempt = batch.created;
    half.last_append = batch.last_append;
    half.newest = batch.newest;
    half.closed = true;
    half.maybe_written = batch.maybe_written;
    if (options_.keep_keys) half.keys.assign(batch.keys.begin() + from, batch.keys.begin() + to);
    if (options_.keep_sizes) half.sizes.assign(batch.sizes.begin() + from, batch.sizes.begin() + to);
    for (const ResendRange& range : batch.resends) {
      const std::int32_t first = std::max(range.at, from);
      const std::int32_t end = std::min(range.at + range.count, to);
      if (first < end)
        half.resends.push_back(
            {first - from, end - first, range.old_lane, range.old_seq + (first - range.at)});
    }
    halves[i] = &half;
    from = to;
  }
  return halves;
}

}  // namespace models::kafka
