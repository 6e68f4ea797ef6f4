// Queues as the management page and Prometheus show them, against values worked out by hand.
#include "experiments/results/queue_board.hpp"

#include "experiments/commands/listed_queues.hpp"
#include "experiments/errors.hpp"
#include "experiments/results/rabbitmq_metrics.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

/// 20 messages in the first two seconds to the queue "jobs". The only worker takes five, works on the first for ever, dies at
/// 2.5 s and is back at 2.7 s: the five are delivered again. Five messages more match no binding.
constexpr const char* kStory = R"([scenario]
name = "story"
duration = "10s"
drain = "1s"

[rabbitmq]
[[rabbitmq.exchanges]]
name = "nowhere"
[[rabbitmq.queues]]
name = "jobs"
[[rabbitmq.queues]]
name = "empty"
[[rabbitmq.policies]]
name = "bounds"
pattern = "^jobs$"
definition = { max-length = 1000 }

[[producers]]
name = "shop"
cluster = "rabbitmq"
to = "jobs"
arrivals = { process = "constant", rate = 10 }
messages = 20
rabbitmq = { confirms = 100 }

[[producers]]
name = "stray"
cluster = "rabbitmq"
to = "nowhere"
arrivals = { process = "constant", rate = 10 }
messages = 5
rabbitmq = { mandatory = true }

[[groups]]
name = "workers"
cluster = "rabbitmq"
service = "100s"
rabbitmq = { queues = "jobs", prefetch = 5, recovery_interval = "100ms" }

[[faults]]
kind = "crash"
target = "workers/0"
at = "2500ms"
for = "200ms"
)";

Resolved story() {
  return resolve_toml(kStory, "story.toml");
}

bool has_line(const std::string& text, const std::string& line) {
  const bool there = ("\n" + text).find("\n" + line + "\n") != std::string::npos;
  if (!there) UNSCOPED_INFO(line);
  return there;
}

}  // namespace

TEST_CASE("queues are listed with what is in them, and with their rates over five seconds") {
  const Resolved resolved = story();
  RunCommand command;
  command.queues = true;
  command.at = {"4s", "1s"};
  QueueList list(command, resolved.scenario);
  TrialOptions options;
  options.world.looks = list.looks();
  options.watchers = {&list.watcher()};
  run_trial(resolved, 1, options);
  const std::vector<ListedQueues> lists = list.lists();
  REQUIRE(lists.size() == 2);
  CHECK(lists[0].at == sim::Time{std::chrono::seconds{1}});
  CHECK(lists[0].queues[0].view.unacknowledged == 5);
  const ListedQueues::Row& jobs = lists[1].queues[0];
  CHECK(jobs.name == "jobs");
  CHECK(jobs.view.policy == "bounds");
  CHECK(jobs.view.ready == 15);
  CHECK(jobs.view.unacknowledged == 5);
  CHECK(jobs.view.consumers == 1);
  CHECK(jobs.published == 20 / 4.0);
  CHECK(jobs.delivered == 10 / 4.0);
  CHECK(jobs.redelivered == 5 / 4.0);
  CHECK(jobs.acknowledged == 0);
  CHECK(lists[1].queues[1].view.ready == 0);
  REQUIRE(lists[1].publishers.size() == 2);
  CHECK(lists[1].publishers[0].counts.routed == 20);
  CHECK(lists[1].publishers[0].counts.confirmed == 20);
  CHECK(lists[1].publishers[1].counts.returned == 5);
  CHECK(lists[1].publishers[1].counts.dropped == 0);
  CHECK(as_text(lists[1]).find("messages_unacknowledged") != std::string::npos);
}

TEST_CASE("Prometheus sees RabbitMQ under its own names") {
  const Resolved resolved = story();
  const std::vector<sim::Time> times{sim::Time{}, sim::Time{std::chrono::seconds{4}}};
  RabbitMetrics metrics(times);
  TrialOptions options;
  options.watchers = {&metrics.watcher()};
  for (std::size_t i = 0; i < times.size(); ++i)
    options.world.looks.push_back(
        {times[i], [&metrics, i](models::World& world) { metrics.scrape(i, world); }});
  const std::string digest = run_trial(resolved, 1, options).digest;
  CHECK(digest == run_trial(resolved, 1).digest);
  const std::string text = metrics.text();
  CHECK(has_line(text, "# TYPE rabbitmq_queue_messages_ready gauge"));
  CHECK(has_line(text, "rabbitmq_queue_messages_ready{vhost=\"/\",queue=\"jobs\"} 0 0"));
  CHECK(has_line(text, "rabbitmq_queue_messages_ready{vhost=\"/\",queue=\"jobs\"} 15 4"));
  CHECK(has_line(text, "rabbitmq_queue_messages_unacked{vhost=\"/\",queue=\"jobs\"} 5 4"));
  CHECK(has_line(text, "rabbitmq_queue_messages{vhost=\"/\",queue=\"jobs\"} 20 4"));
  CHECK(has_line(text, "rabbitmq_queue_consumers{vhost=\"/\",queue=\"jobs\"} 1 4"));
  CHECK(has_line(text, "# TYPE rabbitmq_global_messages_received counter"));
  CHECK(has_line(text,
                 "rabbitmq_global_messages_received_total{node=\"rabbitmq/0\",protocol=\"amqp091\"} 20 4"));
  CHECK(has_line(text,
                 "rabbitmq_global_messages_confirmed_total{node=\"rabbitmq/0\",protocol=\"amqp091\"} 20 4"));
  CHECK(has_line(text, "rabbitmq_global_messages_unroutable_returned_total{protocol=\"amqp091\"} 5 4"));
  CHECK(has_line(text, "rabbitmq_channel_messages_unroutable_returned_total{channel=\"stray\"} 5 4"));
  CHECK(has_line(text,
                 "rabbitmq_global_messages_redelivered_total{protocol=\"amqp091\",queue_type=\"rabbit_"
                 "classic_queue\"} 5 4"));
  CHECK(has_line(text, "rabbitmq_connections_opened_total{node=\"rabbitmq/0\"} 4 4"));
  CHECK(has_line(text, "rabbitmq_connections{node=\"rabbitmq/0\"} 3 4"));
}

TEST_CASE("queues cannot be listed where there are none") {
  RunCommand command;
  const Resolved kafka = resolve(load(std::string(kSmall)), 0, 0);
  CHECK_THROWS_AS(QueueList(command, kafka.scenario), UsageError);
  command.at = {"12s"};
  CHECK_THROWS_AS(QueueList(command, story().scenario), UsageError);
}
