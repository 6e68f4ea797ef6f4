// What must hold of a quorum's voters after every event of a checked run:
//
//   one leader an epoch   nobody leads in an epoch in which another has led
//   log matching          two logs that hold a record of the same epoch at the same place are equal up to there
//   committed             what is committed is in the logs of a majority
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/kafka/cluster.hpp"
#include "models/kafka/quorum/raft_voter.hpp"

namespace models::kafka {

class RaftInvariants {
 public:
  /// The cluster must outlive this.
  explicit RaftInvariants(Cluster& cluster) : cluster_(cluster) {}

  /// The first thing that is broken, in words; nothing when all is well, and where there is one controller.
  std::optional<std::string> check();
  /// This controller leads in `epoch`.
  std::optional<std::string> led(std::int32_t epoch, std::int32_t number);

 private:
  struct Seen {
    std::size_t end = 0;
    std::int32_t epoch = 0;
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  const RaftVoter& voter(std::int32_t number);
  std::optional<std::string> check_logs(const RaftVoter& a, const RaftVoter& b) const;
  std::optional<std::string> check_committed();

  Cluster& cluster_;
  std::vector<std::int32_t> leaders_;  // by epoch
  std::vector<Seen> seen_;             // by voter
  std::size_t committed_ = 0;
};

}  // namespace models::kafka
