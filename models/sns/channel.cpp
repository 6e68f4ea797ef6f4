#include "models/sns/channel.hpp"

namespace models::sns {

Channel::Channel(Context& context, Node& client, Node& server, sim::Duration timeout, ChannelOwner& owner)
    : context_(context),
      client_(client),
      server_(server),
      timeout_(timeout),
      owner_(owner),
      timer_(context.simulation, client, [this] { timed_out(); }) {}

Channel::~Channel() {
  context_.network.close(connection_);
}

std::uint64_t Channel::ask(std::uint32_t bytes) {
  const std::uint64_t request = requests_.push({context_.simulation.after(timeout_), bytes, false, true});
  if (open_) {
    send(request);
  } else if (connection_ == ConnectionId{}) {
    connection_ = context_.network.connect(client_, server_, *this);
  }
  arm();
  return request;
}

void Channel::send(std::uint64_t request) {
  requests_[request].sent = true;
  context_.network.send(connection_, Side::client, kCallBytes + requests_[request].bytes,
                        [this, request, life = life_] { arrived(request, life); });
}

/// A request of an earlier connection is carried out, too, but its answer has no way back.
void Channel::arrived(std::uint64_t request, std::uint32_t life) {
  if (!requests_.holds(request)) return;
  const std::uint16_t answer = owner_.carry_out(request);
  const sim::Duration work = owner_.work();
  if (work == sim::Duration{}) return respond(request, answer, life);
  context_.simulation.schedule_after(work, [this, request, answer, life] { respond(request, answer, life); });
}

void Channel::respond(std::uint64_t request, std::uint16_t answer, std::uint32_t life) {
  if (life != life_ || !open_ || !server_.up()) return;
  struct Answer {
    Channel* channel;
    std::uint64_t request;
    std::uint16_t answer;
    void operator()() const { channel->end(request, answer); }
  };
  context_.network.send(connection_, Side::server, kCallBytes, Answer{this, request, answer});
}

void Channel::end(std::uint64_t request, std::optional<std::uint16_t> answer) {
  if (!requests_.holds(request) || !requests_[request].open) return;
  requests_[request].open = false;
  while (!requests_.empty() && !requests_[requests_.first()].open) requests_.drop();
  arm();
  owner_.answered(request, answer);
}

void Channel::connected(ConnectionId id) {
  if (id != connection_) return;
  open_ = true;
  ++life_;
  for (std::uint64_t r = requests_.first(); r < requests_.next(); ++r) {
    if (requests_[r].open && !requests_[r].sent) send(r);
  }
}

/// What is asked from now on is of the next connection.
void Channel::disconnected(ConnectionId id) {
  if (id != connection_) return;
  connection_ = {};
  open_ = false;
  const std::uint32_t life = client_.incarnation();
  const std::uint64_t next = requests_.next();
  for (std::uint64_t r = requests_.first(); r < next && client_.incarnation() == life; ++r)
    end(r, std::nullopt);
}

void Channel::abandon() {
  timer_.disarm();
  context_.network.close(connection_);
  connection_ = {};
  open_ = false;
  while (!requests_.empty()) requests_.drop();
}

void Channel::timed_out() {
  while (!requests_.empty() && requests_[requests_.first()].deadline <= context_.now())
    end(requests_.first(), std::nullopt);
  arm();
}

void Channel::arm() {
  if (requests_.empty()) return timer_.disarm();
  const sim::Time deadline = requests_[requests_.first()].deadline;
  if (!timer_.armed() || timer_.deadline() != deadline) timer_.arm_at(std::max(deadline, context_.now()));
}

}  // namespace models::sns
