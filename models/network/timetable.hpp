// What a program has under way side by side, each thing in a slot of its own and with a time at which it is due: one timer for
// all of them.
//
// Work stands still while its node is paused, and is done so much later. What only waits (a time-out, a back-off) does not:
// what came due meanwhile is due as the node goes on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/network/node.hpp"

namespace models {

class Timetable {
 public:
  enum class Passes : std::uint8_t { while_running, always };

  /// `due(slot)` runs at each slot's time, the lowest slot first, after the slot was cleared; it may set and clear slots.
  Timetable(sim::Simulation& simulation, Node& node, std::size_t slots, std::function<void(std::size_t)> due)
      : simulation_(simulation),
        node_(node),
        due_(std::move(due)),
        slots_(slots),
        timer_(simulation, node, [this] { timer_due(); }) {}

  void set(std::size_t slot, sim::Time at, Passes passes) {
    slots_[slot] = {at, passes};
    if (!frozen_) arm();
  }
  void clear(std::size_t slot) { slots_[slot].at = sim::kNever; }
  bool is_set(std::size_t slot) const { return slots_[slot].at != sim::kNever; }

  void paused() {
    if (frozen_) return;
    frozen_ = true;
    frozen_at_ = simulation_.now();
    timer_.disarm();
  }
  void resumed() {
    if (!frozen_) return;
    frozen_ = false;
    const sim::Duration stood_still = simulation_.now() - frozen_at_;
    for (Slot& slot : slots_) {
      if (slot.at != sim::kNever && slot.passes == Passes::while_running) slot.at += stood_still;
    }
    arm();
  }
  /// Nothing is under way any more.
  void forget() {
    frozen_ = false;
    std::fill(slots_.begin(), slots_.end(), Slot{});
    timer_.disarm();
  }

 private:
  struct Slot {
    sim::Time at = sim::kNever;
    Passes passes = Passes::always;
  };

  void arm() {
    sim::Time first = sim::kNever;
    for (const Slot& slot : slots_) first = std::min(first, slot.at);
    if (first == sim::kNever) return timer_.disarm();
    timer_.arm_at(std::max(first, simulation_.now()));
  }

  void timer_due() {
    const std::uint32_t life = node_.incarnation();
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].at > simulation_.now()) continue;
      slots_[slot].at = sim::kNever;
      due_(slot);
      if (node_.incarnation() != life || frozen_) return;
    }
    arm();
  }

  sim::Simulation& simulation_;
  Node& node_;
  std::function<void(std::size_t)> due_;
  std::vector<Slot> slots_;
  bool frozen_ = false;
  sim::Time frozen_at_{};
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models
