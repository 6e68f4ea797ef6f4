// What the reader makes of RabbitMQ's tables, and what it refuses.
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

[rabbitmq]
[[rabbitmq.queues]]
name = "jobs"

[[producers]]
name = "shop"
cluster = "rabbitmq"
to = "jobs"
arrivals = { process = "poisson", rate = 10 }

[[groups]]
name = "workers"
cluster = "rabbitmq"
rabbitmq = { queues = "jobs", prefetch = 10 }
)";

/// What is said of the desk with `from` replaced by `to`, and more behind it.
std::string desk(const std::string& from = {}, const std::string& to = {}, const std::string& behind = {}) {
  std::string text = kDesk;
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return complaint(text + behind);
}

std::string with_arguments(const std::string& arguments) {
  return desk("name = \"jobs\"", "name = \"jobs\"\narguments = { " + arguments + " }");
}

}  // namespace

TEST_CASE("a scenario may have RabbitMQ and no Kafka", "[rabbitmq]") {
  CHECK(desk().empty());
  CHECK(holds(desk("[rabbitmq]\n[[rabbitmq.queues]]\nname = \"jobs\"\n", ""), "rabbitmq"));
}

TEST_CASE("one file has Kafka and RabbitMQ as variants of one workload", "[rabbitmq]") {
  const std::string kafka = "[kafka]\nbrokers = 1\n[[kafka.topics]]\nname = 'jobs'\n";
  const std::string both = desk("cluster = \"rabbitmq\"\nto", "to", kafka);
  CHECK(both.empty());
  CHECK(holds(desk("cluster = \"rabbitmq\"\nrabbitmq = {", "rabbitmq = {", kafka),
              "must name at least one topic"));
  CHECK(desk("cluster = \"rabbitmq\"\nrabbitmq = {", "topics = 'jobs'\nrabbitmq = {", kafka).empty());
}

TEST_CASE("what RabbitMQ has and mqlab does not is refused by its name", "[rabbitmq]") {
  CHECK(with_arguments("x-expires = 1000, x-queue-mode = 'lazy', x-queue-version = 2").empty());
  CHECK(holds(with_arguments("x-queue-version = 1"), "x-queue-version"));
  CHECK(desk("[rabbitmq]\n", "[rabbitmq]\nnodes = 3\n").empty());
  CHECK(desk("[rabbitmq]\n", "[rabbitmq]\n[rabbitmq.config]\nvm_memory_high_watermark.relative = 0.4\n")
            .empty());
}

TEST_CASE("quorum queues have arguments of their own and do without some of classic ones", "[rabbitmq]") {
  const std::string quorum = "x-queue-type = 'quorum', ";
  CHECK(with_arguments(quorum + "x-delivery-limit = 5, x-quorum-initial-group-size = 3").empty());
  CHECK(holds(with_arguments("x-delivery-limit = 5"), "is of quorum queues"));
  CHECK(holds(with_arguments("x-dead-letter-strategy = 'at-least-once'"), "is of quorum queues"));
  CHECK(holds(with_arguments(quorum + "x-max-priority = 5"), "PRECONDITION_FAILED"));
  CHECK(holds(with_arguments(quorum + "x-dead-letter-strategy = 'at-least-once'"),
              "needs x-dead-letter-exchange"));
  CHECK(with_arguments(quorum +
                       "x-dead-letter-strategy = 'at-least-once', x-dead-letter-exchange = '', x-overflow = "
                       "'reject-publish'")
            .empty());
  CHECK(holds(with_arguments(quorum + "x-max-length = 5, x-overflow = 'reject-publish-dlx'"),
              "of classic queues"));
  CHECK(holds(with_arguments(quorum + "x-delayed-retry-type = 'all'"), "comes with 4.3"));
  CHECK(holds(with_arguments(quorum + "x-consumer-timeout = 1000"), "comes with 4.3"));
  CHECK(holds(desk("name = \"jobs\"", "name = \"jobs\"\ntype = 'quorum'\ndurable = false"), "durable"));
}

TEST_CASE("properties that only classic queues have are refused of others by RabbitMQ's names",
          "[rabbitmq]") {
  for (const std::string type : {"quorum", "stream"}) {
    const auto with = [&](const std::string& line) {
      return desk("name = \"jobs\"", "name = \"jobs\"\ntype = '" + type + "'\n" + line);
    };
    CHECK(with("").empty());
    CHECK(holds(with("auto_delete = true"),
                "PRECONDITION_FAILED, invalid property 'auto-delete' for queue 'jobs'"));
    CHECK(holds(with("exclusive = true"), "invalid property 'exclusive-owner' for queue 'jobs'"));
    CHECK(holds(with("service = '1ms'"), "is of a classic queue's process"));
  }
  const std::string stream = "x-queue-type = 'stream', ";
  CHECK(holds(with_arguments(stream + "x-expires = 1000"), "x-expires"));
  CHECK(with_arguments("x-queue-type = 'quorum', x-expires = 1000").empty());
  std::string exclusive = kDesk;
  exclusive.replace(exclusive.find("prefetch = 10"), 13, "prefetch = 10, exclusive = true");
  CHECK(complaint(exclusive).empty());
  exclusive.replace(exclusive.find("name = \"jobs\""), 13, "name = \"jobs\"\ntype = 'quorum'");
  CHECK(holds(complaint(exclusive), "x-single-active-consumer"));
}

TEST_CASE("a node that the cluster does not have is named", "[rabbitmq]") {
  CHECK(desk("[rabbitmq]\n", "[rabbitmq]\nnodes = 3\n").empty());
  CHECK(holds(desk("name = \"jobs\"", "name = \"jobs\"\nnode = 1"), "names node 1: there are 1"));
  CHECK(holds(desk("rabbitmq = { queues", "rabbitmq = { addresses = [0, 3], queues"), "names node 3"));
}

TEST_CASE("arguments of queues have their bounds, and go together", "[rabbitmq]") {
  CHECK(with_arguments("x-message-ttl = 60000, x-max-length = 10, x-overflow = 'reject-publish'").empty());
  CHECK(holds(with_arguments("x-message-ttl = -1"), "x-message-ttl"));
  CHECK(holds(with_arguments("x-max-priority = 256"), "from 1 to 255"));
  CHECK(holds(with_arguments("x-overflow = 'drop-tail'"), "x-overflow"));
  CHECK(holds(with_arguments("x-overflow = 'reject-publish'"), "has no effect without x-max-length"));
  CHECK(holds(with_arguments("x-dead-letter-routing-key = 'dead'"), "needs x-dead-letter-exchange"));
  CHECK(holds(with_arguments("x-message-tll = 1"), "did you mean 'x-message-ttl'"));
}

TEST_CASE("names of exchanges and queues are those of [rabbitmq]", "[rabbitmq]") {
  CHECK(holds(desk("to = \"jobs\"", "to = \"job\""), "there is no exchange or queue 'job'"));
  CHECK(holds(desk("queues = \"jobs\"", "queues = \"job\""), "there is no queue 'job'"));
  CHECK(holds(desk("queues = \"jobs\"", "queues = ['jobs', 'jobs']"), "names a queue twice"));
  CHECK(holds(desk("rabbitmq = { queues = \"jobs\", prefetch = 10 }\n", ""), "needs `rabbitmq`"));
  CHECK(holds(
      desk({}, {}, "[[groups]]\nname = 'others'\ncluster = 'rabbitmq'\nrabbitmq = { queues = 'jobs' }\n"),
      "is read by another group"));
  const std::string binding = "[[rabbitmq.bindings]]\nsource = 'x'\ndestination = 'jobs'\n";
  CHECK(holds(desk({}, {}, binding), "there is no exchange 'x'"));
  const std::string exchange = "[[rabbitmq.exchanges]]\nname = 'x'\ntype = 'topic'\n";
  CHECK(holds(desk({}, {}, exchange + "alternate-exchange = 'y'\n"),
              "rabbitmq.exchanges.x.alternate-exchange: there is no exchange 'y'"));
  CHECK(holds(desk({}, {}, exchange + binding + "routing_key = '#.a.#.b.#'\n"),
              "rabbitmq.bindings.0.routing_key: uses more than two '#'"));
}

TEST_CASE("what is Kafka's is not for RabbitMQ's clients", "[rabbitmq]") {
  const std::string group = "rabbitmq = { queues";
  CHECK(holds(desk(group, "calls = { to = 'x' }\n" + group), "there is no dependency 'x'"));
  CHECK(holds(desk(group, "type = 'share'\n" + group), "is not modelled of RabbitMQ's clients"));
  CHECK(holds(desk(group, "effect = { fencing_token = true }\n" + group), "generation"));
  CHECK(holds(desk("to = \"jobs\"", "to = \"jobs\"\nresend = true"), "needs rabbitmq.confirms"));
  CHECK(holds(desk("to = \"jobs\"", "to = \"jobs\"\ntombstones = 0.5"),
              "is not modelled of RabbitMQ's clients"));
  const std::string poison = "poison = { share = 0.1, then = 'reject' }\n";
  CHECK(desk(group, poison + group).empty());
  CHECK(holds(desk("rabbitmq = { queues", poison + "rabbitmq = { ack = 'automatic', queues"),
              "needs rabbitmq.ack"));
  const auto poisoned = [&](const std::string& what) {
    return desk(group, "poison = { share = 0.1, " + what + " }\n" + group);
  };
  CHECK(holds(poisoned("then = 'dead-letter', to = 'jobs'"), "groups.workers.poison.then"));
  CHECK(holds(poisoned("then = 'retry-topic', to = 'jobs'"), "a queue has x-dead-letter-exchange"));
  CHECK(holds(poisoned("then = 'reject', to = 'jobs'"), "groups.workers.poison.to"));
  CHECK(holds(desk(group, "delay = '1s'\n" + group), "groups.workers.delay"));
  CHECK(holds(desk(group, "part_of = 'others'\n" + group), "groups.workers.part_of"));
}

TEST_CASE("faults that a queue's broker or clients do not know are refused, and steps that never come",
          "[rabbitmq]") {
  const auto faulty = [](const std::string& lines) { return desk({}, {}, "[[faults]]\n" + lines); };
  CHECK(faulty("kind = 'crash'\ntarget = 'rabbitmq/0'\nat = '1s'\n").empty());
  CHECK(faulty("kind = 'heartbeat-loss'\ntarget = 'shop'\nat = '1s'\n").empty());
  CHECK(holds(faulty("kind = 'power-loss'\ntarget = 'rabbitmq/0'\nat = '1s'\n"),
              "is not modelled of RabbitMQ"));
  CHECK(holds(faulty("kind = 'heartbeat-loss'\ntarget = 'rabbitmq/0'\nat = '1s'\n"), "is the broker"));
  CHECK(holds(faulty("kind = 'crash'\ntarget = 'workers/0'\nwhen = { step = 'committed' }\n"),
              "never happens"));
  CHECK(holds(faulty("kind = 'crash'\ntarget = 'workers/0'\nwhen = { step = 'effect-applied' }\n"),
              "has no `effect`"));
  CHECK(holds(faulty("kind = 'crash'\ntarget = 'shop'\nwhen = { step = 'appended' }\n"), "never happens"));
  CHECK(faulty("kind = 'crash'\ntarget = 'workers/0'\nwhen = { step = 'commit-sent' }\n").empty());
}

namespace {

/// What is said of the desk whose queue is a stream on three nodes, with `from` replaced by `to`.
std::string stream(const std::string& arguments, const std::string& reads = "prefetch = 10",
                   const std::string& behind = {}) {
  std::string text = kDesk;
  const auto put = [&text](const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
  };
  put("[rabbitmq]\n", "[rabbitmq]\nnodes = 3\n");
  put("name = \"jobs\"", "name = \"jobs\"\ntype = \"stream\"\narguments = { " + arguments + " }");
  put("prefetch = 10", reads);
  return complaint(text + behind);
}

}  // namespace

TEST_CASE("a stream takes its own arguments and no others", "[rabbitmq]") {
  CHECK(stream("x-max-age = '7D', x-max-length-bytes = 1000, x-stream-max-segment-size-bytes = 100, "
               "x-initial-cluster-size = 3, x-queue-leader-locator = 'balanced'")
            .empty());
  CHECK(with_arguments("x-queue-type = 'stream'").empty());
  CHECK(holds(stream("x-max-age = '7 days'"), "must be a number and a unit"));
  CHECK(holds(stream("x-max-age = 'D'"), "must be a number and a unit"));
  CHECK(holds(stream("x-initial-cluster-size = 4"), "is 4 on 3 nodes"));
  CHECK(holds(stream("x-stream-max-segment-size-bytes = 3000000001"), "x-stream-max-segment-size-bytes"));
  CHECK(holds(stream("x-stream-filter-size-bytes = 16"), "filters of streams are not modelled"));
  for (const char* const key : {"x-message-ttl = 5", "x-max-length = 5", "x-dead-letter-exchange = ''",
                                "x-max-priority = 5", "x-single-active-consumer = true"})
    CHECK(holds(stream(key), "is no argument of a stream"));
  CHECK(holds(with_arguments("x-max-age = '1h'"), "is of streams"));
  CHECK(holds(with_arguments("x-initial-cluster-size = 1"), "is of streams"));
}

TEST_CASE("a stream's consumers say how they read", "[rabbitmq]") {
  CHECK(stream("", "prefetch = 10, x-stream-offset = 'first'").empty());
  CHECK(stream("", "prefetch = 10, x-stream-offset = '17'").empty());
  CHECK(stream("", "prefetch = 10, x-stream-offset = '1h'").empty());
  CHECK(holds(stream("", "prefetch = 10, x-stream-offset = 'soon'"), "must be a number and a unit"));
  CHECK(holds(stream("", "prefetch = 0"), "consumer prefetch count is not set for stream"));
  CHECK(holds(stream("", "prefetch = 10, ack = 'automatic'"), "automatic acknowledgement not supported"));
  CHECK(holds(stream("", "prefetch = 10, x-priority = [1]"), "is not known by streams"));
  CHECK(stream("", "stream = { name = 'w', tracking = 'automatic' }").empty());
  CHECK(holds(stream("", "stream = { tracking = 'manual' }"), "needs stream.name"));
  CHECK(holds(stream("", "stream = { single-active-consumer = true }"), "needs stream.name"));
  CHECK(holds(stream("", "prefetch = 10, stream = {}"), "is of AMQP"));
  CHECK(holds(stream("", "prefetch = 10 }\nmembers = 2\neffect = {"), "each consumer of a stream reads all"));
  CHECK(holds(desk("prefetch = 10", "stream = {}"), "is for streams"));
  CHECK(holds(desk("prefetch = 10", "x-stream-offset = 'first'"), "is for streams"));
}

TEST_CASE("several groups read a stream, and a publisher with a name is one", "[rabbitmq]") {
  const std::string audit =
      "[[groups]]\nname = 'audit'\ncluster = 'rabbitmq'\nrabbitmq = { queues = 'jobs', prefetch = 1 }\n";
  CHECK(stream("", "prefetch = 10", audit).empty());
  const auto publisher = [](const std::string& says) {
    std::string text = kDesk;
    const std::string rate = "rate = 10 }";
    text.replace(text.find(rate), rate.size(), rate + "\n" + says);
    const std::string name = "name = \"jobs\"";
    text.replace(text.find(name), name.size(), name + "\ntype = \"stream\"");
    return complaint(text);
  };
  CHECK(publisher("rabbitmq = { confirms = 10, stream = { name = 'shop' } }").empty());
  CHECK(holds(publisher("rabbitmq = { stream = {} }"), "needs `confirms`"));
  CHECK(holds(publisher("instances = 2\nrabbitmq = { confirms = 10, stream = { name = 'shop' } }"),
              "is of one publisher"));
  CHECK(holds(publisher("rabbitmq = { confirms = 1, exchange = '', stream = {} }"), "knows no exchanges"));
}

TEST_CASE("policies are refused where RabbitMQ would refuse them", "[rabbitmq]") {
  const auto with = [](const std::string& policy, const char* table = "policies") {
    return desk("[rabbitmq]\n", "[rabbitmq]\nversion = '3.12'\n[[rabbitmq." + std::string(table) +
                                    "]]\nname = 'p'\n" + policy + "\n");
  };
  CHECK(with("pattern = '^j'\ndefinition = { max-length = 5, overflow = 'reject-publish' }").empty());
  CHECK(holds(with("pattern = '(j'\ndefinition = { max-length = 5 }"), "is no regular expression"));
  CHECK(holds(with("pattern = 'j'"), "no policy provided"));
  CHECK(holds(with("definition = { max-length = 5 }"), "needs the key 'pattern'"));
  CHECK(holds(with("pattern = 'j'\ndefinition = { max-lenght = 5 }"), "did you mean 'max-length'"));
  CHECK(
      holds(with("pattern = 'j'\ndefinition = { federation-upstream = 'x' }"), "federation is not modelled"));
  CHECK(holds(with("pattern = 'j'\ndefinition = { dead-letter-exchange = '' }", "operator_policies"),
              "is no key of operator policies"));
  CHECK(holds(with("pattern = 'j'\ndefinition = { overflow = 'drop-head' }", "operator_policies"),
              "is no key of operator policies"));
}

TEST_CASE("what channels ask for is refused where the version or the queue has it not", "[rabbitmq]") {
  CHECK(desk("prefetch = 10", "prefetch_global = 5, prefetch = 10").empty());
  const auto global_at = [](const std::string& broker) {
    return complaint(std::string(kDesk)
                         .replace(kDesk.find("prefetch = 10"), 13, "prefetch_global = 5")
                         .replace(kDesk.find("[rabbitmq]\n"), 11, "[rabbitmq]\n" + broker));
  };
  CHECK(global_at("version = '4.2'\n").empty());
  CHECK(holds(global_at("version = '4.3'\n"), "is refused since 4.3"));
  CHECK(holds(global_at("nodes = 3\n"), "is modelled of a single node"));
  CHECK(desk("name = \"jobs\"", "name = \"jobs\"\nexclusive = true").empty());
  CHECK(holds(desk("prefetch = 10", "messages_per_ack = 5, ack = 'automatic'"), "needs ack = \"manual\""));
  CHECK(holds(desk("prefetch = 10", "messages_per_ack = 50, prefetch = 10, ack_timeout = '0s'"),
              "is above the prefetch"));
  CHECK(holds(desk("prefetch = 10", "same_connection_as = 'shpo'"), "there is no producer 'shpo'"));
  CHECK(
      holds(desk("[rabbitmq]\n", "[rabbitmq]\n[rabbitmq.config]\ncredit_flow_default_credit = [200, 400]\n"),
            "not above it"));
}
