#include "models/network/routes.hpp"

#include <algorithm>

#include "models/network/connection.hpp"
#include "models/network/topology.hpp"
#include "models/scenario_error.hpp"
#include "sim/assert.hpp"

namespace models::detail {
namespace {

constexpr double kLongestMean = 86'400e9;  // one day, ns

void check_link(const std::string& path, const LinkOptions& link) {
  if (!(link.loss >= 0 && link.loss < 1))
    throw ScenarioError(path + ".loss", "a loss is at least 0 and below 1");
  if (!(link.bandwidth_bits_per_s >= 0))
    throw ScenarioError(path + ".bandwidth", "a bandwidth is not negative");
  if (!(link.latency.mean() >= 0 && link.latency.mean() <= kLongestMean)) {
    throw ScenarioError(path + ".latency", "a mean latency is at least 0 and at most a day");
  }
}

void check(const NetworkOptions& options) {
  check_link("network", options.base);
  if (options.same_host) check_link("network.same_host", *options.same_host);
  if (options.same_rack) check_link("network.same_rack", *options.same_rack);
  if (options.same_zone) check_link("network.same_zone", *options.same_zone);
  if (options.same_region) check_link("network.same_region", *options.same_region);
  if (options.between_regions) check_link("network.between_regions", *options.between_regions);
  for (std::size_t i = 0; i < options.overrides.size(); ++i) {
    check_link("network.links." + std::to_string(i), options.overrides[i].link);
  }
  for (std::size_t i = 0; i < options.topology.size(); ++i) {
    const std::string path = "network.cables." + std::to_string(i);
    const TopologyLink& cable = options.topology[i];
    check_link(path, cable.link);
    if (cable.a.empty() || cable.b.empty()) throw ScenarioError(path, "a cable has two ends");
    if (cable.a == cable.b)
      throw ScenarioError(path, "a cable joins two different ends, not '" + cable.a + "' twice");
  }
  if (options.retransmit_first <= sim::Duration{} || options.retransmit_longest < options.retransmit_first) {
    throw ScenarioError("network.retransmit_first",
                        "the retransmission timeout is positive and not above its longest value");
  }
  if (options.connect_retry <= sim::Duration{} || options.connect_timeout <= sim::Duration{}) {
    throw ScenarioError("network.connect_retry", "retry and timeout of a connection's set-up are positive");
  }
}

bool stands_at(std::string_view end, const std::string& host, const Location& location) {
  return !end.empty() &&
         (end == host || end == location.rack || end == location.zone || end == location.region);
}

bool contains(const std::vector<HostId>& hosts, HostId host) {
  return std::find(hosts.begin(), hosts.end(), host) != hosts.end();
}

/// Of an impairment's ends: an empty list stands for everybody who is not at the other end.
bool fits(const std::vector<HostId>& end, const std::vector<HostId>& other_end, HostId host) {
  return end.empty() ? !contains(other_end, host) : contains(end, host);
}

void add_loss(Route& route, double loss) {
  route.loss = 1 - (1 - route.loss) * (1 - loss);
}

void limit_bandwidth(Route& route, double bits_per_s) {
  if (bits_per_s > 0) route.ns_per_byte = std::max(route.ns_per_byte, 8e9 / bits_per_s);
}

}  // namespace

sim::Duration Route::transit(sim::Time now, std::uint32_t bytes, Streams& streams) {
  sim::Duration total = constant;
  for (const sim::Distribution& latency : latencies) total += latency.sample_duration(streams.latency);
  for (const sim::Distribution& delay : delays) total += delay.sample_duration(streams.fault);
  if (ns_per_byte > 0) {
    busy_until = std::max(busy_until, now) + sim::Distribution::to_duration(bytes * ns_per_byte);
    total += busy_until - now;
  }
  return total;
}

Routes::Routes(const NetworkOptions& options) : options_(options) {
  check(options);
  if (!options.topology.empty()) topology_ = std::make_unique<Topology>(options.topology);
}

Routes::~Routes() = default;

HostId Routes::add_host(std::string name, Location location) {
  MQLAB_ASSERT(std::none_of(hosts_.begin(), hosts_.end(), [&](const Host& h) { return h.name == name; }),
               "two hosts of one name: " + name);
  Host host{std::move(name), std::move(location), {}};
  if (topology_) {
    for (const std::string* end :
         {&host.name, &host.location.rack, &host.location.zone, &host.location.region}) {
      if (!host.attached && !end->empty()) host.attached = topology_->vertex(*end);
    }
    if (!host.attached) {
      throw ScenarioError("network.cables", "host '" + host.name +
                                                "' is no end of a cable, and neither is its rack, " +
                                                "zone or region: give it a rack that is");
    }
    const std::vector<bool> none_down(options_.topology.size());
    if (!hosts_.empty() && !topology_->path(*hosts_.front().attached, *host.attached, none_down)) {
      throw ScenarioError("network.cables",
                          "no path between '" + hosts_.front().name + "' and '" + host.name + "'");
    }
  }
  hosts_.push_back(std::move(host));
  return HostId{static_cast<std::uint32_t>(hosts_.size() - 1)};
}

std::vector<HostId> Routes::hosts_at(std::string_view name) const {
  std::vector<HostId> found;
  for (std::uint32_t i = 0; i < hosts_.size(); ++i) {
    if (stands_at(name, hosts_[i].name, hosts_[i].location)) found.push_back(HostId{i});
  }
  return found;
}

std::optional<std::size_t> Routes::find_cable(std::string_view a, std::string_view b) const {
  for (std::size_t i = 0; i < options_.topology.size(); ++i) {
    const TopologyLink& cable = options_.topology[i];
    if ((cable.a == a && cable.b == b) || (cable.a == b && cable.b == a)) return i;
  }
  return std::nullopt;
}

Route& Routes::route(HostId from, HostId to) {
  const auto [at, is_new] = routes_.try_emplace({from, to});
  if (is_new) {
    at->second.from = from;
    at->second.to = to;
    compute(at->second);
  }
  return at->second;
}

ImpairmentId Routes::impair(Impairment impairment) {
  const ImpairmentId id{next_++};
  active_.push_back({id, std::move(impairment)});
  compute_all();
  return id;
}

void Routes::heal(ImpairmentId id) {
  const auto at = std::find_if(active_.begin(), active_.end(), [&](const Active& a) { return a.id == id; });
  if (at == active_.end()) return;
  active_.erase(at);
  compute_all();
}

void Routes::compute_all() {
  for (auto& [ends, route] : routes_) compute(route);
}

const LinkOptions& Routes::tier(const Host& from, const Host& to) const {
  const auto given = [&](const std::optional<LinkOptions>& link) -> const LinkOptions& {
    return link ? *link : options_.base;
  };
  const Location &a = from.location, &b = to.location;
  if (from.name == to.name) return given(options_.same_host);
  if (a.region != b.region) return given(options_.between_regions);
  if (a.zone != b.zone) return given(options_.same_region);
  if (a.rack != b.rack) return given(options_.same_zone);
  return given(options_.same_rack);
}

std::optional<std::vector<const LinkOptions*>> Routes::links(const Route& route,
                                                             std::vector<std::size_t>& cables) const {
  const Host &from = hosts_[route.from.value], &to = hosts_[route.to.value];
  const LinkOptions* own = nullptr;
  for (const LinkOverride& o : options_.overrides) {
    const bool along = stands_at(o.from, from.name, from.location) && stands_at(o.to, to.name, to.location);
    const bool against = stands_at(o.from, to.name, to.location) && stands_at(o.to, from.name, from.location);
    if (along || (against && !o.one_way)) own = &o.link;
  }
  if (own != nullptr) return std::vector{own};
  if (!topology_ || from.attached == to.attached) return std::vector{&tier(from, to)};

  std::vector<bool> down(options_.topology.size());
  for (const Active& a : active_) {
    if (a.impairment.cable && a.impairment.cut) down[*a.impairment.cable] = true;
  }
  const auto path = topology_->path(*from.attached, *to.attached, down);
  if (!path) return std::nullopt;
  cables = *path;
  std::vector<const LinkOptions*> hops;
  for (const std::size_t cable : cables) hops.push_back(&options_.topology[cable].link);
  return hops;
}

bool Routes::acts_on(const Impairment& i, const Route& route, const std::vector<std::size_t>& cables) const {
  if (i.cable) return std::find(cables.begin(), cables.end(), *i.cable) != cables.end();
  return (fits(i.from, i.to, route.from) && fits(i.to, i.from, route.to)) ||
         (!i.one_way && fits(i.from, i.to, route.to) && fits(i.to, i.from, route.from));
}

void Routes::compute(Route& route) const {
  std::vector<std::size_t> cables;
  const auto hops = links(route, cables);
  route.latencies.clear();
  route.delays.clear();
  route.constant = {};
  route.ns_per_byte = 0;
  route.loss = 0;
  route.cut = !hops.has_value();
  if (hops) {
    for (const LinkOptions* hop : *hops) {
      if (hop->latency.is_constant()) {
        route.constant += sim::Distribution::to_duration(hop->latency.mean());
      } else {
        route.latencies.push_back(hop->latency);
      }
      limit_bandwidth(route, hop->bandwidth_bits_per_s);
      add_loss(route, hop->loss);
    }
  }
  for (const Active& a : active_) {
    const Impairment& impairment = a.impairment;
    if (!acts_on(impairment, route, cables)) continue;
    route.cut = route.cut || impairment.cut;
    add_loss(route, impairment.loss);
    limit_bandwidth(route, impairment.bandwidth_bits_per_s);
    if (impairment.delay) route.delays.push_back(*impairment.delay);
  }
}

}  // namespace models::detail
