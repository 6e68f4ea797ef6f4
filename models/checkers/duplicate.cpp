#include "models/checkers/duplicate.hpp"

namespace models {

void Duplicate::finish(sim::Time end) {
  const std::vector<Ledger::Lane>& lanes = ledger_.lanes();
  for (std::uint32_t id = 1; id < lanes.size(); ++id) {
    const Ledger::Lane& lane = lanes[id];
    if (lane.partition == 0) continue;
    visit_jointly<2>(
        {&lane.stored, &lane.truncated}, lane.offered(),
        [&](std::uint64_t seq, std::uint64_t n, const std::array<std::uint32_t, 2>& counts) {
          if (counts[0] < counts[1] + 2) return;
          anomalies_.add({end, Verdict::duplicate, ledger_.partitions()[lane.partition - 1].id, lane.producer,
                          LaneId{id}, static_cast<std::int64_t>(seq), -1, static_cast<std::int64_t>(n), 0});
        });
  }
}

}  // namespace models
