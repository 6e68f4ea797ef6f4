#include "models/sqs/workers.hpp"

#include <algorithm>

#include "models/faults/step_then.hpp"
#include "models/scenario_error.hpp"
#include "models/sqs/service.hpp"

namespace models::sqs {
namespace {

/// Model: the application waits so long before it polls again once the SDK has given a poll up.
constexpr sim::Duration kErrorPause = std::chrono::seconds{1};

}  // namespace

// ---- the group ----------------------------------------------------------------------------------------------------

Workers::Workers(Context& context, Service& service, const GroupOptions& options, EntityId group)
    : context_(context), service_(service), options_(options), entity_(group), jobs_(context, options) {
  const std::string path = "groups." + options.name + ".sqs.queue";
  const auto queue = service.find_queue(options.sqs.queue);
  if (!queue) throw ScenarioError(path, "there is no queue '" + options.sqs.queue + "' in [sqs]");
  // Model: who competes for a queue's messages is one group; its verdicts are about what becomes of each message for it.
  if (service.reader(*queue) != EntityId{})
    throw ScenarioError(path, "'" + options.sqs.queue +
                                  "' is read by another group: whoever receives from one queue is one "
                                  "group's member");
  service.read_by(*queue, group);
  queue_ = *queue;
}

Workers::~Workers() = default;

void Workers::add_member(Node& node) {
  members_.push_back(std::make_unique<Worker>(context_, service_, node, *this));
  standing_by_.push_back(false);
}

void Workers::start() {
  sim::Duration at = options_.start;
  for (std::size_t i = 0; i < members_.size(); ++i, at += options_.stagger) {
    if (standing_by_[i]) continue;
    if (at == sim::Duration{}) {
      members_[i]->start();
    } else {
      context_.simulation.schedule_after(at, [member = members_[i].get()] { member->start(); });
    }
  }
}

bool Workers::idle() const {
  if (std::any_of(members_.begin(), members_.end(), [](const auto& m) { return !m->idle(); })) return false;
  // Nobody is left to read.
  if (std::none_of(members_.begin(), members_.end(), [](const auto& m) { return m->takes_part(); }))
    return true;
  return service_.empty(queue_);
}

// ---- a member -----------------------------------------------------------------------------------------------------

Worker::Worker(Context& context, Service& service, Node& node, Workers& group)
    : Client(context, service, node, group.options().sqs.sdk),
      group_(group),
      bench_(context, node, group.jobs(), group.entity(), *this),
      delivered_step_(context.steps.cell(node.entity(), Step::delivered)),
      delete_step_(context.steps.cell(node.entity(), Step::commit_sent)),
      deleted_step_(context.steps.cell(node.entity(), Step::committed)),
      heartbeat_step_(context.steps.cell(node.entity(), Step::heartbeat_sent)),
      poll_timer_(context.simulation, node, [this] { poll(); }),
      heartbeat_timer_(context.simulation, node, [this] { extend(); }) {}

void Worker::start() {
  wanted_ = true;
  leaving_ = false;
  if (running_ || !node_.up()) return;
  if (node_.paused()) return node_.run_or_hold([this] { start(); });
  running_ = true;
  poll();
}

void Worker::tell_member(MemberCode code) {
  context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(code),
                                     .actor = node_.entity().value,
                                     .peer = group_.entity().value});
}

sim::Duration Worker::visibility() const {
  return options().visibility_timeout.value_or(service_.queue(group_.queue()).options().visibility_timeout);
}

// ---- polling ------------------------------------------------------------------------------------------------------

void Worker::poll() {
  if (!running_) return;
  if (leaving_) return leave();
  const Ref<Call> call = new_call(Action::receive, group_.queue());
  call->max = options().max_messages;
  call->wait = options().wait.value_or(service_.queue(group_.queue()).options().receive_wait);
  call->visibility = visibility();
  if (options().attempt_ids) call->attempt_id = ++polls_;
  polling_ = true;
  make(call);
}

void Worker::received(const Call& call) {
  polling_ = false;
  if (call.error != Error::none) return poll_timer_.arm_after(kErrorPause);
  if (call.messages.empty()) {
    if (options().poll_interval == sim::Duration{}) return poll();
    return poll_timer_.arm_after(options().poll_interval);
  }
  in_hand_ = call.messages;
  front_ = 0;
  tell_delivered();
  if (options().heartbeat) heartbeat_timer_.arm_after(*options().heartbeat);
  handed_out(static_cast<std::int64_t>(in_hand_.size()));
}

void Worker::tell_delivered() {
  for (std::size_t i = 0; i < in_hand_.size();) {
    std::size_t end = i + 1;
    while (end < in_hand_.size() && in_hand_[end].receipt.number == in_hand_[end - 1].receipt.number + 1)
      ++end;
    context_.emit(Kind::delivered, {.actor = node_.entity().value,
                                    .place = service_.entity(group_.queue()).value,
                                    .peer = group_.entity().value,
                                    .a = static_cast<std::int64_t>(in_hand_[i].receipt.number),
                                    .b = static_cast<std::int64_t>(end - i)});
    i = end;
  }
}

void Worker::handed_out(std::int64_t left) {
  const std::uint32_t life = node_.incarnation();
  while (left > 0) {
    const std::int64_t n = std::min(left, delivered_step_.until_next());
    delivered_step_.advance(n);
    left -= n;
    if (node_.incarnation() != life) return;
    if (node_.paused()) return node_.run_or_hold([this, left] { handed_out(left); });
  }
  begin();
}

void Worker::begin() {
  if (options().when != ReceiverOptions::Delete::before_processing) return take_next();
  for (const Delivered& m : in_hand_) to_delete_.push_back(m.receipt);
  remove(to_delete_);
}

// ---- working ------------------------------------------------------------------------------------------------------

void Worker::take_next() {
  if (front_ < in_hand_.size()) {
    const Delivered& m = in_hand_[front_];
    return bench_.begin({service_.entity(group_.queue()), static_cast<std::int64_t>(m.receipt.number), m.lane,
                         m.seq, 0, m.receives - 1});
  }
  if (!to_delete_.empty()) return remove(to_delete_);
  in_hand_.clear();
  heartbeat_timer_.disarm();
  poll();
}

void Worker::gave_up(PoisonOptions::Then how) {
  if (how != PoisonOptions::Then::release) return put_down();
  const Receipt receipt = in_hand_[front_++].receipt;
  if (!options().release) return take_next();
  const Ref<Call> call = new_call(Action::change_visibility, group_.queue());
  call->visibility = *options().release;
  call->receipts.push_back({receipt});
  settle(call);
}

/// The first of what is in hand is done with.
void Worker::put_down() {
  const Receipt receipt = in_hand_[front_++].receipt;
  using Delete = ReceiverOptions::Delete;
  if (options().when == Delete::after_processing || options().when == Delete::after_batch)
    to_delete_.push_back(receipt);
  if (options().when == Delete::after_processing) return remove(to_delete_);
  take_next();
}

// ---- deletion, extension ------------------------------------------------------------------------------------------

void Worker::remove(std::vector<Receipt>& receipts) {
  const Ref<Call> call = new_call(Action::remove, group_.queue());
  for (const Receipt& receipt : receipts) call->receipts.push_back({receipt});
  const auto count = static_cast<std::int64_t>(receipts.size());
  receipts.clear();
  settle(call);
  const std::uint32_t life = node_.incarnation();
  for (std::int64_t left = count; left > 0 && node_.incarnation() == life;) {
    const std::int64_t n = std::min(left, delete_step_.until_next());
    left -= n;
    delete_step_.advance(n);
  }
}

/// The work goes on when it is answered.
void Worker::settle(Ref<Call> call) {
  ++settling_;
  call->awaited = true;
  make(std::move(call));
}

void Worker::completed(Call& call) {
  if (call.action == Action::receive) return received(call);
  if (!call.awaited) return;
  --settling_;
  // Whatever it says: what was not deleted comes again.
  if (call.action != Action::remove || call.error != Error::none) return take_next();
  step_then(deleted_step_, node_, [this] { take_next(); });
}

/// For what was processed and is not deleted, too.
void Worker::extend() {
  heartbeat_timer_.arm_after(*options().heartbeat);
  if (node_.heartbeats_lost()) return;
  const Ref<Call> call = new_call(Action::change_visibility, group_.queue());
  call->visibility = visibility();
  for (const Receipt& receipt : to_delete_) call->receipts.push_back({receipt});
  for (std::size_t i = front_; i < in_hand_.size(); ++i) call->receipts.push_back({in_hand_[i].receipt});
  if (call->receipts.empty()) return;
  make(call);
  heartbeat_step_.advance(1);
}

// ---- its process --------------------------------------------------------------------------------------------------

/// What is in hand is finished first.
void Worker::withdraw() {
  wanted_ = false;
  if (!running_) return;
  leaving_ = true;
  if (polling_ || poll_timer_.armed()) leave();
}

void Worker::leave() {
  leaving_ = running_ = polling_ = false;
  poll_timer_.disarm();
  hang_up();
  tell_member(MemberCode::left);
}

void Worker::process_crashed() {
  bench_.crashed();
  poll_timer_.disarm();
  heartbeat_timer_.disarm();
  running_ = leaving_ = polling_ = false;
  in_hand_.clear();
  to_delete_.clear();
  front_ = 0;
  settling_ = 0;
  tell_member(MemberCode::crashed);
}

void Worker::process_restarted() {
  if (!wanted_) return;
  tell_member(MemberCode::restarted);
  start();
}

}  // namespace models::sqs
