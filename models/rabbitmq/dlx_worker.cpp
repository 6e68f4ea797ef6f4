#include "models/rabbitmq/dlx_worker.hpp"

#include <algorithm>
#include <chrono>

#include "models/rabbitmq/cluster.hpp"

namespace models::rabbitmq {
namespace {

/// dead_letter_worker_consumer_prefetch
constexpr std::size_t kAtATime = 32;
/// dead_letter_worker_publisher_confirm_timeout
constexpr sim::Duration kAgain = std::chrono::seconds{180};

}  // namespace

DlxWorker::DlxWorker(Broker& at, Queue& queue, std::function<void(std::uint64_t)> arrived)
    : at_(at),
      queue_(queue),
      arrived_(std::move(arrived)),
      timer_(at.cluster().context().simulation, at.node(), [this] { try_again(); }) {}

void DlxWorker::stop() {
  if (session_ != nullptr) at_.end_internal(*std::exchange(session_, nullptr));
  crashed();
}

void DlxWorker::crashed() {
  session_ = nullptr;
  next_ = 0;
  letters_.clear();
  copies_.reset();
  timer_.disarm();
}

DlxWorker::Letter* DlxWorker::find(std::uint64_t id) {
  const auto at =
      std::find_if(letters_.begin(), letters_.end(), [id](const Letter& l) { return l.id == id; });
  return at == letters_.end() ? nullptr : &*at;
}

void DlxWorker::work(const std::vector<RabbitFifo::Dead>& dead) {
  // What arrives at once leaves the list.
  std::vector<RabbitFifo::Dead> fresh;
  for (const RabbitFifo::Dead& one : dead) {
    if (one.id >= next_ && letters_.size() + fresh.size() < kAtATime) fresh.push_back(one);
  }
  for (const RabbitFifo::Dead& one : fresh) {
    next_ = one.id + 1;
    if (session_ == nullptr) session_ = &at_.begin_internal(*this);
    Letter letter{one.id, one};
    if (const std::optional<DeadLetter> made = at_.dead_letter(queue_, one.item.message, one.why)) {
      letter.missing = made->to;
      queue_.cluster().histories().forget(made->message.history);
    }
    letters_.push_back(std::move(letter));
    // Routed nowhere, it stays and is routed again later.
    publish(letters_.back());
  }
}

void DlxWorker::publish(Letter& letter) {
  letter.again = at_.cluster().context().now() + kAgain;
  if (!timer_.armed()) timer_.arm_at(letter.again);
  const std::uint64_t id = letter.id;
  const std::vector<QueueIndex> to = letter.missing;
  letter.outstanding += static_cast<std::uint32_t>(to.size());
  for (const QueueIndex q : to) {
    Letter* const current = find(id);
    if (current == nullptr) return;
    const RabbitFifo::Dead& dead = current->dead;
    std::optional<DeadLetter> made = at_.dead_letter(queue_, dead.item.message, dead.why);
    if (!made) return;
    Copy copy;
    copy.letter = id;
    copy.to = q;
    copy.message = at_.offer_dead_letter(made->message, q);
    queue_.cluster().histories().forget(made->message.history);
    copy.origin = {queue_.entity(), dead.item.message.number, dead.why};
    const std::uint64_t tag = copies_.push(copy);
    const Taken taken = queue_.cluster().queue(q).publish(*session_, tag, copy.message);
    if (taken == Taken::at_once || taken == Taken::refused) publish_answered(tag, taken == Taken::at_once);
  }
}

void DlxWorker::publish_answered(std::uint64_t tag, bool accepted) {
  if (!copies_.holds(tag) || copies_[tag].answered) return;
  const Copy copy = copies_[tag];
  copies_[tag].answered = true;
  while (!copies_.empty() && copies_[copies_.first()].answered) copies_.drop();
  at_.tell_dead_letter(accepted ? Kind::republished : Kind::failed, queue_.cluster().queue(copy.to),
                       copy.message, copy.origin);
  Letter* const letter = find(copy.letter);
  if (letter == nullptr) return;
  --letter->outstanding;
  if (!accepted) {
    queue_.cluster().histories().forget(copy.message.history);
    return;
  }
  std::erase(letter->missing, copy.to);
  if (!letter->missing.empty()) return;
  const std::uint64_t id = copy.letter;
  std::erase_if(letters_, [id](const Letter& l) { return l.id == id; });
  arrived_(id);
}

/// Model: what is outstanding still is not sent again; RabbitMQ does that, too, and may publish it twice.
void DlxWorker::try_again() {
  const sim::Time now = at_.cluster().context().now();
  std::vector<std::uint64_t> due;
  for (const Letter& letter : letters_) {
    if (letter.again <= now && letter.outstanding == 0) due.push_back(letter.id);
  }
  for (const std::uint64_t id : due) {
    if (Letter* const letter = find(id)) publish(*letter);
  }
  if (!letters_.empty() && !timer_.armed()) timer_.arm_after(kAgain);
  at_.settle_down();
}

}  // namespace models::rabbitmq
