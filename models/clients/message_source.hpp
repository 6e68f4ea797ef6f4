// Where a producer's messages come from: when each arises, its key and its size, known some way ahead of the
// present.
//
// Messages are numbered from 0 in the order in which they arise. Arrival times, keys and sizes come from
// three streams of the run ("producer/NAME/arrivals", "/keys", "/sizes"; the think times of a closed loop
// from "/think"; which messages have no value from "/tombstones"), so that message i has the same key and size
// whatever the configuration, the faults or the loop make of the times.
//
// Messages are generated in blocks and handed out as columns: a producer that works ahead in virtual time
// reads times() beyond the present, and takes with pop() what has arisen. Steady state allocates nothing. How
// far ahead somebody looked never changes what is generated.
//
// A closed loop knows a message's time only once its predecessor was answered: release() says so.
//
// While the application is dead nothing arises: skip_to() passes over the numbers that an open loop would
// have used, so that later messages keep their keys. `messages` counts numbers, passed-over ones included.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/clients/workload.hpp"
#include "sim/random.hpp"
#include "sim/time.hpp"

namespace models {

class MessageSource {
 public:
  /// `name` is the instance's ("shop", "shop/0"). Requires exactly one of arrivals and closed_loop, or
  /// neither (silent).
  MessageSource(std::uint64_t seed, std::string_view name, const ProducerOptions& options);

  /// The application begins to run: the first messages arise after (open loop) or at (closed loop) `now`.
  void start(sim::Time now);

  // ---- looking ahead ----------------------------------------------------------------------------------------------
  /// Makes the next `count` messages known, or as many as there will be at the present state of affairs.
  /// Returns how many are known. Moves the columns.
  std::size_t look_ahead(std::size_t count) {
    if (known() < count) [[unlikely]]
      generate(count);
    return known();
  }
  std::size_t known() const { return times_.size() - head_; }
  /// Columns of the known messages, oldest first.
  const sim::Time* times() const { return times_.data() + head_; }
  const std::uint32_t* keys() const { return keys_.data() + head_; }    ///< requires keyed()
  const std::uint32_t* sizes() const { return sizes_.data() + head_; }  ///< requires !constant_size()
  bool keyed() const { return keyed_; }
  bool constant_size() const { return constant_size_; }

  /// When the next message arises; kNever when none is known to come.
  sim::Time next() { return look_ahead(1) > 0 ? times_[head_] : sim::kNever; }
  bool tombstone(std::size_t i) const { return !tombstones_.empty() && tombstones_[head_ + i] != 0; }
  std::uint32_t key(std::size_t i) const { return keyed_ ? keys_[head_ + i] : 0; }
  std::uint32_t size(std::size_t i) const { return constant_size_ ? size_ : sizes_[head_ + i]; }

  // ---- what has arisen --------------------------------------------------------------------------------------------
  /// Takes the first `count` known messages away.
  void pop(std::size_t count) {
    head_ += count;
    if (head_ >= kCompactAt && 2 * head_ >= times_.size()) compact();
  }
  /// Takes known message `i` away.
  void remove(std::size_t i);
  /// Closed loop: `count` messages were answered (or refused) at `now`; as many arise after their think time.
  void release(sim::Time now, std::size_t count);
  /// Passes over what would have arisen before `now`; a closed loop begins anew.
  void skip_to(sim::Time now);
  /// Nothing arises after `now` any more.
  void stop(sim::Time now);
  /// No message will ever come again (a closed loop that waits for an answer is not exhausted).
  bool exhausted();

 private:
  static constexpr std::size_t kBlock = 256;
  static constexpr std::size_t kCompactAt = 1024;

  void generate(std::size_t count);
  void draw_keys_and_sizes();
  void arise_at(sim::Time at);
  void compact();

  std::vector<sim::Time> times_;
  std::vector<std::uint32_t> keys_;
  std::vector<std::uint32_t> sizes_;
  std::vector<std::uint8_t> tombstones_;  ///< empty unless there are some
  std::size_t head_ = 0;

  std::optional<sim::ArrivalProcess> arrivals_;
  std::optional<ClosedLoop> loop_;
  sim::Distribution rank_;
  sim::Distribution size_distribution_;
  sim::Stream arrival_stream_, key_stream_, size_stream_, think_stream_, tombstone_stream_;
  double tombstone_share_;
  sim::Time last_{};             ///< of the last message generated
  std::uint64_t generated_ = 0;  ///< numbers given out so far
  std::uint64_t messages_most_;
  std::uint32_t key_count_;
  std::uint32_t size_ = 0;
  bool keyed_;
  bool constant_size_;
  bool ended_ = false;
};

}  // namespace models
