#include "sim/simulation.hpp"

#include "sim/timer.hpp"

namespace sim {

namespace {

std::uint64_t next_key(std::uint64_t& state) {  // SplitMix64
  std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

}  // namespace

/// Marks the loop as running; leaving it by an exception clears the mark too.
class Simulation::Running {
 public:
  explicit Running(Simulation& simulation) : simulation_(simulation) {
    MQLAB_ASSERT(!simulation.running_, "a simulation was run from inside one of its callbacks");
    simulation.running_ = true;
    simulation.stopped_ = simulation.failure_ != nullptr;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { simulation_.running_ = false; }

 private:
  Simulation& simulation_;
};

Simulation::Simulation(const Options& options) : queue_(slots_), options_(options) {
  std::uint64_t state = options.seed;
  for (std::uint64_t& key : tie_keys_) key = next_key(state);
  plain_words_end_ = options.shuffle_ties ? 0 : detail::kSequenceMost << detail::kSlotBits;
}

// Closures may own timers, processes and handles of this simulation, so all members still work while they go.
Simulation::~Simulation() {
  for (std::uint64_t index = 0; index < slots_.size(); ++index) {
    detail::Slot& slot = slots_[index];
    if (!slot.live() || slot.act == &Timer::fire) continue;
    slot.kill();
    slot.act(*this, slot, detail::Action::destroy);
  }
}

// Shuffled: four rounds of a Feistel network on 40 bits. 0 is never drawn, so what is mapped to 0 takes the place of 0.
std::uint64_t Simulation::draw_specially(std::uint64_t sequence) const {
  sequence >>= detail::kSlotBits;
  MQLAB_ASSERT(sequence < detail::kSequenceMost, "the sequence numbers of a run are used up");
  constexpr std::uint64_t kHalf = (std::uint64_t{1} << 20) - 1;
  const auto permute = [this](std::uint64_t x) {
    std::uint64_t left = x >> 20;
    std::uint64_t right = x & kHalf;
    for (const std::uint64_t key : tie_keys_) {
      const std::uint64_t mixed = ((right ^ key) * 0x9E3779B97F4A7C15u) >> 44;
      left = std::exchange(right, left ^ mixed);
    }
    return left << 20 | right;
  };
  const std::uint64_t image = permute(sequence);
  return (image != 0 ? image : permute(0)) << detail::kSlotBits;
}

bool Simulation::cancel(EventHandle handle) {
  if (!pending(handle)) return false;
  detail::Slot& slot = slots_[handle.word_];
  slot.kill();
  ++withdrawn_;
  slot.act(*this, slot, detail::Action::destroy);
  note_dead_entry();
  return true;
}

void Simulation::report_livelock() {
  instant_began_ = executed_;
  throw LivelockError("livelock: more than " + std::to_string(options_.events_per_instant_max) +
                      " events at " + std::to_string(nanoseconds(now_)) + " ns");
}

// An entry whose slot has another word: cancelled work, a timer that was disarmed, or one whose deadline moved on.
void Simulation::meet_dead_entry(detail::Entry entry) {
  detail::Slot& slot = slots_[entry.word];
  if (slot.act != &Timer::fire) return;
  auto& state = slot.as<Timer::State>();
  if (state.queued.word != entry.word) return;
  if (slot.live()) {
    state.queued = {state.deadline, slot.word};
    queue_.push(state.queued);
  } else {
    state.queued.word = 0;
  }
}

void Simulation::reclaim_dead_entries() {
  queue_.remove_if([this](const detail::Entry& entry) {
    detail::Slot& slot = slots_[entry.word];
    if (slot.word == entry.word) return false;
    if (slot.act != &Timer::fire) return true;
    auto& state = slot.as<Timer::State>();
    if (state.queued.word != entry.word) return true;
    if (slot.live()) return false;
    state.queued.word = 0;
    return true;
  });
}

bool Simulation::execute_next(std::int64_t limit) {
  while (!posted_.empty()) {
    const std::uint64_t word = posted_.front();
    detail::Slot& slot = slots_[word];
    const bool live = slot.word == word;
    if (live) begin_event(now_);  // may throw: what is not begun is still posted
    posted_.pop();
    if (!live) continue;
    slot.kill();
    slot.act(*this, slot, detail::Action::run);
    return true;
  }
  while (const detail::Entry* const front = queue_.front(limit)) {
    const std::int64_t time = front->time;
    const std::uint64_t word = front->word;
    detail::Slot& slot = slots_[word];
    if (slot.word != word) [[unlikely]] {
      queue_.pop();
      meet_dead_entry({time, word});
      continue;
    }
    begin_event(Time(Duration(time)));  // may throw: what is not begun is still queued
    queue_.pop();
    slot.kill();
    slot.act(*this, slot, detail::Action::run);
    return true;
  }
  return false;
}

void Simulation::loop(std::int64_t limit) {
  const Running running(*this);
  while (!stopped_ && execute_next(limit)) {
  }
  rethrow_failure();
}

void Simulation::run() {
  loop(nanoseconds(kNever) - 1);
}

void Simulation::run_until(Time end) {
  MQLAB_ASSERT(end >= now_, "a run was to end in the past");
  MQLAB_ASSERT(end < kNever, "a run was to end at kNever: use run()");
  loop(nanoseconds(end));
  if (!stopped_) pass_time(end);
}

bool Simulation::run_one(std::int64_t limit) {
  const Running running(*this);
  const bool any = !stopped_ && execute_next(limit);
  rethrow_failure();
  return any;
}

bool Simulation::step() {
  return run_one(nanoseconds(kNever) - 1);
}

// When there is no event the clock moves: the queue has looked ahead and takes nothing before `end` any more.
bool Simulation::step_until(Time end) {
  MQLAB_ASSERT(end >= now_, "a step was to end in the past");
  MQLAB_ASSERT(end < kNever, "a step was to end at kNever: use step()");
  const bool any = run_one(nanoseconds(end));
  if (!any) pass_time(end);
  return any;
}

void Simulation::pass_time(Time end) noexcept {
  if (end == now_) return;
  now_ = end;
  instant_began_ = executed_;
}

void Simulation::fail(std::exception_ptr error) noexcept {
  if (failure_ == nullptr) failure_ = std::move(error);
  stopped_ = true;
}

void Simulation::rethrow_failure() {
  if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace sim
