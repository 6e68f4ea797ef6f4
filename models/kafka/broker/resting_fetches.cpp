// Consumers that wait where nothing comes: a fetch is answered with nothing when fetch.max.wait.ms is over, and is sent again as
// soon as that answer has arrived. In a group of a thousand members that is nearly all that happens, and nobody can see it.
// While the network takes a constant time and the broker none, such a fetch rests: it goes round unsimulated, and where it has
// got to is worked out when something happens to the partitions, to either end, or to the connection. What comes of it is what
// would have come of it otherwise, to the nanosecond; only of things that happen at the same instant may the order differ.
#include "models/kafka/broker/broker.hpp"

namespace models::kafka {

void FetchSession::rouse() {
  broker_.go_on(*this);
}

void Broker::rouse(FetchSession& session) {
  if (session.resting) context().network.rouse(session.waiting->connection);
}

/// The session's fetch is to be answered with nothing now. Returns true when it rests instead.
bool Broker::rest(FetchSession& session) {
  FetchCall& call = *session.waiting;
  const bool predictable = free_service_ && !quotas_.any() && call.max_wait > sim::Duration{};
  if (!predictable || call.sender == nullptr || !session.queued().empty()) return false;
  if (!cluster_.options().rest_idle_fetches || !call.sender->would_ask_again(id_)) return false;
  const std::optional<RoundTrip> trip = call.origin->rest(call, 2 * call.max_wait, session);
  if (!trip) return false;
  session.trip = *trip;
  session.resting = true;
  return true;
}

/// The session's fetch has rested from its deadline until now.
void Broker::go_on(FetchSession& session) {
  session.resting = false;
  FetchCall& call = *session.waiting;
  // Of an open session in which nothing changes, as the client sends it and the broker answers it.
  call.session = session.id();
  call.full = false;
  call.partitions.clear();
  call.forgotten.clear();
  call.fetched.clear();
  call.aborted.clear();
  call.survivors.clear();
  call.request_bytes = call.response_bytes = kEmptyFetchBytes;

  const sim::Duration round = session.trip.down + session.trip.up + call.max_wait;
  const sim::Time now = context().now();
  const std::int64_t rounds = (now - session.deadline) / round;
  const sim::Time answered = session.deadline + rounds * round;
  const sim::Time asked = answered + session.trip.down;
  const sim::Time arrived = asked + session.trip.up;
  RpcChannel& origin = *call.origin;
  if (now < asked) {
    origin.sent_at(answered - call.max_wait - session.trip.up);
    Ref<FetchCall> answer = std::move(session.waiting);
    read_on(*answer);
    respond_since(context().network, answered, std::move(answer));
  } else if (now < arrived) {
    origin.sent_at(asked);
    Ref<FetchCall> again = std::move(session.waiting);
    read_on(*again);
    origin.transmit_since(asked, std::move(again));
  } else {
    origin.sent_at(asked);
    session.last_fetch = arrived + node_.clock_ahead();
    session.deadline = arrived + call.max_wait;
    await_records(session);
  }
}

}  // namespace models::kafka
