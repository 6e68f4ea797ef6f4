// What the reader refuses of gateways, and of windows of Streams applications.
#include "tests/catch.hpp"
#include "tests/experiments/scenario_files.hpp"

using namespace experiments_test;

namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string gateway(const std::string& lines, const std::string& to = "orders") {
  return complaint(small_and("\n[[gateways]]\nname = 'door'\nto = '" + to + "'\n" + lines));
}

/// kSmall, whose producer has keys, with a group that counts; `windows` and `config` are its lines.
std::string counting(const std::string& windows, const std::string& config = "",
                     const std::string& behind = "", bool keys = true) {
  std::string text =
      keys ? small_with("rate = 100 }\n", "rate = 100 }\nkeys = { distribution = 'uniform', count = 10 }\n")
           : std::string(kSmall);
  text +=
      "\n[[kafka.topics]]\nname = 'changes'\npartitions = 2\n[[groups]]\nname = 'counts'\ntopics = "
      "['orders']\n"
      "[groups.streams]\nchangelog = 'changes'\n" +
      (windows.empty() ? "" : "windows = " + windows + "\n") +
      (config.empty() ? "" : "config = " + config + "\n");
  return complaint(text + behind);
}

const std::string kArrivals = "arrivals = { process = 'poisson', rate = 10 }\n";

}  // namespace

TEST_CASE("a gateway needs a topic and devices", "[gateway]") {
  CHECK(gateway(kArrivals).empty());
  CHECK(gateway(kArrivals + "qos = 1\npuback = 'received'\nqueue = 10\n").empty());
  CHECK(gateway(kArrivals + "qos = 0\n").empty());
  CHECK(holds(gateway(""), "arrivals"));
  CHECK(holds(gateway(kArrivals, "order"), "there is no topic 'order'; did you mean 'orders'"));
  CHECK(holds(gateway(kArrivals + "qos = 2\n"), "gateways.door.qos"));
  CHECK(holds(gateway(kArrivals + "qos = 0\npuback = 'received'\n"), "with QoS 0 there is none"));
  CHECK(holds(gateway(kArrivals + "qos = 0\npuback = 'stored'\n"), "with QoS 0 there is none"));
  CHECK(holds(gateway(kArrivals + "puback = 'storde'\n"), "did you mean 'stored'"));
  CHECK(holds(gateway("arrivals = { process = 'closed_loop', outstanding = 1 }\n"), "closed loop"));
  CHECK(holds(gateway(kArrivals + "[gateways.config]\nlinger.msx = 5\n"), "linger.ms"));
}

TEST_CASE("windows have a size, and a store that keeps them long enough", "[windows]") {
  CHECK(counting("{ size = '5s' }").empty());
  CHECK(counting("{ size = '5s', grace = '1s', retention = '6s' }").empty());
  CHECK(holds(counting("{ grace = '1s' }"), "size"));
  CHECK(holds(counting("{ size = '5s', grace = '1s', retention = '5s' }"), "no smaller than size and grace"));
  CHECK(holds(counting("{ size = '0s' }"), "at least a millisecond"));
  CHECK(holds(counting("{ size = '5s', gracee = '1s' }"), "did you mean 'grace'"));
}

TEST_CASE("windows count by key, and go by producers' timestamps", "[windows]") {
  CHECK(counting("", "", "", false).empty());
  CHECK(holds(counting("{ size = '5s' }", "", "", false), "what 'shop' sends has none"));
  std::string appended = "\n[kafka.config]\nlog.message.timestamp.type = 'LogAppendTime'\n";
  CHECK(holds(counting("{ size = '5s' }", "", appended), "LogAppendTime is not modelled"));
}

TEST_CASE("a transaction ends before it times out", "[windows]") {
  const std::string eos = "{ processing.guarantee = 'exactly_once_v2', commit.interval.ms = ";
  CHECK(counting("", eos + "10000 }").empty());
  CHECK(holds(counting("", eos + "10001 }"), "transaction.timeout.ms"));
  CHECK(counting("", "{ commit.interval.ms = 10001 }").empty());
}

TEST_CASE("a changelog is as wide as what is counted, and keeps all changes", "[windows]") {
  const auto changelog = [](const std::string& lines) {
    return complaint(small_and("\n[[kafka.topics]]\nname = 'changes'\n" + lines +
                               "[[groups]]\nname = 'counts'\ntopics = ['orders']\n"
                               "[groups.streams]\nchangelog = 'changes'\n"));
  };
  CHECK(changelog("partitions = 2\n").empty());
  CHECK(holds(changelog("partitions = 1\n"), "has fewer partitions than 'orders'"));
  CHECK(holds(changelog("partitions = 2\nconfig = { cleanup.policy = 'compact' }\n"), "is compacted"));
}
