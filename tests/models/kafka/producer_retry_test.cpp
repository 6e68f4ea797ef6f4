#include <set>

#include "tests/models/kafka/producer_fixture.hpp"

using namespace producer_test;

namespace {

/// One message per request, several requests under way.
ProducerOptions one_by_one(bool idempotent) {
  ProducerOptions options = at_ms({100, 101, 102, 103, 104, 105});
  options.config.linger = 0ms;
  options.config.enable_idempotence = idempotent;
  return options;
}

std::vector<std::int64_t> in_order(std::int64_t n) {
  std::vector<std::int64_t> seqs;
  for (std::int64_t i = 0; i < n; ++i) seqs.push_back(i);
  return seqs;
}

}  // namespace

TEST_CASE("a retry without idempotence overtakes nothing, it is overtaken: order is lost") {
  Shop shop(one_by_one(false));
  shop.cluster->round_trip = 10ms;
  shop.cluster->fates[1] = {.error = ErrorCode::not_enough_replicas};
  shop.run(1s);
  CHECK(shop.log() == std::vector<std::int64_t>{0, 2, 3, 4, 5, 1});
  CHECK(shop.messages(Kind::acknowledged) == 6);
}

TEST_CASE("with idempotence a failed batch holds back those behind it: order is kept") {
  Shop shop(one_by_one(true));
  shop.cluster->round_trip = 10ms;
  shop.cluster->fates[1] = {.error = ErrorCode::not_enough_replicas};
  shop.run(1s);
  CHECK(shop.log() == in_order(6));
  CHECK(shop.messages(Kind::acknowledged) == 6);
  CHECK(shop.producer->sequences().producer_epoch() == 0);  // nobody had to start anew
}

TEST_CASE("with one request in flight order is kept without idempotence") {
  ProducerOptions options = one_by_one(false);
  options.config.max_in_flight_requests_per_connection = 1;
  Shop shop(options);
  shop.cluster->round_trip = 10ms;
  shop.cluster->fates[1] = {.error = ErrorCode::not_enough_replicas};
  shop.run(1s);
  CHECK(shop.log() == in_order(6));
}

TEST_CASE("a lost acknowledgement is a duplicate in the log without idempotence, and none with it") {
  for (const bool idempotent : {false, true}) {
    Shop shop(one_by_one(idempotent));
    shop.cluster->round_trip = 500us;
    shop.cluster->fates[2] = {.answer_lost = true};
    shop.run(1s);
    CHECK(shop.log().size() == (idempotent ? 6 : 7));
    CHECK(shop.messages(Kind::acknowledged) == 6);
    if (idempotent) CHECK(shop.log() == in_order(6));
    CHECK(shop.cluster->metadata_requests > 0);
  }
}

TEST_CASE("a duplicate is acknowledged with the offset of the first copy") {
  Shop shop(one_by_one(true));
  shop.cluster->round_trip = 500us;
  shop.cluster->fates[2] = {.answer_lost = true};
  shop.run(1s);
  for (const Seen& acknowledged : shop.of(Kind::acknowledged)) CHECK(acknowledged.c == acknowledged.a);
}

TEST_CASE("DUPLICATE_SEQUENCE_NUMBER is success without an offset") {
  Shop shop(one_by_one(true));
  shop.cluster->round_trip = 500us;
  shop.cluster->fates[5] = {.error = ErrorCode::duplicate_sequence_number};
  shop.run(1s);
  CHECK(shop.messages(Kind::acknowledged) == 6);
  CHECK(shop.of(Kind::acknowledged).back().c == -1);
}

TEST_CASE("retries wait 100 ms, 200 ms and so on, each within 20 per cent, at most a second") {
  ProducerOptions options = at_ms({100});
  options.config.linger = 0ms;
  Shop shop(options);
  for (int i = 0; i < 6; ++i) shop.cluster->fates[i] = {.error = ErrorCode::not_enough_replicas};
  shop.start();
  const double expected[] = {100, 200, 400, 800, 1000, 1000};
  double sent_ms = 100;
  for (int i = 0; i < 6; ++i) {
    INFO("retry " << i);
    const double answered = sent_ms + 2;
    double found = 0;
    for (double ms = answered; ms < answered + 1300 && found == 0; ms += 0.5) {
      shop.run_until(Duration{static_cast<std::int64_t>(ms * 1e6)});
      if (shop.cluster->requests == i + 2) found = ms;
    }
    CHECK(found - answered >= 0.8 * expected[i] - 0.6);
    CHECK(found - answered <= std::min(1.2 * expected[i], 1000.0) + 0.6);
    sent_ms = found;
  }
  shop.run_until(60s);
  CHECK(shop.messages(Kind::acknowledged) == 1);
}

TEST_CASE("a retry does not wait once another leader is known") {
  ProducerOptions options = at_ms({100});
  options.config.linger = 0ms;
  Shop shop(options);
  shop.cluster->fates[0] = {.error = ErrorCode::not_leader_or_follower};
  shop.at(110ms, [&] {
    shop.cluster->leaders[0].epoch = 1;
    shop.cluster->publish_metadata();
  });
  shop.run(1s);
  CHECK(shop.cluster->metadata_requests == 1);
  REQUIRE(shop.of(Kind::acknowledged).size() == 1);
  CHECK(shop.of(Kind::acknowledged)[0].time == Time{112ms});
}

TEST_CASE("errors that are not retriable fail at once and are surely not written") {
  ProducerOptions options = at_ms({100, 200});
  options.config.linger = 0ms;
  options.config.enable_idempotence = false;
  Shop shop(options);
  shop.cluster->fates[0] = {.error = ErrorCode::invalid_producer_epoch};
  shop.run(1s);
  REQUIRE(shop.of(Kind::failed).size() == 1);
  CHECK(shop.of(Kind::failed)[0].c == 0);
  CHECK(shop.log() == std::vector<std::int64_t>{1});
}

TEST_CASE("a failure that leaves a gap raises the epoch, and numbers start again from 0") {
  ProducerOptions options = at_ms({100, 200, 300});
  options.config.linger = 0ms;
  Shop shop(options);
  shop.cluster->fates[1] = {.error = ErrorCode::message_too_large};
  shop.run(1s);
  REQUIRE(shop.cluster->logs[0].size() == 2);
  CHECK(shop.cluster->logs[0][0].epoch == 0);
  CHECK(shop.cluster->logs[0][1].epoch == 1);
  CHECK(shop.cluster->logs[0][1].base_sequence == 0);
  CHECK(shop.producer->sequences().producer_epoch() == 1);
}

TEST_CASE("retries can be used up") {
  ProducerOptions options = at_ms({100});
  options.config.linger = 0ms;
  options.config.retries = 2;
  Shop shop(options);
  for (int i = 0; i < 10; ++i) shop.cluster->fates[i] = {.error = ErrorCode::not_enough_replicas};
  shop.run(1s);
  CHECK(shop.cluster->requests == 3);
  REQUIRE(shop.of(Kind::failed).size() == 1);
  CHECK(shop.of(Kind::failed)[0].code == static_cast<std::uint16_t>(ErrorCode::not_enough_replicas));
}

// ---- delivery.timeout.ms ----------------------------------------------------------------------------------

TEST_CASE("what was never sent expires delivery.timeout.ms after its batch was created, surely unwritten") {
  ProducerOptions options = at_ms({100, 103});
  Shop shop(options);
  shop.cluster->unreachable = true;
  shop.run(1s);
  const auto failed = shop.of(Kind::failed);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].time == Time{120'100ms});
  CHECK(failed[0].b == 2);
  CHECK(failed[0].c == 0);
  CHECK(failed[0].code == static_cast<std::uint16_t>(ErrorCode::delivery_timed_out));
  CHECK(shop.cluster->connects > 0);
  CHECK(shop.producer->idle());
}

TEST_CASE("what is on the wire when it expires may be written, and a late answer changes nothing") {
  for (const bool idempotent : {false, true}) {
    ProducerOptions options = at_ms({100, 200'000});
    options.config.linger = 0ms;
    options.config.enable_idempotence = idempotent;
    Shop shop(options);
    shop.cluster->fates[0] = {.slower = 150s};
    shop.run(210s);
    const auto failed = shop.of(Kind::failed);
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].time == Time{120'100ms});
    CHECK(failed[0].c == 1);
    CHECK(shop.log() == std::vector<std::int64_t>{0, 1});
    CHECK(shop.messages(Kind::acknowledged) == 1);
    CHECK(shop.producer->idle());
    CHECK(shop.producer->accumulator().available_memory() == 33554432);
  }
}

TEST_CASE("a batch that expires after an attempt in doubt may be written") {
  ProducerOptions options = at_ms({100});
  options.config.linger = 0ms;
  Shop shop(options);
  shop.cluster->fates[0] = {.answer_lost = true};
  shop.at(102ms, [&] { shop.cluster->unreachable = true; });
  shop.run(1s);
  REQUIRE(shop.of(Kind::failed).size() == 1);
  CHECK(shop.of(Kind::failed)[0].c == 1);
}

TEST_CASE("after an expiry in doubt the next batch starts a new epoch") {
  ProducerOptions options = at_ms({100, 130'000});
  options.config.linger = 0ms;
  Shop shop(options);
  shop.cluster->fates[0] = {.request_lost = true};
  shop.at(103ms, [&] { shop.cluster->unreachable = true; });
  shop.at(129s, [&] { shop.cluster->unreachable = false; });
  shop.run(200s);
  CHECK(shop.messages(Kind::failed) == 1);
  CHECK(shop.log() == std::vector<std::int64_t>{1});
  REQUIRE(shop.cluster->logs[0].size() == 1);
  CHECK(shop.cluster->logs[0][0].epoch == 1);
}

// ---- the application sends again --------------------------------------------------------------------------

TEST_CASE("the application's resend is a new message that names the old one") {
  ProducerOptions options = at_ms({100, 101, 102});
  options.resend = true;
  options.keys.count = 10;
  options.keys.rank = sim::Distribution::uniform(0, 9);
  Shop shop(options);
  shop.cluster->fates[0] = {.slower = 150s};
  shop.run(1s);
  REQUIRE(shop.messages(Kind::failed) == 3);
  const auto resent = shop.of(Kind::resent);
  REQUIRE(resent.size() == 1);
  CHECK(resent[0].a == 3);
  CHECK(resent[0].b == 3);
  CHECK(resent[0].c == 0);
  CHECK(resent[0].payload == std::vector<std::int64_t>{resent[0].lane});
  const auto offered = shop.of(Kind::offered);
  REQUIRE(offered.size() == 2);
  CHECK(offered[1].payload[0] == nanoseconds(Time{120'100ms}));
  // The same keys, in the same order; and the log has every message twice: the time-out was wrong about the
  // first.
  CHECK(std::equal(offered[0].payload.begin() + 3, offered[0].payload.end(), offered[1].payload.begin() + 3));
  CHECK(shop.log() == in_order(6));
  CHECK(shop.messages(Kind::acknowledged) == 3);
}

TEST_CASE("every offered message is acknowledged or has failed, once, under random failures") {
  const ErrorCode errors[] = {ErrorCode::none, ErrorCode::not_leader_or_follower,
                              ErrorCode::request_timed_out, ErrorCode::not_enough_replicas_after_append,
                              ErrorCode::message_too_large};
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    const bool idempotent = seed % 2 == 0;
    ProducerOptions options = keyless(3'000);
    options.resend = seed % 3 == 0;
    options.config.enable_idempotence = idempotent;
    options.config.delivery_timeout = 2s;
    options.config.request_timeout = 1s;
    Shop shop(options, 3, seed);
    shop.cluster->spread(2);
    sim::Stream dice(seed, "dice");
    for (int i = 0; i < 400; ++i) {
      if (dice.bernoulli(0.6)) continue;
      shop.cluster->fates[i] = {
          .error = errors[dice.uniform_int(5)],
          .answer_lost = dice.bernoulli(0.2),
          .request_lost = dice.bernoulli(0.2),
          .slower = Duration{static_cast<std::int64_t>(dice.uniform_int(3'000'000'000))}};
    }
    shop.run(5s);
    REQUIRE(shop.producer->idle());
    CHECK(shop.messages(Kind::acknowledged) + shop.messages(Kind::failed) == shop.messages(Kind::offered));
    CHECK(shop.producer->accumulator().available_memory() == 33554432);
    std::set<std::pair<std::uint32_t, std::int64_t>> settled;
    for (const Seen& s : shop.recorder.seen) {
      if (s.kind != Kind::acknowledged && s.kind != Kind::failed) continue;
      for (std::int64_t i = 0; i < s.b; ++i) REQUIRE(settled.insert({s.lane, s.a + i}).second);
    }
    // Within one life of an idempotent producer nothing is written twice or out of order.
    for (std::size_t p = 0; p < 3 && idempotent; ++p) {
      const auto log = shop.log(p);
      CHECK(std::is_sorted(log.begin(), log.end()));
      CHECK(std::adjacent_find(log.begin(), log.end()) == log.end());
    }
    // What was acknowledged is in the log; what surely was not written is not.
    std::set<std::pair<std::uint32_t, std::int64_t>> stored;
    for (std::size_t p = 0; p < 3; ++p) {
      const std::uint32_t lane = shop.producer->accumulator()[static_cast<std::uint32_t>(p)].lane.value;
      for (const std::int64_t seq : shop.log(p)) stored.insert({lane, seq});
    }
    for (const Seen& s : shop.recorder.seen) {
      if (s.kind != Kind::acknowledged && (s.kind != Kind::failed || s.c != 0)) continue;
      for (std::int64_t i = 0; i < s.b; ++i) {
        const std::size_t copies = stored.count({s.lane, s.a + i});
        REQUIRE(copies == (s.kind == Kind::acknowledged ? 1 : 0));
      }
    }
  }
}

TEST_CASE(
    "before KIP-91 a batch expires request.timeout.ms after its creation and linger.ms, and only unsent") {
  ProducerOptions options = at_ms({100});
  options.config.enable_idempotence = false;
  options.config.linger = 50ms;
  options.config.request_timeout = 300ms;
  options.config.delivery_timeout = 1h;
  const auto failed_at = [&options](bool unreachable, const char* version) {
    const ProtocolRules rules(*parse_version(version));
    Shop shop(options, 1, 1, true, rules);
    shop.cluster->unreachable = unreachable;
    shop.cluster->fates[0] = {.slower = 5s};
    shop.run(10s);
    const std::vector<Seen> failed = shop.of(Kind::failed);
    return failed.empty() ? sim::Time{} : failed[0].time;
  };
  CHECK(failed_at(true, "2.0") == sim::Time{450ms});
  CHECK(failed_at(false, "2.0") == sim::Time{});  // in flight it is waited for
  options.config.delivery_timeout = 350ms;
  CHECK(failed_at(true, "2.1") == sim::Time{450ms});
  CHECK(failed_at(false, "2.1") == sim::Time{450ms});
}

TEST_CASE(
    "before KIP-91 a batch that is retried expires request.timeout.ms and the back-off after it came back") {
  ProducerOptions options = at_ms({100});
  options.config.enable_idempotence = false;
  options.config.linger = 0ms;
  options.config.retries = 10;
  options.config.request_timeout = 300ms;
  options.config.retry_backoff = options.config.retry_backoff_max = 100ms;
  Shop shop(options, 1, 1, true, ProtocolRules(*parse_version("2.0")));
  shop.cluster->round_trip = 10ms;
  shop.cluster->fates[0] = {.error = ErrorCode::not_enough_replicas};
  shop.simulation.schedule_at(sim::Time{105ms}, [&shop] { shop.cluster->unreachable = true; });
  shop.run(5s);
  const std::vector<Seen> failed = shop.of(Kind::failed);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].time == sim::Time{510ms});
}
