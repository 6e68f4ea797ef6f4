#include "models/kafka/broker/quotas.hpp"

#include <algorithm>
#include <limits>

namespace models::kafka {

// ---- a rate -------------------------------------------------------------------------------------------------------

void SampledRate::record(double amount, sim::Time now) {
  if (samples_.empty()) samples_.push_back({now, now});
  if (now - samples_[current_].start >= window_) {
    // One more than asked for: the oldest may overlap the windows that count.
    current_ = (current_ + 1) % (static_cast<std::size_t>(samples_max_) + 1);
    if (current_ >= samples_.size()) samples_.emplace_back();
    samples_[current_] = {now, now};
  }
  samples_[current_].sum += amount;
  samples_[current_].last_event = now;
}

void SampledRate::purge(sim::Time now) {
  for (Sample& sample : samples_) {
    if (now - sample.last_event >= window_ * samples_max_) sample = {now, now};
  }
}

sim::Duration SampledRate::window_size(sim::Time now) {
  purge(now);
  if (samples_.empty()) samples_.push_back({now, now});
  sim::Time oldest = now;
  for (const Sample& sample : samples_) oldest = std::min(oldest, sample.start);
  sim::Duration elapsed = now - oldest;
  const std::int64_t full = elapsed / window_;
  if (full < samples_max_ - 1) elapsed += window_ * (samples_max_ - 1 - full);
  return std::max<sim::Duration>(elapsed, std::chrono::milliseconds{1});
}

double SampledRate::per_second(sim::Time now) {
  const double window = sim::seconds(window_size(now));
  double sum = 0;
  for (const Sample& sample : samples_) sum += sample.sum;
  return sum / window;
}

sim::Duration SampledRate::throttle(double bound, sim::Time now) {
  const double observed = per_second(now);
  if (observed <= bound) return {};
  const double wait_ms = (observed - bound) / bound * sim::seconds(window_size(now)) * 1000;
  return std::chrono::milliseconds{static_cast<std::int64_t>(wait_ms + 0.5)};
}

// ---- whose is which -----------------------------------------------------------------------------------------------

std::string QuotaTable::user_of(const std::string& client) const {
  for (const UserOptions& user : users_) {
    if (std::find(user.clients.begin(), user.clients.end(), client) != user.clients.end()) return user.name;
  }
  return "ANONYMOUS";
}

/// The most specific of those that limit this: who the user is counts for more than what the client is
/// (DefaultQuotaCallback.quotaLimit).
const QuotaOptions* QuotaTable::best(double QuotaOptions::*most, const std::string& user,
                                     const std::string& client) const {
  const auto rank = [](const std::optional<std::string>& of, const std::string& name) {
    if (!of) return 1;           // whoever
    if (of->empty()) return 2;   // who has none of his own
    return *of == name ? 3 : 0;  // his own, or another's
  };
  const QuotaOptions* best = nullptr;
  int best_rank = 0;
  for (const QuotaOptions& one : limits_) {
    if (one.*most <= 0) continue;
    const int of_user = rank(one.user, user);
    const int of_client = rank(one.client, client);
    if (of_user == 0 || of_client == 0 || 10 * of_user + of_client <= best_rank) continue;
    best = &one;
    best_rank = 10 * of_user + of_client;
  }
  return best;
}

QuotaTable::Limit QuotaTable::find(double QuotaOptions::*most, const std::string& client) const {
  const std::string user = user_of(client);
  const QuotaOptions* const limit = best(most, user, client);
  // All clients of a user share the user's limit, each pair has its own (ClientQuotaManager: metric tags).
  return {
      (limit != nullptr && limit->user ? user : "") + "/" + (limit == nullptr || limit->client ? client : ""),
      limit == nullptr ? 0 : limit->*most};
}

// ---- clients ------------------------------------------------------------------------------------------------------

ClientQuotas::ClientQuotas(Context& context, const ClusterOptions& options)
    : context_(context), config_(options.config), table_(options) {}

void ClientQuotas::Manager::forget() {
  shares.clear();
  by_entity.clear();
}

void ClientQuotas::forget() {
  produce_.forget();
  fetch_.forget();
  request_.forget();
}

/// Null when nothing limits it.
ClientQuotas::Share* ClientQuotas::share(Manager& manager, EntityId entity) const {
  if (entity.value >= manager.by_entity.size()) manager.by_entity.resize(entity.value + 1, -1);
  std::int32_t& index = manager.by_entity[entity.value];
  std::vector<Share>& shares = manager.shares;
  if (index < 0) {
    const std::string& name = context_.entities[entity].name;
    const QuotaTable::Limit limit = table_.find(manager.most, name.substr(0, name.find('/')));
    const auto known =
        std::find_if(shares.begin(), shares.end(), [&](const Share& one) { return one.id == limit.id; });
    index = static_cast<std::int32_t>(known - shares.begin());
    if (known == shares.end()) {
      shares.push_back(
          {limit.id, limit.most, SampledRate(config_.quota_window_num, config_.quota_window_size)});
    }
  }
  Share& found = shares[static_cast<std::size_t>(index)];
  return found.most > 0 ? &found : nullptr;
}

sim::Duration ClientQuotas::busy(EntityId entity, sim::Duration time, sim::Time now) {
  Share* const found = share(request_, entity);
  if (found == nullptr) return {};
  found->used.record(sim::seconds(time) * 100, now);
  // ClientRequestQuotaManager.maxThrottleTimeMs
  return std::min(found->used.throttle(found->most, now), config_.quota_window_size);
}

sim::Duration ClientQuotas::produced(EntityId entity, std::int64_t bytes, sim::Duration time,
                                     bool acknowledged) {
  const sim::Time now = context_.now();
  sim::Duration wait{};
  if (Share* const found = share(produce_, entity)) {
    found->used.record(static_cast<double>(bytes), now);
    wait = found->used.throttle(found->most, now);
  }
  return acknowledged ? std::max(wait, busy(entity, time, now)) : wait;
}

sim::Duration ClientQuotas::fetched(EntityId entity, std::int64_t bytes, sim::Duration time) {
  const sim::Time now = context_.now();
  sim::Duration wait = busy(entity, time, now);
  if (Share* const found = share(fetch_, entity)) {
    found->used.record(static_cast<double>(bytes), now);
    wait = std::max(wait, found->used.throttle(found->most, now));
    if (wait > sim::Duration{}) found->used.record(-static_cast<double>(bytes), now);
  }
  return wait;
}

std::int64_t ClientQuotas::fetch_most(EntityId entity) {
  const Share* const found = share(fetch_, entity);
  if (found == nullptr) return std::numeric_limits<std::int32_t>::max();
  const double window = sim::seconds(config_.quota_window_size) * (config_.quota_window_num - 1);
  return static_cast<std::int64_t>(
      std::min<double>(found->most * window, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace models::kafka
