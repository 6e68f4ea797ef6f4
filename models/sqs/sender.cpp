#include "models/sqs/sender.hpp"

#include <algorithm>

#include "models/faults/step_then.hpp"
#include "models/scenario_error.hpp"
#include "models/sqs/service.hpp"

namespace models::sqs {
namespace {

// Spaces of deduplication ids: a message's own, a key's, a call's.
constexpr std::uint64_t kOfKeys = 1ULL << 40;
constexpr std::uint64_t kOfCalls = 2ULL << 40;
/// A batch's messages together (quotas-messages).
constexpr std::uint64_t kBatchSizeMost = kSizeMost;

}  // namespace

Sender::Sender(Context& context, Service& service, Node& node, const ProducerOptions& options)
    : Client(context, service, node, options.sqs.sdk),
      options_(options),
      source_(context.simulation.seed(), node.name(), options),
      acknowledged_step_(context.steps.cell(node.entity(), Step::acknowledged)),
      timer_(context.simulation, node, [this] { turn(); }) {
  const auto queue = service.find_queue(options.to);
  if (!queue)
    throw ScenarioError("producers." + options.name + ".to",
                        "there is no queue '" + options.to + "' in [sqs]");
  queue_ = *queue;
  group_ = group_of(options.sqs.message_group_id).id;
}

void Sender::start() {
  lane_ = context_.entities.add_lane(node_.entity(), service_.entity(queue_));
  source_.start(context_.now());
  turn();
}

void Sender::stop_arrivals() {
  source_.stop(context_.now());
  turn();
}

bool Sender::idle() {
  if (!node_.up()) return true;
  return source_.exhausted() && calls() == 0 && again_.empty();
}

void Sender::tell_unfinished(std::vector<std::string>& lines) {
  if (idle()) return;
  if (calls() > 0) lines.push_back(node_.name() + " waits for answers of SQS");
  if (!again_.empty()) lines.push_back(node_.name() + " has messages to send again");
}

// ---- sending ------------------------------------------------------------------------------------------------------

/// Sends what has arisen, as far as it may, and waits for the next.
void Sender::turn() {
  if (turning_ || !node_.up() || node_.paused()) return;
  turning_ = true;
  while (may_send() && !again_.empty() && again_.front().due <= context_.now()) send_again();
  next_ = sim::kNever;
  while (may_send()) {
    const std::size_t count = due_now();
    if (count == 0) break;
    send_next(count);
  }
  turning_ = false;
  if (may_send() && !again_.empty()) next_ = std::min(next_, again_.front().due);
  if (!may_send() || next_ == sim::kNever)
    timer_.disarm();
  else
    timer_.arm_at(std::max(next_, context_.now()));
}

std::size_t Sender::due_now() {
  const std::size_t most = options_.sqs.batch;
  const std::size_t known = std::min(source_.look_ahead(most), most);
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  while (count < known && source_.times()[count] <= context_.now()) {
    bytes += source_.size(count);
    if (count > 0 && bytes > kBatchSizeMost) return count;
    ++count;
  }
  if (count == most) return count;
  if (count == 0) {
    next_ = known > 0 ? source_.times()[0] : sim::kNever;
    return 0;
  }
  const sim::Time open_until = source_.times()[0] + options_.sqs.batch_open;
  if (open_until <= context_.now()) return count;
  next_ = known == most ? std::min(open_until, source_.times()[most - 1]) : open_until;
  return 0;
}

SendEntry Sender::entry(std::size_t i) {
  SendEntry e;
  e.seq = seq_ + i;
  e.size = source_.size(i);
  e.group = {options_.sqs.message_group_id.empty() ? source_.key(i) : group_};
  switch (options_.sqs.deduplication_id) {
    case SenderOptions::DeduplicationId::message:
      e.deduplication = {lane_.value, e.seq, 0};
      break;
    case SenderOptions::DeduplicationId::key:
      e.deduplication = {kOfKeys, source_.key(i), 0};
      break;
    case SenderOptions::DeduplicationId::call:
      e.deduplication = {kOfCalls + lane_.value, next_id_++, 0};
      break;
  }
  return e;
}

void Sender::send_next(std::size_t count) {
  const Ref<Call> call = new_call(Action::send, queue_);
  call->lane = lane_;
  call->delay = options_.sqs.delay.value_or(sim::Duration{-1});
  payload_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    call->entries.push_back(entry(i));
    payload_.push_back(sim::nanoseconds(source_.times()[i]));
  }
  if (source_.keyed()) {
    for (std::size_t i = 0; i < count; ++i) payload_.push_back(source_.key(i));
  }
  source_.pop(count);
  context_.emit(Kind::offered,
                {.code = source_.keyed() ? kHasKeys : std::uint16_t{0},
                 .actor = node_.entity().value,
                 .place = service_.entity(queue_).value,
                 .peer = lane_.value,
                 .a = static_cast<std::int64_t>(seq_),
                 .b = static_cast<std::int64_t>(count)},
                payload_);
  seq_ += count;
  make(call);
}

void Sender::send_again() {
  const Ref<Call> call = new_call(Action::send, queue_);
  call->lane = lane_;
  call->delay = options_.sqs.delay.value_or(sim::Duration{-1});
  call->entries = std::move(again_.front().entries);
  again_.erase(again_.begin());
  for (SendEntry& e : call->entries) {
    e.error = Error::none;
    if (options_.sqs.deduplication_id == SenderOptions::DeduplicationId::call)
      e.deduplication.id = next_id_++;
  }
  make(call);
}

// ---- answers ------------------------------------------------------------------------------------------------------

void Sender::report(Kind kind, std::uint64_t seq, std::uint64_t count, std::uint16_t code, std::int64_t c) {
  context_.emit(kind, {.code = code,
                       .actor = node_.entity().value,
                       .place = service_.entity(queue_).value,
                       .peer = lane_.value,
                       .a = static_cast<std::int64_t>(seq),
                       .b = static_cast<std::int64_t>(count),
                       .c = c});
}

void Sender::completed(Call& call) {
  if (call.error != Error::none) {
    for (SendEntry& e : call.entries) e.error = call.error;
  }
  std::int64_t acknowledged = 0;
  for (std::size_t i = 0; i < call.entries.size();) {
    const Error error = call.entries[i].error;
    std::size_t end = i + 1;
    while (end < call.entries.size() && call.entries[end].error == error &&
           call.entries[end].seq == call.entries[end - 1].seq + 1)
      ++end;
    if (error == Error::none) {
      report(Kind::acknowledged, call.entries[i].seq, end - i, 0, -1);
      if (options_.closed_loop) source_.release(context_.now(), end - i);
      acknowledged += static_cast<std::int64_t>(end - i);
    } else {
      give_up(call, i, end);
    }
    i = end;
  }
  if (acknowledged == 0) return turn();
  for (; acknowledged > 1; --acknowledged) {
    // A fault may strike at any of them.
    const std::uint32_t life = node_.incarnation();
    acknowledged_step_.advance(1);
    if (node_.incarnation() != life) return;
  }
  step_then(acknowledged_step_, node_, [this] { turn(); });
}

void Sender::give_up(Call& call, std::size_t first, std::size_t end) {
  const Error error = call.entries[first].error;
  if (options_.sqs.retry_after && retryable(error)) {
    again_.push_back({context_.now() + *options_.sqs.retry_after,
                      {call.entries.begin() + static_cast<std::ptrdiff_t>(first),
                       call.entries.begin() + static_cast<std::ptrdiff_t>(end)}});
    return;
  }
  report(Kind::failed, call.entries[first].seq, end - first, static_cast<std::uint16_t>(error),
         in_doubt(error) ? 1 : 0);
  if (options_.closed_loop) source_.release(context_.now(), end - first);
}

/// Nobody is left to be told; what the application had in hand has gone with it.
void Sender::process_crashed() {
  timer_.disarm();
  for_each_call([this](const Call& call) {
    for (const SendEntry& e : call.entries) report(Kind::failed, e.seq, 1, 0, 1);
  });
  for (const Again& again : again_) {
    for (const SendEntry& e : again.entries) report(Kind::failed, e.seq, 1, 0, 1);
  }
  again_.clear();
}

void Sender::process_restarted() {
  source_.skip_to(context_.now());
  turn();
}

}  // namespace models::sqs
