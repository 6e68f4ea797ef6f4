// How hosts reach each other: tiers, overrides, a declared topology, and what faults make of them.
//
// A route belongs to an ordered pair of hosts. It is resolved when first asked for, stays at its address, and
// is computed anew whenever an impairment comes or goes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/ids.hpp"
#include "models/network/options.hpp"
#include "sim/random.hpp"

namespace models {

using ImpairmentId = Id<struct ImpairmentTag, std::uint64_t>;
using DropId = Id<struct DropTag, std::uint64_t>;

/// What makes routes worse. It acts on routes from a host in `from` to one in `to` (empty: every other host
/// than those of the other list), in both directions unless `one_way`; or, with `cable`, on whatever runs
/// along that cable.
struct Impairment {
  std::vector<HostId> from, to;
  bool one_way = false;
  /// Index into NetworkOptions::topology; a cut one is routed around if possible.
  std::optional<std::size_t> cable{};
  bool cut = false;
  double loss = 0;                           ///< further probability of loss
  std::optional<sim::Distribution> delay{};  ///< further latency, ns
  double bandwidth_bits_per_s = 0;           ///< at most; 0: as before
};

namespace detail {

class Topology;
struct Streams;

struct Route {
  HostId from, to;
  std::vector<sim::Distribution> latencies;  ///< of each hop that varies
  sim::Duration constant{};                  ///< of the other hops together
  std::vector<sim::Distribution> delays;     ///< by faults
  double ns_per_byte = 0;
  double loss = 0;
  bool cut = false;
  sim::Time busy_until{};  ///< of its bandwidth

  bool plain() const { return latencies.empty() && delays.empty() && ns_per_byte <= 0 && loss <= 0; }
  /// From `now` to arrival: waiting for the bandwidth, serialisation, latency. Draws.
  sim::Duration transit(sim::Time now, std::uint32_t bytes, Streams& streams);
};

class Routes {
 public:
  explicit Routes(const NetworkOptions& options);
  ~Routes();

  HostId add_host(std::string name, Location location);
  const std::string& host_name(HostId host) const { return hosts_[host.value].name; }
  std::vector<HostId> hosts_at(std::string_view name) const;
  std::optional<std::size_t> find_cable(std::string_view a, std::string_view b) const;

  Route& route(HostId from, HostId to);
  /// Every route is computed anew.
  ImpairmentId impair(Impairment impairment);
  void heal(ImpairmentId id);

 private:
  struct Host {
    std::string name;
    Location location;
    std::optional<std::size_t> attached;  ///< vertex of the topology
  };
  struct Active {
    ImpairmentId id;
    Impairment impairment;
  };

  void compute(Route& route) const;
  void compute_all();
  const LinkOptions& tier(const Host& from, const Host& to) const;
  /// Hop by hop, with the cables they run along; nullopt when every path is cut.
  std::optional<std::vector<const LinkOptions*>> links(const Route& route,
                                                       std::vector<std::size_t>& cables) const;
  bool acts_on(const Impairment& impairment, const Route& route,
               const std::vector<std::size_t>& cables) const;

  const NetworkOptions& options_;
  std::unique_ptr<Topology> topology_;
  std::vector<Host> hosts_;
  std::map<std::pair<HostId, HostId>, Route> routes_;
  std::vector<Active> active_;
  std::uint64_t next_ = 1;
};

}  // namespace detail
}  // namespace models
