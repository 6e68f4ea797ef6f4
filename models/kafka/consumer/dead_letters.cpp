#include "models/kafka/consumer/dead_letters.hpp"

#include <utility>

namespace models::kafka {
namespace {

constexpr std::uint32_t kBytes = 100;
/// What names a letter to its producer is a ticket, of no lane in particular.
constexpr LaneId kTickets{1};

ProducerOptions producer_options(const GroupOptions& group, const std::string& topic) {
  ProducerOptions options;
  options.name = group.name;
  options.to = topic;
  return options;
}

}  // namespace

DeadLetters::DeadLetters(ConsumerGroup& group, Node& node, const std::string& topic,
                         std::function<void(std::size_t)> written)
    : options_(producer_options(group.options(), topic)),
      written_(std::move(written)),
      partitions_(group.cluster().topic(*group.cluster().find_topic(topic)).partitions),
      producer_(group.cluster(), node, options_, {.application = this, .names_are_tickets = true}),
      retry_(group.cluster().context().simulation, node, [this] {
        const std::vector<Letter> letters = std::exchange(again_, {});
        send(letters);
      }) {}

void DeadLetters::start() {
  if (std::exchange(started_, true))
    producer_.restarted();
  else
    producer_.start();
}

void DeadLetters::put(std::size_t ticket, std::int32_t number) {
  if (ticket >= partition_of_.size()) partition_of_.resize(ticket + 1);
  partition_of_[ticket] = number % partitions_;
  const Letter letter{ticket, partition_of_[ticket]};
  send(std::span(&letter, 1));
}

void DeadLetters::send(std::span<const Letter> letters) {
  messages_.clear();
  for (const Letter& letter : letters)
    messages_.push_back(
        producer_.made(kBytes, kTickets, static_cast<std::int64_t>(letter.ticket), letter.partition));
  producer_.send(messages_);
  producer_.flush();
}

void DeadLetters::told(LaneId, std::int64_t ticket, bool acknowledged) {
  answers_.push_back({static_cast<std::size_t>(ticket), acknowledged});
}

/// Called in the middle of what it does itself, too: then the loop that is under way goes on.
void DeadLetters::producer_moved() {
  if (passing_on_) return;
  passing_on_ = true;
  const std::uint32_t life = life_;
  while (!answers_.empty()) {
    passing_.clear();
    passing_.swap(answers_);
    for (const Answer& answer : passing_) {
      if (answer.written) {
        written_(answer.ticket);
        if (life_ != life) return;  // crashed() has put this to rest
        continue;
      }
      again_.push_back({answer.ticket, partition_of_[answer.ticket]});
      if (!retry_.armed()) retry_.arm_after(options_.config.retry_backoff_max);
    }
  }
  passing_on_ = false;
}

void DeadLetters::crashed() {
  ++life_;
  passing_on_ = false;
  answers_.clear();
  again_.clear();
  retry_.disarm();
  producer_.crashed();
}

}  // namespace models::kafka
