#include "models/kafka/producer/forecast.hpp"

#include <algorithm>

namespace models::kafka {

sim::Time Forecast::next(sim::Time free, sim::Time horizon) {
  const sim::Time first = source_.next();
  if (first >= horizon) return horizon;
  return router_.is_sticky() ? next_sticky(free, horizon) : next_routed(free, horizon);
}

sim::Time Forecast::next_sticky(sim::Time free, sim::Time horizon) {
  const sim::Time first = source_.next();
  if (router_.moves_next()) return first;
  const std::uint32_t partition = router_.sticky().partition();
  std::int64_t room = router_.sticky().room();
  BatchFill fill;
  if (const Batch* open = accumulator_.open_batch(partition)) {
    fill = open->fill;
  } else {
    const std::int32_t buffer = accumulator_.buffer_for(fixed(0));
    if (opening_matters(accumulator_[partition], buffer)) return first;
    const sim::Time opened = std::max(first, free);
    horizon = std::min(horizon, opened + config_.linger);
    fill = BatchFill::opened(buffer, opened);
    room -= fill.bytes;
  }
  const bool alike = source_.constant_size() && !source_.keyed();
  const std::int32_t each = fixed(0);
  for (std::size_t i = 0; i < source_.look_ahead(i + 1); ++i) {
    const sim::Time at = source_.times()[i];
    if (at >= horizon) return horizon;
    if (static_cast<std::int64_t>(i) >= accumulator_.room()) return at;
    const std::int32_t own = alike ? each : fixed(i);
    const std::int32_t bytes = fill.record_bytes(own, std::max(at, free));
    room -= bytes;
    if (!accumulator_.fits(fill, bytes) || room <= 0 || !accumulator_.accepts(own)) return at;
    fill.add(bytes);
    if (accumulator_.full(fill)) return at;
  }
  return horizon;
}

sim::Time Forecast::next_routed(sim::Time free, sim::Time horizon) {
  ++look_;
  std::int64_t memory = 0;
  for (std::size_t i = 0; i < source_.look_ahead(i + 1); ++i) {
    const sim::Time at = source_.times()[i];
    if (at >= horizon) return horizon;
    if (static_cast<std::int64_t>(i) >= accumulator_.room()) return at;
    const std::uint32_t key = source_.key(i);
    const std::uint32_t partition = router_.ahead(i, key, std::max(at, free));
    const std::int32_t own = sizer_.fixed_bytes(source_.size(i), key);
    if (!accumulator_.accepts(own)) return at;
    Ahead& ahead = ahead_[partition];
    if (ahead.look != look_) {
      const Batch* open = accumulator_.open_batch(partition);
      ahead = {look_, open != nullptr, open != nullptr ? open->fill : BatchFill{}};
    }
    if (!ahead.open) {
      const std::int32_t buffer = accumulator_.buffer_for(own);
      memory += buffer;
      if (opening_matters(accumulator_[partition], memory)) return at;
      const sim::Time opened = std::max(at, free);
      horizon = std::min(horizon, opened + config_.linger);
      ahead.open = true;
      ahead.fill = BatchFill::opened(buffer, opened);
    }
    const std::int32_t bytes = ahead.fill.record_bytes(own, std::max(at, free));
    if (!accumulator_.fits(ahead.fill, bytes)) return at;
    ahead.fill.add(bytes);
    if (accumulator_.full(ahead.fill)) return at;
  }
  return horizon;
}

}  // namespace models::kafka
