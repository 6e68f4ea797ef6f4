// A message as a queue keeps it: 40 bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "models/ids.hpp"
#include "models/rabbitmq/topology.hpp"
#include "models/trace_kinds.hpp"
#include "sim/time.hpp"

namespace models::rabbitmq {

struct Message {
  std::uint64_t number = 0;  ///< its place in the queue, and its offset in the trace
  std::uint64_t seq = 0;     ///< with `lane`: which message this is
  sim::Time expires = sim::kNever;
  LaneId lane{};
  std::uint32_t size = 0;     ///< bytes of the body
  std::uint32_t history = 0;  ///< what has become of it before (Histories); 0: nothing
  std::uint16_t address = 0;  ///< exchange, routing key and headers that it was published with
  std::uint8_t priority = 0;
  bool persistent : 1 = true;
  bool redelivered : 1 = false;
};
static_assert(sizeof(Message) == 40);

/// An entry of the header x-death: how often a message was dead-lettered from a queue for a reason.
struct Death {
  QueueIndex queue{};
  RemovedCode reason{};
  std::uint32_t count = 0;
};

/// Of a dead letter: which message it was at first, and its deaths, the latest first (mc:record_death).
struct History {
  LaneId lane{};
  std::uint64_t seq = 0;
  std::vector<Death> deaths;

  void record(QueueIndex queue, RemovedCode reason);
  /// It would come to a queue for the second time, and nobody has rejected it meanwhile: such a copy is dropped
  /// (rabbit_dead_letter:detect_cycles, mc:is_cycle_v2).
  bool cycles(QueueIndex target) const;
};

/// Numbered from 1. Slots are used again.
class Histories {
 public:
  std::uint32_t add(History history);
  void forget(std::uint32_t history);
  const History& operator[](std::uint32_t history) const { return all_[history - 1]; }
  std::size_t held() const { return all_.size() - free_.size(); }

 private:
  std::vector<History> all_;
  std::vector<std::uint32_t> free_;
};

}  // namespace models::rabbitmq
