#include <set>
#include <string>

#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;
using models::BrokerCode;
using models::FaultCode;
using models::LeaderCode;
using models::MemberCode;
using models::PhaseCode;

namespace {

models::ObserverOptions warm_after(sim::Duration warmup) {
  models::ObserverOptions options;
  options.warmup = warmup;
  return options;
}

/// The value of one subject; -1 when it has none.
double labelled(const models::Observers& o, Metric metric, std::uint32_t subject) {
  for (const models::Labelled& row : o.labelled()) {
    if (row.metric == metric && row.subject.value == subject) return row.value;
  }
  return -1;
}

bool empty(const models::Observers& o, Metric metric) {
  return !o.values()[metric].has_value();
}

}  // namespace

TEST_CASE("the catalogue of metrics is in order, named and unique") {
  std::set<std::string_view> names;
  std::size_t i = 0;
  for (const models::MetricInfo& row : models::metric_catalogue()) {
    REQUIRE(static_cast<std::size_t>(row.metric) == i++);
    REQUIRE(names.insert(row.name).second);
    REQUIRE(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos);
    REQUIRE_FALSE(row.about.empty());
    REQUIRE(models::find_metric(row.name) == row.metric);
  }
  REQUIRE_FALSE(models::find_metric("no_such_metric").has_value());
  i = 0;
  for (const models::SeriesInfo& row : models::series_catalogue())
    REQUIRE(static_cast<std::size_t>(row.series) == i++);
}

TEST_CASE("a run in which nothing happened has counts of 0 and no latencies") {
  Story s;
  const auto& o = s.at(10s).end();
  REQUIRE(value(o, Metric::offered) == 0);
  REQUIRE(empty(o, Metric::e2e_latency_p99_ms));
  REQUIRE(empty(o, Metric::lag_max_s));
  REQUIRE(empty(o, Metric::unavailability_max_s));
}

TEST_CASE("publish latency runs from creation to acknowledgement, end-to-end latency to the first finish") {
  Story s;
  s.subscribe().at(1s).offer(0, 2).at(1010ms).store(0, 2, 0).acknowledge(0, 2, 0);
  s.at(1100ms).deliver(0, 2).process(0, 2, {}, 20ms).commit(2);
  s.at(9s).deliver(0, 2).process(0, 2);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::publish_latency_max_ms) == Approx(10));
  REQUIRE(value(o, Metric::publish_latency_mean_ms) == Approx(10));
  REQUIRE(value(o, Metric::e2e_latency_max_ms) == Approx(100));
  REQUIRE(value(o, Metric::e2e_latency_mean_ms) == Approx(90));
  REQUIRE(value(o, Metric::e2e_latency_p50_ms) == Approx(80).epsilon(0.01));
}

TEST_CASE("latency leaves out what was created in the warm-up, whenever it is processed") {
  Story s(warm_after(2s));
  s.subscribe().at(1s).send(0, 1, 0).at(3s).send(1, 1, 1).at(4s).deliver(0, 2).process(0, 2);
  REQUIRE(value(s.end(), Metric::e2e_latency_max_ms) == Approx(1000));
}

TEST_CASE("verdicts do not leave out the warm-up") {
  Story s(warm_after(10s));
  s.subscribe().send(0, 10, 0).deliver(0, 10).commit(10).member_state(MemberCode::crashed);
  REQUIRE(value(s.at(20s).end(), Metric::lost) == 10);
}

TEST_CASE("throughput counts from the warm-up to the end of arrivals") {
  Story s(warm_after(10s));
  s.subscribe();
  for (std::int64_t i = 0; i < 20; ++i) {
    s.at(sim::Duration{1s} * i + 500ms).send(i * 10, 10, i * 10).consume(i * 10, 10);
  }
  s.at(20s).phase(PhaseCode::arrivals_stopped).at(25s).consume(0, 200).phase(PhaseCode::drained);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::offered_per_s) == Approx(10));
  REQUIRE(value(o, Metric::acknowledged_per_s) == Approx(10));
  REQUIRE(value(o, Metric::processed_per_s) == Approx(10));
  REQUIRE(value(o, Metric::drained) == 1);
  REQUIRE(value(o, Metric::drain_s) == Approx(5));
}

TEST_CASE(
    "lag is what is readable and unprocessed: by time, at its highest, and by the oldest record's age") {
  Story s;
  s.subscribe().position(0).at(500ms).send(0, 100, 0).high_watermark(100);
  s.at(5500ms).consume(0, 100);
  s.at(10s).phase(PhaseCode::arrivals_stopped);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lag_max_records) == 100);
  REQUIRE(value(o, Metric::lag_mean_records) == Approx(50));
  REQUIRE(value(o, Metric::lag_end_records) == 0);
  REQUIRE(value(o, Metric::lag_partition_max_records) == 100);
  REQUIRE(value(o, Metric::lag_max_s) == Approx(4.5));
  REQUIRE(value(o, Metric::lag_mean_s) == Approx((0.5 + 1.5 + 2.5 + 3.5 + 4.5) / 10));
  REQUIRE(value(o, Metric::committed_lag_max_records) == 100);
}

TEST_CASE("records that cannot be read yet, or are read twice, are no lag") {
  Story s;
  s.subscribe().position(0).at(1s).send(0, 100, 0).high_watermark(10).consume(0, 10);
  s.at(5s).deliver(0, 10).process(0, 10);
  const auto& o = s.at(10s).end();
  REQUIRE(value(o, Metric::lag_max_records) <= 10);
  REQUIRE(value(o, Metric::lag_end_records) == 0);
}

TEST_CASE("a group has no lag before its first position, and with latest none of what was there") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup}).position(0);
  s.at(1s).send(0, 100, 0).high_watermark(100).consume(0, 100);
  SECTION("from the end") {
    s.at(8s).reset_to_latest(100, {.group = kOtherGroup, .member = kOtherMember});
    const auto& o = s.at(10s).phase(PhaseCode::arrivals_stopped).end();
    REQUIRE(labelled(o, Metric::lag_max_records, kOtherGroup) == 0);
    REQUIRE(value(o, Metric::lag_max_records) == 100);
    REQUIRE(value(o, Metric::lag_max_s) == 0);
    REQUIRE(value(o, Metric::committed_lag_max_records) == 100);
  }
  SECTION("from the start: what waits there counts from then on") {
    const Where late{.group = kOtherGroup, .member = kOtherMember};
    s.at(8s).position(0, -1, late, models::ResetCode::earliest).at(9s).consume(0, 100, late);
    const auto& o = s.at(12s).phase(PhaseCode::arrivals_stopped).end();
    REQUIRE(labelled(o, Metric::lag_max_records, kOtherGroup) == 100);
    REQUIRE(labelled(o, Metric::lag_mean_records, kOtherGroup) == Approx(25));
  }
  SECTION("never") {
    const auto& o = s.at(10s).phase(PhaseCode::arrivals_stopped).end();
    REQUIRE(labelled(o, Metric::lag_max_records, kOtherGroup) == -1);
  }
}

TEST_CASE("the hottest partition is told from the others") {
  const Where cold{.partition = kOtherPartition, .lane = kOtherLane};
  Story s;
  s.subscribe()
      .subscribe(cold)
      .position(0)
      .position(0, -1, cold)
      .send(0, 100, 0)
      .high_watermark(100)
      .send(0, 4, 0, -1, cold)
      .high_watermark(4, cold);
  const auto& o = s.at(10s).end();
  REQUIRE(value(o, Metric::lag_hottest_mean_records) == Approx(100));
  REQUIRE(value(o, Metric::lag_others_mean_records) == Approx(4));
  REQUIRE(value(o, Metric::lag_max_records) == 104);
}

TEST_CASE("lag grows and drains at the slopes that its points show") {
  Story s(warm_after(1s));
  s.subscribe().own();
  std::int64_t sent = 0;
  std::int64_t done = 0;
  const auto second = [&](std::int64_t i, std::int64_t rate) {
    s.at(sim::Duration{1s} * i + 900ms).send(sent, 100, sent);
    sent += 100;
    s.high_watermark(sent);
    s.consume(done, rate);
    done += rate;
  };
  for (std::int64_t i = 0; i < 30; ++i) second(i, 60);
  s.member_state(MemberCode::joined, {.member = kOtherMember}).disown().own({.member = kOtherMember});
  for (std::int64_t i = 30; i < 50; ++i) second(i, 160);
  s.at(50s).phase(PhaseCode::arrivals_stopped);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::lag_growth_per_s) == Approx(40).epsilon(0.01));
  REQUIRE(value(o, Metric::lag_drain_per_s) == Approx(60).epsilon(0.01));
}

TEST_CASE("steady lag neither grows nor drains") {
  Story s;
  s.subscribe();
  for (std::int64_t i = 0; i < 20; ++i) {
    s.at(sim::Duration{1s} * i + 100ms)
        .send(i * 10, 10, i * 10)
        .high_watermark(i * 10 + 10)
        .consume(i * 10, 10);
  }
  REQUIRE(value(s.at(20s).end(), Metric::lag_growth_per_s) == Approx(0));
}

TEST_CASE("a rebalance pause lasts from losing the partition to having it again, while records wait") {
  Story s;
  s.subscribe().own().send(0, 10, 0).high_watermark(10);
  s.at(10s).disown().at(13s).own({.member = kOtherMember});
  const auto& o = s.at(20s).end();
  REQUIRE(value(o, Metric::rebalance_pause_sum_s) == Approx(3));
  REQUIRE(value(o, Metric::rebalance_pause_max_s) == Approx(3));
  REQUIRE(value(o, Metric::rebalance_pauses) == 1);
  REQUIRE(value(o, Metric::unfetchable_sum_s) == Approx(3));
}

TEST_CASE("a pause counts from the first record that waits, and not at all without one") {
  Story s;
  s.subscribe().own().at(10s).disown().at(12s).send(0, 1, 0).high_watermark(1).at(13s).own().consume(0, 1);
  s.at(14s).disown().at(16s).own();
  const auto& o = s.at(20s).end();
  REQUIRE(value(o, Metric::rebalance_pause_sum_s) == Approx(1));
  REQUIRE(value(o, Metric::rebalance_pauses) == 1);
  REQUIRE(value(o, Metric::unfetchable_sum_s) == Approx(5));
}

TEST_CASE("the wait before the first assignment is no pause, and the warm-up is left out of one") {
  Story s(warm_after(10s));
  s.subscribe().send(0, 10, 0).high_watermark(10).at(3s).own().at(8s).disown().at(12s).own();
  REQUIRE(value(s.at(20s).end(), Metric::rebalance_pause_sum_s) == Approx(2));
}

TEST_CASE("a pause that nothing ends counts to the end of the run") {
  Story s;
  s.subscribe().own().send(0, 10, 0).high_watermark(10).at(10s).disown();
  REQUIRE(value(s.at(20s).end(), Metric::rebalance_pause_sum_s) == Approx(10));
}

TEST_CASE("two members that may fetch one partition overlap until one of them may not") {
  Story s;
  s.subscribe().own().send(0, 10, 0).at(10s).own({.member = kOtherMember}).process(0, 4).at(14s).disown();
  const auto& o = s.at(20s).end();
  REQUIRE(value(o, Metric::overlaps) == 1);
  REQUIRE(value(o, Metric::overlap_sum_s) == Approx(4));
  REQUIRE(value(o, Metric::overlap_processed) == 4);
  REQUIRE(o.anomalies().counted(Verdict::overlap) == 1);
}

TEST_CASE("of a poll, what its member finished after another had taken over was processed in the overlap") {
  Story s;
  s.subscribe().own().send(0, 10, 0).at(10s).own({.member = kOtherMember});
  s.at(12s).process_at(0, {8s, 9s, 11s, 12s}).process_at(0, {11s, 12s}, {.member = kOtherMember});
  s.at(14s).disown().at(15s).process_at(4, {13s, 14s});
  REQUIRE(value(s.at(20s).end(), Metric::overlap_processed) == 4);
}

TEST_CASE("a paused owner makes no overlap before it wakes") {
  Story s;
  s.subscribe().own().send(0, 10, 0).at(10s).fault(kMember, true, FaultCode::pause);
  s.at(20s).own({.member = kOtherMember}).at(25s).process(0, 4, {.member = kOtherMember});
  SECTION("and wakes") {
    s.at(30s).fault(kMember, false, FaultCode::pause).at(31s).process(0, 3).at(32s).disown();
    const auto& o = s.at(40s).end();
    REQUIRE(value(o, Metric::overlaps) == 1);
    REQUIRE(value(o, Metric::overlap_sum_s) == Approx(2));
    REQUIRE(value(o, Metric::overlap_processed) == 3);
    REQUIRE(o.anomalies().counted(Verdict::overlap) == 1);
  }
  SECTION("and dies in its sleep") {
    s.at(30s).fault(kMember).disown();
    const auto& o = s.at(40s).end();
    REQUIRE(value(o, Metric::overlaps) == 0);
    REQUIRE(value(o, Metric::overlap_sum_s) == 0);
    REQUIRE(value(o, Metric::overlap_processed) == 0);
  }
}

TEST_CASE("a partition is silent from the freezing of its owner, its pause begins when it is taken away") {
  Story s;
  s.subscribe().own().send(0, 10, 0).high_watermark(10);
  SECTION("a paused owner") {
    s.at(10s).fault(kMember, true, FaultCode::pause);
  }
  SECTION("an isolated owner") {
    s.at(10s).fault(kMember, true, FaultCode::isolate);
  }
  s.at(20s).disown().at(21s).own({.member = kOtherMember});
  s.at(35s).fault(kMember, false, FaultCode::pause).fault(kMember, false, FaultCode::isolate);
  const auto& o = s.at(40s).end();
  REQUIRE(value(o, Metric::silent_max_s) == Approx(11));
  REQUIRE(value(o, Metric::silent_mean_s) == Approx(11));
  REQUIRE(value(o, Metric::rebalance_pause_max_s) == Approx(1));
}

TEST_CASE("a silence ends when its owner wakes, counts while records wait and not before the warm-up") {
  Story s(warm_after(4s));
  s.subscribe().own().send(0, 10, 0).high_watermark(10).at(2s).fault(kMember, true, FaultCode::pause);
  s.at(5s).fault(kMember, false, FaultCode::pause).consume(0, 10);
  s.at(10s).fault(kMember, true, FaultCode::pause).at(12s).send(10, 1, 10).high_watermark(11);
  s.at(15s).fault(kMember, false, FaultCode::pause).at(20s).disown().at(22s).own();
  const auto& o = s.at(40s).end();
  REQUIRE(value(o, Metric::silent_max_s) == Approx(3));
  REQUIRE(value(o, Metric::silent_mean_s) == Approx(2));
  REQUIRE(value(o, Metric::rebalance_pause_sum_s) == Approx(2));
}

TEST_CASE("a member that was paused when it crashed fetches when it is back, whatever the pause says") {
  Story s;
  s.subscribe().own().send(0, 10, 0).high_watermark(10).at(10s).fault(kMember, true, FaultCode::pause);
  s.at(11s).fault(kMember).disown().at(15s).own();
  REQUIRE(value(s.at(40s).end(), Metric::silent_max_s) == Approx(5));
}

TEST_CASE("one owner after the other, or one of each group, is no overlap") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup}).own().own({.group = kOtherGroup, .member = kOtherMember});
  s.at(5s).disown().own({.member = kOtherMember});
  REQUIRE(value(s.at(20s).end(), Metric::overlaps) == 0);
}

TEST_CASE("generations count all rises, rebalances those after the first and the warm-up") {
  Story s(warm_after(10s));
  s.at(1s).generation(1).at(2s).generation(2).at(12s).generation(3).at(13s).generation(3);
  const auto& o = s.at(20s).end();
  REQUIRE(value(o, Metric::generations) == 3);
  REQUIRE(value(o, Metric::rebalances) == 1);
}

TEST_CASE("a dead member is detected from its fault to its eviction") {
  Story s;
  s.member_state(MemberCode::joined).at(10s).fault(kMember).at(53s).member_state(MemberCode::evicted);
  const auto& o = s.at(60s).end();
  REQUIRE(value(o, Metric::member_detection_max_s) == Approx(43));
  REQUIRE(value(o, Metric::members_evicted) == 1);
  REQUIRE(value(o, Metric::faults_fired) == 1);
}

TEST_CASE("a pause or a cut that heals in time is not detected") {
  Story s;
  s.member_state(MemberCode::joined);
  s.at(10s).fault(kMember, true, FaultCode::pause).at(12s).fault(kMember, false, FaultCode::pause);
  s.at(13s).cut(kBroker, kMember).at(14s).cut(kBroker, kMember, false);
  s.at(30s).member_state(MemberCode::evicted);
  REQUIRE(empty(s.at(60s).end(), Metric::member_detection_max_s));
}

TEST_CASE("a member cut off by a fault that names it second is detected too") {
  Story s;
  s.member_state(MemberCode::joined).at(10s).cut(kBroker, kMember).at(18s).member_state(MemberCode::evicted);
  REQUIRE(value(s.at(60s).end(), Metric::member_detection_max_s) == Approx(8));
}

TEST_CASE("a crashed member is detected at the eviction of its dead incarnation, though it is back") {
  Story s;
  s.member_state(MemberCode::joined).at(10s).fault(kMember).member_state(MemberCode::crashed);
  s.at(15s).fault(kMember, false).member_state(MemberCode::restarted);
  SECTION("once") {
    s.at(53s).member_state(MemberCode::evicted).member_state(MemberCode::joined);
    REQUIRE(value(s.at(90s).end(), Metric::member_detection_max_s) == Approx(43));
  }
  SECTION("twice, before the first is evicted") {
    s.at(20s).fault(kMember).member_state(MemberCode::crashed);
    s.at(55s).member_state(MemberCode::evicted).at(61s).member_state(MemberCode::evicted);
    const auto& o = s.at(90s).end();
    REQUIRE(value(o, Metric::member_detection_max_s) == Approx(45));
    REQUIRE(value(o, Metric::member_detection_mean_s) == Approx(43));
  }
  SECTION("never: a static member is back in its session") {
    s.at(17s).member_state(MemberCode::joined);
    s.at(60s).fault(kMember, true, FaultCode::pause).at(70s).member_state(MemberCode::evicted);
    REQUIRE(value(s.at(90s).end(), Metric::member_detection_max_s) == Approx(10));
  }
}

TEST_CASE("a member told to leave is not detected by that") {
  Story s;
  s.member_state(MemberCode::joined).at(10s).fault(kMember, true, FaultCode::leave);
  s.at(20s).member_state(MemberCode::evicted);
  REQUIRE(empty(s.at(60s).end(), Metric::member_detection_max_s));
}

TEST_CASE("members without a partition are idle, those that process are active and busy") {
  Story s;
  s.subscribe()
      .member_state(MemberCode::joined)
      .member_state(MemberCode::joined, {.member = kOtherMember})
      .own();
  s.send(0, 10, 0).deliver(0, 10).at(5s).process(0, 10, {}, 500ms);
  s.at(10s).phase(PhaseCode::arrivals_stopped);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::members_idle) == 1);
  REQUIRE(value(o, Metric::members_active) == 1);
  REQUIRE(value(o, Metric::member_utilisation_max) == Approx(0.5));
  REQUIRE(value(o, Metric::member_utilisation_mean) == Approx(0.25));
}

TEST_CASE(
    "a member whose threads are handed one poll after the other is busy from the first to the last of them") {
  Story s;
  s.subscribe().member_state(MemberCode::joined).own().send(0, 4, 0);
  s.at(1s).deliver(0, 2).at(3s).deliver(2, 1).at(4s).process_at(2, {4s}).at(6s).process_at(0, {6s, 2s});
  SECTION("all of it done") {
    s.at(10s).phase(PhaseCode::arrivals_stopped);
    REQUIRE(value(s.end(), Metric::member_utilisation_max) == Approx(0.5));
  }
  SECTION("and idle between one and the next") {
    s.at(8s).deliver(3, 1).at(9s).process(3, 1).at(10s).phase(PhaseCode::arrivals_stopped);
    REQUIRE(value(s.end(), Metric::member_utilisation_max) == Approx(0.6));
  }
  SECTION("what it gave up or dropped dead with kept it busy no longer") {
    s.at(8s).deliver(3, 1).abandon(3, 1).deliver(3, 1).member_state(MemberCode::crashed);
    s.member_state(MemberCode::joined)
        .at(9s)
        .deliver(3, 1)
        .at(10s)
        .process(3, 1)
        .phase(PhaseCode::arrivals_stopped);
    REQUIRE(value(s.end(), Metric::member_utilisation_max) == Approx(0.6));
  }
}

TEST_CASE("redelivered work is the service time of what had been processed before") {
  Story s;
  s.subscribe().send(0, 10, 0).at(1s).deliver(0, 6).at(2s).process(0, 6, {}, 100ms);
  s.at(10s).deliver(0, 10).process_at(
      0, {10100ms, 10200ms, 10300ms, 10400ms, 10500ms, 10600ms, 10700ms, 10800ms});
  const auto& o = s.at(11s).end();
  REQUIRE(value(o, Metric::duplicated) == 6);
  REQUIRE(value(o, Metric::redelivered_work_s) == Approx(0.6));
}

TEST_CASE("commits, refused commits and the advance of committed offsets are counted") {
  const Where other{.partition = kOtherPartition, .lane = kOtherLane};
  Story s;
  s.subscribe().subscribe(other).send(0, 10, 0).send(0, 10, 0, -1, other);
  s.process(0, 10).commit(4).commit(10, 4).refuse_commit(10, other);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::commits) == 2);
  REQUIRE(value(o, Metric::commits_refused) == 1);
  REQUIRE(value(o, Metric::committed_records) == 10);
  REQUIRE(value(o, Metric::committed_partition_min_records) == 0);
}

TEST_CASE("an outage after a leader's crash is detection, election and client refresh") {
  Story s;
  s.leader(kBroker, 0).send(0, 10, 0).at(10s).fault(kBroker);
  s.at(11s).offer(10, 1).at(18s).broker(kBroker, BrokerCode::fenced).at(18500ms).leader(kOtherBroker, 1);
  s.at(20s).store(10, 1, 10, {.epoch = 1});
  const auto& o = s.at(30s).end();
  REQUIRE(value(o, Metric::unavailability_mean_s) == Approx(10));
  REQUIRE(value(o, Metric::unavailability_max_s) == Approx(10));
  REQUIRE(value(o, Metric::detection_mean_s) == Approx(8));
  REQUIRE(value(o, Metric::election_mean_s) == Approx(0.5));
  REQUIRE(value(o, Metric::client_refresh_mean_s) == Approx(1.5));
  REQUIRE(value(o, Metric::leader_elections) == 1);
  REQUIRE(value(o, Metric::unclean_elections) == 0);
  REQUIRE(value(o, Metric::unavailable_partitions) == 1);
}

TEST_CASE("what a succeeded leader takes ends no outage") {
  Story s;
  s.leader(kBroker, 0).send(0, 10, 0).at(10s).fault(kBroker).offer(10, 2).at(12s).leader(kOtherBroker, 1);
  s.at(15s).store_off_line(10, 1, 10).acknowledge(10, 1, 10).at(20s).store(11, 1, 10, {.epoch = 1});
  REQUIRE(value(s.at(30s).end(), Metric::unavailability_max_s) == Approx(10));
}

TEST_CASE("a crash of another broker makes nothing unavailable") {
  Story s;
  s.leader(kBroker, 0).at(10s).fault(kOtherBroker).broker(kOtherBroker, BrokerCode::crashed);
  const auto& o = s.at(30s).end();
  REQUIRE(value(o, Metric::unavailable_partitions) == 0);
  REQUIRE(empty(o, Metric::unavailability_max_s));
}

TEST_CASE("an outage that nothing ends counts to the end of arrivals and has no parts") {
  Story s;
  s.leader(kBroker, 0).send(0, 10, 0);
  s.at(10s).broker(kBroker, BrokerCode::crashed).at(15s).leader(0, 0, LeaderCode::offline);
  s.at(40s).phase(PhaseCode::arrivals_stopped);
  const auto& o = s.at(60s).end();
  REQUIRE(value(o, Metric::unavailability_max_s) == Approx(30));
  REQUIRE(empty(o, Metric::detection_mean_s));
  REQUIRE(value(o, Metric::partitions_offline_max) == 1);
}

TEST_CASE("where nobody has anything to write an outage ends at the election") {
  Story s;
  std::int64_t next = 0;
  s.leader(kBroker, 0);
  SECTION("though nobody ever wrote there") {
    s.at(10s);
  }
  SECTION("though the next batch comes much later") {
    s.send(0, 10, 0).at(10s);
    next = 10;
  }
  SECTION("though a producer held something, and crashed with it") {
    s.offer(0, 10).at(10s).fault(kProducer);
    next = 10;
  }
  s.fault(kBroker).at(19s).broker(kBroker, BrokerCode::fenced).at(20s).leader(kOtherBroker, 1);
  s.at(50s).leader(kBroker, 2).send(next, 1, next);
  const auto& o = s.at(60s).end();
  REQUIRE(value(o, Metric::unavailability_max_s) == Approx(10));
  REQUIRE(value(o, Metric::detection_mean_s) == Approx(9));
  REQUIRE(value(o, Metric::election_mean_s) == Approx(1));
  REQUIRE(value(o, Metric::client_refresh_mean_s) == Approx(0));
  REQUIRE(value(o, Metric::unavailable_partitions) == 1);
}

TEST_CASE("client refresh is counted only while a producer holds something for the partition") {
  Story s;
  s.leader(kBroker, 0).offer(0, 2).at(10s).fault(kBroker).at(20s).leader(kOtherBroker, 1);
  s.at(22s).fail(0, 2);
  SECTION("to the next batch stored") {
    s.at(40s).offer(2, 1).at(43s).store(2, 1, 0, {.epoch = 1});
    REQUIRE(value(s.at(60s).end(), Metric::unavailability_max_s) == Approx(15));
  }
  SECTION("to the acknowledgement of what the new leader had already") {
    s.at(40s).offer(2, 1).at(44s).acknowledge(2, 1, 0).at(50s).offer(3, 1).store(3, 1, 1, {.epoch = 1});
    const auto& o = s.at(60s).end();
    REQUIRE(value(o, Metric::client_refresh_mean_s) == Approx(6));
    REQUIRE(value(o, Metric::unavailability_mean_s) == Approx(16));
  }
}

TEST_CASE("a second crash is another outage unless somebody still waits") {
  Story s;
  s.leader(kBroker, 0);
  SECTION("nobody waits") {
    s.at(10s).fault(kBroker).at(20s).leader(kOtherBroker, 1);
    s.at(50s).fault(kOtherBroker).at(58s).leader(kBroker, 2);
    const auto& o = s.at(60s).end();
    REQUIRE(value(o, Metric::unavailable_partitions) == 2);
    REQUIRE(value(o, Metric::unavailability_max_s) == Approx(10));
    REQUIRE(value(o, Metric::unavailability_sum_s) == Approx(18));
  }
  SECTION("somebody waits") {
    s.offer(0, 1).at(10s).fault(kBroker).at(20s).leader(kOtherBroker, 1);
    s.at(21s).fault(kOtherBroker).at(29s).leader(kBroker, 2).at(30s).store(0, 1, 0, {.epoch = 2});
    const auto& o = s.at(60s).end();
    REQUIRE(value(o, Metric::unavailable_partitions) == 1);
    REQUIRE(value(o, Metric::unavailability_max_s) == Approx(20));
  }
}

TEST_CASE("a paused or isolated leader makes an outage from the fault on") {
  const FaultCode how = GENERATE(FaultCode::pause, FaultCode::isolate);
  Story s;
  s.leader(kBroker, 0).at(10s).fault(kBroker, true, how).offer(0, 2).store(0, 1, 0);
  SECTION("to the next batch of a new leader") {
    s.at(19s)
        .broker(kBroker, BrokerCode::fenced)
        .leader(kOtherBroker, 1)
        .at(20s)
        .store(1, 1, 1, {.epoch = 1});
    s.at(30s).fault(kBroker, false, how).leader(kBroker, 0);
    const auto& o = s.at(60s).end();
    REQUIRE(value(o, Metric::unavailability_mean_s) == Approx(10));
    REQUIRE(value(o, Metric::detection_mean_s) == Approx(9));
    REQUIRE(value(o, Metric::client_refresh_mean_s) == Approx(1));
    REQUIRE(value(o, Metric::leader_elections) == 1);
  }
  SECTION("or until it is back before anybody noticed, which has no parts") {
    s.at(13s).fault(kBroker, false, how).at(14s).store(1, 1, 1);
    const auto& o = s.at(60s).end();
    REQUIRE(value(o, Metric::unavailability_max_s) == Approx(4));
    REQUIRE(empty(o, Metric::detection_mean_s));
  }
}

TEST_CASE("the outage of a leader behind a cut link begins with the cut or the last acknowledgement") {
  Story s;
  s.leader(kBroker, 0).at(10s).cut(kOtherBroker, kBroker);
  const bool reached = GENERATE(false, true);
  if (reached) s.at(13s).send(0, 1, 0);
  s.at(19s).broker(kBroker, BrokerCode::fenced).leader(kOtherBroker, 1);
  const auto& o = s.at(60s).end();
  REQUIRE(value(o, Metric::detection_mean_s) == Approx(reached ? 6 : 9));
  REQUIRE(value(o, Metric::unavailability_max_s) == Approx(reached ? 6 : 9));
}

TEST_CASE("a cut that heals with its broker in time is no outage") {
  Story s;
  s.leader(kBroker, 0).at(10s).cut(kOtherBroker, kBroker).at(15s).cut(kOtherBroker, kBroker, false);
  REQUIRE(value(s.at(60s).end(), Metric::unavailable_partitions) == 0);
}

TEST_CASE("a fenced leader that no fault names was out since the cut of its rack") {
  models::Entities entities;
  for (std::uint32_t id = 1; id <= kOtherBroker; ++id) entities.add(models::EntityKind::broker, "broker");
  const std::uint32_t rack = entities.add(models::EntityKind::link, "a").value;
  models::ObserverOptions options;
  options.entities = &entities;
  Story s(options);
  s.leader(kBroker, 0).at(5s).fault(kOtherBroker, true, FaultCode::isolate);
  SECTION("that lasts") {
    s.at(10s).fault(rack, true, FaultCode::isolate).at(19s).broker(kBroker, BrokerCode::fenced);
    REQUIRE(value(s.leader(kOtherBroker, 1).at(60s).end(), Metric::detection_mean_s) == Approx(9));
  }
  SECTION("or for as long as somebody has waited, where nobody knows why") {
    s.at(12s).offer(0, 1).at(19s).broker(kBroker, BrokerCode::fenced).leader(kOtherBroker, 1);
    s.store(0, 1, 0, {.epoch = 1});
    REQUIRE(value(s.at(60s).end(), Metric::detection_mean_s) == Approx(7));
  }
}

TEST_CASE("unclean elections and shrinking replica sets are counted") {
  Story s;
  s.leader(kBroker, 0).in_sync(3).in_sync(1).in_sync(2).leader(kOtherBroker, 1, LeaderCode::unclean);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::unclean_elections) == 1);
  REQUIRE(value(o, Metric::isr_shrinks) == 1);
  REQUIRE(value(o, Metric::isr_min_replicas) == 1);
}

TEST_CASE("a drain that ran out of time is told apart") {
  Story s;
  s.at(10s).phase(PhaseCode::arrivals_stopped).at(70s).phase(PhaseCode::drain_timed_out);
  const auto& o = s.end();
  REQUIRE(value(o, Metric::drained) == 0);
  REQUIRE(value(o, Metric::drain_s) == Approx(60));
}

TEST_CASE("time series show each point as it was before the records of its instant") {
  Story s;
  s.subscribe().position(0).at(500ms).send(0, 10, 0).high_watermark(10).at(2s).consume(0, 10);
  const auto& o = s.at(3s).end();
  std::vector<double> lag;
  std::vector<double> offered;
  for (const models::Sample& point : o.samples()) {
    if (point.series == models::Series::lag_records && point.group.value == kGroup)
      lag.push_back(point.value);
    if (point.series == models::Series::offered_per_s) offered.push_back(point.value);
  }
  REQUIRE(lag == std::vector<double>{10, 10, 0});
  REQUIRE(offered == std::vector<double>{10, 0, 0});
}

TEST_CASE("a group's own values are labelled with it") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup}).send(0, 10, 0).consume(0, 10);
  const auto& o = s.end();
  REQUIRE(labelled(o, Metric::in_flight, kOtherGroup) == 10);
}

TEST_CASE("replicas that ended the run apart are counted by their offsets") {
  Story s;
  REQUIRE(value(s.diverge(10, 5).diverge(40, 2, {.partition = kOtherPartition}).at(60s).end(),
                Metric::replica_divergence) == 7);
  Story none;
  REQUIRE(value(none.at(60s).end(), Metric::replica_divergence) == 0);
}

TEST_CASE("segments and records that retention deleted are counted") {
  Story s;
  s.send(0, 30, 0).expire(0, 10, 2).expire(10, 5, 1);
  const auto& o = s.at(60s).end();
  REQUIRE(value(o, Metric::segments_deleted) == 3);
  REQUIRE(value(o, Metric::records_deleted) == 15);
}

TEST_CASE("what is labelled with a group alone is said to be measured by group") {
  Story s;
  s.subscribe().subscribe({.group = kOtherGroup}).send(0, 10, 0).consume(0, 10);
  std::size_t rows = 0;
  for (const models::Labelled& row : s.end().labelled()) {
    if (row.subject.value != kGroup && row.subject.value != kOtherGroup) continue;
    ++rows;
    INFO(models::metric_catalogue()[static_cast<std::size_t>(row.metric)].name);
    REQUIRE(models::measured_by_group(row.metric));
  }
  REQUIRE(rows > 20);
  REQUIRE_FALSE(models::measured_by_group(Metric::publish_latency_p99_ms));
}
