// How fast whole models run: records simulated per wall second, on one core, with ledger, metrics and digest on.
//
// kafka_log and kafka_keyed report items_per_second = records processed by the group; kafka_small the cost of one short trial,
// set-up included; kafka_backlog the memory that waiting records cost (bytes_per_record is the slope between the two sizes).
// rabbitmq_classic and rabbitmq_backlog are the same of a classic queue, sqs_standard and sqs_backlog of a standard queue of SQS.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include "models/metrics/observers.hpp"
#include "models/world.hpp"

namespace {

using namespace std::chrono_literals;

struct Load {
  std::uint32_t producers = 4;
  double records_per_s = 500'000;
  std::uint32_t keys = 0;
  std::uint32_t groups = 1;
  std::uint32_t members = 6;
  sim::Duration duration = 4s;
  double service_ns = 5'000;
};

models::Scenario scenario_of(const Load& load) {
  models::Scenario s;
  s.name = "bench";
  s.duration = load.duration;
  s.network.base.latency = sim::Distribution::constant(250'000);
  models::kafka::ClusterOptions cluster;
  cluster.brokers = 3;
  models::kafka::TopicOptions topic;
  topic.name = "orders";
  topic.partitions = 12;
  topic.replication_factor = 3;
  cluster.topics.push_back(topic);
  s.kafka = cluster;
  models::ProducerOptions producer;
  producer.name = "shop";
  producer.to = "orders";
  producer.instances = load.producers;
  producer.arrivals = sim::ArrivalProcess::poisson(load.records_per_s / load.producers);
  if (load.keys > 0) {
    producer.keys.count = load.keys;
    producer.keys.rank = sim::Distribution::zipf(load.keys, 1.0);
  }
  s.producers.push_back(producer);
  for (std::uint32_t g = 0; g < load.groups; ++g) {
    models::GroupOptions group;
    group.name = "group" + std::to_string(g);
    group.topics = {"orders"};
    group.members = load.members;
    group.service = sim::Distribution::constant(load.service_ns);
    group.commit = models::CommitMode::automatic;
    group.config.auto_offset_reset = models::kafka::AutoOffsetReset::earliest;
    s.groups.push_back(group);
  }
  return s;
}

struct Trial {
  double processed = 0;
  std::string digest;
};

Trial run(const models::Scenario& scenario, std::uint64_t seed) {
  models::World world(scenario, seed);
  models::Observers observers(
      {.warmup = scenario.warmup, .sample = scenario.sample, .entities = &world.entities()});
  world.trace().add_sink(observers);
  world.run();
  return {observers.values()[models::Metric::processed].value_or(0), world.trace().digest()};
}

void repeat_scenario(benchmark::State& state, const models::Scenario& scenario) {
  double processed = 0;
  std::string digest;
  for (auto _ : state) {
    Trial trial = run(scenario, 1);
    processed += trial.processed;
    digest = std::move(trial.digest);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(processed));
  state.SetLabel("digest " + digest);
}

void repeat(benchmark::State& state, const Load& load) {
  repeat_scenario(state, scenario_of(load));
}

void kafka_log(benchmark::State& state) {
  repeat(state, {});
}
BENCHMARK(kafka_log)->Unit(benchmark::kMillisecond);

/// Ten times as long: records a second stay the same as long as nothing grows with history.
void kafka_log_long(benchmark::State& state) {
  repeat(state, {.duration = 40s});
}
BENCHMARK(kafka_log_long)->Unit(benchmark::kMillisecond);

void kafka_keyed(benchmark::State& state) {
  repeat(state, {.producers = 50, .keys = 100'000});
}
BENCHMARK(kafka_keyed)->Unit(benchmark::kMillisecond);

void kafka_small(benchmark::State& state) {
  repeat(state, {.producers = 1, .records_per_s = 2'000, .duration = 10s});
}
BENCHMARK(kafka_small)->Unit(benchmark::kMillisecond);

/// A group of 1,000 static members on 5,000 partitions of six brokers, restarted one after the other while 1,000 records a
/// second arrive: simulated seconds per wall second, set-up included, and what that takes.
void kafka_groups(benchmark::State& state, models::kafka::GroupProtocol protocol) {
  models::Scenario s =
      scenario_of({.producers = 1, .records_per_s = 1'000, .members = 1'000, .duration = 300s});
  s.kafka->brokers = 6;
  s.kafka->topics[0].partitions = 5'000;
  s.groups[0].config.group_protocol = protocol;
  s.groups[0].config.group_instance_id = "billing-{index}";
  models::FaultSpec restart;
  restart.kind = "rolling";
  restart.target = "group0/*";
  restart.at = 30s;
  restart.duration = 1s;
  restart.gap = 240ms;
  s.faults.push_back(restart);
  double simulated = 0;
  double set_up = 0;
  std::string digest;
  for (auto _ : state) {
    const auto before = std::chrono::steady_clock::now();
    models::World world(s, 1);
    models::Observers observers(
        {.warmup = s.warmup, .sample = s.sample, .timeseries = false, .entities = &world.entities()});
    world.trace().add_sink(observers);
    set_up += std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    simulated += sim::seconds(world.run().end);
    digest = world.trace().digest();
  }
  state.counters["simulated_s"] = benchmark::Counter(simulated, benchmark::Counter::kIsRate);
  state.counters["set_up_s"] = benchmark::Counter(set_up, benchmark::Counter::kAvgIterations);
  state.SetLabel("digest " + digest);
}
BENCHMARK_CAPTURE(kafka_groups, classic, models::kafka::GroupProtocol::classic)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(kafka_groups, consumer, models::kafka::GroupProtocol::consumer)
    ->Unit(benchmark::kMillisecond);

/// Publish, deliver, acknowledge: ten workers with a prefetch of 100 on one classic queue.
models::Scenario queue_of(const Load& load) {
  models::Scenario s = scenario_of(load);
  s.kafka.reset();
  s.rabbitmq.emplace().queues.push_back({"orders"});
  s.producers[0].cluster = "rabbitmq";
  s.producers[0].rabbitmq.confirms = 10'000;
  s.groups[0].cluster = "rabbitmq";
  s.groups[0].rabbitmq.queues = {"orders"};
  s.groups[0].rabbitmq.prefetch = 100;
  return s;
}

void rabbitmq_classic(benchmark::State& state) {
  repeat_scenario(state, queue_of({.members = 10, .duration = 2s}));
}
BENCHMARK(rabbitmq_classic)->Unit(benchmark::kMillisecond);

/// Send, receive, delete, in batches of ten: ten workers on one standard queue.
models::Scenario sqs_of(const Load& load) {
  models::Scenario s = scenario_of(load);
  s.kafka.reset();
  s.sqs.emplace().queues.push_back({"orders"});
  s.producers[0].cluster = "sqs";
  s.producers[0].sqs.batch = 10;
  s.producers[0].sqs.requests = 100;
  models::GroupOptions& g = s.groups[0];
  g.cluster = "sqs";
  g.sqs.queue = "orders";
  g.sqs.max_messages = 10;
  g.sqs.wait = 20s;
  g.sqs.when = models::sqs::ReceiverOptions::Delete::after_batch;
  return s;
}

void sqs_standard(benchmark::State& state) {
  repeat_scenario(state, sqs_of({.records_per_s = 80'000, .members = 10, .duration = 10s}));
}
BENCHMARK(sqs_standard)->Unit(benchmark::kMillisecond);

/// Resident memory of this process, in bytes.
double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  in >> pages >> resident;
  return resident * 4096;
}

/// What a world has taken when its arrivals stop, measured in a process of its own so that nothing freed before is used
/// again. The groups' service never ends: every record waits.
double backlog_bytes(const models::Scenario& scenario) {
  int channel[2];
  if (pipe(channel) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    const double before = resident_bytes();
    models::World world(scenario, 1);
    models::Observers observers(
        {.warmup = scenario.warmup, .sample = scenario.sample, .entities = &world.entities()});
    world.trace().add_sink(observers);
    world.simulation().schedule_at(sim::Time{scenario.duration}, [&] {
      const double taken = resident_bytes() - before;
      _exit(write(channel[1], &taken, sizeof taken) == sizeof taken ? 0 : 1);
    });
    world.run();
    _exit(1);
  }
  double taken = 0;
  const bool told = read(channel[0], &taken, sizeof taken) == sizeof taken;
  int status = 0;
  waitpid(child, &status, 0);
  close(channel[0]);
  close(channel[1]);
  if (!told || status != 0) std::abort();
  return taken;
}

/// The slope between backlogs of 1 M and 10 M records, for one group and for two.
void kafka_backlog(benchmark::State& state) {
  const auto groups = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    const auto bytes = [groups](sim::Duration duration) {
      return backlog_bytes(scenario_of({.groups = groups, .duration = duration, .service_ns = 1e12}));
    };
    state.counters["bytes_per_record"] = (bytes(20s) - bytes(2s)) / 9e6;
  }
}
BENCHMARK(kafka_backlog)->Arg(1)->Arg(2)->Iterations(1)->Unit(benchmark::kMillisecond);

/// Publish, deliver, acknowledge while so many messages wait: wall time of a message between two moments at which as many are
/// there. In a process of its own, which ends at the second.
void rabbitmq_waiting(benchmark::State& state) {
  const auto waiting = static_cast<std::uint64_t>(state.range(0));
  const sim::Duration filled{static_cast<std::int64_t>(waiting) * 50};
  const sim::Duration measured = 500ms;
  models::Scenario s = queue_of({.producers = 1, .members = 10, .duration = filled + 100ms + measured});
  models::ProducerOptions& stock = s.producers[0];
  stock.name = "stock";
  stock.arrivals = sim::ArrivalProcess::constant(20e6);
  stock.messages = waiting;
  stock.rabbitmq.confirms = 1'000'000;
  models::ProducerOptions shop = stock;
  shop.name = "shop";
  shop.arrivals = sim::ArrivalProcess::constant(2e6);  // what the workers do
  shop.messages = 0;
  shop.rabbitmq.confirms = 10'000;
  s.producers.push_back(shop);
  // Until the workers have connected, some 2 ms later, a few thousand of the shop's messages join them.
  s.groups[0].start = filled;
  for (auto _ : state) {
    int channel[2];
    if (pipe(channel) != 0) std::abort();
    const pid_t child = fork();
    if (child == 0) {
      models::World world(s, 1);
      models::Observers observers({.entities = &world.entities()});
      world.trace().add_sink(observers);
      std::chrono::steady_clock::time_point begin;
      world.simulation().schedule_at(sim::Time{filled + 100ms},
                                     [&] { begin = std::chrono::steady_clock::now(); });
      world.simulation().schedule_at(sim::Time{filled + 100ms + measured}, [&] {
        const double ns =
            std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
        _exit(write(channel[1], &ns, sizeof ns) == sizeof ns ? 0 : 1);
      });
      world.run();
      _exit(1);
    }
    double ns = 0;
    const bool told = read(channel[0], &ns, sizeof ns) == sizeof ns;
    int status = 0;
    waitpid(child, &status, 0);
    close(channel[0]);
    close(channel[1]);
    if (!told || status != 0) std::abort();
    state.counters["ns_per_message"] = ns / (2e6 * sim::seconds(measured));
  }
}
BENCHMARK(rabbitmq_waiting)->Arg(1'000)->Arg(10'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

void rabbitmq_backlog(benchmark::State& state) {
  for (auto _ : state) {
    const auto bytes = [](sim::Duration duration) {
      return backlog_bytes(queue_of({.members = 10, .duration = duration, .service_ns = 1e12}));
    };
    state.counters["bytes_per_record"] = (bytes(20s) - bytes(2s)) / 9e6;
  }
}
BENCHMARK(rabbitmq_backlog)->Iterations(1)->Unit(benchmark::kMillisecond);

void sqs_backlog(benchmark::State& state) {
  for (auto _ : state) {
    const auto bytes = [](sim::Duration duration) {
      return backlog_bytes(sqs_of({.members = 10, .duration = duration, .service_ns = 1e12}));
    };
    state.counters["bytes_per_record"] = (bytes(20s) - bytes(2s)) / 9e6;
  }
}
BENCHMARK(sqs_backlog)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
