// What starts a process again that has died of an exception that nobody caught.
#pragma once

#include "models/context.hpp"
#include "models/network/node.hpp"
#include "sim/time.hpp"

namespace models {

class Supervisor {
 public:
  Supervisor(Context& context, Node& node) : context_(context), node_(node) {}
  /// The process dies, and is started again `after` that, unless something else has done so meanwhile.
  void crash(sim::Duration after) {
    node_.crash();
    restarting_ = true;
    context_.simulation.schedule_after(after, [this, life = node_.incarnation()] {
      restarting_ = false;
      if (node_.incarnation() == life) node_.restart();
    });
  }
  bool restarting() const { return restarting_; }

 private:
  Context& context_;
  Node& node_;
  bool restarting_ = false;
};

}  // namespace models
