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
