// What outlets that make messages of another topic out of a poll's records have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "models/kafka/consumer/effect_site.hpp"
#include "models/kafka/consumer/group.hpp"
#include "models/kafka/consumer/work.hpp"
#include "models/kafka/producer/producer.hpp"

namespace models::kafka {

/// Of the producer of a member of this group, which has a transform.
ProducerOptions outlet_producer(const GroupOptions& group);
/// Empty without CommitMode::in_transaction. The group's name and the member's number unless the configuration names one.
std::string outlet_transactional_id(const GroupOptions& group, std::uint32_t index);

/// Calls visit(offset, lane, seq) for each record of the range, in order.
template <class Visit>
void for_each_input(Cluster& cluster, const Work::Range& range, Visit&& visit) {
  for (Offset at = range.from; at < range.to;) {
    const MessageRun run = messages_at(cluster, range.partition, range.epoch, at);
    const std::int64_t count = std::min<std::int64_t>(run.count, range.to - at);
    for (std::int64_t i = 0; i < count; ++i) visit(at + i, run.lane, run.first_seq + i);
    at += count;
  }
}

/// What was processed is what is committed (ConsumerRecords.nextOffsets).
void note_offset(std::vector<OffsetCommitCall::Item>& offsets, const Work::Range& range);

}  // namespace models::kafka
