// An application's calls to a dependency: time-outs, attempts with back-off and jitter, and a circuit breaker.
//
// Each of its threads makes one call at a time, and waits: for the answer, for the time until the next attempt, or for the
// breaker. An attempt that finds the breaker open fails, or with BreakerOptions::pauses waits until the breaker lets it
// through; then neither the failures that open the breaker nor its probes use up a record's attempts. All of it is one
// process's: nothing of it outlives a crash.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/clients/breaker.hpp"
#include "models/clients/dependency.hpp"

namespace models {

class CallerOwner {
 public:
  virtual ~CallerOwner() = default;
  /// The thread's call was answered, or its attempts are used up.
  virtual void call_over(std::size_t thread, bool answered, std::uint32_t attempts) = 0;
  /// The breaker opened, or opens no more.
  virtual void breaker_moved() {}
};

class Caller final : public DependencyClient {
 public:
  Caller(Context& context, Node& node, EntityId group, const std::string& group_name,
         const CallOptions& options, Dependency& dependency, std::size_t threads, CallerOwner& owner);

  /// Thread `thread` calls for the piece of work that (a, b) names, which keys its draws. call_over() follows, later.
  void begin(std::size_t thread, std::uint64_t a, std::uint64_t b);
  /// No call would be let through, and records wait for that.
  bool holds() const {
    return breaker_ && options_.breaker->pauses && breaker_->state() == BreakerCode::open;
  }

  void paused() { times_.paused(); }
  void resumed() { times_.resumed(); }
  void crashed();

  // DependencyClient
  void answered(std::uint64_t token, CallCode code) override;

 private:
  enum class State : std::uint8_t { idle, calling, backing_off, parked, barred };
  struct Thread {
    State state = State::idle;
    bool counted = false;  ///< the breaker has permitted the attempt, and hears how it ends
    std::uint32_t attempt = 0;
    std::uint32_t number = 0;  ///< of the call; an answer to an earlier one is too late
    double backoff = 0;        ///< ns, before the next attempt
    std::uint64_t a = 0, b = 0;
    sim::Time called_at{};
  };

  void attempt(std::size_t i);
  void due(std::size_t i);
  void ended(std::size_t i, CallCode code);
  bool try_again(std::size_t i);
  void tell_breaker(bool answered);
  void breaker_changed();
  void unpark();
  sim::TraceRecord fields(CallCode code) const;

  Context& context_;
  Node& node_;
  EntityId group_;
  CallOptions options_;
  Dependency& dependency_;
  CallerOwner& owner_;
  sim::StreamKey service_key_, jitter_key_;
  std::vector<Thread> threads_;
  std::optional<Breaker> breaker_;
  std::uint32_t period_ = 0;  // of the breaker: what was permitted in an earlier one is not counted
  std::vector<std::uint32_t> permitted_in_;  // by thread
  Timetable times_;                          // by thread, and the breaker's behind them
};

}  // namespace models
