#include "models/kafka/tiers/remote_store.hpp"

#include <chrono>

namespace models::kafka {
namespace {

/// How often a transfer looks whether a store that stands still goes on.
constexpr sim::Duration kLook = std::chrono::milliseconds{10};

}  // namespace

sim::Duration RemoteStore::time(std::int64_t bytes, sim::Stream& draws) const {
  const sim::Duration latency = options_.latency.sample_duration(draws);
  if (options_.bytes_per_s <= 0) return latency;
  return latency +
         sim::Duration{static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / options_.bytes_per_s)};
}

RemoteTransfer::RemoteTransfer(sim::Simulation& simulation, Node& broker, RemoteStore& store,
                               std::function<void(bool succeeded)> done)
    : store_(store), done_(std::move(done)), timer_(simulation, broker, [this] { due(); }) {}

void RemoteTransfer::begin(std::int64_t bytes, sim::Stream& draws) {
  refused_ = !store_.up();
  life_ = store_.node().incarnation();
  timer_.arm_after(store_.time(refused_ ? 0 : bytes, draws));
}

void RemoteTransfer::due() {
  const bool same = !refused_ && store_.up() && store_.node().incarnation() == life_;
  if (same && store_.node().paused()) return timer_.arm_after(kLook);
  done_(same);
}

}  // namespace models::kafka
