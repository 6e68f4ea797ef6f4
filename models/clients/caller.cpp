#include "models/clients/caller.hpp"

#include <algorithm>
#include <string>

#include "sim/assert.hpp"

namespace models {

Caller::Caller(Context& context, Node& node, EntityId group, const std::string& group_name,
               const CallOptions& options, Dependency& dependency, std::size_t threads, CallerOwner& owner)
    : context_(context),
      node_(node),
      group_(group),
      options_(options),
      dependency_(dependency),
      owner_(owner),
      service_key_(sim::stream_key(context.simulation.seed(), "calls/" + group_name + "/service")),
      jitter_key_(sim::stream_key(context.simulation.seed(), "calls/" + group_name + "/jitter")),
      threads_(threads),
      permitted_in_(threads),
      times_(context.simulation, node, threads + 1, [this](std::size_t i) { due(i); }) {
  if (options.breaker) breaker_.emplace(*options.breaker);
}

void Caller::begin(std::size_t thread, std::uint64_t a, std::uint64_t b) {
  Thread& t = threads_[thread];
  MQLAB_ASSERT(t.state == State::idle, "a thread makes one call at a time");
  t.a = a;
  t.b = b;
  t.attempt = 1;
  t.backoff = static_cast<double>(options_.backoff.count());
  attempt(thread);
}

void Caller::attempt(std::size_t i) {
  Thread& t = threads_[i];
  t.called_at = context_.now();
  if (breaker_ && !breaker_->permits()) {
    t.counted = false;
    if (options_.breaker->pauses) {
      t.state = State::parked;
      return;
    }
    t.state = State::barred;
    return times_.set(i, context_.now(), Timetable::Passes::always);
  }
  t.state = State::calling;
  t.counted = breaker_.has_value();
  permitted_in_[i] = period_;
  sim::Stream draws = sim::Stream::keyed(service_key_, t.a, t.b, t.attempt);
  const std::uint64_t token = std::uint64_t{++t.number} << 32 | i;
  dependency_.call(*this, token, {node_.entity(), group_, t.attempt}, draws);
  times_.set(i, context_.simulation.after(options_.timeout), Timetable::Passes::always);
}

void Caller::answered(std::uint64_t token, CallCode code) {
  if (!node_.up()) return;
  if (node_.paused()) return node_.run_or_hold([this, token, code] { answered(token, code); });
  const auto i = static_cast<std::size_t>(token & 0xffffffff);
  const Thread& t = threads_[i];
  if (t.state == State::calling && t.number == token >> 32) ended(i, code);
}

void Caller::due(std::size_t i) {
  if (i == threads_.size()) {
    breaker_->half_open();
    const std::uint32_t life = node_.incarnation();
    breaker_changed();
    if (node_.incarnation() == life) unpark();
    return;
  }
  switch (threads_[i].state) {
    case State::backing_off:
      return attempt(i);
    case State::barred:
      return ended(i, CallCode::not_permitted);
    default:
      return ended(i, CallCode::timed_out);
  }
}

void Caller::ended(std::size_t i, CallCode code) {
  Thread& t = threads_[i];
  times_.clear(i);
  sim::TraceRecord record = fields(code);
  record.a = t.attempt;
  record.b = (context_.now() - t.called_at).count();
  context_.emit(Kind::call_ended, record);
  const bool answered = code == CallCode::answered;
  const std::uint32_t life = node_.incarnation();
  if (t.counted && permitted_in_[i] == period_) tell_breaker(answered);
  if (node_.incarnation() != life) return;
  if (!answered && try_again(i)) return;
  t.state = State::idle;
  owner_.call_over(i, answered, t.attempt);
}

/// False when there is no attempt left.
bool Caller::try_again(std::size_t i) {
  Thread& t = threads_[i];
  if (holds()) {
    t.state = State::parked;
    t.backoff = static_cast<double>(options_.backoff.count());
    return true;
  }
  const bool a_probe = breaker_ && options_.breaker->pauses && breaker_->state() == BreakerCode::half_open;
  if (!a_probe) {
    if (options_.attempts > 0 && t.attempt >= options_.attempts) return false;
    ++t.attempt;
  }
  double wait = std::min(t.backoff, static_cast<double>(options_.backoff_max.count()));
  t.backoff = wait * options_.multiplier;
  if (options_.jitter > 0) {
    sim::Stream draws = sim::Stream::keyed(jitter_key_, t.a, t.b, t.attempt);
    wait *= 1 - options_.jitter + 2 * options_.jitter * draws.uniform();
  }
  t.state = State::backing_off;
  times_.set(i, context_.simulation.after(sim::Distribution::to_duration(wait)), Timetable::Passes::always);
  return true;
}

void Caller::tell_breaker(bool answered) {
  if (!breaker_->ended(answered)) return;
  breaker_changed();
  if (breaker_->state() == BreakerCode::open)
    times_.set(threads_.size(), context_.simulation.after(options_.breaker->open), Timetable::Passes::always);
  else
    unpark();
}

void Caller::breaker_changed() {
  ++period_;
  sim::TraceRecord record = fields(CallCode::answered);
  record.code = static_cast<std::uint16_t>(breaker_->state());
  context_.emit(Kind::breaker_state, record);
  if (options_.breaker->pauses) owner_.breaker_moved();
}

void Caller::unpark() {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (threads_[i].state == State::parked) attempt(i);
  }
}

sim::TraceRecord Caller::fields(CallCode code) const {
  return {.code = static_cast<std::uint16_t>(code),
          .actor = node_.entity().value,
          .place = dependency_.entity().value,
          .peer = group_.value};
}

void Caller::crashed() {
  times_.forget();
  for (Thread& t : threads_) {
    t.state = State::idle;
    ++t.number;
  }
  if (breaker_) breaker_->close();
  ++period_;
}

}  // namespace models
