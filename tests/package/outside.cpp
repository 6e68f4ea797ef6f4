// What somebody else would write against the installed package: a cluster, a fault and a metric of one's own.
#include <algorithm>
#include <iostream>

#include "models/kafka/cluster.hpp"
#include "models/world.hpp"
#include "sim/process.hpp"

using namespace std::chrono_literals;

sim::Process stutter(sim::Simulation& simulation, models::Node& broker) {
  co_await sim::delay(simulation, 10s);
  broker.pause();
  co_await sim::delay(simulation, 3s);
  broker.resume();
}

struct Silence final : sim::TraceSink {  // the longest time in which nothing was stored
  void consume(const sim::TraceBlock& block) override {
    for (const sim::TraceRecord& r : block.records) {
      if (r.kind != static_cast<std::uint16_t>(models::Kind::stored)) continue;
      longest = std::max(longest, sim::Duration{r.time - last});
      last = r.time;
    }
  }
  sim::Time last{};
  sim::Duration longest{};
};

int main() {
  models::Scenario scenario{.duration = 60s};
  scenario.kafka.emplace().topics = {{.name = "clicks", .partitions = 1}};
  scenario.producers = {{.name = "site", .to = "clicks", .arrivals = sim::ArrivalProcess::constant(200)}};
  models::World world(scenario, 1);
  Silence silence;
  world.trace().add_sink(silence);
  const auto fault = stutter(world.simulation(), world.kafka().node(models::kafka::BrokerId{0}));
  world.run();
  std::cout << "longest silence: " << sim::seconds(silence.longest) << " s\n";
  return silence.longest >= 3s && silence.longest < 4s ? 0 : 1;  // without the fault it is 5 ms
}
