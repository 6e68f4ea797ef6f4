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
  ask_participant(client_, index);
  behind(asked_step_, [this, index] {
    ask_participant(*queue_client_, index);
    prepare_step_.advance(1);
  });
}

void Service::ask_participant(DatabaseClient& client, std::size_t index) {
  const Change& change = jobs_[index].change;
  const DatabaseCallRef call = client.take(DatabaseCall::What::prepare);
  call->ticket = index;
  call->transaction = change.fact.seq;
  call->coordinator = node_.entity();
  call->over_below = over_below();
  call->change = change;
  call->change.of_queue = &client == queue_client_.get();
  client.send(call);
}

void Service::voted(std::size_t index, Outcome outcome) {
  Job& job = jobs_[index];
  job.yes = job.yes && outcome == Outcome::committed;
  if (++job.votes < 2) return;
  if (!job.yes) {
    job.stage = Stage::deciding;
    return tell_participants(index);
  }
  behind(votes_step_, [this, index, seq = job.change.fact.seq] {
    sim::Stream draw = sim::Stream::keyed(delay_draws_, lane_.value, static_cast<std::uint64_t>(seq));
    later(index, plan_.options.decision.sample_duration(draw), &Service::decide);
  });
}

void Service::decide(std::size_t index) {
  Job& job = jobs_[index];
  job.stage = Stage::deciding;
  branch_of(job.change.fact)->decided = true;
  behind(decision_step_, [this, index] { tell_participants(index); });
}

void Service::tell_participants(std::size_t index) {
  const FactId fact = jobs_[index].change.fact;
  tell_participant(client_, *branch_of(fact), index);
  behind(told_step_, [this, fact, index] { tell_participant(*queue_client_, *branch_of(fact), index); });
}

/// Branches are in order of their numbers.
std::int64_t Service::over_below() const {
  return branches_.front().change.fact.seq;
}

void Service::tell_participant(DatabaseClient& client, const Branch& branch, std::uint64_t ticket) {
  const DatabaseCallRef call = client.take(DatabaseCall::What::decide);
  call->ticket = ticket;
  call->transaction = branch.change.fact.seq;
  call->coordinator = node_.entity();
  call->over_below = over_below();
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
      node_.run_or_hold([=, this] {
        if (life_ == life) tell_participant(queue ? *queue_client_ : client_, *branch_of(fact), ticket);
      });
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
    for (DatabaseClient* const client : {&client_, queue_client_.get()})
      tell_participant(*client, branch, kNoJob);
  }
}

}  // namespace models
