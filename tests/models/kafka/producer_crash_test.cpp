#include "tests/models/kafka/producer_fixture.hpp"

using namespace producer_test;

TEST_CASE("a crash loses what was buffered, leaves in doubt what was on the wire, and both are on record") {
  ProducerOptions options = at_ms({100, 101, 110, 111});
  options.config.linger = 5ms;
  Shop shop(options);
  shop.cluster->round_trip = 20ms;
  shop.at(112ms, [&] { shop.node.crash(); });
  shop.run(1s);
  const auto failed = shop.of(Kind::failed);
  REQUIRE(failed.size() == 2);
  CHECK(failed[0].a == 0);
  CHECK(failed[0].b == 2);
  CHECK(failed[0].c == 1);
  CHECK(failed[1].a == 2);
  CHECK(failed[1].b == 2);
  CHECK(failed[1].c == 0);
  CHECK(failed[1].code == static_cast<std::uint16_t>(ErrorCode::client_closed));
  CHECK(shop.messages(Kind::offered) == 4);
  CHECK(shop.log() == std::vector<std::int64_t>{0, 1});
  CHECK(shop.messages(Kind::acknowledged) == 0);
  CHECK(shop.producer->idle());
}

TEST_CASE(
    "while the process is down nothing arises, and a restart has a new producer id and goes on with the "
    "lane") {
  ProducerOptions options = at_ms({100, 200, 300, 400});
  Shop shop(options);
  shop.at(150ms, [&] { shop.node.crash(); });
  shop.at(350ms, [&] { shop.node.restart(); });
  shop.run(1s);
  CHECK(shop.messages(Kind::offered) == 2);
  CHECK(shop.messages(Kind::acknowledged) == 2);
  CHECK(shop.log() == std::vector<std::int64_t>{0, 1});
  CHECK(shop.cluster->ids_given == 2);
}

TEST_CASE("an application that remembers sends again after a restart what had no success, as new messages") {
  ProducerOptions options = at_ms({100, 101, 110, 111, 400});
  options.config.linger = 5ms;
  options.keys.count = 10;
  options.keys.rank = sim::Distribution::uniform(0, 9);
  options.resend_after_restart = true;
  Shop shop(options);
  shop.cluster->round_trip = 20ms;
  shop.at(112ms, [&] { shop.node.crash(); });  // two on the wire, two in the buffer
  shop.at(300ms, [&] { shop.node.restart(); });
  shop.run(1s);
  CHECK(shop.messages(Kind::failed) == 4);
  CHECK(shop.messages(Kind::resent) == 4);
  const auto resent = shop.of(Kind::resent);
  CHECK(resent.front().c == 0);
  CHECK(resent.front().a == 4);
  CHECK(shop.messages(Kind::offered) == 9);
  CHECK(shop.messages(Kind::acknowledged) == 5);
  // The broker had the first two: idempotence does not know a new producer id's messages for the old ones.
  CHECK(shop.log() == std::vector<std::int64_t>{0, 1, 4, 5, 6, 7, 8});
  CHECK(shop.producer->idle());
}

TEST_CASE("what was acknowledged before the crash is not sent again") {
  ProducerOptions options = keyless(100'000);
  options.messages = 5'000;
  options.resend_after_restart = true;
  Shop shop(options, 3);
  shop.steps.watch(shop.node.entity(), Step::acknowledged, 1'234, [&] { shop.node.crash(); });
  shop.at(500ms, [&] { shop.node.restart(); });
  shop.run(2s);
  CHECK(shop.messages(Kind::resent) == shop.messages(Kind::failed));
  CHECK(shop.messages(Kind::acknowledged) == shop.messages(Kind::offered) - shop.messages(Kind::failed));
}

TEST_CASE("who stays dead sends nothing again, and is idle") {
  ProducerOptions options = at_ms({100, 101});
  options.resend_after_restart = true;
  Shop shop(options);
  shop.cluster->round_trip = 20ms;
  shop.at(112ms, [&] { shop.node.crash(); });
  shop.run(1s);
  CHECK(shop.messages(Kind::resent) == 0);
  CHECK(shop.producer->idle());
}

TEST_CASE("who is dead when arrivals stop owes nothing, be it a message of that very moment") {
  Shop shop(at_ms({100, 500}));
  shop.at(112ms, [&] { shop.node.crash(); });
  shop.at(500ms, [&] { shop.producer->stop_arrivals(); });
  shop.run(1s);
  CHECK(shop.producer->idle());
}

TEST_CASE("messages of the time after a restart keep their keys") {
  ProducerOptions options = keyless(1'000);
  options.keys.count = 1'000'000;
  options.keys.rank = sim::Distribution::uniform(0, 999'999);
  std::vector<std::int64_t> last_keys;
  for (const bool crash : {false, true}) {
    Shop shop(options);
    if (crash) {
      shop.at(300ms, [&] { shop.node.crash(); });
      shop.at(600ms, [&] { shop.node.restart(); });
    }
    shop.run(1s);
    const Seen offered = shop.of(Kind::offered).back();
    last_keys.push_back(offered.payload[static_cast<std::size_t>(2 * offered.b - 1)]);
  }
  CHECK(last_keys[0] == last_keys[1]);
}

TEST_CASE("messages that wait behind a blocked send() are refused when the process dies") {
  ProducerOptions options = at_ms({100, 101, 102});
  Shop shop(options);
  shop.cluster->metadata_withheld = true;
  shop.at(150ms, [&] { shop.node.crash(); });
  shop.run(1s);
  REQUIRE(shop.of(Kind::refused).size() == 1);
  CHECK(shop.of(Kind::refused)[0].b == 3);
  CHECK(shop.of(Kind::refused)[0].code == static_cast<std::uint16_t>(RefusedCode::closed));
}

TEST_CASE("a crash at the n-th acknowledgement acknowledges n messages and not one more") {
  ProducerOptions options = keyless(100'000);
  options.messages = 5'000;
  Shop shop(options, 3);
  shop.steps.watch(shop.node.entity(), Step::acknowledged, 1'234, [&] { shop.node.crash(); });
  shop.run(1s);
  CHECK(shop.messages(Kind::acknowledged) == 1'234);
  CHECK(shop.messages(Kind::acknowledged) + shop.messages(Kind::failed) == shop.messages(Kind::offered));
  CHECK(shop.producer->idle());
  CHECK(shop.producer->accumulator().available_memory() == 33554432);
}

TEST_CASE("a crash at the n-th acknowledgement without answers") {
  ProducerOptions options = keyless(100'000);
  options.messages = 5'000;
  options.config.acks = 0;
  options.config.enable_idempotence = false;
  Shop shop(options, 3);
  shop.steps.watch(shop.node.entity(), Step::acknowledged, 1'234, [&] { shop.node.crash(); });
  shop.run(1s);
  CHECK(shop.messages(Kind::acknowledged) == 1'234);
  CHECK(shop.messages(Kind::acknowledged) + shop.messages(Kind::failed) == shop.messages(Kind::offered));
}

TEST_CASE("messages that arise during a pause are sent when it ends, created when they arose") {
  ProducerOptions options = at_ms({100, 200, 300});
  Shop shop(options);
  shop.at(150ms, [&] { shop.node.pause(); });
  shop.at(500ms, [&] { shop.node.resume(); });
  shop.run(1s);
  const auto offered = shop.of(Kind::offered);
  REQUIRE(offered.size() == 2);
  CHECK(offered[1].time == Time{505ms});
  CHECK(offered[1].payload == std::vector<std::int64_t>{200'000'000, 300'000'000});
}

TEST_CASE("a closed loop begins anew after a restart") {
  ProducerOptions options;
  options.name = "shop";
  options.closed_loop = ClosedLoop{.outstanding = 3, .think = sim::Distribution::constant(1e6)};
  Shop shop(options);
  shop.at(500ms, [&] { shop.node.crash(); });
  shop.at(600ms, [&] { shop.node.restart(); });
  shop.run(1s);
  std::int64_t under_way = 0;
  bool after_restart = false;
  for (const Seen& s : shop.recorder.seen) {
    if (s.kind == Kind::offered) under_way += s.b;
    if (s.kind == Kind::acknowledged || s.kind == Kind::failed) under_way -= s.b;
    REQUIRE(under_way <= 3);
    after_restart = after_restart || (s.kind == Kind::acknowledged && s.time > Time{650ms});
  }
  CHECK(after_restart);
}
