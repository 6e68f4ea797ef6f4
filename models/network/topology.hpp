// The declared cables between hosts, racks, zones, regions and switches, as a graph with shortest paths.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/network/options.hpp"

namespace models::detail {

class Topology {
 public:
  explicit Topology(const std::vector<TopologyLink>& cables);

  std::optional<std::size_t> vertex(std::string_view name) const;
  /// The cables along the path of least mean latency over cables that are not `down`; nullopt when there is
  /// none.
  std::optional<std::vector<std::size_t>> path(std::size_t from, std::size_t to,
                                               const std::vector<bool>& down) const;

 private:
  const std::vector<TopologyLink>& cables_;
  std::map<std::string, std::size_t, std::less<>> vertices_;
};

}  // namespace models::detail
