#include "models/sns/delivery_policy.hpp"

#include "sim/math.hpp"

namespace models::sns {
namespace {

/// How far the delay has grown at step `i` of 0 … last, as a share of what it grows by.
double grown(BackoffFunction function, double ratio, std::int64_t i, std::int64_t last) {
  const auto step = static_cast<double>(i);
  const auto end = static_cast<double>(last);
  switch (function) {
    case BackoffFunction::arithmetic:
      return step * (step + 1) / (end * (end + 1));
    case BackoffFunction::geometric:
      if (ratio <= 1) break;
      return (sim::math::pow(ratio, step / end) - 1) / (ratio - 1);
    case BackoffFunction::exponential:
      return (sim::math::pow(2, step) - 1) / (sim::math::pow(2, end) - 1);
    case BackoffFunction::linear:
      break;
  }
  return step / end;
}

}  // namespace

std::optional<sim::Duration> RetryPolicy::delay(std::int64_t retry) const {
  if (retry < 1 || retry > retries) return std::nullopt;
  std::int64_t at = retry - 1;
  if (at < no_delay_retries) return sim::Duration{};
  at -= no_delay_retries;
  if (at < min_delay_retries) return min_delay;
  at -= min_delay_retries;
  const std::int64_t last = backoff_retries() - 1;
  if (at > last) return max_delay;
  if (at == 0) return min_delay;
  if (at == last) return max_delay;
  const double ratio = static_cast<double>(max_delay.count()) / static_cast<double>(min_delay.count());
  const double more = static_cast<double>((max_delay - min_delay).count()) * grown(backoff, ratio, at, last);
  return min_delay + sim::Duration{static_cast<std::int64_t>(more)};
}

sim::Duration RetryPolicy::total() const {
  sim::Duration sum = max_delay_retries * max_delay;
  for (std::int64_t retry = 1; retry <= retries - max_delay_retries; ++retry) sum += *delay(retry);
  return sum;
}

RetryPolicy aws_managed_policy() {
  using std::chrono::seconds;
  return {.min_delay = seconds{1},
          .max_delay = seconds{20},
          .retries = 100'015,
          .no_delay_retries = 3,
          .min_delay_retries = 2,
          .max_delay_retries = 100'000,
          .backoff = BackoffFunction::exponential};
}

RetryPolicy customer_managed_policy() {
  using std::chrono::seconds;
  return {.min_delay = seconds{10},
          .max_delay = seconds{600},
          .retries = 50,
          .no_delay_retries = 0,
          .min_delay_retries = 2,
          .max_delay_retries = 38,
          .backoff = BackoffFunction::exponential};
}

}  // namespace models::sns
