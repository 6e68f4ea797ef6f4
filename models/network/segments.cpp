// Segments that leave the main path: lost ones, those sent into a cut, those for an end that is dead or
// paused.

#include "models/network/network.hpp"
#include "models/network/node.hpp"

namespace models {

using detail::Backlog;
using detail::ConnectionState;

sim::Duration Network::transit(Way& way, std::uint32_t bytes) {
  return way.route->plain() ? way.latency : way.route->transit(simulation_.now(), bytes, *way.streams);
}

bool Network::lost(Way& way) {
  return way.route->loss > 0 && way.streams->loss.bernoulli(way.route->loss);
}

/// When a segment sent now arrives; kNever when it does not go out, or is lost.
sim::Time Network::transmit(Connection& c, Side from, std::uint32_t bytes) {
  Way& way = c.way(from);
  if ((way.hindrances & detail::kHindersSending & ~detail::kVariable) != 0 || lost(way)) return sim::kNever;
  return arrival(way, transit(way, bytes));
}

void Network::set_aside(Connection& c, Side from, Backlog::Item item) {
  const std::uint8_t hindrances = c.way(from).hindrances;
  if ((hindrances & detail::kSenderGone) != 0) return;
  if ((hindrances & detail::kDropNext) != 0 && drop_response(c)) return;
  queue(c, from, std::move(item));
}

/// A segment has reached its receiver's host, or would have.
void Network::hindered(Connection& c, Side from, Backlog::Item item) {
  Way& way = c.way(from);
  const bool cut = (way.hindrances & detail::kCut) != 0;
  const bool overtakes =
      (way.hindrances & detail::kBacklog) != 0 && way.backlog->waiting.front().number < item.number;
  if (cut || overtakes) {
    const bool sender_lives =
        from == Side::client ? c.state == ConnectionState::open : (way.hindrances & detail::kSenderGone) == 0;
    if (sender_lives) {
      queue(c, from, std::move(item));
    } else {
      way.hindrances |= detail::kReceiverGone;  // nothing behind it may arrive in its place
    }
  } else if ((way.hindrances & detail::kReceiverGone) != 0) {
    if (from == Side::client && c.state == ConnectionState::open) send_reset(c);
  } else if ((way.hindrances & detail::kReceiverPaused) != 0) {
    way.receiver->run_or_hold(
        [this, id = c.id(), from, parcel = std::shared_ptr<detail::Parcel>(std::move(item.parcel))] {
          if (from == Side::client || open(id)) parcel->open();
        });
  } else {
    unpin(c);
    item.parcel->open();  // earlier than all that wait for retransmission
    return;
  }
  unpin(c);
}

void Network::queue(Connection& c, Side from, Backlog::Item item) {
  Way& way = c.way(from);
  if (!way.backlog) way.backlog = std::make_unique<Backlog>();
  std::deque<Backlog::Item>& waiting = way.backlog->waiting;
  const auto at =
      std::upper_bound(waiting.begin(), waiting.end(), item.number,
                       [](std::uint64_t number, const Backlog::Item& i) { return number < i.number; });
  waiting.insert(at, std::move(item));
  if ((way.hindrances & detail::kBacklog) == 0) begin_retransmission(c, from);
}

void Network::begin_retransmission(Connection& c, Side from) {
  Way& way = c.way(from);
  way.hindrances |= detail::kBacklog;
  way.backlog->timeout = options_.retransmit_first;
  way.backlog->attempts = 0;
  schedule_retransmission(c, from);
}

void Network::schedule_retransmission(Connection& c, Side from) {
  ++c.pins;
  simulation_.schedule_after(c.way(from).backlog->timeout, [&c, from] { c.network.retransmit(c, from); });
}

void Network::retransmit(Connection& c, Side from) {
  Way& way = c.way(from);
  if ((way.hindrances & detail::kBacklog) != 0) {
    Backlog& backlog = *way.backlog;
    if (backlog.attempts == options_.retransmits_before_reset) {
      gave_up(c, from);
    } else if (++backlog.attempts; (way.hindrances & detail::kCut) != 0 || lost(way)) {
      backlog.timeout = std::min(2 * backlog.timeout, options_.retransmit_longest);
      schedule_retransmission(c, from);
    } else {
      release_backlog(c, from);
    }
  }
  unpin(c);
}

/// The first one gets through; with it all up to the next that is lost.
void Network::release_backlog(Connection& c, Side from) {
  Way& way = c.way(from);
  std::deque<Backlog::Item>& waiting = way.backlog->waiting;
  do {
    Backlog::Item item = std::move(waiting.front());
    waiting.pop_front();
    ++c.pins;
    simulation_.schedule_at(arrival(way, transit(way, item.bytes)),
                            detail::Delivery<detail::OpenParcel>(c, from, item.bytes, item.number,
                                                                 detail::OpenParcel{std::move(item.parcel)}));
  } while (!waiting.empty() && !lost(way));
  way.hindrances &= static_cast<std::uint8_t>(~detail::kBacklog);
  if (!waiting.empty()) begin_retransmission(c, from);
}

/// The sender's kernel has retransmitted often enough. The other end is not told.
void Network::gave_up(Connection& c, Side from) {
  if (from == Side::client) return client_side_died(c);
  drop_backlog(c.way(Side::server));
  c.way(Side::server).hindrances |= detail::kSenderGone;
  c.way(Side::client).hindrances |= detail::kReceiverGone;
}

void Network::drop_backlog(Way& way) {
  if ((way.hindrances & detail::kBacklog) == 0) return;
  way.backlog->waiting.clear();
  way.hindrances &= static_cast<std::uint8_t>(~detail::kBacklog);
  way.hindrances |= detail::kReceiverGone;  // nothing behind them may arrive in their place
}

}  // namespace models
