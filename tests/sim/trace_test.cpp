#include "sim/trace.hpp"

#include <string>
#include <vector>

#include "sim/assert.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using sim::DigestChain;
using sim::RecordNumber;
using sim::Time;
using sim::Trace;
using sim::TraceBlock;
using sim::TraceRecord;

namespace {

/// Keeps what it is handed.
class Kept final : public sim::TraceSink {
 public:
  explicit Kept(bool asks = false) : causes_(asks) {}
  void consume(const TraceBlock& block) override {
    CHECK(block.first == numbers + 1);
    CHECK(block.causes.size() == (causes_ ? block.records.size() : 0));
    numbers += block.records.size();
    for (const TraceRecord& r : block.records) {
      a.push_back(r.a);
      const auto payload = block.payload(r);
      payloads.emplace_back(payload.begin(), payload.end());
    }
    causes.insert(causes.end(), block.causes.begin(), block.causes.end());
    ++blocks;
  }
  void finish(Time end) override { ended = end; }
  bool wants_causes() const override { return causes_; }

  RecordNumber numbers = 0;
  int blocks = 0;
  Time ended{};
  std::vector<std::int64_t> a;
  std::vector<std::vector<std::int64_t>> payloads;
  std::vector<RecordNumber> causes;

 private:
  bool causes_;
};

TraceRecord record(std::int64_t a, Time time = Time{}) {
  TraceRecord r;
  r.time = time;
  r.a = a;
  return r;
}

std::string digest_of(const std::vector<TraceRecord>& records, std::size_t flush_every = 1'000'000) {
  Trace trace;
  for (std::size_t i = 0; i < records.size(); ++i) {
    trace.emit(records[i], std::vector<std::int64_t>(i % 3, 7));
    if (i % flush_every == 0) trace.flush();
  }
  trace.flush();
  return trace.digest();
}

}  // namespace

TEST_CASE("every sink sees every record once, in order, with its payload, whatever the blocks") {
  Trace trace;
  Kept first;
  Kept second;
  trace.add_sink(first);
  trace.add_sink(second);
  const std::vector<std::int64_t> long_payload(Trace::kBlockWords + 100, 5);  // longer than a whole block
  for (std::int64_t i = 1; i <= 3000; ++i) {
    const std::vector<std::int64_t> words(static_cast<std::size_t>(i % 40), i);
    CHECK(trace.emit(record(i), i == 1500 ? long_payload : words) == static_cast<RecordNumber>(i));
  }
  trace.finish(Time(9s));
  CHECK(trace.emitted() == 3000);
  CHECK(first.blocks > 5);
  CHECK(first.ended == Time(9s));
  REQUIRE(first.a.size() == 3000);
  for (std::size_t i = 0; i < 3000; ++i) {
    REQUIRE(first.a[i] == static_cast<std::int64_t>(i + 1));
    if (i + 1 == 1500) {
      REQUIRE(first.payloads[i] == long_payload);
    } else {
      REQUIRE(first.payloads[i] == std::vector<std::int64_t>((i + 1) % 40, static_cast<std::int64_t>(i + 1)));
    }
  }
  CHECK(second.a == first.a);
  CHECK(second.payloads == first.payloads);
}

TEST_CASE("a record names its own cause, or the one that is set, for sinks that ask") {
  Trace trace;
  Kept asks(true);
  trace.add_sink(asks);
  trace.emit(record(1));
  const RecordNumber strike = trace.emit(record(2));
  trace.set_cause(strike);
  trace.emit(record(3));
  trace.emit(record(4), {}, 1);
  trace.set_cause(0);
  trace.emit(record(5));
  trace.finish(Time(1s));
  CHECK(asks.causes == std::vector<RecordNumber>{0, 0, 2, 1, 0});
}

TEST_CASE("neither sinks nor causes nor the size of a block move the digest, but every field does") {
  const std::vector<TraceRecord> records{record(1), record(2), record(3, Time(1s)), record(4, Time(2s))};
  const std::string digest = digest_of(records);
  CHECK(digest_of(records, 1) == digest);
  CHECK(digest_of(records, 2) == digest);
  {
    Trace trace;
    Kept asks(true);
    trace.add_sink(asks);
    trace.set_cause(3);
    for (std::size_t i = 0; i < records.size(); ++i)
      trace.emit(records[i], std::vector<std::int64_t>(i % 3, 7), i);
    trace.finish(Time(3s));
    CHECK(trace.digest() == digest);
  }
  const auto changed = [&](auto change) {
    std::vector<TraceRecord> other = records;
    change(other[2]);
    return digest_of(other) != digest;
  };
  CHECK(changed([](TraceRecord& r) { r.time = Time(1s + 1ns); }));
  CHECK(changed([](TraceRecord& r) { r.kind = 1; }));
  CHECK(changed([](TraceRecord& r) { r.code = 1; }));
  CHECK(changed([](TraceRecord& r) { r.actor = 1; }));
  CHECK(changed([](TraceRecord& r) { r.place = 1; }));
  CHECK(changed([](TraceRecord& r) { r.peer = 1; }));
  CHECK(changed([](TraceRecord& r) { r.a = 1; }));
  CHECK(changed([](TraceRecord& r) { r.b = 1; }));
  CHECK(changed([](TraceRecord& r) { r.c = 1; }));
  Trace one;
  Trace two;
  const std::int64_t word = 8;
  one.emit(record(1), {&word, 1});
  two.emit(record(1));
  one.flush();
  two.flush();
  CHECK(one.digest() != two.digest());
}

TEST_CASE("partial digests lie at even distances, and the distance doubles as a run grows") {
  const auto chain_of = [](std::int64_t records, std::int64_t changed) {
    Trace trace;
    for (std::int64_t i = 1; i <= records; ++i) trace.emit(record(i == changed ? -i : i));
    trace.flush();
    return trace.chain();
  };
  const DigestChain brief = chain_of(1000, 0);
  CHECK(brief.records_per_partial == 64);
  CHECK(brief.partials.size() == 15);
  const DigestChain longer = chain_of(100'000, 0);
  CHECK(longer.records_per_partial == 512);
  CHECK(longer.partials.size() == 195);
  // What remains after halving are digests after the same numbers of records.
  CHECK(longer.partials[0] == brief.partials[7]);
  // Two runs part in the block that holds the first record that differs.
  const DigestChain other = chain_of(100'000, 60'000);
  std::size_t same = 0;
  while (longer.partials[same] == other.partials[same]) ++same;
  CHECK(same == 59'999 / 512);
  for (const std::int64_t records : {64, 64 * 256, 64 * 256 + 63, 64 * 256 + 64, 64 * 257 + 64}) {
    const DigestChain chain = chain_of(records, 0);
    CHECK(chain.partials.size() <= DigestChain::kMost);
    CHECK(chain.partials.size() == static_cast<std::size_t>(records) / chain.records_per_partial);
  }
}

TEST_CASE("a record before the last, or a sink after the first, is an assertion") {
  Trace trace;
  trace.emit(record(1, Time(2s)));
  CHECK_THROWS_AS(trace.emit(record(2, Time(1s))), sim::AssertionError);
  Kept late;
  CHECK_THROWS_AS(trace.add_sink(late), sim::AssertionError);
}
