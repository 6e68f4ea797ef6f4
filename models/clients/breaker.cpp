#include "models/clients/breaker.hpp"

#include <algorithm>

namespace models {

void Breaker::begin(BreakerCode state, std::uint32_t window) {
  state_ = state;
  failed_.assign(window, false);
  at_ = 0;
  counted_ = failures_ = permitted_ = 0;
}

bool Breaker::ended(bool answered) {
  if (state_ == BreakerCode::open) return false;
  failures_ -= counted_ == failed_.size() && failed_[at_] ? 1 : 0;
  counted_ = std::min<std::uint32_t>(counted_ + 1, static_cast<std::uint32_t>(failed_.size()));
  failures_ += answered ? 0 : 1;
  failed_[at_] = !answered;
  at_ = (at_ + 1) % failed_.size();
  // A window shorter than that is judged once it is full.
  const std::uint32_t least = state_ == BreakerCode::half_open
                                  ? options_.half_open_calls
                                  : std::min(options_.min_calls, static_cast<std::uint32_t>(failed_.size()));
  if (counted_ < least) return false;
  const bool too_many =
      static_cast<double>(failures_) >= options_.failure_rate * static_cast<double>(counted_);
  if (too_many) {
    state_ = BreakerCode::open;
    return true;
  }
  if (state_ == BreakerCode::closed) return false;
  close();
  return true;
}

}  // namespace models
