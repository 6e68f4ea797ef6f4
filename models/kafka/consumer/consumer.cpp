#include "models/kafka/consumer/consumer.hpp"

#include <algorithm>

#include "models/kafka/consumer/hand_off_pool.hpp"
#include "models/kafka/consumer/lane_pool.hpp"
#include "models/kafka/consumer/state_stores.hpp"
#include "models/kafka/consumer/stream_thread.hpp"
#include "models/kafka/consumer/transformer.hpp"
#include "models/kafka/group/assignor.hpp"
#include "models/kafka/mirror/mirror.hpp"
#include "models/kafka/placement.hpp"

namespace models::kafka {

namespace {

/// The timeout that the application gives to poll().
/// Model: poll() is called with a timeout of 100 ms, as in the examples of Kafka's documentation. It matters only while
/// the coordinator is unknown: poll() then waits for it that long before it hands out what it has.
constexpr sim::Duration kPollTimeout{100'000'000};

std::string rack_of(const GroupOptions& group, std::uint32_t index) {
  return group.racks.empty() ? group.rack : group.racks[index % group.racks.size()];
}

/// The protocol that all assignors support: cooperative only if each of them does (ConsumerCoordinator's constructor).
bool all_cooperative(const ConsumerConfig& config) {
  const std::vector<Assignor>& assignors = config.partition_assignment_strategy;
  return std::all_of(assignors.begin(), assignors.end(), [](Assignor a) { return is_cooperative(a); });
}

}  // namespace

Consumer::Consumer(ConsumerGroup& group, Node& node, std::uint32_t index)
    : group_(group),
      options_(group.options()),
      cluster_(group.cluster()),
      context_(group.cluster().context()),
      node_(node),
      cooperative_(all_cooperative(options_.config)),
      automatic_(((options_.commit == CommitMode::automatic || options_.commit == CommitMode::stored) &&
                  options_.config.enable_auto_commit) ||
                 options_.commit == CommitMode::completed),
      index_(index),
      connections_(cluster_, node, options_.config),
      metadata_(cluster_, node, metadata_options_of(options_.config), group.topics()),
      assignment_(cluster_, group.entity(), node.entity()),
      own_membership_(make_membership(group, node, numbered(options_.config.group_instance_id, index),
                                      connections_, metadata_, *this)),
      membership_(*own_membership_),
      positions_(group, node, assignment_, membership_, connections_, metadata_, *this),
      fetcher_(group, node,
               cluster_.find_rack(with_rack(options_.config.client_rack, rack_of(options_, index))),
               assignment_, positions_, connections_, metadata_, *this),
      committer_(group, node, assignment_, membership_, *this),
      recorder_(group, node.entity()),
      processor_(group, node, recorder_, *this),
      turn_timer_(context_.simulation, node, [this] { turn(); }),
      close_timer_(context_.simulation, node, [this] { finish_close(); }) {
  if (cluster_.options().rules.has(Rule::rack_aware_assignors))
    rack_ = with_rack(options_.config.client_rack, rack_of(options_, index));
  node.set_program(*this);
  metadata_.on_update([this] {
    membership_.partitions_seen();
    turn();
  });
  if (options_.commit == CommitMode::stored || options_.commit == CommitMode::completed) {
    stored_.emplace(cluster_.partitions().size(), options_.reset_stored_offsets);
    committer_.commit_stored(*stored_);
  }
  if (options_.hand_off) add_pool();
  OutletOwner& owner = *this;
  if (options_.streams)
    outlet_ = std::make_unique<StreamThread>(group, node, index, owner);
  else if (options_.transform)
    outlet_ = std::make_unique<Transformer>(group, node, index, owner);
  if (group.mirror() != nullptr) outlet_ = group.mirror()->make_task(node, owner);
  if (group.outlet_maker()) outlet_ = group.outlet_maker()(node, index, owner);
}

void Consumer::add_pool() {
  AssignmentListener& listener = *this;
  assignment_.tell(listener);
  const auto moved = [this] { turn(); };
  if (works_in_lanes(options_)) {
    pool_ = std::make_unique<LanePool>(group_, node_, recorder_, stored_ ? &*stored_ : nullptr, moved);
    return;
  }
  auto pool = std::make_unique<HandOffPool>(group_, node_, recorder_, options_.hand_off->threads, moved);
  if (stored_) pool->store_in(*stored_);
  pool_ = std::move(pool);
}

void Consumer::start() {
  wanted_ = true;
  start_again_ = close_asked_ || phase_ == Phase::closing;  // a new process, once the old one has ended
  if (!node_.up() || phase_ != Phase::stopped) return;
  if (node_.paused()) {
    return node_.run_or_hold([this] {
      if (wanted_) start();  // or it was told to leave meanwhile
    });
  }
  enter(Phase::polling);
  poll_began_ = context_.now();
  committer_.restart_interval();
  if (pool_) pool_->started();
  if (outlet_) outlet_->start();
  metadata_.start();
  membership_.start();
  turn();
}

// ---- inside poll() ------------------------------------------------------------------------------------------------

void Consumer::turn() {
  if (turning_) {
    turn_again_ = true;
    return;
  }
  turning_ = true;
  bool asked = false;
  do {
    turn_again_ = false;
    asked = turn_once();
  } while (turn_again_ && phase_ == Phase::polling);
  turning_ = false;
  if (!asked) fetcher_.rouse();
}

/// Once through the loop of ClassicKafkaConsumer.poll(). Returns true when it has asked for records, and waits for them.
bool Consumer::turn_once() {
  if (phase_ != Phase::polling) return false;
  if (close_asked_) {
    if (ready_to_close() && !commit_open()) begin_close();
    return false;
  }
  if (coordinate() && !positions_.update()) {
    end_application();
    return false;
  }
  // A listener's commitSync() holds up the poll() that called it: an application that waits for its commits does not begin
  // new work, and another commit, before it has returned.
  const bool waits_for_commits =
      options_.commit != CommitMode::automatic && options_.commit != CommitMode::asynchronous &&
      options_.commit != CommitMode::stored && options_.commit != CommitMode::completed;
  if (commit_for_ != CommitFor::nothing && waits_for_commits) return false;
  // Not in the middle of a rebalance (TaskManager.commit).
  if (outlet_ && context_.now() >= outlet_->commit_due() && membership_.settled() && commit_open(true))
    return false;
  if (phase_ != Phase::polling || close_asked_ || held_up_by_coordinator()) return false;
  if (pool_ && pool_->full()) {  // paused: nothing is handed out, nor fetched (KafkaConsumer.pause())
    arm_turn_timer();
    return false;
  }
  fetcher_.collect(processor_.work());
  fetcher_.send();
  if (!processor_.work().empty()) {
    hand_over();
    return false;
  }
  arm_turn_timer();
  return true;
}

/// ConsumerCoordinator.poll(): true when the member is in an active group, and what is due there has been done.
bool Consumer::coordinate() {
  if (stored_) pool_->tell();
  if (membership_.fatal_error() != ErrorCode::none) {
    end_application();
    return false;
  }
  switch (membership_.advance()) {
    case Membership::Progress::ready:
      break;
    case Membership::Progress::waiting:
      return false;
    case Membership::Progress::ended:
      end_application();
      return false;
  }
  if (automatic_) committer_.automatic_if_due();
  if (phase_ == Phase::polling && commit_owed_) {
    commit_owed_ = false;
    committer_.asynchronous();
  }
  return phase_ == Phase::polling;
}

bool Consumer::waits_for_coordinator() const {
  return membership_.poll_needs_coordinator() && !membership_.coordinator_known();
}

/// ensureCoordinatorReady(timer) comes before anything is handed out, and takes the whole of poll()'s timeout if need be.
bool Consumer::held_up_by_coordinator() {
  if (!waits_for_coordinator()) return false;
  const sim::Time until = poll_began_ + kPollTimeout;
  if (context_.now() >= until) {
    poll_began_ = context_.now();  // that poll() ends now, with whatever there is
    return false;
  }
  turn_timer_.arm_at(until);
  return true;
}

void Consumer::arm_turn_timer() {
  sim::Time next = sim::kNever;
  // Not before a rebalance: what comes first there wakes this loop, and a commit that is due would only spin.
  if (automatic_ && membership_.settled()) next = committer_.next_automatic();
  if (outlet_ && membership_.settled()) next = std::min(next, outlet_->commit_due());
  if (waits_for_coordinator()) next = std::min(next, poll_began_ + kPollTimeout);
  if (next == sim::kNever)
    turn_timer_.disarm();
  else
    turn_timer_.arm_at(std::max(next, context_.now()));
}

void Consumer::hand_over() {
  enter(Phase::processing);
  turn_timer_.disarm();
  membership_.left_poll();
  if (processor_.handed_out()) when_running(&Consumer::begin_work);
}

void Consumer::enter(Phase phase) {
  phase_ = phase;
  if (phase != Phase::polling) fetcher_.rouse();
}

void Consumer::back_to_poll() {
  enter(Phase::polling);
  poll_began_ = context_.now();
  processor_.work().clear();
  membership_.entered_poll();
  turn();
}

// ---- from the parts -----------------------------------------------------------------------------------------------

void Consumer::describe(Subscription& subscription) const {
  subscription.topics.assign(group_.topics().begin(), group_.topics().end());
  // Cooperative members say what they hold; sticky ones what they were last given, though it has been revoked.
  const std::vector<PartitionIndex>& owned = cooperative_ ? assignment_.partitions() : last_assigned_;
  subscription.owned.assign(owned.begin(), owned.end());
  subscription.generation = last_generation_;
  subscription.rack = rack_;
}

void Consumer::assigned(PartitionIndex p) {
  if (stored_) stored_->assigned(p);
}

void Consumer::revoked(PartitionIndex p) {
  if (stored_) stored_->revoked(p);
  if (pool_) pool_->revoked(p);
}

void Consumer::membership_changed() {
  if (phase_ == Phase::closing && !committer_.blocked() && !membership_.leaving()) return finish_close();
  committer_.wake();
  turn();
}

void Consumer::report(MemberCode code) {
  context_.emit(Kind::member_state, {.code = static_cast<std::uint16_t>(code),
                                     .actor = node_.entity().value,
                                     .peer = group_.entity().value,
                                     .b = membership_.generation()});
}

// ---- the node -----------------------------------------------------------------------------------------------------

void Consumer::crashed() {
  processor_.crashed();
  if (pool_) pool_->crashed();
  if (outlet_) outlet_->crashed();
  if (group_.stores() != nullptr) group_.stores()->closed_dirty(index_);
  if (phase_ != Phase::stopped) {
    assignment_.remove_all(OwnershipCode::crashed);
    report(MemberCode::crashed);
  }
  forget();
}

void Consumer::restarted() {
  if (!wanted_) return;
  report(MemberCode::restarted);
  start();
}

void Consumer::paused() {
  processor_.paused();
  if (outlet_) outlet_->paused();
  if (pool_) pool_->paused();
}

void Consumer::resumed() {
  processor_.resumed();
  if (outlet_) outlet_->resumed();
  if (pool_) pool_->resumed();
}

Offset Consumer::lowest_in_hand(PartitionIndex p) const {
  Offset lowest = processor_.work().lowest(p, LogReader::kNoLowest);
  if (pool_) lowest = pool_->lowest(p, lowest);
  if (assignment_.can_fetch(p)) lowest = std::min(lowest, assignment_[p].position);
  return lowest;
}

bool Consumer::idle() const {
  if (phase_ == Phase::stopped) return !processor_.restarting();
  const bool working = phase_ != Phase::polling || (pool_ && !pool_->idle()) || fetcher_.buffered() ||
                       (outlet_ && outlet_->open());
  return !working && membership_.settled() && !assignment_.unsettled() && !commits_to_come();
}

bool Consumer::commits_to_come() const {
  // A mirror's task notes how far it has come once a minute: what counts is that all is copied.
  if (group_.mirror() != nullptr) return committer_.under_way();
  // Only auto-commit comes by itself: an application whose commit failed commits again with its next records.
  if (options_.commit == CommitMode::automatic) return assignment_.dirty();
  if (stored_) {
    const auto& held = assignment_.partitions();
    return std::any_of(held.begin(), held.end(), [this](PartitionIndex p) { return stored_->to_commit(p); });
  }
  return commit_owed_ || committer_.under_way();
}

}  // namespace models::kafka
