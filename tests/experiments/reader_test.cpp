// What the reader refuses: each message says where, which key, and what is allowed.
#include "experiments/errors.hpp"
#include "experiments/notes.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

/// The text of kSmall with one replacement, and the whole message that must come of it.
struct Bad {
  std::string_view old, by, said;
};

void check_all(std::initializer_list<Bad> rows) {
  for (const Bad& row : rows) {
    INFO(row.by);
    CHECK(complaint(small_with(row.old, row.by)) == row.said);
  }
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the small scenario of these tests is a good one") {
  CHECK(complaint(kSmall).empty());
}

TEST_CASE("a key that nobody knows is refused with the nearest one that is known") {
  check_all({
      {"duration = \"3s\"", "duratoin = \"3s\"",
       "s.toml:3:1: scenario.duratoin: unknown key; did you mean 'duration'?"},
      {"[kafka]", "[kafk]", "s.toml:5:2: kafk: unknown key; did you mean 'kafka'?"},
      {"partitions = 2", "partitions = 2\npartition = 3",
       "s.toml:11:1: kafka.topics.orders.partition: unknown key; did you mean 'partitions'?"},
      {"rate = 100", "rat = 100",
       "s.toml:15:35: producers.shop.arrivals.rat: unknown parameter of 'poisson'; did you mean 'rate'?"},
      {"members = 2", "xyzzy = 2",
       "s.toml:20:1: groups.billing.xyzzy: unknown key; allowed: name, cluster, rabbitmq, sqs, topics, type, "
       "members, "
       "service, commit, stored_offsets, hand_off, calls, effect, transform, streams, poison, "
       "part_of, delay, schema, "
       "autoscale, materialise, renew, rack, racks, zone, region, failover, start, stagger, client, config"},
  });
}

TEST_CASE("a value of the wrong type is refused and told the right one") {
  check_all({
      {"duration = \"3s\"", "duration = 3",
       "s.toml:3:12: scenario.duration: must be a duration in quotes, as in \"45s\", not an integer (3)"},
      {"partitions = 2", "partitions = \"2\"",
       "s.toml:10:14: kafka.topics.orders.partitions: must be an integer, not a text (\"2\")"},
      {"partitions = 2", "partitions = 2.5",
       "s.toml:10:14: kafka.topics.orders.partitions: must be an integer, not a number (2.5)"},
      {"partitions = 2", "partitions = 2024-01-01",
       "s.toml:10:14: kafka.topics.orders.partitions: must be an integer, not a date (date)"},
      {"topics = [\"orders\"]", "topics = 3",
       "s.toml:19:10: groups.billing.topics: must be a list of names, not an integer (3)"},
      {"[[kafka.topics]]", "[kafka.topics]",
       "s.toml:8:1: kafka.topics: must be an array of tables, written as [[kafka.topics]], not a table"},
      {"arrivals = { process = \"poisson\", rate = 100 }", "arrivals = 100",
       "s.toml:15:12: producers.shop.arrivals: must be a table, as in { process = \"poisson\", rate = 2000 "
       "}"},
  });
}

TEST_CASE("bounds, units and what overflows are refused with what is allowed") {
  check_all({
      {"partitions = 2", "partitions = 0",
       "s.toml:10:14: kafka.topics.orders.partitions: 0 must be from 1 to 100000"},
      {"partitions = 2", "partitions = 9223372036854775807",
       "s.toml:10:14: kafka.topics.orders.partitions: 9223372036854775807 must be from 1 to 100000"},
      {"duration = \"3s\"", "duration = \"3 sec\"",
       "s.toml:3:12: scenario.duration: '3 sec' is no duration: 'sec' is none of ns, us, ms, s, min, h, d"},
      {"duration = \"3s\"", "duration = \"300000d\"",
       "s.toml:3:12: scenario.duration: '300000d' is too large"},
      {"duration = \"3s\"", "duration = \"0s\"", "s.toml:3:12: scenario.duration: must be above 0"},
      {"rate = 100", "rate = -1", "s.toml:15:42: producers.shop.arrivals.rate: must be above 0 and finite"},
      {"rate = 100", "rate = inf", "s.toml:15:42: producers.shop.arrivals.rate: must be above 0 and finite"},
      {"rate = 100", "rate = nan", "s.toml:15:42: producers.shop.arrivals.rate: must be above 0 and finite"},
      {"service = \"1ms\"", "service = { distribution = \"lognormal\", mean = \"1ms\", cv = -1 }",
       "s.toml:21:60: groups.billing.service.cv: must be between 0 and 10000, not -1"},
  });
  // TOML's own integers end at 64 bits.
  CHECK(holds(complaint(small_with("partitions = 2", "partitions = 9223372036854775808")), "s.toml:10:"));
}

TEST_CASE("a scenario that contradicts itself is refused before anything runs") {
  check_all({
      {"partitions = 2", "partitions = 2\nreplication-factor = 12",
       "s.toml:11:22: kafka.topics.orders.replication-factor: 12 replicas do not fit on 1 broker"},
      {"duration = \"3s\"", "duration = \"3s\"\nwarmup = \"3s\"",
       "s.toml:4:10: scenario.warmup: must be shorter than the duration"},
      {"to = \"orders\"", "to = \"order\"",
       "s.toml:14:6: producers.shop.to: there is no topic 'order'; did you mean 'orders'?"},
      {"topics = [\"orders\"]", "topics = [\"xyz\"]",
       "s.toml:19:10: groups.billing.topics: there is no topic 'xyz'; allowed: orders"},
      {"topics = [\"orders\"]", "topics = []",
       "s.toml:19:10: groups.billing.topics: must name at least one topic"},
      {"topics = [\"orders\"]", "topics = [\"orders\", \"orders\"]",
       "s.toml:19:10: groups.billing.topics: names a topic twice"},
      {"name = \"billing\"", "name = \"shop\"",
       "s.toml:18:8: groups.shop.name: 'shop' is the name of something else"},
      {"name = \"billing\"", "name = \"a/b\"",
       "s.toml:18:8: groups.a/b.name: must hold no slash: name/0 are its instances"},
      {"name = \"billing\"", "name = \"\"", "s.toml:18:8: groups.\"\".name: must not be empty"},
      {"name = \"small\"", "name = \"../up\"",
       "s.toml:2:8: scenario.name: is also a folder's name: letters, digits, _ and - only"},
      {"name = \"small\"\n", "",
       "s.toml:1:1: scenario: needs the key 'name': also the folder of a sweep's results"},
  });
}

TEST_CASE("two elements of one name are refused with the place of the other") {
  CHECK(complaint(small_and("[[kafka.topics]]\nname = 'orders'\n")) ==
        "s.toml:25:8: kafka.topics.orders: this name is taken; the other one is at s.toml:9:8");
  CHECK(complaint(small_and("[[groups]]\nname = 'billing'\ntopics = ['orders']\n")) ==
        "s.toml:25:8: groups.billing: this name is taken; the other one is at s.toml:18:8");
}

TEST_CASE("a closed loop begins anew after a restart, and sends nothing again") {
  const std::string_view open = "arrivals = { process = \"poisson\", rate = 100 }";
  CHECK(complaint(small_with(open, std::string(open) + "\nresend_after_restart = true")).empty());
  CHECK(holds(
      complaint(small_with(open, "arrivals = { process = \"closed_loop\" }\nresend_after_restart = true")),
      "producers.shop.resend_after_restart: does not go with a closed loop"));
}

TEST_CASE("a fault's kind, target, step, moment and parameters are checked") {
  const auto with_fault = [](std::string_view fault) {
    return complaint(small_and("[[faults]]\nname = \"f\"\n" + std::string(fault)));
  };
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '1s'\n").empty());
  CHECK(with_fault("kind = 'crush'\ntarget = 'billing/1'\nat = '1s'\n") ==
        "s.toml:26:8: faults.f.kind: 'crush' is not allowed here; did you mean 'crash'?");
  CHECK(holds(with_fault("kind = 'crash'\ntarget = 'biling/1'\nat = '1s'\n"),
              "s.toml:27:10: faults.f.target: "));
  CHECK(holds(with_fault("kind = 'crash'\ntarget = 'billing/7'\nat = '1s'\n"),
              "s.toml:27:10: faults.f.target: "));
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\n") ==
        "s.toml:24:1: faults.f: needs exactly one of at, rate and when");
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '1s'\nrate = '1/10s'\n") ==
        "s.toml:24:1: faults.f: needs exactly one of at, rate and when");
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '3s'\n") ==
        "s.toml:28:6: faults.f.at: is not before the end of the run's duration");
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '1s'\nspread = '2s'\n").empty());
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '1s'\nspread = '2100ms'\n") ==
        "s.toml:29:10: faults.f.spread: reaches beyond the end of the run's duration");
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '1s'\nspread = '0s'\n") ==
        "s.toml:29:10: faults.f.spread: is not positive");
  CHECK(holds(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '1s'\nspread = 3\n"), "s.toml:29:10: "));
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nrate = '1/10s'\nspread = '1s'\n") ==
        "s.toml:29:10: faults.f.spread: goes with `at`: rate and when have no moment to spread");
  CHECK(holds(
      with_fault("kind = 'crash'\ntarget = 'billing/1'\nwhen = { step = 'committed' }\nspread = '1s'\n"),
      "faults.f.spread: goes with `at`"));
  CHECK(with_fault("kind = 'crash'\ntarget = 'billing/1'\nwhen = { step = 'commited' }\n") ==
        "s.toml:28:17: faults.f.when.step: 'commited' is not allowed here; did you mean 'committed'?");
  CHECK(holds(with_fault("kind = 'crash'\ntarget = 'billing/1'\nat = '1s'\nother = 'shop'\n"),
              "s.toml:29:1: faults.f.other: a fault of kind 'crash' has no such key"));
  CHECK(with_fault("kind = 'message-loss'\ntarget = 'billing/1'\nat = '1s'\nprobability = 2\n") ==
        "s.toml:29:15: faults.f.probability: 2 must be from 0 to 1");
}

TEST_CASE("a fault that would strike without effect, or never, is refused") {
  const auto with_fault = [](std::string_view fault) {
    return complaint(small_and("[[faults]]\nname = \"f\"\n" + std::string(fault)));
  };
  CHECK(with_fault("kind = 'heartbeat-loss'\ntarget = 'shop'\nat = '1s'\n") ==
        "s.toml:27:10: faults.f.target: 'shop' sends no heartbeats: members of groups and brokers do");
  CHECK(holds(with_fault("kind = 'heartbeat-loss'\ntarget = 'controller'\nat = '1s'\n"),
              "sends no heartbeats"));
  for (const char* target : {"billing/0", "billing/*", "kafka/0", "leader orders/0"})
    CHECK(with_fault("kind = 'heartbeat-loss'\ntarget = '" + std::string(target) + "'\nat = '1s'\n").empty());

  CHECK(with_fault("kind = 'response-loss'\ntarget = 'shop'\nat = '1s'\n") ==
        "s.toml:27:10: faults.f.target: 'shop' answers nobody: name the broker whose response gets lost, and "
        "'shop' as `other`");
  CHECK(holds(with_fault("kind = 'response-loss'\ntarget = 'billing/*'\nat = '1s'\n"), "answers nobody"));
  CHECK(with_fault("kind = 'response-loss'\ntarget = 'kafka/0'\nother = 'shop'\nat = '1s'\n").empty());

  const std::string at_effect =
      "[[faults]]\nname = 'f'\nkind = 'crash'\ntarget = 'billing/0'\n"
      "when = { step = 'effect-applied' }\n";
  CHECK(
      complaint(small_and(at_effect)) ==
      "s.toml:28:17: faults.f.when.step: never happens at 'billing/0': the group 'billing' has no `effect`");
  CHECK(holds(with_fault("kind = 'crash'\ntarget = 'kafka/0'\nwhen = { step = 'effect-applied', subject = "
                         "'billing/1' }\n"),
              "never happens at 'billing/1'"));
  CHECK(complaint(small_with("members = 2", "members = 2\neffect = {}") + at_effect).empty());
}

TEST_CASE("what makes no transaction, or cannot take part in one, is refused") {
  const auto group = [](const std::string& lines) { return complaint(small_with("members = 2", lines)); };
  const auto producer = [](const std::string& lines) {
    return complaint(small_with("rate = 100 }\n", "rate = 100 }\n" + lines));
  };
  const std::string transform = "transform = { to = 'orders' }\n";
  CHECK(holds(group("commit = 'in-transaction'\n"),
              "groups.billing.commit: in a transaction goes with `transform`"));
  CHECK(group("commit = 'in-transaction'\n" + transform).empty());
  CHECK(holds(group("transform = { to = 'order' }\n"),
              "groups.billing.transform.to: there is no topic 'order'; did you mean 'orders'?"));
  CHECK(holds(group("commit = 'each-record'\n" + transform), "of each record does not go with transform"));
  CHECK(holds(group(transform + "hand_off = { threads = 2 }\n"), "does not go with hand_off"));
  CHECK(holds(group("transform = { to = 'orders', aborts = 0.5 }\n"), "transform.aborts: needs commit"));
  CHECK(holds(group("transform = { to = 'orders', config = { transactional.id = 'x' } }\n"),
              "transform.config.transactional.id: needs commit"));
  CHECK(holds(group("commit = 'in-transaction'\ntransform = { to = 'orders', config = { acks = 1 } }\n"),
              "needs acks = \"all\" and enable.idempotence=true"));
  CHECK(holds(group("commit = 'in-transaction'\n"
                    "transform = { to = 'orders', config = { transaction.timeout.ms = 900001 } }\n"),
              "INVALID_TRANSACTION_TIMEOUT"));
  CHECK(holds(producer("[producers.config]\ntransactional.id = 'x'\n"),
              "transactional.id: needs `transactions`"));
  CHECK(holds(producer("transactions = { every = '0s' }\n"), "transactions.every: must be above 0"));
  CHECK(producer("transactions = { every = '1s' }\n").empty());
  CHECK(holds(producer("transactions = { every = '1s' }\n[kafka.config]\n"
                       "transaction.state.log.replication.factor = 2\n"),
              "__transaction_state could not be created"));
  CHECK(holds(complaint(small_and("[[kafka.topics]]\nname = '__transaction_state'\n")),
              "a topic of Kafka's own"));
}

TEST_CASE("clusters and mirrors that do not fit together are refused") {
  const std::string west = "[[clusters]]\nname = 'west'\n";
  const auto mirror = [&](const std::string& lines) {
    return complaint(small_and(west + "[[mirrors]]\nname = 'mm2'\n" + lines));
  };
  CHECK(mirror("to = 'west'\ntopics = ['orders']\n").empty());
  CHECK(holds(mirror("to = 'wets'\ntopics = ['orders']\n"),
              "mirrors.mm2.to: there is no cluster 'wets'; did you mean 'west'?"));
  CHECK(holds(mirror("to = 'kafka'\ntopics = ['orders']\n"), "is where the records come from"));
  CHECK(holds(mirror("to = 'west'\ntopics = ['order']\n"),
              "there is no topic 'order'; did you mean 'orders'?"));
  CHECK(holds(mirror("to = 'west'\ntopics = ['orders']\nconfig = { replication.factor = 4 }\n"),
              "do not fit on the brokers of 'west'"));
  CHECK(holds(
      mirror("to = 'west'\ntopics = ['orders']\nconfig = { exactly.once.source.support = 'enabled' }\n"),
      "mqlab does not model it"));
  CHECK(holds(mirror("to = 'west'\ntopics = ['orders']\nconfig = { replication.policy.class = 'Mine' }\n"),
              "is neither DefaultReplicationPolicy"));
  CHECK(holds(complaint(small_with("members = 2", "cluster = 'west'")),
              "groups.billing.cluster: there is no cluster 'west'"));
  CHECK(holds(complaint(small_with("members = 2", "failover = { cluster = 'west' }")),
              "groups.billing.failover.cluster: there is no cluster 'west'"));
  CHECK(holds(complaint(small_and("[[clusters]]\nname = 'kafka'\n")), "is the name of something else"));
}

TEST_CASE("what an application's database cannot hold, or a client not store, is refused") {
  const auto group = [](const std::string& lines) { return complaint(small_with("members = 2", lines)); };
  CHECK(group("commit = 'with-effect'\neffect = {}\n").empty());
  CHECK(holds(group("commit = 'with-effect'\n"), "groups.billing.commit: with the effect needs `effect`"));
  CHECK(holds(group("commit = 'with-effect'\neffect = { idempotency_key = true }\n"),
              "is found by its offset already"));
  CHECK(holds(group("commit = 'with-effect'\neffect = {}\nhand_off = { threads = 1 }\n"), "is not modelled"));
  CHECK(holds(group("commit = 'with-effect'\neffect = {}\npoison = { share = 0.1 }\n"), "is not modelled"));
  CHECK(holds(group("effect = { processed_ids = 'after-effect' }\nhand_off = { threads = 1 }\n"),
              "is not modelled"));
  CHECK(group("commit = 'stored'\nhand_off = { threads = 1 }\n").empty());
  CHECK(holds(group("commit = 'stored'\n"), "hand_off = { threads = 1 }"));
  const auto with_step = [](const std::string& lines, const std::string& step) {
    return complaint(small_with("members = 2", lines) +
                     "[[faults]]\nkind = 'crash'\ntarget = 'billing/0'\nwhen = { step = '" + step + "' }\n");
  };
  CHECK(holds(with_step("effect = {}", "id-recorded"), "processed_ids = \"before-effect\""));
  CHECK(with_step("effect = { processed_ids = 'before-effect' }", "id-recorded").empty());
  CHECK(
      holds(with_step("commit = 'with-effect'\neffect = {}", "committed"), "in the application's database"));
}

TEST_CASE("a step of transactions is refused where there are none") {
  const auto with_step = [](const std::string& step, const std::string& at) {
    return complaint(
        small_and("[[faults]]\nkind = 'crash'\ntarget = '" + at + "'\nwhen = { step = '" + step + "' }\n"));
  };
  for (const char* step : {"offsets-added", "end-txn-sent", "transaction-ended"})
    CHECK(holds(with_step(step, "billing/0"), "it takes part in no transaction"));
  CHECK(holds(with_step("transaction-prepared", "kafka/0"), "it takes part in no transaction"));
  CHECK(holds(with_step("acknowledged", "billing/0"), "the group 'billing' has no `transform`"));
  const std::string in_transaction =
      small_with("members = 2", "commit = 'in-transaction'\ntransform = { to = 'orders' }");
  CHECK(holds(complaint(in_transaction +
                        "[[faults]]\nkind = 'crash'\ntarget = 'billing/0'\nwhen = { step = 'committed' }\n"),
              "offsets are committed in transactions"));
}

TEST_CASE("a group that would start after the end is refused") {
  check_all({
      {"members = 2", "members = 2\nstart = \"3s\"",
       "s.toml:21:9: groups.billing.start: is not before the end of the run's duration: the group would read "
       "nothing "
       "while it lasts"},
      {"members = 2", "members = 2\nstart = \"2999ms\"", ""},
      {"members = 2", "members = 4\nstagger = \"1s\"",
       "s.toml:21:11: groups.billing.stagger: starts the last member after the end of the run's duration"},
      {"members = 2", "members = 3\nstagger = \"1s\"", ""},
      {"members = 2", "members = 3\nstart = \"1s\"\nstagger = \"1s\"",
       "s.toml:22:11: groups.billing.stagger: starts the last member after the end of the run's duration"},
  });
}

TEST_CASE("the topic that a cluster keeps offsets in is its own, and fits on its brokers") {
  CHECK(complaint(small_and("[[kafka.topics]]\nname = '__consumer_offsets'\n")) ==
        "s.toml:25:8: kafka.topics.__consumer_offsets.name: is a topic of Kafka's own, which every cluster "
        "has; "
        "[kafka.config] has its settings");
  const auto with_copies = [](int copies) {
    return complaint(
        small_and("[kafka.config]\noffsets.topic.replication.factor = " + std::to_string(copies) + "\n"));
  };
  CHECK(with_copies(1).empty());
  CHECK(with_copies(2) ==
        "s.toml:25:36: kafka.config.offsets.topic.replication.factor: 2 replicas do not fit on 1 broker: "
        "__consumer_offsets could not be created, and no group would find its coordinator");
}

TEST_CASE("what a topic with remote storage needs, and who cannot read it") {
  const auto with = [](const std::string& broker, const std::string& topic, const std::string& group) {
    std::string text = small_with("members = 2", "members = 2\n" + group);
    const std::string partitions = "name = \"orders\"\n";
    text.replace(text.find(partitions), partitions.size(), partitions + "config = { " + topic + " }\n");
    return complaint(text + "[kafka.config]\n" + broker);
  };
  const std::string enabled = "remote.log.storage.system.enable = true\n";
  const std::string tiered = "remote.storage.enable = true";
  CHECK(with(enabled, tiered, "").empty());
  CHECK(holds(with("", tiered, ""),
              "config.remote.storage.enable: needs remote.log.storage.system.enable=true of the brokers"));
  CHECK(holds(with(enabled + "log.cleanup.policy = \"compact\"\n", tiered, ""),
              "config.remote.storage.enable: is unsupported for compacted topics"));
  CHECK(holds(with(enabled, tiered + ", retention.ms = 5, local.retention.ms = 6", ""),
              "config.local.retention.ms: must not be above retention.ms"));
  CHECK(holds(with(enabled, tiered, "type = \"share\""),
              "billing.topics: reading from remote storage is not modelled of share groups"));
  CHECK_FALSE(holds(with("log.cleanup.policy = \"compact\"\n", "", "type = \"share\""), "compact"));
  CHECK(holds(with(enabled + "remote.log.manager.thread.pool.size = 3\n", "", ""), "not model it"));
  const auto struck = [&enabled](const std::string& kind) {
    return complaint(small_and("[kafka.config]\n" + enabled + "[[faults]]\nkind = \"" + kind +
                               "\"\ntarget = \"remote-storage\"\nat = \"1s\"\n"));
  };
  INFO(struck("pause"));
  CHECK(struck("pause").empty());
  CHECK(holds(struck("isolate"), "'remote-storage' is behind no link of the network"));
}

TEST_CASE("settings that rule idempotence out turn it off unless it was asked for") {
  const auto with = [](const std::string& lines) {
    return small_with("rate = 100 }\n", "rate = 100 }\n[producers.config]\n" + lines);
  };
  const auto notes = [&](const std::string& lines) { return notes_on(resolve(load(with(lines)), 0, 0)); };
  const auto idempotent = [&](const std::string& lines) {
    return resolve(load(with(lines)), 0, 0).scenario.producers[0].config.enable_idempotence;
  };
  CHECK(idempotent("linger.ms = 1\n"));
  CHECK(notes("linger.ms = 1\n").empty());
  CHECK_FALSE(idempotent("acks = 1\n"));
  CHECK(notes("acks = 1\n") ==
        std::vector<std::string>{
            "producers.shop.config.acks = 1 turns enable.idempotence off, as in Kafka's own "
            "producer; give it to say so yourself"});
  CHECK_FALSE(idempotent("retries = 0\n"));
  CHECK(notes("retries = 0\n").size() == 1);
  CHECK_FALSE(idempotent("acks = 0\nenable.idempotence = false\n"));
  CHECK(notes("acks = 0\nenable.idempotence = false\n").empty());

  CHECK(holds(complaint(with("acks = 1\nenable.idempotence = true\n")),
              "s.toml:17:8: producers.shop.config.acks: must be all with enable.idempotence=true"));
  CHECK(
      holds(complaint(with("retries = 0\nenable.idempotence = true\n")), "config.retries: must be above 0"));
  const std::string in_flight = "max.in.flight.requests.per.connection = 6\n";
  CHECK(holds(complaint(with(in_flight)), "max.in.flight.requests.per.connection: must be at most 5"));
  CHECK(holds(complaint(with(in_flight + "acks = 1\n")),
              "must be at most 5"));  // Kafka looks at it all the same
  CHECK(complaint(with(in_flight + "enable.idempotence = false\n")).empty());
}

TEST_CASE("every parameter of every fault is a key that its scenario may have") {
  CHECK(complaint(small_and("[[faults]]\nkind = 'link-cut'\ntarget = 'shop'\nother = 'kafka/0'\n"
                            "one_way = true\nat = '1s'\nfor = '1s'\n"))
            .empty());
}

TEST_CASE("Kafka's keys keep Kafka's names, bounds and values") {
  const auto with_config = [](std::string_view line) { return complaint(small_and(line)); };
  CHECK(with_config("session.timeout.ms = 10000\n").empty());
  CHECK(with_config("session.timeout.ms = '10s'\n").empty());
  CHECK(with_config("session.timout.ms = 10000\n") ==
        "s.toml:24:1: groups.billing.config.session.timout.ms: is no consumer setting of Kafka that "
        "mqlab knows; did you mean 'session.timeout.ms'?");
  CHECK(holds(with_config("session.timeout.ms = 'soon'\n"), "s.toml:24:22: groups.billing.config."));
  CHECK(holds(with_config("session.timeout.ms = 10.5\n"), "s.toml:24:22: groups.billing.config."));
  CHECK(holds(with_config("session.timeout.ms = 9223372036854775807\n"),
              "s.toml:24:22: groups.billing.config."));
  CHECK(holds(with_config("session.timeout.ms = '1.5ms'\n"), "is not a whole number of ms"));
  CHECK(holds(with_config("session.timeout.ms = 1000\n"), "session.timeout.ms"));  // below the broker's bound
  CHECK(with_config("session.timeout.ms = 10000\n'session.timeout.ms' = 10000\n") ==
        "s.toml:25:1: session.timeout.ms: is given twice; the other is at s.toml:24:1");
}

TEST_CASE("a key that Kafka has and mqlab does not model is refused by name, never ignored") {
  for (const models::kafka::KeyInfo& key : models::kafka::key_catalogue()) {
    if (key.modelled || key.scope != models::kafka::KeyScope::consumer) continue;
    std::string name(key.name);
    if (name.back() == '*') name.back() = 'x';
    const std::string said = complaint(small_and(name + " = 1\n"));
    INFO(said);
    // Behind "auto.", of which there is a key already, its second word is where it begins.
    CHECK(holds(said, "s.toml:24:"));
    CHECK(holds(said, ": groups.billing.config." + name + ": "));
    CHECK(holds(said, "not model"));
  }
}

TEST_CASE("a client of librdkafka takes its own keys, and Kafka's own client does not") {
  const std::string_view service = "service = \"1ms\"";
  const std::string own = "service = \"1ms\"\nclient = \"librdkafka\"";
  CHECK(complaint(small_with(service, own)).empty());
  CHECK(complaint(small_with(service, own) + "fetch.wait.max.ms = 100\n").empty());
  CHECK(holds(complaint(small_and("fetch.wait.max.ms = 100\n")), "is no consumer setting of Kafka"));
  CHECK(holds(complaint(small_with(service, own) + "fetch.max.wait.ms = 100\n"),
              "is no librdkafka consumer setting of Kafka"));
  CHECK(holds(complaint(small_with(service, own) + "queued.min.messages = 1\n"), "mqlab does not model it"));
}

TEST_CASE("keys are shared with a producer that stands before, and has keys of the same prefix") {
  const auto second = [](std::string_view more) {
    return small_and(
        "[[producers]]\nname = \"till\"\nto = \"orders\"\narrivals = { process = \"poisson\", rate = 1 }\n" +
        std::string(more));
  };
  CHECK(holds(complaint(second("same_keys_as = \"shopp\"\n")), "must name a producer that stands before"));
  CHECK(holds(complaint(second("same_keys_as = \"till\"\n")), "must name a producer that stands before"));
  CHECK(holds(complaint(second("same_keys_as = \"shop\"\n")), "needs keys of one prefix on both"));
}

TEST_CASE("a file that is cut, binary or not TOML is refused with line and column") {
  CHECK(complaint("") == "s.toml:1:1: needs the key 'scenario': what is run, and for how long");
  CHECK(complaint(std::string("[scenario]\nname = \"a\0b\"\n", 24)) ==
        "s.toml:2:10: holds a NUL byte: this is no text file");
  CHECK(holds(complaint("\xff\xfe\x00\x41"), "s.toml:1:"));
  CHECK(holds(complaint("[scenario]\nname = \"caf\xe9\"\n"), "s.toml:2:"));
  CHECK(holds(complaint("[scenario\nname = 'x'\n"), "s.toml:1:"));
  CHECK(holds(complaint("[scenario]\nname = \"x"), "s.toml:2:"));
  CHECK(holds(complaint("[scenario]\nname = 'x'\nname = 'y'\n"), "s.toml:3:"));
}

TEST_CASE("nesting beyond reason is refused, not recursed into") {
  const auto repeated = [](const char* text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  CHECK(holds(complaint("a = " + repeated("[", 100'000) + "\n"), "s.toml:1:"));
  CHECK(holds(complaint("a = " + repeated("{ b = ", 100'000) + "\n"), "s.toml:1:"));
  CHECK(holds(complaint(repeated("a.", 100'000) + "a = 1\n"), "nested too deeply"));
  CHECK(holds(complaint("[" + repeated("a.", 100'000) + "a]\n"), "nested too deeply"));
  CHECK(holds(complaint(repeated("\"=\".", 100'000) + "a = 1\n"), "nested too deeply"));
  const std::string dotted = "{ " + repeated("b.", 30) + "b = ";
  CHECK(holds(complaint("a = " + repeated(dotted.c_str(), 250) + "1" + repeated("}", 250) + "\n"),
              "nested too deeply"));
}

TEST_CASE("a path that is no file says what it is") {
  const TempFolder folder;
  CHECK_THROWS_WITH(load_experiment("/nowhere/s.toml", {}),
                    "/nowhere/s.toml: cannot open scenario '/nowhere/s.toml': No such file or directory");
  CHECK_THROWS_WITH(load_experiment("/tmp", {}), "/tmp: scenario '/tmp' is a directory");
  CHECK_THROWS_WITH(load_experiment("", {}), ContainsSubstring("No such file"));
  const std::string large = folder.write("large.toml", std::string(kMostFileBytes + 1, '#'));
  CHECK_THROWS_WITH(load_experiment(large, {}), ContainsSubstring("more than the 4194304"));
  CHECK_THROWS_WITH(load_experiment("/dev/zero", {}), ContainsSubstring("does not end within"));
}

TEST_CASE("a declared topology may have a cycle: there is still one shortest way") {
  CHECK(complaint(small_and("[[network.cables]]\na = 'shop'\nb = 'switch'\n"
                            "[[network.cables]]\na = 'switch'\nb = 'kafka/0'\n"
                            "[[network.cables]]\na = 'kafka/0'\nb = 'shop'\n"
                            "[[network.cables]]\na = 'switch'\nb = 'controller'\n"
                            "[[network.cables]]\na = 'switch'\nb = 'billing/0'\n"
                            "[[network.cables]]\na = 'switch'\nb = 'billing/1'\n"))
            .empty());
}

TEST_CASE("variants that extend each other in a circle are refused") {
  const std::string said = complaint(
      small_and("[[variant]]\nname = 'a'\nextends = 'b'\n[[variant]]\nname = 'b'\nextends = 'a'\n"));
  CHECK(said == "s.toml:26:11: variant.a.extends: variants extend each other in a circle");
}

TEST_CASE("options are blamed for what they set, not the file") {
  CHECK(complaint(kSmall, {.sets = {"groups.biling.members=3"}}) ==
        "--set groups.biling.members=3: groups: has no element 'biling'; did you mean 'billing'?");
  CHECK(complaint(kSmall, {.sets = {"groups.billing.members=many"}}) ==
        "--set groups.billing.members=many: groups.billing.members: must be an integer, not a text "
        "(\"many\")");
  CHECK(complaint(kSmall, {.sets = {"groups.billing.membrs=3"}}) ==
        "--set groups.billing.membrs=3: groups.billing.membrs: unknown key; did you mean 'members'?");
  CHECK(complaint(kSmall, {.axes = {"kafka.brokers=1,x"}}) ==
        "--axis kafka.brokers=1,x: kafka.brokers: must be an integer, not a text (\"x\")");
}
