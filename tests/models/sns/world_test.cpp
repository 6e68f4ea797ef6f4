// SNS in a world: from a Publish to what the ledger says of each subscription's reader.
#include "models/scenario_error.hpp"
#include "models/sns/service.hpp"
#include "models/sqs/service.hpp"
#include "tests/catch.hpp"
#include "tests/models/observed_run.hpp"

namespace {

using models::Kind;
using models::Metric;
using models::Scenario;
using models::sns::Json;
using models::sns::Protocol;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Keeps the records of one kind.
class Records final : public sim::TraceSink {
 public:
  explicit Records(Kind kind) : kind_(kind) {}
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind == static_cast<std::uint16_t>(kind_)) all.push_back(r);
    }
  }
  void finish(sim::Time) override {}
  std::vector<sim::TraceRecord> all;

 private:
  Kind kind_;
};

Json text(const std::string& value) {
  Json out;
  out.type = Json::Type::string;
  out.string = value;
  return out;
}

Json object(const std::string& name, Json value) {
  Json out;
  out.type = Json::Type::object;
  out.names = {name};
  out.values = {std::move(value)};
  return out;
}

Json list(Json value) {
  Json out;
  out.type = Json::Type::array;
  out.items = {std::move(value)};
  return out;
}

/// A topic with a queue for each of two readers; 100 messages in a second.
Scenario fan_out() {
  Scenario s;
  s.name = "fan_out";
  s.duration = seconds{5};
  s.sns.emplace().topics.push_back({"orders"});
  s.sqs.emplace();
  for (const std::string name : {"billing", "shipping"}) {
    s.sns->subscriptions.push_back({"to-" + name, "orders", Protocol::sqs, name + "-queue"});
    s.sqs->queues.push_back({name + "-queue"});
    models::GroupOptions& g = s.groups.emplace_back();
    g.name = name;
    g.cluster = "sqs";
    g.sqs.queue = name + "-queue";
    g.sqs.wait = seconds{20};
  }
  s.sqs->queues.push_back({"letters"});
  models::ProducerOptions& p = s.producers.emplace_back();
  p.name = "shop";
  p.cluster = "sns";
  p.to = "orders";
  p.arrivals = sim::ArrivalProcess::poisson(100);
  p.messages = 100;
  p.sns.requests = 10;
  return s;
}

/// A topic that calls a service.
Scenario webhook() {
  Scenario s = fan_out();
  s.groups.clear();
  s.sns->subscriptions.resize(1);
  s.sns->subscriptions[0] = {"webhook", "orders", Protocol::https, "partner"};
  models::DependencyOptions& d = s.dependencies.emplace_back();
  d.name = "partner";
  d.concurrency = 10;
  d.service = sim::Distribution::constant(1e6);
  s.drain = seconds{120};
  return s;
}

models::FaultSpec fault(const std::string& kind, const std::string& target, sim::Duration at,
                        sim::Duration lasts) {
  models::FaultSpec f;
  f.kind = kind;
  f.name = kind;
  f.target = target;
  f.at = at;
  f.duration = lasts;
  return f;
}

double of(const ObservedRun& run, Metric metric) {
  return run.values[metric].value_or(0);
}

TEST_CASE("a message that is published comes to each subscription's reader once", "[sns]") {
  const ObservedRun run = observed_run(fan_out());
  CHECK(run.outcome.drained);
  CHECK(of(run, Metric::offered) == 200);
  CHECK(of(run, Metric::acknowledged) == 200);
  CHECK(of(run, Metric::processed) == 200);
  CHECK(of(run, Metric::notifications_delivered) == 200);
  CHECK(of(run, Metric::notifications_failed) == 0);
  CHECK(of(run, Metric::lost) == 0);
}

TEST_CASE("a run of SNS is a function of scenario and seed, whatever watches", "[sns]") {
  Scenario s = fan_out();
  s.sns->delivery = sim::Distribution::exponential(5e7);
  s.faults.push_back(fault("crash", "sqs/0", milliseconds{300}, seconds{1}));
  const auto digest = [&](std::uint64_t seed, bool watched) {
    models::World world(s, seed);
    models::Observers observers;
    if (watched) world.trace().add_sink(observers);
    world.run();
    return world.trace().digest();
  };
  CHECK(digest(1, true) == digest(1, false));
  CHECK(digest(1, true) != digest(2, true));
}

TEST_CASE("ten messages are one PublishBatch", "[sns]") {
  Scenario s = fan_out();
  s.producers[0].sns.batch = 10;
  Records acknowledged(Kind::acknowledged);
  const ObservedRun run = observed_run(s, &acknowledged);
  CHECK(of(run, Metric::processed) == 200);
  std::size_t at_once = 0;
  for (const sim::TraceRecord& r : acknowledged.all)
    at_once += r.time == acknowledged.all.front().time ? 1 : 0;
  CHECK(at_once == 20);
}

TEST_CASE("a filter policy lets through what it matches and the rest is no loss", "[sns]") {
  Scenario s = fan_out();
  s.producers[0].sns.messages = {{0.5, object("event", text("placed")), {}},
                                 {0.5, object("event", text("cancelled")), {}}};
  s.sns->subscriptions[0].filter_policy = object("event", list(text("placed")));
  const ObservedRun run = observed_run(s);
  const double filtered = of(run, Metric::notifications_filtered_out);
  CHECK(filtered > 20);
  CHECK(filtered < 80);
  CHECK(of(run, Metric::processed) == 200 - filtered);
  CHECK(of(run, Metric::offered) == 200 - filtered);
  CHECK(of(run, Metric::lost) == 0);
}

TEST_CASE("what an endpoint does not let in is lost without a dead-letter queue and there with one",
          "[sns]") {
  Scenario s = fan_out();
  s.faults.push_back(fault("deny-delivery", "to-billing", milliseconds{200}, milliseconds{300}));
  const ObservedRun gone = observed_run(s);
  const double failed = of(gone, Metric::notifications_failed);
  CHECK(failed > 10);
  CHECK(of(gone, Metric::lost) == failed);
  CHECK(of(gone, Metric::processed) == 200 - failed);
  s.sns->subscriptions[0].dead_letter_queue = "letters";
  const ObservedRun kept = observed_run(s);
  CHECK(of(kept, Metric::lost) == 0);
  CHECK(of(kept, Metric::dead_lettered) == of(kept, Metric::notifications_redriven));
  CHECK(of(kept, Metric::notifications_redriven) == of(kept, Metric::notifications_failed));
  CHECK(of(kept, Metric::notifications_redriven) > 10);
  // The letters themselves are messages of SNS's, stored in their queue.
  CHECK(of(kept, Metric::offered) == 200 + of(kept, Metric::notifications_redriven));
}

TEST_CASE("a queue that cannot be reached is delivered to when it can", "[sns]") {
  Scenario s = fan_out();
  s.faults.push_back(fault("crash", "sqs/0", milliseconds{200}, seconds{2}));
  const ObservedRun run = observed_run(s);
  CHECK(run.outcome.drained);
  CHECK(of(run, Metric::lost) == 0);
  CHECK(of(run, Metric::notifications_failed) == 0);
  CHECK(of(run, Metric::processed) == 200);
}

TEST_CASE("SNS that cannot be reached is asked three times", "[sns]") {
  Scenario s = fan_out();
  s.faults.push_back(fault("crash", "sns/0", milliseconds{200}, seconds{3}));
  const ObservedRun run = observed_run(s);
  CHECK(run.outcome.drained);
  CHECK(of(run, Metric::acknowledged) + of(run, Metric::failed) == of(run, Metric::offered));
  CHECK(of(run, Metric::lost) == 0);
}

TEST_CASE("a message too long for its queue is a client-side error", "[sns]") {
  Scenario s = fan_out();
  s.sqs->queues[0].maximum_message_size = 1024;
  s.producers[0].size = sim::Distribution::constant(500);
  // The envelope makes it too long …
  CHECK(observed(s, Metric::notifications_failed) == 100);
  // … which raw delivery leaves out.
  s.sns->subscriptions[0].raw_message_delivery = true;
  CHECK(observed(s, Metric::notifications_failed) == 0);
}

TEST_CASE("raw delivery takes ten attributes", "[sns]") {
  Scenario s = fan_out();
  s.sns->subscriptions[0].raw_message_delivery = true;
  Json attributes;
  attributes.type = Json::Type::object;
  for (int i = 0; i < 10; ++i) {
    attributes.names.push_back("a" + std::to_string(i));
    attributes.values.push_back(text("x"));
  }
  s.producers[0].sns.messages = {{1, attributes, {}}};
  CHECK(observed(s, Metric::notifications_failed) == 0);
  attributes.names.push_back("one more");
  attributes.values.push_back(text("x"));
  s.producers[0].sns.messages = {{1, attributes, {}}};
  CHECK(observed(s, Metric::notifications_failed) == 100);
}

TEST_CASE("messages beyond the quota are throttled and published later", "[sns]") {
  Scenario s = fan_out();
  s.sns->publishes_per_second = 20;
  s.producers[0].sns.sdk.max_attempts = 1;
  const ObservedRun run = observed_run(s);
  CHECK(of(run, Metric::failed) > 50);
  s.producers[0].sns.sdk.max_attempts = 50;
  const ObservedRun patient = observed_run(s);
  CHECK(of(patient, Metric::failed) == 0);
  CHECK(of(patient, Metric::processed) == 200);
}

// ---- endpoints that are called ------------------------------------------------------------------------------------

TEST_CASE("a service that answers has processed the message", "[sns]") {
  const ObservedRun run = observed_run(webhook());
  CHECK(run.outcome.drained);
  CHECK(of(run, Metric::processed) == 100);
  CHECK(of(run, Metric::notifications_delivered) == 100);
  CHECK(of(run, Metric::lost) == 0);
}

TEST_CASE("HTTP gives up after three retries 20 s apart and a policy of its own may go on", "[sns]") {
  Scenario s = webhook();
  s.duration = seconds{100};
  s.faults.push_back(fault("crash", "partner", milliseconds{500}, seconds{80}));
  const ObservedRun given_up = observed_run(s);
  CHECK(of(given_up, Metric::discarded) > 20);
  CHECK(of(given_up, Metric::discarded) == of(given_up, Metric::notifications_failed));
  CHECK(of(given_up, Metric::processed) + of(given_up, Metric::discarded) == 100);
  models::sns::DeliveryPolicy& policy = s.sns->subscriptions[0].delivery_policy.emplace();
  policy.retry.retries = 5;
  const ObservedRun longer = observed_run(s);
  CHECK(of(longer, Metric::notifications_failed) == 0);
  CHECK(of(longer, Metric::processed) == 100);
}

TEST_CASE("CloudWatch counts each attempt of HTTP that fails and of others what is given up", "[sns]") {
  for (const Protocol protocol : {Protocol::https, Protocol::sqs}) {
    Scenario s = webhook();
    s.duration = seconds{100};
    s.producers[0].messages = 5;
    models::sns::SubscriptionOptions& own = s.sns->subscriptions[0];
    own.protocol = protocol;
    if (protocol == Protocol::sqs) own.endpoint = "billing-queue";
    s.faults.push_back(fault(protocol == Protocol::sqs ? "deny-delivery" : "crash",
                             protocol == Protocol::sqs ? "webhook" : "partner", {}, seconds{90}));
    models::sns::TopicMetrics seen;
    models::World world(s, 1, {.looks = {{sim::Time{seconds{80}}, [&seen](models::World& w) {
                                            seen = w.sns()->metrics(models::sns::TopicIndex{0});
                                          }}}});
    world.run();
    // Three retries; a client-side error is not tried again.
    CHECK(seen.failed == (protocol == Protocol::https ? 20 : 5));
  }
}

TEST_CASE("AWS Lambda is tried for longer than any outage", "[sns]") {
  Scenario s = webhook();
  s.duration = seconds{100};
  s.sns->subscriptions[0].protocol = Protocol::lambda;
  s.faults.push_back(fault("crash", "partner", milliseconds{500}, seconds{80}));
  CHECK(observed(s, Metric::notifications_failed) == 0);
}

TEST_CASE("what a service answers too late it does again", "[sns]") {
  Scenario s = webhook();
  s.sns->endpoint_timeout = milliseconds{100};
  s.dependencies[0].service = sim::Distribution::constant(200e6);
  s.dependencies[0].concurrency = 1000;
  s.producers[0].messages = 5;
  const ObservedRun run = observed_run(s);
  CHECK(of(run, Metric::duplicated) > 0);
  CHECK(of(run, Metric::notifications_failed) == 5);
}

TEST_CASE("a dead-letter queue has what a service was not there for", "[sns]") {
  Scenario s = webhook();
  s.duration = seconds{100};
  s.sns->subscriptions[0].dead_letter_queue = "letters";
  s.faults.push_back(fault("crash", "partner", milliseconds{500}, seconds{80}));
  const ObservedRun run = observed_run(s);
  CHECK(of(run, Metric::discarded) == 0);
  CHECK(of(run, Metric::dead_lettered) > 20);
  CHECK(of(run, Metric::dead_lettered) == of(run, Metric::notifications_redriven));
}

TEST_CASE("no more deliveries are made a second than the throttle lets", "[sns]") {
  Scenario s = webhook();
  s.sns->subscriptions[0].delivery_policy.emplace().receives_per_second = 10;
  Records delivered(Kind::dispatched);
  const ObservedRun run = observed_run(s, &delivered);
  REQUIRE(delivered.all.size() == 100);
  for (std::size_t i = 1; i < delivered.all.size(); ++i)
    CHECK(delivered.all[i].time - delivered.all[i - 1].time >= milliseconds{100});
  CHECK(run.outcome.drained);
}

// ---- FIFO topics --------------------------------------------------------------------------------------------------

Scenario in_order(bool fifo) {
  Scenario s = fan_out();
  s.sns->delivery = sim::Distribution::exponential(100e6);
  s.producers[0].keys.count = 5;
  s.producers[0].keys.rank = sim::Distribution::uniform(0, 5);
  s.sns->topics[0].fifo = fifo;
  s.sqs->queues[0].fifo = s.sqs->queues[1].fifo = fifo;
  return s;
}

TEST_CASE("a FIFO topic keeps the order of a group and a standard topic does not", "[sns]") {
  CHECK(observed(in_order(false), Metric::reordered_per_key) > 0);
  const ObservedRun run = observed_run(in_order(true));
  CHECK(of(run, Metric::reordered_per_key) == 0);
  CHECK(of(run, Metric::processed) == 200);
}

TEST_CASE("a FIFO topic knows a message again and a standard topic takes it twice", "[sns]") {
  for (const bool fifo : {false, true}) {
    Scenario s = in_order(fifo);
    models::FaultSpec f = fault("response-loss", "sns/0", milliseconds{300}, {});
    f.duration.reset();
    f.other = "shop";
    s.faults.push_back(f);
    const ObservedRun run = observed_run(s);
    CHECK(run.outcome.faults_fired[0] == 1);
    CHECK((of(run, Metric::duplicated) > 0) == !fifo);
    CHECK(of(run, Metric::processed) == 200);
  }
}

TEST_CASE("a call with an id of its own is another message to a FIFO topic", "[sns]") {
  Scenario s = in_order(true);
  s.producers[0].sns.new_deduplication_id_each_call = true;
  models::FaultSpec f = fault("response-loss", "sns/0", milliseconds{300}, {});
  f.duration.reset();
  f.other = "shop";
  s.faults.push_back(f);
  CHECK(observed(s, Metric::duplicated) > 0);
}

TEST_CASE("a batch that is larger than a second's quota is published all the same", "[sns]") {
  Scenario s = in_order(true);
  s.duration = seconds{60};
  s.sns->fifo_publishes_per_second = 5;
  s.producers[0].sns.batch = 10;
  s.producers[0].sns.requests = 1;
  s.producers[0].sns.sdk.max_attempts = 100;
  CHECK(observed(s, Metric::processed) == 200);
}

TEST_CASE("what a topic brings to a queue is in one group with what is sent there", "[sns]") {
  Scenario s = in_order(true);
  s.producers[0].sns.message_group_id = "one";
  models::ProducerOptions& other = s.producers.emplace_back();
  other.name = "other";
  other.cluster = "sqs";
  other.to = "billing-queue";
  other.arrivals = sim::ArrivalProcess::poisson(100);
  other.messages = 20;
  other.sqs.message_group_id = "one";
  s.groups.clear();
  std::size_t groups = 0;
  models::World world(s, 1, {.looks = {{sim::Time{seconds{4}}, [&groups](models::World& w) {
                                          const models::sqs::Queue& q =
                                              w.sqs()->queue(models::sqs::QueueIndex{0});
                                          groups = static_cast<const models::sqs::FifoQueue&>(q).groups();
                                        }}}});
  world.run();
  CHECK(groups == 1);
}

TEST_CASE("subscriptions that lead nowhere are refused", "[sns]") {
  const auto refused = [](const Scenario& s) { CHECK_THROWS_AS(models::World(s, 1), models::ScenarioError); };
  Scenario s = fan_out();
  s.sns->subscriptions[0].endpoint = "other";
  refused(s);
  s = fan_out();
  s.sns->subscriptions[0].topic = "other";
  refused(s);
  s = fan_out();
  s.sns->subscriptions[0].dead_letter_queue = "other";
  refused(s);
  s = fan_out();
  s.producers[0].to = "other";
  refused(s);
  s = fan_out();
  s.faults.push_back(fault("deny-delivery", "other", seconds{1}, seconds{1}));
  refused(s);
  s = webhook();
  s.dependencies.clear();
  refused(s);
}

}  // namespace
