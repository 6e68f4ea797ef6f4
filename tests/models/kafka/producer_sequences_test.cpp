// The numbers of batches that failed, by rule.
#include "models/kafka/producer/sequences.hpp"

#include <array>

#include "tests/catch.hpp"

using namespace models::kafka;

namespace {

/// Three batches of one record each, sent to partition 0.
struct Sent {
  explicit Sent(bool transactional_and_bumps = false) {
    if (transactional_and_bumps) sequences.use_transactions(true);
    sequences.set_producer(7, 0);
    for (Batch& batch : batches) {
      batch.fill.count = batch.count = 1;
      sequences.assign(batch);
    }
  }
  Sequences sequences{true, 1};
  std::array<Batch, 3> batches{};
};

}  // namespace

TEST_CASE("a batch that fails for good has those before it numbered anew at once") {
  Sent sent;
  sent.sequences.failed(sent.batches[1], ErrorCode::message_too_large, true);
  sent.sequences.settle();
  CHECK(sent.sequences.producer_epoch() == 1);
  CHECK(sent.batches[0].producer_epoch == 1);
  CHECK(sent.batches[2].base_sequence == 1);
}

TEST_CASE("renumber_after_earlier: only when those before it are through") {
  Sent sent;
  sent.sequences.wait_for_earlier();
  sent.sequences.failed(sent.batches[1], ErrorCode::message_too_large, true);
  sent.sequences.settle();
  CHECK(sent.batches[0].producer_epoch == 0);
  CHECK_FALSE(sent.sequences.may_send(sent.batches[2]));
  // What was sent after it does not continue the log, and waits, too.
  CHECK(sent.sequences.can_retry(sent.batches[2], ErrorCode::out_of_order_sequence_number));
  sent.sequences.settle();
  CHECK(sent.batches[0].producer_epoch == 0);

  sent.sequences.acknowledged(sent.batches[0]);
  CHECK(sent.sequences.can_retry(sent.batches[2], ErrorCode::out_of_order_sequence_number));
  sent.sequences.settle();
  CHECK(sent.batches[2].producer_epoch == 1);
  CHECK(sent.batches[2].base_sequence == 0);
}

TEST_CASE(
    "without abort_before_new_epoch a transaction goes on under a new epoch when nothing is on the wire") {
  Sent sent(true);
  sent.batches[0].on_the_wire = true;
  CHECK(sent.sequences.can_retry(sent.batches[1], ErrorCode::out_of_order_sequence_number));
  CHECK_FALSE(sent.sequences.awaits_epoch());
  sent.batches[0].on_the_wire = false;
  CHECK(sent.sequences.awaits_epoch());
  CHECK_FALSE(sent.sequences.may_send(sent.batches[0]));
  sent.sequences.renumber(7, 2);
  sent.sequences.epoch_known();
  CHECK_FALSE(sent.sequences.awaits_epoch());
  CHECK(sent.sequences.may_send(sent.batches[0]));
  CHECK(sent.batches[2].producer_epoch == 2);
  CHECK(sent.batches[2].base_sequence == 2);
}
