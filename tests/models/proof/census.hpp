// A second, naive bookkeeping of messages beside the ledger: one row a message, one a place in the log, no
// ranges, no cleverness. It reads the same trace, shares no code with the ledger, and complains on its own
// about what cannot be.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "models/trace_kinds.hpp"
#include "sim/trace.hpp"

namespace proof {

class Census : public sim::TraceSink {
 public:
  struct Message {
    std::uint32_t producer = 0;
    int offered = 0, acknowledged = 0, failed = 0;
    int stored = 0, truncated = 0;
    std::map<std::uint32_t, int> processed{};  ///< by group
    int live() const { return stored - truncated; }
  };
  struct Totals {
    std::uint64_t offered = 0, refused = 0, acknowledged = 0, failed = 0, stored = 0, truncated = 0,
                  again = 0;
  };

  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) apply(r, block.payload(r));
  }

  /// Messages by lane and seq.
  const std::map<std::uint32_t, std::vector<Message>>& lanes() const { return lanes_; }
  const std::vector<std::string>& complaints() const { return complaints_; }
  Totals totals() const {
    Totals sum;
    sum.refused = refused_;
    for (const auto& [lane, messages] : lanes_) {
      for (const Message& m : messages) {
        sum.offered += count(m.offered);
        sum.acknowledged += count(m.acknowledged);
        sum.failed += count(m.failed);
        sum.stored += m.stored > 0 ? 1 : 0;
        sum.truncated += count(m.truncated);
        sum.again += m.live() > 1 ? count(m.live() - 1) : 0;
      }
    }
    return sum;
  }
  /// Messages processed by `group` at least once, and processings beyond that.
  std::pair<std::uint64_t, std::uint64_t> processed(std::uint32_t group) const {
    std::pair<std::uint64_t, std::uint64_t> sum{};
    for (const auto& [lane, messages] : lanes_) {
      for (const Message& m : messages) {
        const auto found = m.processed.find(group);
        if (found == m.processed.end()) continue;
        ++sum.first;
        sum.second += count(found->second - 1);
      }
    }
    return sum;
  }

 private:
  using Place = std::pair<std::uint32_t, std::int64_t>;  // lane and seq
  struct Entry {
    Place message;
    std::int64_t epoch;
  };
  static std::uint64_t count(int n) { return static_cast<std::uint64_t>(n); }

  void complain(const sim::TraceRecord& r, const std::string& what) {
    complaints_.push_back("at " + std::to_string(sim::nanoseconds(r.time)) + " ns: " + what);
  }
  Message* message(const sim::TraceRecord& r, std::uint32_t lane, std::int64_t seq) {
    std::vector<Message>& messages = lanes_[lane];
    if (seq >= 0 && static_cast<std::size_t>(seq) < messages.size())
      return &messages[static_cast<std::size_t>(seq)];
    complain(
        r, "a message that was never offered: lane " + std::to_string(lane) + " seq " + std::to_string(seq));
    return nullptr;
  }

  void apply(const sim::TraceRecord& r, std::span<const std::int64_t> payload) {
    using models::Kind;
    switch (static_cast<Kind>(r.kind)) {
      case Kind::offered:
        for (std::int64_t i = 0; i < r.b; ++i) offer(r, r.a + i);
        break;
      case Kind::refused:
        refused_ += static_cast<std::uint64_t>(r.b);
        break;
      case Kind::acknowledged:
        for (std::int64_t i = 0; i < r.b; ++i) settle_at_producer(r, r.a + i, &Message::acknowledged);
        break;
      case Kind::failed:
        for (std::int64_t i = 0; i < r.b; ++i) settle_at_producer(r, r.a + i, &Message::failed);
        break;
      case Kind::stored:
        for (std::int64_t i = 0; i < r.b; ++i) store(r, r.a + i, r.c + i, payload[0]);
        break;
      case Kind::truncated:
        truncate(r);
        break;
      case Kind::processed:
        for (std::int64_t i = 0; i < r.b; ++i) process(r, r.a + i, i + 1 == r.b);
        break;
      default:
        break;
    }
  }

  void offer(const sim::TraceRecord& r, std::int64_t seq) {
    std::vector<Message>& messages = lanes_[r.peer];
    if (static_cast<std::size_t>(seq) != messages.size()) complain(r, "offered out of order");
    messages.push_back({.producer = r.actor, .offered = 1});
  }
  void settle_at_producer(const sim::TraceRecord& r, std::int64_t seq, int Message::*outcome) {
    Message* const m = message(r, r.peer, seq);
    if (m == nullptr) return;
    ++(m->*outcome);
    if (m->acknowledged + m->failed > 1) complain(r, "a second outcome for one message");
  }
  void store(const sim::TraceRecord& r, std::int64_t seq, std::int64_t offset, std::int64_t epoch) {
    Message* const m = message(r, r.peer, seq);
    if (m == nullptr) return;
    ++m->stored;
    if ((r.code & models::kOffLine) != 0) {
      ++m->truncated;  // never part of the log
      off_line_[{r.place, offset, epoch}] = {r.peer, seq};
      return;
    }
    std::vector<Entry>& log = logs_[r.place];
    if (static_cast<std::size_t>(offset) != log.size()) {
      complain(r, "stored at offset " + std::to_string(offset) + " of a log that ends at " +
                      std::to_string(log.size()));
    }
    log.push_back({{r.peer, seq}, epoch});
  }
  void truncate(const sim::TraceRecord& r) {
    std::vector<Entry>& log = logs_[r.place];
    if (static_cast<std::size_t>(r.a + r.b) != log.size()) complain(r, "truncated in the middle of the log");
    while (log.size() > static_cast<std::size_t>(r.a)) {
      const Entry& gone = log.back();
      if (Message* const m = message(r, gone.message.first, gone.message.second)) ++m->truncated;
      off_line_[{r.place, static_cast<std::int64_t>(log.size()) - 1, gone.epoch}] = gone.message;
      log.pop_back();
    }
  }
  /// The record's epoch tells the last of its offsets from another that took its place after a truncation; a
  /// run of records read before is of that epoch or older ones, which the live log answers unless it has been
  /// cut.
  void process(const sim::TraceRecord& r, std::int64_t offset, bool last) {
    const std::vector<Entry>& log = logs_[r.place];
    const bool live = static_cast<std::size_t>(offset) < log.size() &&
                      (!last || log[static_cast<std::size_t>(offset)].epoch == r.c);
    Place place{};
    if (live) {
      place = log[static_cast<std::size_t>(offset)].message;
    } else {
      const auto found = off_line_.find({r.place, offset, r.c});
      if (found == off_line_.end()) {
        if (last)
          complain(r, "processed offset " + std::to_string(offset) + ", where nothing was ever stored");
        return;
      }
      place = found->second;
    }
    if (Message* const m = message(r, place.first, place.second)) ++m->processed[r.peer];
  }

  std::map<std::uint32_t, std::vector<Message>> lanes_;
  std::map<std::uint32_t, std::vector<Entry>> logs_;
  // By place, offset, epoch.
  std::map<std::tuple<std::uint32_t, std::int64_t, std::int64_t>, Place> off_line_;
  std::uint64_t refused_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace proof
