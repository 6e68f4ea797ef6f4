#include "models/rabbitmq/classic_queue.hpp"

#include <utility>

#include "tests/catch.hpp"
#include "tests/models/rabbitmq/queue_story.hpp"

using namespace rabbitmq_test;

TEST_CASE("messages are served in the order in which they came", "[rabbitmq]") {
  Fixture f;
  f.publish(3);
  const ConsumerId one = f.consumer();
  CHECK(f.story.news() == Told{"to 0: 0", "to 0: 1", "to 0: 2"});
  CHECK(f.queue.ready() == 0);
  CHECK(f.queue.unacknowledged() == 3);
  CHECK(f.queue.ack(one, 1, at(1)));
  CHECK(f.story.news() == Told{"settled 1"});
  CHECK(f.queue.unacknowledged() == 2);
}

TEST_CASE("a delivery is answered once", "[rabbitmq]") {
  Fixture f;
  f.publish(2);
  const ConsumerId one = f.consumer();
  CHECK(f.queue.ack(one, 0, at(1)));
  CHECK_FALSE(f.queue.ack(one, 0, at(1)));
  CHECK_FALSE(f.queue.requeue(one, 0, at(1)));
  CHECK_FALSE(f.queue.reject(one, 7, at(1)));
}

TEST_CASE("a consumer holds as much as its prefetch says, and consumers take turns", "[rabbitmq]") {
  Fixture f;
  const ConsumerId one = f.consumer({.prefetch = 1});
  f.consumer({.prefetch = 2});
  for (int i = 0; i < 5; ++i) f.publish_one();
  CHECK(f.story.news() ==
        Told{"stored 0", "to 0: 0", "stored 1", "to 1: 1", "stored 2", "to 1: 2", "stored 3", "stored 4"});
  CHECK(f.queue.ready() == 2);
  f.queue.ack(one, 0, at(1));
  CHECK(f.story.news() == Told{"settled 0", "to 0: 3"});
}

TEST_CASE("whoever was blocked takes its turn behind the others", "[rabbitmq]") {
  Fixture f;
  const ConsumerId one = f.consumer({.prefetch = 1});
  f.consumer();
  f.publish(3);  // 0 to the first, 1 and 2 to the second; the first is blocked
  f.queue.ack(one, 0, at(1));
  f.story.news();
  f.publish_one();
  f.publish_one();
  CHECK(f.story.news() == Told{"stored 3", "to 1: 3", "stored 4", "to 0: 4"});
}

TEST_CASE("without a prefetch one consumer gets all there is, and the next ones nothing", "[rabbitmq]") {
  Fixture f;
  f.publish(100);
  f.consumer();
  f.story.news();
  f.consumer();
  CHECK(f.story.news().empty());
  CHECK(f.queue.unacknowledged() == 100);
}

TEST_CASE("automatic acknowledgement settles by sending, whatever the prefetch", "[rabbitmq]") {
  Fixture f;
  f.publish(2);
  f.consumer({.prefetch = 1, .automatic = true});
  CHECK(f.story.news() == Told{"to 0: 0", "settled 0", "to 0: 1", "settled 1"});
  CHECK(f.queue.unacknowledged() == 0);
}

TEST_CASE("a message that is requeued goes back to its place and carries the flag redelivered",
          "[rabbitmq]") {
  Fixture f;
  const ConsumerId one = f.consumer({.prefetch = 2});
  f.publish(4);  // it holds 0 and 1
  CHECK(f.queue.requeue(one, 0, at(1)));
  CHECK(f.story.news() == Told{"back 0", "to 0: 0 again"});
  CHECK(f.queue.requeue(one, 1, at(1)));
  CHECK(f.story.news() == Told{"back 1", "to 0: 1 again"});
}

TEST_CASE("what a dead consumer held comes before what nobody has had, in the old order", "[rabbitmq]") {
  Fixture f;
  const ConsumerId one = f.consumer({.prefetch = 3});
  f.publish(5);                // it holds 0, 1, 2
  f.queue.ack(one, 1, at(1));  // and now 3
  f.story.news();
  f.queue.remove_consumer(one, at(2));
  CHECK(f.story.news() == Told{"back 0", "back 2", "back 3"});
  CHECK(f.queue.ready() == 4);
  f.consumer();
  CHECK(f.story.news() == Told{"to 0: 0 again", "to 0: 2 again", "to 0: 3 again", "to 0: 4"});
}

TEST_CASE("what a dead consumer held is given to those who live", "[rabbitmq]") {
  Fixture f;
  const ConsumerId one = f.consumer({.prefetch = 1});
  f.consumer({.prefetch = 2});
  f.publish(2);
  f.queue.remove_consumer(one, at(2));
  CHECK(f.story.news() == Told{"back 0", "to 1: 0 again"});
}

TEST_CASE("consumers of a lower x-priority are served while all above are blocked", "[rabbitmq]") {
  Fixture f;
  f.consumer({.prefetch = 1, .priority = 0});
  const ConsumerId high = f.consumer({.prefetch = 1, .priority = 10});
  f.publish_one();
  f.publish_one();
  CHECK(f.story.news() == Told{"stored 0", "to 1: 0", "stored 1", "to 0: 1"});
  f.publish(1);
  f.queue.ack(high, 0, at(1));
  CHECK(f.story.news() == Told{"settled 0", "to 1: 2"});
}

TEST_CASE("of single active consumers the first has all, and the next follows when it dies", "[rabbitmq]") {
  Fixture f({.single_active_consumer = true});
  const ConsumerId one = f.consumer({.prefetch = 1});
  const ConsumerId two = f.consumer({.prefetch = 10});
  f.publish_one();
  f.publish_one();
  CHECK(f.story.news() == Told{"stored 0", "to 0: 0", "stored 1"});
  CHECK(f.queue.active() == one);
  f.queue.remove_consumer(one, at(1));
  CHECK(f.queue.active() == two);
  CHECK(f.story.news() == Told{"back 0", "to 1: 0 again", "to 1: 1"});
}

TEST_CASE("a message expires only at the head", "[rabbitmq]") {
  Fixture f({.message_ttl = std::chrono::milliseconds{100}});
  Message patient;
  patient.expires = at(10'000);  // its queue's time to live is less
  CHECK(f.queue.publish(patient, at(0)));
  f.publish(1, 50);
  CHECK(f.queue.next_expiry() == at(100));
  f.queue.expire(at(99));
  CHECK(f.story.news().empty());
  f.queue.expire(at(100));
  CHECK(f.story.news() == Told{"gone 0 expired"});
  CHECK(f.queue.next_expiry() == at(150));
}

TEST_CASE("a message with a short time to live waits behind one without", "[rabbitmq]") {
  Fixture f;
  f.publish(1);
  Message hasty;
  hasty.expires = at(10);
  f.queue.publish(hasty, at(0));
  f.story.news();
  f.queue.expire(at(1000));
  CHECK(f.story.news().empty());
  CHECK(f.queue.next_expiry() == sim::kNever);
  CHECK(f.queue.ready() == 2);
}

TEST_CASE("a requeued message keeps its expiry", "[rabbitmq]") {
  Fixture f({.message_ttl = std::chrono::milliseconds{100}});
  const ConsumerId one = f.consumer({.prefetch = 1});
  f.publish(1);
  f.queue.remove_consumer(one, at(99));
  f.story.news();
  CHECK(f.queue.next_expiry() == at(100));
  f.queue.expire(at(100));
  CHECK(f.story.news() == Told{"gone 0 expired"});
}

TEST_CASE("a time to live of nothing: served at once, or gone", "[rabbitmq]") {
  Fixture f({.message_ttl = std::chrono::milliseconds{0}});
  f.publish_one();
  CHECK(f.story.news() == Told{"stored 0", "gone 0 expired"});
  f.consumer();
  f.publish_one();
  CHECK(f.story.news() == Told{"stored 1", "to 0: 1"});
}

TEST_CASE("a full queue drops its head, and counts what is ready alone", "[rabbitmq]") {
  Fixture f({.max_length = 2});
  const ConsumerId one = f.consumer({.prefetch = 1});
  f.publish(3);  // one is held, two are ready
  CHECK(f.queue.ready() == 2);
  f.publish_one();
  CHECK(f.story.news() == Told{"stored 3", "gone 1 maxlen"});
  // What comes back is at the head.
  f.queue.remove_consumer(one, at(1));
  CHECK(f.story.news() == Told{"back 0", "gone 0 maxlen"});
}

TEST_CASE("a full queue may refuse what is published", "[rabbitmq]") {
  Fixture f({.max_length = 1, .overflow = Overflow::reject_publish});
  CHECK(f.publish_one());
  CHECK_FALSE(f.publish_one());
  CHECK(f.story.news() == Told{"stored 0"});
  CHECK(f.queue.next_number() == 1);
}

TEST_CASE("the length counts bytes, too", "[rabbitmq]") {
  Fixture f({.max_length_bytes = 25});
  f.publish(2);
  f.publish_one(0, 0, true, 10);
  CHECK(f.story.news() == Told{"stored 2", "gone 0 maxlen"});
}

TEST_CASE("messages of a higher priority are served first, and dropped first", "[rabbitmq]") {
  Fixture f({.max_length = 3, .max_priority = 5});
  f.publish_one(0, 1);
  f.publish_one(0, 5);
  f.publish_one(0, 9);  // no higher than the queue's highest
  f.story.news();
  f.publish_one(0, 0);
  CHECK(f.story.news() == Told{"stored 3", "gone 1 maxlen"});
  f.consumer();
  CHECK(f.story.news() == Told{"to 0: 2", "to 0: 0", "to 0: 3"});
}

TEST_CASE("a crash leaves of a durable queue what is persistent and written, in its order", "[rabbitmq]") {
  Fixture f;
  const ConsumerId one = f.consumer({.prefetch = 2});
  f.publish_one();
  f.publish_one(0, 0, false);
  f.publish_one();
  f.publish_one();
  f.queue.written(3);
  f.story.news();
  f.queue.crash();
  CHECK(f.story.news() == Told{"back 0", "back 1", "gone 1 restart", "gone 3 restart"});
  CHECK(f.queue.ready() == 2);
  CHECK(f.queue.consumers() == 0);
  CHECK_FALSE(f.queue.ack(f.consumer(), 99, at(1)));
  CHECK(f.story.news() == Told{"to 0: 0 again", "to 0: 2"});
  static_cast<void>(one);
}

TEST_CASE("a crash leaves nothing of a queue that is not durable", "[rabbitmq]") {
  Fixture f({}, false);
  f.publish(2);
  f.queue.written(2);
  f.queue.crash();
  CHECK(f.story.news() == Told{"gone 0 restart", "gone 1 restart"});
}

TEST_CASE("a rejected message leaves", "[rabbitmq]") {
  Fixture f;
  const ConsumerId one = f.consumer({.prefetch = 1});
  f.publish(2);
  CHECK(f.queue.reject(one, 0, at(1)));
  CHECK(f.story.news() == Told{"gone 0 rejected", "to 0: 1"});
}

TEST_CASE("deaths are counted by queue and reason, the latest first", "[rabbitmq]") {
  History history;
  const QueueIndex work{0}, retry{1};
  history.record(work, models::RemovedCode::rejected);
  history.record(retry, models::RemovedCode::expired);
  history.record(work, models::RemovedCode::rejected);
  REQUIRE(history.deaths.size() == 2);
  CHECK(history.deaths[0].queue == work);
  CHECK(history.deaths[0].count == 2);
  CHECK(history.deaths[1].count == 1);
}

TEST_CASE("a dead letter that comes round without having been rejected is dropped", "[rabbitmq]") {
  const QueueIndex work{0}, retry{1};
  History expired;
  expired.record(work, models::RemovedCode::expired);
  expired.record(retry, models::RemovedCode::expired);
  CHECK(expired.cycles(work));
  CHECK_FALSE(expired.cycles(QueueIndex{2}));
  History rejected;
  rejected.record(work, models::RemovedCode::rejected);
  rejected.record(retry, models::RemovedCode::expired);
  CHECK_FALSE(rejected.cycles(work));
}
