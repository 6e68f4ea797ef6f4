// What the management page shows of queues: messages ready and unacknowledged, and how fast they come, are sent and are settled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "models/metrics/catalogue.hpp"
#include "models/metrics/entity_table.hpp"
#include "models/metrics/window.hpp"
#include "models/trace_kinds.hpp"
#include "sim/assert.hpp"
#include "sim/trace.hpp"

namespace models {

class QueueMeter {
 public:
  explicit QueueMeter(const Window& window) : window_(window) {}

  void refused(const sim::TraceRecord& r) {
    const auto code = static_cast<RefusedCode>(r.code);
    unroutable_ += code == RefusedCode::unroutable || code == RefusedCode::returned ? r.b : 0;
  }
  /// Whether that was in a queue.
  bool stored(const sim::TraceRecord& r) {
    if ((r.code & kInQueue) == 0) return false;
    Queue& queue = at(r);
    queue.published += r.b;
    change(queue, r.b, 0);
    return true;
  }
  void dispatched(const sim::TraceRecord& r) {
    Queue& queue = at(r);
    queue.dispatched += r.b;
    flags_ += (r.code & kRedelivered) != 0 ? r.b : 0;
    change(queue, -r.b, r.b);
  }
  void settled(const sim::TraceRecord& r) {
    Queue& queue = at(r);
    queue.settled += r.b;
    const bool ready = static_cast<SettledCode>(r.code) == SettledCode::from_queue;
    change(queue, ready ? -r.b : 0, ready ? 0 : -r.b);
  }
  void requeued(const sim::TraceRecord& r) {
    Queue& queue = at(r);
    requeued_ += r.b;
    change(queue, r.b, -r.b);
  }
  /// What is rejected, or came back too often, was unacknowledged, all else was ready.
  void removed(const sim::TraceRecord& r) {
    const auto why = static_cast<RemovedCode>(r.code);
    const bool held = why == RemovedCode::rejected || why == RemovedCode::delivery_limit;
    change(at(r), held ? 0 : -r.b, held ? -r.b : 0);
  }
  void empty_receive() { ++empty_receives_; }
  void republished(const sim::TraceRecord& r) { dead_letters_ += r.b; }
  /// What the broker itself counts: the books must agree.
  void depth(const sim::TraceRecord& r) {
    const Queue& queue = at(r);
    MQLAB_ASSERT(queue.ready == r.a && queue.unacknowledged == r.b,
                 "what came into a queue and did not leave it is ready or unacknowledged there");
  }

  void sample(sim::Time t, sim::Duration distance, std::vector<Sample>& samples) {
    for (std::uint32_t id = 0; id < queues_.rows().size(); ++id) {
      Queue& queue = queues_.rows()[id];
      if (!queue.known) continue;
      const auto put = [&](Series series, double value) {
        samples.push_back({t, series, EntityId{id}, {}, value});
      };
      const auto rate = [&](Series series, std::int64_t& count) {
        put(series, static_cast<double>(count) / sim::seconds(distance));
        count = 0;
      };
      put(Series::queue_ready_messages, static_cast<double>(queue.ready));
      put(Series::queue_unacknowledged_messages, static_cast<double>(queue.unacknowledged));
      rate(Series::published_per_s, queue.published);
      rate(Series::dispatched_per_s, queue.dispatched);
      rate(Series::settled_per_s, queue.settled);
    }
  }

  void blocked(const sim::TraceRecord& r) {
    Connection& connection = connections_[r.actor];
    if (connection.blocked) blocked_for_ += window_.part(connection.since, r.time);
    connection = {r.time, r.a == 1};
    blocks_ += r.a;
  }

  void arrivals_stopped(sim::Time t) {
    pass(t);
    end_ready_ = ready_;
    for (Connection& connection : connections_.rows()) {
      if (connection.blocked) blocked_for_ += window_.part(connection.since, t);
      connection.since = t;
    }
  }

  void report(MetricValues& values, std::vector<Labelled>& labelled) const {
    const bool any =
        std::any_of(queues_.rows().begin(), queues_.rows().end(), [](const Queue& q) { return q.known; });
    if (!any && unroutable_ == 0) return;
    values[Metric::unroutable] = static_cast<double>(unroutable_);
    values[Metric::requeued] = static_cast<double>(requeued_);
    values[Metric::redelivered_flags] = static_cast<double>(flags_);
    values[Metric::dead_letters] = static_cast<double>(dead_letters_);
    values[Metric::empty_receives] = static_cast<double>(empty_receives_);
    values[Metric::connection_blocks] = static_cast<double>(blocks_);
    values[Metric::connection_blocked_s] = sim::seconds(blocked_for_);
    std::int64_t ready_max = 0;
    std::int64_t unacknowledged_max = 0;
    for (std::uint32_t id = 0; id < queues_.rows().size(); ++id) {
      const Queue& queue = queues_.rows()[id];
      if (!queue.known) continue;
      ready_max = std::max(ready_max, queue.ready_max);
      unacknowledged_max = std::max(unacknowledged_max, queue.unacknowledged_max);
      labelled.push_back(
          {Metric::queue_ready_max_messages, EntityId{id}, {}, static_cast<double>(queue.ready_max)});
    }
    values[Metric::queue_ready_max_messages] = static_cast<double>(ready_max);
    values[Metric::queue_unacknowledged_max_messages] = static_cast<double>(unacknowledged_max);
    values[Metric::queue_ready_end_messages] = static_cast<double>(end_ready_);
    const double window = sim::seconds(window_.part(window_.warm, window_.stop));
    if (window <= 0) return;
    values[Metric::queue_ready_mean_messages] = ready_seconds_ / window;
    values[Metric::queue_unacknowledged_mean_messages] = unacknowledged_seconds_ / window;
  }

 private:
  struct Queue {
    std::int64_t ready = 0;
    std::int64_t unacknowledged = 0;
    std::int64_t ready_max = 0;
    std::int64_t unacknowledged_max = 0;
    std::int64_t published = 0;  // since the last sample, as the next two
    std::int64_t dispatched = 0;
    std::int64_t settled = 0;
    bool known = false;
  };

  Queue& at(const sim::TraceRecord& r) {
    pass(r.time);
    Queue& queue = queues_[r.place];
    queue.known = true;
    return queue;
  }
  /// Up to `t` nothing has changed.
  void pass(sim::Time t) {
    if (t == since_) return;
    const double seconds = sim::seconds(window_.part(since_, t));
    ready_seconds_ += static_cast<double>(ready_) * seconds;
    unacknowledged_seconds_ += static_cast<double>(unacknowledged_) * seconds;
    since_ = t;
  }
  void change(Queue& queue, std::int64_t ready, std::int64_t unacknowledged) {
    queue.ready += ready;
    queue.unacknowledged += unacknowledged;
    ready_ += ready;
    unacknowledged_ += unacknowledged;
    queue.ready_max = std::max(queue.ready_max, queue.ready);
    queue.unacknowledged_max = std::max(queue.unacknowledged_max, queue.unacknowledged);
    MQLAB_ASSERT(queue.ready >= 0 && queue.unacknowledged >= 0, "a message is in one place of its queue");
  }

  const Window& window_;
  EntityTable<Queue> queues_;
  sim::Time since_{};
  std::int64_t ready_ = 0;  // of all queues
  std::int64_t unacknowledged_ = 0;
  std::int64_t end_ready_ = 0;
  double ready_seconds_ = 0;
  double unacknowledged_seconds_ = 0;
  std::int64_t unroutable_ = 0;
  std::int64_t requeued_ = 0;
  std::int64_t flags_ = 0;
  std::int64_t dead_letters_ = 0;
  std::int64_t empty_receives_ = 0;
  struct Connection {
    sim::Time since{};
    bool blocked = false;
  };
  EntityTable<Connection> connections_;  // by client
  sim::Duration blocked_for_{};
  std::int64_t blocks_ = 0;
};

}  // namespace models
