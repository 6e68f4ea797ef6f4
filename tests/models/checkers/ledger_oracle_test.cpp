// The ledger against a reference that keeps every message by itself: arbitrary traces, the same verdicts.

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/trace_story.hpp"

using namespace story;

namespace {

constexpr std::uint32_t kGroups = 2;
constexpr std::uint32_t kLanes = 2;

struct Message {
  bool acknowledged = false;
  bool failed = false;
  int stored = 0;
  int live = 0;
  std::array<int, kGroups> processed{};
  std::array<int, kGroups> applied{};
};

struct Entry {
  std::size_t message;
  std::int64_t epoch;
};

struct Hand {
  std::int64_t offset = 0;
  std::vector<Entry> entries;
};

struct View {
  std::map<std::int64_t, int> delivered;
  std::map<std::int64_t, int> processed;
  std::map<std::int64_t, bool> passed;  ///< whether as the skipped are
  std::int64_t passed_end = 0;
  bool positioned = false;
  Hand hand;
};

/// Plays a random run twice: told to the observers, and done to plain tables.
class Play {
 public:
  explicit Play(std::uint64_t seed) : state_(seed * 2 + 1) {
    for (std::uint32_t g = 0; g < kGroups; ++g) story_.subscribe(where(0, g));
  }

  void step() {
    const auto lane = static_cast<std::uint32_t>(draw(kLanes));
    const auto group = static_cast<std::uint32_t>(draw(kGroups));
    switch (draw(12)) {
      case 0:
      case 1:
        return offer(lane);
      case 2:
      case 3:
        return store(lane);
      case 4:
        return report(lane);
      case 5:
        return truncate();
      case 6:
      case 7:
        return deliver(group);
      case 8:
      case 9:
        return process(group);
      case 10:
        return commit(group);
      default:
        return position(group);
    }
  }

  void compare() {
    const models::LedgerTotals& t = story_.end().ledger().totals();
    std::uint64_t lost = 0;
    std::uint64_t stored = 0;
    std::vector<bool> lost_by_any(messages_.size());
    for (std::uint32_t g = 0; g < kGroups; ++g) {
      models::GroupTotals expected;
      for (std::size_t m = 0; m < messages_.size(); ++m) judge(m, g, expected, lost_by_any);
      const models::GroupTotals& found = t.groups[g];
      CHECK(found.processed == expected.processed);
      CHECK(found.duplicated == expected.duplicated);
      CHECK(found.lost == expected.lost);
      CHECK(found.lost_unacknowledged == expected.lost_unacknowledged);
      CHECK(found.failed == expected.failed);
      CHECK(found.skipped == expected.skipped);
      CHECK(found.in_flight == expected.in_flight);
      CHECK(found.redelivered == redelivered_[g]);
      CHECK(found.effects_duplicated == expected.effects_duplicated);
    }
    for (std::size_t m = 0; m < messages_.size(); ++m) {
      lost += lost_by_any[m] ? 1 : 0;
      stored += messages_[m].stored > 0 ? 1 : 0;
    }
    CHECK(t.lost == lost);
    CHECK(t.stored == stored);
    CHECK(t.log_duplicates == log_duplicates_);
  }

 private:
  std::int64_t draw(std::uint64_t below) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::int64_t>((state_ >> 33) % below);
  }
  std::int64_t draw_between(std::int64_t low, std::int64_t high) {
    return low + draw(static_cast<std::uint64_t>(high - low + 1));
  }
  Where where(std::uint32_t lane, std::uint32_t group) const {
    return {.lane = kLane + lane, .group = kGroup + group, .member = kMember + group, .epoch = epoch_};
  }
  std::int64_t end() const { return static_cast<std::int64_t>(log_.size()); }
  std::int64_t offered(std::uint32_t lane) const { return static_cast<std::int64_t>(lanes_[lane].size()); }

  void offer(std::uint32_t lane) {
    const std::int64_t n = draw_between(1, 6);
    story_.offer(offered(lane), n, draw(3) - 1, where(lane, 0));
    for (std::int64_t i = 0; i < n; ++i) {
      lanes_[lane].push_back(messages_.size());
      messages_.emplace_back();
    }
  }

  void store(std::uint32_t lane) {
    if (lanes_[lane].empty()) return;
    const std::int64_t seq = draw_between(std::max<std::int64_t>(0, offered(lane) - 8), offered(lane) - 1);
    const std::int64_t n = draw_between(1, offered(lane) - seq);
    story_.store(seq, n, end(), where(lane, 0));
    for (std::int64_t i = seq; i < seq + n; ++i) {
      const std::size_t m = lanes_[lane][static_cast<std::size_t>(i)];
      if (messages_[m].live > 0) ++log_duplicates_;
      ++messages_[m].stored;
      ++messages_[m].live;
      log_.push_back({m, epoch_});
    }
  }

  void report(std::uint32_t lane) {
    if (reported_[lane] == offered(lane)) return;
    const std::int64_t n = draw_between(1, offered(lane) - reported_[lane]);
    const bool success = draw(3) > 0;
    if (success) {
      story_.acknowledge(reported_[lane], n, -1, where(lane, 0));
    } else {
      story_.fail(reported_[lane], n, true, where(lane, 0));
    }
    for (std::int64_t i = reported_[lane]; i < reported_[lane] + n; ++i) {
      Message& m = messages_[lanes_[lane][static_cast<std::size_t>(i)]];
      (success ? m.acknowledged : m.failed) = true;
    }
    reported_[lane] += n;
  }

  void truncate() {
    if (draw(3) > 0 || log_.empty()) return;
    ++epoch_;
    const std::int64_t offset = draw_between(std::max<std::int64_t>(0, end() - 6), end() - 1);
    story_.truncate(offset, end() - offset, epoch_);
    for (std::int64_t i = offset; i < end(); ++i) --messages_[log_[static_cast<std::size_t>(i)].message].live;
    log_.resize(static_cast<std::size_t>(offset));
    for (View& view : views_) {
      view.delivered.erase(view.delivered.lower_bound(offset), view.delivered.end());
      view.processed.erase(view.processed.lower_bound(offset), view.processed.end());
      view.passed.erase(view.passed.lower_bound(offset), view.passed.end());
      view.passed_end = std::min(view.passed_end, offset);
    }
  }

  void deliver(std::uint32_t group) {
    if (log_.empty()) return;
    View& view = views_[group];
    put_down(group);
    view.hand.offset = draw_between(std::max<std::int64_t>(0, end() - 12), end() - 1);
    const std::int64_t n = draw_between(1, end() - view.hand.offset);
    const auto first = log_.begin() + view.hand.offset;
    view.hand.entries.assign(first, first + n);
    Where w = where(0, group);
    w.epoch = view.hand.entries.back().epoch;
    story_.deliver(view.hand.offset, n, w);
    for (std::int64_t i = view.hand.offset; i < view.hand.offset + n; ++i) {
      if (view.delivered[i]++ > 0) ++redelivered_[group];
    }
  }

  /// The application gives up what it holds, or dies of it.
  void put_down(std::uint32_t group) {
    Hand& hand = views_[group].hand;
    if (hand.entries.empty()) return;
    Where w = where(0, group);
    w.epoch = hand.entries.back().epoch;
    if (draw(2) == 0) {
      const auto behind = hand.offset + static_cast<std::int64_t>(hand.entries.size());
      story_.abandon(hand.offset, static_cast<std::int64_t>(hand.entries.size()), w);
      if (behind <= end() && log_[static_cast<std::size_t>(behind - 1)].epoch <= w.epoch)
        pass(views_[group], behind, false);
    } else {
      story_.member_state(models::MemberCode::crashed, w);
    }
    hand.entries.clear();
  }

  void process(std::uint32_t group) {
    View& view = views_[group];
    if (view.hand.entries.empty()) return;
    const std::int64_t n = draw_between(1, static_cast<std::int64_t>(view.hand.entries.size()));
    Where w = where(0, group);
    w.epoch = view.hand.entries[static_cast<std::size_t>(n - 1)].epoch;
    story_.process(view.hand.offset, n, w).effect(view.hand.offset, n, models::kApplied, w);
    for (std::int64_t i = 0; i < n; ++i) {
      const Entry& held = view.hand.entries[static_cast<std::size_t>(i)];
      ++messages_[held.message].processed[group];
      ++messages_[held.message].applied[group];
      const std::int64_t offset = view.hand.offset + i;
      if (offset >= end() || log_[static_cast<std::size_t>(offset)].epoch != held.epoch) continue;
      ++view.processed[offset];
      view.passed.erase(offset);
    }
    view.hand.offset += n;
    view.hand.entries.erase(view.hand.entries.begin(), view.hand.entries.begin() + n);
  }

  void commit(std::uint32_t group) {
    const std::int64_t offset = draw_between(0, end());
    story_.commit(offset, -1, where(0, group));
    views_[group].positioned = true;
    pass(views_[group], offset, false);
  }

  void position(std::uint32_t group) {
    View& view = views_[group];
    const std::int64_t offset = draw_between(0, end());
    const bool latest = draw(2) == 0;
    story_.position(offset, -1, where(0, group),
                    latest ? models::ResetCode::latest : models::ResetCode::sought);
    const bool skips = latest && !view.positioned;
    view.positioned = true;
    if (offset < view.passed_end) {
      view.passed.erase(view.passed.lower_bound(offset), view.passed.end());
      view.passed_end = offset;
    } else {
      pass(view, offset, skips);
    }
  }

  static void pass(View& view, std::int64_t offset, bool skips) {
    for (; view.passed_end < offset; ++view.passed_end) {
      if (view.processed.count(view.passed_end) == 0) view.passed[view.passed_end] = skips;
    }
  }

  void judge(std::size_t id, std::uint32_t group, models::GroupTotals& totals,
             std::vector<bool>& lost_by_any) const {
    const Message& m = messages_[id];
    const auto times = static_cast<std::uint64_t>(m.processed[group]);
    totals.effects_duplicated += m.applied[group] > 1 ? static_cast<std::uint64_t>(m.applied[group] - 1) : 0;
    if (times > 0) {
      ++totals.processed;
      totals.duplicated += times - 1;
      return;
    }
    const View& view = views_[group];
    const auto passed_as = [&](bool skipped) {
      return std::any_of(view.passed.begin(), view.passed.end(), [&](const auto& passed) {
        return passed.second == skipped && log_[static_cast<std::size_t>(passed.first)].message == id;
      });
    };
    const auto& held = view.hand.entries;
    if (std::any_of(held.begin(), held.end(), [id](const Entry& e) { return e.message == id; })) {
      ++totals.in_flight;
    } else if (m.live > 0 && !passed_as(false)) {
      ++(passed_as(true) ? totals.skipped : totals.in_flight);
    } else if (m.acknowledged) {
      ++totals.lost;
      lost_by_any[id] = true;
    } else if (m.live == 0 && m.failed) {
      ++totals.failed;
    } else if (m.stored > 0) {
      ++totals.lost_unacknowledged;
    } else {
      ++totals.in_flight;
    }
  }

  std::uint64_t state_;
  Story story_;
  std::int64_t epoch_ = 0;
  std::vector<Message> messages_;
  std::array<std::vector<std::size_t>, kLanes> lanes_;
  std::array<std::int64_t, kLanes> reported_{};
  std::vector<Entry> log_;
  std::array<View, kGroups> views_;
  std::array<std::uint64_t, kGroups> redelivered_{};
  std::uint64_t log_duplicates_ = 0;
};

}  // namespace

TEST_CASE("the ledger agrees with a reference that keeps every message by itself") {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    INFO("seed " << seed);
    Play play(seed);
    for (std::uint64_t i = 0; i < 20 + seed % 100; ++i) play.step();
    play.compare();
  }
}
