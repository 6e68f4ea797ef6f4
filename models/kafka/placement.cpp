#include "models/kafka/placement.hpp"

#include <algorithm>

#include "sim/assert.hpp"

namespace models::kafka {

std::string with_rack(std::string_view pattern, std::string_view rack) {
  constexpr std::string_view kPlaceholder = "{rack}";
  std::string name(pattern);
  const std::size_t at = name.find(kPlaceholder);
  if (at != std::string::npos) name.replace(at, kPlaceholder.size(), rack);
  return name;
}

StripedPlacer::StripedPlacer(const std::vector<std::int32_t>& rack_of) {
  const std::int32_t last = *std::max_element(rack_of.begin(), rack_of.end());
  for (std::int32_t rack = -1; rack <= last; ++rack) {
    Rack made;
    for (std::size_t b = 0; b < rack_of.size(); ++b) {
      if (rack_of[b] == rack) made.brokers.push_back(BrokerId{static_cast<std::int32_t>(b)});
    }
    if (!made.brokers.empty()) racks_.push_back(std::move(made));
  }
}

BrokerId StripedPlacer::Rack::next(std::uint64_t now) {
  if (epoch != now) {
    epoch = now;
    index = 0;
    offset = (offset + 1) % brokers.size();
  }
  if (index >= brokers.size()) return kNoBroker;
  return brokers[(index++ + offset) % brokers.size()];
}

std::vector<BrokerId> StripedPlacer::place(std::int32_t count) {
  MQLAB_ASSERT(!racks_.empty(), "replicas are placed on brokers");
  offset_ %= racks_.size();
  std::vector<BrokerId> replicas{racks_[offset_].next(epoch_)};
  // The first rack has given one already: it is passed over once.
  bool passed_over = false;
  for (std::size_t rack = offset_; static_cast<std::int32_t>(replicas.size()) < count;
       rack = (rack + 1) % racks_.size()) {
    if (rack == offset_ && !passed_over) {
      passed_over = true;
      continue;
    }
    const BrokerId next = racks_[rack].next(epoch_);
    if (next != kNoBroker) replicas.push_back(next);
  }
  ++epoch_;
  ++offset_;
  return replicas;
}

}  // namespace models::kafka
