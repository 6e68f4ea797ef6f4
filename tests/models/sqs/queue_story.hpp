// A queue of SQS with nobody around it: what is done to it, and what it tells.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/sqs/fifo_queue.hpp"
#include "models/sqs/standard_queue.hpp"

namespace sqs_test {

using models::sqs::Error;
using models::sqs::FifoQueue;
using models::sqs::Message;
using models::sqs::Poll;
using models::sqs::PollId;
using models::sqs::Queue;
using models::sqs::QueueOptions;
using models::sqs::Receipt;
using models::sqs::ServiceOptions;
using models::sqs::StandardQueue;

inline sim::Time at(double seconds) {
  return sim::Time{sim::Duration{static_cast<std::int64_t>(seconds * 1e9)}};
}
inline sim::Duration s(std::int64_t seconds) {
  return std::chrono::seconds{seconds};
}

struct Got {
  std::uint64_t number;
  Receipt receipt;
  std::uint32_t receives;
};
struct Answer {
  std::vector<Got> messages;
  Error error = Error::none;
  bool there = false;
};

class Story : public models::sqs::QueueOwner {
 public:
  explicit Story(QueueOptions queue = {}, ServiceOptions service = one_server())
      : options(std::move(queue)), around(std::move(service)) {
    if (options.name.empty()) options.name = "jobs";
    if (options.fifo)
      queue_ = std::make_unique<FifoQueue>(options, around, *this);
    else
      queue_ = std::make_unique<StandardQueue>(options, around, *this);
  }
  static ServiceOptions one_server() {
    ServiceOptions o;
    o.servers = 1;
    o.sampled_servers = 1;
    return o;
  }

  Queue& queue() { return *queue_; }
  FifoQueue& fifo() { return static_cast<FifoQueue&>(*queue_); }

  std::uint64_t send(sim::Time now, std::uint64_t group = 0, sim::Duration delay = {},
                     std::uint32_t server = 0) {
    return send_since(now, now, group, delay, server);
  }
  /// One that was sent before: a dead letter.
  std::uint64_t send_since(sim::Time sent, sim::Time now, std::uint64_t group = 0, sim::Duration delay = {},
                           std::uint32_t server = 0) {
    Message m;
    m.sent = sent;
    if (options.fifo) {
      m.group = fifo().group({group});
      groups[queue_->next_number()] = group;
    }
    queue_->send(m, delay, server, now);
    queue_->serve(now);
    return m.number;
  }
  PollId ask(sim::Time now, std::uint32_t max, sim::Duration wait, sim::Duration visibility,
             std::uint64_t servers = ~std::uint64_t{0}) {
    const PollId id{static_cast<std::uint32_t>(answers.size())};
    answers.emplace_back();
    queue_->receive({id, max, wait, visibility, servers, 0}, now);
    return id;
  }
  /// A long poll that is answered at once, or not.
  Answer receive(sim::Time now, std::uint32_t max = 10, sim::Duration visibility = std::chrono::seconds{30}) {
    const PollId id = ask(now, max, {}, visibility);
    return answers[id.value];
  }
  Error remove(const Got& got, sim::Time now) {
    const Error e = queue_->remove(got.receipt, now);
    queue_->serve(now);
    return e;
  }
  /// Everything that is due until then.
  void pass(sim::Time until) {
    while (queue_->next_event() <= until) queue_->advance(queue_->next_event());
  }

  // QueueOwner
  void stored(const Message& m) override { say("stored", m); }
  void delayed(const Message& m, bool begins) override { say(begins ? "delayed" : "due", m); }
  void dispatched(const Message& m, const Receipt& receipt, std::uint32_t receives, PollId to) override {
    say("dispatched", m);
    answers[to.value].messages.push_back({m.number, receipt, receives});
  }
  void answered(PollId poll, std::uint32_t messages, Error error) override {
    Answer& answer = answers[poll.value];
    answer.there = true;
    answer.error = error;
    counts_agree = counts_agree && answer.messages.size() == messages;
  }
  void settled(const Message& m, models::SettledCode how) override {
    say(how == models::SettledCode::from_queue ? "deleted late" : "deleted", m);
  }
  void requeued(const Message& m, models::RequeuedCode why) override {
    say(why == models::RequeuedCode::timed_out   ? "timed out"
        : why == models::RequeuedCode::undeleted ? "undeleted"
                                                 : "released",
        m);
  }
  void removed(const Message& m, models::RemovedCode why) override {
    say(why == models::RemovedCode::expired ? "expired"
        : why == models::RemovedCode::moved ? "moved"
                                            : "dead",
        m);
  }
  bool misses_deletion(const Message&, std::uint32_t) override { return misses; }

  QueueOptions options;
  ServiceOptions around;
  std::vector<Answer> answers;
  std::vector<std::string> told;
  std::map<std::uint64_t, std::uint64_t> groups;
  bool misses = false;
  bool counts_agree = true;

 private:
  void say(const std::string& what, const Message& m) {
    told.push_back(what + " " + std::to_string(m.number));
  }
  std::unique_ptr<Queue> queue_;
};

inline std::vector<std::uint64_t> numbers(const Answer& answer) {
  std::vector<std::uint64_t> out;
  for (const Got& got : answer.messages) out.push_back(got.number);
  return out;
}

}  // namespace sqs_test
