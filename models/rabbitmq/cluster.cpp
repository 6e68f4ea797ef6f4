#include "models/rabbitmq/cluster.hpp"

#include <algorithm>

#include "models/rabbitmq/broker.hpp"
#include "models/rabbitmq/classic_home.hpp"
#include "models/rabbitmq/quorum_queue.hpp"
#include "models/rabbitmq/stream.hpp"

namespace models::rabbitmq {

Cluster::Cluster(Context& context, const BrokerOptions& options, const std::vector<Node*>& nodes)
    : context_(context), options_(options), topology_(options) {
  const bool raft = std::any_of(options_.queues.begin(), options_.queues.end(),
                                [](const QueueOptions& q) { return q.arguments.type == QueueType::quorum; });
  const sim::Duration detector = raft ? options_.config.detector_poll : sim::Duration{};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    brokers_.push_back(std::make_unique<Broker>(*this, *nodes[i], static_cast<std::uint16_t>(i)));
    for (std::size_t low = 0; low < i; ++low)
      links_.push_back(std::make_unique<Link>(context, *this, *brokers_[low], *brokers_[i],
                                              options.net_ticktime, detector));
  }
  for (std::size_t i = 0; i < options_.queues.size(); ++i) {
    const EntityId entity = context.entities.add(EntityKind::queue, options_.queues[i].name);
    queues_.push_back(make_queue(QueueIndex{static_cast<std::uint16_t>(i)}, options_.queues[i], entity));
  }
}

Cluster::~Cluster() {
  // Links close their connections while the nodes are there.
  links_.clear();
}

std::unique_ptr<Queue> Cluster::make_queue(QueueIndex index, const QueueOptions& options, EntityId entity) {
  if (options.arguments.type == QueueType::stream)
    return std::make_unique<Stream>(*this, index, options, entity);
  Broker& home = *brokers_[options.node];
  if (options.arguments.type == QueueType::quorum)
    return std::make_unique<QuorumQueue>(*this, index, options, entity, home);
  return std::make_unique<ClassicHome>(*this, index, options, entity, home);
}

std::uint16_t Cluster::address(ExchangeIndex exchange, const std::string& key, const Headers& headers) {
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const Address& a = addresses_[i];
    if (a.exchange == exchange && a.key == key && a.headers == headers) return static_cast<std::uint16_t>(i);
  }
  addresses_.push_back({exchange, key, headers, topology_.route(exchange, key, headers)});
  return static_cast<std::uint16_t>(addresses_.size() - 1);
}

void Cluster::set_there(QueueIndex q, bool there) {
  topology_.set_there(q, there);
  for (Address& a : addresses_) a.targets = topology_.route(a.exchange, a.key, a.headers);
}

// ---- between nodes ------------------------------------------------------------------------------------------------

Link& Cluster::link(const Broker& a, const Broker& b) const {
  const std::size_t low = std::min(a.index(), b.index());
  const std::size_t high = std::max(a.index(), b.index());
  return *links_[high * (high - 1) / 2 + low];
}

bool Cluster::connected(const Broker& from, const Broker& to) const {
  return link(from, to).up(from);
}

bool Cluster::relay(Broker& from, Broker& to, std::uint32_t bytes, Ref<Relay> relay) {
  relay->from = from.index();
  relay->at = to.index();
  struct Arrive {
    Ref<Relay> relay;
    void operator()() const {
      Cluster& cluster = relay->queue->cluster();
      relay->queue->relayed(cluster.broker(relay->at), *relay);
    }
  };
  return send(from, to, bytes, Arrive{std::move(relay)});
}

void Cluster::link_changed(Broker& at, Broker& other, bool up) {
  for (const auto& queue : queues_) {
    if (up)
      queue->link_up(at, other);
    else
      queue->link_down(at, other);
  }
  at.settle_down();
}

void Cluster::suspected(Broker& at, Broker& other, bool suspect) {
  for (const auto& queue : queues_) queue->suspected(at, other, suspect);
  at.settle_down();
}

// ---- the run ------------------------------------------------------------------------------------------------------

void Cluster::start() {
  for (std::size_t high = 1; high < brokers_.size(); ++high) {
    for (std::size_t low = 0; low < high; ++low) link(*brokers_[low], *brokers_[high]).start(*brokers_[high]);
  }
  for (const auto& queue : queues_) queue->started();
  for (const auto& broker : brokers_) broker->start_monitors();
}

void Cluster::node_crashed(Broker& broker) {
  for (const auto& other : brokers_) {
    if (other.get() != &broker) link(broker, *other).crashed(broker);
  }
  for (const auto& queue : queues_) queue->node_crashed(broker);
}

void Cluster::node_restarted(Broker& broker) {
  for (const auto& other : brokers_) {
    if (other.get() != &broker) link(broker, *other).start(broker);
  }
  for (const auto& queue : queues_) queue->node_restarted(broker);
}

void Cluster::tell() const {
  for (const auto& queue : queues_) {
    const auto code = static_cast<std::uint16_t>(queue->is_log() ? 0 : kShared | kQueue);
    for (const EntityId group : queue->groups())
      context_.emit(Kind::subscribed, {.code = code, .place = queue->entity().value, .peer = group.value});
  }
}

void Cluster::tell_depths() {
  for (const auto& queue : queues_) {
    if (queue->is_log()) continue;
    const Queue::Depth depth = queue->depth();
    context_.emit(Kind::queue_depth, {.actor = queue->leader().node().entity().value,
                                      .place = queue->entity().value,
                                      .a = static_cast<std::int64_t>(depth.ready),
                                      .b = static_cast<std::int64_t>(depth.unacknowledged)});
  }
}

sim::Duration Cluster::consumer_timeout(QueueIndex q) const {
  if (!options_.classic_consumer_timeout()) return {};
  return queue(q).options().arguments.consumer_timeout.value_or(options_.config.consumer_timeout);
}

void Cluster::alarms_changed() {
  const auto any = [this](bool (Broker::*has)() const) {
    return std::any_of(brokers_.begin(), brokers_.end(), [has](const auto& b) { return (*b.*has)(); });
  };
  alarm_.reset();
  if (any(&Broker::disk_alarm)) alarm_ = BlockedCode::disk;
  if (any(&Broker::memory_alarm)) alarm_ = BlockedCode::memory;
  for (const auto& broker : brokers_) broker->alarms_changed();
}

bool Cluster::idle() const {
  return std::all_of(brokers_.begin(), brokers_.end(), [](const auto& b) { return b->idle(); }) &&
         publish_frames_.out() == 0 && answers_frames_.out() == 0 && deliver_frames_.out() == 0 &&
         relays_.out() == 0 && submissions_.out() == 0 &&
         std::none_of(queues_.begin(), queues_.end(), [](const auto& q) { return q->busy(); });
}

std::optional<std::string> Cluster::broken() const {
  for (const auto& queue : queues_) {
    if (std::optional<std::string> wrong = queue->broken()) return wrong;
  }
  return std::nullopt;
}

}  // namespace models::rabbitmq
