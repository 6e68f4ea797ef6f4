#include "models/clients/dependency.hpp"

#include <utility>

#include "sim/assert.hpp"

namespace models {

Dependency::Dependency(Context& context, Node& node, const DependencyOptions& options)
    : context_(context),
      node_(node),
      options_(options),
      at_work_(options.concurrency),
      desks_(context.simulation, node, options.concurrency, [this](std::size_t desk) { done(desk); }) {
  MQLAB_ASSERT(options.concurrency > 0, "a dependency works on at least one call at a time");
  for (std::size_t desk = options.concurrency; desk-- > 0;) free_.push_back(desk);
  node.set_program(*this);
}

void Dependency::call(DependencyClient& client, std::uint64_t token, const Caller& caller,
                      sim::Stream& draws) {
  const Request request{&client,
                        token,
                        options_.service.sample_duration(draws).count(),
                        caller.entity.value,
                        caller.group.value,
                        caller.attempt};
  context_.simulation.schedule_after(options_.latency, [this, request] { arrived(request); });
}

void Dependency::arrived(const Request& request) {
  context_.emit(
      Kind::called,
      {.actor = request.entity, .place = node_.entity().value, .peer = request.group, .a = request.attempt});
  if (!node_.up()) return answer(request, CallCode::refused);
  if (!free_.empty() && !node_.paused()) {
    const std::size_t desk = free_.back();
    free_.pop_back();
    return begin(desk, request);
  }
  if (waiting() >= options_.queue) return answer(request, CallCode::overloaded);
  waiting_.push_back(request);
}

void Dependency::begin(std::size_t desk, const Request& request) {
  at_work_[desk] = request;
  desks_.set(desk, context_.simulation.after(node_.stretched(sim::Duration{request.service})),
             Timetable::Passes::while_running);
}

void Dependency::done(std::size_t desk) {
  answer(std::exchange(at_work_[desk], {}), CallCode::answered);
  free_.push_back(desk);
  begin_waiting();
}

void Dependency::begin_waiting() {
  while (!free_.empty() && waiting() > 0) {
    const std::size_t desk = free_.back();
    free_.pop_back();
    begin(desk, waiting_[head_++]);
  }
  if (head_ < 1024 && head_ < waiting_.size()) return;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
}

void Dependency::answer(const Request& request, CallCode code) {
  context_.simulation.schedule_after(options_.latency, [client = request.client, token = request.token,
                                                        code] { client->answered(token, code); });
}

void Dependency::crashed() {
  desks_.forget();
  for (std::size_t desk = 0; desk < at_work_.size(); ++desk) {
    if (at_work_[desk].client == nullptr) continue;
    answer(std::exchange(at_work_[desk], {}), CallCode::lost);
    free_.push_back(desk);
  }
  for (; head_ < waiting_.size(); ++head_) answer(waiting_[head_], CallCode::lost);
  waiting_.clear();
  head_ = 0;
}

void Dependency::resumed() {
  desks_.resumed();
  begin_waiting();
}

}  // namespace models
