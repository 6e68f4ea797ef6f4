#include "models/clients/message_source.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "sim/assert.hpp"

namespace models {
namespace {

sim::Stream stream(std::uint64_t seed, std::string_view name, std::string_view purpose) {
  return sim::Stream(seed, "producer/" + std::string(name) + "/" + std::string(purpose));
}

constexpr std::uint64_t kSizeMost = 1u << 30;

std::uint32_t drawn_size(const sim::Distribution& size, sim::Stream& stream) {
  return static_cast<std::uint32_t>(std::min(size.sample_count(stream), kSizeMost));
}

}  // namespace

MessageSource::MessageSource(std::uint64_t seed, std::string_view name, const ProducerOptions& options)
    : arrivals_(options.arrivals),
      loop_(options.closed_loop),
      rank_(options.keys.rank),
      size_distribution_(options.size),
      arrival_stream_(stream(seed, name, "arrivals")),
      key_stream_(stream(seed, name, "keys")),
      size_stream_(stream(seed, name, "sizes")),
      think_stream_(stream(seed, name, "think")),
      tombstone_stream_(stream(seed, name, "tombstones")),
      tombstone_share_(options.tombstones),
      messages_most_(options.messages == 0 ? std::numeric_limits<std::uint64_t>::max() : options.messages),
      key_count_(options.keys.count),
      keyed_(options.keys.count > 0),
      constant_size_(options.size.is_constant()) {
  MQLAB_ASSERT(!(arrivals_ && loop_), "a producer is an open loop or a closed one, not both");
  if (constant_size_) size_ = drawn_size(size_distribution_, size_stream_);
}

void MessageSource::start(sim::Time now) {
  last_ = now;
  if (loop_) {
    for (std::uint32_t i = 0; i < loop_->outstanding; ++i) arise_at(now);
  }
}

void MessageSource::generate(std::size_t count) {
  if (!arrivals_) return;
  while (known() < count && !ended_) {
    const std::uint64_t left = messages_most_ - generated_;
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, left));
    const std::size_t before = times_.size();
    times_.resize(before + wanted);
    const std::size_t got =
        arrivals_->fill(last_, arrival_stream_, std::span<sim::Time>(times_).subspan(before, wanted));
    times_.resize(before + got);
    generated_ += got;
    ended_ = got < kBlock;
    draw_keys_and_sizes();
  }
}

void MessageSource::draw_keys_and_sizes() {
  if (keyed_) {
    while (keys_.size() < times_.size()) {
      const std::uint64_t rank = rank_.sample_count(key_stream_);
      keys_.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(rank, key_count_ - 1)));
    }
  }
  if (tombstone_share_ > 0) {
    while (tombstones_.size() < times_.size())
      tombstones_.push_back(tombstone_stream_.uniform() < tombstone_share_ ? 1 : 0);
  }
  if (!constant_size_) {
    while (sizes_.size() < times_.size()) sizes_.push_back(drawn_size(size_distribution_, size_stream_));
  }
}

void MessageSource::arise_at(sim::Time at) {
  if (ended_ || generated_ == messages_most_) return;
  ++generated_;
  const auto first = times_.begin() + static_cast<std::ptrdiff_t>(head_);
  times_.insert(std::upper_bound(first, times_.end(), at), at);
  draw_keys_and_sizes();
}

void MessageSource::release(sim::Time now, std::size_t count) {
  if (!loop_) return;
  for (std::size_t i = 0; i < count; ++i) arise_at(now + loop_->think.sample_duration(think_stream_));
}

void MessageSource::remove(std::size_t i) {
  const auto at = static_cast<std::ptrdiff_t>(head_ + i);
  times_.erase(times_.begin() + at);
  if (keyed_) keys_.erase(keys_.begin() + at);
  if (tombstone_share_ > 0) tombstones_.erase(tombstones_.begin() + at);
  if (!constant_size_) sizes_.erase(sizes_.begin() + at);
}

void MessageSource::skip_to(sim::Time now) {
  if (loop_) {
    // The loop's messages of the life before were never sent: their numbers go to the new life.
    const std::size_t unsent = known();
    generated_ -= unsent;
    times_.resize(head_);
    for (std::uint32_t i = 0; i < loop_->outstanding; ++i) arise_at(now);
    return;
  }
  while (next() < now) {
    const sim::Time* const first = times();
    pop(static_cast<std::size_t>(std::lower_bound(first, first + known(), now) - first));
  }
}

void MessageSource::stop(sim::Time now) {
  if (!ended_) look_ahead(1);
  while (arrivals_ && !ended_ && known() > 0 && times_.back() <= now) look_ahead(known() + 1);
  const auto first = times_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto end = std::upper_bound(first, times_.end(), now);
  const std::size_t kept = static_cast<std::size_t>(end - times_.begin());
  times_.resize(kept);
  if (keyed_) keys_.resize(kept);
  if (tombstone_share_ > 0) tombstones_.resize(kept);
  if (!constant_size_) sizes_.resize(kept);
  ended_ = true;
}

bool MessageSource::exhausted() {
  if (look_ahead(1) > 0) return false;
  if (loop_) return ended_ || generated_ == messages_most_;
  return true;
}

void MessageSource::compact() {
  const auto drop = static_cast<std::ptrdiff_t>(head_);
  times_.erase(times_.begin(), times_.begin() + drop);
  if (keyed_) keys_.erase(keys_.begin(), keys_.begin() + drop);
  if (tombstone_share_ > 0) tombstones_.erase(tombstones_.begin(), tombstones_.begin() + drop);
  if (!constant_size_) sizes_.erase(sizes_.begin(), sizes_.begin() + drop);
  head_ = 0;
}

}  // namespace models
