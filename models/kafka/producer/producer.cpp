#include "models/kafka/producer/producer.hpp"

#include <algorithm>

#include "models/kafka/lag_reader.hpp"
#include "sim/assert.hpp"

namespace models::kafka {
namespace {

std::vector<PartitionQueue> partitions_of(const Cluster& cluster, const std::string& topic) {
  const std::optional<TopicIndex> found = cluster.find_topic(topic);
  MQLAB_ASSERT(found.has_value(), "a producer's topic exists: " + topic);
  const TopicInfo& info = cluster.topic(*found);
  std::vector<PartitionQueue> partitions(static_cast<std::size_t>(info.partitions_most));
  for (std::uint32_t p = 0; p < partitions.size(); ++p) {
    partitions[p].index = PartitionIndex{info.first.value + p};
    partitions[p].entity = cluster.partition(partitions[p].index).entity;
  }
  return partitions;
}

/// The cluster's table of keys, where the topic is compacted and the records have keys.
ProducerSetup with_record_keys(Cluster& cluster, const ProducerOptions& options, ProducerSetup setup) {
  const TopicInfo& topic = cluster.topic(*cluster.find_topic(options.to));
  if ((topic.cleanup.compacts || topic.keys_read) && options.keys.in_records())
    setup.record_keys = &cluster.record_keys();
  if (topic.times_read) setup.record_times = &cluster.record_times();
  return setup;
}

sim::Stream stream(const Context& context, const Node& node, const char* purpose) {
  return sim::Stream(context.simulation.seed(), "producer/" + node.name() + "/" + purpose);
}

ProducerSetup by_rules_of(const Cluster& cluster, ProducerSetup setup) {
  setup.rules = cluster.options().rules;
  return setup;
}

}  // namespace

Producer::Producer(Cluster& cluster, Node& node, const ProducerOptions& options, ProducerSetup setup)
    : Producer(
          cluster.context(), node, options, partitions_of(cluster, options.to),
          [&](GatewayListener& listener) -> std::unique_ptr<ProducerGateway> {
            return std::make_unique<ClusterGateway>(cluster, node, options.config,
                                                    *cluster.find_topic(options.to), listener,
                                                    options.clock_ahead);
          },
          by_rules_of(cluster, with_record_keys(cluster, options, setup))) {
  show_partitions(static_cast<std::uint32_t>(cluster.topic(*cluster.find_topic(options.to)).partitions));
  if (cluster.options().rules.has(Rule::renumber_after_earlier)) sender_->sequences().wait_for_earlier();
  if (!cluster.options().rules.has(Rule::recovery_by_epoch)) sender_->sequences().recover_by_id();
  if (options.admission && options.admission->shed) {
    const AdmissionOptions::Shed& shed = *options.admission->shed;
    lag_reader_ = std::make_unique<LagReader>(cluster, node, shed.group, setup.topics_watched, shed.every,
                                              [this](std::int64_t lag) { admission_->see_lag(lag); });
  }
  if (setup.transactional_id.empty()) return;
  TransactionOwner& owner = *this;
  transactions_ = std::make_unique<TransactionManager>(cluster, node, config_, setup.transactional_id,
                                                       sender_->sequences(), owner);
  sender_->use_transactions(*transactions_);
}

Producer::Producer(Context& context, Node& node, const ProducerOptions& options,
                   std::vector<PartitionQueue> partitions, const GatewayFactory& make_gateway,
                   ProducerSetup setup)
    : context_(context),
      node_(node),
      options_(options),
      config_(options.config),
      run_ahead_(setup.run_ahead && !options.admission),
      forgets_sequences_(!setup.rules.has(Rule::sequences_outlive_metadata)),
      sizer_(options.keys),
      source_(context.simulation.seed(), node.name(), options),
      accumulator_(context, node.entity(),
                   {.batch_size = config_.batch_size,
                    .buffer_memory = config_.buffer_memory,
                    .max_request_size = config_.max_request_size,
                    .batch_num_messages = config_.batch_num_messages,
                    .max_messages = config_.queue_buffering_max_messages,
                    .keep_keys = options.keys.count > 0 || setup.record_keys != nullptr,
                    .keep_sizes = options.resend || options.resend_after_restart,
                    .record_keys = setup.record_keys,
                    .record_times = setup.record_times,
                    .node = &node,
                    .clock_ahead = options.clock_ahead},
                   std::move(partitions)),
      gateway_(make_gateway(*this)),
      application_(setup.application),
      abort_draws_(stream(context, node, "aborts")),
      acknowledged_step_(context.steps.cell(node.entity(), Step::acknowledged)),
      timer_(context.simulation, node, [this] { on_timer(); }) {
  if (application_ == nullptr) node.set_program(*this);
  if (options.admission) admission_.emplace(*options.admission);
  if (application_ != nullptr) accumulator_.report().derives(setup.group);
  if (setup.names_are_tickets) accumulator_.report().keeps_names();
  if (setup.facts != nullptr) accumulator_.report().says(*setup.facts);
  if (options.keys.count == 0) accumulator_.report().has_no_keys();
  if (options.tombstones > 0) accumulator_.report().look_for_tombstones();
  if (!options.keys.in_records()) {
    setup.keys = nullptr;
  } else if (setup.keys == nullptr) {
    setup.keys = std::make_shared<KeyPartitions>(options.keys, accumulator_.size(), key_hash(config_));
  }
  if (source_.constant_size() && setup.keys == nullptr) fixed_ = sizer_.fixed_bytes(source_.size(0), 0);
  SenderClient& callbacks = *this;
  sender_ =
      std::make_unique<Sender>(config_, accumulator_, *gateway_, callbacks, stream(context, node, "backoff"),
                               setup.rules.has(Rule::delivery_timeout));
  router_ = std::make_unique<Router>(
      config_, setup.rules, accumulator_, *sender_, std::move(setup.keys),
      stream(context, node, "partitioner"),
      sim::stream_key(context.simulation.seed(), "producer/" + node.name() + "/slots"));
  forecast_ = std::make_unique<Forecast>(config_, accumulator_, *router_, source_, sizer_);
  if (options.schema && setup.schemas != nullptr) serializer_ = make_serializer(*setup.schemas);
}

Producer::~Producer() = default;

void Producer::start() {
  const Busy busy(*this);
  free_ = context_.now();
  gateway_->start();
  source_.start(context_.now());
  if (serializer_) serializer_->start();
  if (transactions_) transactions_->start();
  if (lag_reader_) lag_reader_->start();
  if (options_.transactions) blocked_ = Blocked::on_transaction;
  advance();
}

// ---- embedded ---------------------------------------------------------------------------------------------

Message Producer::made(std::uint32_t size, LaneId of_lane, std::int64_t of_seq,
                       std::int32_t partition) const {
  return {.created = context_.now(),
          .size = size,
          .fixed = sizer_.fixed_bytes(size, 0),
          .old_lane = of_lane,
          .old_seq = of_seq,
          .partition = partition};
}

Message Producer::event(std::uint32_t size, std::uint32_t key, LaneId lane, std::int64_t seq) const {
  return {.created = context_.now(),
          .key = key,
          .size = size,
          .fixed = sizer_.fixed_bytes(size, key),
          .old_lane = lane,
          .old_seq = seq};
}

void Producer::send(std::span<const Message> messages) {
  const Busy busy(*this);
  resends_.insert(resends_.end(), messages.begin(), messages.end());
  ++disturbances_;
  wake_sender_ = true;
  advance();
}

void Producer::flush() {
  flushing_ = true;
  go_on();
}

void Producer::go_on() {
  const Busy busy(*this);
  wake_sender_ = true;
  advance();
}

void Producer::transaction_moved() {
  const Busy busy(*this);
  catch_up(context_.now());
  ++disturbances_;
  wake_sender_ = true;
  advance();
}

void Producer::stop_arrivals() {
  const sim::Time now = context_.now();
  const Busy busy(*this);
  if (!node_.up()) {
    // Also what would arise in this very moment: nobody is there to send it.
    source_.skip_to(now + sim::Duration{1});
    return source_.stop(now);
  }
  if (!paused_) catch_up(now);
  source_.stop(now);
  ++disturbances_;
  if (!paused_) advance();
}

bool Producer::idle() {
  if (options_.transactions && transactions_->open()) return false;
  return source_.exhausted() && resent_ == resends_.size() && accumulator_.batches() == 0;
}

// ---- the application's thread -----------------------------------------------------------------------------

void Producer::catch_up(sim::Time now) {
  if (admission_) return let_in(now);
  send_arisen(now);
}

/// Also what arises at `now`; with admission, what was let in.
void Producer::send_arisen(sim::Time now) {
  for (;;) {
    if (blocked_ != Blocked::no) {
      if (now < block_deadline_ || blocked_ == Blocked::on_schema) return;
      refuse_head(blocked_ == Blocked::on_metadata ? RefusedCode::no_metadata : RefusedCode::buffer_full,
                  now);
      continue;
    }
    const bool resending = resent_ < resends_.size();
    if (!resending && (admission_ ? let_in_ == 0 : source_.next() > now)) return;
    if (!gateway_->metadata_known()) {
      block(Blocked::on_metadata, std::max(free_, resending ? resends_[resent_].created : source_.next()));
    } else if (serializer_ && !serializer_->ready()) {
      wait_for_schema();
    } else if (resending) {
      send_one(Message(resends_[resent_]));
    } else if (admission_ || (serializer_ && serializer_->has_wrong()) ||
               !(router_->is_sticky() ? send_sticky(now) : send_routed(now))) {
      send_one(described(0));
    }
  }
}

Message Producer::described(std::size_t i) const {
  const std::uint32_t key = source_.key(i);
  const std::uint32_t size = source_.size(i);
  return {.created = source_.times()[i],
          .key = key,
          .size = size,
          .fixed = sizer_.fixed_bytes(size, key),
          .tombstone = source_.tombstone(i)};
}

void Producer::take_head() {
  block_deadline_ = sim::kNever;
  if (resent_ == resends_.size()) {
    if (admission_) --let_in_;
    return source_.pop(1);
  }
  if (++resent_ < resends_.size()) return;
  resends_.clear();
  resent_ = 0;
}

void Producer::send_one(const Message& message) {
  const sim::Time at = std::max(message.created, free_);
  if (!accumulator_.accepts(message.fixed)) return refuse_head(RefusedCode::too_large, at);
  const bool named = message.partition >= 0;
  const std::uint32_t partition =
      named ? static_cast<std::uint32_t>(message.partition) : router_->route(message.key, at);
  const Accumulator::Outcome outcome = accumulator_.append(partition, message, at);
  wake_sender_ = wake_sender_ || outcome.closed;
  if (!outcome.appended) return block(Blocked::on_memory, at);
  take_head();
  if (serializer_) serializer_->appended(accumulator_[partition]);
  if (!named) router_->appended(outcome.bytes, at);
  if (!outcome.opened) return;
  if (config_.linger <= sim::Duration{} || accumulator_[partition].leader.leader == kNoBroker)
    wake_sender_ = true;
  else
    sender_deadline_ = std::min(sender_deadline_, at + config_.linger);
}

/// The main path of keyless messages: all at once into the open batch of the sticky partition. False when the
/// next one needs send_one().
bool Producer::send_sticky(sim::Time now) {
  if (router_->moves_next()) return false;
  const std::uint32_t partition = router_->sticky().partition();
  if (accumulator_.open_batch(partition) == nullptr) return false;
  const Accumulator::Columns known{source_.times(), source_.keyed() ? source_.keys() : nullptr,
                                   source_.constant_size() ? nullptr : source_.sizes(), source_.size(0),
                                   source_.known()};
  const Accumulator::Run run =
      accumulator_.append_run(partition, known, sizer_, fixed_, free_, now, router_->sticky().room());
  if (run.appended == 0) return false;
  source_.pop(run.appended);
  block_deadline_ = sim::kNever;
  if (accumulator_.all_full(partition)) wake_sender_ = true;
  router_->appended(run.bytes, now);
  return true;
}

/// The main path of the others: each into the open batch of its partition. False when the next one needs
/// send_one().
bool Producer::send_routed(sim::Time now) {
  const std::size_t known = source_.known();
  std::size_t sent = 0;
  for (; sent < known && source_.times()[sent] <= now; ++sent) {
    const Message message = described(sent);
    if (!accumulator_.accepts(message.fixed)) break;
    const std::uint32_t partition = router_->route(message.key, std::max(message.created, free_));
    const std::int32_t bytes =
        accumulator_.append_to_open(partition, message, std::max(message.created, free_));
    if (bytes == 0) break;
    if (accumulator_.all_full(partition)) wake_sender_ = true;
    router_->appended(bytes, now);
  }
  if (sent == 0) return false;
  source_.pop(sent);
  block_deadline_ = sim::kNever;
  return true;
}

void Producer::block(Blocked on, sim::Time at) {
  blocked_ = on;
  // What librdkafka is given before it knows the topic waits like any other message (rd_kafka_msg_partitioner).
  const bool queues = on == Blocked::on_metadata && config_.client == Client::librdkafka;
  if (block_deadline_ == sim::kNever)
    block_deadline_ = at + (queues ? config_.delivery_timeout : config_.max_block);
  wake_sender_ = true;
}

void Producer::unblock() {
  if (blocked_ == Blocked::no || blocked_ == Blocked::on_transaction || blocked_ == Blocked::on_schema)
    return;
  if (blocked_ == Blocked::on_metadata && !gateway_->metadata_known()) return;
  if (blocked_ == Blocked::on_memory) {
    const std::int32_t fixed = resent_ < resends_.size() ? resends_[resent_].fixed : described(0).fixed;
    if (accumulator_.buffer_for(fixed) > accumulator_.available_memory() || accumulator_.room() <= 0) return;
  }
  blocked_ = Blocked::no;
  free_ = context_.now();
  ++disturbances_;
}

/// send() throws in a transaction that has failed.
void Producer::refuse_unsent() {
  while (!accepted()) refuse_head(RefusedCode::closed, context_.now());
}

void Producer::refuse_head(RefusedCode code, sim::Time now) {
  const sim::Time created = resent_ < resends_.size() ? resends_[resent_].created : source_.times()[0];
  accumulator_.report().refused(code, {sim::nanoseconds(created)});
  if (application_ != nullptr && resent_ < resends_.size())
    application_->told(resends_[resent_].old_lane, resends_[resent_].old_seq, false);
  if (blocked_ != Blocked::no) free_ = now;
  blocked_ = Blocked::no;
  ++disturbances_;
  ++failures_;
  take_head();
  source_.release(now, 1);
}

// ---- turns ------------------------------------------------------------------------------------------------

void Producer::advance() {
  for (;;) {
    const sim::Time now = context_.now();
    if (application_ != nullptr && transactions_ && transactions_->drops_unsent()) refuse_unsent();
    catch_up(now);
    if (options_.transactions) drive_transactions(now);
    if (!wake_sender_ && now < sender_deadline_) {
      if (run_transactions()) continue;
      break;
    }
    wake_sender_ = false;
    flushing_ = flushing_ && !flushed();
    sender_deadline_ = sender_->run(now, flushing_ || blocked_ == Blocked::on_memory);
    if (!node_.up()) return;
    unblock();
  }
  if (!node_.up()) return;
  sleep();
  if (application_ != nullptr) application_->producer_moved();
}

void Producer::sleep() {
  const sim::Time now = context_.now();
  sim::Time wake = sender_deadline_;
  if (blocked_ != Blocked::no) {
    wake = std::min(wake, block_deadline_);
  } else if (!run_ahead_ || !gateway_->metadata_known() || (serializer_ && !serializer_->ready())) {
    wake = std::min(wake, source_.next());
  } else {
    const std::uint64_t stamp = disturbances_ + sender_->moves();
    if (stamp != decision_stamp_ || decision_ <= now) {
      decision_ = forecast_->next(free_, wake);
      decision_stamp_ = stamp;
    }
    wake = std::min(wake, decision_);
  }
  if (blocked_ == Blocked::no) wake = std::min(wake, commit_at_);
  if (admission_) wake = std::min(wake, next_at_gate());
  if (wake == sim::kNever) return timer_.disarm();
  if (!timer_.armed() || timer_.deadline() != wake) timer_.arm_at(wake);
}

void Producer::on_timer() {
  const Busy busy(*this);
  advance();
}

void Producer::on_produced(ProduceCall& call) {
  const Busy busy(*this);
  catch_up(context_.now());
  sender_->produced(call, context_.now());
  if (!node_.up()) return;
  unblock();
  wake_sender_ = true;
  advance();
}

void Producer::on_producer_id(InitProducerIdCall& call) {
  const Busy busy(*this);
  catch_up(context_.now());
  sender_->producer_id_given(call, context_.now());
  wake_sender_ = true;
  advance();
}

void Producer::on_connection_changed(BrokerId) {
  const Busy busy(*this);
  wake_sender_ = true;
  advance();
}

void Producer::on_metadata() {
  const Busy busy(*this);
  catch_up(context_.now());
  if (forgets_sequences_ && gateway_->topic_missing()) sender_->sequences().begin_partitions_anew();
  show_partitions(gateway_->partitions());
  sender_->leaders_changed();
  ++disturbances_;
  unblock();
  wake_sender_ = true;
  advance();
}

/// From now on messages are routed to so many partitions.
void Producer::show_partitions(std::uint32_t partitions) {
  if (partitions == 0 || partitions == accumulator_.size()) return;
  accumulator_.show(partitions);
  router_->partitions_changed(partitions);
}

// ---- callbacks --------------------------------------------------------------------------------------------

void Producer::acknowledged(Batch& batch, Offset base_offset) {
  const PartitionQueue& queue = accumulator_[batch.partition];
  acknowledging_ = &batch;
  while (batch.count > 0) {
    const auto n =
        static_cast<std::int32_t>(std::min<std::int64_t>(batch.count, acknowledged_step_.until_next()));
    accumulator_.report().acknowledged(queue.entity, queue.lane, batch.first_seq, n, base_offset);
    batch.first_seq += n;
    batch.count -= n;
    if (base_offset != kNoOffset) base_offset += n;
    acknowledged_step_.advance(n);
    if (!node_.up()) return;
  }
  acknowledging_ = nullptr;
  if (application_ != nullptr) tell_application(batch, true);
  if (!options_.closed_loop) return;
  source_.release(context_.now(), static_cast<std::size_t>(batch.fill.count));
  ++disturbances_;
}

void Producer::failed(Batch& batch, ErrorCode error) {
  const PartitionQueue& queue = accumulator_[batch.partition];
  accumulator_.report().failed(queue.entity, queue.lane, batch, error);
  ++disturbances_;
  failures_ += static_cast<std::uint64_t>(batch.count);
  if (application_ != nullptr) tell_application(batch, false);
  if (transactions_) transactions_->batch_failed(error);
  if (!options_.resend) return source_.release(context_.now(), static_cast<std::size_t>(batch.count));
  send_again(batch, queue.lane, resends_);
}

void Producer::tell_application(const Batch& batch, bool acknowledged) {
  for (const ResendRange& range : batch.resends) {
    for (std::int32_t i = 0; i < range.count; ++i)
      application_->told(range.old_lane, range.old_seq + i, acknowledged);
  }
}

void Producer::send_again(const Batch& batch, LaneId lane, std::vector<Message>& out) const {
  const std::size_t told = batch.sizes.size() - static_cast<std::size_t>(batch.count);  // of their success
  for (std::int32_t i = 0; i < batch.count; ++i) {
    const std::size_t at = told + static_cast<std::size_t>(i);
    const std::uint32_t kept = batch.keys.empty() ? 0 : static_cast<std::uint32_t>(batch.keys[at]);
    const std::uint32_t key = kept & ~kTombstone;
    const std::uint32_t size = batch.sizes[at];
    out.push_back({.created = context_.now(),
                   .key = key,
                   .size = size,
                   .fixed = sizer_.fixed_bytes(size, key),
                   .old_lane = lane,
                   .old_seq = batch.first_seq + i,
                   .tombstone = (kept & kTombstone) != 0});
  }
}

// ---- faults -----------------------------------------------------------------------------------------------

void Producer::crashed() {
  const sim::Time now = context_.now();
  if (busy_ == 0 && !paused_) catch_up(now);
  abandon_batches();
  std::vector<std::int64_t> unsent;
  for (; resent_ < resends_.size(); ++resent_) unsent.push_back(sim::nanoseconds(resends_[resent_].created));
  if (options_.arrivals) {
    for (; source_.next() <= now; source_.pop(1)) unsent.push_back(sim::nanoseconds(source_.next()));
  }
  if (!unsent.empty()) accumulator_.report().refused(RefusedCode::closed, unsent);
  let_in_ = 0;
  if (options_.admission) admission_.emplace(*options_.admission);
  if (lag_reader_) lag_reader_->stop();
  resends_.clear();
  resent_ = 0;
  blocked_ = Blocked::no;
  block_deadline_ = sim::kNever;
  sender_deadline_ = sim::kNever;
  wake_sender_ = false;
  paused_ = false;
  flushing_ = false;
  commit_at_ = sim::kNever;
  ++disturbances_;
  sender_->crashed();
  router_->crashed();
  gateway_->stop();
  if (transactions_) transactions_->forget();
  if (serializer_) serializer_->crashed();
  timer_.disarm();
}

void Producer::abandon_batches() {
  const auto abandon = [this](Batch& batch) {
    accumulator_.close(batch);
    const PartitionQueue& queue = accumulator_[batch.partition];
    accumulator_.report().failed(queue.entity, queue.lane, batch, ErrorCode::client_closed);
    if (options_.resend_after_restart) send_again(batch, queue.lane, remembered_);
    accumulator_.release(batch);
  };
  if (acknowledging_ != nullptr) {
    acknowledging_->maybe_written = true;
    abandon(*acknowledging_);
    acknowledging_ = nullptr;
  }
  for (PartitionQueue& queue : accumulator_.partitions()) {
    for (Batch* batch : queue.in_flight) {
      batch->maybe_written = true;
      abandon(*batch);
    }
    queue.in_flight.clear();
    while (!queue.batches.empty()) abandon(queue.batches.pop_front());
    queue.muted = queue.used = false;
    queue.leader = {};
  }
}

void Producer::restarted() {
  const Busy busy(*this);
  const sim::Time now = context_.now();
  free_ = now;
  source_.skip_to(now);
  ++disturbances_;
  for (Message& message : remembered_) message.created = now;
  resends_.swap(remembered_);
  remembered_.clear();
  gateway_->start();
  if (transactions_) transactions_->start();
  if (lag_reader_) lag_reader_->start();
  if (options_.transactions) blocked_ = Blocked::on_transaction;
  advance();
}

void Producer::paused() {
  if (busy_ == 0) catch_up(context_.now());
  paused_ = true;
}

void Producer::resumed() {
  const Busy busy(*this);
  paused_ = false;
  free_ = context_.now();
  ++disturbances_;
  advance();
}

}  // namespace models::kafka
