// The window store of a Streams task: which window a record counts in, and when it comes too late.
#include "models/kafka/consumer/window_counts.hpp"

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using models::WindowOptions;
using models::kafka::ChangeBook;
using models::kafka::WindowStore;

namespace {

sim::Time at(sim::Duration time) {
  return sim::Time{time};
}

}  // namespace

TEST_CASE("a record counts in the window that its timestamp lies in", "[windows]") {
  WindowStore store({.size = 10s});
  CHECK(store.count(1, at(0s)).count == 1);
  CHECK(store.count(1, at(9999ms)).count == 2);
  CHECK(store.count(2, at(9999ms)).count == 1);
  const WindowStore::Counted next = store.count(1, at(10s));
  CHECK(next.window == 10'000);
  CHECK(next.count == 1);
  CHECK(store.size() == 3);
}

TEST_CASE("a window is over at its end, and a grace period later", "[windows]") {
  WindowStore strict({.size = 10s});
  CHECK_FALSE(strict.count(1, at(9s)).dropped);
  CHECK_FALSE(strict.count(1, at(10s)).dropped);
  CHECK(strict.count(1, at(9s)).dropped);  // stream time is 10 s
  WindowStore patient({.size = 10s, .grace = 2s});
  patient.count(1, at(9s));
  patient.count(2, at(11999ms));  // stream time is that of all keys
  CHECK(patient.count(1, at(9s)).count == 2);
  patient.count(2, at(12s));
  CHECK(patient.count(1, at(9s)).dropped);
  CHECK_FALSE(patient.count(1, at(10s)).dropped);
}

TEST_CASE("a task that begins again has seen no time, and its store has", "[windows]") {
  // Stream time is the processor's; a late record is taken for one in time, and its window is not found any more.
  const WindowOptions options{.size = 10s};
  WindowStore store(options);
  store.restore({.key = 1, .window = 0, .count = 7});
  store.restore({.key = 1, .window = 30'000, .count = 3});
  const WindowStore::Counted late = store.count(1, at(5s));
  CHECK_FALSE(late.dropped);
  CHECK(late.count == 1);  // not 8
  CHECK(store.count(1, at(31s)).count == 4);
  CHECK(store.count(1, at(5s)).dropped);  // now it has
}

TEST_CASE("what is older than the store's retention is not stored", "[windows]") {
  // Segments of a minute, and 20 s are kept.
  const WindowOptions options{.size = 10s, .retention = 20s};
  WindowStore store(options);
  store.restore({.key = 1, .window = 0, .count = 7});
  store.restore({.key = 1, .window = 90'000, .count = 1});
  CHECK(store.size() == 1);  // the segment of the first minute is gone
  WindowStore fresh(options);
  fresh.restore({.key = 1, .window = 90'000, .count = 1});
  CHECK(fresh.count(1, at(50s)).dropped);
  CHECK(fresh.count(1, at(65s)).count == 1);
}

TEST_CASE("a longer retention keeps what can still be counted", "[windows]") {
  WindowStore store({.size = 10s, .grace = 30s, .retention = 3600s});
  store.restore({.key = 1, .window = 0, .count = 7});
  store.restore({.key = 1, .window = 30'000, .count = 1});
  CHECK(store.count(1, at(5s)).count == 8);
}

TEST_CASE("the book says what a changelog's records say", "[windows]") {
  ChangeBook book;
  const std::int64_t first = book.add({.key = 4, .window = 10'000, .count = 1});
  const std::int64_t second = book.add({.key = 5, .window = 0, .count = 2});
  const std::vector<std::int64_t> keys{first, second};
  book.written().append(models::LaneId{3}, keys);
  REQUIRE(book.at(models::LaneId{3}, 1) != nullptr);
  CHECK(book.at(models::LaneId{3}, 1)->count == 2);
  CHECK(book.at(models::LaneId{2}, 0) == nullptr);
}
