#include "models/network/node.hpp"

#include <algorithm>
#include <utility>

#include "models/network/network.hpp"

namespace models {

Node::Node(sim::Simulation& simulation, Network& network, EntityId entity, HostId host, std::string name)
    : simulation_(simulation), network_(network), entity_(entity), host_(host), name_(std::move(name)) {}

void Node::crash() {
  if (!up_) return;
  up_ = false;
  if (paused_) {
    paused_ = false;
    network_.node_paused(*this, false);
  }
  ++incarnation_;
  held_.clear();
  network_.node_crashed(*this);
  if (program_ != nullptr) program_->crashed();
}

void Node::lose_power() {
  crash();
  if (program_ != nullptr) program_->power_lost();
}

void Node::restart() {
  if (up_) return;
  up_ = true;
  if (program_ != nullptr) program_->restarted();
}

void Node::pause() {
  if (!up_ || paused_) return;
  paused_ = true;
  network_.node_paused(*this, true);
  if (program_ != nullptr) program_->paused();
}

void Node::resume() {
  if (!paused_) return;
  paused_ = false;
  network_.node_paused(*this, false);
  if (program_ != nullptr) program_->resumed();
  // What runs may crash or pause this node: then the rest is gone, or goes on waiting.
  while (!held_.empty() && up_ && !paused_) {
    const std::function<void()> work = std::move(held_.front());
    held_.pop_front();
    work();
  }
}

void Node::slow_down(double factor) {
  slowdowns_.push_back(factor);
  slowness_ *= factor;
  if (program_ != nullptr) program_->slowed();
}

void Node::speed_up(double factor) {
  slowdowns_.erase(std::find(slowdowns_.begin(), slowdowns_.end(), factor));
  slowness_ = 1;
  for (const double one : slowdowns_) slowness_ *= one;
  if (program_ != nullptr) program_->slowed();
}

void Node::run_or_hold(std::function<void()> work) {
  if (!up_) return;
  if (paused_) {
    held_.push_back(std::move(work));
  } else {
    work();
  }
}

}  // namespace models
