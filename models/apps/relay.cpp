#include "models/apps/relay.hpp"

#include <algorithm>

#include "models/faults/step_then.hpp"

namespace models {
namespace {

/// After a failure, before it is tried again.
constexpr sim::Duration kRetry = std::chrono::milliseconds{100};

ReadFrom read_from(RelayKind kind) {
  switch (kind) {
    case RelayKind::polling:
      return ReadFrom::outbox;
    case RelayKind::polling_by_id:
      return ReadFrom::above_id;
    case RelayKind::capture:
      return ReadFrom::log;
  }
  return ReadFrom::outbox;
}

}  // namespace

Relay::Relay(Node& node, const RelayOptions& options, Database& database, std::uint32_t reader,
             const SenderMaker& make_sender)
    : context_(database.context()),
      node_(node),
      options_(options),
      database_(database),
      from_(read_from(options.kind)),
      reader_(reader),
      client_(node, database, *this),
      sender_(make_sender(node, *this)),
      read_step_(context_.steps.cell(node.entity(), Step::rows_read)),
      sent_step_(context_.steps.cell(node.entity(), Step::rows_sent)),
      marked_step_(context_.steps.cell(node.entity(), Step::rows_marked)),
      timer_(context_.simulation, node, [this] { read(); }),
      keep_timer_(context_.simulation, node, [this] { keep_position(); }) {
  node.set_program(*this);
}

void Relay::start() {
  sender_->start();
  if (from_ == ReadFrom::log) keep_timer_.arm_after(options_.every);
  read();
}

void Relay::restarted() {
  start();
}

void Relay::crashed() {
  client_.abandon();
  sender_->crashed();
  timer_.disarm();
  keep_timer_.disarm();
  rows_.clear();
  unsent_.clear();
  outstanding_ = 0;
  position_ = kept_ = -1;
  state_ = State::resting;
}

bool Relay::idle() const {
  return rows_.empty() && database_.all_read(from_, reader_);
}

void Relay::read() {
  state_ = State::reading;
  const DatabaseCallRef call = client_.take(DatabaseCall::What::read);
  call->from = from_;
  call->reader = reader_;
  call->position = position_;
  call->most = options_.batch;
  client_.send(call);
}

void Relay::rest() {
  state_ = State::resting;
  timer_.arm_after(from_ == ReadFrom::log ? kRetry : options_.every);
}

void Relay::answered(DatabaseCall& call) {
  const bool lost = call.outcome == Outcome::lost;
  if (call.what == DatabaseCall::What::read) return lost ? rest() : have_read(call);
  if (!lost) kept_ = call.position;
  if (from_ == ReadFrom::log) return;
  // A note that was lost may have been made: what it was about is read again, or not.
  rows_.clear();
  if (lost) {
    position_ = -1;
    return rest();
  }
  step_then(marked_step_, node_, [this, more = call.ticket != 0] { more ? read() : rest(); });
}

void Relay::have_read(const DatabaseCall& call) {
  if (call.rows.empty()) return rest();
  rows_ = call.rows;
  step_then(read_step_, node_, [this] { send(); });
}

void Relay::send() {
  state_ = State::sending;
  unsent_.clear();
  facts_.clear();
  for (const OutboxRow& row : rows_) facts_.push_back(row.fact);
  outstanding_ = facts_.size();
  sender_->send(facts_);
}

void Relay::sent(FactId fact, bool acknowledged) {
  if (!acknowledged) {
    for (const OutboxRow& row : rows_) {
      if (row.fact == fact) unsent_.push_back(row);
    }
  }
  if (--outstanding_ == 0) step_then(sent_step_, node_, [this] { have_sent(); });
}

void Relay::have_sent() {
  if (from_ == ReadFrom::outbox) return mark();
  // A position says that all before it was sent.
  const bool all = unsent_.empty();
  if (all) {
    position_ = rows_.back().id + 1;
  } else if (rows_.front().id < unsent_.front().id) {
    std::int64_t first = unsent_.front().id;
    for (const OutboxRow& row : unsent_) first = std::min(first, row.id);
    position_ = first;
  }
  if (from_ != ReadFrom::log) return mark();
  rows_.clear();
  all ? read() : rest();
}

void Relay::mark() {
  state_ = State::marking;
  const DatabaseCallRef call = client_.take(DatabaseCall::What::mark);
  call->from = from_;
  call->reader = reader_;
  call->position = position_;
  call->ticket = rows_.size() == options_.batch && unsent_.empty() ? 1 : 0;  // there may be more
  for (const OutboxRow& row : rows_) {
    const bool given_up = std::any_of(unsent_.begin(), unsent_.end(),
                                      [&row](const OutboxRow& other) { return other.id == row.id; });
    if (!given_up) call->rows.push_back(row);
  }
  client_.send(call);
}

void Relay::keep_position() {
  keep_timer_.arm_after(options_.every);
  if (position_ < 0 || position_ == kept_) return;
  const DatabaseCallRef call = client_.take(DatabaseCall::What::mark);
  call->from = from_;
  call->reader = reader_;
  call->position = position_;
  client_.send(call);
}

}  // namespace models
