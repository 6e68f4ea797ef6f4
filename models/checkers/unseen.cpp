#include "models/checkers/unseen.hpp"

namespace models {

void Unseen::finish(sim::Time end) {
  const std::vector<Ledger::Lane>& lanes = ledger_.lanes();
  for (std::uint32_t id = 1; id < lanes.size(); ++id) {
    const Ledger::Lane& lane = lanes[id];
    if (lane.partition == 0) continue;
    const Ledger::Partition& p = ledger_.partitions()[lane.partition - 1];
    if (p.subscriptions.empty() || p.queue) continue;
    visit_jointly<3>({&lane.acknowledged, &lane.polled, &lane.aborted}, lane.offered(),
                     [&](std::uint64_t seq, std::uint64_t n, const std::array<std::uint32_t, 3>& counts) {
                       if (counts[0] == 0 || counts[1] > 0 || counts[2] > 0) return;
                       anomalies_.add({end, Verdict::unseen, p.id, lane.producer, LaneId{id},
                                       static_cast<std::int64_t>(seq), -1, static_cast<std::int64_t>(n), 0});
                     });
  }
}

}  // namespace models
