// The state of a quorum queue: order, limits, consumers; and random programs against a plain reference.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "models/rabbitmq/rabbit_fifo.hpp"
#include "sim/random.hpp"
#include "tests/catch.hpp"

using namespace models::rabbitmq;
using std::chrono::milliseconds;

namespace {

using Told = std::vector<std::string>;

sim::Time at(std::int64_t ms) {
  return sim::Time{milliseconds{ms}};
}

class Story final : public FifoOwner {
 public:
  void stored(const Message& m) override { tell("stored", m.number); }
  void dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) override {
    told.push_back("to " + std::to_string(to.value) + ": " + std::to_string(m.number) + " as " +
                   std::to_string(ordinal) + (m.redelivered ? " again" : ""));
  }
  void settled(const Message& m, models::SettledCode) override { tell("settled", m.number); }
  void requeued(const Message& m, models::RequeuedCode) override { tell("back", m.number); }
  void removed(const Message& m, models::RemovedCode why) override {
    static const char* const kWhy[] = {"rejected",    "expired",      "maxlen", "restart", "delivery_limit",
                                       "left_behind", "max_receives", "moved",  "deleted"};
    told.push_back("gone " + std::to_string(m.number) + " " + kWhy[static_cast<int>(why)]);
  }
  void full(ClientId client, bool refuses) override {
    told.push_back(std::string(refuses ? "full " : "room ") + std::to_string(client.value));
  }
  void consumer_timed_out(ClientId client) override { tell("timed out", client.value); }
  void died() override { told.push_back("died"); }
  void there(bool exists) override { told.push_back(exists ? "there" : "gone"); }
  Told news() { return std::exchange(told, {}); }
  Told told;

 private:
  void tell(const char* what, std::uint64_t number) {
    told.push_back(std::string(what) + " " + std::to_string(number));
  }
};

struct Fixture {
  explicit Fixture(QueueArguments arguments = {}, const std::string& version = "4.3", Config config = {})
      : queue({.name = "q", .arguments = std::move(arguments)}, config, FifoRules::of(version), story) {}
  RabbitFifo::Enqueued publish(std::int64_t ms = 0, std::uint8_t priority = 0, std::uint32_t size = 10) {
    Message m;
    m.size = size;
    m.priority = priority;
    return queue.enqueue(ClientId{100}, next_seq++, m, at(ms));
  }
  void publish_some(int n) {
    for (int i = 0; i < n; ++i) publish();
    story.news();
  }
  void consumer(std::uint32_t id, std::uint32_t prefetch = 1, std::int32_t priority = 0) {
    queue.consume(ClientId{id}, {prefetch, false, priority}, at(0));
  }
  void answer(std::uint32_t id, std::uint64_t ordinal, Answer how, std::int64_t ms = 0) {
    queue.answer(ClientId{id}, ordinal, how, at(ms));
  }
  Story story;
  RabbitFifo queue;
  std::uint64_t next_seq = 1;
};

}  // namespace

TEST_CASE("what an enqueuer repeats is stored once and what comes too early is not", "[rabbitmq][quorum]") {
  Fixture f;
  Message m;
  using Enqueued = RabbitFifo::Enqueued;
  CHECK(f.queue.enqueue(ClientId{1}, 1, m, at(0)) == Enqueued::stored);
  CHECK(f.queue.enqueue(ClientId{1}, 1, m, at(0)) == Enqueued::duplicate);
  CHECK(f.queue.enqueue(ClientId{1}, 3, m, at(0)) == Enqueued::out_of_sequence);
  CHECK(f.queue.enqueue(ClientId{1}, 2, m, at(0)) == Enqueued::stored);
  CHECK(f.queue.enqueue(ClientId{2}, 1, m, at(0)) == Enqueued::stored);
  CHECK(f.queue.ready() == 3);
}

TEST_CASE("what comes back is served before what is new, behind what came back earlier",
          "[rabbitmq][quorum]") {
  Fixture f;
  f.publish_some(4);
  f.consumer(1, 3);
  f.story.news();
  f.answer(1, 2, Answer::nack_requeue);
  CHECK(f.story.news() == Told{"back 2", "to 1: 2 as 3 again"});
  f.queue.suspect(ClientId{1}, at(0));
  f.answer(1, 1, Answer::nack_requeue);
  f.answer(1, 0, Answer::nack_requeue);
  f.story.news();
  f.consumer(2, 3);
  CHECK(f.story.news() == Told{"to 2: 1 as 0 again", "to 2: 0 as 1 again", "to 2: 3 as 2"});
}

TEST_CASE("a message goes after limit and one deliveries whatever brings it back until 4.2",
          "[rabbitmq][quorum]") {
  for (const char* const version : {"4.0", "4.2"}) {
    Fixture f({.delivery_limit = 2}, version);
    f.publish_some(1);
    f.consumer(1);
    for (std::uint64_t i = 0; i < 3; ++i) f.answer(1, i, Answer::nack_requeue);
    CHECK(f.story.news() == Told{"to 1: 0 as 0", "back 0", "to 1: 0 as 1 again", "back 0",
                                 "to 1: 0 as 2 again", "gone 0 delivery_limit"});
  }
}

TEST_CASE("since 4.3 a nack does not count and the end of a consumer does", "[rabbitmq][quorum]") {
  Fixture f({.delivery_limit = 1});
  f.publish_some(1);
  f.consumer(1);
  for (std::uint64_t i = 0; i < 50; ++i) f.answer(1, i, Answer::nack_requeue);
  CHECK(f.queue.unacknowledged() == 1);
  f.queue.down(ClientId{1}, at(0));
  CHECK(f.queue.ready() == 1);
  f.consumer(2);
  f.story.news();
  f.queue.down(ClientId{2}, at(0));
  CHECK(f.story.news() == Told{"gone 0 delivery_limit"});
}

TEST_CASE("the limit is 20 since 4.0 and there was none before", "[rabbitmq][quorum]") {
  const auto deliveries = [](const std::string& version, std::optional<std::int64_t> limit) {
    QueueArguments a;
    a.delivery_limit = limit;
    Fixture f(a, version);
    f.publish_some(1);
    int count = 0;
    while (f.queue.ready() > 0 && count < 100) {
      ++count;
      f.consumer(static_cast<std::uint32_t>(count));
      f.queue.down(ClientId{static_cast<std::uint32_t>(count)}, at(0));
    }
    return count;
  };
  CHECK(deliveries("3.13", {}) == 100);
  CHECK(deliveries("4.0", {}) == 21);
  CHECK(deliveries("4.3", {}) == 21);
  CHECK(deliveries("4.3", -1) == 100);
  CHECK(deliveries("3.13", 3) == 4);
}

TEST_CASE("messages have as many levels of priority as the version", "[rabbitmq][quorum]") {
  const auto order = [](const std::string& version) {
    Fixture f({}, version);
    for (const int priority : {4, 3, 9, 31}) f.publish(0, static_cast<std::uint8_t>(priority));
    f.story.news();
    f.consumer(1, 10);
    std::string out;
    for (const std::string& one : f.story.news()) out += one.substr(6, 1);
    return out;
  };
  CHECK(order("3.13") == "0123");
  CHECK(order("4.2") == "2301");
  CHECK(order("4.3") == "3201");
}

TEST_CASE("a single active consumer gives way to one of a higher priority once it has answered",
          "[rabbitmq][quorum]") {
  Fixture f({.single_active_consumer = true});
  f.consumer(1, 2);
  f.consumer(2, 2);
  f.publish_some(0);
  f.publish();
  CHECK(f.story.news() == Told{"stored 0", "to 1: 0 as 0"});
  f.consumer(3, 2, 5);
  f.publish();
  CHECK(f.story.news() == Told{"stored 1"});
  f.answer(1, 0, Answer::ack);
  CHECK(f.story.news() == Told{"settled 0", "to 3: 1 as 0"});
  f.queue.down(ClientId{3}, at(0));
  CHECK(f.story.news() == Told{"back 1", "to 2: 1 as 0 again"});
}

TEST_CASE("a full queue refuses until four fifths of it are left", "[rabbitmq][quorum]") {
  Fixture f({.max_length = 10, .overflow = Overflow::reject_publish});
  for (int i = 0; i < 10; ++i) f.publish();
  f.story.news();
  f.publish();
  CHECK(f.story.news() == Told{"stored 10", "full 100"});
  f.consumer(1, 1);
  f.answer(1, 0, Answer::ack);
  f.story.news();
  f.answer(1, 1, Answer::ack);
  CHECK(f.story.news() == Told{"settled 1", "to 1: 2 as 2", "room 100"});
}

TEST_CASE("what makes room is the head that came back included", "[rabbitmq][quorum]") {
  Fixture f({.max_length = 2});
  f.publish_some(2);
  f.consumer(1, 1);
  f.queue.suspect(ClientId{1}, at(0));
  f.story.news();
  f.publish();
  CHECK(f.story.news() == Told{"stored 2"});
  f.answer(1, 0, Answer::nack_requeue);
  CHECK(f.story.news() == Told{"back 0", "gone 0 maxlen"});
}

TEST_CASE("messages expire at the head of each level", "[rabbitmq][quorum]") {
  Fixture f({.message_ttl = milliseconds{100}});
  f.publish(0);
  f.publish(50);
  f.story.news();
  CHECK(f.queue.next_event() == at(100));
  f.queue.tick(at(100));
  CHECK(f.story.news() == Told{"gone 0 expired"});
  CHECK(f.queue.next_event() == at(150));
}

TEST_CASE("what a suspected consumer holds goes back at once until 4.2 and after a while since",
          "[rabbitmq][quorum]") {
  Fixture old({}, "4.2");
  old.publish_some(1);
  old.consumer(1);
  old.story.news();
  old.queue.suspect(ClientId{1}, at(0));
  CHECK(old.story.news() == Told{"back 0"});
  Fixture f;
  f.publish_some(1);
  f.consumer(1);
  f.story.news();
  f.queue.suspect(ClientId{1}, at(0));
  CHECK(f.story.news().empty());
  f.queue.give_up(ClientId{1}, at(60'000));
  CHECK(f.story.news() == Told{"back 0"});
  f.queue.trust(ClientId{1}, at(61'000));
  CHECK(f.story.news() == Told{"to 1: 0 as 1 again"});
}

TEST_CASE("delayed retry keeps what came back for longer each time it failed", "[rabbitmq][quorum]") {
  QueueArguments a;
  a.delayed_retry = DelayedRetry::failed;
  a.delayed_retry_min = milliseconds{1000};
  a.delayed_retry_max = milliseconds{1500};
  Fixture f(a);
  f.publish_some(1);
  const auto fail = [&](std::uint32_t id, std::int64_t ms) {
    f.queue.consume(ClientId{id}, {1, false, 0}, at(ms));
    f.queue.down(ClientId{id}, at(ms));
  };
  fail(1, 0);
  CHECK(f.queue.next_event() == at(1000));
  CHECK(f.queue.ready() == 1);
  f.queue.tick(at(1000));
  fail(2, 1000);
  CHECK(f.queue.next_event() == at(2500));
}

TEST_CASE("since 4.3 the queue itself takes back what a consumer has held for too long",
          "[rabbitmq][quorum]") {
  QueueArguments a;
  a.consumer_timeout = milliseconds{500};
  Fixture f(a);
  f.publish_some(2);
  f.consumer(1, 2);
  f.story.news();
  CHECK(f.queue.next_event() == at(500));
  f.queue.tick(at(500));
  CHECK(f.story.news() == Told{"back 0", "back 1", "timed out 1"});
  CHECK(f.queue.ready() == 2);
}

TEST_CASE("with the strategy at-least-once what is let go stays until it has arrived", "[rabbitmq][quorum]") {
  QueueArguments a;
  a.at_least_once = true;
  a.overflow = Overflow::reject_publish;
  Fixture f(a);
  f.publish_some(1);
  f.consumer(1);
  f.story.news();
  f.answer(1, 0, Answer::reject);
  CHECK(f.story.news() == Told{"died"});
  CHECK(f.queue.unacknowledged() == 1);
  REQUIRE(f.queue.dead().next() - f.queue.dead().first() == 1);
  f.queue.bury(f.queue.dead().first(), at(0));
  CHECK(f.story.news() == Told{"gone 0 rejected"});
  CHECK(f.queue.unacknowledged() == 0);
}

TEST_CASE("dead letters are buried in any order and the list forgets the oldest", "[rabbitmq][quorum]") {
  QueueArguments a;
  a.at_least_once = true;
  a.overflow = Overflow::reject_publish;
  a.message_ttl = milliseconds{10};
  Fixture f(a);
  f.publish_some(3);
  f.queue.tick(at(10));
  CHECK(f.story.news() == Told{"died", "died", "died"});
  CHECK(f.queue.ready() == 3);
  CHECK(f.queue.bytes() == 30);
  f.queue.bury(1, at(10));
  CHECK(f.queue.dead().first() == 0);
  f.queue.bury(1, at(10));
  CHECK(f.story.news() == Told{"gone 1 expired"});
  f.queue.bury(0, at(10));
  CHECK(f.queue.dead().first() == 2);
  f.queue.bury(2, at(10));
  CHECK(f.queue.dead().empty());
  CHECK(f.queue.ready() == 0);
  CHECK(f.queue.bytes() == 0);
}

TEST_CASE("the clock of whoever has held something longest runs first", "[rabbitmq][quorum]") {
  QueueArguments a;
  a.consumer_timeout = milliseconds{500};
  Fixture f(a);
  f.consumer(1, 1);
  f.consumer(2, 1);
  f.publish(10);
  f.publish(20);
  CHECK(f.queue.next_event() == at(510));
  f.answer(1, 0, Answer::ack, 30);
  CHECK(f.queue.next_event() == at(520));
  f.publish(40);  // to 1 again
  CHECK(f.queue.next_event() == at(520));
  f.queue.down(ClientId{2}, at(50));
  CHECK(f.queue.next_event() == at(540));
  f.answer(1, 1, Answer::ack, 60);
  // What 2 held.
  CHECK(f.queue.next_event() == at(560));
}

TEST_CASE("what waits for its retry is ready in the order of its times", "[rabbitmq][quorum]") {
  QueueArguments a;
  a.delayed_retry = DelayedRetry::all;
  a.delayed_retry_min = milliseconds{1000};
  a.delayed_retry_max = milliseconds{5000};
  Fixture f(a);
  f.publish_some(3);
  f.consumer(1, 3);
  f.story.news();
  f.answer(1, 2, Answer::nack_requeue, 10);
  f.answer(1, 0, Answer::nack_requeue, 20);
  f.answer(1, 1, Answer::nack_requeue, 20);
  f.story.news();
  CHECK(f.queue.next_event() == at(1010));
  f.queue.tick(at(1010));
  CHECK(f.story.news() == Told{"to 1: 2 as 3 again"});
  CHECK(f.queue.next_event() == at(1020));
  f.queue.tick(at(1020));
  CHECK(f.story.news() == Told{"to 1: 0 as 4 again", "to 1: 1 as 5 again"});
}

TEST_CASE("a quorum queue that nobody consumes from expires and whoever consumes declares it again",
          "[rabbitmq][quorum]") {
  QueueArguments a;
  a.expires = milliseconds{100};
  Fixture f(a);
  f.publish(50);
  f.story.news();
  CHECK(f.queue.next_event() == at(100));
  f.queue.tick(at(99));
  CHECK_FALSE(f.queue.gone());
  f.queue.tick(at(100));
  CHECK(f.story.news() == Told{"gone", "gone 0 deleted"});
  CHECK(f.queue.gone());
  CHECK(f.queue.bytes() == 0);
  // What was on its way.
  f.publish(110);
  CHECK(f.story.news() == Told{"stored 1", "gone 1 deleted"});
  f.queue.consume(ClientId{1}, {.prefetch = 1}, at(200));
  CHECK(f.story.news() == Told{"there"});
  CHECK(f.queue.next_event() == sim::kNever);
  f.publish(210);
  CHECK(f.story.news() == Told{"stored 2", "to 1: 2 as 0"});
  // A consumer whose node cannot be reached is none.
  f.queue.suspect(ClientId{1}, at(220));
  CHECK(f.queue.next_event() == at(320));
  f.queue.tick(at(320));
  CHECK(f.story.news() == Told{"gone", "gone 2 deleted", "timed out 1"});
  CHECK_FALSE(f.queue.broken());
}

TEST_CASE("who only consumes from a full queue is not told so", "[rabbitmq][quorum]") {
  Fixture f({.max_length = 1, .overflow = Overflow::reject_publish});
  f.publish();
  f.publish();
  CHECK(f.story.news() == Told{"stored 0", "stored 1", "full 100"});
  Message m;
  f.queue.enqueue(ClientId{101}, 1, m, at(0));
  CHECK(f.story.news() == Told{"full 101", "stored 2"});
  f.consumer(1, 1);
  CHECK(f.story.news() == Told{"to 1: 0 as 0"});
}

// ---- random programs ----------------------------------------------------------------------------------------------

namespace {

/// The rules of 4.2 without priorities, said another way: a list of what is ready, and of who holds what.
class Reference {
 public:
  struct Entry {
    std::uint64_t number;
    sim::Time expires;
    std::int64_t returns = 0;
  };
  struct Holder {
    std::uint32_t prefetch;
    std::uint64_t ordinals = 0;
    bool suspected = false;
    std::map<std::uint64_t, Entry> held{};
  };
  explicit Reference(const QueueArguments& arguments) : a_(arguments) {}

  void publish(sim::Time now) {
    const sim::Time expires = a_.message_ttl ? now + *a_.message_ttl : sim::kNever;
    told.push_back("stored " + std::to_string(next));
    fresh.push_back({next++, expires});
    serve(now);
  }
  void consume(std::uint32_t id, std::uint32_t prefetch, sim::Time now) {
    holders[id] = {prefetch};
    turn.push_back(id);
    serve(now);
  }
  void answer(std::uint32_t id, std::uint64_t ordinal, Answer how, sim::Time now) {
    Holder& h = holders[id];
    const Entry e = h.held.at(ordinal);
    h.held.erase(ordinal);
    if (how == Answer::ack) told.push_back("settled " + std::to_string(e.number));
    if (how == Answer::reject) told.push_back("gone " + std::to_string(e.number) + " rejected");
    if (how == Answer::nack_requeue) give_back(e);
    queue_up(id);
    serve(now);
  }
  void down(std::uint32_t id, sim::Time now) {
    for (const auto& [ordinal, e] : holders[id].held) give_back(e);
    holders.erase(id);
    std::erase(turn, id);
    serve(now);
  }
  void suspect(std::uint32_t id, sim::Time now) {
    Holder& h = holders[id];
    h.suspected = true;
    for (const auto& [ordinal, e] : h.held) give_back(e);
    h.held.clear();
    serve(now);
  }
  void trust(std::uint32_t id, sim::Time now) {
    holders[id].suspected = false;
    queue_up(id);
    serve(now);
  }
  void tick(sim::Time now) {
    expire(now);
    serve(now);
  }

  std::vector<Entry> returned;
  std::vector<Entry> fresh;
  std::map<std::uint32_t, Holder> holders;
  std::vector<std::uint32_t> turn;
  std::uint64_t next = 0;
  Told told;

 private:
  void give_back(Entry e) {
    if (++e.returns > a_.delivery_limit.value_or(20)) {
      told.push_back("gone " + std::to_string(e.number) + " delivery_limit");
      return;
    }
    told.push_back("back " + std::to_string(e.number));
    returned.push_back(e);
  }
  std::vector<Entry>& head() { return returned.empty() ? fresh : returned; }
  void expire(sim::Time now) {
    for (std::vector<Entry>* const some : {&returned, &fresh}) {
      while (!some->empty() && some->front().expires <= now) {
        told.push_back("gone " + std::to_string(some->front().number) + " expired");
        some->erase(some->begin());
      }
    }
  }
  void queue_up(std::uint32_t id) {
    const Holder& h = holders[id];
    if (h.held.size() < h.prefetch && std::find(turn.begin(), turn.end(), id) == turn.end())
      turn.push_back(id);
  }
  void serve(sim::Time now) {
    while (true) {
      if (!head().empty() && head().front().expires <= now) expire(now);
      if (head().empty()) break;
      std::optional<std::uint32_t> to;
      while (!turn.empty() && !to) {
        const std::uint32_t id = turn.front();
        turn.erase(turn.begin());
        if (!holders[id].suspected && holders[id].held.size() < holders[id].prefetch) to = id;
      }
      if (!to) break;
      const Entry e = head().front();
      head().erase(head().begin());
      Holder& h = holders[*to];
      told.push_back("to " + std::to_string(*to) + ": " + std::to_string(e.number) + " as " +
                     std::to_string(h.ordinals) + (e.returns > 0 ? " again" : ""));
      h.held[h.ordinals++] = e;
      queue_up(*to);
    }
    while (a_.max_length && static_cast<std::int64_t>(returned.size() + fresh.size()) > *a_.max_length) {
      told.push_back("gone " + std::to_string(head().front().number) + " maxlen");
      head().erase(head().begin());
    }
  }
  const QueueArguments a_;
};

}  // namespace

TEST_CASE("random programs of a quorum queue agree with a plain reference", "[rabbitmq][quorum]") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    sim::Stream draw(sim::stream_key(seed, "fifo"));
    const auto below = [&](std::uint64_t n) { return draw.uniform_int(n); };
    QueueArguments a;
    if (below(2) == 0) a.delivery_limit = static_cast<std::int64_t>(below(4));
    if (below(3) == 0) a.message_ttl = milliseconds{static_cast<std::int64_t>(1 + below(30))};
    if (below(3) == 0) a.max_length = static_cast<std::int64_t>(1 + below(8));
    Fixture f(a, "4.2");
    Reference reference(a);
    std::int64_t now = 0;
    std::uint32_t next_consumer = 1;
    INFO("seed " << seed);
    for (int step = 0; step < 120; ++step) {
      now += static_cast<std::int64_t>(below(3));
      std::uint32_t someone = 0;
      if (!reference.holders.empty()) {
        auto chosen = reference.holders.begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(below(reference.holders.size())));
        someone = chosen->first;
      }
      const std::uint64_t what = below(10);
      if (what < 4) {
        f.publish(now);
        reference.publish(at(now));
      } else if (what == 4 && reference.holders.size() < 4) {
        const auto prefetch = static_cast<std::uint32_t>(1 + below(4));
        f.queue.consume(ClientId{next_consumer}, {prefetch, false, 0}, at(now));
        reference.consume(next_consumer++, prefetch, at(now));
      } else if (what < 8 && someone != 0 && !reference.holders[someone].held.empty()) {
        auto held = reference.holders[someone].held.begin();
        std::advance(held, static_cast<std::ptrdiff_t>(below(reference.holders[someone].held.size())));
        const std::uint64_t ordinal = held->first;
        const auto how = static_cast<Answer>(below(3));
        f.answer(someone, ordinal, how, now);
        reference.answer(someone, ordinal, how, at(now));
      } else if (what == 8 && someone != 0) {
        if (reference.holders[someone].suspected) {
          f.queue.trust(ClientId{someone}, at(now));
          reference.trust(someone, at(now));
        } else if (below(2) == 0) {
          f.queue.suspect(ClientId{someone}, at(now));
          reference.suspect(someone, at(now));
        } else {
          f.queue.down(ClientId{someone}, at(now));
          reference.down(someone, at(now));
        }
      } else {
        f.queue.tick(at(now));
        reference.tick(at(now));
      }
      REQUIRE(f.story.news() == std::exchange(reference.told, {}));
      REQUIRE_FALSE(f.queue.broken());
    }
  }
}
