// Groups and their members: generations, evictions, commits, who works and who idles, how late a dead member
// is noticed, and what work was done twice.
//
// A crashed member counts as detected when the incarnation that crashed is evicted, though the process may be
// back by then; a pause or a cut that heals before is not detected.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/checkers/ledger.hpp"
#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/metrics/window.hpp"
#include "sim/trace.hpp"

namespace models {

class MemberMeter {
 public:
  MemberMeter(Readings& readings, const Window& window) : readings_(readings), window_(window) {}

  void group_state(const sim::TraceRecord& r);
  void member_state(const sim::TraceRecord& r);
  void fault(const sim::TraceRecord& r);
  /// An ownership record that changed something.
  void ownership(const sim::TraceRecord& r);
  void delivered(const sim::TraceRecord& r);
  void abandoned(const sim::TraceRecord& r);
  void processed(const sim::TraceRecord& r, std::span<const std::int64_t> payload);
  /// Told before processed(): these messages of the record had been processed before.
  void processed_again(const MessageRun& run, const FinishTimes& finish);
  void subscribed(const sim::TraceRecord& r) { progress(r); }
  void committed(const sim::TraceRecord& r);
  void commit_refused() { ++commits_refused_; }
  void arrivals_stopped();

  void report(MetricValues& values, std::vector<Labelled>& labelled, sim::Time end) const;

 private:
  struct Member {
    bool joined = false;  ///< now
    bool ever_joined = false;
    bool counted = false;  ///< joined when arrivals stopped
    bool idle = false;     ///< and without a partition
    std::int64_t owned = 0;
    std::uint64_t processed = 0;  ///< after the warm-up
    std::int64_t in_hand = 0;     ///< records handed to it and not said to be processed
    sim::Time handed{};           ///< when it was given something last while it had nothing to do
    sim::Time last_finish{};
    sim::Duration busy{};                   ///< in the steady state
    std::optional<sim::Time> silent_since;  ///< paused or cut off, by a fault that lasts
    std::optional<sim::Time> died_at;       ///< last
    std::vector<sim::Time> dead;            ///< its crashed incarnations not evicted yet: silent since
  };
  struct Progress {
    std::optional<std::int64_t> first;  ///< committed before anything of this run
    std::int64_t last = 0;
  };
  struct Group {
    std::int64_t generation = 0;
    std::uint64_t rises = 0;
    std::uint64_t rises_warm = 0;  ///< after the warm-up, but the first
  };

  void died(Member& member, sim::Time t);
  void detected(Member& member, sim::Time t);
  Progress& progress(const sim::TraceRecord& r);
  sim::Time work_began(const Member& member) const { return std::max(member.handed, member.last_finish); }
  void report_members(MetricValues& values, std::vector<Labelled>& labelled, sim::Time end) const;
  void report_commits(MetricValues& values, std::vector<Labelled>& labelled) const;

  Readings& readings_;
  const Window& window_;
  EntityTable<Member> members_;
  EntityTable<Group> groups_;
  std::vector<Progress> progress_;  ///< by reading
  std::uint64_t evicted_ = 0;
  std::uint64_t fenced_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t commits_refused_ = 0;
  std::uint64_t detections_ = 0;
  sim::Duration detection_sum_{};
  sim::Duration detection_max_{};
  sim::Duration again_{};
  std::int64_t in_hand_max_ = 0;
};

}  // namespace models
