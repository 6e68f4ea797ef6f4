// Transactions in a partition's log as its leader knows them, and what coordinators find in the log after a failover.
#include <vector>

#include "models/kafka/broker/producer_state.hpp"
#include "models/kafka/group/offsets_store.hpp"
#include "models/kafka/transaction/transaction_store.hpp"
#include "tests/catch.hpp"

using namespace models::kafka;

namespace {

constexpr ProducerId kProducer = 7;
constexpr ProducerId kOther = 8;
constexpr Offset kNowhere = std::numeric_limits<Offset>::max();

/// A log and what its leader knows of producers.
struct Leader {
  PartitionStore store;
  ReplicaLog log{store};
  ProducerStates states;

  Leader() { log.begin_epoch(0), states.rebuild(log); }
  Offset append(ProducerId id, std::int32_t sequence, std::int32_t count, std::int16_t epoch = 0,
                BatchKind kind = BatchKind::transactional) {
    const Offset base = log.append({.producer_id = id,
                                    .count = count,
                                    .base_sequence = sequence,
                                    .bytes = 100,
                                    .producer_epoch = epoch,
                                    .kind = kind});
    states.appended(log.at(base));
    return base;
  }
  Offset commit(ProducerId id, std::int16_t epoch = 0) {
    return append(id, -1, 1, epoch, BatchKind::commit_marker);
  }
  Offset abort(ProducerId id, std::int16_t epoch = 0) {
    return append(id, -1, 1, epoch, BatchKind::abort_marker);
  }
  std::vector<Offset> aborted(Offset from, Offset to) const {
    std::vector<Offset> found;
    states.aborted_in(from, to, [&found](const auto& t) { found.push_back(t.first); });
    return found;
  }
};

}  // namespace

TEST_CASE("nothing behind the first open transaction is stable, whoever wrote it") {
  Leader leader;
  CHECK(leader.states.first_unstable() == kNowhere);
  leader.append(kProducer, 0, 5);
  leader.append(kOther, 0, 5);
  leader.commit(kOther);
  CHECK(leader.states.first_unstable() == 0);
  leader.commit(kProducer);
  leader.states.replicated(11);
  CHECK(leader.states.first_unstable() == 0);  // its marker at 11 is not behind the high watermark
  leader.states.replicated(12);
  CHECK(leader.states.first_unstable() == kNowhere);
}

TEST_CASE("aborted transactions are found by the offsets they reach into") {
  Leader leader;
  leader.append(kProducer, 0, 5);  // 0 to 4
  leader.append(kOther, 0, 5);     // 5 to 9
  leader.abort(kOther);            // 10
  leader.append(kOther, 5, 5);     // 11 to 15
  leader.commit(kOther);           // 16
  leader.abort(kProducer);         // 17
  leader.append(kProducer, 5, 2);  // 18, 19
  leader.abort(kProducer);         // 20
  CHECK(leader.aborted(0, 21) == std::vector<Offset>{5, 0, 18});
  CHECK(leader.aborted(11, 18) == std::vector<Offset>{0});
  CHECK(leader.aborted(18, 21) == std::vector<Offset>{18});
  CHECK(leader.aborted(0, 5) == std::vector<Offset>{0});
}

TEST_CASE("a marker of a higher epoch fences what comes late under the old one") {
  Leader leader;
  leader.append(kProducer, 0, 5);
  leader.abort(kProducer, 1);
  CHECK(leader.states.check(kProducer, 0, 5, 5).error == ErrorCode::invalid_producer_epoch);
  CHECK(leader.states.check(kProducer, 1, 5, 5).error == ErrorCode::out_of_order_sequence_number);
  CHECK(leader.states.check(kProducer, 1, 0, 5).error == ErrorCode::none);
}

TEST_CASE("without a higher epoch a late batch opens a transaction that nobody ends") {
  Leader leader;
  leader.append(kProducer, 0, 5);
  leader.abort(kProducer);
  CHECK(leader.states.check(kProducer, 0, 5, 5).error == ErrorCode::none);
  leader.append(kProducer, 5, 5);
  leader.states.replicated(11);
  CHECK(leader.states.has_open_transaction(kProducer));
  CHECK(leader.states.first_unstable() == 6);
}

TEST_CASE("markers of an old epoch, or of a coordinator that was succeeded, are refused") {
  Leader leader;
  leader.append(kProducer, 0, 5, 3);
  CHECK(leader.states.check_marker(kProducer, 2, 0) == ErrorCode::invalid_producer_epoch);
  CHECK(leader.states.check_marker(kProducer, 3, 0) == ErrorCode::none);
  leader.abort(kProducer, 3);
  leader.states.coordinator_is(kProducer, 4);
  CHECK(leader.states.check_marker(kProducer, 3, 3) == ErrorCode::transaction_coordinator_fenced);
}

TEST_CASE("a leader whose log was cut behind a marker finds the transaction open again") {
  Leader leader;
  leader.append(kProducer, 0, 5);
  leader.abort(kProducer);
  leader.log.truncate(5);
  leader.log.begin_epoch(1);
  leader.states.rebuild(leader.log);
  CHECK(leader.states.has_open_transaction(kProducer));
  CHECK(leader.states.first_unstable() == 0);
  CHECK(leader.aborted(0, 10).empty());
}

TEST_CASE("a new transaction coordinator finds the last record of each id in its log, and none beyond") {
  TransactionStore store;
  const PartitionIndex p{3};
  TransactionMetadata metadata;
  metadata.epoch = 0;
  store.elected(p, 0, 0);
  store.append(p, 0, 1, "a", metadata);
  metadata.state = TransactionState::ongoing;
  store.append(p, 0, 2, "a", metadata);
  store.append(p, 0, 3, "b", metadata);
  store.replicated(p, 0, 2);
  store.elected(p, 1, 2);
  const auto loaded = store.load(p);
  REQUIRE(loaded.size() == 1);
  CHECK(loaded[0].first == "a");
  CHECK(loaded[0].second.state == TransactionState::ongoing);
}

TEST_CASE("a deposed transaction coordinator writes nothing that its successor finds") {
  TransactionStore store;
  const PartitionIndex p{3};
  store.elected(p, 1, 0);
  store.append(p, 0, 1, "a", TransactionMetadata{});
  CHECK(store.load(p).empty());
}

TEST_CASE("offsets of a transaction are committed by its marker, also when they are found in the log") {
  OffsetsStore store;
  const PartitionIndex p{1};
  const std::vector<CommittedOffset> offsets{{PartitionIndex{9}, 42}};
  store.elected(p, 0, 0);
  store.append_pending(p, 0, 1, "g", kProducer, offsets);
  store.append_pending(p, 0, 2, "g", kOther, offsets);
  store.replicated(p, 0, 2);
  auto loaded = store.load(p);
  REQUIRE(loaded.size() == 1);
  CHECK(loaded[0].pending.size() == 2);
  CHECK(loaded[0].offsets.empty());

  store.append_marker(p, 0, 3, kOther, false);
  store.append_marker(p, 0, 4, kProducer, true);
  loaded = store.load(p);
  REQUIRE(loaded.size() == 1);
  CHECK(loaded[0].pending.empty());
  CHECK(loaded[0].offsets.offset(PartitionIndex{9}) == 42);
  REQUIRE(loaded[0].unannounced.size() == 1);

  store.elected(p, 1, 3);  // without the marker that commits
  loaded = store.load(p);
  REQUIRE(loaded.size() == 1);
  CHECK(loaded[0].pending.size() == 1);
  CHECK(loaded[0].offsets.empty());
}
