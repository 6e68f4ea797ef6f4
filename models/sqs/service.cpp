#include "models/sqs/service.hpp"

#include <algorithm>
#include <array>

#include "models/faults/step_then.hpp"
#include "models/sqs/client.hpp"
#include "sim/assert.hpp"

namespace models::sqs {

// ---- a queue tells ------------------------------------------------------------------------------------------------

Service::Place::Place(Service& owner, QueueIndex own, const QueueOptions& options, EntityId named)
    : service(owner),
      index(own),
      entity(named),
      servers(owner.context_.simulation.seed(), "sqs/servers/" + options.name),
      duplicates(sim::stream_key(owner.context_.simulation.seed(), "sqs/duplicates/" + options.name)),
      timer(owner.context_.simulation, owner.node_, [this] {
        queue->advance(service.now());
        service.settle_down(*this);
      }) {
  if (options.fifo)
    queue = std::make_unique<FifoQueue>(options, owner.options_, *this);
  else
    queue = std::make_unique<StandardQueue>(options, owner.options_, *this);
}

void Service::Place::tell(Kind kind, std::uint16_t code, const Message& m, std::int64_t c) {
  service.tell({.code = code,
                .actor = service.node_.entity().value,
                .place = entity.value,
                .peer = group.value,
                .a = static_cast<std::int64_t>(m.number),
                .b = 1,
                .c = c},
               kind);
}

void Service::Place::stored(const Message& m) {
  service.tell({.code = kInQueue,
                .actor = service.node_.entity().value,
                .place = entity.value,
                .peer = m.lane.value,
                .a = static_cast<std::int64_t>(m.seq),
                .b = 1,
                .c = static_cast<std::int64_t>(m.number)},
               Kind::stored);
}

void Service::Place::delayed(const Message& m, bool begins) {
  tell(Kind::delayed, 0, m, begins ? 1 : 0);
}

void Service::Place::dispatched(const Message& m, const Receipt& receipt, std::uint32_t receives, PollId to) {
  Call& call = *service.asked_[to.value].call;
  ++counts.received;
  tell(Kind::dispatched, receives > 1 ? kRedelivered : 0, m, call.client->node().entity().value);
  const Identity identity = service.origins_.identity(m);
  call.messages.push_back({receipt, identity.seq, identity.lane, receives, m.size});
}

void Service::Place::answered(PollId poll, std::uint32_t messages, Error error) {
  const Ref<Call> call = std::move(service.asked_[poll.value].call);
  service.free_asked_.push_back(poll);
  call->error = error;
  if (messages == 0 && error == Error::none) {
    ++counts.empty_receives;
    service.tell({.actor = service.node_.entity().value,
                  .place = entity.value,
                  .c = call->client->node().entity().value},
                 Kind::empty_receive);
  }
  if (messages > 0 && call->attempt_id != 0) {
    const std::uint32_t client = call->client->number();
    if (client >= attempts.size()) attempts.resize(client + 1);
    attempts[client] = {call->attempt_id, call->messages};
  }
  service.respond(call);
}

void Service::Place::settled(const Message& m, SettledCode how) {
  tell(Kind::settled, static_cast<std::uint16_t>(how), m);
  service.origins_.forget(m.origin);
}

void Service::Place::requeued(const Message& m, RequeuedCode why) {
  tell(Kind::requeued, static_cast<std::uint16_t>(why), m);
}

/// What goes elsewhere keeps its origin.
void Service::Place::removed(const Message& m, RemovedCode why) {
  std::optional<QueueIndex> to;
  if (why == RemovedCode::max_receives) to = dead_letters_to;
  if (why == RemovedCode::moved) to = service.move_target(m);
  tell(Kind::removed, static_cast<std::uint16_t>(why), m, to ? 1 : 0);
  if (!to) return service.origins_.forget(m.origin);
  service.transfers_.push_back(
      {m, why, index, *to, fifo() != nullptr ? fifo()->group_key(m.group) : GroupKey{}});
}

bool Service::Place::misses_deletion(const Message& m, std::uint32_t receives) {
  const double share = service.options_.duplicate_share;
  if (share <= 0) return false;
  return sim::Stream::keyed(duplicates, m.number, receives).bernoulli(share);
}

// ---- what is told -------------------------------------------------------------------------------------------------

void Service::tell(const sim::TraceRecord& record, Kind kind) {
  const bool stored = kind == Kind::stored;
  if (kind == pending_kind_ && record.place == pending_.place && record.peer == pending_.peer &&
      record.code == pending_.code && record.b != 0 && record.a == pending_.a + pending_.b &&
      record.c == pending_.c + (stored ? pending_.b : 0)) {
    pending_.b += record.b;
    return;
  }
  flush();
  pending_ = record;
  pending_kind_ = kind;
}

void Service::flush() {
  if (pending_kind_ == Kind::none) return;
  context_.emit(pending_kind_, pending_);
  pending_kind_ = Kind::none;
}

void Service::settle_down(Place& place) {
  transfer();
  flush();
  const sim::Time next = place.queue->next_event();
  if (next == sim::kNever) return place.timer.disarm();
  if (!place.timer.armed() || place.timer.deadline() > next) place.timer.arm_at(std::max(next, now()));
}

// ---- building -----------------------------------------------------------------------------------------------------

Service::Service(Context& context, const ServiceOptions& options, Node& node)
    : context_(context),
      options_(options),
      node_(node),
      latency_(context.simulation.seed(), "sqs/latency"),
      appended_step_(context.steps.cell(node.entity(), Step::appended)) {
  node.set_program(*this);
  for (std::size_t i = 0; i < options_.queues.size(); ++i) {
    const EntityId entity = context.entities.add(EntityKind::queue, options_.queues[i].name);
    places_.push_back(std::make_unique<Place>(*this, QueueIndex{static_cast<std::uint16_t>(i)},
                                              options_.queues[i], entity));
  }
  for (const auto& place : places_) {
    const auto& redrive = place->queue->options().redrive;
    if (redrive) place->dead_letters_to = find_queue(redrive->dead_letter_queue);
  }
  for (const MoveOptions& move : options_.moves)
    moves_.push_back({&move, *find_queue(move.source), find_queue(move.destination), false, nullptr});
}

Service::~Service() = default;

std::optional<QueueIndex> Service::find_queue(std::string_view name) const {
  for (std::size_t i = 0; i < options_.queues.size(); ++i) {
    if (options_.queues[i].name == name) return QueueIndex{static_cast<std::uint16_t>(i)};
  }
  return std::nullopt;
}

// ---- calls --------------------------------------------------------------------------------------------------------

void Service::watch(ConnectionId connection) {
  context_.network.watch_client(connection, [this, connection] {
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      Ref<Call>& call = asked_[i].call;
      if (!call || call->connection != connection) continue;
      const PollId poll{static_cast<std::uint32_t>(i)};
      places_[call->queue.value]->queue->forget_poll(poll);
      call = {};
      free_asked_.push_back(poll);
    }
  });
}

void Service::called(Ref<Call> call) {
  if (options_.latency.is_constant() && options_.latency.mean() == 0) return carry_out(call);
  context_.simulation.schedule_after(options_.latency.sample_duration(latency_),
                                     [this, call = std::move(call), life = node_.incarnation()] {
                                       if (node_.incarnation() == life && node_.up()) carry_out(call);
                                     });
}

void Service::carry_out(const Ref<Call>& call) {
  Place& place = *places_[call->queue.value];
  const auto action = static_cast<std::size_t>(call->action);
  const QueueOptions& options = place.queue->options();
  const bool limited = options.fifo && (options.fifo_throughput_limit == FifoThroughputLimit::per_queue);
  if (limited && !place.limits[action].admit(options_.fifo_calls, now())) {
    call->error = Error::request_throttled;
    return respond(call);
  }
  switch (call->action) {
    case Action::send:
      send(place, *call);
      break;
    case Action::receive:
      receive(place, call);
      return settle_down(place);
    case Action::remove:
      remove(place, *call);
      break;
    case Action::change_visibility:
      change_visibility(place, *call);
      break;
  }
  place.queue->serve(now());
  settle_down(place);
  if (call->action != Action::send) return respond(call);
  step_then(appended_step_, node_, [this, call] { respond(call); });
}

std::uint32_t Service::server_of(Place& place) {
  return place.queue->options().fifo
             ? 0
             : static_cast<std::uint32_t>(place.servers.uniform_int(options_.servers));
}

void Service::send(Place& place, Call& call) {
  const std::uint32_t server = server_of(place);
  for (SendEntry& entry : call.entries) {
    bool duplicate = false;
    entry.error = send_one(place, call.lane, entry, call.delay, server, 0, duplicate);
  }
  // SendMessage has one result; of a batch each entry has its own.
  if (call.entries.size() == 1) call.error = call.entries.front().error;
}

Error Service::send_one(Place& place, LaneId lane, const SendEntry& entry, sim::Duration delay,
                        std::uint32_t server, std::uint32_t origin, bool& duplicate) {
  const QueueOptions& options = place.queue->options();
  if (entry.size > options.maximum_message_size) return Error::message_too_long;
  if (options.fifo && options.fifo_throughput_limit == FifoThroughputLimit::per_message_group_id &&
      !place.group_limits.admit(entry.group, options_.fifo_calls, now()))
    return Error::request_throttled;
  ++place.counts.sent;
  Message m;
  m.lane = lane;
  m.seq = entry.seq;
  m.size = entry.size;
  m.sent = now();
  m.origin = origin;
  if (options.fifo) {
    DeduplicationKey key = entry.deduplication;
    key.group =
        options.deduplication_scope == DeduplicationScope::message_group ? mixed(entry.group.id) | 1 : 0;
    duplicate = place.deduplication.recognises(key, now());
    if (duplicate) return Error::none;
    m.group = place.fifo()->group(entry.group);
  }
  place.queue->send(m, delay < sim::Duration{} ? options.delay : delay, server, now());
  return Error::none;
}

Service::Accepted Service::accept(QueueIndex queue, const Inside& message) {
  Place& place = *places_[queue.value];
  const std::uint32_t origin = message.origin ? origins_.add({*message.origin, false, {}, now()}) : 0;
  bool duplicate = false;
  const SendEntry entry{message.seq, message.size, Error::none, message.group, message.deduplication};
  const Error error =
      send_one(place, message.lane, entry, sim::Duration{-1}, server_of(place), origin, duplicate);
  if (error != Error::none || duplicate) origins_.forget(origin);
  place.queue->serve(now());
  settle_down(place);
  return error != Error::none ? Accepted::refused : duplicate ? Accepted::duplicate : Accepted::stored;
}

void Service::receive(Place& place, const Ref<Call>& call) {
  if (call->attempt_id != 0 && receive_again(place, *call)) return respond(call);
  PollId id{static_cast<std::uint32_t>(asked_.size())};
  if (free_asked_.empty()) {
    asked_.emplace_back();
  } else {
    id = free_asked_.back();
    free_asked_.pop_back();
  }
  asked_[id.value].call = call;
  Poll poll{id, call->max, call->wait, call->visibility, ~std::uint64_t{0}, server_of(place)};
  if (poll.wait == sim::Duration{}) {
    poll.servers = 0;
    for (std::uint32_t i = 0; i < options_.sampled_servers; ++i)
      poll.servers |= std::uint64_t{1} << (poll.first + i) % options_.servers;
  }
  place.queue->receive(poll, now());
}

/// API_ReceiveMessage, ReceiveRequestAttemptId.
bool Service::receive_again(Place& place, Call& call) {
  const std::uint32_t client = call.client->number();
  if (client >= place.attempts.size() || place.attempts[client].id != call.attempt_id) return false;
  const std::vector<Delivered>& messages = place.attempts[client].messages;
  if (!place.queue->receive_again(messages, call.visibility, now())) return false;
  call.messages = messages;
  return true;
}

void Service::remove(Place& place, Call& call) {
  for (ReceiptEntry& entry : call.receipts) {
    entry.error = place.queue->remove(entry.receipt, now());
    if (entry.error == Error::none) ++place.counts.deleted;
  }
}

void Service::change_visibility(Place& place, Call& call) {
  for (ReceiptEntry& entry : call.receipts)
    entry.error = place.queue->change_visibility(entry.receipt, call.visibility, now());
}

void Service::respond(const Ref<Call>& call) {
  std::uint32_t bytes = kCallBytes;
  for (const Delivered& m : call->messages) bytes += kEntryBytes + m.size;
  bytes += kEntryBytes * static_cast<std::uint32_t>(call->entries.size() + call->receipts.size());
  context_.network.send(call->connection, Side::server, bytes, [call] { call->client->responded(call); });
}

// ---- from queue to queue ------------------------------------------------------------------------------------------

std::optional<QueueIndex> Service::move_target(const Message& m) const {
  if (moving_->to) return moving_->to;
  MQLAB_ASSERT(m.origin != 0 && origins_[m.origin].dead_letter, "what is moved back has come from somewhere");
  return origins_[m.origin].source;
}

/// A dead letter of a standard queue keeps the time at which it was sent first; one of a FIFO queue, and what is moved, begins
/// anew (sqs-dead-letter-queues, message retention; sqs-configure-dead-letter-queue-redrive).
void Service::transfer() {
  for (std::size_t i = 0; i < transfers_.size(); ++i) {
    const Transfer t = transfers_[i];
    Place& to = *places_[t.to.value];
    const bool dead = t.why == RemovedCode::max_receives;
    Message m = t.message;
    const Identity first = origins_.identity(m);
    origins_.forget(m.origin);
    m.origin = origins_.add({first, dead, t.from, now()});
    if (to.lane == LaneId{}) to.lane = context_.entities.add_lane(node_.entity(), to.entity);
    m.lane = to.lane;
    m.seq = to.seq++;
    if (!dead || to.queue->options().fifo) m.sent = now();
    flush();
    sim::TraceRecord told{.actor = node_.entity().value,
                          .place = to.entity.value,
                          .peer = m.lane.value,
                          .a = static_cast<std::int64_t>(m.seq),
                          .b = 1};
    const std::array<std::int64_t, 1> created{sim::nanoseconds(now())};
    context_.emit(Kind::offered, told, created);
    if (FifoQueue* const fifo = to.fifo()) m.group = fifo->group(t.group);
    to.queue->send(m, to.queue->options().delay, server_of(to), now());
    flush();
    told.code = static_cast<std::uint16_t>(t.why);
    told.c = static_cast<std::int64_t>(t.message.number);
    const std::array<std::int64_t, 1> from{places_[t.from.value]->entity.value};
    context_.emit(Kind::republished, told, from);
    touched_.push_back(&to);
  }
  transfers_.clear();
  // Who waits there is served, which may send more on.
  while (!touched_.empty()) {
    Place* const place = touched_.back();
    touched_.pop_back();
    place->queue->serve(now());
    settle_down(*place);
  }
}

void Service::start() {
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    moves_[i].timer = std::make_unique<NodeTimer<std::function<void()>>>(context_.simulation, node_,
                                                                         [this, i] { move_next(i); });
    moves_[i].timer->arm_at(sim::Time{moves_[i].options->at});
  }
}

/// While the service is unavailable it waits.
void Service::move_next(std::size_t i) {
  if (!node_.up()) return;
  Move& move = moves_[i];
  Place& place = *places_[move.from.value];
  moving_ = &move;
  move.done = !place.queue->move_one(now());
  moving_ = nullptr;
  settle_down(place);
  if (move.done) return;
  const sim::Duration each{std::chrono::nanoseconds{std::chrono::seconds{1}}.count() / move.options->rate};
  move.timer->arm_after(each);
}

// ---- the run ------------------------------------------------------------------------------------------------------

void Service::tell() const {
  for (const auto& place : places_) {
    if (place->group == EntityId{}) continue;
    context_.emit(Kind::subscribed, {.code = static_cast<std::uint16_t>(kShared | kQueue),
                                     .place = place->entity.value,
                                     .peer = place->group.value});
  }
}

void Service::tell_depths() const {
  for (const auto& place : places_) {
    context_.emit(Kind::queue_depth,
                  {.actor = node_.entity().value,
                   .place = place->entity.value,
                   .a = static_cast<std::int64_t>(place->queue->visible() + place->queue->delayed()),
                   .b = static_cast<std::int64_t>(place->queue->in_flight())});
  }
}

bool Service::idle() const {
  return node_.up() && std::all_of(moves_.begin(), moves_.end(), [](const Move& m) { return m.done; });
}

bool Service::empty(QueueIndex q) const {
  const Queue& queue = *places_[q.value]->queue;
  return queue.visible() == 0 && queue.in_flight() == 0 && queue.delayed() == 0;
}

void Service::tell_unfinished(std::vector<std::string>& lines) const {
  const auto say = [&](const std::string& line) { lines.push_back(line); };
  if (!node_.up()) say("SQS is unavailable: " + node_.name() + " is down");
  for (const Move& move : moves_) {
    if (!move.done) say("messages of " + move.options->source + " are being moved");
  }
  for (const auto& place : places_) {
    if (place->group == EntityId{}) continue;
    const Queue& queue = *place->queue;
    const std::string& name = queue.options().name;
    const auto count = [](std::uint64_t n) {
      return n == 1 ? std::string("1 message") : std::to_string(n) + " messages";
    };
    if (queue.visible() > 0) say(name + " holds " + count(queue.visible()) + " that nobody has received");
    if (queue.in_flight() > 0)
      say(name + " has " + count(queue.in_flight()) + " in flight, until they are deleted or visible again");
    if (queue.delayed() > 0) say(name + " delays " + count(queue.delayed()));
  }
}

QueueMetrics Service::metrics(QueueIndex q) {
  const Place& place = *places_[q.value];
  QueueMetrics out = place.counts;
  out.visible = place.queue->visible();
  out.not_visible = place.queue->in_flight();
  out.delayed = place.queue->delayed();
  const sim::Time oldest = place.queue->oldest([this](const Message& m) {
    // Of a dead letter the age counts from the move.
    const bool moved = m.origin != 0 && origins_[m.origin].dead_letter;
    return moved ? origins_[m.origin].moved : m.sent;
  });
  out.oldest = oldest == sim::kNever ? sim::Duration{} : now() - oldest;
  return out;
}

std::optional<std::string> Service::broken() const {
  for (const auto& place : places_) {
    if (std::optional<std::string> wrong = place->queue->broken()) return wrong;
  }
  return std::nullopt;
}

/// Connections have ended with it, and calls have nobody to answer them. Timers go on: what is in flight comes back.
void Service::crashed() {
  for (const auto& place : places_) place->queue->forget_polls();
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (!asked_[i].call) continue;
    asked_[i].call = {};
    free_asked_.push_back(PollId{static_cast<std::uint32_t>(i)});
  }
}

/// What was held back when it stood still is forgotten if it crashed then.
void Service::restarted() {
  for (const auto& place : places_) settle_down(*place);
  for (const Move& move : moves_) {
    if (!move.done && !move.timer->armed()) move.timer->arm_at(now());
  }
}

}  // namespace models::sqs
