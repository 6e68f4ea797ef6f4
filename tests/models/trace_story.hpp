// A trace written by hand, told to the observers: tests of ledger, checkers and metrics read as what
// happened.
//
// One partition, one lane, one group and a few members unless a call says otherwise. Times are given with
// at() and stay.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "models/metrics/observers.hpp"
#include "models/trace_kinds.hpp"
#include "sim/trace.hpp"

namespace story {

using namespace std::chrono_literals;
using models::Kind;
using models::Metric;
using models::Verdict;

inline constexpr std::uint32_t kPartition = 10;
inline constexpr std::uint32_t kOtherPartition = 11;
inline constexpr std::uint32_t kGroup = 20;
inline constexpr std::uint32_t kOtherGroup = 21;
inline constexpr std::uint32_t kMember = 30;
inline constexpr std::uint32_t kOtherMember = 31;
inline constexpr std::uint32_t kProducer = 40;
inline constexpr std::uint32_t kBroker = 50;
inline constexpr std::uint32_t kOtherBroker = 51;
inline constexpr std::uint32_t kLane = 1;
inline constexpr std::uint32_t kOtherLane = 2;

/// Where an action takes place; the defaults are one of each.
struct Where {
  std::uint32_t partition = kPartition;
  std::uint32_t lane = kLane;
  std::uint32_t group = kGroup;
  std::uint32_t member = kMember;
  std::int64_t epoch = 0;
};

class Story {
 public:
  explicit Story(const models::ObserverOptions& options = {}) : observers_(options) {
    trace_.add_sink(observers_);
  }

  /// Another sink, before the first record.
  void watch(sim::TraceSink& sink) { trace_.add_sink(sink); }

  Story& at(sim::Duration since_start) {
    now_ = sim::Time{since_start};
    return *this;
  }

  Story& subscribe(Where w = {}) { return tell(Kind::subscribed, {.place = w.partition, .peer = w.group}); }

  /// Messages created now, with key `key` each unless it is negative.
  Story& offer(std::int64_t seq, std::int64_t n, std::int64_t key = -1, Where w = {}) {
    std::vector<std::int64_t> payload(static_cast<std::size_t>(n), sim::nanoseconds(now_));
    if (key >= 0) payload.insert(payload.end(), static_cast<std::size_t>(n), key);
    const std::uint16_t code = key >= 0 ? models::kHasKeys : std::uint16_t{0};
    return tell(Kind::offered,
                {.code = code, .actor = kProducer, .place = w.partition, .peer = w.lane, .a = seq, .b = n},
                payload);
  }
  Story& refuse(std::int64_t n) {
    return tell(Kind::refused, {.actor = kProducer, .b = n},
                std::vector<std::int64_t>(static_cast<std::size_t>(n), sim::nanoseconds(now_)));
  }
  Story& store(std::int64_t seq, std::int64_t n, std::int64_t offset, Where w = {}) {
    return tell(Kind::stored,
                {.actor = kBroker, .place = w.partition, .peer = w.lane, .a = seq, .b = n, .c = offset},
                {w.epoch});
  }
  /// Taken by a leader that has been succeeded.
  Story& store_off_line(std::int64_t seq, std::int64_t n, std::int64_t offset, Where w = {}) {
    return tell(Kind::stored,
                {.code = models::kOffLine,
                 .actor = kBroker,
                 .place = w.partition,
                 .peer = w.lane,
                 .a = seq,
                 .b = n,
                 .c = offset},
                {w.epoch});
  }
  /// As part of a transaction.
  Story& store_in_transaction(std::int64_t seq, std::int64_t n, std::int64_t offset, Where w = {}) {
    return tell(Kind::stored,
                {.code = models::kTransactional,
                 .actor = kBroker,
                 .place = w.partition,
                 .peer = w.lane,
                 .a = seq,
                 .b = n,
                 .c = offset},
                {w.epoch});
  }
  /// Ends the lane's transaction, which begins at `first`.
  Story& marker(std::int64_t first, std::int64_t offset, std::uint16_t code, Where w = {}) {
    return tell(Kind::transaction_marker, {.code = code,
                                           .actor = kBroker,
                                           .place = w.partition,
                                           .peer = w.lane,
                                           .a = first,
                                           .b = offset - first,
                                           .c = offset});
  }
  /// What the producer says of its own transaction.
  Story& own_transaction(std::uint16_t code) {
    return tell(Kind::transaction_state, {.code = code, .actor = kProducer});
  }
  /// Seqs [seq, seq + n) of the lane were made of those from `of` on of another.
  Story& derive(std::int64_t seq, std::int64_t n, std::int64_t of, Where w, std::uint32_t of_lane = kLane) {
    return tell(Kind::derived,
                {.actor = w.member, .place = w.partition, .peer = w.lane, .a = seq, .b = n, .c = of},
                {of_lane, w.group});
  }
  Story& leave_out(std::int64_t offset, std::int64_t n, Where w = {}) {
    return tell(Kind::left_out, member(w, offset, n));
  }
  Story& acknowledge(std::int64_t seq, std::int64_t n, std::int64_t offset = -1, Where w = {}) {
    return tell(Kind::acknowledged,
                {.actor = kProducer, .place = w.partition, .peer = w.lane, .a = seq, .b = n, .c = offset});
  }
  Story& fail(std::int64_t seq, std::int64_t n, bool maybe_written = false, Where w = {}) {
    return tell(Kind::failed, {.actor = kProducer,
                               .place = w.partition,
                               .peer = w.lane,
                               .a = seq,
                               .b = n,
                               .c = maybe_written ? 1 : 0});
  }
  /// Offered, stored and acknowledged, all now.
  Story& send(std::int64_t seq, std::int64_t n, std::int64_t offset, std::int64_t key = -1, Where w = {}) {
    return offer(seq, n, key, w).store(seq, n, offset, w).acknowledge(seq, n, offset, w);
  }
  Story& resend(std::int64_t seq, std::int64_t n, std::int64_t old_seq, Where w = {},
                std::uint32_t old_lane = kLane) {
    return tell(Kind::resent, {.actor = kProducer, .peer = w.lane, .a = seq, .b = n, .c = old_seq},
                {old_lane});
  }
  Story& truncate(std::int64_t offset, std::int64_t n, std::int64_t epoch = 1, Where w = {}) {
    return tell(Kind::truncated,
                {.actor = kOtherBroker, .place = w.partition, .a = offset, .b = n, .c = epoch});
  }
  /// Removed by retention, with `segments` segments.
  Story& expire(std::int64_t offset, std::int64_t n, std::int64_t segments = 1, Where w = {}) {
    return tell(Kind::expired, {.actor = kBroker, .place = w.partition, .a = offset, .b = n, .c = segments});
  }
  /// An in-sync replica ends the run with other records there than the leader's.
  Story& diverge(std::int64_t offset, std::int64_t n, Where w = {}) {
    return tell(Kind::diverged, {.actor = kOtherBroker, .place = w.partition, .a = offset, .b = n});
  }
  Story& high_watermark(std::int64_t offset, Where w = {}) {
    return tell(Kind::high_watermark, {.actor = kBroker, .place = w.partition, .a = offset});
  }

  Story& position(std::int64_t offset, std::int64_t before = -1, Where w = {},
                  models::ResetCode how = models::ResetCode::sought) {
    sim::TraceRecord r = member(w, offset, before);
    r.code = static_cast<std::uint16_t>(how);
    return tell(Kind::position, r);
  }
  Story& reset_to_latest(std::int64_t offset, Where w = {}) {
    return position(offset, -1, w, models::ResetCode::latest);
  }
  Story& deliver(std::int64_t offset, std::int64_t n, Where w = {}) {
    return tell(Kind::delivered, member(w, offset, n, w.epoch));
  }
  /// Given up without being processed.
  Story& abandon(std::int64_t offset, std::int64_t n, Where w = {}) {
    return tell(Kind::abandoned, member(w, offset, n, w.epoch));
  }
  /// Finished one after the other, the last now, `step` apart.
  Story& process(std::int64_t offset, std::int64_t n, Where w = {}, sim::Duration step = 0ns) {
    sim::TraceRecord r = member(w, offset, n, w.epoch);
    r.code = models::kArithmetic;
    return tell(Kind::processed, r, {sim::nanoseconds(now_) - step.count() * (n - 1), step.count()});
  }
  /// Finished at these times.
  Story& process_at(std::int64_t offset, const std::vector<sim::Duration>& finishes, Where w = {}) {
    std::vector<std::int64_t> payload;
    for (const sim::Duration d : finishes) payload.push_back(d.count());
    return tell(Kind::processed, member(w, offset, static_cast<std::int64_t>(finishes.size()), w.epoch),
                payload);
  }
  Story& effect(std::int64_t offset, std::int64_t n, std::uint16_t code = models::kApplied, Where w = {}) {
    sim::TraceRecord r = member(w, offset, n, w.epoch);
    r.code = code;
    return tell(Kind::effect, r);
  }
  Story& commit(std::int64_t offset, std::int64_t before = -1, Where w = {}) {
    return tell(Kind::committed, member(w, offset, before));
  }
  Story& refuse_commit(std::int64_t offset, Where w = {}) {
    return tell(Kind::commit_refused, member(w, offset, 0));
  }
  /// Delivered, processed and committed, all now.
  Story& consume(std::int64_t offset, std::int64_t n, Where w = {}) {
    return deliver(offset, n, w).process(offset, n, w).commit(offset + n, offset, w);
  }

  Story& own(Where w = {}) { return tell(Kind::ownership, member(w, 1, 0)); }
  Story& disown(Where w = {}) { return tell(Kind::ownership, member(w, 0, 0)); }
  Story& generation(std::int64_t n, Where w = {}) {
    return tell(Kind::group_state, {.peer = w.group, .b = n});
  }
  Story& member_state(models::MemberCode code, Where w = {}) {
    return tell(Kind::member_state,
                {.code = static_cast<std::uint16_t>(code), .actor = w.member, .peer = w.group});
  }
  Story& leader(std::uint32_t broker, std::int64_t epoch,
                models::LeaderCode code = models::LeaderCode::elected, Where w = {}) {
    return tell(
        Kind::leader_changed,
        {.code = static_cast<std::uint16_t>(code), .actor = broker, .place = w.partition, .a = epoch});
  }
  Story& in_sync(std::int64_t replicas, Where w = {}) {
    return tell(Kind::isr_changed, {.actor = kBroker, .place = w.partition, .b = replicas});
  }
  Story& broker(std::uint32_t broker, models::BrokerCode code) {
    return tell(Kind::broker_state, {.code = static_cast<std::uint16_t>(code), .actor = broker});
  }
  Story& fault(std::uint32_t target, bool strikes = true, models::FaultCode code = models::FaultCode::crash) {
    return tell(Kind::fault,
                {.code = static_cast<std::uint16_t>(code), .actor = target, .a = strikes ? 1 : 0});
  }
  /// Of the link from `target` to `other`.
  Story& cut(std::uint32_t target, std::uint32_t other, bool strikes = true) {
    return tell(Kind::fault, {.code = static_cast<std::uint16_t>(models::FaultCode::link_cut),
                              .actor = target,
                              .place = other,
                              .a = strikes ? 1 : 0});
  }
  Story& phase(models::PhaseCode code) {
    return tell(Kind::phase, {.code = static_cast<std::uint16_t>(code)});
  }

  /// The database `place` commits fact `seq` of the lane of facts `lane`.
  Story& fact(std::int64_t seq, std::int64_t aggregate, std::int64_t position, std::uint16_t type = 0,
              std::uint32_t database = 60, std::uint32_t lane = 70) {
    return tell(Kind::fact, {.code = static_cast<std::uint16_t>(type | models::kToBePublished),
                             .actor = database,
                             .peer = lane,
                             .a = seq,
                             .b = aggregate,
                             .c = position});
  }
  /// Messages [seq, seq + n) of the lane say facts from `fact` on.
  Story& say(std::int64_t seq, std::int64_t n, std::int64_t fact, Where w = {}, std::uint32_t facts = 70) {
    return tell(Kind::published,
                {.actor = kProducer, .place = w.partition, .peer = w.lane, .a = seq, .b = n, .c = fact},
                {facts});
  }
  Story& record(Kind kind, const sim::TraceRecord& r) { return tell(kind, r); }

  /// The end of the run, now; what the observers then know.
  const models::Observers& end() {
    trace_.finish(now_);
    return observers_;
  }
  void flush() { trace_.flush(); }
  sim::RecordNumber written() const { return trace_.emitted(); }
  const models::Observers& observers() const { return observers_; }

 private:
  sim::TraceRecord member(const Where& w, std::int64_t a, std::int64_t b, std::int64_t c = 0) const {
    return {.actor = w.member, .place = w.partition, .peer = w.group, .a = a, .b = b, .c = c};
  }
  Story& tell(Kind kind, sim::TraceRecord r, const std::vector<std::int64_t>& payload = {}) {
    r.time = now_;
    r.kind = static_cast<std::uint16_t>(kind);
    trace_.emit(r, payload);
    return *this;
  }

  models::Observers observers_;
  sim::Trace trace_;
  sim::Time now_{};
};

inline double value(const models::Observers& observers, Metric metric) {
  return observers.values()[metric].value_or(-1);
}

}  // namespace story
