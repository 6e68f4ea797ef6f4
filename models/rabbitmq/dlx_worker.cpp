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

void DlxWorker::work(const Window<RabbitFifo::Dead>& dead) {
  // What arrives at once makes room for the next, and may leave the list.
  for (next_ = std::max(next_, dead.first()); next_ < dead.next() && letters_.size() < kAtATime;) {
    const std::uint64_t id = next_++;
    if (!dead.holds(id) || dead[id].buried) continue;
    if (session_ == nullptr) session_ = &at_.begin_internal(*this);
    letters_.push_back({.id = id, .dead = dead[id]});
    if (!timer_.armed()) timer_.arm_after(kAgain);
    publish(id);
    if (!at_.node().up()) return;
  }
}

/// forward, redeliver0: it is routed as things are now. Who has it gets it no more; nor does who is still to answer and sends it
/// again by itself (can_redeliver: channels of quorum queues and streams do). Model: a queue that closes a circle is not waited
/// for; RabbitMQ waits for it from the second time on, in vain.
void DlxWorker::publish(std::uint64_t id) {
  Letter* letter = find(id);
  const std::optional<DeadLetter> made = at_.dead_letter(queue_, letter->dead.item.message, letter->dead.why);
  if (!made) {
    // Routes have changed, and somebody has it.
    if (!letter->settled.empty()) arrived(id);
    return;
  }
  const auto has = [](const std::vector<QueueIndex>& all, QueueIndex q) {
    return std::find(all.begin(), all.end(), q) != all.end();
  };
  std::vector<QueueIndex> wanted = made->to;
  std::erase_if(wanted, [&](QueueIndex q) { return has(letter->settled, q); });
  std::vector<QueueIndex> to = wanted;
  std::erase_if(to, [&](QueueIndex q) {
    return has(letter->unsettled, q) &&
           queue_.cluster().queue(q).options().arguments.type != QueueType::classic;
  });
  if (!to.empty()) {
    letter->again = at_.cluster().context().now() + kAgain;
    letter->unsettled = std::move(wanted);
    letter->rejected.clear();
  }
  for (const QueueIndex q : to) {
    // A step of its node may have been its last.
    if (session_ != nullptr) send(id, *made, q);
  }
  queue_.cluster().histories().forget(made->message.history);
}

void DlxWorker::send(std::uint64_t id, const DeadLetter& made, QueueIndex to) {
  Copy copy;
  copy.letter = id;
  copy.to = to;
  copy.message = at_.offer_dead_letter(made.message, to);
  copy.origin = {queue_.entity(), made.message.number, made.why};
  const std::uint64_t tag = copies_.push(copy);
  const Taken taken = queue_.cluster().queue(to).publish(*session_, tag, copy.message);
  if (taken == Taken::at_once || taken == Taken::refused) publish_answered(tag, taken == Taken::at_once);
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
  std::erase(letter->unsettled, copy.to);
  std::erase(letter->rejected, copy.to);
  (accepted ? letter->settled : letter->rejected).push_back(copy.to);
  if (accepted && letter->unsettled.empty() && letter->rejected.empty()) arrived(copy.letter);
}

void DlxWorker::arrived(std::uint64_t id) {
  std::erase_if(letters_, [id](const Letter& l) { return l.id == id; });
  if (letters_.empty()) timer_.disarm();
  arrived_(id);
}

/// redeliver_messages
void DlxWorker::try_again() {
  const sim::Time now = at_.cluster().context().now();
  std::vector<std::uint64_t> due;
  for (const Letter& letter : letters_) {
    if (letter.again <= now) due.push_back(letter.id);
  }
  for (const std::uint64_t id : due) {
    if (find(id) != nullptr) publish(id);
  }
  if (!at_.node().up()) return;
  if (!letters_.empty() && !timer_.armed()) timer_.arm_after(kAgain);
  at_.settle_down();
}

}  // namespace models::rabbitmq
