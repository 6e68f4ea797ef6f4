// A network as plain data: how far hosts are from one another, and how a connection behaves when segments are
// lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/distributions.hpp"
#include "sim/time.hpp"

namespace models {

/// Where a host stands. Hosts with equal names of a kind share it; empty names are equal too.
struct Location {
  std::string rack, zone, region;
};

/// One way between two hosts.
struct LinkOptions {
  sim::Distribution latency = sim::Distribution::constant(250'000);  ///< one way, ns
  double bandwidth_bits_per_s = 0;                                   ///< 0: unlimited
  double loss = 0;  ///< probability that a segment is lost, in [0, 1)
};

/// A link of its own for a pair of ends. An end is a host, a rack, a zone or a region; of several that fit,
/// the last counts.
struct LinkOverride {
  std::string from, to;
  bool one_way = false;
  LinkOptions link;
};

/// A cable of a declared topology, both ways. Ends are names of hosts, racks, zones, regions or switches (any
/// other name).
struct TopologyLink {
  std::string a, b;
  LinkOptions link;
};

struct NetworkOptions {
  LinkOptions base;  ///< between any two hosts that nothing below says more about
  std::optional<LinkOptions> same_host, same_rack, same_zone, same_region, between_regions;
  std::vector<LinkOverride> overrides;
  /// When given, hosts that attach to different ends (a host attaches by its own name, else its rack, zone,
  /// region) reach each other along the path of least mean latency; hosts at the same end use the tiers
  /// above.
  std::vector<TopologyLink> topology;

  // Model: TCP as Linux has it (tcp_retries2, TCP_RTO_MIN, TCP_RTO_MAX, TCP_TIMEOUT_INIT), without fast
  // retransmit: a lost segment waits for the retransmission timer, and everything behind it waits too.
  sim::Duration retransmit_first{200'000'000};
  sim::Duration retransmit_longest{120'000'000'000};
  std::uint32_t retransmits_before_reset = 15;
  sim::Duration connect_retry{1'000'000'000};     ///< first retry of a lost SYN; doubles
  sim::Duration connect_timeout{10'000'000'000};  ///< socket.connection.setup.timeout.ms
};

}  // namespace models
