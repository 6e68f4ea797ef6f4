// Random programs on the replicas of a compacted log: whoever leads appends, followers copy what they are sent, any of them is
// cleaned at any time, what was not replicated is cut off at a change of leader. Whatever survives at a replica that has caught
// up says of every key what all records say that were ever in its log.
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "models/kafka/broker/cleaning.hpp"
#include "tests/catch.hpp"

using namespace models;
using namespace models::kafka;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kReplicas = 3;
constexpr sim::Duration kRetention = 10s;

using Table = std::map<std::uint32_t, Offset>;

void put(Table& table, std::uint32_t key, Offset offset) {
  if ((key & kTombstone) != 0)
    table.erase(key & ~kTombstone);
  else
    table[key] = offset;
}

struct Member {
  explicit Member(PartitionStore& store) : log(store) {}
  ReplicaLog log;
  std::vector<std::uint32_t> all;  ///< key of each record that was ever in this log, by offset
  Offset first_dirty = 0;
  sim::Time up_to_date{};   ///< when it last held all that its leader had, or was empty
  Offset behind_until = 0;  ///< what it was sent lacks what something newer below here supersedes
};

/// Reads a log from its start, some of it at a time.
struct Reader {
  Offset next = 0;
  sim::Time began{};
  Table table;
};

class Program {
 public:
  void run() {
    members_[0].log.begin_epoch(0);
    const int steps = *rc::gen::inRange(20, 150);
    for (int i = 0; i < steps; ++i) {
      now_ += std::chrono::milliseconds{*rc::gen::inRange(0, 4000)};
      const int what = *rc::gen::inRange(0, 22);
      if (what < 7)
        append();
      else if (what < 12)
        copy(other());
      else if (what < 15)
        clean(*rc::gen::inRange<std::size_t>(0, kReplicas));
      else if (what < 19)
        read();
      else if (what < 20)
        elect();
      else
        leave_or_return();
      for (const Member& member : members_) check(member);
    }
    RC_CLASSIFY(exact_ > 0, "a quick reader came to the end");
    RC_CLASSIFY(removed_ > 0, "records were removed");
  }

 private:
  Member& leader() { return members_[leader_]; }
  std::size_t other() { return (leader_ + *rc::gen::inRange<std::size_t>(1, kReplicas)) % kReplicas; }
  Offset high_watermark() const {
    Offset least = members_[leader_].log.end();
    for (std::size_t i = 0; i < kReplicas; ++i) {
      if (i != away_) least = std::min(least, members_[i].log.end());
    }
    return std::max(least, high_watermark_);
  }

  /// One of them is out of the in-sync set for a while: others may clean what it has not copied yet.
  void leave_or_return() {
    high_watermark_ = high_watermark();
    if (away_ == kReplicas) {
      away_ = other();
    } else if (members_[away_].log.end() >= high_watermark_ && agrees(members_[away_])) {
      away_ = kReplicas;
    }
  }
  bool agrees(const Member& follower) {
    return follower.log.end() == 0 || follower.log.end() == cut_for(follower);
  }
  /// To where it has to be cut before it copies (ReplicaFetcher::truncate).
  Offset cut_for(const Member& follower) {
    const Offset end = follower.log.end();
    if (end == 0) return 0;
    const LeaderEpoch last = follower.log.epoch_at(end - 1);
    const EpochEnd leaders = leader().log.end_of(last);
    if (last == kNoEpoch || (leaders.epoch >= last && leaders.end >= end)) return end;
    return std::min({end, leaders.end, follower.log.end_of(leaders.epoch).end});
  }

  void append() {
    Extent e;
    e.lane = LaneId{1};
    e.first_seq = next_seq_;
    e.count = *rc::gen::inRange(1, 6);
    e.bytes = 61 + 20 * e.count;
    std::vector<std::int64_t> keys;
    for (std::int32_t i = 0; i < e.count; ++i) {
      const std::uint32_t key = *rc::gen::inRange<std::uint32_t>(0, 8);
      keys.push_back(*rc::gen::inRange(0, 3) == 0 ? key | kTombstone : key);
      leader().all.push_back(static_cast<std::uint32_t>(keys.back()));
    }
    keys_.append(LaneId{1}, keys);
    next_seq_ += e.count;
    leader().log.append(e);
  }

  void copy(std::size_t to) {
    Member& follower = members_[to];
    const ReplicaLog& log = leader().log;
    cut(follower);
    const Survivors* const gaps = log.survivors();
    if (gaps != nullptr && follower.log.end() < gaps->end() && now_ - follower.up_to_date >= kRetention) {
      // It is a slow reader like any other: the tombstones of what it holds may have gone. It begins anew.
      follower.log.restart_at(0);
      follower.all.clear();
      follower.first_dirty = follower.behind_until = 0;
      follower.up_to_date = now_;
    }
    const Offset from = follower.log.end();
    const ReadResult read = log.read(from, log.end(), *rc::gen::inRange(1, 300));
    if (read.end == from) return;
    if (read.gaps) {
      std::vector<Surviving> sent;
      const Survivors& survivors = *log.survivors();
      for (std::size_t i = survivors.find(from);
           i < survivors.runs().size() && survivors.runs()[i].from < read.end; ++i) {
        sent.push_back(survivors.runs()[i]);
        sent.back().from = std::max(sent.back().from, from);
        sent.back().to = std::min(sent.back().to, read.end);
      }
      follower.log.copy(read.epoch, from, read.end, {.first_batch = read.first_batch, .records = sent});
      follower.behind_until = std::max({follower.behind_until, survivors.end(), leader().behind_until});
    } else {
      follower.log.copy(read.epoch, from, read.end);
    }
    follower.all.assign(leader().all.begin(), leader().all.begin() + read.end);
    if (read.end == log.end()) follower.up_to_date = now_;
  }

  void clean(std::size_t which) {
    Member& member = members_[which];
    const Offset most = high_watermark();
    if (which == away_ || most <= member.first_dirty || !agrees(member)) return;
    const Offset end = *rc::gen::inRange(member.first_dirty, most) + 1;
    CleaningResult result = kafka::clean({.log = member.log,
                                          .keys = keys_,
                                          .first_dirty = member.first_dirty,
                                          .end = end,
                                          .now = now_,
                                          .delete_retention = kRetention,
                                          .keys_most = *rc::gen::element<std::size_t>(3, 1000)},
                                         map_);
    Survivors survivors = result.survivors;
    if (const Survivors* old = member.log.survivors(); old != nullptr && old->end() > result.end) {
      for (std::size_t i = old->find(result.end); i < old->runs().size(); ++i) {
        Surviving run = old->runs()[i];
        run.from = std::max(run.from, result.end);
        survivors.add(run);
      }
      survivors.reach(old->end());
    }
    member.log.compacted(std::move(survivors));
    member.first_dirty = result.end;
    removed_ += result.removed;
  }

  void cut(Member& follower) {
    for (Offset to; (to = cut_for(follower)) < follower.log.end();) {
      follower.log.truncate(to);
      follower.all.resize(static_cast<std::size_t>(to));
      follower.first_dirty = std::min(follower.first_dirty, to);
    }
  }

  /// Another one of those in sync leads; what those in sync hold beyond it is cut off.
  void elect() {
    high_watermark_ = high_watermark();
    const std::size_t next = other();
    if (next == away_) return;
    leader_ = next;
    leader().log.begin_epoch(++epoch_);
    // Nobody counts for the high watermark before the new leader knows that it agrees.
    for (std::size_t i = 0; i < kReplicas; ++i) {
      if (i != leader_ && i != away_) cut(members_[i]);
    }
    reader_ = {};  // another replica's tombstones may have gone long ago
    reader_.began = now_;
  }

  void read() {
    const ReplicaLog& log = leader().log;
    if (log.end() < leader().behind_until) return;
    const ReadResult read = log.read(reader_.next, log.end(), *rc::gen::inRange(1, 500));
    log.for_each_held(reader_.next, read.end, [this](const Extent& batch, Offset from, Offset to, sim::Time) {
      for (; from < to; ++from)
        put(reader_.table, keys_.at(batch.lane, batch.first_seq + (from - batch.base)), from);
    });
    RC_ASSERT(read.end > reader_.next || reader_.next == log.end());
    reader_.next = read.end;
    if (now_ - reader_.began >= kRetention) {  // too slow: it would have to begin anew
      reader_ = {};
      reader_.began = now_;
    } else if (reader_.next == log.end()) {
      RC_ASSERT(reader_.table == reference(leader()));
      ++exact_;
    }
  }

  static Table reference(const Member& member) {
    Table table;
    for (std::size_t i = 0; i < member.all.size(); ++i) put(table, member.all[i], static_cast<Offset>(i));
    return table;
  }

  void check(const Member& member) const {
    RC_ASSERT(static_cast<Offset>(member.all.size()) == member.log.end());
    if (member.log.end() < member.behind_until) return;
    Table table;
    member.log.for_each_held(
        0, member.log.end(), [&](const Extent& batch, Offset from, Offset to, sim::Time) {
          for (; from < to; ++from)
            put(table, keys_.at(batch.lane, batch.first_seq + (from - batch.base)), from);
        });
    RC_ASSERT(table == reference(member));
  }

  PartitionStore store_;
  RecordKeys keys_;
  OffsetMap map_;
  std::vector<Member> members_{Member(store_), Member(store_), Member(store_)};
  Reader reader_;
  std::size_t leader_ = 0;
  std::size_t away_ = kReplicas;  ///< nobody
  Offset high_watermark_ = 0;
  LeaderEpoch epoch_ = 0;
  std::int64_t next_seq_ = 0;
  std::int64_t removed_ = 0;
  int exact_ = 0;
  sim::Time now_{};
};

}  // namespace

TEST_CASE("what compaction leaves says of each key what all records said", "[property]") {
  CHECK(rc::check("the newest value of each key survives at every replica", [] {
    Program program;
    program.run();
  }));
}
