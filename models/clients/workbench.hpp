// A worker at one message at a time: service time, retries in place, calls, outside effect; and what becomes of a message that
// it cannot process. A pause of its process stops the work, a slow machine stretches it, a crash ends it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "models/clients/caller.hpp"
#include "models/clients/jobs.hpp"
#include "models/clients/supervisor.hpp"
#include "models/context.hpp"
#include "models/faults/steps.hpp"
#include "models/network/node.hpp"

namespace models {

/// Whose bench it is. Both calls come when the bench is free again, so that the next message may be given to it.
class WorkbenchOwner {
 public:
  virtual ~WorkbenchOwner() = default;
  /// It has had its effect, and is to be settled.
  virtual void processed() = 0;
  /// The application has caught an exception: the message is left out, given back or refused. Never Then::crash.
  virtual void gave_up(PoisonOptions::Then how) = 0;
};

class Workbench final : private CallerOwner {
 public:
  /// `jobs` and `owner` outlive it. `group`: whose messages these are.
  Workbench(Context& context, Node& node, Jobs& jobs, EntityId group, WorkbenchOwner& owner);

  /// Begins to work on it. Requires that nothing is being worked on.
  void begin(const Job& job);
  bool working() const { return working_; }
  /// The process has died of a message and will be started again.
  bool restarting() const { return supervisor_.restarting(); }

  // ---- what the owner hears as a NodeProgram ----
  void paused();
  void resumed();
  void slowed();
  void crashed();

 private:
  void plan(sim::Duration backoff);
  void done();
  void succeeded();
  void failed();
  void give_up(PoisonOptions::Then how);
  void call_over(std::size_t thread, bool answered, std::uint32_t attempts) override;
  void finished();
  void tell(Kind kind, std::uint16_t code = 0);

  Context& context_;
  Node& node_;
  Jobs& jobs_;
  EntityId group_;
  WorkbenchOwner& owner_;
  Supervisor supervisor_;
  std::optional<Caller> caller_;
  Job job_;
  std::int32_t retries_ = 0;
  bool working_ = false;
  bool frozen_ = false;
  sim::Duration backoff_{};  // of what was left when the process was paused …
  sim::Duration left_{};     // … and work
  sim::Time work_begins_{};  // until then it waits
  double slowness_ = 1;      // by which the work's end was reckoned
  StepCell& effect_step_;
  StepCell& processed_step_;
  NodeTimer<std::function<void()>> timer_;
};

}  // namespace models
