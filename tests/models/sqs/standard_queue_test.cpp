// A standard queue by itself: what is visible, in flight, delayed; receipt handles; retention; dead letters; polls.
#include "tests/catch.hpp"
#include "tests/models/sqs/queue_story.hpp"

using namespace sqs_test;
using Numbers = std::vector<std::uint64_t>;

TEST_CASE("what is received is invisible until its visibility timeout is over", "[sqs]") {
  Story story;
  story.send(at(0));
  const Answer first = story.receive(at(1), 10, s(30));
  REQUIRE(numbers(first) == Numbers{0});
  CHECK(first.messages[0].receives == 1);
  CHECK(story.receive(at(2)).messages.empty());
  CHECK(story.queue().in_flight() == 1);
  CHECK(story.queue().next_event() == at(31));
  story.pass(at(30.9));
  CHECK(story.receive(at(30.9)).messages.empty());
  story.pass(at(31));
  const Answer again = story.receive(at(31));
  REQUIRE(numbers(again) == Numbers{0});
  CHECK(again.messages[0].receives == 2);
  CHECK_FALSE(again.messages[0].receipt == first.messages[0].receipt);
}

TEST_CASE("a message is deleted by its last receipt handle, whether it is in flight or visible again",
          "[sqs]") {
  Story story;
  story.send(at(0));
  story.send(at(0));
  const Answer first = story.receive(at(0), 10, s(10));
  CHECK(story.remove(first.messages[0], at(1)) == Error::none);
  CHECK(story.remove(first.messages[0], at(1)) == Error::none);  // again: nothing to do
  story.pass(at(10));
  CHECK(story.queue().visible() == 1);
  CHECK(story.remove(first.messages[1], at(11)) == Error::none);
  CHECK(story.told.back() == "deleted late 1");
  CHECK(story.queue().visible() == 0);
  CHECK(story.receive(at(12)).messages.empty());
  CHECK_FALSE(story.queue().broken());
}

TEST_CASE("an older receipt handle deletes nothing, and says so to nobody", "[sqs]") {
  Story story;
  story.send(at(0));
  const Answer first = story.receive(at(0), 1, s(10));
  story.pass(at(10));
  const Answer second = story.receive(at(11), 1, s(10));
  CHECK(story.remove(first.messages[0], at(12)) == Error::none);
  CHECK(story.queue().in_flight() == 1);
  CHECK(story.remove(second.messages[0], at(12)) == Error::none);
  CHECK(story.queue().in_flight() == 0);
}

TEST_CASE("a slot that is used again does not answer to the handles of the message before", "[sqs]") {
  Story story;
  story.send(at(0));
  const Answer first = story.receive(at(0));
  story.remove(first.messages[0], at(1));
  story.send(at(2));
  const Answer second = story.receive(at(2));
  CHECK(second.messages[0].receipt.slot == first.messages[0].receipt.slot);
  CHECK(story.remove(first.messages[0], at(3)) == Error::none);
  CHECK(story.queue().in_flight() == 1);
  CHECK(story.queue().change_visibility(first.messages[0].receipt, s(0), at(3)) ==
        Error::message_not_inflight);
}

TEST_CASE("ChangeMessageVisibility counts from the call and 0 makes the message visible at once", "[sqs]") {
  Story story;
  story.send(at(0));
  const Answer got = story.receive(at(0), 1, s(30));
  CHECK(story.queue().change_visibility(got.messages[0].receipt, s(30), at(20)) == Error::none);
  story.pass(at(49.9));
  CHECK(story.queue().in_flight() == 1);
  story.pass(at(50));
  CHECK(story.queue().visible() == 1);
  CHECK(story.queue().change_visibility(got.messages[0].receipt, s(5), at(51)) ==
        Error::message_not_inflight);
  const Answer again = story.receive(at(51), 1, s(30));
  CHECK(story.queue().change_visibility(again.messages[0].receipt, s(0), at(52)) == Error::none);
  CHECK(story.told.back() == "released 0");
  CHECK(story.queue().visible() == 1);
}

TEST_CASE("of one receive no more than twelve hours are invisible", "[sqs]") {
  Story story;
  story.send(at(0));
  const Answer got = story.receive(at(0), 1, s(3600));
  const Receipt& receipt = got.messages[0].receipt;
  CHECK(story.queue().change_visibility(receipt, s(43'200), at(0)) == Error::none);
  CHECK(story.queue().change_visibility(receipt, s(43'200), at(1)) == Error::visibility_beyond_limit);
  CHECK(story.queue().change_visibility(receipt, s(43'199), at(1)) == Error::none);
}

TEST_CASE("a delayed message can be received when its delay is over", "[sqs]") {
  Story story;
  story.send(at(0), 0, s(10));
  story.send(at(0), 0, s(5));
  CHECK(story.queue().delayed() == 2);
  CHECK(story.receive(at(4)).messages.empty());
  story.pass(at(5));
  CHECK(numbers(story.receive(at(5))) == Numbers{1});
  story.pass(at(10));
  CHECK(numbers(story.receive(at(10))) == Numbers{0});
  CHECK(story.told == std::vector<std::string>{"stored 0", "delayed 0", "stored 1", "delayed 1", "due 1",
                                               "dispatched 1", "due 0", "dispatched 0"});
}

TEST_CASE("a long poll is answered by the first message, or when its time is over", "[sqs]") {
  Story story;
  const PollId first = story.ask(at(0), 10, s(20), s(30));
  const PollId second = story.ask(at(1), 10, s(20), s(30));
  CHECK_FALSE(story.answers[first.value].there);
  story.send(at(5));
  CHECK(numbers(story.answers[first.value]) == Numbers{0});
  CHECK_FALSE(story.answers[second.value].there);
  CHECK(story.queue().next_event() <= at(21));
  story.pass(at(20.9));
  CHECK_FALSE(story.answers[second.value].there);
  story.pass(at(21));
  CHECK(story.answers[second.value].there);
  CHECK(story.answers[second.value].messages.empty());
  CHECK(story.queue().polls() == 0);
}

TEST_CASE("a poll whose asker has gone is not answered", "[sqs]") {
  Story story;
  const PollId first = story.ask(at(0), 10, s(20), s(30));
  story.queue().forget_poll(first);
  story.send(at(1));
  CHECK_FALSE(story.answers[first.value].there);
  CHECK(story.queue().visible() == 1);
}

TEST_CASE("a short poll asks some servers and may miss what others hold", "[sqs]") {
  ServiceOptions around;
  around.servers = 4;
  Story story({}, around);
  story.send(at(0), 0, {}, 3);
  const PollId miss = story.ask(at(1), 10, {}, s(30), 0b0111);
  CHECK(story.answers[miss.value].messages.empty());
  CHECK(story.answers[miss.value].error == Error::none);
  const PollId hit = story.ask(at(1), 10, {}, s(30), 0b1000);
  CHECK(numbers(story.answers[hit.value]) == Numbers{0});
}

TEST_CASE(
    "beyond its messages in flight a standard queue answers OverLimit to a short poll and keeps a long one",
    "[sqs]") {
  ServiceOptions around = Story::one_server();
  around.standard_in_flight = 2;
  Story story({}, around);
  for (int i = 0; i < 5; ++i) story.send(at(0));
  const Answer two = story.receive(at(1));
  CHECK(numbers(two) == Numbers{0, 1});
  CHECK(story.receive(at(1)).error == Error::over_limit);
  const PollId poll = story.ask(at(1), 10, s(20), s(30));
  CHECK_FALSE(story.answers[poll.value].there);
  story.remove(two.messages[0], at(2));
  CHECK(numbers(story.answers[poll.value]) == Numbers{2});
}

TEST_CASE("what is beyond its retention goes, also from flight when it comes back", "[sqs]") {
  QueueOptions options;
  options.retention = s(60);
  Story story(options);
  story.send(at(0));
  story.send(at(10));
  CHECK(story.queue().next_event() == at(60));
  const Answer got = story.receive(at(50), 1, s(30));
  REQUIRE(numbers(got) == Numbers{0});
  story.pass(at(70));
  CHECK(story.told.back() == "expired 1");
  story.pass(at(80));
  CHECK(story.told[story.told.size() - 2] == "timed out 0");
  CHECK(story.told.back() == "expired 0");
  CHECK(story.queue().visible() + story.queue().in_flight() == 0);
}

TEST_CASE("a message that was sent before others expires before them, though it came later", "[sqs]") {
  QueueOptions options;
  options.retention = s(60);
  Story story(options);
  story.send(at(30));
  story.send_since(at(5), at(31));
  CHECK(story.queue().next_event() == at(65));
  story.pass(at(65));
  CHECK(story.told.back() == "expired 1");
  CHECK(numbers(story.receive(at(66))) == Numbers{0});
}

TEST_CASE(
    "a message that was received maxReceiveCount times goes to the dead letters when its turn comes again",
    "[sqs]") {
  QueueOptions options;
  options.redrive = models::sqs::RedrivePolicy{"dead", 2};
  Story story(options);
  story.send(at(0));
  story.send(at(0));
  for (int i = 0; i < 2; ++i) {
    CHECK(numbers(story.receive(at(10 * i), 1, s(5))) == Numbers{0});
    story.pass(at(10 * i + 5));
  }
  CHECK(story.queue().visible() == 2);  // it is there until somebody asks
  CHECK(numbers(story.receive(at(20), 1, s(5))) == Numbers{1});
  CHECK(story.told[story.told.size() - 2] == "dead 0");
}

TEST_CASE("a message that comes back keeps its place and one that was received three times goes to the back",
          "[sqs]") {
  Story story;
  for (int i = 0; i < 3; ++i) story.send(at(0));
  for (int i = 0; i < 3; ++i) {
    CHECK(numbers(story.receive(at(i), 1, s(1))) == Numbers{0});
    story.pass(at(i + 1));
  }
  CHECK(numbers(story.receive(at(4), 1, s(100))) == Numbers{1});
  story.send(at(5));
  CHECK(numbers(story.receive(at(6), 10, s(100))) == Numbers{2, 0, 3});
}

TEST_CASE("a deletion that a server misses succeeds, and the message comes again", "[sqs]") {
  Story story;
  story.send(at(0));
  story.misses = true;
  const Answer got = story.receive(at(0), 1, s(10));
  CHECK(story.remove(got.messages[0], at(1)) == Error::none);
  CHECK(story.remove(got.messages[0], at(1)) == Error::none);
  CHECK(story.queue().in_flight() == 1);
  CHECK(story.queue().change_visibility(got.messages[0].receipt, s(5), at(2)) == Error::message_not_inflight);
  story.pass(at(10));
  CHECK(story.told.back() == "undeleted 0");
  story.misses = false;
  const Answer again = story.receive(at(11), 1, s(10));
  CHECK(again.messages[0].receives == 2);
  story.remove(again.messages[0], at(12));
  CHECK(story.told.back() == "deleted 0");
}

TEST_CASE("an operator's move takes what is visible, oldest first", "[sqs]") {
  Story story;
  story.send(at(0));
  story.send(at(0));
  story.receive(at(1), 1, s(100));
  CHECK(story.queue().move_one(at(2)));
  CHECK(story.told.back() == "moved 1");
  CHECK_FALSE(story.queue().move_one(at(2)));
  CHECK(story.queue().in_flight() == 1);
}

TEST_CASE("a visibility timeout of 0 leaves the message to whoever asks next", "[sqs]") {
  Story story;
  story.send(at(0));
  story.receive(at(1), 1, {});
  CHECK(story.queue().next_event() == at(1));
  story.pass(at(1));
  CHECK(story.queue().visible() == 1);
}

TEST_CASE("what a standard queue does costs the same however many messages wait, and keeps nothing of them",
          "[sqs]") {
  Story story;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 10; ++i) story.send(at(round));
    for (const Got& got : story.receive(at(round)).messages) story.remove(got, at(round));
    story.told.clear();
  }
  CHECK(story.queue().visible() == 0);
  CHECK_FALSE(story.queue().broken());
  CHECK(story.receive(at(300)).messages.empty());
  story.send(at(301));
  CHECK(story.receive(at(301)).messages[0].receipt.slot < 10);
}
