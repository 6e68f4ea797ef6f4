#include "models/kafka/consumer/dead_letters.hpp"

#include <utility>

namespace models::kafka {
namespace {

constexpr std::uint32_t kBytes = 100;

ProducerOptions producer_options(const GroupOptions& group, const std::string& topic) {
  ProducerOptions options;
  options.name = group.name;
  options.to = topic;
  return options;
}

}  // namespace

DeadLetters::DeadLetters(ConsumerGroup& group, Node& node, const std::string& topic,
                         std::function<void(std::size_t)> written)
    : node_(node),
      options_(producer_options(group.options(), topic)),
      written_(std::move(written)),
      partitions_(group.cluster().topic(*group.cluster().find_topic(topic)).partitions),
      producer_(group.cluster(), node, options_, {.application = this}) {}

void DeadLetters::start() {
  if (std::exchange(started_, true))
    producer_.restarted();
  else
    producer_.start();
}

void DeadLetters::put(std::size_t ticket, std::int32_t number) {
  waiting_.push_back({ticket, number % partitions_});
  pump();
}

void DeadLetters::pump() {
  if (pumping_) return;
  pumping_ = true;
  const std::uint32_t life = node_.incarnation();
  for (;;) {
    if (sent_.empty()) {
      if (waiting_.empty()) break;
      sent_.swap(waiting_);
      send();
    }
    if (!producer_.flushed()) break;
    if (producer_.failures() != failures_before_) {
      send();
      break;
    }
    answered_.clear();
    answered_.swap(sent_);
    for (const Letter& letter : answered_) {
      written_(letter.ticket);
      if (node_.incarnation() != life) return;  // crashed() has put this to rest
    }
  }
  pumping_ = false;
}

void DeadLetters::send() {
  failures_before_ = producer_.failures();
  messages_.clear();
  for (const Letter& letter : sent_)
    messages_.push_back(producer_.made(kBytes, LaneId{}, 0, letter.partition));
  producer_.send(messages_);
  producer_.flush();
}

void DeadLetters::crashed() {
  waiting_.clear();
  sent_.clear();
  pumping_ = false;
  producer_.crashed();
}

}  // namespace models::kafka
