// A fault as plain data: what goes wrong, where, when and for how long. models/faults/catalogue.hpp says
// which kinds there are and which of these fields each reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/faults/steps.hpp"
#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models {

struct FaultSpec {
  /// The `nth` occurrence (from 1) of `step` at `subject`; empty: at the target.
  struct When {
    Step step{};
    std::int64_t nth = 1;
    std::string subject;
  };

  std::string kind;  ///< a name of the catalogue
  std::string name;  ///< empty: kind and target
  /// A node ("kafka/0", "billing/1", "shop"), "billing/*" for one of them drawn at each strike, or a role
  /// that the world offers; for links also a host, rack, zone or region; for grow a topic.
  std::string target;
  std::string other;     ///< the other end of a link, or the client of a response
  bool one_way = false;  ///< only from target to other

  // exactly one of
  std::optional<sim::Duration> at;     ///< since the start of the run
  std::optional<sim::Duration> every;  ///< mean time between strikes, exponential: `rate = "1/10min"`
  std::optional<When> when;

  /// Of `at`: it strikes somewhere in [at, at + spread), drawn for each run, every moment as likely. Timers
  /// that all start with the run have the same phase in each; without a spread each trial would meet the
  /// same.
  std::optional<sim::Duration> spread;

  std::optional<sim::Duration> duration;  ///< `for`; absent: to the end of arrivals
  /// Whether what still lasts when arrivals stop is undone then. Unless given: yes, but a client crashed
  /// without `for` stays dead, and a member that joined or left without `for` stays so.
  std::optional<bool> heals;

  std::optional<sim::Duration> gap;        ///< rolling: from one's return to the next one's end
  std::vector<std::string> brokers;        ///< reassign: where the replicas go
  double throttle = 0;                     ///< reassign: bytes a second; 0: no bound
  std::optional<std::int32_t> partitions;  ///< grow: how many the topic has then
  std::string client;                  ///< grow, create-topic: who asks; empty: an operator, without quota
  bool permissive = false;             ///< grow, create-topic: as clients before KIP-599 ask
  std::optional<std::int64_t> offset;  ///< delete-records: all below it
  std::optional<sim::Duration> older_than;  ///< delete-records: all of this age
  double probability = 0;                   ///< message-loss
  std::optional<sim::Distribution> delay;   ///< delay, ns one way
  double bandwidth_bits_per_s = 0;          ///< bandwidth
  std::string version;                      ///< wrong-schema: what is written with
  std::optional<std::int64_t> messages;     ///< wrong-schema: how many; one unless given
  double factor = 0;                        ///< slowdown: how many times as long work takes
  std::optional<sim::Duration> ahead{};     ///< clock-skew: of the true time
  std::optional<sim::Duration> behind{};    ///< clock-skew: likewise
  /// alter-config: the topic's settings by Kafka's names, as texts.
  std::vector<std::pair<std::string, std::string>> config{};
};

}  // namespace models
