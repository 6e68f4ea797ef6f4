#include "experiments/results/queue_board.hpp"

namespace experiments {

using models::Kind;

void QueueBoard::show_before(sim::Time t) {
  for (; next_ < times_.size() && times_[next_] < t; ++next_) shown_(next_, state_);
}

void QueueBoard::consume(const sim::TraceBlock& block) {
  for (const sim::TraceRecord& r : block.records) {
    show_before(r.time);
    look(r);
  }
}

void QueueBoard::finish(sim::Time) {
  show_before(sim::kNever);
  for (; next_ < times_.size(); ++next_) shown_(next_, state_);
}

void QueueBoard::look(const sim::TraceRecord& r) {
  const auto published = [this, &r] {
    return (*entities_)[r.place].kind == models::EntityKind::queue &&
           (*entities_)[r.actor].kind == models::EntityKind::producer;
  };
  switch (static_cast<Kind>(r.kind)) {
    case Kind::stored: {
      if ((r.code & models::kInQueue) == 0) return;
      QueueCounts& queue = state_.queues[r.place];
      queue.published += r.b;
      queue.ready += r.b;
      return;
    }
    case Kind::dispatched: {
      QueueCounts& queue = state_.queues[r.place];
      queue.ready -= r.b;
      queue.unacknowledged += r.b;
      queue.delivered_manual += r.b;
      if ((r.code & models::kRedelivered) != 0) queue.redelivered += r.b;
      return;
    }
    case Kind::settled: {
      QueueCounts& queue = state_.queues[r.place];
      queue.unacknowledged -= r.b;
      if (static_cast<models::SettledCode>(r.code) == models::SettledCode::by_ack) {
        queue.acknowledged += r.b;
      } else {
        queue.delivered_manual -= r.b;
        queue.delivered_automatic += r.b;
      }
      return;
    }
    case Kind::requeued: {
      QueueCounts& queue = state_.queues[r.place];
      queue.unacknowledged -= r.b;
      queue.ready += r.b;
      return;
    }
    case Kind::removed: {
      QueueCounts& queue = state_.queues[r.place];
      const auto why = static_cast<models::RemovedCode>(r.code);
      const bool held = why == models::RemovedCode::rejected || why == models::RemovedCode::delivery_limit;
      (held ? queue.unacknowledged : queue.ready) -= r.b;
      queue.removed[{why, r.c != 0}] += r.b;
      return;
    }
    case Kind::refused: {
      const auto code = static_cast<models::RefusedCode>(r.code);
      if (code == models::RefusedCode::returned) state_.publishers[r.actor].returned += r.b;
      if (code == models::RefusedCode::unroutable) state_.publishers[r.actor].dropped += r.b;
      return;
    }
    case Kind::offered:
      if (published()) state_.publishers[r.actor].routed += r.b;
      return;
    case Kind::acknowledged:
      if (published()) state_.publishers[r.actor].confirmed += r.b;
      return;
    case Kind::failed:
      if (published()) state_.publishers[r.actor].failed += r.b;
      return;
    default:
      return;
  }
}

}  // namespace experiments
