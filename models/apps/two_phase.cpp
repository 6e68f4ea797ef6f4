// A service as the coordinator of its transactions over two databases.
#include <algorithm>
#include <utility>

#include "models/apps/service.hpp"
#include "sim/assert.hpp"

namespace models {
namespace {

constexpr sim::Duration kRetry = std::chrono::milliseconds{100};

/// Of a call that belongs to no job: a decision told again by a service that has come back.
constexpr std::uint64_t kNoJob = ~std::uint64_t{0};

}  // namespace

std::vector<Service::Branch>::iterator Service::branch_of(FactId fact) {
  return std::find_if(branches_.begin(), branches_.end(),
                      [fact](const Branch& branch) { return branch.change.fact == fact; });
}

void Service::prepare(std::size_t index) {
  Job& job = jobs_[index];
  job.stage = Stage::preparing;
  job.votes = 0;
  job.yes = true;
  branches_.push_back({job.change});
  for (DatabaseClient* const client : {&client_, queue_client_.get()}) {
    const DatabaseCallRef call = client->take(DatabaseCall::What::prepare);
    call->ticket = index;
    call->transaction = job.change.fact.seq;
    call->coordinator = node_.entity();
    call->change = job.change;
    call->change.of_queue = client == queue_client_.get();
    client->send(call);
  }
  prepare_step_.advance(1);
}

void Service::voted(std::size_t index, Outcome outcome) {
  Job& job = jobs_[index];
  job.yes = job.yes && outcome == Outcome::committed;
  if (++job.votes < 2) return;
  const std::uint32_t life = life_;
  if (!job.yes) {
    job.stage = Stage::deciding;
    return tell_participants(*branch_of(job.change.fact), index);
  }
  votes_step_.advance(1);
  if (life_ != life) return;
  sim::Stream draw =
      sim::Stream::keyed(delay_draws_, lane_.value, static_cast<std::uint64_t>(job.change.fact.seq));
  later(index, plan_.options.decision.sample_duration(draw), &Service::decide);
}

void Service::decide(std::size_t index) {
  const std::uint32_t life = life_;
  Job& job = jobs_[index];
  job.stage = Stage::deciding;
  branch_of(job.change.fact)->decided = true;
  decision_step_.advance(1);
  if (life_ != life) return;
  tell_participants(*branch_of(job.change.fact), index);
}

void Service::tell_participants(const Branch& branch, std::uint64_t ticket) {
  tell_participant(client_, branch, ticket);
  tell_participant(*queue_client_, branch, ticket);
}

void Service::tell_participant(DatabaseClient& client, const Branch& branch, std::uint64_t ticket) {
  const DatabaseCallRef call = client.take(DatabaseCall::What::decide);
  call->ticket = ticket;
  call->transaction = branch.change.fact.seq;
  call->coordinator = node_.entity();
  call->commit = branch.decided;
  call->change = branch.change;
  call->change.of_queue = &client == queue_client_.get();
  client.send(call);
}

void Service::decision_told(DatabaseCall& call) {
  const auto branch = branch_of(call.change.fact);
  MQLAB_ASSERT(branch != branches_.end(), "a decision was told that nobody has made");
  if (call.outcome == Outcome::lost) {
    context_.simulation.schedule_after(kRetry, [this, fact = call.change.fact, ticket = call.ticket,
                                                queue = call.change.of_queue, life = life_] {
      if (life_ != life) return;
      tell_participant(queue ? *queue_client_ : client_, *branch_of(fact), ticket);
    });
    return;
  }
  if (++branch->told < 2) return;
  const bool committed = branch->decided;
  branches_.erase(branch);
  if (call.ticket != kNoJob) answer(static_cast<std::size_t>(call.ticket), committed);
}

void Service::recover() {
  for (Branch& branch : branches_) {
    branch.told = 0;
    tell_participants(branch, kNoJob);
  }
}

}  // namespace models
