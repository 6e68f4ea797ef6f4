// How a service or relay sends events to a broker, whichever that is. A part of its program: it dies with it.
#pragma once

#include <span>

#include "models/apps/facts.hpp"

namespace models {

class EventSenderOwner {
 public:
  virtual ~EventSenderOwner() = default;
  /// The event of that fact was acknowledged, or given up. Not from inside send().
  virtual void sent(FactId fact, bool acknowledged) = 0;
};

class EventSender {
 public:
  virtual ~EventSender() = default;
  /// Also after a crash.
  virtual void start() = 0;
  /// In this order. Each is answered by sent(), unless the process dies.
  virtual void send(std::span<const FactId> facts) = 0;
  virtual void crashed() = 0;
  virtual void paused() = 0;
  virtual void resumed() = 0;
};

}  // namespace models
