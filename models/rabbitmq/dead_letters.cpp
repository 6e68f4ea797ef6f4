// Where messages go that a queue lets go of (rabbit_dead_letter.erl): copies of them are published to its dead letter exchange.

#include <algorithm>
#include <array>

#include "models/rabbitmq/broker.hpp"

namespace models::rabbitmq {

/// There is no such exchange, or it routes the message nowhere, or in a circle: what is not taken is dropped.
std::optional<Broker::DeadLetter> Broker::dead_letter(const Place& from, const Message& m, RemovedCode why) {
  const QueueArguments& arguments = from.queue.options().arguments;
  if (!arguments.dead_letter_exchange) return {};
  const auto exchange = topology_.find_exchange(*arguments.dead_letter_exchange);
  if (!exchange) return {};
  const Headers headers = addresses_[m.address].headers;
  const std::string key = arguments.dead_letter_routing_key.value_or(addresses_[m.address].key);
  DeadLetter letter{m, why, from.index};
  letter.message.address = address(*exchange, key, headers);
  letter.to = targets(letter.message.address);
  if (letter.to.empty()) return {};
  History history = m.history != 0 ? histories_[m.history] : History{m.lane, m.seq, {}};
  history.record(from.index, why);
  if (why != RemovedCode::rejected) {
    std::erase_if(letter.to, [&](QueueIndex q) { return history.cycles(q); });
    if (letter.to.empty()) return {};
  }
  letter.message.history = histories_.add(std::move(history));
  // Its own time to live has gone with its property `expiration` (mc:record_death).
  letter.message.expires = sim::kNever;
  return letter;
}

/// Without confirms: what a full queue refuses here is gone (the strategy at-most-once).
void Broker::publish_dead_letters() {
  for (std::size_t i = 0; i < dead_letters_.size(); ++i) {
    const DeadLetter letter = std::move(dead_letters_[i]);
    const std::uint64_t old_number = letter.message.number;
    for (const QueueIndex q : letter.to) {
      Place& place = *queues_[q.value];
      if (place.dead_letter_lane == LaneId{})
        place.dead_letter_lane = context_.entities.add_lane(node_.entity(), place.entity);
      Message m = letter.message;
      m.lane = place.dead_letter_lane;
      m.seq = place.dead_letter_seq++;
      m.history = histories_.add(histories_[letter.message.history]);
      const std::array<std::int64_t, 1> created{sim::nanoseconds(now())};
      sim::TraceRecord told{.actor = node_.entity().value,
                            .place = place.entity.value,
                            .peer = m.lane.value,
                            .a = static_cast<std::int64_t>(m.seq),
                            .b = 1};
      context_.emit(Kind::offered, told, created);
      const Taken taken = put(place, m);
      if (taken == Taken::refused) {
        context_.emit(Kind::failed, told);
        histories_.forget(m.history);
        continue;
      }
      told.code = static_cast<std::uint16_t>(letter.why);
      told.c = static_cast<std::int64_t>(old_number);
      const std::array<std::int64_t, 1> from{queues_[letter.from.value]->entity.value};
      context_.emit(Kind::republished, told, from);
      if (taken == Taken::once_written) begin_write(place);
    }
    histories_.forget(letter.message.history);
  }
  dead_letters_.clear();
}

}  // namespace models::rabbitmq
