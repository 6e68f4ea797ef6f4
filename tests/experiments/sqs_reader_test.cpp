// What the reader makes of SQS's tables, and what it refuses.
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

const std::string kDesk = R"([scenario]
name = "desk"
duration = "3s"

[sqs]
[[sqs.queues]]
name = "jobs"

[[sqs.queues]]
name = "dead"

[[sqs.queues]]
name = "jobs.fifo"
FifoQueue = true

[[producers]]
name = "shop"
cluster = "sqs"
to = "jobs"
arrivals = { process = "poisson", rate = 10 }
sqs = { batch = 10 }

[[groups]]
name = "workers"
cluster = "sqs"
sqs = { queue = "jobs", WaitTimeSeconds = 20 }
)";

/// What is said of the desk with `from` replaced by `to`, and more behind it.
std::string desk(const std::string& from = {}, const std::string& to = {}, const std::string& behind = {}) {
  std::string text = kDesk;
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return complaint(text + behind);
}

std::string with_attribute(const std::string& attribute) {
  return desk("name = \"jobs\"\n", "name = \"jobs\"\n" + attribute + "\n");
}
std::string with_fifo_attribute(const std::string& attribute) {
  return desk("FifoQueue = true\n", "FifoQueue = true\n" + attribute + "\n");
}
std::string with_sender(const std::string& keys) {
  return desk("sqs = { batch = 10 }", "sqs = { " + keys + " }");
}
std::string with_fifo_sender(const std::string& keys, const std::string& more = {}) {
  return desk("to = \"jobs\"\narrivals = { process = \"poisson\", rate = 10 }\nsqs = { batch = 10 }",
              "to = \"jobs.fifo\"\narrivals = { process = \"poisson\", rate = 10 }\n" + more + "sqs = { " +
                  keys + " }");
}
std::string with_receiver(const std::string& keys) {
  return desk("WaitTimeSeconds = 20", keys);
}
std::string with_group(const std::string& lines) {
  return desk("sqs = { queue", lines + "\nsqs = { queue");
}

}  // namespace

TEST_CASE("a scenario may have SQS and no other broker", "[sqs]") {
  CHECK(desk().empty());
  CHECK(holds(complaint("[scenario]\nname = 'x'\nduration = '1s'\n[sqs]\n"), "has no [[sqs.queues]]"));
}

TEST_CASE("one file has Kafka, RabbitMQ and SQS as variants of one workload", "[sqs]") {
  const std::string others =
      "[kafka]\nbrokers = 1\n[[kafka.topics]]\nname = 'jobs'\n[rabbitmq]\n[[rabbitmq.queues]]\nname = "
      "'letters'\n";
  const std::string group = "sqs = { queue = \"jobs\", WaitTimeSeconds = 20 }";
  CHECK(desk(group, group + "\ntopics = 'jobs'\nrabbitmq = { queues = 'letters' }", others).empty());
}

TEST_CASE("attributes of queues have AWS's names and bounds", "[sqs]") {
  CHECK(with_attribute("VisibilityTimeout = 43200").empty());
  CHECK(holds(with_attribute("VisibilityTimeout = 43201"), "from 0 to 43200"));
  CHECK(holds(with_attribute("VisibilityTimout = 1"), "did you mean 'VisibilityTimeout'"));
  CHECK(holds(with_attribute("DelaySeconds = 901"), "from 0 to 900"));
  CHECK(holds(with_attribute("MessageRetentionPeriod = 59"), "from 60 to 1209600"));
  CHECK(holds(with_attribute("MaximumMessageSize = 1023"), "from 1024 to 1048576"));
  CHECK(holds(with_attribute("ReceiveMessageWaitTimeSeconds = 21"), "from 0 to 20"));
  CHECK(holds(with_attribute("KmsMasterKeyId = 'x'"), "encryption is not modelled"));
  CHECK(holds(with_attribute("max_deliveries = 3"), "unknown key"));
}

TEST_CASE("names of queues are those that SQS takes", "[sqs]") {
  CHECK(holds(desk("name = \"jobs.fifo\"\nFifoQueue = true", "name = \"jobs.fifo\""),
              "needs FifoQueue = true"));
  CHECK(holds(desk("name = \"jobs.fifo\"", "name = \"jobs2\""), "must end with .fifo"));
  CHECK(holds(desk("name = \"dead\"", "name = \"de.ad\""), "letters, digits, hyphens and underscores"));
  CHECK(holds(desk("name = \"dead\"", "name = \"" + std::string(81, 'd') + "\""), "80 characters"));
  CHECK(holds(desk("name = \"dead\"", "name = \"shop\""), "is the name of something else"));
  CHECK(
      holds(desk("to = \"jobs\"", "to = \"job\""), "there is no queue 'job' in [sqs]; did you mean 'jobs'"));
  CHECK(holds(with_receiver("MaxNumberOfMessages = 11"), "from 1 to 10"));
  CHECK(holds(desk("queue = \"jobs\"", "queue = \"job\""),
              "groups.workers.sqs.queue: there is no queue 'job'"));
}

TEST_CASE("redrive policies name queues of the same kind that let them", "[sqs]") {
  const auto policy = [](const std::string& name) {
    return with_attribute("RedrivePolicy = { deadLetterTargetArn = '" + name + "', maxReceiveCount = 3 }");
  };
  CHECK(policy("dead").empty());
  CHECK(policy("arn:aws:sqs:eu-central-1:123456789012:dead").empty());
  CHECK(holds(policy("deed"), "there is no queue 'deed' in [sqs]; did you mean 'dead'"));
  CHECK(holds(policy("jobs"), "is the queue itself"));
  CHECK(holds(policy("jobs.fifo"), "of a standard queue must be a standard queue"));
  CHECK(holds(with_attribute("RedrivePolicy = { deadLetterTargetArn = 'dead' }"), "maxReceiveCount"));
  CHECK(holds(with_attribute("RedrivePolicy = { deadLetterTargetArn = 'dead', maxReceiveCount = 1001 }"),
              "from 1 to 1000"));
  const auto allow = [](const std::string& allowed) {
    std::string text = kDesk;
    const std::string dead = "name = \"dead\"\n";
    text.replace(text.find(dead), dead.size(), dead + "RedriveAllowPolicy = { " + allowed + " }\n");
    const std::string jobs = "name = \"jobs\"\n";
    text.replace(text.find(jobs), jobs.size(),
                 jobs + "RedrivePolicy = { deadLetterTargetArn = 'dead', maxReceiveCount = 3 }\n");
    return complaint(text);
  };
  CHECK(allow("redrivePermission = 'allowAll'").empty());
  CHECK(allow("redrivePermission = 'byQueue', sourceQueueArns = ['jobs']").empty());
  CHECK(holds(allow("redrivePermission = 'denyAll'"), "does not take this queue's dead letters"));
  CHECK(holds(allow("redrivePermission = 'byQueue', sourceQueueArns = ['dead']"),
              "does not take this queue's dead letters"));
  CHECK(holds(allow("redrivePermission = 'byQueue'"), "needs sourceQueueArns"));
  CHECK(holds(allow("sourceQueueArns = ['jobs']"), "needs redrivePermission"));
}

TEST_CASE("attributes of FIFO queues are not for standard ones, and go together", "[sqs]") {
  CHECK(holds(with_attribute("ContentBasedDeduplication = true"), "is of FIFO queues"));
  CHECK(holds(with_fifo_attribute("FifoThroughputLimit = 'perMessageGroupId'"), "needs DeduplicationScope"));
  CHECK(with_fifo_attribute("FifoThroughputLimit = 'perMessageGroupId'\nDeduplicationScope = 'messageGroup'")
            .empty());
}

TEST_CASE("messages of a FIFO queue need a group and a deduplication id, and have no delay of their own",
          "[sqs]") {
  const std::string keys = "keys = { distribution = 'uniform', count = 10 }\n";
  CHECK(with_fifo_sender("MessageDeduplicationId = 'message'", keys).empty());
  CHECK(with_fifo_sender("MessageDeduplicationId = 'message', MessageGroupId = 'all'").empty());
  CHECK(holds(with_fifo_sender("MessageDeduplicationId = 'message'"), "MissingParameter"));
  CHECK(holds(with_fifo_sender("MessageGroupId = 'all'"), "ContentBasedDeduplication = true"));
  CHECK(holds(with_fifo_sender("MessageDeduplicationId = 'key', MessageGroupId = 'all'"), "needs `keys`"));
  CHECK(
      holds(with_fifo_sender("MessageDeduplicationId = 'message', MessageGroupId = 'all', DelaySeconds = 5"),
            "is not for FIFO queues"));
  CHECK(holds(with_sender("MessageDeduplicationId = 'message'"), "is of FIFO queues"));
  CHECK(holds(with_sender("MessageGroupId = 'all'"), "fair queues"));
}

TEST_CASE("what SQS's clients say has its bounds, and goes together", "[sqs]") {
  CHECK(holds(with_sender("batch = 11"), "from 1 to 10"));
  CHECK(holds(with_sender("batch_open = '1s'"), "has no effect without `batch`"));
  CHECK(holds(with_sender("attempt_timeout = '0s'"), "must be above 0"));
  CHECK(holds(with_sender("backoff = '30s'"), "is below `backoff`"));
  CHECK(holds(with_receiver("WaitTimeSeconds = 20, attempt_timeout = '10s'"), "longer than a receive waits"));
  CHECK(with_receiver("heartbeat = '10s'").empty());
  CHECK(holds(with_receiver("heartbeat = '30s'"), "below the visibility timeout"));
  CHECK(holds(with_receiver("ReceiveRequestAttemptId = true"), "is of FIFO queues"));
  CHECK(holds(with_receiver("release = 0"), "has no effect without then"));
  CHECK(holds(with_receiver("heartbeat = '10s', delete = 'before-processing'"), "MessageNotInflight"));
  CHECK(holds(desk("sqs = { queue = \"jobs\", WaitTimeSeconds = 20 }",
                   "poison = { share = 0.1, then = 'release' }\n"
                   "sqs = { queue = \"jobs\", release = 1, delete = 'before-processing' }"),
              "MessageNotInflight"));
  CHECK(holds(with_receiver("delete = 'sometimes'"), "delete"));
}

TEST_CASE("what is Kafka's or RabbitMQ's is not for SQS's clients", "[sqs]") {
  CHECK(holds(with_group("calls = { to = 'x' }"), "there is no dependency 'x'"));
  CHECK(holds(with_group("type = 'share'"), "is not modelled of SQS's clients"));
  CHECK(holds(with_group("effect = { fencing_token = true }"), "generation"));
  CHECK(holds(with_group("poison = { share = 0.1, then = 'reject' }"), "SQS has no reject"));
  CHECK(holds(with_group("poison = { share = 0.1, then = 'dead-letter', to = 'dead' }"),
              "groups.workers.poison"));
  CHECK(holds(desk("to = \"jobs\"", "to = \"jobs\"\nresend = true"), "sqs.retry_after"));
  CHECK(holds(desk("to = \"jobs\"", "to = \"jobs\"\ntombstones = 0.5"), "is not modelled of SQS's clients"));
  CHECK(holds(desk("sqs = { queue = \"jobs\", WaitTimeSeconds = 20 }\n", ""), "needs `sqs`"));
}

TEST_CASE("dead letters alone can be moved", "[sqs]") {
  const auto move = [](const std::string& lines) {
    return desk("name = \"jobs\"\n",
                "name = \"jobs\"\nRedrivePolicy = { deadLetterTargetArn = 'dead', maxReceiveCount = 3 }\n",
                "[[sqs.moves]]\n" + lines + "\n");
  };
  CHECK(move("SourceArn = 'dead'\nat = '1s'").empty());
  CHECK(holds(move("SourceArn = 'jobs'\nat = '1s'"), "is no queue's dead-letter queue"));
  CHECK(holds(move("SourceArn = 'dead'\nat = '3s'"), "is not before the end"));
  CHECK(holds(move("SourceArn = 'dead'\nDestinationArn = 'dead'\nat = '1s'"), "is the source"));
  CHECK(holds(move("SourceArn = 'dead'\nDestinationArn = 'jobs.fifo'\nat = '1s'"),
              "must be of the source's kind"));
  CHECK(holds(move("SourceArn = 'dead'\nat = '1s'\n[[sqs.moves]]\nSourceArn = 'other'\nDestinationArn = "
                   "'dead'\nat = '1s'\n[[sqs.queues]]\nname = 'other'\n[[sqs.queues]]\nname = 'more'\n"
                   "RedrivePolicy = { deadLetterTargetArn = 'other', maxReceiveCount = 3 }\n"),
              "what the move from 'other' brings to 'dead' has come from no queue"));
  CHECK(holds(move("SourceArn = 'dead'\nat = '1s'\n[[sns.topics]]\nname = 'orders'\n[[sns.subscriptions]]\n"
                   "name = 'own'\ntopic = 'orders'\nendpoint = 'jobs'\n"
                   "RedrivePolicy = { deadLetterTargetArn = 'dead' }\n"),
              "what the subscription 'own' of SNS brings to 'dead'"));
  CHECK(move("SourceArn = 'dead'\nDestinationArn = 'jobs'\nat = '1s'\n[[sns.topics]]\nname = 'orders'\n"
             "[[sns.subscriptions]]\nname = 'own'\ntopic = 'orders'\nendpoint = 'jobs'\n"
             "RedrivePolicy = { deadLetterTargetArn = 'dead' }\n")
            .empty());
  CHECK(holds(move("SourceArn = 'dead'\nMaxNumberOfMessagesPerSecond = 501\nat = '1s'"), "from 1 to 500"));
}

TEST_CASE("faults that SQS or its clients do not know are refused, and steps that never come", "[sqs]") {
  const auto faulty = [](const std::string& lines) { return desk({}, {}, "[[faults]]\n" + lines); };
  CHECK(faulty("kind = 'crash'\ntarget = 'sqs/0'\nat = '1s'\n").empty());
  CHECK(holds(faulty("kind = 'power-loss'\ntarget = 'sqs/0'\nat = '1s'\n"), "is not modelled of SQS"));
  CHECK(holds(faulty("kind = 'heartbeat-loss'\ntarget = 'shop'\nat = '1s'\n"), "sends no heartbeats"));
  CHECK(holds(faulty("kind = 'heartbeat-loss'\ntarget = 'workers/0'\nat = '1s'\n"), "has no sqs.heartbeat"));
  const auto step = [&](const std::string& target, const std::string& name) {
    return faulty("kind = 'crash'\ntarget = '" + target + "'\nwhen = { step = '" + name + "', nth = 1 }\n");
  };
  CHECK(step("workers/0", "committed").empty());
  CHECK(step("shop", "acknowledged").empty());
  CHECK(step("sqs/0", "appended").empty());
  CHECK(holds(step("workers/0", "heartbeat-sent"), "has no sqs.heartbeat"));
  CHECK(holds(step("workers/0", "effect-applied"), "has no `effect`"));
  CHECK(holds(step("workers/0", "offsets-added"), "SQS's consumers do not do that"));
  CHECK(holds(step("sqs/0", "acknowledged"), "SQS appends"));
}
