// What the checkers say of applications with databases, with hand-written records.
#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;
using models::FactRole;
using models::VoteCode;

namespace {

/// Facts 0, 1, 2 of one aggregate.
void commit_three(Story& s) {
  s.fact(0, 5, 0).fact(1, 5, 1).fact(2, 5, 2);
}

}  // namespace

TEST_CASE("facts that are all said once, in order, are no finding") {
  Story s;
  commit_three(s);
  s.offer(0, 3).say(0, 3, 0).at(2ms).store(0, 3, 0).acknowledge(0, 3, 0);
  const auto& o = s.end();
  CHECK(value(o, Metric::facts) == 3);
  CHECK(value(o, Metric::events) == 3);
  CHECK(value(o, Metric::events_lost) == 0);
  CHECK(value(o, Metric::events_invented) == 0);
  CHECK(value(o, Metric::events_duplicated) == 0);
  CHECK(value(o, Metric::events_reordered) == 0);
  CHECK(value(o, Metric::event_delay_max_ms) == Approx(2));
}

TEST_CASE("a fact that no message says is lost") {
  Story s;
  commit_three(s);
  s.offer(0, 2).say(0, 2, 0).store(0, 2, 0).acknowledge(0, 2, 0);
  const auto& o = s.end();
  CHECK(value(o, Metric::events_lost) == 1);
  CHECK(o.anomalies().rows().size() == 1);
}

TEST_CASE("so is one whose message was truncated") {
  Story s;
  commit_three(s);
  s.offer(0, 3).say(0, 3, 0).store(0, 3, 0).acknowledge(0, 3, 0).truncate(2, 1);
  CHECK(value(s.end(), Metric::events_lost) == 1);
}

TEST_CASE("a message that says what no database has committed is invented") {
  Story s;
  s.fact(0, 5, 0).offer(0, 2).say(0, 2, 0).store(0, 2, 0).acknowledge(0, 2, 0);
  const auto& o = s.end();
  CHECK(value(o, Metric::events_invented) == 1);
  CHECK(value(o, Metric::events_lost) == 0);
}

TEST_CASE("a second message of one fact is a duplicate, and out of no order") {
  Story s;
  commit_three(s);
  s.offer(0, 6).say(0, 3, 0).say(3, 3, 0).store(0, 6, 0).acknowledge(0, 6, 0);
  const auto& o = s.end();
  CHECK(value(o, Metric::events_duplicated) == 3);
  CHECK(value(o, Metric::events_reordered) == 0);
}

TEST_CASE("an aggregate's facts that are first said in another order are reordered") {
  Story s;
  commit_three(s);
  s.offer(0, 3).say(0, 1, 1).say(1, 1, 0).say(2, 1, 2).store(0, 3, 0).acknowledge(0, 3, 0);
  CHECK(value(s.end(), Metric::events_reordered) == 1);
}

TEST_CASE("facts of different aggregates, or of different databases, have no order") {
  Story s;
  s.fact(0, 1, 0).fact(1, 2, 1).fact(2, 1, 0, 0, 61);
  s.offer(0, 3).say(0, 1, 1).say(1, 1, 2).say(2, 1, 0).store(0, 3, 0).acknowledge(0, 3, 0);
  CHECK(value(s.end(), Metric::events_reordered) == 0);
}

namespace {

/// Types: 0 ordered, 1 paid, 2 refunded (undoes 1), 3 done, 4 cancelled.
void tell_types(Story& s) {
  const auto type = [&s](std::uint16_t t, FactRole role, std::int64_t undoes) {
    s.record(Kind::fact_type, {.code = t, .a = static_cast<std::int64_t>(role), .b = undoes});
  };
  type(0, FactRole::step, -1);
  type(1, FactRole::step, -1);
  type(2, FactRole::step, 1);
  type(3, FactRole::succeeds, -1);
  type(4, FactRole::fails, -1);
}

struct Fates {
  double done, compensated, stuck, inconsistent;
  bool operator==(const Fates&) const = default;
};

/// What becomes of a saga of these facts.
Fates fates(const std::vector<std::uint16_t>& types) {
  Story s;
  tell_types(s);
  std::int64_t n = 0;
  for (const std::uint16_t type : types) s.fact(n, 9, n, type), ++n;
  const auto& o = s.end();
  CHECK(value(o, Metric::sagas) == 1);
  return {value(o, Metric::sagas_done), value(o, Metric::sagas_compensated), value(o, Metric::sagas_stuck),
          value(o, Metric::sagas_inconsistent)};
}

constexpr Fates kDone{1, 0, 0, 0}, kCompensated{0, 1, 0, 0}, kStuck{0, 0, 1, 0}, kInconsistent{0, 0, 0, 1};

}  // namespace

TEST_CASE("a saga that succeeded and undid nothing is done, one that failed and undid all is compensated") {
  CHECK(fates({0, 1, 3}) == kDone);
  CHECK(fates({0, 1, 2, 4}) == kCompensated);
  CHECK(fates({0, 4}) == kCompensated);
}

TEST_CASE("a saga that neither succeeded nor failed is stuck") {
  CHECK(fates({0, 1}) == kStuck);
  CHECK(fates({0, 1, 2}) == kStuck);
}

TEST_CASE(
    "a saga is inconsistent that kept what it had to undo, undid what it kept, did both, or did a thing "
    "twice") {
  CHECK(fates({0, 1, 4}) == kInconsistent);
  CHECK(fates({0, 1, 2, 3}) == kInconsistent);
  CHECK(fates({0, 1, 2, 3, 4}) == kInconsistent);
  CHECK(fates({0, 1, 1, 3}) == kInconsistent);
}

TEST_CASE(
    "the state of a saga is hidden where the database in which it began knows less, or more, than has "
    "happened") {
  // Types: 0 begun, 1 asked, 2 asked again, 10 and 11 what others answer. 1 answers 10, and 2 answers 11.
  const auto hidden = [](const std::vector<std::uint16_t>& types) {
    Story s;
    const auto type = [&s](std::uint16_t t, std::int64_t answers) {
      s.record(Kind::fact_type, {.code = t, .b = -1, .c = answers});
    };
    type(0, 0);
    type(1, 1 << 10);
    type(2, 1 << 11);
    type(10, -1);
    type(11, -1);
    std::int64_t n = 0;
    for (const std::uint16_t t : types) s.fact(n, 9, n, t, t < 10 ? 60 : 61), ++n;
    const auto& o = s.end();
    return std::pair(value(o, Metric::sagas_hidden), value(o, Metric::saga_unrecorded_max));
  };
  CHECK(hidden({0, 10, 1, 11, 2}) == std::pair(0.0, 1.0));
  CHECK(hidden({0, 10, 1, 11}) == std::pair(0.0, 1.0));
  CHECK(hidden({0}) == std::pair(0.0, 0.0));
  CHECK(hidden({0, 10, 11, 1, 2}) == std::pair(1.0, 2.0));
  // It has noted an answer that nobody has given, or that of another.
  CHECK(hidden({0, 1, 10}) == std::pair(1.0, 1.0));
  CHECK(hidden({0, 10, 2}) == std::pair(1.0, 1.0));
  CHECK(hidden({0, 10, 1, 1}) == std::pair(1.0, 1.0));
  CHECK(hidden({0, 10, 10}) == std::pair(1.0, 1.0));
}

TEST_CASE("hops are counted of sagas that are done, and timed") {
  Story s;
  tell_types(s);
  s.fact(0, 9, 0, 0).at(3ms).fact(1, 9, 1, 1).at(10ms).fact(2, 9, 2, 3);
  s.fact(3, 8, 3, 0).fact(4, 8, 4, 4);
  const auto& o = s.end();
  CHECK(value(o, Metric::saga_hops_mean) == 2);
  CHECK(value(o, Metric::saga_hop_mean_ms) == Approx(5));
}

TEST_CASE("requests are counted by whether they were answered, and timed if so") {
  Story s;
  s.at(5ms).record(Kind::request, {.actor = 80, .a = 1'000'000, .b = 1});
  s.record(Kind::request, {.actor = 80, .a = 2'000'000, .b = 0});
  const auto& o = s.end();
  CHECK(value(o, Metric::requests_answered) == 1);
  CHECK(value(o, Metric::requests_failed) == 1);
  CHECK(value(o, Metric::request_latency_max_ms) == Approx(4));
}

TEST_CASE("a view must hold the last fact of each aggregate") {
  const auto wrong = [](const std::vector<std::int64_t>& taken) {
    Story s;
    commit_three(s);
    s.at(3ms);
    for (const std::int64_t seq : taken)
      s.record(Kind::applied, {.actor = 61, .place = 90, .peer = 70, .a = seq, .b = 5});
    return value(s.end(), Metric::views_wrong);
  };
  CHECK(wrong({0, 1, 2}) == 0);
  CHECK(wrong({2}) == 0);
  CHECK(wrong({0, 1}) == 1);
  CHECK(wrong({0, 2, 1}) == 1);
}

TEST_CASE("how far a view is behind, and whether it has what was written, is counted") {
  Story s;
  s.fact(0, 5, 0).at(4ms).record(Kind::viewed, {.actor = 80, .place = 90, .peer = 70, .a = 0, .b = 0});
  s.at(7ms).record(Kind::applied, {.actor = 61, .place = 90, .peer = 70, .a = 0, .b = 5});
  s.record(Kind::viewed, {.actor = 80, .place = 90, .peer = 70, .a = 0, .b = 1});
  const auto& o = s.end();
  CHECK(value(o, Metric::projection_lag_max_ms) == Approx(7));
  CHECK(value(o, Metric::own_reads) == 2);
  CHECK(value(o, Metric::own_reads_stale) == 1);
}

TEST_CASE("a transaction that one participant commits and another does not is split") {
  const auto vote = [](Story& s, std::uint32_t database, VoteCode code) {
    s.record(Kind::vote, {.code = static_cast<std::uint16_t>(code), .actor = database, .place = 95, .a = 1});
  };
  const auto split = [&vote](VoteCode first, VoteCode second) {
    Story s;
    vote(s, 60, VoteCode::prepared);
    vote(s, 61, VoteCode::prepared);
    s.at(8ms);
    vote(s, 60, first);
    if (second != VoteCode::prepared) vote(s, 61, second);
    const auto& o = s.end();
    CHECK(value(o, Metric::in_doubt_max_ms) == Approx(8));
    return value(o, Metric::decisions_split);
  };
  CHECK(split(VoteCode::committed, VoteCode::committed) == 0);
  CHECK(split(VoteCode::aborted, VoteCode::aborted) == 0);
  CHECK(split(VoteCode::committed, VoteCode::aborted) == 1);
  CHECK(split(VoteCode::committed, VoteCode::prepared) == 1);
}
