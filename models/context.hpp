// What every model of a run shares. Passed by reference; owned by the World.
#pragma once

#include "models/entities.hpp"
#include "models/faults/steps.hpp"
#include "models/trace_kinds.hpp"
#include "sim/simulation.hpp"
#include "sim/trace.hpp"

namespace models {

class Network;

struct Context {
  sim::Simulation& simulation;
  sim::Trace& trace;
  Entities& entities;
  Network& network;
  Steps& steps;

  sim::Time now() const { return simulation.now(); }

  /// Emits a record at the current time. `payload` as the kind says.
  sim::RecordNumber emit(Kind kind, sim::TraceRecord fields,
                         std::span<const std::int64_t> payload = {}) const {
    fields.time = simulation.now();
    fields.kind = static_cast<std::uint16_t>(kind);
    return trace.emit(fields, payload);
  }
};

}  // namespace models
