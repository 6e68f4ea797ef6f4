#include "models/rabbitmq/client.hpp"

#include <algorithm>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/frames.hpp"
#include "sim/assert.hpp"

namespace models::rabbitmq {
namespace {

/// connection.start, tune, open, channel.open
constexpr std::uint32_t kOpeningSteps = 4;
/// The Java client looks at its socket four times in a heartbeat's timeout, and gives up at the ninth time without anything
/// (AMQConnection.handleSocketTimeout) [mem].
constexpr std::uint32_t kLooks = 4;
constexpr std::uint32_t kMissedMost = 2 * kLooks;

}  // namespace

Client::Client(Context& context, Cluster& broker, Node& node, const ConnectionOptions& options, Part part)
    : context_(context),
      broker_(broker),
      node_(node),
      options_(options),
      order_(context.simulation.seed(), "rabbitmq/addresses/" + node.name()),
      heartbeat_step_(context.steps.cell(node.entity(), Step::heartbeat_sent)),
      recovery_timer_(context.simulation, node, [this] { connect(); }),
      heartbeat_timer_(context.simulation, node, [this] { heartbeat_due(); }) {
  // The lower of both counts, and 0 is none at all only where both say so (com.rabbitmq.client, negotiatedMaxValue).
  const sim::Duration theirs = broker.options().config.heartbeat;
  heartbeat_ = theirs == sim::Duration{} || options.heartbeat == sim::Duration{}
                   ? std::max(theirs, options.heartbeat)
                   : std::min(theirs, options.heartbeat);
  for (std::size_t i = 0; i < broker.size(); ++i) {
    const std::vector<std::uint16_t>& some = options.addresses;
    if (some.empty() || std::find(some.begin(), some.end(), i) != some.end())
      addresses_.push_back(&broker.broker(i));
  }
  if (part == Part::own_program) node.set_program(*this);
}

Client::~Client() {
  context_.network.close(connection_);
}

void Client::delivered(Ref<Deliver>) {
  MQLAB_ASSERT(false, "nobody is sent messages who does not consume");
}

void Client::confirmed(std::uint64_t, bool) {
  MQLAB_ASSERT(false, "nothing is confirmed to who does not publish");
}

// ---- opening ------------------------------------------------------------------------------------------------------

void Client::begin() {
  if (running_ || !node_.up()) return;
  if (node_.paused()) return node_.run_or_hold([this] { begin(); });
  running_ = true;
  connect();
}

void Client::connect() {
  if (!running_ || !node_.up()) return;
  steps_left_ = kOpeningSteps + (channel_.confirms ? 1 : 0) +
                (channel_.queues.empty() ? 0 : 1 + static_cast<std::uint32_t>(channel_.queues.size()));
  for (std::size_t i = addresses_.size(); i > 1; --i)
    std::swap(addresses_[i - 1], addresses_[order_.uniform_int(i)]);
  choose(addresses_);
  next_address_ = 0;
  try_next();
}

bool Client::try_next() {
  if (next_address_ == addresses_.size()) return false;
  at_ = addresses_[next_address_++];
  opening_ = false;
  connection_ = context_.network.connect(node_, at_->node(), *this);
  return true;
}

void Client::connected(ConnectionId id) {
  if (id != connection_) return;
  opening_ = true;
  answered();
}

void Client::answered() {
  const bool last = --steps_left_ == 0;
  context_.network.send(connection_, Side::client, kMethodBytes,
                        [client = this, id = connection_, last] { client->at_->opening(*client, id, last); });
}

void Client::opened(Session& session) {
  session_ = &session;
  epoch_ = session.epoch;
  blocked_ = false;
  missed_ = 0;
  ticks_ = 0;
  received_before_ = received_;
  sent_before_ = sent_;
  if (heartbeat_ > sim::Duration{}) heartbeat_timer_.arm_after(heartbeat_ / kLooks);
  channel_opened();
}

// ---- frames -------------------------------------------------------------------------------------------------------

void Client::publish(Ref<Publish> frame, std::uint32_t bytes) {
  ++sent_;
  context_.network.send(connection_, Side::client, bytes,
                        [session = session_, frame = std::move(frame), epoch = epoch_]() mutable {
                          if (session->epoch == epoch) session->broker->published(*session, std::move(frame));
                        });
}

void Client::answer(Ref<Answers> frame) {
  ++sent_;
  context_.network.send(connection_, Side::client, kMethodBytes,
                        [session = session_, frame = std::move(frame), epoch = epoch_]() mutable {
                          if (session->epoch == epoch) session->broker->answered(*session, std::move(frame));
                        });
}

void Client::answer(QueueIndex queue, std::uint64_t ordinal, Answer how) {
  Ref<Answers> frame = broker_.answers_frames().take();
  frame->all.push_back({queue, ordinal});
  frame->how = how;
  answer(std::move(frame));
}

void Client::store_offset(QueueIndex queue, std::int64_t offset) {
  ++sent_;
  context_.network.send(connection_, Side::client, kMethodBytes,
                        [session = session_, offset, epoch = epoch_, queue]() {
                          if (session->epoch == epoch) session->broker->store_offset(*session, queue, offset);
                        });
}

/// Every quarter of the timeout; every second time a heartbeat is sent unless something else was.
void Client::heartbeat_due() {
  if (!is_open()) return;
  missed_ = received_ == received_before_ ? missed_ + 1 : 0;
  received_before_ = received_;
  if (missed_ > kMissedMost) {
    context_.network.close(connection_);
    return lost();
  }
  heartbeat_timer_.arm_after(heartbeat_ / kLooks);
  if (++ticks_ % 2 != 0) return;
  const bool silent = sent_ == sent_before_;
  sent_before_ = sent_;
  if (!silent || node_.heartbeats_lost()) return;
  context_.network.send(connection_, Side::client, kMethodBytes, [session = session_, epoch = epoch_]() {
    if (session->epoch == epoch) ++session->received;
  });
  heartbeat_step_.advance(1);
}

// ---- its end ------------------------------------------------------------------------------------------------------

void Client::closed_by_broker() {
  context_.network.close(connection_);
  lost();
}

void Client::disconnected(ConnectionId id) {
  if (id != connection_) return;
  // Nobody listens there: the next address.
  if (opening_ || !try_next()) lost();
}

void Client::lost() {
  connection_ = {};
  const bool had_channel = is_open();
  session_ = nullptr;
  heartbeat_timer_.disarm();
  recovery_timer_.arm_after(options_.recovery_interval);
  if (had_channel) channel_lost();
}

void Client::end() {
  if (!running_) return;
  running_ = false;
  context_.network.close(connection_);
  connection_ = {};
  session_ = nullptr;
  heartbeat_timer_.disarm();
  recovery_timer_.disarm();
}

void Client::crashed() {
  // Node::crash has ended the connection.
  running_ = false;
  connection_ = {};
  session_ = nullptr;
  heartbeat_timer_.disarm();
  recovery_timer_.disarm();
  process_crashed();
}

void Client::restarted() {
  process_restarted();
}

}  // namespace models::rabbitmq
