#include "models/network/topology.hpp"

#include <algorithm>
#include <cstdint>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>

namespace models::detail {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS, boost::no_property,
                                    boost::property<boost::edge_weight_t, std::int64_t>>;

std::int64_t weight(const TopologyLink& cable) {
  return sim::Distribution::to_duration(cable.link.latency.mean()).count();
}

}  // namespace

Topology::Topology(const std::vector<TopologyLink>& cables) : cables_(cables) {
  for (const TopologyLink& cable : cables) {
    vertices_.try_emplace(cable.a, vertices_.size());
    vertices_.try_emplace(cable.b, vertices_.size());
  }
}

std::optional<std::size_t> Topology::vertex(std::string_view name) const {
  const auto found = vertices_.find(name);
  if (found == vertices_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::vector<std::size_t>> Topology::path(std::size_t from, std::size_t to,
                                                       const std::vector<bool>& down) const {
  Graph graph(vertices_.size());
  for (std::size_t i = 0; i < cables_.size(); ++i) {
    if (down[i]) continue;
    boost::add_edge(*vertex(cables_[i].a), *vertex(cables_[i].b), weight(cables_[i]), graph);
  }
  std::vector<std::size_t> before(vertices_.size());
  boost::dijkstra_shortest_paths(graph, from, boost::predecessor_map(before.data()));

  std::vector<std::size_t> path;
  for (std::size_t at = to; at != from; at = before[at]) {
    if (before[at] == at) return std::nullopt;
    std::optional<std::size_t> best;  // of parallel cables the nearest
    for (std::size_t i = 0; i < cables_.size(); ++i) {
      const std::size_t a = *vertex(cables_[i].a), b = *vertex(cables_[i].b);
      const bool joins = (a == at && b == before[at]) || (b == at && a == before[at]);
      if (joins && !down[i] && (!best || weight(cables_[i]) < weight(cables_[*best]))) best = i;
    }
    path.push_back(*best);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace models::detail
