// A queue whose doings are written down in words, for tests: "stored 0", "to 1: 0", "settled 0", "back 0", "gone 0 expired".
#pragma once

#include <string>
#include <vector>

#include "models/rabbitmq/classic_queue.hpp"

namespace rabbitmq_test {

using namespace models::rabbitmq;

class Story final : public QueueOwner {
 public:
  void stored(const Message& m) override { told.push_back("stored " + std::to_string(m.number)); }
  void dispatched(const Message& m, ConsumerId to, std::uint64_t ordinal) override {
    told.push_back("to " + std::to_string(to.value) + ": " + std::to_string(m.number) +
                   (m.redelivered ? " again" : ""));
    last_ordinal = ordinal;
  }
  void settled(const Message& m, models::SettledCode) override {
    told.push_back("settled " + std::to_string(m.number));
  }
  void requeued(const Message& m, models::RequeuedCode) override {
    told.push_back("back " + std::to_string(m.number));
  }
  void removed(const Message& m, models::RemovedCode why) override {
    static const char* const kWhy[] = {"rejected", "expired", "maxlen", "restart",
                                       "limit",    "left",    "deleted"};
    told.push_back("gone " + std::to_string(m.number) + " " + kWhy[static_cast<int>(why)]);
  }

  /// What was told since this was asked last.
  std::vector<std::string> news() { return std::exchange(told, {}); }

  std::vector<std::string> told;
  std::uint64_t last_ordinal = 0;
};

using Told = std::vector<std::string>;

inline sim::Time at(std::int64_t ms) {
  return sim::Time{std::chrono::milliseconds{ms}};
}

struct Fixture {
  explicit Fixture(QueueArguments arguments = {}, bool durable = true)
      : queue({.name = "q", .durable = durable, .arguments = std::move(arguments)}, story) {}

  /// Publishes so many; what is told of it is not kept.
  void publish(int count, std::int64_t ms = 0) {
    for (int i = 0; i < count; ++i) publish_one(ms);
    story.news();
  }
  bool publish_one(std::int64_t ms = 0, std::uint8_t priority = 0, bool persistent = true,
                   std::uint32_t size = 10) {
    Message m;
    m.priority = priority;
    m.persistent = persistent;
    m.size = size;
    return queue.publish(m, at(ms));
  }
  ConsumerId consumer(ConsumerOptions options = {}) { return queue.add_consumer(options, at(0)); }

  Story story;
  ClassicQueue queue;
};

}  // namespace rabbitmq_test
