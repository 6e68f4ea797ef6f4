#include "models/kafka/producer/report.hpp"

#include <algorithm>

#include <array>
#include "models/kafka/record_keys.hpp"

namespace models::kafka {

void ProducerReport::offered(EntityId place, LaneId lane, Batch& batch) {
  const bool keyed = keyed_ && !batch.keys.empty();
  for (std::int32_t at = 0; at < batch.count; at += kMostInOne) {
    const std::int32_t n = std::min(kMostInOne, batch.count - at);
    std::span<const std::int64_t> payload(batch.created_at.data() + at, static_cast<std::size_t>(n));
    if (keyed) {
      words_.assign(payload.begin(), payload.end());
      words_.insert(words_.end(), batch.keys.begin() + at, batch.keys.begin() + at + n);
      if (tombstones_) {
        for (auto key = words_.begin() + n; key != words_.end(); ++key) *key &= ~std::int64_t{kTombstone};
      }
      payload = words_;
    }
    context_.emit(Kind::offered,
                  {.code = keyed ? kHasKeys : std::uint16_t{0},
                   .actor = producer_.value,
                   .place = place.value,
                   .peer = lane.value,
                   .a = batch.first_seq + at,
                   .b = n},
                  payload);
    if (tombstones_) tombstones(place, lane, batch, at, n);
  }
  if (names_kept_) return;
  for (const ResendRange& range : batch.resends) {
    const std::array<std::int64_t, 2> names{range.old_lane.value, group_.value};
    const bool derived = group_ != EntityId{};
    if (facts_ != nullptr)
      facts_->said(lane, batch.first_seq + range.at, range.count, {range.old_lane, range.old_seq});
    context_.emit(facts_ != nullptr ? Kind::published
                  : derived         ? Kind::derived
                                    : Kind::resent,
                  {.actor = producer_.value,
                   .place = place.value,
                   .peer = lane.value,
                   .a = batch.first_seq + range.at,
                   .b = range.count,
                   .c = range.old_seq},
                  std::span(names).first(derived ? 2 : 1));
  }
}

void ProducerReport::tombstones(EntityId place, LaneId lane, const Batch& batch, std::int32_t at,
                                std::int32_t n) {
  words_.clear();
  for (std::int32_t i = at; i < at + n; ++i) {
    if ((batch.keys[static_cast<std::size_t>(i)] & kTombstone) != 0) words_.push_back(batch.first_seq + i);
  }
  if (words_.empty()) return;
  context_.emit(
      Kind::tombstones,
      {.actor = producer_.value, .place = place.value, .peer = lane.value, .a = batch.first_seq + at, .b = n},
      words_);
}

void ProducerReport::refused(RefusedCode code, const std::vector<std::int64_t>& created_at) {
  std::span<const std::int64_t> left(created_at);
  while (!left.empty()) {
    const std::span<const std::int64_t> some = left.first(std::min<std::size_t>(left.size(), kMostInOne));
    left = left.subspan(some.size());
    context_.emit(Kind::refused,
                  {.code = static_cast<std::uint16_t>(code),
                   .actor = producer_.value,
                   .b = static_cast<std::int64_t>(some.size())},
                  some);
  }
}

void ProducerReport::acknowledged(EntityId place, LaneId lane, std::int64_t first_seq, std::int64_t count,
                                  Offset base_offset) {
  context_.emit(Kind::acknowledged, {.actor = producer_.value,
                                     .place = place.value,
                                     .peer = lane.value,
                                     .a = first_seq,
                                     .b = count,
                                     .c = base_offset});
}

void ProducerReport::failed(EntityId place, LaneId lane, const Batch& batch, ErrorCode error) {
  if (batch.count == 0) return;
  context_.emit(Kind::failed, {.code = static_cast<std::uint16_t>(error),
                               .actor = producer_.value,
                               .place = place.value,
                               .peer = lane.value,
                               .a = batch.first_seq,
                               .b = batch.count,
                               .c = batch.maybe_written ? 1 : 0});
}

}  // namespace models::kafka
