// The log of a stream: segments and retention, where readers begin, what two logs have in common, what is known of publishers.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "models/rabbitmq/stream_log.hpp"
#include "sim/random.hpp"
#include "tests/catch.hpp"

using namespace models::rabbitmq;
using models::LaneId;
using models::Pool;
using models::Ref;
using std::chrono::seconds;

namespace {

sim::Time at(int s) {
  return sim::Time{seconds{s}};
}

/// Writes chunks of messages of 46 bytes: a chunk of one has 98 bytes, of two 148.
struct Writer {
  explicit Writer(StreamLogOptions options = {}) : log(options) {}
  Ref<Chunk> chunk(std::size_t messages, std::uint32_t epoch = 1, int when = 0) {
    Ref<Chunk> c = pool.take();
    c->first = log.end();
    c->epoch = epoch;
    c->written = at(when);
    for (std::size_t i = 0; i < messages; ++i) c->entries.push_back({next++, 0, LaneId{1}, {}, 46});
    return c;
  }
  bool write(std::size_t messages, std::uint32_t epoch = 1, int when = 0) {
    return log.append(chunk(messages, epoch, when));
  }
  Pool<Chunk> pool;
  StreamLog log;
  std::uint64_t next = 0;
};

StreamOffset from(StreamOffset::At where, std::int64_t offset = 0, int ago = 0) {
  return {where, offset, seconds{ago}};
}

}  // namespace

TEST_CASE("a stream's segment is closed by the first chunk that finds it full", "[stream]") {
  Writer w({.max_segment_bytes = 196});
  CHECK_FALSE(w.write(1));
  CHECK_FALSE(w.write(1));  // 196 bytes: full now
  CHECK(w.log.segments() == 1);
  CHECK(w.write(1));
  CHECK(w.log.segments() == 2);
  CHECK(w.log.bytes() == 3 * 98);
  Writer chunks({.max_segment_chunks = 2});
  chunks.write(1);
  chunks.write(1);
  CHECK(chunks.write(1));
}

TEST_CASE("retention by bytes keeps the youngest segments that fit and always the last", "[stream]") {
  Writer w({.max_segment_bytes = 98, .max_bytes = 200});
  for (int i = 0; i < 4; ++i) w.write(1);
  CHECK(w.log.segments() == 4);
  CHECK(w.log.retain(at(0)) == 2);
  CHECK(w.log.start() == 2);
  CHECK(w.log.end() == 4);
  Writer small({.max_segment_bytes = 98, .max_bytes = 1});
  for (int i = 0; i < 4; ++i) small.write(1);
  CHECK(small.log.retain(at(0)) == 3);
  CHECK(small.log.start() == 3);
}

TEST_CASE("retention by age goes by a segment's last chunk and leaves the active one", "[stream]") {
  Writer w({.max_segment_bytes = 196, .max_age = seconds{10}});
  w.write(1, 1, 0);
  CHECK_FALSE(w.log.ages());
  w.write(1, 1, 5);
  w.write(1, 1, 6);
  CHECK(w.log.ages());
  CHECK(w.log.retain(at(15)) == 0);
  CHECK(w.log.retain(at(16)) == 1);
  CHECK(w.log.start() == 2);
  CHECK(w.log.retain(at(1000)) == 0);
}

TEST_CASE("a reader begins at the first or the last chunk or the next or an offset or a time", "[stream]") {
  using At = StreamOffset::At;
  Writer w({.max_segment_bytes = 196, .max_bytes = 300});
  for (int i = 0; i < 6; ++i) w.write(2, 1, i);
  w.log.retain(at(6));
  CHECK(w.log.start() == 8);
  CHECK(w.log.attach(from(At::first), at(6)) == 8);
  CHECK(w.log.attach(from(At::last), at(6)) == 10);
  CHECK(w.log.attach(from(At::next), at(6)) == 12);
  CHECK(w.log.attach(from(At::offset, 9), at(6)) == 9);
  CHECK(w.log.attach(from(At::offset, 3), at(6)) == 8);
  CHECK(w.log.attach(from(At::offset, 99), at(6)) == 99);
  CHECK(w.log.attach(from(At::ago, 0, 1), at(6)) == 10);
  CHECK(w.log.attach(from(At::ago, 0, 100), at(6)) == 8);
  CHECK(w.log.attach(from(At::ago, 0, 0), at(6)) == 12);
  // A chunk of stored offsets is none that a reader asks for.
  Ref<Chunk> facts = w.chunk(0);
  facts->stored.push_back({ReferenceId{1}, 7, {}, {}});
  w.log.append(facts);
  CHECK(w.log.end() == 13);
  CHECK(w.log.attach(from(At::last), at(6)) == 10);
}

TEST_CASE("a log keeps what the leader's has in the last epoch that both know", "[stream]") {
  Writer leader;
  Writer other;
  for (int i = 0; i < 3; ++i) {
    leader.write(1, 1);
    other.write(1, 1);
  }
  other.write(1, 1);  // not replicated
  leader.write(1, 2);
  leader.write(1, 2);
  CHECK(other.log.agrees_until(leader.log.epoch_ends()) == 3);
  other.log.truncate(3);
  CHECK(other.log.end() == 3);
  CHECK(other.log.tail().epoch == 1);
  Writer empty;
  CHECK(empty.log.agrees_until(leader.log.epoch_ends()) == 0);
  CHECK(leader.log.tail().epoch == 2);
}

TEST_CASE("publishing ids and stored offsets outlive retention and go with what is cut off", "[stream]") {
  Writer w({.max_segment_bytes = 98, .max_bytes = 98});
  const auto publish = [&](std::uint64_t id) {
    Ref<Chunk> c = w.chunk(1);
    c->entries[0].writer = WriterId{7};
    c->entries[0].publishing_id = id;
    c->stored.push_back({ReferenceId{1}, static_cast<std::int64_t>(10 * id), {}, {}});
    w.log.append(c);
  };
  CHECK_FALSE(w.log.publishing_id(WriterId{7}));
  CHECK_FALSE(w.log.stored(ReferenceId{1}));
  for (std::uint64_t id = 1; id <= 4; ++id) publish(id);
  w.log.retain(at(0));
  CHECK(w.log.start() == 3);
  CHECK(w.log.publishing_id(WriterId{7}) == 4U);
  CHECK(w.log.stored(ReferenceId{1}) == 40);
  publish(5);
  w.log.truncate(4);
  CHECK(w.log.publishing_id(WriterId{7}) == 4U);
  w.log.truncate(3);
  CHECK(w.log.publishing_id(WriterId{7}) == 3U);
  CHECK(w.log.stored(ReferenceId{1}) == 30);
  w.log.reset(9);
  CHECK(w.log.end() == 9);
  CHECK_FALSE(w.log.publishing_id(WriterId{7}));
}

TEST_CASE("a copy that differs from its leader's log where that is committed is found out", "[stream]") {
  Writer leader;
  StreamLog copy({});
  for (int i = 0; i < 3; ++i) {
    leader.write(1);
    copy.append(leader.log.share(leader.log.chunks() - 1));
  }
  CHECK_FALSE(copy_fault(copy, 3, leader.log, 3));
  CHECK(copy_fault(copy, 4, leader.log, 3)->find("ends at 3") == 0);
  copy.truncate(2);
  Ref<Chunk> other = leader.pool.take();  // at the same offset
  other->first = 2;
  other->entries.push_back({9, 0, LaneId{1}, {}, 46});
  copy.append(other);
  CHECK(copy.end() == 3);
  CHECK_FALSE(copy_fault(copy, 2, leader.log, 3));
  CHECK(copy_fault(copy, 3, leader.log, 3)->find("holds another chunk") == 0);
}

/// The same, said plainly: a list of messages with their chunks, and one of segments.
TEST_CASE("random programs on a log do what a plain list does", "[stream]") {
  struct Plain {
    struct One {
      std::int64_t first, end, bytes;
      std::uint32_t epoch;
      sim::Time written;
      std::size_t segment;
    };
    std::vector<One> chunks;
    std::size_t segment = 0;
    std::int64_t start = 0, end = 0;
    std::int64_t size_of(std::size_t of) const {
      std::int64_t sum = 0;
      for (const One& c : chunks) sum += c.segment == of ? c.bytes : 0;
      return sum;
    }
    bool has(std::size_t of) const {
      return std::any_of(chunks.begin(), chunks.end(), [of](const One& c) { return c.segment == of; });
    }
    void drop(std::size_t of) {
      std::erase_if(chunks, [of](const One& c) { return c.segment == of; });
      start = chunks.front().first;
    }
  };
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO("seed " << seed);
    sim::Stream draw(sim::stream_key(seed, "log"));
    const auto below = [&](std::uint64_t n) {
      return static_cast<std::int64_t>(draw.uniform() * static_cast<double>(n));
    };
    StreamLogOptions options{.max_segment_bytes = 100 + below(400)};
    if (below(2) == 0) options.max_bytes = below(1500);
    if (below(2) == 0) options.max_age = seconds{below(30)};
    Writer w(options);
    Plain plain;
    std::uint32_t epoch = 1;
    int now = 0;
    for (int step = 0; step < 200; ++step) {
      now += static_cast<int>(below(3));
      const std::int64_t what = below(10);
      if (what < 7) {
        const auto n = static_cast<std::size_t>(1 + below(4));
        if (plain.has(plain.segment) && plain.size_of(plain.segment) >= options.max_segment_bytes)
          ++plain.segment;
        plain.chunks.push_back({plain.end, plain.end + static_cast<std::int64_t>(n),
                                48 + 50 * static_cast<std::int64_t>(n), epoch, at(now), plain.segment});
        plain.end = plain.chunks.back().end;
        w.write(n, epoch, now);
      } else if (what < 9) {
        w.log.retain(at(now));
        if (options.max_bytes && !plain.chunks.empty()) {
          std::int64_t left = *options.max_bytes - plain.size_of(plain.segment);
          bool fits = true;
          for (std::size_t s = plain.segment; s-- > 0;) {
            if (!plain.has(s)) continue;
            fits = fits && plain.size_of(s) <= left;
            left -= plain.size_of(s);
            if (!fits) plain.drop(s);
          }
        }
        if (options.max_age) {
          for (std::size_t s = 0; s < plain.segment; ++s) {
            if (!plain.has(s)) continue;
            sim::Time last{};
            for (const Plain::One& c : plain.chunks) {
              if (c.segment == s) last = c.written;
            }
            if (at(now) - last <= *options.max_age) break;
            plain.drop(s);
          }
        }
      } else if (!plain.chunks.empty()) {
        ++epoch;
        const std::int64_t cut = plain.start + below(static_cast<std::uint64_t>(plain.end - plain.start + 1));
        w.log.truncate(cut);
        while (!plain.chunks.empty() && plain.chunks.back().end > cut) plain.chunks.pop_back();
        plain.end = plain.chunks.empty() ? plain.start : plain.chunks.back().end;
        plain.segment = plain.chunks.empty() ? plain.segment : plain.chunks.back().segment;
      }
      REQUIRE(w.log.start() == plain.start);
      REQUIRE(w.log.end() == plain.end);
      REQUIRE(w.log.chunks() == plain.chunks.size());
      std::int64_t bytes = 0;
      for (const Plain::One& c : plain.chunks) bytes += c.bytes;
      REQUIRE(w.log.bytes() == bytes);
      for (std::size_t i = 0; i < plain.chunks.size(); ++i) {
        REQUIRE(w.log.chunk(i).epoch == plain.chunks[i].epoch);
        REQUIRE(w.log.find(plain.chunks[i].first) == i);
        REQUIRE(w.log.find(plain.chunks[i].end - 1) == i);
      }
    }
  }
}
