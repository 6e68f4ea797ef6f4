#include "models/metrics/member_meter.hpp"

#include <algorithm>

#include "models/trace_kinds.hpp"

namespace models {

void MemberMeter::group_state(const sim::TraceRecord& r) {
  Group& group = groups_[r.peer];
  if (r.b <= group.generation) return;
  group.generation = r.b;
  ++group.rises;
  if (group.rises > 1 && r.time >= window_.warm) ++group.rises_warm;
}

void MemberMeter::member_state(const sim::TraceRecord& r) {
  if (static_cast<MemberCode>(r.code) == MemberCode::failed) {
    ++failed_;
    return;
  }
  Member& member = members_[r.actor];
  switch (static_cast<MemberCode>(r.code)) {
    case MemberCode::joined:
      member.joined = true;
      member.ever_joined = true;
      member.dead.clear();  // a group completes a rebalance without its dead, or a static member is back
      return;
    case MemberCode::evicted:
      ++evicted_;
      member.joined = false;
      return detected(member, r.time);
    case MemberCode::fenced:
      ++fenced_;
      return;
    case MemberCode::crashed:
      died(member, r.time);
      member.joined = false;
      member.in_hand = 0;
      return;
    case MemberCode::left:
      member.joined = false;
      member.silent_since.reset();
      return;
    default:
      return;
  }
}

namespace {

/// Not what an operator or a member does in an orderly way.
bool silences(FaultCode code) {
  return code != FaultCode::join && code != FaultCode::leave && code != FaultCode::restart &&
         code != FaultCode::rolling && code != FaultCode::grow && code != FaultCode::reassign &&
         code != FaultCode::failover && code != FaultCode::slowdown && code != FaultCode::clock_skew;
}

}  // namespace

void MemberMeter::fault(const sim::TraceRecord& r) {
  const auto code = static_cast<FaultCode>(r.code);
  if (!silences(code)) return;
  for (const std::uint32_t entity : {r.actor, r.place}) {
    Member& member = members_[entity];
    if (code == FaultCode::crash || code == FaultCode::power_loss || code == FaultCode::disk_loss) {
      if (r.a == 1 && entity == r.actor) died(member, r.time);
    } else if (r.a == 0) {
      member.silent_since.reset();
    } else if (!member.silent_since) {
      member.silent_since = r.time;
    }
  }
}

void MemberMeter::died(Member& member, sim::Time t) {
  if (member.died_at == t) return;  // told by the fault, then by the member
  member.died_at = t;
  member.dead.push_back(member.silent_since.value_or(t));
  member.silent_since.reset();
}

void MemberMeter::detected(Member& member, sim::Time t) {
  std::optional<sim::Time> since = member.silent_since;
  if (!member.dead.empty()) {
    since = member.dead.front();
    member.dead.erase(member.dead.begin());
  } else {
    member.silent_since.reset();
  }
  if (!since) return;
  const sim::Duration detection = t - *since;
  ++detections_;
  detection_sum_ += detection;
  detection_max_ = std::max(detection_max_, detection);
}

void MemberMeter::ownership(const sim::TraceRecord& r) {
  members_[r.actor].owned += r.a == 1 ? 1 : -1;
}

void MemberMeter::delivered(const sim::TraceRecord& r) {
  // Of a pool that is handed one poll after the other, the work on all of them is one.
  Member& member = members_[r.actor];
  if (member.in_hand == 0) member.handed = r.time;
  member.in_hand += r.b;
  in_hand_max_ = std::max(in_hand_max_, member.in_hand);
}

void MemberMeter::abandoned(const sim::TraceRecord& r) {
  members_[r.actor].in_hand -= r.b;
}

void MemberMeter::processed_again(const MessageRun& run, const FinishTimes& finish) {
  const std::size_t last = run.index + run.columns.count - 1;
  const std::int64_t began =
      run.index > 0 ? finish[run.index - 1] : sim::nanoseconds(work_began(members_[run.record.actor]));
  again_ += std::max(sim::Duration{}, sim::Duration{finish[last] - began});
}

void MemberMeter::processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
  Member& member = members_[r.actor];
  const std::int64_t last = (r.code & kArithmetic) != 0 ? payload[0] + payload[1] * (r.b - 1)
                                                        : *std::max_element(payload.begin(), payload.end());
  const sim::Time finish{sim::Duration{last}};
  member.busy += window_.part(work_began(member), finish);
  member.last_finish = std::max(member.last_finish, finish);
  member.in_hand = std::max(std::int64_t{0}, member.in_hand - r.b);
  if (r.time >= window_.warm) member.processed += static_cast<std::uint64_t>(r.b);
}

MemberMeter::Progress& MemberMeter::progress(const sim::TraceRecord& r) {
  const std::size_t reading = readings_.index(r.place, r.peer);
  if (reading >= progress_.size()) progress_.resize(reading + 1);
  return progress_[reading];
}

void MemberMeter::committed(const sim::TraceRecord& r) {
  ++commits_;
  Progress& p = progress(r);
  if (!p.first) p.first = std::max(std::int64_t{0}, r.b);
  p.last = std::max(p.last, r.a);
}

void MemberMeter::arrivals_stopped() {
  for (Member& member : members_.rows()) {
    member.counted = member.joined;
    member.idle = member.joined && member.owned == 0;
  }
}

void MemberMeter::report(MetricValues& values, std::vector<Labelled>& labelled, sim::Time end) const {
  std::uint64_t rises = 0;
  std::uint64_t rises_warm = 0;
  for (std::uint32_t id = 0; id < groups_.rows().size(); ++id) {
    const Group& group = groups_.rows()[id];
    if (group.rises == 0) continue;
    rises += group.rises;
    rises_warm += group.rises_warm;
    labelled.push_back({Metric::rebalances, EntityId{id}, {}, static_cast<double>(group.rises_warm)});
  }
  values[Metric::generations] = static_cast<double>(rises);
  values[Metric::rebalances] = static_cast<double>(rises_warm);
  values[Metric::members_evicted] = static_cast<double>(evicted_);
  values[Metric::members_fenced] = static_cast<double>(fenced_);
  values[Metric::applications_failed] = static_cast<double>(failed_);
  values[Metric::redelivered_work_s] = sim::seconds(again_);
  if (detections_ > 0) {
    values[Metric::member_detection_mean_s] = sim::seconds(detection_sum_) / static_cast<double>(detections_);
    values[Metric::member_detection_max_s] = sim::seconds(detection_max_);
  }
  report_members(values, labelled, end);
  report_commits(values, labelled);
}

void MemberMeter::report_members(MetricValues& values, std::vector<Labelled>& labelled, sim::Time end) const {
  const double window = sim::seconds(window_.part(window_.warm, end));
  std::uint64_t idle = 0;
  std::uint64_t active = 0;
  std::uint64_t members = 0;
  double busy_sum = 0;
  double busy_max = 0;
  for (std::uint32_t id = 0; id < members_.rows().size(); ++id) {
    const Member& member = members_.rows()[id];
    if (!member.ever_joined && member.processed == 0) continue;
    ++members;
    idle += member.idle ? 1 : 0;
    active += member.processed > 0 ? 1 : 0;
    const double busy = window > 0 ? sim::seconds(member.busy) / window : 0;
    busy_sum += busy;
    busy_max = std::max(busy_max, busy);
    labelled.push_back({Metric::member_utilisation_mean, EntityId{id}, {}, busy});
    labelled.push_back({Metric::processed, EntityId{id}, {}, static_cast<double>(member.processed)});
  }
  if (members == 0) return;
  values[Metric::in_hand_max_records] = static_cast<double>(in_hand_max_);
  values[Metric::members_idle] = static_cast<double>(idle);
  values[Metric::members_active] = static_cast<double>(active);
  values[Metric::member_utilisation_mean] = busy_sum / static_cast<double>(members);
  values[Metric::member_utilisation_max] = busy_max;
}

void MemberMeter::report_commits(MetricValues& values, std::vector<Labelled>& labelled) const {
  values[Metric::commits] = static_cast<double>(commits_);
  values[Metric::commits_refused] = static_cast<double>(commits_refused_);
  std::int64_t sum = 0;
  std::optional<std::int64_t> least;
  for (std::size_t i = 0; i < progress_.size(); ++i) {
    const Progress& p = progress_[i];
    const std::int64_t advance = p.first ? std::max(std::int64_t{0}, p.last - *p.first) : 0;
    sum += advance;
    least = least ? std::min(*least, advance) : advance;
    labelled.push_back(
        {Metric::committed_records, readings_[i].place, readings_[i].group, static_cast<double>(advance)});
  }
  values[Metric::committed_records] = static_cast<double>(sum);
  if (least) values[Metric::committed_partition_min_records] = static_cast<double>(*least);
}

}  // namespace models
