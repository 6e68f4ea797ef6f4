// A producer's own transactions: one after the other, each of what arises between two commits.
#include "models/kafka/producer/producer.hpp"

namespace models::kafka {

/// initTransactions(), commitTransaction() and abortTransaction() block the application's thread; what arises meanwhile waits.
void Producer::drive_transactions(sim::Time now) {
  using State = TransactionManager::State;
  switch (transactions_->state()) {
    case State::ready:
      if (blocked_ != Blocked::on_transaction) return;
      transactions_->begin();
      blocked_ = Blocked::no;
      free_ = now;
      commit_at_ = now + options_.transactions->every;
      ++disturbances_;
      wake_sender_ = true;
      return catch_up(now);
    case State::in_transaction:
      if (now < commit_at_ || blocked_ != Blocked::no) return;
      return end_transaction(options_.transactions->aborts <= 0 ||
                             abort_draws_.uniform() >= options_.transactions->aborts);
    case State::abortable_error:
      return end_transaction(false);
    case State::fatal_error:
      // The application ends: nothing more arises, and what waits is not sent.
      if (!source_.exhausted() || commit_at_ != sim::kNever)
        context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(MemberCode::failed),
                                           .actor = node_.entity().value});
      source_.stop(now);
      blocked_ = Blocked::no;
      while (!accepted() || source_.next() <= now) refuse_head(RefusedCode::closed, now);
      commit_at_ = sim::kNever;
      return;
    default:
      return;
  }
}

/// What the transactions do without an answer. True when that lets the application go on.
bool Producer::run_transactions() {
  if (!transactions_) return false;
  const TransactionManager::State before = transactions_->state();
  transactions_->run(accumulator_.batches() > sender_->given_up());
  return options_.transactions && node_.up() && transactions_->state() != before;
}

void Producer::end_transaction(bool commit) {
  blocked_ = Blocked::on_transaction;
  block_deadline_ = sim::kNever;
  commit_at_ = sim::kNever;
  transactions_->end(commit);
  ++disturbances_;
  wake_sender_ = true;
}

}  // namespace models::kafka
