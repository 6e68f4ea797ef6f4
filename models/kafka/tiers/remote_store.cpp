#include "models/kafka/tiers/remote_store.hpp"

#include <utility>

namespace models::kafka {

void RemoteStore::tell() {
  for (RemoteTransfer* const transfer : std::exchange(waiting_, {})) transfer->store_changed();
}

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
  if (same && store_.node().paused()) {
    waits_ = true;
    return store_.wait(*this);
  }
  done_(same);
}

/// At this instant, unless the broker stands still.
void RemoteTransfer::store_changed() {
  waits_ = false;
  timer_.arm_after({});
}

void RemoteTransfer::cancel() {
  timer_.disarm();
  if (std::exchange(waits_, false)) store_.forget(*this);
}

}  // namespace models::kafka
