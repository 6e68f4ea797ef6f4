#include "models/kafka/broker/producer_state.hpp"

#include "tests/catch.hpp"

using namespace models::kafka;

namespace {

constexpr ProducerId kProducer = 7;

Extent batch(std::int32_t sequence, std::int32_t count, Offset base, std::int16_t epoch = 0) {
  Extent e;
  e.producer_id = kProducer;
  e.producer_epoch = epoch;
  e.base_sequence = sequence;
  e.count = count;
  e.base = base;
  return e;
}

}  // namespace

TEST_CASE("a producer without state may start with any sequence") {
  const ProducerStates states;
  CHECK(states.check(kProducer, 0, 4711, 10).error == ErrorCode::none);
}

TEST_CASE("a repeated batch among the last five is recognised and keeps its offset") {
  ProducerStates states;
  for (int i = 0; i < 5; ++i) states.appended(batch(10 * i, 10, 100 + 10 * i));
  const ProducerStates::Verdict verdict = states.check(kProducer, 0, 0, 10);
  CHECK(verdict.duplicate);
  CHECK(verdict.base_offset == 100);
}

TEST_CASE("without sequence_window a repeated batch is out of order") {
  ProducerStates states;
  states.know_repeated(false);
  states.appended(batch(0, 10, 100));
  const ProducerStates::Verdict verdict = states.check(kProducer, 0, 0, 10);
  CHECK_FALSE(verdict.duplicate);
  CHECK(verdict.error == ErrorCode::out_of_order_sequence_number);
  CHECK(states.check(kProducer, 0, 10, 10).error == ErrorCode::none);
}

TEST_CASE("a batch older than the last five is out of order, not a duplicate") {
  ProducerStates states;
  for (int i = 0; i < 6; ++i) states.appended(batch(10 * i, 10, 10 * i));
  const ProducerStates::Verdict verdict = states.check(kProducer, 0, 0, 10);
  CHECK_FALSE(verdict.duplicate);
  CHECK(verdict.error == ErrorCode::out_of_order_sequence_number);
}

TEST_CASE("a gap in the sequence is out of order, the next number is not") {
  ProducerStates states;
  states.appended(batch(0, 10, 0));
  CHECK(states.check(kProducer, 0, 11, 1).error == ErrorCode::out_of_order_sequence_number);
  CHECK(states.check(kProducer, 0, 10, 1).error == ErrorCode::none);
}

TEST_CASE("a new producer epoch starts at sequence 0 and fences the old one") {
  ProducerStates states;
  states.appended(batch(0, 10, 0, 3));
  CHECK(states.check(kProducer, 2, 10, 1).error == ErrorCode::invalid_producer_epoch);
  CHECK(states.check(kProducer, 4, 10, 1).error == ErrorCode::out_of_order_sequence_number);
  CHECK(states.check(kProducer, 4, 0, 1).error == ErrorCode::none);
}

TEST_CASE("sequences wrap round to 0") {
  ProducerStates states;
  states.appended(batch(2147483640, 8, 0));  // ends at 2147483647
  CHECK(states.check(kProducer, 0, 0, 1).error == ErrorCode::none);
  CHECK(advance_sequence(2147483647, 1) == 0);
}

TEST_CASE("the state of a log is rebuilt from where it was last known, however often its leader changes") {
  PartitionStore store;
  ReplicaLog mine(store);
  ReplicaLog other(store);
  ProducerStates states;
  std::int32_t sequence = 0;
  // Elections in turn; each leader takes 100 batches, and this replica's last batch never reached the other.
  for (LeaderEpoch epoch = 0; epoch < 60; epoch += 2) {
    mine.begin_epoch(epoch);
    states.rebuild(mine);
    CHECK(states.check(kProducer, 0, sequence, 1).error == ErrorCode::none);
    for (int i = 0; i < 100; ++i) states.appended(mine.at(mine.append(batch(sequence++, 1, 0))));
    other.copy(epoch, other.end(), mine.end() - 1);
    --sequence;
    other.begin_epoch(epoch + 1);
    for (int i = 0; i < 100; ++i) other.append(batch(sequence++, 1, 0));
    mine.truncate(mine.common_prefix(other));
    mine.copy(epoch + 1, mine.end(), other.end());
  }
  ProducerStates from_scratch;
  from_scratch.rebuild(mine);
  states.rebuild(mine);
  for (std::int32_t first = sequence - 8; first <= sequence + 1; ++first) {
    const ProducerStates::Verdict mended = states.check(kProducer, 0, first, 1);
    const ProducerStates::Verdict known = from_scratch.check(kProducer, 0, first, 1);
    CHECK(mended.error == known.error);
    CHECK(mended.duplicate == known.duplicate);
    CHECK(mended.base_offset == known.base_offset);
  }
  CHECK(from_scratch.batches_read() == 60 * 100 - 30);
  // Each cut reaches behind what it knew, back to a snapshot: at most 512 batches more than are new.
  CHECK(states.batches_read() < 30 * (100 + 512));
}

TEST_CASE("a snapshot is not used where the log has been cut behind it and written anew") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  ProducerStates states;
  states.rebuild(log);
  for (int i = 0; i < 3000; ++i) states.appended(log.at(log.append(batch(i, 1, 0))));
  log.truncate(100);
  log.begin_epoch(1);
  for (int i = 100; i < 3000; ++i) log.append(batch(i, 1, 0));
  const std::uint64_t before = states.batches_read();
  states.rebuild(log);
  CHECK(states.batches_read() - before == 3000);
  CHECK(states.check(kProducer, 0, 3000, 1).error == ErrorCode::none);
}

TEST_CASE("state rebuilt from a log is the state that led to it") {
  PartitionStore store;
  ReplicaLog log(store);
  log.begin_epoch(0);
  for (int i = 0; i < 3; ++i) log.append(batch(10 * i, 10, 0));
  ProducerStates states;
  states.rebuild(log);
  CHECK(states.check(kProducer, 0, 20, 10).duplicate);
  CHECK(states.check(kProducer, 0, 30, 5).error == ErrorCode::none);
}

TEST_CASE("who has not written for long is forgotten, but not in the middle of a transaction") {
  ProducerStates states;
  Extent old = batch(0, 10, 0);
  old.max_timestamp = sim::Time{std::chrono::seconds{5}};
  states.appended(old);
  states.expire(sim::Time{std::chrono::seconds{4}});
  CHECK(states.check(kProducer, 0, 0, 10).duplicate);
  states.expire(sim::Time{std::chrono::seconds{5}});
  CHECK_FALSE(states.check(kProducer, 0, 0, 10).duplicate);
  CHECK(states.check(kProducer, 0, 77, 10).error == ErrorCode::none);

  Extent open = batch(0, 10, 10);
  open.kind = BatchKind::transactional;
  states.appended(open);
  states.expire(sim::Time{std::chrono::seconds{100}});
  CHECK(states.check(kProducer, 0, 0, 10).duplicate);
}

TEST_CASE("aborted transactions below the start of the log are forgotten") {
  ProducerStates states;
  Offset base = 0;
  for (int i = 0; i < 10; ++i) {
    Extent records = batch(10 * i, 10, base);
    records.kind = BatchKind::transactional;
    states.appended(records);
    Extent marker = batch(-1, 1, base + 10);
    marker.kind = BatchKind::abort_marker;
    states.appended(marker);
    base += 11;
  }
  const auto told = [&states] {
    int n = 0;
    states.aborted_in(0, 110, [&n](const auto&) { ++n; });
    return n;
  };
  CHECK(told() == 10);
  states.forget_below(44);
  CHECK(told() == 6);
}
