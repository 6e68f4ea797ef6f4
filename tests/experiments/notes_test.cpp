// What is said of scenarios in which nothing is wrong; users and their quotas.
#include "experiments/notes.hpp"

#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments;
using namespace experiments_test;

namespace {

std::string with(const std::string& kafka) {
  return small_with("brokers = 1", "brokers = 1\n" + kafka);
}
std::vector<std::string> notes(const std::string& kafka) {
  return notes_on(resolve(load(with(kafka)), 0, 0));
}

}  // namespace

TEST_CASE("an even number of controllers is noted: it stands no more failures than one less") {
  CHECK(notes("controllers = 3\n").empty());
  REQUIRE(notes("controllers = 4\n").size() == 1);
  CHECK(notes("controllers = 4\n")[0] ==
        "kafka.controllers = 4 can do without no more of them than 3: a majority has to be there");
}

TEST_CASE("settings of the other coordination are noted: they have no effect") {
  const std::string both =
      "[kafka.config]\nbroker.session.timeout.ms = 9000\nzookeeper.session.timeout.ms = 6000\n";
  REQUIRE(notes(both).size() == 1);
  CHECK(notes(both)[0].find("zookeeper.session.timeout.ms is for coordination by ZooKeeper") !=
        std::string::npos);
  const std::vector<std::string> before = notes("version = \"2.8\"\n" + both);
  REQUIRE(before.size() == 1);
  CHECK(before[0].find("broker.session.timeout.ms is for coordination by KRaft") != std::string::npos);
}

TEST_CASE("threads and queues of requests that take no time are noted: they have no effect") {
  const std::string config = "[kafka.config]\nnum.network.threads = 1\nqueued.max.requests = 5\n";
  REQUIRE(notes(config).size() == 2);
  CHECK(notes(config)[0].find(
            "queued.max.requests has no effect where requests take no time: [kafka.service]") !=
        std::string::npos);
  CHECK(notes("service = { request = \"10us\" }\n" + config).empty());
  CHECK(notes("disk = { flush = \"1ms\" }\n" + config).empty());
}

TEST_CASE("threads of group coordinators that take no time, or of a version without them, are noted") {
  const std::string config = "[kafka.config]\ngroup.coordinator.threads = 1\n";
  REQUIRE(notes(config).size() == 1);
  CHECK(notes(config)[0].find("has no effect where group coordinators take no time") != std::string::npos);
  CHECK(notes("service = { coordinator = \"1ms\" }\n" + config).empty());
  REQUIRE(notes("version = \"3.9\"\nservice = { coordinator = \"1ms\" }\n" + config).size() == 1);
  CHECK(notes("version = \"3.9\"\nservice = { coordinator = \"1ms\" }\n" + config)[0].find(
            "no effect before 4.0") != std::string::npos);
}

TEST_CASE("remote storage that no fetch waits for long enough is noted") {
  const std::string config = "[kafka.config]\nremote.log.storage.system.enable = true\n";
  CHECK(notes("remote = { latency = \"499ms\" }\n" + config).empty());
  REQUIRE(notes("remote = { latency = \"500ms\" }\n" + config).size() == 1);
  CHECK(notes("remote = { latency = \"500ms\" }\n" + config)[0].find("remote.fetch.max.wait.ms") !=
        std::string::npos);
  CHECK(notes("remote = { latency = \"500ms\" }\n" + config + "remote.fetch.max.wait.ms = 1000\n").empty());
}

TEST_CASE("a quota names a user, a client, or both, and stars stand for those without one of their own") {
  const auto quotas = [](const std::string& lines) {
    return resolve(load(with("[[kafka.users]]\nname = \"alice\"\nclients = [\"shop\"]\n[[kafka.quotas]]\n" +
                             lines + "producer_byte_rate = 1\n")),
                   0, 0)
        .scenario.kafka->quotas[0];
  };
  using Name = std::optional<std::string>;
  CHECK(quotas("").client == Name(""));
  CHECK_FALSE(quotas("").user);
  CHECK(quotas("name = \"shop\"\n").client == Name("shop"));
  CHECK(quotas("user = \"alice\"\n").user == Name("alice"));
  CHECK_FALSE(quotas("user = \"alice\"\n").client);
  CHECK(quotas("user = \"*\"\nname = \"*\"\n").user == Name(""));
  CHECK(quotas("user = \"*\"\nname = \"*\"\n").client == Name(""));
}

TEST_CASE("users and quotas name those that there are") {
  CHECK(complaint(with("[[kafka.quotas]]\nuser = \"bob\"\nproducer_byte_rate = 1\n"))
            .find("'bob' is none of") != std::string::npos);
  CHECK(complaint(with("[[kafka.users]]\nname = \"bob\"\nclients = [\"shap\"]\n"))
            .find("is no producer or group; did you mean 'shop'?") != std::string::npos);
  const std::string twice = "[[kafka.users]]\nname = \"a\"\nclients = [\"shop\"]\n";
  CHECK(
      complaint(with(twice + "[[kafka.users]]\nname = \"b\"\nclients = [\"shop\"]\n")).find("another user") !=
      std::string::npos);
}
