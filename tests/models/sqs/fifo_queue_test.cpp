// A FIFO queue by itself: message groups, the window in which they are looked for; and deduplication.
#include "models/sqs/deduplication.hpp"
#include "models/sqs/group_limits.hpp"
#include "models/sqs/rate_limit.hpp"
#include "sim/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/sqs/queue_story.hpp"

using namespace sqs_test;
using Numbers = std::vector<std::uint64_t>;

namespace {

QueueOptions fifo() {
  QueueOptions options;
  options.name = "jobs.fifo";
  options.fifo = true;
  return options;
}

}  // namespace

TEST_CASE("a receive takes as much of one group as it may, then of the next, each in order", "[sqs]") {
  Story story(fifo());
  for (const std::uint64_t group : {1U, 2U, 1U, 3U, 1U}) story.send(at(0), group);
  CHECK(numbers(story.receive(at(1), 4)) == Numbers{0, 2, 4, 1});
  CHECK(numbers(story.receive(at(1), 4)) == Numbers{3});
}

TEST_CASE("a group of which something is in flight gives nothing more to anybody", "[sqs]") {
  Story story(fifo());
  for (const std::uint64_t group : {1U, 1U, 1U, 2U}) story.send(at(0), group);
  const Answer two = story.receive(at(1), 2, s(30));
  CHECK(numbers(two) == Numbers{0, 1});
  CHECK(numbers(story.receive(at(1), 10, s(30))) == Numbers{3});
  story.remove(two.messages[0], at(2));
  CHECK(story.receive(at(2)).messages.empty());
  story.remove(two.messages[1], at(3));
  CHECK(numbers(story.receive(at(3))) == Numbers{2});
}

TEST_CASE("what becomes visible again comes before what follows it in its group", "[sqs]") {
  Story story(fifo());
  for (int i = 0; i < 4; ++i) story.send(at(0), 1);
  const Answer three = story.receive(at(1), 3, s(30));
  story.remove(three.messages[1], at(2));
  CHECK(story.queue().change_visibility(three.messages[2].receipt, {}, at(3)) == Error::none);
  CHECK(story.receive(at(3)).messages.empty());
  story.pass(at(31));
  CHECK(numbers(story.receive(at(31))) == Numbers{0, 2, 3});
}

TEST_CASE("a FIFO queue refuses a deletion when the visibility timeout is over", "[sqs]") {
  Story story(fifo());
  story.send(at(0), 1);
  const Answer first = story.receive(at(0), 1, s(10));
  story.pass(at(10));
  CHECK(story.remove(first.messages[0], at(11)) == Error::receipt_handle_expired);
  CHECK(story.queue().change_visibility(first.messages[0].receipt, s(5), at(11)) ==
        Error::receipt_handle_expired);
  const Answer second = story.receive(at(11), 1, s(10));
  CHECK(story.remove(first.messages[0], at(12)) == Error::receipt_handle_expired);
  CHECK(story.remove(second.messages[0], at(12)) == Error::none);
  CHECK(story.remove(second.messages[0], at(13)) == Error::none);
}

TEST_CASE("a dead letter of a group lets the next of the group through, in the same receive", "[sqs]") {
  QueueOptions options = fifo();
  options.redrive = models::sqs::RedrivePolicy{"dead.fifo", 1};
  Story story(options);
  for (int i = 0; i < 2; ++i) story.send(at(0), 1);
  story.receive(at(0), 1, s(5));
  story.pass(at(5));
  CHECK(numbers(story.receive(at(6))) == Numbers{1});
  CHECK(story.told[story.told.size() - 2] == "dead 0");
  CHECK(story.fifo().groups() == 1);
}

TEST_CASE("groups are looked for among the first messages only, in flight or not", "[sqs]") {
  ServiceOptions around;
  around.fifo_window = 3;
  Story story(fifo(), around);
  for (const std::uint64_t group : {1U, 1U, 1U, 2U}) story.send(at(0), group);
  const Answer one = story.receive(at(1), 1, s(30));
  CHECK(numbers(one) == Numbers{0});
  CHECK(story.receive(at(1)).messages.empty());  // group 2 is not seen
  story.remove(one.messages[0], at(2));
  CHECK(numbers(story.receive(at(2), 2, s(30))) == Numbers{1, 2});
  CHECK(numbers(story.receive(at(2))) == Numbers{3});
}

TEST_CASE("a receive goes no further in a group than the window", "[sqs]") {
  ServiceOptions around;
  around.fifo_window = 3;
  Story story(fifo(), around);
  for (int i = 0; i < 5; ++i) story.send(at(0), 1);
  const Answer three = story.receive(at(1), 10, s(30));
  CHECK(numbers(three) == Numbers{0, 1, 2});
  CHECK_FALSE(story.queue().broken());
  for (const Got& got : three.messages) story.remove(got, at(2));
  CHECK(numbers(story.receive(at(3))) == Numbers{3, 4});
}

TEST_CASE("a group whose first message went and whose next is behind the window is received from later",
          "[sqs]") {
  ServiceOptions around;
  around.fifo_window = 2;
  QueueOptions options = fifo();
  options.redrive = models::sqs::RedrivePolicy{"dead.fifo", 1};
  Story story(options, around);
  for (const std::uint64_t group : {1U, 2U, 2U, 2U, 1U}) story.send(at(0), group);
  story.receive(at(0), 1, s(5));
  const Answer second = story.receive(at(0), 10, s(60));
  CHECK(numbers(second) == Numbers{1});
  story.pass(at(5));
  CHECK(story.receive(at(6)).messages.empty());  // 0 is dead, and 4 behind the window of 1 and 2
  CHECK(story.told.back() == "dead 0");
  for (const std::uint64_t number : {2U, 3U, 4U}) {
    if (number == 2) story.remove(second.messages[0], at(7));
    const Answer next = story.receive(at(7), 1, s(60));
    CHECK(numbers(next) == Numbers{number});
    for (const Got& got : next.messages) story.remove(got, at(7));
  }
}

TEST_CASE("what goes behind the window has no place in it", "[sqs]") {
  ServiceOptions around;
  around.fifo_window = 2;
  QueueOptions options = fifo();
  options.retention = s(60);
  for (const bool moved : {false, true}) {
    Story story(options, around);
    for (const std::uint64_t group : {1U, 1U, 2U}) story.send(at(0), group);
    const Answer two = story.receive(at(1), 10, s(100));
    CHECK(numbers(two) == Numbers{0, 1});
    if (moved) CHECK(story.queue().move_one(at(2)));
    story.pass(at(60));
    CHECK(story.told.back() == (moved ? "moved 2" : "expired 2"));
    for (const Got& got : two.messages) story.remove(got, at(61));
    CHECK_FALSE(story.queue().broken());
    for (const std::uint64_t group : {3U, 4U}) story.send(at(62), group);
    CHECK(numbers(story.receive(at(63))) == Numbers{3, 4});
  }
}

TEST_CASE("what waited behind its group's messages in flight expires when they have gone", "[sqs]") {
  QueueOptions options = fifo();
  options.retention = s(60);
  Story story(options);
  story.send(at(0), 1);
  story.send(at(0), 1);
  const Answer first = story.receive(at(1), 1, s(100));
  story.pass(at(65));
  CHECK(story.queue().visible() == 1);
  story.remove(first.messages[0], at(70));
  story.pass(at(70));
  CHECK(story.queue().visible() == 0);
  CHECK(story.told.back() == "expired 1");
}

TEST_CASE("a text is the same message group to whoever says it and no key", "[sqs]") {
  CHECK(models::sqs::group_of("orders") == models::sqs::group_of("orders"));
  CHECK_FALSE(models::sqs::group_of("orders") == models::sqs::group_of("order"));
  CHECK(models::sqs::group_of("orders").id > ~std::uint32_t{0});
}

TEST_CASE("beyond its messages in flight a FIFO queue gives nothing, and no error", "[sqs]") {
  ServiceOptions around;
  around.fifo_in_flight = 1;
  Story story(fifo(), around);
  story.send(at(0), 1);
  story.send(at(0), 2);
  CHECK(story.receive(at(1)).messages.size() == 1);
  const Answer none = story.receive(at(1));
  CHECK(none.messages.empty());
  CHECK(none.error == Error::none);
}

TEST_CASE("a long poll waits for a group to be free", "[sqs]") {
  Story story(fifo());
  story.send(at(0), 1);
  story.send(at(0), 1);
  const Answer first = story.receive(at(0), 1, s(30));
  const PollId poll = story.ask(at(1), 1, s(20), s(30));
  CHECK_FALSE(story.answers[poll.value].there);
  story.remove(first.messages[0], at(2));
  CHECK(numbers(story.answers[poll.value]) == Numbers{1});
}

TEST_CASE("the same receive again gets the same messages, for as long again", "[sqs]") {
  Story story(fifo());
  story.send(at(0), 1);
  const Answer got = story.receive(at(0), 1, s(30));
  const std::vector<models::sqs::Delivered> same{{got.messages[0].receipt, 0, {}, 1, 0}};
  CHECK(story.queue().receive_again(same, s(30), at(20)));
  story.pass(at(49));
  CHECK(story.queue().in_flight() == 1);
  story.remove(got.messages[0], at(49));
  CHECK_FALSE(story.queue().receive_again(same, s(30), at(49)));
}

TEST_CASE("messages of a FIFO queue expire, and their groups go with them", "[sqs]") {
  QueueOptions options = fifo();
  options.retention = s(60);
  Story story(options);
  story.send(at(0), 1);
  story.send(at(10), 1);
  story.send(at(20), 2);
  story.pass(at(60));
  CHECK(story.told.back() == "expired 0");
  story.pass(at(70));
  CHECK(story.told.back() == "expired 1");
  CHECK(story.fifo().groups() == 1);
  story.pass(at(80));
  CHECK(story.fifo().groups() == 0);
  CHECK_FALSE(story.queue().broken());
}

TEST_CASE("an operator's move of a FIFO queue keeps a group's order and leaves groups in flight alone",
          "[sqs]") {
  Story story(fifo());
  for (const std::uint64_t group : {1U, 2U, 2U}) story.send(at(0), group);
  story.receive(at(1), 1, s(100));
  CHECK(story.queue().move_one(at(2)));
  CHECK(story.queue().move_one(at(2)));
  CHECK_FALSE(story.queue().move_one(at(2)));
  CHECK(story.told[story.told.size() - 2] == "moved 1");
  CHECK(story.told.back() == "moved 2");
}

TEST_CASE("a deduplication id is known for five minutes from the first time, deleted or not", "[sqs]") {
  models::sqs::Deduplication known;
  CHECK_FALSE(known.recognises({1, 7, 0}, at(0)));
  CHECK(known.recognises({1, 7, 0}, at(100)));
  CHECK_FALSE(known.recognises({1, 8, 0}, at(100)));
  CHECK_FALSE(known.recognises({1, 7, 5}, at(100)));  // of another group, where the scope is that
  CHECK(known.recognises({1, 7, 0}, at(299.9)));
  CHECK_FALSE(known.recognises({1, 7, 0}, at(300)));
  CHECK(known.size() == 3);
  CHECK_FALSE(known.recognises({9, 9, 9}, at(1000)));
  CHECK(known.size() == 1);
}

TEST_CASE("a flat map holds what was put in and not taken out, whatever the order", "[sqs]") {
  models::sqs::FlatMap<models::sqs::GroupKey, std::uint64_t> map;
  std::map<std::uint64_t, std::uint64_t> plain;
  sim::Stream draw(7, "flat map");
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::uint64_t key = draw.uniform_int(300);
    if (plain.contains(key)) {
      map.remove({key});
      plain.erase(key);
    } else {
      map.add({key}, i);
      plain[key] = i;
    }
    const std::uint64_t other = draw.uniform_int(300);
    const std::uint64_t* const found = map.find({other});
    REQUIRE((found != nullptr) == plain.contains(other));
    if (found != nullptr) REQUIRE(*found == plain[other]);
  }
  CHECK(map.size() == plain.size());
}

TEST_CASE("each message group has its own limit, and a quiet one is forgotten", "[sqs]") {
  models::sqs::GroupLimits limits;
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += limits.admit({1}, 300, at(10)) ? 1 : 0;
  CHECK(admitted == 300);
  CHECK(limits.admit({2}, 300, at(10)));
  CHECK(limits.size() == 2);
  CHECK_FALSE(limits.admit({1}, 300, at(10.001)));
  CHECK(limits.admit({1}, 300, at(10.5)));
  CHECK(limits.admit({3}, 300, at(20)));
  CHECK(limits.size() == 1);
}

TEST_CASE("three hundred calls a second are let through, and no more", "[sqs]") {
  models::sqs::RateLimit limit;
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += limit.admit(300, at(10)) ? 1 : 0;
  CHECK(admitted == 300);
  for (int i = 0; i < 10'000; ++i) admitted += limit.admit(300, at(10 + i * 1e-3)) ? 1 : 0;
  CHECK(admitted <= 300 + 3000);
  CHECK(admitted >= 300 + 2990);
  CHECK(limit.admit(0, at(20)));
}

TEST_CASE("a call that counts for more than a second brings waits for a full bucket and is let through",
          "[sqs]") {
  models::sqs::RateLimit limit;
  CHECK(limit.admit(5, at(10), 10));
  CHECK_FALSE(limit.admit(5, at(11), 10));
  CHECK_FALSE(limit.admit(5, at(11), 1));
  CHECK(limit.admit(5, at(12), 10));
  CHECK(limit.admit(5, at(13.4), 1));
}
