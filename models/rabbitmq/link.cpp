#include "models/rabbitmq/link.hpp"

#include <chrono>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/cluster.hpp"

namespace models::rabbitmq {
namespace {

constexpr sim::Duration kRetry = std::chrono::seconds{1};
/// net_kernel looks four times in net_ticktime.
constexpr std::uint32_t kLooks = 4;
constexpr std::uint32_t kTickBytes = 4;
/// Heartbeats between two looks of the failure detector.
constexpr std::uint32_t kBeats = 5;

struct Nothing {
  void operator()() const {}
};

}  // namespace

Link::Link(Context& context, Cluster& cluster, Broker& low, Broker& high, sim::Duration ticktime,
           sim::Duration detector_poll)
    : context_(context),
      cluster_(cluster),
      ticktime_(ticktime),
      beat_(detector_poll / kBeats),
      tick_timers_{
          NodeTimer<std::function<void()>>{context.simulation, low.node(), [this] { look(kLow); }},
          NodeTimer<std::function<void()>>{context.simulation, high.node(), [this] { look(kHigh); }}},
      beat_timers_{
          NodeTimer<std::function<void()>>{context.simulation, low.node(), [this] { beat(kLow); }},
          NodeTimer<std::function<void()>>{context.simulation, high.node(), [this] { beat(kHigh); }}},
      retry_timer_(context.simulation, high.node(), [this] { connect(); }) {
  ends_[kLow].broker = &low;
  ends_[kHigh].broker = &high;
}

Link::~Link() {
  context_.network.close(opening_);
  context_.network.close(connection_);
}

Node& Link::node(std::size_t side) const {
  return ends_[side].broker->node();
}

// ---- connecting ---------------------------------------------------------------------------------------------------

void Link::start(const Broker& end) {
  if (side(end) == kHigh) connect();
}

void Link::connect() {
  if (!node(kHigh).up() || opening_ != ConnectionId{} || ends_[kHigh].up) return;
  opening_ = context_.network.connect(node(kHigh), node(kLow), *this);
}

void Link::connected(ConnectionId id) {
  if (id != opening_) return;
  connection_ = std::exchange(opening_, {});
  ++generation_;
  context_.network.watch_client(id, [this, mine = generation_] {
    if (mine == generation_) go_down(kLow);
  });
  // An end that has not noticed that the last connection is gone notices now.
  go_down(kLow);
  go_up(kHigh);
  // Model: the other end knows at the same instant; in truth half a round trip before.
  if (node(kLow).up()) go_up(kLow);
}

void Link::disconnected(ConnectionId id) {
  if (id == opening_)
    opening_ = {};
  else if (id != connection_)
    return;
  go_down(kHigh);
  retry_timer_.arm_after(kRetry);
}

void Link::go_up(std::size_t side) {
  End& end = ends_[side];
  end.up = true;
  end.silent = 0;
  end.received_before = end.received;
  end.heard = context_.now();
  suspect(side, false);
  if (beat_ > sim::Duration{} && !beat_timers_[side].armed()) beat_timers_[side].arm_after(beat_);
  if (ticktime_ > sim::Duration{}) tick_timers_[side].arm_after(ticktime_ / kLooks);
  cluster_.link_changed(*end.broker, *ends_[1 - side].broker, true);
}

void Link::go_down(std::size_t side) {
  End& end = ends_[side];
  tick_timers_[side].disarm();
  if (!std::exchange(end.up, false)) return;
  cluster_.link_changed(*end.broker, *ends_[1 - side].broker, false);
}

void Link::crashed(const Broker& end) {
  const std::size_t at = side(end);
  tick_timers_[at].disarm();
  beat_timers_[at].disarm();
  ends_[at].up = false;
  ends_[at].suspects = false;
  if (at == kLow) return;
  retry_timer_.disarm();
  opening_ = {};
}

// ---- life ---------------------------------------------------------------------------------------------------------

/// Whether what has arrived counts.
bool Link::arrived(std::uint32_t generation, std::size_t at) {
  if (generation != (generation_ & 0x7fffffffU)) return false;
  if (!ends_[at].up) {
    // Given up here: the kernel answers with a reset.
    context_.network.reset(connection_);
    return false;
  }
  ++ends_[at].received;
  ends_[at].heard = context_.now();
  return true;
}

void Link::beat(std::size_t at) {
  End& end = ends_[at];
  beat_timers_[at].arm_after(beat_);
  send(*end.broker, kTickBytes, Nothing{});
  if (++end.beats % kBeats == 0) suspect(at, context_.now() - end.heard > 2 * beat_);
}

void Link::suspect(std::size_t at, bool suspects) {
  End& end = ends_[at];
  if (end.suspects == suspects) return;
  end.suspects = suspects;
  cluster_.suspected(*end.broker, *ends_[1 - at].broker, suspects);
}

void Link::look(std::size_t at) {
  End& end = ends_[at];
  end.silent = end.received == end.received_before ? end.silent + 1 : 0;
  end.received_before = end.received;
  if (end.silent >= kLooks) {
    if (at == kHigh) {
      context_.network.close(connection_);
      retry_timer_.arm_after(kRetry);
    }
    return go_down(at);
  }
  tick_timers_[at].arm_after(ticktime_ / kLooks);
  if (end.sent == end.sent_before) {
    send(*end.broker, kTickBytes, Nothing{});
  }
  end.sent_before = end.sent;
}

}  // namespace models::rabbitmq
