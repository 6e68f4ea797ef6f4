#include "models/clients/message_source.hpp"

#include <vector>

#include "tests/catch.hpp"

using namespace models;
using namespace std::chrono_literals;
using sim::Duration;
using sim::Time;

namespace {

ProducerOptions open_loop() {
  ProducerOptions options;
  options.arrivals = sim::ArrivalProcess::poisson(1'000);
  options.keys.count = 1'000'000;
  options.keys.rank = sim::Distribution::uniform(0, 999'999);
  options.size = sim::Distribution::uniform(50, 150);
  return options;
}

struct One {
  Time at;
  std::uint32_t key, size;
  bool operator==(const One& o) const { return at == o.at && key == o.key && size == o.size; }
};

std::vector<One> take(MessageSource& source, std::size_t n) {
  std::vector<One> taken;
  while (taken.size() < n && source.next() != sim::kNever) {
    taken.push_back({source.next(), source.key(0), source.size(0)});
    source.pop(1);
  }
  return taken;
}

}  // namespace

TEST_CASE("messages are the same however far somebody looked ahead") {
  MessageSource careful(1, "shop", open_loop());
  careful.start(Time{});
  const auto one_by_one = take(careful, 5'000);
  MessageSource curious(1, "shop", open_loop());
  curious.start(Time{});
  std::vector<One> in_blocks;
  for (std::size_t n = 1; in_blocks.size() < 5'000; n = n * 3 % 1'001) {
    REQUIRE(curious.look_ahead(2 * n) >= 2 * n);
    for (std::size_t i = 0; i < n && in_blocks.size() < 5'000; ++i) {
      in_blocks.push_back({curious.times()[0], curious.keys()[0], curious.sizes()[0]});
      curious.pop(1);
    }
  }
  CHECK(one_by_one == in_blocks);
}

TEST_CASE("names and seeds make different messages") {
  MessageSource a(1, "a", open_loop()), b(1, "b", open_loop()), c(2, "a", open_loop());
  for (MessageSource* s : {&a, &b, &c}) s->start(Time{});
  const auto from_a = take(a, 10);
  CHECK_FALSE(from_a == take(b, 10));
  CHECK_FALSE(from_a == take(c, 10));
}

TEST_CASE("message i has the same key and size whatever the arrivals are") {
  ProducerOptions slower = open_loop();
  slower.arrivals = sim::ArrivalProcess::constant(10);
  MessageSource a(1, "shop", open_loop()), b(1, "shop", slower);
  a.start(Time{});
  b.start(Time{});
  const auto first = take(a, 100), second = take(b, 100);
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(first[i].key == second[i].key);
    CHECK(first[i].size == second[i].size);
  }
}

TEST_CASE("a limit of messages ends the source") {
  ProducerOptions options = open_loop();
  options.messages = 300;
  MessageSource source(1, "shop", options);
  source.start(Time{});
  CHECK_FALSE(source.exhausted());
  CHECK(take(source, 1'000).size() == 300);
  CHECK(source.exhausted());
}

TEST_CASE("nothing arises after a stop, and nothing before it is lost") {
  MessageSource whole(1, "shop", open_loop()), stopped(1, "shop", open_loop());
  whole.start(Time{});
  stopped.start(Time{});
  stopped.look_ahead(10);
  stopped.stop(Time{2s});
  const auto expected = take(whole, 5'000), got = take(stopped, 5'000);
  REQUIRE(got.size() > 1'500);
  CHECK(got.back().at <= Time{2s});
  CHECK(expected[got.size()].at > Time{2s});
  CHECK(std::equal(got.begin(), got.end(), expected.begin()));
  CHECK(stopped.exhausted());
}

TEST_CASE("what would have arisen while the process was down is passed over with its keys") {
  MessageSource whole(1, "shop", open_loop()), broken(1, "shop", open_loop());
  whole.start(Time{});
  broken.start(Time{});
  take(broken, 100);
  broken.skip_to(Time{3s});
  const auto later = take(broken, 100);
  REQUIRE(later[0].at >= Time{3s});
  auto expected = take(whole, 10'000);
  while (expected.front().at < Time{3s}) expected.erase(expected.begin());
  CHECK(std::equal(later.begin(), later.end(), expected.begin()));
}

TEST_CASE("a replay arises at its times and ends") {
  ProducerOptions options;
  options.arrivals = sim::ArrivalProcess::replay({Time{1ms}, Time{5ms}, Time{5ms}});
  MessageSource source(1, "shop", options);
  source.start(Time{});
  const auto got = take(source, 10);
  REQUIRE(got.size() == 3);
  CHECK(got[2].at == Time{5ms});
  CHECK(source.constant_size());
  CHECK(source.exhausted());
}

TEST_CASE("a closed loop's messages arise when their predecessors are answered") {
  ProducerOptions options;
  options.closed_loop = ClosedLoop{.outstanding = 2, .think = sim::Distribution::constant(3e6)};
  options.messages = 5;
  MessageSource source(1, "shop", options);
  source.start(Time{});
  CHECK(take(source, 10).size() == 2);
  CHECK(source.next() == sim::kNever);
  CHECK_FALSE(source.exhausted());
  source.release(Time{10ms}, 2);
  CHECK(source.next() == Time{13ms});
  CHECK(take(source, 10).size() == 2);
  source.release(Time{20ms}, 2);
  CHECK(take(source, 10).size() == 1);
  CHECK(source.exhausted());
}

TEST_CASE("a closed loop stops though a message of it waits to be taken") {
  ProducerOptions options;
  options.closed_loop = ClosedLoop{.outstanding = 2, .think = sim::Distribution::constant(3e6)};
  MessageSource source(1, "shop", options);
  source.start(Time{});
  source.stop(Time{1s});
  CHECK(source.known() == 2);
  source.pop(2);
  source.release(Time{2s}, 2);
  CHECK(source.exhausted());
}
