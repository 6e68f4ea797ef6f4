#include "models/faults/catalogue.hpp"

#include <array>

#include "models/faults/application_faults.hpp"
#include "models/faults/connection_faults.hpp"
#include "models/faults/disk_faults.hpp"
#include "models/faults/link_faults.hpp"
#include "models/faults/node_faults.hpp"
#include "models/faults/topic_faults.hpp"

namespace models {
namespace {

using sim::ParameterInfo;

constexpr ParameterInfo kOther{"other", "name", "",
                               "the other end: a node, host, rack, zone or region; absent: every other host"};
constexpr ParameterInfo kOneWay{"one_way", "boolean", "false", "only what goes from target to other"};
constexpr ParameterInfo kOtherNode{"other", "node", "", "the node at the other end; absent: anybody"};

constexpr std::array kCutParameters{
    ParameterInfo{"other", "name", "",
                  "the other end: a node, host, rack, zone or region, or the other end of a cable"},
    kOneWay};
constexpr std::array kLossParameters{
    ParameterInfo{"probability", "1", "",
                  "that a segment is lost: it waits for its retransmission, with all behind it"},
    kOther, kOneWay};
constexpr std::array kDelayParameters{
    ParameterInfo{"delay", "distribution of durations", "", "what a segment takes longer, one way"}, kOther,
    kOneWay};
constexpr std::array kBandwidthParameters{
    ParameterInfo{"bandwidth", "bandwidth", "", "what is left of it, for each route"}, kOther, kOneWay};
constexpr std::array kConnectionParameters{kOtherNode};
constexpr ParameterInfo kAsker{
    "client", "name", "",
    "client.id of who asks, a producer or group, whose controller_mutation_rate counts; "
    "absent: an operator, who has none"};
constexpr ParameterInfo kPermissive{"permissive", "boolean", "false",
                                    "the request is that of a client before 2.7, as KIP-599 has it: never "
                                    "refused, the client's next one waits"};
constexpr std::array kGrowParameters{
    ParameterInfo{"partitions", "integer", "", "how many the topic has then"}, kAsker, kPermissive};
constexpr std::array kCreateParameters{kAsker, kPermissive};
constexpr std::array kReassignParameters{
    ParameterInfo{"brokers", "list of names", "", "where the replicas go, partition by partition in turn"},
    ParameterInfo{"throttle", "bytes/s", "0",
                  "what each broker may send to replicas that are added; 0: no bound"}};
constexpr std::array kDeleteRecordsParameters{
    ParameterInfo{"offset", "integer", "",
                  "of each partition what lies below it; absent: all that is replicated"},
    ParameterInfo{"older_than", "duration", "", "only what is of this age"}};
constexpr std::array kDiskSlowParameters{
    ParameterInfo{"delay", "distribution of durations", "", "what each write takes longer"}};
constexpr std::array kWrongSchemaParameters{
    ParameterInfo{"version", "name", "", "of the topic's subject, registered or not"},
    ParameterInfo{"messages", "integer", "1", "so many of the next"}};
constexpr std::array kSlowdownParameters{ParameterInfo{
    "factor", "number", "", "how many times as long its work takes: request handling, processing"}};
constexpr std::array kClockParameters{
    ParameterInfo{"ahead", "duration", "", "of the true time, from one moment to the next"},
    ParameterInfo{"behind", "duration", "", "or behind it"}};
constexpr std::array kAlterParameters{ParameterInfo{"config", "table", "", "what is set, by Kafka's names"}};
constexpr std::array kRollingParameters{
    ParameterInfo{"gap", "duration", "0s", "from one's return to the next one's end"}};

}  // namespace

std::span<const FaultInfo> fault_catalogue() {
  static constexpr std::array kRows{
      FaultInfo{{"crash", "the target's process dies; after `for` it starts again", {}},
                FaultCode::crash,
                faults::crash},
      FaultInfo{
          {"pause", "the target's process stands still (a garbage collection), its connections stay", {}},
          FaultCode::pause,
          faults::pause},
      FaultInfo{{"heartbeat-loss", "the target's heartbeats get lost while everything else goes on", {}},
                FaultCode::heartbeat_loss,
                faults::heartbeat_loss},
      FaultInfo{
          {"link-cut", "nothing gets through between two ends; a cut cable of a topology is routed around",
           kCutParameters},
          FaultCode::link_cut,
          faults::link_cut},
      FaultInfo{{"isolate", "the target reaches no other host, and none reaches it", {}},
                FaultCode::isolate,
                faults::isolate},
      FaultInfo{{"message-loss", "segments get lost: retransmission delays, never a gap", kLossParameters},
                FaultCode::message_loss,
                faults::message_loss},
      FaultInfo{{"delay", "segments take longer", kDelayParameters}, FaultCode::delay, faults::delay},
      FaultInfo{{"bandwidth", "the bandwidth collapses", kBandwidthParameters},
                FaultCode::bandwidth,
                faults::bandwidth},
      FaultInfo{{"response-loss",
                 "the target's next response is lost with its connection; the request was carried out",
                 kConnectionParameters},
                FaultCode::response_loss,
                faults::response_loss},
      FaultInfo{{"connection-reset", "connections of the target are lost at both ends at once",
                 kConnectionParameters},
                FaultCode::connection_reset,
                faults::connection_reset},
      FaultInfo{{"join", "a member that has not started, or has left, takes part; after `for` it leaves", {}},
                FaultCode::join,
                faults::join},
      FaultInfo{{"leave", "a member closes cleanly; after `for` it joins again", {}},
                FaultCode::leave,
                faults::leave},
      FaultInfo{
          {"restart",
           "a broker or member is told to stop, ends in an orderly way, and is started again `for` later",
           {}},
          FaultCode::restart,
          faults::restart},
      FaultInfo{{"rolling", "a restart of the targets one after the other, each down `for` so long",
                 kRollingParameters},
                FaultCode::rolling,
                faults::rolling},
      FaultInfo{
          {"grow", "partitions are added to a topic (kafka-topics --alter --partitions)", kGrowParameters},
          FaultCode::grow,
          faults::grow},
      FaultInfo{
          {"power-loss",
           "the target's machine stops, and what its logs had not brought to disk is gone; after `for` it "
           "starts again. Also of all in a rack, zone or region, and of all brokers (\"kafka\")",
           {}},
          FaultCode::power_loss,
          faults::power_loss},
      FaultInfo{{"reassign", "a topic's replicas are moved to other brokers (kafka-reassign-partitions)",
                 kReassignParameters},
                FaultCode::reassign,
                faults::reassign},
      FaultInfo{{"elect-preferred-leaders",
                 "the first replica of each of a topic's partitions leads again, where it is in sync "
                 "(kafka-leader-election --election-type preferred)",
                 {}},
                FaultCode::elect_preferred_leaders,
                faults::elect_preferred_leaders},
      FaultInfo{{"delete-records", "the oldest records of a topic are deleted (kafka-delete-records)",
                 kDeleteRecordsParameters},
                FaultCode::delete_records,
                faults::delete_records},
      FaultInfo{{"disk-slow", "writes of the target's disk take longer", kDiskSlowParameters},
                FaultCode::disk_slow,
                faults::disk_slow},
      FaultInfo{
          {"disk-stall", "nothing is written to the target's disk; reads of what is in memory go on", {}},
          FaultCode::disk_stall,
          faults::disk_stall},
      FaultInfo{
          {"disk-full",
           "nothing more fits on the target's disk: what tries to write ends; after `for` there is room, and "
           "it starts again",
           {}},
          FaultCode::disk_full,
          faults::disk_full},
      FaultInfo{{"failover",
                 "an operator gives up a producer's or group's instances: those of its `failover` take over",
                 {}},
                FaultCode::failover,
                faults::failover},
      FaultInfo{
          {"wrong-schema",
           "a producer writes its next messages with a version of the schema that is not its own, and the "
           "registry is not asked",
           kWrongSchemaParameters},
          FaultCode::wrong_schema,
          faults::wrong_schema},
      FaultInfo{{"create-topic",
                 "a topic of [[kafka.topics]] that does not exist before is created (kafka-topics --create)",
                 kCreateParameters},
                FaultCode::create_topic,
                faults::create_topic},
      FaultInfo{{"disk-loss",
                 "the target's machine stops, and its disk with all its logs is gone; after `for` it starts "
                 "again, with an empty one",
                 {}},
                FaultCode::disk_loss,
                faults::disk_loss},
      FaultInfo{{"slowdown",
                 "the target's work takes longer (a neighbour's load, a throttled CPU); what needs no work, "
                 "such as "
                 "heartbeats, goes on as before",
                 kSlowdownParameters},
                FaultCode::slowdown,
                faults::slowdown},
      FaultInfo{
          {"clock-skew",
           "the target's wall clock is wrong: timestamps, retention, a member's heartbeats and whatever "
           "else goes by it; not sessions and timers of brokers",
           kClockParameters},
          FaultCode::clock_skew,
          faults::clock_skew},
      FaultInfo{{"alter-config",
                 "settings of a topic are changed (kafka-configs --alter --entity-type topics); brokers go "
                 "by them as "
                 "they hear of it",
                 kAlterParameters},
                FaultCode::alter_config,
                faults::alter_config},
      FaultInfo{
          {"elect-unclean-leaders",
           "a replica that is alive leads each of a topic's partitions that has no leader, whatever it lacks "
           "(kafka-leader-election --election-type unclean)",
           {}},
          FaultCode::elect_unclean_leaders,
          faults::elect_unclean_leaders},
      FaultInfo{
          {"deny-delivery",
           "a subscription's endpoint does not let SNS in (its queue's policy or key, or it was deleted): "
           "client-side errors, which are not tried again",
           {}},
          FaultCode::deny_delivery,
          faults::deny_delivery},
  };
  return kRows;
}

const FaultInfo* find_fault(std::string_view kind) {
  for (const FaultInfo& row : fault_catalogue()) {
    if (row.entry.name == kind) return &row;
  }
  return nullptr;
}

std::span<const sim::ParameterInfo> common_fault_parameters() {
  static constexpr std::array kRows{
      ParameterInfo{"name", "text", "", "how records and errors call it; absent: kind and target"},
      ParameterInfo{"target", "name", "",
                    "who is hit: 'kafka/0', 'shop', or 'billing/*' for one drawn at each strike"},
      ParameterInfo{"at", "duration", "", "when it strikes (one of at, rate, when)"},
      ParameterInfo{"spread", "duration", "",
                    "strikes somewhere in [at, at + spread), drawn for each run; absent: exactly at `at`"},
      ParameterInfo{"rate", "1/s", "", "how often it strikes at random, as in \"1/10min\""},
      ParameterInfo{"when", "table", "",
                    "{ step, nth, subject }: the nth time a named step happens at subject"},
      ParameterInfo{"for", "duration", "", "how long it lasts; absent: to the end of arrivals"},
      ParameterInfo{"heals", "boolean", "",
                    "whether it is undone when arrivals stop; absent: yes, but not for a client that "
                    "crashed, or a member "
                    "that joined or left, without `for`"},
  };
  return kRows;
}

}  // namespace models
