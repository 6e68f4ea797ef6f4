#include "sim/timer.hpp"

namespace sim {

detail::Slot& Timer::acquire() {
  detail::SlotPool& slots = simulation_.slots_;
  slot_ = &slots.take();
  detail::Slot& body = slots.take();
  ::new (static_cast<void*>(slot_->storage)) State{{0, 0}, 0, &body, false, false};
  slot_->act = &fire;
  return body;
}

void Timer::release(Simulation& simulation, detail::Slot& slot) {
  detail::Slot& body = *slot.as<State>().body;
  simulation.slots_.give_back(slot);
  body.act(simulation, body, detail::Action::destroy);
  simulation.slots_.give_back(body);
}

Timer::~Timer() {
  disarm();
  slot_->act = nullptr;  // what is left in the queue belongs to nobody
  State& state = slot_->as<State>();
  if (state.running) {
    state.died = true;
  } else {
    release(simulation_, *slot_);
  }
}

void Timer::disarm() noexcept {
  if (!slot_->live()) return;
  slot_->kill();
  ++simulation_.withdrawn_;
  simulation_.note_dead_entry();
}

void Timer::enqueue(const detail::Entry& entry) {
  State& state = slot_->as<State>();
  const bool leaves_one_behind = state.queued.word != 0;
  state.queued = entry;
  simulation_.queue_.push(entry);
  if (leaves_one_behind) simulation_.note_dead_entry();
}

void Timer::fire(Simulation& simulation, detail::Slot& slot, detail::Action) {
  State& state = slot.as<State>();
  state.queued.word = 0;
  state.running = true;
  struct Finish {
    Simulation& simulation;
    detail::Slot& slot;
    ~Finish() {
      State& state = slot.as<State>();
      state.running = false;
      if (state.died) release(simulation, slot);
    }
  };
  const Finish finish{simulation, slot};
  state.body->act(simulation, *state.body, detail::Action::run);
}

}  // namespace sim
