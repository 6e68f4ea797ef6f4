#include "models/sqs/client.hpp"

#include <algorithm>

#include "models/sqs/service.hpp"
#include "sim/assert.hpp"

namespace models::sqs {

Client::Pending::Pending(Client& owner, std::uint32_t own)
    : client(&owner), number(own), timer(owner.context_.simulation, owner.node_, {this}) {}

Client::Client(Context& context, Service& service, Node& node, const SdkOptions& options)
    : context_(context),
      service_(service),
      node_(node),
      options_(options),
      number_(service.new_client()),
      backoff_(context.simulation.seed(), "sqs/backoff/" + node.name()) {
  node.set_program(*this);
}

Client::~Client() {
  context_.network.close(connection_);
}

Ref<Call> Client::new_call(Action action, QueueIndex queue) {
  Ref<Call> call = service_.calls().take();
  call->action = action;
  call->queue = queue;
  call->client = this;
  call->delay = sim::Duration{-1};
  call->wait = {};
  call->attempt_id = 0;
  call->awaited = false;
  return call;
}

void Client::make(Ref<Call> call) {
  std::uint32_t n = 0;
  if (free_.empty()) {
    n = static_cast<std::uint32_t>(pending_.size());
    pending_.push_back(std::make_unique<Pending>(*this, n));
  } else {
    n = free_.back();
    free_.pop_back();
  }
  Pending& p = *pending_[n];
  call->pending = n;
  p.call = std::move(call);
  p.attempts = 0;
  ++under_way_;
  attempt(p);
}

void Client::attempt(Pending& p) {
  ++p.attempts;
  p.backing_off = false;
  p.call->attempt = ++next_attempt_;
  p.timer.arm_after(options_.attempt_timeout);
  if (open_) return send(p);
  p.sent = false;
  connect();
}

void Client::connect() {
  if (connecting_ || open_) return;
  connecting_ = true;
  connection_ = context_.network.connect(node_, service_.node(), *this);
}

void Client::send(Pending& p) {
  p.sent = true;
  Call& call = *p.call;
  call.connection = connection_;
  std::uint32_t bytes = kCallBytes + kEntryBytes * static_cast<std::uint32_t>(call.receipts.size());
  for (const SendEntry& entry : call.entries) bytes += kEntryBytes + entry.size;
  context_.network.send(connection_, Side::client, bytes,
                        [service = &service_, call = p.call]() mutable { service->called(std::move(call)); });
}

void Client::responded(const Ref<Call>& call) {
  if (call->connection != connection_) return;
  Pending& p = *pending_[call->pending];
  if (!p.call || p.backing_off || p.call->attempt != call->attempt) return;
  ended(p, call->error);
}

/// The answer is late, or it is time for the next attempt.
void Client::due(Pending& p) {
  if (p.backing_off) return attempt(p);
  ended(p, Error::timed_out);
}

void Client::ended(Pending& p, Error error) {
  p.timer.disarm();
  p.call->error = error;
  if (retryable(error) && p.attempts < options_.max_attempts) {
    // The attempt that was given up may be in SQS's hands still.
    Ref<Call> again = service_.calls().take();
    again->ask_again(*p.call);
    for (SendEntry& entry : again->entries) entry.error = Error::none;
    for (ReceiptEntry& entry : again->receipts) entry.error = Error::none;
    p.call = std::move(again);
    p.backing_off = true;
    sim::Duration most = options_.backoff_base;
    for (std::uint32_t i = 1; i < p.attempts && most < options_.backoff_max; ++i) most *= 2;
    most = std::min(most, options_.backoff_max);
    p.timer.arm_after(
        sim::Duration{static_cast<std::int64_t>(backoff_.uniform() * static_cast<double>(most.count()))});
    return;
  }
  const Ref<Call> call = std::move(p.call);
  --under_way_;
  free_.push_back(p.number);
  completed(*call);
}

// ---- its connection, its process ----------------------------------------------------------------------------------

void Client::connected(ConnectionId id) {
  if (id != connection_) return;
  connecting_ = false;
  open_ = true;
  // Model: SQS learns of a connection at once; what is on it follows.
  service_.watch(id);
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    Pending& p = *pending_[i];
    if (p.call && !p.backing_off && !p.sent) send(p);
  }
}

void Client::disconnected(ConnectionId id) {
  if (id != connection_) return;
  connection_ = {};
  connecting_ = open_ = false;
  const std::uint32_t life = node_.incarnation();
  // What is called now goes over the next connection.
  const std::uint32_t last = next_attempt_;
  for (std::size_t i = 0; i < pending_.size() && node_.incarnation() == life; ++i) {
    Pending& p = *pending_[i];
    if (p.call && !p.backing_off && p.call->attempt <= last) ended(p, Error::connection_lost);
  }
}

void Client::hang_up() {
  context_.network.close(connection_);
  connection_ = {};
  connecting_ = open_ = false;
  for (const auto& p : pending_) {
    if (!p->call) continue;
    p->timer.disarm();
    p->call = {};
    free_.push_back(p->number);
  }
  under_way_ = 0;
}

void Client::crashed() {
  // Node::crash has ended the connection.
  process_crashed();
  hang_up();
}

void Client::restarted() {
  process_restarted();
}

}  // namespace models::sqs
