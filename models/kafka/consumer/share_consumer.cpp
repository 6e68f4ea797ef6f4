#include "models/kafka/consumer/share_consumer.hpp"

#include <algorithm>

namespace models::kafka {
namespace {

/// ConsumerConfig.DEFAULT_CLOSE_TIMEOUT_MS
constexpr sim::Duration kCloseTimeout{30'000'000'000};

}  // namespace

ShareConsumer::ShareConsumer(ConsumerGroup& group, Node& node)
    : group_(group),
      options_(group.options()),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      node_(node),
      connections_(cluster_, node, options_.config),
      metadata_(cluster_, node, metadata_options_of(options_.config), group.topics()),
      membership_(group, node, "", connections_, metadata_, *this, true),
      fetcher_(group, node, connections_, metadata_, *this),
      recorder_(group, node.entity()),
      processor_(group, node, recorder_, *this),
      close_timer_(context_.simulation, node, [this] { finish_close(); }),
      renew_timer_(context_.simulation, node, [this] { renew_given(); }) {
  node.set_program(*this);
  metadata_.on_update([this] {
    membership_.partitions_seen();
    turn();
  });
}

void ShareConsumer::start() {
  wanted_ = true;
  start_again_ = close_asked_ || phase_ == Phase::closing;  // a new process, once the old one has ended
  if (!node_.up() || phase_ != Phase::stopped) return;
  if (node_.paused()) {
    return node_.run_or_hold([this] {
      if (wanted_) start();  // or it was told to leave meanwhile
    });
  }
  phase_ = Phase::polling;
  fetcher_.start(static_cast<ShareMember>(node_.entity().value) << 32 | ++lives_);
  metadata_.start();
  membership_.start();
  turn();
}

void ShareConsumer::when_running(void (ShareConsumer::*next)()) {
  if (!node_.paused()) return (this->*next)();
  node_.run_or_hold([this, next] { (this->*next)(); });
}

// ---- inside poll() ------------------------------------------------------------------------------------------------

void ShareConsumer::turn() {
  if (turning_) {
    turn_again_ = true;
    return;
  }
  turning_ = true;
  do {
    turn_again_ = false;
    turn_once();
  } while (turn_again_ && phase_ == Phase::polling);
  turning_ = false;
}

/// Once through the loop of ShareConsumerImpl.poll().
void ShareConsumer::turn_once() {
  if (phase_ == Phase::closing) return go_on_closing();
  if (phase_ == Phase::committing && !fetcher_.acknowledging()) return back_to_poll();
  if (phase_ != Phase::polling) return fetcher_.send();  // the network thread's own
  if (close_asked_) return begin_close();
  if (membership_.advance() == Membership::Progress::ended || membership_.fatal_error() != ErrorCode::none) {
    report(MemberCode::failed);
    close_asked_ = turn_again_ = true;
    return;
  }
  if (!metadata_.known()) return;
  fetcher_.collect(processor_.work(), given_);
  if (processor_.work().empty()) fetcher_.want_more();
  fetcher_.send();
  if (!processor_.work().empty()) hand_over();
}

void ShareConsumer::hand_over() {
  phase_ = Phase::processing;
  membership_.left_poll();
  if (processor_.handed_out()) when_running(&ShareConsumer::work);
}

void ShareConsumer::work() {
  if (options_.renew) renew_timer_.arm_after(*options_.renew);
  processor_.begin(false);
}

void ShareConsumer::renew_given() {
  for (const ShareFetcher::Given& one : given_)
    fetcher_.acknowledge(one.node, one.records.partition, one.records.first, one.records.end,
                         AcknowledgeType::renew);
  fetcher_.send();
  renew_timer_.arm_after(*options_.renew);
}

void ShareConsumer::processed() {
  renew_timer_.disarm();
  acknowledge_given();
  if (options_.commit != CommitMode::after_processing) return when_running(&ShareConsumer::back_to_poll);
  phase_ = Phase::committing;
  fetcher_.send();
  turn();
}

void ShareConsumer::back_to_poll() {
  phase_ = Phase::polling;
  processor_.work().clear();
  membership_.entered_poll();
  turn();
}

void ShareConsumer::gave_up(PartitionIndex partition, Offset offset) {
  if (options_.config.explicit_acknowledgement) refused_.push_back({partition, offset});
}

/// Of what the application was given: accepted, but for what it could not process and says so.
void ShareConsumer::acknowledge_given() {
  const AcknowledgeType otherwise = options_.poison && options_.poison->then == PoisonOptions::Then::reject
                                        ? AcknowledgeType::reject
                                        : AcknowledgeType::release;
  std::size_t next = 0;  // refused ones come in the order in which records were given
  for (const ShareFetcher::Given& one : given_) {
    const PartitionIndex p = one.records.partition;
    Offset from = one.records.first;
    for (; next < refused_.size(); ++next) {
      const Refused& bad = refused_[next];
      if (bad.partition != p || bad.offset < from || bad.offset >= one.records.end) break;
      if (from < bad.offset) fetcher_.acknowledge(one.node, p, from, bad.offset, AcknowledgeType::accept);
      fetcher_.acknowledge(one.node, p, bad.offset, bad.offset + 1, otherwise);
      from = bad.offset + 1;
    }
    if (from < one.records.end)
      fetcher_.acknowledge(one.node, p, from, one.records.end, AcknowledgeType::accept);
  }
  given_.clear();
  refused_.clear();
}

// ---- from the parts -----------------------------------------------------------------------------------------------

void ShareConsumer::membership_changed() {
  if (phase_ == Phase::closing && left_ && !membership_.leaving()) return finish_close();
  turn();
}

void ShareConsumer::fetched() {
  turn();
}

bool ShareConsumer::reconcile(const std::vector<PartitionIndex>& target) {
  std::vector<PartitionIndex> lost, gained;
  std::set_difference(assigned_.begin(), assigned_.end(), target.begin(), target.end(),
                      std::back_inserter(lost));
  std::set_difference(target.begin(), target.end(), assigned_.begin(), assigned_.end(),
                      std::back_inserter(gained));
  for (const PartitionIndex p : lost) own(p, false, OwnershipCode::revoked);
  for (const PartitionIndex p : gained) own(p, true, OwnershipCode::assigned);
  assigned_ = target;
  fetcher_.assign(assigned_);
  return true;
}

void ShareConsumer::lose_assignment() {
  for (const PartitionIndex p : assigned_) own(p, false, OwnershipCode::lost);
  assigned_.clear();
  fetcher_.assign(assigned_);
}

void ShareConsumer::own(PartitionIndex p, bool owned, OwnershipCode why) {
  context_.emit(Kind::ownership, {.code = static_cast<std::uint16_t>(why),
                                  .actor = node_.entity().value,
                                  .place = cluster_.partition(p).entity.value,
                                  .peer = group_.entity().value,
                                  .a = owned ? 1 : 0});
}

void ShareConsumer::report(MemberCode code) {
  context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(code),
                                     .actor = node_.entity().value,
                                     .peer = group_.entity().value,
                                     .b = membership_.generation()});
}

// ---- closing ------------------------------------------------------------------------------------------------------

void ShareConsumer::stop() {
  wanted_ = false;
  start_again_ = false;
  if (phase_ == Phase::stopped || phase_ == Phase::closing) return;
  close_asked_ = true;
  when_running(&ShareConsumer::turn);
}

/// What is in the buffer is given back with the sessions.
void ShareConsumer::begin_close() {
  phase_ = Phase::closing;
  close_timer_.arm_after(kCloseTimeout);
  membership_.stop_heartbeats();
  for (const PartitionIndex p : assigned_) own(p, false, OwnershipCode::closed);
  assigned_.clear();
  fetcher_.close();
  go_on_closing();
}

void ShareConsumer::go_on_closing() {
  if (left_ || !fetcher_.closed()) return;
  left_ = true;
  if (!membership_.leave()) finish_close();
}

void ShareConsumer::finish_close() {
  const bool again = start_again_;
  forget();
  if (again) start();
}

/// Nothing of the process remains.
void ShareConsumer::forget() {
  phase_ = Phase::stopped;
  close_asked_ = false;
  start_again_ = false;
  left_ = false;
  assigned_.clear();
  given_.clear();
  refused_.clear();
  close_timer_.disarm();
  renew_timer_.disarm();
  metadata_.stop();
  membership_.forget();
  fetcher_.forget();
  processor_.work().clear();
  connections_.abandon();
}

// ---- the node -----------------------------------------------------------------------------------------------------

void ShareConsumer::crashed() {
  processor_.crashed();
  if (phase_ != Phase::stopped) {
    for (const PartitionIndex p : assigned_) own(p, false, OwnershipCode::crashed);
    report(MemberCode::crashed);
  }
  forget();
}

void ShareConsumer::restarted() {
  if (!wanted_) return;
  report(MemberCode::restarted);
  start();
}

bool ShareConsumer::idle() const {
  if (phase_ == Phase::stopped) return !processor_.restarting();
  return phase_ == Phase::polling && !fetcher_.buffered() && !fetcher_.acknowledging();
}

}  // namespace models::kafka
