// The in-flight records of a share partition: examples after Kafka's own (SharePartitionTest.java), and random programs against a
// reference that knows records one by one and nothing of batches.

#include "models/kafka/share/share_partition.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "sim/random.hpp"
#include "tests/catch.hpp"

using namespace models;
using namespace models::kafka;
using namespace std::chrono_literals;

namespace {

using State = ShareRecordState;

constexpr ShareMember kAnn = 1;
constexpr ShareMember kBob = 2;

struct Shared {
  explicit Shared(SharePartition::Options options = {}) : records(options) { records.initialize({0, 0, {}}); }

  /// Batches of the log, each of `size` records, from `from` to `to`.
  static std::vector<LogBatch> log(Offset from, Offset to, Offset size) {
    std::vector<LogBatch> batches;
    for (Offset o = from; o < to; o += size) batches.push_back({o, std::min(o + size, to)});
    return batches;
  }
  std::vector<AcquiredRecords> acquire(ShareMember member, const std::vector<LogBatch>& batches,
                                       std::int32_t most = 500,
                                       ShareAcquireMode mode = ShareAcquireMode::batch_optimized) {
    std::vector<AcquiredRecords> acquired;
    const SharePartition::Acquire request{member, mode, most, most, records.next_fetch_offset()};
    records.acquire(request, batches, now, acquired);
    REQUIRE(records.broken() == nullptr);
    return acquired;
  }
  ErrorCode acknowledge(ShareMember member, Offset first, Offset end, AcknowledgeType type,
                        bool store = true) {
    changes.clear();
    const AcknowledgementBatch batch{PartitionIndex{}, first, end, type};
    const ErrorCode error = records.acknowledge(member, {&batch, 1}, now, changes);
    if (error == ErrorCode::none && store) complete(true);
    REQUIRE(records.broken() == nullptr);
    return error;
  }
  void complete(bool stored) {
    records.complete(changes, stored, now);
    records.advance_start();
    REQUIRE(records.broken() == nullptr);
  }
  void release(ShareMember member) {
    changes.clear();
    records.release(member, changes);
    complete(true);
  }
  void pass(sim::Duration d) {
    now += d;
    changes.clear();
    records.expire(now, changes);
    records.advance_start();
    REQUIRE(records.broken() == nullptr);
  }
  State state(Offset o) const { return records.record(o).state; }
  int count(Offset o) const { return records.record(o).delivery_count; }

  SharePartition records;
  sim::Time now{};
  std::vector<ShareStateBatch> changes;
};

}  // namespace

TEST_CASE("what a fetch acquires of one partition does not run on into another", "[share]") {
  Shared one, other;
  for (Shared* s : {&one, &other}) {
    s->acquire(kAnn, Shared::log(0, 4, 4));
    CHECK(s->acknowledge(kAnn, 1, 2, AcknowledgeType::accept) == ErrorCode::none);
    s->release(kAnn);
  }
  CHECK(other.acknowledge(kAnn, 0, 1, AcknowledgeType::release) != ErrorCode::none);
  // Records that go their own way: 0, 2 and 3 are available, and the next partition's begin where these end.
  std::vector<AcquiredRecords> acquired;
  one.records.acquire({kBob, ShareAcquireMode::record_limit, 10, 10, 0}, Shared::log(0, 4, 4), one.now,
                      acquired);
  const std::size_t first = acquired.size();
  REQUIRE(first > 0);
  acquired.back().end = 0;
  acquired.back().delivery_count = other.records.record(0).delivery_count;
  ++acquired.back().delivery_count;
  other.records.acquire({kBob, ShareAcquireMode::record_limit, 10, 10, 0}, Shared::log(0, 4, 4), other.now,
                        acquired);
  REQUIRE(acquired.size() > first);
  CHECK(acquired[first - 1].end == 0);
  CHECK(acquired[first].first == 0);
}

TEST_CASE("what is acquired and accepted moves the start offset", "[share]") {
  Shared s;
  const auto got = s.acquire(kAnn, Shared::log(0, 10, 5));
  REQUIRE(got.size() == 1);
  CHECK((got[0].first == 0 && got[0].end == 10 && got[0].delivery_count == 1));
  CHECK(s.records.next_fetch_offset() == 10);
  CHECK(s.acknowledge(kAnn, 0, 10, AcknowledgeType::accept) == ErrorCode::none);
  CHECK(s.records.start_offset() == 10);
  CHECK(s.records.in_flight() == 0);
}

TEST_CASE("whole batches are acquired, so that max.poll.records is a soft limit", "[share]") {
  Shared s;
  // As lastOffsetFromBatchWithRequestOffset: the batch that holds the last record wanted comes whole.
  CHECK(s.acquire(kAnn, Shared::log(0, 30, 10), 15).back().end == 20);
  CHECK(s.records.next_fetch_offset() == 20);
}

TEST_CASE("acquired records are split where batches of the log hold as many as a poll returns", "[share]") {
  Shared s;
  std::vector<AcquiredRecords> got;
  s.records.acquire({kAnn, ShareAcquireMode::batch_optimized, 10, 100, 0}, Shared::log(0, 35, 5), s.now, got);
  REQUIRE(got.size() == 4);
  CHECK((got[0].end == 10 && got[1].end == 20 && got[2].end == 30 && got[3].end == 35));
}

TEST_CASE("record_limit acquires so many records, and leaves the rest of the batch to others", "[share]") {
  Shared s;
  const auto mode = ShareAcquireMode::record_limit;
  const auto ann = s.acquire(kAnn, Shared::log(0, 10, 10), 4, mode);
  REQUIRE(ann.size() == 1);
  CHECK(ann[0].end == 4);
  CHECK(s.records.next_fetch_offset() == 4);
  CHECK(s.records.end_offset() == 10);
  const auto bob = s.acquire(kBob, Shared::log(0, 10, 10), 4, mode);
  REQUIRE(bob.size() == 1);
  CHECK((bob[0].first == 4 && bob[0].end == 8 && bob[0].delivery_count == 1));
}

TEST_CASE("the window bounds what is in flight, and one stuck record at its start uses it up", "[share]") {
  Shared s({.max_record_locks = 100});
  CHECK(s.acquire(kAnn, Shared::log(0, 100, 1)).back().end == 100);
  CHECK(!s.records.can_acquire());
  CHECK(s.acknowledge(kAnn, 1, 100, AcknowledgeType::accept) == ErrorCode::none);
  CHECK(s.records.start_offset() == 0);
  CHECK(!s.records.can_acquire());
  CHECK(s.acquire(kBob, Shared::log(100, 200, 1)).empty());
  CHECK(s.acknowledge(kAnn, 0, 1, AcknowledgeType::reject) == ErrorCode::none);
  CHECK(s.records.start_offset() == 100);
  CHECK(s.acquire(kBob, Shared::log(100, 200, 1)).size() == 1);
}

TEST_CASE("in a full window what was released can be acquired, and nothing beyond its end", "[share]") {
  Shared s({.max_record_locks = 100});
  s.acquire(kAnn, Shared::log(0, 100, 10));
  CHECK(s.acknowledge(kAnn, 20, 21, AcknowledgeType::release) == ErrorCode::none);
  CHECK(s.records.next_fetch_offset() == 20);
  const auto got = s.acquire(kBob, Shared::log(20, 200, 10));
  REQUIRE(got.size() == 1);
  CHECK((got[0].first == 20 && got[0].end == 21 && got[0].delivery_count == 2));
  CHECK(s.records.end_offset() == 100);
}

TEST_CASE("released records are delivered again until the limit archives them", "[share]") {
  Shared s({.delivery_count_limit = 3});
  for (int i = 1; i <= 3; ++i) {
    const auto got = s.acquire(kAnn, Shared::log(0, 1, 1));
    REQUIRE(got.size() == 1);
    CHECK(got[0].delivery_count == i);
    CHECK(s.acknowledge(kAnn, 0, 1, AcknowledgeType::release) == ErrorCode::none);
  }
  CHECK(s.changes.back().state == State::archived);
  CHECK(s.records.start_offset() == 1);
}

TEST_CASE("a lock's end makes records available with their delivery count, and archives at the limit",
          "[share]") {
  Shared s({.delivery_count_limit = 2});
  s.acquire(kAnn, Shared::log(0, 5, 5));
  CHECK(s.records.next_deadline() == sim::Time{30s});
  s.pass(29s);
  CHECK(s.state(0) == State::acquired);
  s.pass(1s);
  CHECK((s.state(0) == State::available && s.count(0) == 1));
  CHECK(s.acknowledge(kAnn, 0, 5, AcknowledgeType::accept) == ErrorCode::invalid_record_state);
  CHECK(s.acquire(kBob, Shared::log(0, 5, 5)).size() >= 1);
  s.pass(30s);
  CHECK(s.changes.back().state == State::archived);
  CHECK(s.records.start_offset() == 5);
}

TEST_CASE("RENEW moves the end of a lock and changes nothing else", "[share]") {
  Shared s;
  s.acquire(kAnn, Shared::log(0, 5, 5));
  s.pass(20s);
  CHECK(s.acknowledge(kAnn, 0, 5, AcknowledgeType::renew, false) == ErrorCode::none);
  CHECK(s.changes.empty());
  s.pass(20s);
  CHECK((s.state(0) == State::acquired && s.count(0) == 1));
  s.pass(10s);
  CHECK(s.state(0) == State::available);
}

TEST_CASE("only its holder may acknowledge a record, and only as long as it holds it", "[share]") {
  Shared s;
  s.acquire(kAnn, Shared::log(0, 5, 5));
  s.acquire(kBob, Shared::log(5, 10, 5));
  CHECK(s.acknowledge(kBob, 0, 5, AcknowledgeType::accept) == ErrorCode::invalid_record_state);
  CHECK(s.acknowledge(kAnn, 0, 12, AcknowledgeType::accept) == ErrorCode::invalid_request);
  // All or nothing: the first five would have been its own.
  CHECK(s.acknowledge(kAnn, 0, 10, AcknowledgeType::accept) == ErrorCode::invalid_record_state);
  CHECK(s.state(0) == State::acquired);
  CHECK(s.acknowledge(kAnn, 0, 5, AcknowledgeType::accept) == ErrorCode::none);
  // Below the start offset there is nothing to say any more.
  CHECK(s.acknowledge(kAnn, 0, 5, AcknowledgeType::accept) == ErrorCode::none);
}

TEST_CASE("a session's end gives back what it holds as if it had not been delivered", "[share]") {
  Shared s({.delivery_count_limit = 2});
  for (int i = 0; i < 10; ++i) {
    REQUIRE(s.acquire(kAnn, Shared::log(0, 5, 5)).front().delivery_count == 1);
    s.release(kAnn);
    CHECK(s.count(0) == 0);
  }
}

TEST_CASE("what could not be stored is as it was, unless its lock has ended meanwhile", "[share]") {
  Shared s;
  s.acquire(kAnn, Shared::log(0, 5, 5));
  CHECK(s.acknowledge(kAnn, 0, 5, AcknowledgeType::accept, false) == ErrorCode::none);
  CHECK(s.acknowledge(kAnn, 0, 5, AcknowledgeType::accept, false) == ErrorCode::invalid_record_state);
  const std::vector<ShareStateBatch> all{{0, 5, State::acknowledged, 1}};
  s.changes = all;
  s.complete(false);
  CHECK(s.state(0) == State::acquired);
  CHECK(s.acknowledge(kAnn, 0, 5, AcknowledgeType::accept, false) == ErrorCode::none);
  s.now += 31s;
  std::vector<ShareStateBatch> none;
  s.records.expire(s.now, none);
  CHECK(none.empty());
  s.changes = all;
  s.complete(false);
  CHECK((s.state(0) == State::available && s.count(0) == 1));
}

TEST_CASE("a new leader finds what was stored and acquires the gaps anew", "[share]") {
  Shared s;
  s.records.initialize({5, 0, {{10, 15, State::acknowledged, 1}, {20, 25, State::available, 3}}});
  CHECK(s.records.start_offset() == 5);
  CHECK(s.records.end_offset() == 25);
  CHECK(s.records.next_fetch_offset() == 5);
  const auto got = s.acquire(kAnn, Shared::log(0, 40, 10));
  std::map<Offset, int> counts;
  for (const AcquiredRecords& one : got) {
    for (Offset o = one.first; o < one.end; ++o) counts[o] = one.delivery_count;
  }
  CHECK(counts.count(4) == 0);
  CHECK((counts[5] == 1 && counts[9] == 1));
  CHECK(counts.count(10) == 0);
  CHECK(counts[15] == 1);
  // These may be bad, and come without others (throttleRecordsDeliveryLimit).
  CHECK(counts.count(20) == 0);
  const auto bad = s.acquire(kBob, Shared::log(20, 40, 10));
  REQUIRE(!bad.empty());
  CHECK((bad.front().first == 20 && bad.front().delivery_count == 4));
}

TEST_CASE("on its last attempt a record is delivered alone", "[share]") {
  Shared s;
  for (int i = 0; i < 4; ++i) {
    while (!s.acquire(kAnn, Shared::log(0, 8, 8)).empty()) {
    }
    s.pass(30s);
  }
  CHECK(s.count(0) == 4);
  const auto got = s.acquire(kAnn, Shared::log(0, 8, 8));
  REQUIRE(got.size() == 1);
  CHECK((got[0].first == 0 && got[0].end == 1 && got[0].delivery_count == 5));
}

TEST_CASE("what retention removes is no longer in flight", "[share]") {
  Shared s;
  s.acquire(kAnn, Shared::log(0, 20, 5));
  s.records.log_start_moved(12);
  CHECK(s.records.broken() == nullptr);
  CHECK((s.records.start_offset() == 12 && s.records.end_offset() == 20));
  CHECK(s.acknowledge(kAnn, 0, 20, AcknowledgeType::accept) == ErrorCode::none);
  CHECK(s.records.start_offset() == 20);
  s.records.log_start_moved(50);
  CHECK(s.records.next_fetch_offset() == 50);
}

TEST_CASE("an impossible state is found", "[share]") {
  Shared s({.delivery_count_limit = 2});
  s.records.initialize({0, 0, {{0, 5, State::available, 2}}});
  CHECK(s.records.broken() != nullptr);
}

// ---- against a reference ------------------------------------------------------------------------------------------

namespace {

/// Records one by one, as KIP-932's state diagram has them.
struct Reference {
  struct One {
    State state = State::available;
    int count = 0;
    ShareMember member = 0;
    sim::Time until{};
  };
  int limit = 5;
  Offset start = 0;
  std::map<Offset, One> in_flight;

  void settle() {
    while (!in_flight.empty() && in_flight.begin()->first == start &&
           (in_flight.begin()->second.state == State::acknowledged ||
            in_flight.begin()->second.state == State::archived)) {
      in_flight.erase(in_flight.begin());
      ++start;
    }
  }
  void give_back(One& one, int count) {
    one = {count >= limit ? State::archived : State::available, count, 0, {}};
  }
};

struct Program {
  static constexpr ShareMember kMembers = 3;
  explicit Program(std::uint64_t seed) : draw(seed, "share-program") {
    options.delivery_count_limit = 2 + static_cast<int>(pick(4));
    options.max_record_locks = 20 + static_cast<std::int32_t>(pick(60));
    batch = 1 + static_cast<Offset>(pick(9));
    mode = pick(2) == 0 ? ShareAcquireMode::batch_optimized : ShareAcquireMode::record_limit;
    reference.limit = options.delivery_count_limit;
    records = std::make_unique<SharePartition>(options);
    records->initialize({0, 0, {}});
  }
  std::uint64_t pick(std::uint64_t n) { return draw.next() % n; }

  void acquire() {
    const ShareMember member = 1 + pick(kMembers);
    const Offset from = records->next_fetch_offset();
    if (!records->can_acquire()) return;
    std::vector<LogBatch> log;
    for (Offset base = from - from % batch; base < from + 40; base += batch)
      log.push_back({base, base + batch});
    std::vector<AcquiredRecords> acquired;
    const auto most = static_cast<std::int32_t>(1 + pick(30));
    const std::int64_t taken = records->acquire({member, mode, most, most, from}, log, now, acquired);
    std::int64_t sum = 0;
    for (const AcquiredRecords& one : acquired) {
      for (Offset o = one.first; o < one.end; ++o) {
        Reference::One& r = reference.in_flight[o];
        REQUIRE(r.state == State::available);
        r = {State::acquired, r.count + 1, member, now + options.lock_duration};
        REQUIRE(r.count == one.delivery_count);
        ++sum;
      }
    }
    REQUIRE(taken == sum);
    REQUIRE(taken > 0);  // something was available
    if (mode == ShareAcquireMode::record_limit) REQUIRE(sum <= most);
    REQUIRE(records->in_flight() < options.max_record_locks + batch);  // whole batches of the log
    // What is in the window and was not acquired, the rest of a batch, is available.
    for (Offset o = records->start_offset(); o < records->end_offset(); ++o) reference.in_flight[o];
  }
  void acknowledge() {
    if (reference.in_flight.empty()) return;
    const ShareMember member = 1 + pick(kMembers);
    const auto type = static_cast<AcknowledgeType>(pick(5));
    const Offset first = reference.start + static_cast<Offset>(pick(reference.in_flight.size()));
    const Offset end = std::min<Offset>(first + 1 + static_cast<Offset>(pick(12)), records->end_offset());
    bool may = true;
    for (Offset o = first; o < end; ++o) {
      const Reference::One& r = reference.in_flight[o];
      may = may && r.state == State::acquired && r.member == member;
    }
    std::vector<ShareStateBatch> changes;
    const AcknowledgementBatch batch_of{PartitionIndex{}, first, end, type};
    const ErrorCode error = records->acknowledge(member, {&batch_of, 1}, now, changes);
    REQUIRE((error == ErrorCode::none) == may);
    if (type == AcknowledgeType::renew) {
      // What was renewed before an error stays so, as in Kafka: a renewal is no transition that could be undone.
      for (Offset o = first; o < end; ++o) {
        Reference::One& r = reference.in_flight[o];
        if (r.state != State::acquired || r.member != member) return;
        r.until = now + options.lock_duration;
      }
      return;
    }
    if (!may) return;
    const bool stored = pick(5) > 0;
    if (pick(3) == 0) pass();
    records->complete(changes, stored, now);
    records->advance_start();
    for (Offset o = first; o < end; ++o) {
      Reference::One& r = reference.in_flight[o];
      if (!stored) {
        if (r.until <= now) reference.give_back(r, r.count);
      } else if (type == AcknowledgeType::accept) {
        r = {State::acknowledged, r.count, 0, {}};
      } else if (type == AcknowledgeType::release) {
        reference.give_back(r, r.count);
      } else {
        r = {State::archived, r.count, 0, {}};
      }
    }
  }
  /// Time goes by while an acknowledgement is being stored: no lock of a record in transition ends.
  void pass() {
    std::vector<std::pair<Offset, State>> kept;
    for (Offset o = records->start_offset(); o < records->end_offset(); ++o) {
      if (records->record(o).in_transition) kept.push_back({o, State::acquired});
    }
    now += std::chrono::seconds{pick(25)};
    std::vector<ShareStateBatch> changes;
    records->expire(now, changes);
    for (auto& [o, r] : reference.in_flight) {
      const bool in_transition = std::any_of(kept.begin(), kept.end(),
                                             [offset = o](const auto& one) { return one.first == offset; });
      if (r.state == State::acquired && r.until <= now && !in_transition) reference.give_back(r, r.count);
    }
  }
  void release() {
    const ShareMember member = 1 + pick(kMembers);
    std::vector<ShareStateBatch> changes;
    records->release(member, changes);
    records->complete(changes, true, now);
    for (auto& [o, r] : reference.in_flight) {
      if (r.state == State::acquired && r.member == member) r = {State::available, r.count - 1, 0, {}};
    }
  }
  /// The leader dies; the next finds what was stored: here everything but what was merely acquired or passed by.
  void new_leader() {
    ShareGroupState stored{records->start_offset(), 0, {}};
    std::map<Offset, Reference::One> known;
    for (auto& [o, r] : reference.in_flight) {
      if (r.state == State::acquired || r.count == 0) continue;
      stored.batches.push_back({o, o + 1, r.state, static_cast<std::int16_t>(r.count)});
      known[o] = r;
    }
    records->initialize(stored);
    reference.in_flight = known;
    for (Offset o = records->start_offset(); o < records->end_offset(); ++o) reference.in_flight[o];
    std::erase_if(reference.in_flight,
                  [this](const auto& one) { return one.first >= records->end_offset(); });
  }
  void compare() {
    records->advance_start();
    reference.settle();
    REQUIRE(records->broken() == nullptr);
    REQUIRE(records->start_offset() == reference.start);
    REQUIRE(records->in_flight() == static_cast<std::int64_t>(reference.in_flight.size()));
    for (const auto& [o, r] : reference.in_flight) {
      const SharePartition::Record& mine = records->record(o);
      REQUIRE(mine.state == r.state);
      REQUIRE(mine.delivery_count == r.count);
      REQUIRE(mine.member == r.member);
    }
  }
  void step() {
    switch (pick(12)) {
      case 0:
        pass();
        break;
      case 1:
        release();
        break;
      case 2:
        if (pick(4) == 0) new_leader();
        break;
      case 3:
      case 4:
      case 5:
      case 6:
        acquire();
        break;
      default:
        acknowledge();
    }
    compare();
  }

  sim::Stream draw;
  SharePartition::Options options;
  Offset batch = 1;
  ShareAcquireMode mode{};
  std::unique_ptr<SharePartition> records;
  Reference reference;
  sim::Time now{};
};

}  // namespace

TEST_CASE("random programs go as the state diagram has it", "[share]") {
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    INFO("seed " << seed);
    Program program(seed);
    for (int i = 0; i < 60; ++i) program.step();
  }
}
