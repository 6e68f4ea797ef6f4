// The disk of a machine, as faults change it: what it holds and how fast it is otherwise is its user's business.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "sim/distributions.hpp"

namespace models {

class Disk {
 public:
  /// Nothing is written until it goes on.
  bool stalled() const { return stalls_ > 0; }
  /// No more bytes fit.
  bool full() const { return fills_ > 0; }
  /// What a write takes longer, ns; null as a rule.
  const sim::Distribution* delay() const { return delay_ ? &*delay_ : nullptr; }
  /// A write takes time, or forever.
  bool hinders() const { return stalled() || delay_.has_value(); }

  // Faults of one kind may overlap.
  void stall() { ++stalls_; }
  void go_on() {
    if (--stalls_ == 0 && went_on_) went_on_();
  }
  void fill() { ++fills_; }
  void make_room() { --fills_; }
  void slow_down(const sim::Distribution& delay) { delay_ = delay; }
  void speed_up() { delay_.reset(); }

  /// All that it holds is gone: it is another disk. For Node::lose_power(), which comes behind it.
  void replace() { replaced_ = true; }
  bool take_replaced() { return std::exchange(replaced_, false); }

  /// `work` runs when a stall has ended.
  void when_it_goes_on(std::function<void()> work) { went_on_ = std::move(work); }

 private:
  int stalls_ = 0;
  int fills_ = 0;
  bool replaced_ = false;
  std::optional<sim::Distribution> delay_;
  std::function<void()> went_on_;
};

}  // namespace models
