// Where messages go that a queue lets go of (rabbit_dead_letter.erl): copies of them are published to its dead letter exchange.

#include <algorithm>
#include <array>
#include <utility>

#include "models/rabbitmq/broker.hpp"

namespace models::rabbitmq {

/// There is no such exchange, or it routes the message nowhere, or in a circle: what is not taken is dropped.
std::optional<DeadLetter> Broker::dead_letter(const Queue& from, const Message& m, RemovedCode why) {
  const QueueArguments& arguments = from.options().arguments;
  if (!arguments.dead_letter_exchange) return {};
  const auto exchange = cluster_.topology().find_exchange(*arguments.dead_letter_exchange);
  if (!exchange) return {};
  Histories& histories = cluster_.histories();
  const Headers headers = cluster_.address(m.address).headers;
  const std::string key = arguments.dead_letter_routing_key.value_or(cluster_.address(m.address).key);
  DeadLetter letter{m, why, from.index()};
  letter.message.address = cluster_.address(*exchange, key, headers);
  letter.to = cluster_.address(letter.message.address).targets;
  if (letter.to.empty()) return {};
  History history = m.history != 0 ? histories[m.history] : History{m.lane, m.seq, {}};
  history.record(from.index(), why);
  if (why != RemovedCode::rejected) {
    std::erase_if(letter.to, [&](QueueIndex q) { return history.cycles(q); });
    if (letter.to.empty()) return {};
  }
  letter.message.history = histories.add(std::move(history));
  // Its own time to live has gone with its property `expiration` (mc:record_death).
  letter.message.expires = sim::kNever;
  return letter;
}

/// A queue that takes one may let another go, or end a turn of its own inside of this: that is left to the loop.
void Broker::publish_dead_letters() {
  if (std::exchange(publishing_, true)) return;
  Histories& histories = cluster_.histories();
  const std::uint32_t life = node_.incarnation();
  const auto alive = [&] { return node_.up() && node_.incarnation() == life; };
  for (std::size_t i = 0; i < dead_letters_.size() && alive(); ++i) {
    const DeadLetter letter = std::exchange(dead_letters_[i], {});
    const Origin origin{cluster_.queue(letter.from).entity(), letter.message.number, letter.why};
    for (const QueueIndex q : letter.to) {
      if (!alive()) break;
      Message m = offer_dead_letter(letter.message, q);
      cluster_.queue(q).take_dead_letter(*this, m, origin);
    }
    histories.forget(letter.message.history);
  }
  if (alive()) dead_letters_.clear();
  publishing_ = false;
}

Message Broker::offer_dead_letter(const Message& letter, QueueIndex to) {
  if (dead_letter_lanes_.empty()) dead_letter_lanes_.resize(cluster_.queue_count());
  Histories& histories = cluster_.histories();
  const EntityId place = cluster_.entity(to);
  Lane& lane = dead_letter_lanes_[to.value];
  if (lane.id == LaneId{}) lane.id = context_.entities.add_lane(node_.entity(), place);
  Message m = letter;
  m.lane = lane.id;
  m.seq = lane.next++;
  m.history = histories.add(histories[letter.history]);
  const std::array<std::int64_t, 1> created{sim::nanoseconds(now())};
  context_.emit(Kind::offered,
                {.actor = node_.entity().value,
                 .place = place.value,
                 .peer = m.lane.value,
                 .a = static_cast<std::int64_t>(m.seq),
                 .b = 1},
                created);
  return m;
}

void Broker::tell_dead_letter(Kind kind, const Queue& to, const Message& m, const Origin& origin) {
  sim::TraceRecord told{.actor = node_.entity().value,
                        .place = to.entity().value,
                        .peer = m.lane.value,
                        .a = static_cast<std::int64_t>(m.seq),
                        .b = 1};
  if (kind == Kind::failed) {
    context_.emit(kind, told);
    return;
  }
  told.code = static_cast<std::uint16_t>(origin.why);
  told.c = static_cast<std::int64_t>(origin.number);
  const std::array<std::int64_t, 1> from{origin.queue.value};
  context_.emit(kind, told, from);
}

}  // namespace models::rabbitmq
