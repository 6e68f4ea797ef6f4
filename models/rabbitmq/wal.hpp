// The write-ahead log of a node, which all its quorum queues share (ra_log_wal.erl): what has come meanwhile is written and
// synced together, when the last batch has been.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/network/node.hpp"
#include "sim/distributions.hpp"
#include "sim/random.hpp"

namespace models::rabbitmq {

class WalWriter {
 public:
  virtual ~WalWriter() = default;
  /// Everything of `member` up to `index` is on disk.
  virtual void wrote(std::uint16_t member, std::uint64_t index, std::uint64_t life) = 0;
};

class Wal {
 public:
  Wal(sim::Simulation& simulation, Node& node, const sim::Distribution& fsync, const std::string& stream)
      : fsync_(fsync),
        draws_(simulation.seed(), stream),
        timer_(simulation, node, [this] { done(); }),
        instant_(fsync.is_constant() && fsync.mean() == 0) {}

  void append(WalWriter& writer, std::uint16_t member, std::uint64_t index, std::uint64_t life) {
    if (instant_) return writer.wrote(member, index, life);
    waiting_.push_back({&writer, member, index, life});
    if (writing_.empty()) begin();
  }
  bool instant() const { return instant_; }
  bool idle() const { return waiting_.empty() && writing_.empty(); }
  void crash() {
    timer_.disarm();
    waiting_.clear();
    writing_.clear();
    written_.clear();
  }

 private:
  struct Entry {
    WalWriter* writer;
    std::uint16_t member;
    std::uint64_t index;
    std::uint64_t life;
  };
  void begin() {
    if (waiting_.empty()) return;
    std::swap(waiting_, writing_);
    timer_.arm_after(fsync_.sample_duration(draws_));
  }
  void done() {
    // What the writers do of it may append more.
    std::swap(writing_, written_);
    begin();
    for (std::size_t i = 0; i < written_.size(); ++i)
      written_[i].writer->wrote(written_[i].member, written_[i].index, written_[i].life);
    written_.clear();
  }

  sim::Distribution fsync_;
  sim::Stream draws_;
  std::vector<Entry> waiting_;
  std::vector<Entry> writing_;
  std::vector<Entry> written_;  // scratch
  NodeTimer<std::function<void()>> timer_;
  bool instant_;
};

}  // namespace models::rabbitmq
