// What a process does right behind a named step.
#pragma once

#include <functional>
#include <utility>

#include "models/faults/steps.hpp"
#include "models/network/node.hpp"

namespace models {

/// The step happens once, and then `then`: at once; when the process goes on, if it was stopped there; never, if it died there.
///
/// All that the process does behind the step belongs into `then`: nothing may follow the call but returns, and loops around it
/// ask Node::paused() before they go on.
template <class Then>
void step_then(StepCell& step, Node& node, Then then) {
  const std::uint32_t life = node.incarnation();
  step.advance(1);
  if (node.incarnation() != life) return;
  if (!node.paused()) return then();
  node.run_or_hold(std::function<void()>(std::move(then)));
}

}  // namespace models
