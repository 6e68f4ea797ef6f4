#include "models/kafka/broker/mutation_quotas.hpp"

#include <algorithm>

namespace models::kafka {

MutationQuotas::MutationQuotas(const ClusterOptions& options)
    : table_(options),
      windows_s_(sim::seconds(options.config.controller_quota_window_size) *
                 options.config.controller_quota_window_num) {}

/// Filled up to now; null where there is no limit.
MutationQuotas::Bucket* MutationQuotas::bucket(const QuotaTable::Limit& limit, sim::Time now) {
  if (limit.most <= 0) return nullptr;
  auto at = std::find_if(buckets_.begin(), buckets_.end(), [&](const Bucket& b) { return b.id == limit.id; });
  if (at == buckets_.end()) at = buckets_.insert(at, {limit.id, limit.most, windows_s_ * limit.most, now});
  at->tokens = std::min(windows_s_ * at->rate, at->tokens + at->rate * sim::seconds(now - at->filled_at));
  at->filled_at = now;
  return &*at;
}

bool MutationQuotas::accept(const std::string& client, bool permissive, std::int32_t partitions,
                            sim::Time now) {
  Bucket* const found = bucket(table_.find(&QuotaOptions::controller_mutation_rate, client), now);
  if (found == nullptr) return true;
  if (!permissive && found->tokens < 0) return false;
  found->tokens -= partitions;
  if (permissive && found->tokens < 0) {
    // ControllerMutationQuotaManager.throttleTimeMs
    const double wait_ms = -found->tokens / found->rate * 1000;
    mute(client, now + std::chrono::milliseconds{static_cast<std::int64_t>(wait_ms + 0.5)});
  }
  return true;
}

/// The answer is sent at once, and the channel that it goes to is not read from (ClientQuotaManager.throttle, ThrottledChannel).
void MutationQuotas::mute(const std::string& client, sim::Time until) {
  const auto at =
      std::find_if(muted_.begin(), muted_.end(), [&](const Muted& m) { return m.client == client; });
  if (at == muted_.end())
    muted_.push_back({client, until});
  else
    at->until = std::max(at->until, until);
}

sim::Duration MutationQuotas::muted(const std::string& client, sim::Time now) const {
  const auto at =
      std::find_if(muted_.begin(), muted_.end(), [&](const Muted& m) { return m.client == client; });
  return at == muted_.end() || at->until <= now ? sim::Duration{} : at->until - now;
}

}  // namespace models::kafka
