#include "models/sqs/standard_queue.hpp"

#include <algorithm>

namespace models::sqs {

bool StandardQueue::later(const Again& a, const Again& b) {
  return a.order != b.order ? a.order > b.order : a.number > b.number;
}

bool StandardQueue::valid(const Again& a) const {
  const Received& r = slot(a.slot);
  return r.live && r.list == kNone && r.receive == a.receive && r.message.number == a.number;
}

void StandardQueue::put(const Message& m, std::uint32_t server) {
  Server& at = servers_[server];
  if (at.fresh.empty() || m.sent >= at.last) {
    at.fresh.push(m);
    at.last = m.sent;
    return;
  }
  put_in_order(at, new_slot(m, server));
}

void StandardQueue::put_in_order(Server& server, std::uint32_t s) {
  const Received& r = slot(s);
  const auto sent = static_cast<std::uint64_t>(sim::nanoseconds(r.message.sent));
  server.again.push_back({sent, r.message.number, s, r.receive});
  std::push_heap(server.again.begin(), server.again.end(), later);
}

void StandardQueue::put_back(std::uint32_t s) {
  const Received& r = slot(s);
  Server& server = servers_[r.server];
  if (r.receives < kPill) return put_in_order(server, s);
  server.pills.push({next_number(), r.message.number, s, r.receive});
  pass_over(r.message);
}

StandardQueue::From StandardQueue::head(Server& server) {
  while (!server.again.empty() && !valid(server.again.front())) {
    std::pop_heap(server.again.begin(), server.again.end(), later);
    server.again.pop_back();
  }
  while (!server.pills.empty() && !valid(server.pills.front())) server.pills.pop();
  if (!server.again.empty()) {
    const Again& first = server.again.front();
    const auto fresh = server.fresh.empty()
                           ? first.order
                           : static_cast<std::uint64_t>(sim::nanoseconds(server.fresh.front().sent));
    if (server.fresh.empty() || first.order < fresh ||
        (first.order == fresh && first.number < server.fresh.front().number))
      return From::again;
  }
  const bool fresh = !server.fresh.empty();
  if (!server.pills.empty() && (!fresh || server.pills.front().order <= server.fresh.front().number))
    return From::pills;
  return fresh ? From::fresh : From::nothing;
}

std::uint32_t StandardQueue::pop(Server& server, From from, Message& m) {
  if (from == From::fresh) {
    m = server.fresh.front();
    server.fresh.pop();
    return kNone;
  }
  std::uint32_t s = 0;
  if (from == From::again) {
    std::pop_heap(server.again.begin(), server.again.end(), later);
    s = server.again.back().slot;
    server.again.pop_back();
  } else {
    s = server.pills.front().slot;
    server.pills.pop();
  }
  m = slot(s).message;
  return s;
}

std::uint32_t StandardQueue::take(const Poll& poll, sim::Time now) {
  const auto room = static_cast<std::uint64_t>(in_flight_most()) - in_flight();
  const auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(poll.max, room));
  std::uint32_t got = 0;
  for (std::uint32_t i = 0; i < servers_.size() && got < most; ++i) {
    const auto at = static_cast<std::uint32_t>((poll.first + i) % servers_.size());
    if ((poll.servers >> at & 1) == 0) continue;
    Server& server = servers_[at];
    while (got < most) {
      const From from = head(server);
      if (from == From::nothing) break;
      Message m;
      const std::uint32_t s = pop(server, from, m);
      const bool old = too_old(m, now);
      if (old || (s != kNone && received_enough(slot(s).receives))) {
        lose(m, old ? RemovedCode::expired : RemovedCode::max_receives);
        if (s != kNone) release(s);
        continue;
      }
      ++got;
      if (s == kNone)
        hand(m, at, poll, now);
      else
        hand_again(s, poll, now);
    }
  }
  return got;
}

bool StandardQueue::move_one(sim::Time) {
  for (Server& server : servers_) {
    const From from = head(server);
    if (from == From::nothing) continue;
    Message m;
    const std::uint32_t s = pop(server, from, m);
    lose(m, RemovedCode::moved);
    if (s != kNone) release(s);
    return true;
  }
  return false;
}

/// Of what has gone to the back only the first is looked at: the others go when they come to be.
void StandardQueue::expire(sim::Time now) {
  for (Server& server : servers_) {
    for (;;) {
      head(server);  // what is no longer there is passed over
      From from = From::nothing;
      if (!server.again.empty() && too_old(slot(server.again.front().slot).message, now))
        from = From::again;
      else if (!server.fresh.empty() && too_old(server.fresh.front(), now))
        from = From::fresh;
      else if (!server.pills.empty() && too_old(slot(server.pills.front().slot).message, now))
        from = From::pills;
      if (from == From::nothing) break;
      Message m;
      const std::uint32_t s = pop(server, from, m);
      lose(m, RemovedCode::expired);
      if (s != kNone) release(s);
    }
  }
}

sim::Time StandardQueue::next_expiry() const {
  sim::Time next = sim::kNever;
  for (const Server& server : servers_) {
    if (!server.fresh.empty()) next = std::min(next, server.fresh.front().sent + options_.retention);
    if (!server.again.empty() && valid(server.again.front()))
      next = std::min(next, slot(server.again.front().slot).message.sent + options_.retention);
    if (!server.pills.empty() && valid(server.pills.front()))
      next = std::min(next, slot(server.pills.front().slot).message.sent + options_.retention);
  }
  return next;
}

void StandardQueue::for_each_fresh(const Look& look) const {
  for (const Server& server : servers_)
    server.fresh.for_each([&look](const Message& m) { look(m, 0, false); });
}

std::uint64_t StandardQueue::count_visible() const {
  std::uint64_t count = 0;
  for (const Server& server : servers_) {
    count += server.fresh.size();
    count += static_cast<std::uint64_t>(
        std::count_if(server.again.begin(), server.again.end(), [this](const Again& a) { return valid(a); }));
    server.pills.for_each([&](const Again& a) { count += valid(a) ? 1 : 0; });
  }
  return count;
}

}  // namespace models::sqs
