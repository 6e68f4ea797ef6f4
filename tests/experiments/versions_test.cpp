// `[kafka] version`: what was not there yet is refused with the version and the KIP, and settings that are not given are as
// they were.
#include "experiments/errors.hpp"
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

/// What is said of kSmall with these lines of [kafka] and these of [groups.config].
std::string said(const std::string& kafka, const std::string& group = "", const std::string& producer = "") {
  std::string text = small_with("brokers = 1", "brokers = 1\n" + kafka);
  if (!producer.empty()) {
    const std::string old = "[[groups]]";
    text.replace(text.find(old), old.size(), producer + "\n" + old);
  }
  return complaint(text + group);
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what a version does not have is refused, with the version and the KIP that brought it") {
  struct Row {
    std::string before, since, kafka, group, kip;
  };
  const Row rows[] = {
      {"2.2", "2.3", "", "group.instance.id = \"m{index}\"\n", "KIP-345"},
      {"2.3", "2.4", "", "client.rack = \"a\"\n", "KIP-392"},
      {"2.3", "2.4", "", "partition.assignment.strategy = \"CooperativeStickyAssignor\"\n", "KIP-429"},
      {"3.2", "3.3", "controllers = 3\n", "", "KIP-833"},
      {"3.9", "4.0", "", "group.protocol = \"consumer\"\n", "KIP-848"},
      {"3.9", "4.0", "transaction_version = 2\n", "", "KIP-890"},
      {"0.10", "0.11", "", "isolation.level = \"read_committed\"\n", "KIP-98"},
  };
  for (const Row& row : rows) {
    INFO(row.kip);
    const std::string text = said("version = \"" + row.before + "\"\n" + row.kafka, row.group);
    CHECK(holds(text, "Kafka " + row.before + " does not have "));
    CHECK(holds(text, "it came with " + row.since + " (" + row.kip + ")"));
    CHECK(said("version = \"" + row.since + "\"\n" + row.kafka, row.group).empty());
  }
  const std::string idempotent = "[producers.config]\nacks = \"all\"\nenable.idempotence = true\n";
  CHECK(holds(said("version = \"0.10\"\n", "", idempotent), "does not have idempotence"));
}

TEST_CASE("auto.offset.reset by a duration came with 4.0") {
  std::string text = small_with("\"earliest\"", "\"by_duration:PT5S\"");
  CHECK(complaint(text).empty());
  text.replace(text.find("brokers = 1"), 11, "brokers = 1\nversion = \"3.9\"");
  CHECK(holds(complaint(text), "it came with 4.0 (KIP-1106)"));
}

TEST_CASE("delivery.timeout.ms came with 2.1, and nothing is too short for what there is not") {
  const std::string given = "[producers.config]\ndelivery.timeout.ms = 200000\n";
  CHECK(holds(said("version = \"2.0\"\n", "", given), "it came with 2.1 (KIP-91)"));
  CHECK(said("version = \"2.1\"\n", "", given).empty());
  CHECK(said("version = \"2.0\"\nrules = { delivery_timeout = true }\n", "", given).empty());
  const std::string patient = "[producers.config]\nrequest.timeout.ms = 200000\n";
  CHECK(said("version = \"2.0\"\n", "", patient).empty());
}

TEST_CASE("more racks than brokers are refused") {
  CHECK(holds(said("racks = [\"a\", \"b\"]\n"), "names more racks than there are brokers (1)"));
  CHECK(said("racks = [\"a\"]\n").empty());
}

TEST_CASE("ZooKeeper coordinates until 3.9, and is the only controller's keeper") {
  CHECK(said("version = \"3.9\"\ncoordination = \"zookeeper\"\n").empty());
  CHECK(holds(said("coordination = \"zookeeper\"\n"),
              "Kafka 4.3 does not have coordination by ZooKeeper: it is gone since 4.0 (KIP-833)"));
  CHECK(holds(said("version = \"3.9\"\ncoordination = \"zookeeper\"\ncontrollers = 3\n"),
              "one of the brokers is the controller"));
  CHECK(holds(said("zookeeper_load_per_partition = \"1ms\"\n"), "has no effect without coordination"));
}

TEST_CASE("settings that a scenario does not give are as its version had them") {
  const auto at = [](const std::string& version) {
    return resolve(load(small_with("brokers = 1", "brokers = 1\nversion = \"" + version + "\"")), 0, 0)
        .scenario;
  };
  CHECK(at("2.8").producers[0].config.acks == 1);
  CHECK_FALSE(at("2.8").producers[0].config.enable_idempotence);
  CHECK(at("3.0").producers[0].config.acks == -1);
  CHECK(at("3.0").producers[0].config.enable_idempotence);
  CHECK(at("3.9").producers[0].config.linger == sim::Duration{});
  CHECK(at("4.0").producers[0].config.linger == std::chrono::milliseconds{5});
  CHECK(at("2.8").groups[0].config.session_timeout == std::chrono::seconds{10});
  CHECK(at("3.0").groups[0].config.session_timeout == std::chrono::seconds{45});
  CHECK(at("2.8").groups[0].config.partition_assignment_strategy.size() == 1);
  CHECK(at("2.4").kafka->config.replica_lag_time_max == std::chrono::seconds{10});
  CHECK(at("2.5").kafka->config.zookeeper_session_timeout == std::chrono::seconds{18});
  CHECK(at("3.9").kafka->transaction_version == 0);
  CHECK(at("4.0").kafka->transaction_version == 2);
  // What is given stays.
  CHECK(resolve(load(small_with("auto.offset.reset", "session.timeout.ms = 20000\nauto.offset.reset")), 0, 0)
            .scenario.groups[0]
            .config.session_timeout == std::chrono::seconds{20});
}

TEST_CASE("back-offs, and what one key said for two, are as a version had them") {
  const auto at = [](const std::string& version, const std::string& more = "") {
    const std::string text = small_with("brokers = 1", "brokers = 1\nversion = \"" + version + "\"\n" + more);
    return resolve(load(text + "retry.backoff.ms = 300\n"), 0, 0).scenario;
  };
  using std::chrono::milliseconds;
  // Constant before KIP-580, whatever it is.
  CHECK(at("3.6").groups[0].config.retry_backoff_max == milliseconds{300});
  CHECK(at("3.6").producers[0].config.retry_backoff_max == milliseconds{100});
  CHECK(at("3.7").groups[0].config.retry_backoff_max == milliseconds{1000});
  CHECK(at("0.10").producers[0].config.reconnect_backoff_max == milliseconds{50});
  CHECK(at("0.11").producers[0].config.reconnect_backoff_max == milliseconds{1000});
  // transactional.id.expiration.ms before KIP-854.
  CHECK(at("3.3").kafka->config.producer_id_expiration == std::chrono::hours{7 * 24});
  CHECK(at("3.4").kafka->config.producer_id_expiration == std::chrono::hours{24});
  CHECK(at("3.3", "config = { transactional.id.expiration.ms = 3600000 }\n")
            .kafka->config.producer_id_expiration == std::chrono::hours{1});
  const std::string patient = "session.timeout.ms = 600000\n";
  CHECK(holds(said("version = \"2.2\"\n", patient), "group.max.session.timeout.ms"));
  CHECK(said("version = \"2.3\"\n", patient).empty());
}

TEST_CASE("before 4.0 more than five requests in flight turn idempotence off where nobody asked for it") {
  const auto with = [](const std::string& version, const std::string& more) {
    std::string text = small_with("brokers = 1", "brokers = 1\nversion = \"" + version + "\"");
    const std::string old = "[[groups]]";
    return text.replace(text.find(old), old.size(),
                        "[producers.config]\nmax.in.flight.requests.per.connection = 10\n" + more + old);
  };
  CHECK_FALSE(resolve(load(with("3.9", "")), 0, 0).scenario.producers[0].config.enable_idempotence);
  CHECK(holds(complaint(with("3.9", "enable.idempotence = true\n")), "must be at most 5"));
  CHECK(holds(complaint(with("4.0", "")), "must be at most 5"));
}

TEST_CASE("before 3.0 idempotence, asked for or brought by transactions, decides on acks and retries") {
  const auto with = [](const std::string& version, const std::string& producer) {
    std::string text = small_with("brokers = 1", "brokers = 1\nversion = \"" + version + "\"");
    const std::string old = "[[groups]]";
    text.replace(text.find(old), old.size(), producer + old);
    return resolve(load(text), 0, 0).scenario.producers[0].config;
  };
  for (const std::string producer :
       {"[producers.config]\nenable.idempotence = true\n", "[producers.transactions]\nevery = \"1s\"\n"}) {
    for (const std::string version : {"0.11", "1.0", "2.8"}) {
      const models::kafka::ProducerConfig config = with(version, producer);
      CHECK(config.enable_idempotence);
      CHECK(config.acks == -1);
      CHECK(config.retries == 2147483647);
      CHECK(config.max_in_flight_requests_per_connection == (version == "0.11" ? 1 : 5));
    }
  }
  CHECK(with("1.0", "[producers.config]\nretries = 3\nenable.idempotence = true\n").retries == 3);
  CHECK(with("2.8", "").acks == 1);
}

TEST_CASE("before KRaft was ready for production ZooKeeper coordinates unless the scenario says otherwise") {
  const auto zookeeper = [](const std::string& kafka) {
    return resolve(load(small_with("brokers = 1", "brokers = 1\n" + kafka)), 0, 0).scenario.kafka->zookeeper;
  };
  CHECK(zookeeper("version = \"2.3\"\n"));
  CHECK(zookeeper("version = \"3.2\"\n"));
  CHECK_FALSE(zookeeper("version = \"3.3\"\n"));
  CHECK_FALSE(zookeeper(""));
  CHECK_FALSE(zookeeper("version = \"2.3\"\ncoordination = \"kraft\"\n"));
  CHECK(zookeeper("version = \"3.9\"\ncoordination = \"zookeeper\"\n"));
}

TEST_CASE("a rule brings its feature beside an older version, and takes it from a newer one") {
  const std::string instance = "group.instance.id = \"m{index}\"\n";
  const std::string rules = "[kafka.rules]\n";
  CHECK(said("version = \"2.2\"\n" + rules + "static_members = true\n", instance).empty());
  CHECK(said(rules + "static_members = false\n", instance).empty());
  CHECK(said("version = \"3.9\"\n" + rules + "consumer_protocol = true\n", "group.protocol = \"consumer\"\n")
            .empty());
  CHECK(said("version = \"3.9\"\ntransaction_version = 2\n" + rules + "transactions_v2 = true\n").empty());
  const auto version = [](const std::string& kafka) {
    return resolve(load(small_with("brokers = 1", "brokers = 1\n" + kafka)), 0, 0)
        .scenario.kafka->transaction_version;
  };
  CHECK(version("version = \"3.9\"\n") == 0);
  CHECK(version("version = \"3.9\"\n" + rules + "transactions_v2 = true\n") == 2);
  CHECK(version(rules + "transactions_v2 = false\n") == 0);
}

TEST_CASE("share groups without their rule are refused: nothing before is like them") {
  const std::string group = "[[groups]]\nname = \"share\"\ntopics = [\"orders\"]\ntype = \"share\"\n";
  CHECK(said("", "\n" + group).empty());
  CHECK(holds(said("[kafka.rules]\nshare_groups = false\n", "\n" + group), "share_groups is off"));
  CHECK(holds(said("version = \"4.1\"\n", "\n" + group), "KIP-932"));
  CHECK(said("version = \"4.1\"\n[kafka.rules]\nshare_groups = true\n", "\n" + group).empty());
}

TEST_CASE("the clients of another cluster have the defaults of its version") {
  const std::string other =
      "\n[[clusters]]\nname = \"old\"\nversion = \"2.8\"\n[[clusters.topics]]\nname = \"orders\"\n"
      "[[producers]]\nname = \"clerk\"\ncluster = \"old\"\nto = \"orders\"\narrivals = { process = "
      "\"poisson\", "
      "rate = 1 }\n";
  const models::Scenario s = resolve(load(std::string(kSmall) + other), 0, 0).scenario;
  CHECK(s.clusters[0].zookeeper);
  CHECK_FALSE(s.kafka->zookeeper);
  CHECK(s.producers[0].config.acks == -1);
  CHECK(s.producers[1].config.acks == 1);
}

TEST_CASE("what a cluster's version lacks is refused to those who are its clients") {
  const auto with = [](const std::string& main, const std::string& other, const std::string& group) {
    return said(
        main, "\n[[clusters]]\nname = \"west\"\n" + other +
                  "[[clusters.topics]]\nname = \"orders\"\n[[groups]]\nname = \"other\"\ncluster = \"west\"\n"
                  "topics = [\"orders\"]\n" +
                  group);
  };
  const std::string share = "type = \"share\"\n";
  CHECK(with("", "", share).empty());
  CHECK(holds(with("", "version = \"3.9\"\n", share), "KIP-932"));
  CHECK(holds(with("", "rules = { share_groups = false }\n", share), "share_groups is off"));
  CHECK(with("version = \"3.9\"\n", "", share).empty());
}

TEST_CASE("a segment is at least 1 MiB since 4.0, and at least 14 bytes before") {
  const std::string broker = "[kafka.config]\nlog.segment.bytes = ";
  CHECK(holds(said(broker + "1048575\n"),
              "kafka.config.log.segment.bytes: must be at least 1048576 since Kafka 4.0 (KIP-1030)"));
  CHECK(said(broker + "1048576\n").empty());
  CHECK(said("version = \"3.9\"\n" + broker + "14\n").empty());
  CHECK_FALSE(said("version = \"3.9\"\n" + broker + "13\n").empty());
  const auto topic = [](const std::string& version) {
    return complaint(small_with("partitions = 2", "partitions = 2\nconfig = { segment.bytes = 16384 }"))
        .find(version);
  };
  CHECK(topic("segment.bytes: must be at least 1048576 since Kafka 4.0") != std::string::npos);
}

TEST_CASE("a version may be written as a number where no other is the same number") {
  for (const char* number : {"4.3", "4.0", "4", "0.11", "0.10"})
    CHECK(said(std::string("version = ") + number + "\n").empty());
  CHECK(holds(said("version = 4.33\n"), "kafka.version: the number 4.33 is not allowed here"));
  CHECK(holds(said("coordination = 4\n"), "the number 4 is not allowed here; allowed: kraft, zookeeper"));
  CHECK(resolve(load(small_with("brokers = 1", "brokers = 1\nversion = 0.10")), 0, 0)
            .checked.find("kafka")
            ->find("version")
            ->text == "0.10");
}
