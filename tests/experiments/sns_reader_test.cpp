// What the reader makes of SNS's tables and of bridges, and what it refuses.
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

bool holds(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

const std::string kFanOut = R"([scenario]
name = "fan-out"
duration = "3s"

[[sns.topics]]
name = "orders"

[[sns.subscriptions]]
name = "to-billing"
topic = "orders"
endpoint = "billing-queue"

[[sqs.queues]]
name = "billing-queue"

[[sqs.queues]]
name = "letters"

[[sqs.queues]]
name = "billing.fifo"
FifoQueue = true

[[dependencies]]
name = "partner"

[[producers]]
name = "shop"
cluster = "sns"
to = "orders"
arrivals = { process = "poisson", rate = 10 }

[[groups]]
name = "billing"
cluster = "sqs"
sqs = { queue = "billing-queue" }
)";

/// What is said of it with `from` replaced by `to`, and more behind it.
std::string fan_out(const std::string& from = {}, const std::string& to = {},
                    const std::string& behind = {}) {
  std::string text = kFanOut;
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return complaint(text + behind);
}

/// The subscription with more keys.
std::string subscribed(const std::string& keys) {
  return fan_out("endpoint = \"billing-queue\"\n", "endpoint = \"billing-queue\"\n" + keys + "\n");
}

/// One that calls.
std::string webhook(const std::string& keys) {
  return fan_out("endpoint = \"billing-queue\"\n",
                 "protocol = \"https\"\nendpoint = \"partner\"\n" + keys + "\n");
}

}  // namespace

TEST_CASE("a scenario may have SNS and SQS and no Kafka", "[sns]") {
  CHECK(fan_out().empty());
  CHECK(webhook("").empty());
  CHECK(subscribed("FilterPolicy = '{\"event\": [\"order_placed\"]}'").empty());
  CHECK(subscribed("RedrivePolicy = { deadLetterTargetArn = \"arn:aws:sqs:us-east-1:123456789012:letters\" }")
            .empty());
}

TEST_CASE("names of SNS that lead nowhere are refused with the nearest one", "[sns]") {
  CHECK(holds(fan_out("to = \"orders\"", "to = \"order\""),
              "there is no topic 'order'; did you mean 'orders'?"));
  CHECK(holds(fan_out("topic = \"orders\"", "topic = \"order\""), "did you mean 'orders'?"));
  CHECK(holds(fan_out("endpoint = \"billing-queue\"", "endpoint = \"biling-queue\""),
              "did you mean 'billing-queue'?"));
  CHECK(holds(subscribed("RedrivePolicy = { deadLetterTargetArn = \"leters\" }"), "did you mean 'letters'?"));
  CHECK(holds(fan_out("endpoint = \"billing-queue\"", "protocol = \"http\"\nendpoint = \"partnr\""),
              "partner"));
  CHECK(holds(fan_out("", "", "[[faults]]\nkind = \"deny-delivery\"\ntarget = \"to-biling\"\nat = \"1s\"\n"),
              "did you mean 'to-billing'?"));
}

TEST_CASE("filter policies are refused where they stand in the words of SNS", "[sns]") {
  CHECK(holds(subscribed("FilterPolicy = '[1]'"), "must be a JSON object"));
  CHECK(holds(subscribed("FilterPolicy = '{\"event\": []}'"), "Empty arrays are not allowed"));
  CHECK(holds(subscribed("FilterPolicy = '{\"a\": {\"b\": [1]}}'"), "does not support nested filter policy"));
  CHECK(subscribed("FilterPolicy = '{\"a\": {\"b\": [1]}}'\nFilterPolicyScope = \"MessageBody\"").empty());
  CHECK(holds(subscribed("FilterPolicyScope = \"MessageBody\""), "has no effect without FilterPolicy"));
}

TEST_CASE("what a topic's type does not have is refused", "[sns]") {
  CHECK(holds(fan_out("name = \"orders\"\n", "name = \"orders\"\nFifoTopic = true\n"), ".fifo"));
  CHECK(holds(fan_out("name = \"orders\"\n", "name = \"orders\"\nContentBasedDeduplication = true\n"),
              "FIFO topics"));
  CHECK(holds(fan_out("name = \"orders\"\n", "name = \"orders\"\nFifoThroughputScope = \"MessageGroup\"\n"),
              "FIFO topics"));
  CHECK(holds(fan_out("endpoint = \"billing-queue\"", "endpoint = \"billing.fifo\""), "is a FIFO queue"));
  CHECK(holds(fan_out("to = \"orders\"\n", "to = \"orders\"\nsns = { MessageGroupId = \"one\" }\n"),
              "MessageGroupId"));
}

TEST_CASE("a delivery policy is of HTTP and may take an hour", "[sns]") {
  const std::string policy = "DeliveryPolicy.healthyRetryPolicy = ";
  CHECK(webhook(policy + "{ numRetries = 10, minDelayTarget = 1, maxDelayTarget = 60 }").empty());
  CHECK(holds(subscribed(policy + "{ numRetries = 10 }"), "HTTP/S alone"));
  CHECK(holds(webhook(policy + "{ numRetries = 100, minDelayTarget = 60, maxDelayTarget = 60 }"), "3600 s"));
  CHECK(holds(webhook(policy + "{ minDelayTarget = 30 }"), "maxDelayTarget"));
  CHECK(holds(webhook(policy + "{ numRetries = 1, numNoDelayRetries = 2 }"), "numRetries"));
}

TEST_CASE("kinds of messages share all messages", "[sns]") {
  const auto kinds = [](const std::string& share) {
    return fan_out("", "",
                   "[[producers]]\nname = \"app\"\ncluster = \"sns\"\nto = \"orders\"\n"
                   "arrivals = { process = \"poisson\", rate = 10 }\n[producers.sns]\nbatch = 10\n"
                   "[[producers.sns.messages]]\nshare = 0.5\nMessageAttributes = '{\"a\": \"b\"}'\n"
                   "[[producers.sns.messages]]\nshare = " +
                       share + "\n");
  };
  CHECK(kinds("0.5").empty());
  CHECK(holds(kinds("0.4"), "do not add up to 1"));
}

TEST_CASE("what SNS has and mqlab does not is refused by its name", "[sns]") {
  CHECK(holds(subscribed("ReplayPolicy = \"x\""), "archives"));
  CHECK(holds(fan_out("to = \"orders\"\n", "to = \"orders\"\nresend = true\n"),
              "is not modelled of SNS's publishers"));
  CHECK(holds(fan_out("", "", "[[groups]]\nname = \"g\"\ncluster = \"sns\"\n"), "nobody reads from SNS"));
  CHECK(holds(fan_out("", "", "[[faults]]\nkind = \"power-loss\"\ntarget = \"sns/0\"\nat = \"1s\"\n"),
              "is not modelled of SNS"));
}

namespace {

const std::string kBridge = R"([scenario]
name = "bridge"
duration = "3s"

[rabbitmq]
[[rabbitmq.queues]]
name = "jobs"

[kafka]
[[kafka.topics]]
name = "log"

[[producers]]
name = "shop"
cluster = "rabbitmq"
to = "jobs"
arrivals = { process = "poisson", rate = 10 }

[[bridges]]
name = "shovel"
source = "jobs"
destination = "log"
)";

std::string bridge(const std::string& keys) {
  return complaint(kBridge + keys + "\n");
}

}  // namespace

TEST_CASE("a bridge joins a queue and a log", "[bridges]") {
  CHECK(bridge("").empty());
  CHECK(bridge("ack_mode = \"no-ack\"\nprefetch = 10\nproducer = { \"linger.ms\" = 5 }").empty());
  CHECK(holds(bridge("to = \"rabbitmq\""), "a bridge joins two brokers"));
  CHECK(holds(bridge("consumer = { \"auto.offset.reset\" = \"earliest\" }"), "from a log to a queue"));
  CHECK(holds(bridge("reconnect_delay = \"0s\""), "must be above 0"));
  CHECK(holds(bridge("ack_mode = \"on-confrm\""), "on-confirm"));
  CHECK(holds(bridge("producer = { \"linger.mss\" = 5 }"), "linger.ms"));
  CHECK(holds(bridge("[[groups]]\nname = \"shovel\"\ntopics = \"log\""), "must be nobody else's name"));
}
