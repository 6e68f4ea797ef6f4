#include "models/kafka/consumer/outlet_producer.hpp"

namespace models::kafka {

ProducerOptions outlet_producer(const GroupOptions& group) {
  ProducerOptions options;
  options.name = group.name;
  options.to = group.transform->to;
  options.size = group.transform->size;
  options.config = group.transform->config;
  return options;
}

std::string outlet_transactional_id(const GroupOptions& group, std::uint32_t index) {
  if (group.commit != CommitMode::in_transaction) return {};
  const std::string& given = group.transform->config.transactional_id;
  return numbered(given.empty() ? group.name + "-{index}" : given, index);
}

void note_offset(std::vector<OffsetCommitCall::Item>& offsets, const Work::Range& range) {
  std::erase_if(offsets, [&range](const auto& item) { return item.partition == range.partition; });
  offsets.push_back({.partition = range.partition, .offset = range.to, .epoch = range.epoch});
}

}  // namespace models::kafka
