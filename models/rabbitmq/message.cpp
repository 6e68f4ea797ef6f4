#include "models/rabbitmq/message.hpp"

#include <algorithm>
#include <utility>

namespace models::rabbitmq {

void History::record(QueueIndex queue, RemovedCode reason) {
  const auto known = std::find_if(deaths.begin(), deaths.end(),
                                  [&](const Death& d) { return d.queue == queue && d.reason == reason; });
  Death death{queue, reason, 1};
  if (known != deaths.end()) {
    death.count = known->count + 1;
    deaths.erase(known);
  }
  deaths.insert(deaths.begin(), death);
}

bool History::cycles(QueueIndex target) const {
  for (const Death& death : deaths) {
    if (death.reason == RemovedCode::rejected) return false;
    if (death.queue == target) return true;
  }
  return false;
}

std::uint32_t Histories::add(History history) {
  if (free_.empty()) {
    all_.push_back(std::move(history));
    return static_cast<std::uint32_t>(all_.size());
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  all_[slot - 1] = std::move(history);
  return slot;
}

void Histories::forget(std::uint32_t history) {
  if (history == 0) return;
  all_[history - 1].deaths.clear();
  free_.push_back(history);
}

}  // namespace models::rabbitmq
