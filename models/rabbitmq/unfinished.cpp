// What is under way or left in RabbitMQ's queues and clients, in words: for a run that does not drain.

#include <algorithm>
#include <string>
#include <vector>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/classic_home.hpp"
#include "models/rabbitmq/cluster.hpp"
#include "models/rabbitmq/publisher.hpp"
#include "models/rabbitmq/system.hpp"
#include "models/rabbitmq/workers.hpp"

namespace models::rabbitmq {
namespace {

std::string state_of(const Node& node) {
  return !node.up() ? " (which is down)" : node.paused() ? " (which is paused)" : "";
}

}  // namespace

std::string ClassicHome::holders() const {
  std::string text;
  for (std::size_t i = 0; i < holders_.size(); ++i) {
    if (holders_[i].session == nullptr) continue;
    const std::uint64_t count = queue_.held_by(ConsumerId{static_cast<std::uint32_t>(i)});
    if (count == 0) continue;
    const Node& node = holders_[i].client->node();
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " with " + node.name() + state_of(node);
  }
  return text;
}

void Cluster::tell_unfinished(std::vector<std::string>& lines) const {
  for (const auto& queue : queues_) {
    const Queue::Depth depth = queue->depth();
    const std::string& name = queue->options().name;
    const bool down = !queue->leader().node().up();
    if (depth.ready > 0) {
      const std::string why = down ? "its node is down"
                              : depth.consumers == 0
                                  ? "nobody consumes from it"
                                  : "who consumes from it holds all that its prefetch allows, or stands by";
      lines.push_back(name + ": " + std::to_string(depth.ready) + " ready, and " + why);
    }
    if (depth.unacknowledged > 0) {
      const std::string holders = queue->holders();
      lines.push_back(name + ": " + std::to_string(depth.unacknowledged) + " unacknowledged" +
                      (holders.empty() ? "" : ": " + holders));
    }
    queue->tell_unfinished(lines);
    if (queue->busy() && depth.ready == 0 && depth.unacknowledged == 0)
      lines.push_back(name + ": is being written");
  }
  for (const auto& broker : brokers_) {
    if (!broker->node().up()) lines.push_back(broker->node().name() + ": is down");
    broker->tell_blocked(lines);
  }
}

void Publisher::tell_unfinished(std::vector<std::string>& lines) const {
  if (!running()) return;
  const std::string& name = node().name();
  if (!is_open()) lines.push_back(name + ": has no connection");
  std::uint64_t waiting = 0;
  std::vector<std::string> queues;
  for (std::uint64_t tag = unconfirmed_.first(); tag < unconfirmed_.next(); ++tag) {
    const Ref<Publish>& frame = unconfirmed_[tag];
    if (!frame) continue;
    ++waiting;
    for (const Copy& copy : frame->copies) {
      const std::string& queue = broker_.topology().queue(copy.queue).name;
      if (std::find(queues.begin(), queues.end(), queue) == queues.end()) queues.push_back(queue);
    }
  }
  std::string from;
  for (const std::string& queue : queues) from += (from.empty() ? "" : ", ") + queue;
  if (waiting > 0)
    lines.push_back(name + ": waits for confirms of " + std::to_string(waiting) + " messages from " + from);
  if (next_again_ < again_.size())
    lines.push_back(name + ": has " + std::to_string(again_.size() - next_again_) +
                    " messages to send again");
}

void Worker::tell_unfinished(std::vector<std::string>& lines) const {
  const std::string& name = node().name();
  if (bench_.restarting()) lines.push_back(name + ": is being restarted");
  if (bench_.working())
    lines.push_back(name + ": works on a message" + (node().paused() ? ", and is paused" : ""));
  if (!waiting_.empty())
    lines.push_back(name + ": " + std::to_string(waiting_.size()) + " messages wait in its client");
  if (!unacknowledged_.empty())
    lines.push_back(name + ": has processed " + std::to_string(unacknowledged_.size()) +
                    " messages that it acknowledges after its ack_timeout");
  if (wanted_ && running() && !is_open()) lines.push_back(name + ": has no channel");
}

void Workers::tell_unfinished(std::vector<std::string>& lines) const {
  for (const auto& member : members_) member->tell_unfinished(lines);
}

void System::tell_unfinished(std::vector<std::string>& lines) const {
  for (const auto& publisher : publishers_) publisher->tell_unfinished(lines);
  broker_->tell_unfinished(lines);
  for (const auto& group : workers_) group->tell_unfinished(lines);
}

}  // namespace models::rabbitmq
