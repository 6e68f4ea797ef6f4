// How fast the engine runs, through its public API: every pending event owns a closure of at least 24 bytes and a handle
// that could cancel it is kept, randomness is the library's, assertions are on. (What a process's delay owns is its frame.)
//
// A row's label is a checksum of what its first batch computed: equal on every machine, whatever the number of batches.
// tests/bench/compare_with_bounds sets each row beside a minimal program that does the same.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <type_traits>

#include "sim/process.hpp"
#include "sim/random.hpp"
#include "sim/timer.hpp"

namespace {

constexpr std::uint64_t kBatch = 500'000;

/// Exponential delays, drawn many at a time: a draw is then seldom waited for.
class Draws {
 public:
  explicit Draws(const char* name) : stream_(1, name) {}
  sim::Duration exponential(double mean_ns) {
    if (next_ == kMany) [[unlikely]] {
      stream_.fill(values_);
      next_ = 0;
    }
    return sim::Duration(static_cast<std::int64_t>(values_[next_++] * mean_ns));
  }

 private:
  static constexpr std::size_t kMany = 240;
  sim::Stream stream_;
  std::array<double, kMany> values_;
  std::size_t next_ = kMany;
};

/// What a batch leaves behind, mixed into one number.
std::uint64_t checksum(const sim::Simulation& simulation, std::uint64_t computed) {
  std::uint64_t sum = computed ^ static_cast<std::uint64_t>(sim::nanoseconds(simulation.now()));
  sum = (sum ^ simulation.events_executed()) * 0x9E3779B97F4A7C15u;
  return sum ^ sum >> 32;
}

/// Runs batches of `kBatch` items; `world.run_batch()` returns what it computed.
template <class World>
void measure(benchmark::State& state, World& world) {
  std::uint64_t first = 0;
  std::uint64_t items = 0;
  for ([[maybe_unused]] auto iteration : state) {
    const std::uint64_t computed = world.run_batch(kBatch);
    if (items == 0) first = checksum(world.simulation, computed);
    items += kBatch;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
  char text[40];
  std::snprintf(text, sizeof text, "checksum %016llx", static_cast<unsigned long long>(first));
  state.SetLabel(text);
}

// --- hold: every event schedules one more, so that the number of pending events stays ------------------------------------

/// What is met in no order, in large pages where the system has them, as the arrays of the bound are.
template <class T>
class LargeArray {
 public:
  explicit LargeArray(std::size_t count)
      : bytes_((count * sizeof(T) + kPage - 1) / kPage * kPage),
        items_(static_cast<T*>(::operator new (bytes_, std::align_val_t{kPage}))) {
    madvise(static_cast<void*>(items_), bytes_, MADV_HUGEPAGE);
    std::uninitialized_value_construct_n(items_, count);
  }
  LargeArray(const LargeArray&) = delete;
  LargeArray& operator=(const LargeArray&) = delete;
  ~LargeArray() { ::operator delete (static_cast<void*>(items_), std::align_val_t{kPage}); }
  T& operator[](std::size_t i) noexcept { return items_[i]; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  static constexpr std::size_t kPage = std::size_t{1} << 21;
  std::size_t bytes_;
  T* items_;
};

class Hold {
 public:
  enum class Delays { exponential, discrete };

  Hold(std::size_t pending, Delays delays) : delays_(delays), handles_(pending) {
    for (std::uint32_t i = 0; i < pending; ++i) {
      switch (i & 3) {
        case 0:
          schedule<0>(i, 0);
          break;
        case 1:
          schedule<1>(i, 0);
          break;
        case 2:
          schedule<2>(i, 0);
          break;
        default:
          schedule<3>(i, 0);
          break;
      }
    }
    run_batch(2 * pending);
  }

  std::uint64_t run_batch(std::uint64_t events) {
    left_ = events;
    simulation.run();
    return sum_;
  }

  sim::Simulation simulation;

 private:
  static constexpr std::array<unsigned, 4> kWeights{1, 2, 3, 5};

  /// One of four kinds of event, each of which schedules a certain other one, as those of a model do. 24 bytes.
  template <unsigned kKind>
  struct Hop {
    Hold* hold;
    std::uint64_t hops;
    std::uint64_t chain;
    void operator()() const {
      hold->sum_ += kWeights[kKind] + hops;
      hold->template schedule<(kKind + kWeights[kKind]) & 3>(chain, hops + 1);
      if (--hold->left_ == 0) hold->simulation.stop();
    }
  };

  template <unsigned kKind>
  void schedule(std::uint64_t chain, std::uint64_t hops) {
    handles_[chain] = simulation.schedule_after(draw(), Hop<kKind>{this, hops, chain});
  }

  sim::Duration draw() {
    if (delays_ == Delays::exponential) return draws_.exponential(1e9);
    static constexpr sim::Duration kDelays[4] = {std::chrono::milliseconds(1), std::chrono::milliseconds(5),
                                                 std::chrono::milliseconds(100), std::chrono::seconds(30)};
    return kDelays[stream_.next() & 3];
  }

  const Delays delays_;
  Draws draws_{"hold"};
  sim::Stream stream_{1, "hold"};
  LargeArray<sim::EventHandle> handles_;
  std::uint64_t sum_ = 0;
  std::uint64_t left_ = 0;
};

// --- M/M/1 ---------------------------------------------------------------------------------------------------------------

constexpr double kServiceMean_ns = 1e9;
constexpr double kArrivalMean_ns = 1e9 / 0.9;

class CallbackQueue {
 public:
  CallbackQueue() { arrival_ = simulation.schedule_after(draw(kArrivalMean_ns), Arrive{this, 0, 0}); }

  std::uint64_t run_batch(std::uint64_t customers) {
    left_ = customers;
    simulation.run();
    return static_cast<std::uint64_t>(total_time_.count());
  }

  sim::Simulation simulation;

 private:
  struct Arrive {
    CallbackQueue* queue;
    std::uint64_t number;
    std::uint64_t found;  ///< customers that the last one met
    void operator()() const { queue->arrive(number); }
  };
  struct Depart {
    CallbackQueue* queue;
    std::uint64_t number;
    sim::Time began;
    void operator()() const { queue->depart(number); }
  };

  sim::Duration draw(double mean_ns) { return draws_.exponential(mean_ns); }
  void arrive(std::uint64_t number) {
    waiting_.push(simulation.now());
    if (!busy_) serve(number);
    arrival_ = simulation.schedule_after(draw(kArrivalMean_ns), Arrive{this, number + 1, waiting_.size()});
  }
  void serve(std::uint64_t number) {
    busy_ = true;
    departure_ = simulation.schedule_after(draw(kServiceMean_ns), Depart{this, number, simulation.now()});
  }
  void depart(std::uint64_t number) {
    total_time_ += simulation.now() - waiting_.pop();
    if (waiting_.empty()) {
      busy_ = false;
    } else {
      serve(number + 1);
    }
    if (--left_ == 0) simulation.stop();
  }

  Draws draws_{"mm1"};
  sim::Ring<sim::Time> waiting_;
  sim::EventHandle arrival_;
  sim::EventHandle departure_;
  bool busy_ = false;
  sim::Duration total_time_{};
  std::uint64_t left_ = 0;
};

class ProcessQueue {
 public:
  ProcessQueue() = default;

  std::uint64_t run_batch(std::uint64_t customers) {
    left_ = customers;
    simulation.run();
    return static_cast<std::uint64_t>(total_time_.count());
  }

  sim::Simulation simulation;

 private:
  static sim::Process arrivals(sim::Simulation& simulation, ProcessQueue& queue) {
    for (;;) {
      co_await sim::delay(simulation, queue.draws_.exponential(kArrivalMean_ns));
      queue.customers_.put(simulation.now());
    }
  }
  static sim::Process server(sim::Simulation& simulation, ProcessQueue& queue) {
    for (;;) {
      const sim::Time arrived = co_await queue.customers_.receive();
      co_await sim::delay(simulation, queue.draws_.exponential(kServiceMean_ns));
      queue.total_time_ += simulation.now() - arrived;
      if (--queue.left_ == 0) simulation.stop();
    }
  }

  Draws draws_{"mm1"};
  sim::Mailbox<sim::Time> customers_{simulation};
  sim::Duration total_time_{};
  std::uint64_t left_ = 0;
  sim::Process arrivals_ = arrivals(simulation, *this);
  sim::Process server_ = server(simulation, *this);
};

// --- churn: a reply puts off its client's timeout, which therefore hardly ever fires ----------------------------------------

class Churn {
 public:
  explicit Churn(std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i) {
      Client& client = clients_.emplace_back(*this, i);
      client.send(0);
      client.timeout.arm_after(kTimeout);
    }
    run_batch(2 * clients);
  }

  std::uint64_t run_batch(std::uint64_t replies) {
    left_ = replies;
    simulation.run();
    return sum_;
  }

  sim::Simulation simulation;

 private:
  static constexpr sim::Duration kTimeout = std::chrono::seconds(30);

  struct Timeout {
    Churn* churn;
    std::uint64_t client;
    std::uint64_t weight;
    void operator()() const { churn->sum_ += client * weight; }
  };
  struct Client {
    Client(Churn& owner, std::uint64_t number)
        : churn(owner), timeout(owner.simulation, Timeout{&owner, number, number + 1}) {}

    void send(std::uint64_t number) {
      reply = churn.simulation.schedule_after(churn.draws_.exponential(1e9), Reply{this, number, number + 1});
    }

    Churn& churn;
    sim::EventHandle reply;
    sim::Timer timeout;
  };
  struct Reply {
    Client* client;
    std::uint64_t number;
    std::uint64_t next;
    void operator()() const {
      Churn& churn = client->churn;
      churn.sum_ += number;
      client->send(next);
      client->timeout.arm_after(kTimeout);
      if (--churn.left_ == 0) churn.simulation.stop();
    }
  };

  Draws draws_{"churn"};
  std::uint64_t sum_ = 0;
  std::uint64_t left_ = 0;
  std::deque<Client> clients_;
};

void hold(benchmark::State& state, std::size_t pending, Hold::Delays delays) {
  Hold world(pending, delays);
  measure(state, world);
}

}  // namespace

int main(int argc, char** argv) {
  using Delays = Hold::Delays;
  benchmark::RegisterBenchmark("hold/100", hold, 100, Delays::exponential);
  benchmark::RegisterBenchmark("hold/10000", hold, 10'000, Delays::exponential);
  benchmark::RegisterBenchmark("hold/1000000", hold, 1'000'000, Delays::exponential);
  benchmark::RegisterBenchmark("hold_discrete/100000", hold, 100'000, Delays::discrete);
  benchmark::RegisterBenchmark("mm1_callback/0.9", [](benchmark::State& state) {
    CallbackQueue world;
    measure(state, world);
  });
  benchmark::RegisterBenchmark("mm1_process/0.9", [](benchmark::State& state) {
    ProcessQueue world;
    measure(state, world);
  });
  benchmark::RegisterBenchmark("timeout_churn/10000", [](benchmark::State& state) {
    Churn world(10'000);
    measure(state, world);
  });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
