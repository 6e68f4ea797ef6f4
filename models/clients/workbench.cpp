#include "models/clients/workbench.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "models/faults/step_then.hpp"

namespace models {

Workbench::Workbench(Context& context, Node& node, Jobs& jobs, EntityId group, WorkbenchOwner& owner)
    : context_(context),
      node_(node),
      jobs_(jobs),
      group_(group),
      owner_(owner),
      supervisor_(context, node),
      effect_step_(context.steps.cell(node.entity(), Step::effect_applied)),
      processed_step_(context.steps.cell(node.entity(), Step::processed_not_committed)),
      timer_(context.simulation, node, [this] { done(); }) {
  Dependency* const dependency = jobs.dependency();
  if (dependency == nullptr) return;
  CallerOwner& calls = *this;
  caller_.emplace(context, node, group, jobs.options().name, *jobs.options().calls, *dependency, 1, calls);
}

void Workbench::begin(const Job& job) {
  job_ = job;
  working_ = true;
  retries_ = 0;
  plan({});
}

void Workbench::plan(sim::Duration backoff) {
  work_begins_ = context_.now() + backoff;
  slowness_ = node_.slowness();
  timer_.arm_after(backoff + node_.stretched(jobs_.service(job_)));
}

void Workbench::done() {
  if (!jobs_.poisoned(job_)) {
    if (!caller_) return succeeded();
    return caller_->begin(0, std::uint64_t{job_.lane.value} << 32 | job_.attempt, job_.seq);
  }
  jobs_.failed(job_);
  const PoisonOptions& poison = *jobs_.options().poison;
  if (poison.retries >= 0 && retries_ >= poison.retries) return failed();
  ++retries_;
  plan(poison.backoff);
}

void Workbench::tell(Kind kind, std::uint16_t code) {
  context_.emit(kind, {.code = code,
                       .actor = node_.entity().value,
                       .place = job_.queue.value,
                       .peer = group_.value,
                       .a = job_.number,
                       .b = 1,
                       .c = job_.log_epoch});
}

void Workbench::succeeded() {
  const std::array<std::int64_t, 1> time{sim::nanoseconds(context_.now())};
  context_.emit(Kind::processed,
                {.actor = node_.entity().value,
                 .place = job_.queue.value,
                 .peer = group_.value,
                 .a = job_.number,
                 .b = 1,
                 .c = job_.log_epoch},
                time);
  bool applied = false;
  if (jobs_.options().effect) {
    applied = jobs_.apply_effect(job_);
    tell(Kind::effect, applied ? kApplied : kSuppressed);
  }
  const auto then = [this] { step_then(processed_step_, node_, [this] { finished(); }); };
  if (!applied) return then();
  step_then(effect_step_, node_, then);
}

void Workbench::finished() {
  working_ = false;
  owner_.processed();
}

/// The application has caught an exception, or nobody has.
void Workbench::failed() {
  const PoisonOptions& poison = *jobs_.options().poison;
  if (poison.then == PoisonOptions::Then::crash) return supervisor_.crash(poison.restart);
  give_up(poison.then);
}

void Workbench::give_up(PoisonOptions::Then how) {
  tell(Kind::abandoned);
  working_ = false;
  owner_.gave_up(how);
}

void Workbench::call_over(std::size_t, bool answered, std::uint32_t) {
  if (answered) return succeeded();
  give_up(jobs_.options().calls->then);
}

// ---- its process --------------------------------------------------------------------------------------------------

void Workbench::paused() {
  if (caller_) caller_->paused();
  if (!timer_.armed()) return;
  frozen_ = true;
  backoff_ = std::max(sim::Duration{}, work_begins_ - context_.now());
  left_ = std::max(sim::Duration{}, timer_.deadline() - context_.now()) - backoff_;
  timer_.disarm();
}

void Workbench::resumed() {
  if (caller_) caller_->resumed();
  if (!std::exchange(frozen_, false)) return;
  work_begins_ = context_.now() + backoff_;
  timer_.arm_after(backoff_ + left_);
}

/// What is left of the work takes so much longer; what it waits before a retry is no work.
void Workbench::slowed() {
  const double ratio = node_.slowness() / std::exchange(slowness_, node_.slowness());
  const bool planned = timer_.armed();
  if (planned) paused();
  if (frozen_) left_ = sim::Distribution::to_duration(ratio * static_cast<double>(left_.count()));
  if (planned) resumed();
}

void Workbench::crashed() {
  timer_.disarm();
  if (caller_) caller_->crashed();
  working_ = frozen_ = false;
}

}  // namespace models
