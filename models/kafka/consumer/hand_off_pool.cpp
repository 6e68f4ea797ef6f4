#include "models/kafka/consumer/hand_off_pool.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "models/kafka/consumer/processor.hpp"

namespace models::kafka {

HandOffPool::HandOffPool(ConsumerGroup& group, Node& node, Recorder& recorder, std::uint32_t threads,
                         std::function<void()> drained)
    : group_(group),
      context_(group.cluster().context()),
      node_(node),
      recorder_(recorder),
      drained_(std::move(drained)),
      free_at_(threads, 0),
      effect_step_(context_.steps.cell(node.entity(), Step::effect_applied)),
      uncommitted_step_(context_.steps.cell(node.entity(), Step::processed_not_committed)),
      timer_(context_.simulation, node, [this] { timer_due(); }) {
  MQLAB_ASSERT(threads >= 1, "work is handed to at least one thread");
}

Offset HandOffPool::lowest(PartitionIndex partition, Offset otherwise) const {
  for (const auto& batch : batches_) otherwise = batch->work.lowest(partition, otherwise);
  return otherwise;
}

void HandOffPool::take(Work& work) {
  draw_service(group_, work);
  if (spare_.empty()) spare_.push_back(std::make_unique<Batch>());
  std::unique_ptr<Batch> batch = std::move(spare_.back());
  spare_.pop_back();
  batch->finish.clear();
  batch->last = 0;
  batch->left = work.size();
  const std::int64_t now = sim::nanoseconds(context_.now());
  for (std::int64_t i = 0; i < work.size(); ++i) {
    std::int64_t& free_at = *std::min_element(free_at_.begin(), free_at_.end());
    free_at =
        std::max(free_at, now) + node_.stretched(sim::Duration{work.finish(i) - work.finish(i - 1)}).count();
    batch->finish.push_back(free_at);
    batch->last = std::max(batch->last, free_at);
  }
  pending_ += work.size();
  std::swap(batch->work, work);
  work.clear();
  batches_.push_back(std::move(batch));
  if (!frozen_) plan();
}

std::int64_t HandOffPool::until_watched() const {
  const std::int64_t until = uncommitted_step_.until_next();
  return recorder_.has_effects() ? std::min(until, effect_step_.until_next()) : until;
}

std::int64_t HandOffPool::nth_finish(std::int64_t n) {
  gather(std::numeric_limits<std::int64_t>::max(), false, n);
  return std::max_element(due_.begin(), due_.end(),
                          [](const Due& a, const Due& b) { return a.finish < b.finish; })
      ->finish;
}

void HandOffPool::plan() {
  if (pending_ == 0) return timer_.disarm();
  std::int64_t at = std::numeric_limits<std::int64_t>::max();
  for (const auto& batch : batches_) at = std::min(at, batch->last);
  if (const std::int64_t watched = until_watched(); watched <= pending_)
    at = std::min(at, nth_finish(watched));
  timer_.arm_at(std::max(sim::Time(sim::Duration(at)), context_.now()));
}

void HandOffPool::timer_due() {
  const std::int64_t watched = until_watched();
  gather(sim::nanoseconds(context_.now()), watched > pending_, watched);
  if (!say()) return;
  put_away_finished();
  if (!frozen_) plan();
  if (pending_ == 0) drained_();
}

void HandOffPool::gather(std::int64_t now, bool complete_only, std::int64_t most) {
  due_.clear();
  for (std::size_t b = 0; b < batches_.size(); ++b) {
    const Batch& batch = *batches_[b];
    if (complete_only && batch.last > now) continue;
    for (std::size_t i = 0; i < batch.finish.size(); ++i) {
      if (batch.finish[i] != kSaid && batch.finish[i] <= now) due_.push_back({batch.finish[i], b, i});
    }
  }
  if (static_cast<std::int64_t>(due_.size()) <= most) return;
  const auto in_place = [](const Due& a, const Due& b) {
    return std::pair(a.batch, a.record) < std::pair(b.batch, b.record);
  };
  std::sort(due_.begin(), due_.end(), [&](const Due& a, const Due& b) {
    return a.finish != b.finish ? a.finish < b.finish : in_place(a, b);
  });
  due_.resize(static_cast<std::size_t>(std::max<std::int64_t>(most, 0)));
  std::sort(due_.begin(), due_.end(), in_place);
}

bool HandOffPool::say() {
  const std::uint32_t life = node_.incarnation();
  const auto records = static_cast<std::int64_t>(due_.size());
  std::int64_t applied = 0;
  for (std::size_t i = 0; i < due_.size();) {
    std::size_t end = i + 1;
    while (end < due_.size() && due_[end].batch == due_[i].batch &&
           due_[end].record == due_[end - 1].record + 1)
      ++end;
    applied += say_run(*batches_[due_[i].batch], due_[i].record, due_[end - 1].record + 1);
    i = end;
  }
  pending_ -= records;
  stepping_ = true;
  if (applied > 0) effect_step_.advance(applied);
  if (records > 0 && node_.incarnation() == life) uncommitted_step_.advance(records);
  stepping_ = false;
  return node_.incarnation() == life;
}

std::int64_t HandOffPool::say_run(Batch& batch, std::size_t first, std::size_t end) {
  std::int64_t applied = 0;
  batch.work.for_each(static_cast<std::int64_t>(first), static_cast<std::int64_t>(end),
                      [&](const Work::Range& range, Offset from, Offset to, std::int64_t i) {
                        applied += recorder_.done(
                            range, from, to,
                            std::span(batch.finish)
                                .subspan(static_cast<std::size_t>(i), static_cast<std::size_t>(to - from)));
                        if (stored_ != nullptr) stored_->store(range.partition, to, range.epoch);
                      });
  std::fill(batch.finish.begin() + static_cast<std::ptrdiff_t>(first),
            batch.finish.begin() + static_cast<std::ptrdiff_t>(end), kSaid);
  batch.left -= static_cast<std::int64_t>(end - first);
  return applied;
}

void HandOffPool::say_until_now() {
  if (stepping_ || frozen_) return;
  // A watched step has an event of its own, which has not come yet.
  gather(sim::nanoseconds(context_.now()), false, until_watched() - 1);
  say();
  put_away_finished();
}

void HandOffPool::tell() {
  if (stepping_ || frozen_ || pending_ == 0) return;
  say_until_now();
  plan();
}

void HandOffPool::put_away_finished() {
  std::size_t kept = 0;
  for (std::unique_ptr<Batch>& batch : batches_) {
    if (batch->left > 0) {
      std::swap(batches_[kept++], batch);
    } else {
      batch->work.clear();
      spare_.push_back(std::move(batch));
    }
  }
  batches_.resize(kept);
}

/// All that is to be done from now on is done by another speed.
void HandOffPool::slowed() {
  const double ratio = node_.slowness() / std::exchange(slowness_, node_.slowness());
  say_until_now();
  const std::int64_t now = frozen_ ? frozen_at_ : sim::nanoseconds(context_.now());
  const auto move = [now, ratio](std::int64_t& at) {
    if (at > now) at = now + sim::Distribution::to_duration(ratio * static_cast<double>(at - now)).count();
  };
  for (const auto& batch : batches_) {
    for (std::int64_t& finish : batch->finish) move(finish);
    move(batch->last);
  }
  for (std::int64_t& free_at : free_at_) move(free_at);
  if (!frozen_ && !stepping_) plan();
}

void HandOffPool::paused() {
  if (frozen_) return;
  say_until_now();
  frozen_ = true;
  frozen_at_ = sim::nanoseconds(context_.now());
  timer_.disarm();
}

void HandOffPool::resumed() {
  if (!frozen_) return;
  frozen_ = false;
  const std::int64_t stood_still = sim::nanoseconds(context_.now()) - frozen_at_;
  for (const auto& batch : batches_) {
    for (std::int64_t& finish : batch->finish) finish += finish == kSaid ? 0 : stood_still;
    batch->last += stood_still;
  }
  for (std::int64_t& free_at : free_at_) free_at += stood_still;
  if (stepping_) return;
  plan();
}

void HandOffPool::crashed() {
  say_until_now();
  timer_.disarm();
  batches_.clear();
  pending_ = 0;
  frozen_ = false;
  std::fill(free_at_.begin(), free_at_.end(), 0);
}

}  // namespace models::kafka
