#include "models/clients/jobs.hpp"

namespace models {

Jobs::Jobs(Context& context, const GroupOptions& options)
    : options_(options),
      service_key_(sim::stream_key(context.simulation.seed(), "service/" + options.name)),
      poison_key_(sim::stream_key(context.simulation.seed(), "poison/" + options.name)) {}

sim::Duration Jobs::service(const Job& job) const {
  if (options_.service.is_constant())
    return sim::Duration{static_cast<std::int64_t>(options_.service.mean())};
  sim::Stream draw = sim::Stream::keyed(service_key_, job.lane.value, job.seq, job.attempt);
  return options_.service.sample_duration(draw);
}

bool Jobs::poisoned(const Job& job) const {
  if (!options_.poison || options_.poison->share <= 0) return false;
  sim::Stream draw = sim::Stream::keyed(poison_key_, job.lane.value, job.seq);
  if (draw.uniform() >= options_.poison->share) return false;
  const auto known = failures_.find({job.lane, job.seq});
  return options_.poison->failures == 0 || known == failures_.end() ||
         known->second < options_.poison->failures;
}

void Jobs::failed(const Job& job) {
  if (options_.poison->failures == 0) return;
  const auto [known, first] = failures_.try_emplace({job.lane, job.seq}, 0);
  ++known->second;
  if (!first) return;
  failed_.push(known->first);
  if (failed_.size() <= kRemembered) return;
  failures_.erase(failed_.front());
  failed_.pop();
}

bool Jobs::apply_effect(const Job& job) {
  const bool keyed = options_.effect->idempotency_key || options_.effect->processed_ids != ProcessedIds::none;
  if (!keyed) return true;
  if (job.lane.value >= seen_.size()) seen_.resize(job.lane.value + 1);
  bool first = false;
  const auto seq = static_cast<std::int64_t>(job.seq);
  seen_[job.lane.value].add(seq, seq + 1,
                            [&](std::int64_t, std::int64_t, std::int64_t before) { first = before == 0; });
  return first;
}

}  // namespace models
