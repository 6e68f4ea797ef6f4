#include "models/sns/publisher.hpp"

#include <algorithm>
#include <array>

#include "models/faults/step_then.hpp"
#include "models/near_miss.hpp"
#include "models/scenario_error.hpp"

namespace models::sns {
namespace {

/// A batch's messages together are one request (quotas).
constexpr std::uint64_t kBatchSizeMost = kSizeMost;

}  // namespace

Publisher::Publisher(Context& context, Service& service, Node& node, const ProducerOptions& options)
    : context_(context),
      service_(service),
      node_(node),
      options_(options),
      source_(context.simulation.seed(), node.name(), options),
      channel_(context, node, service.node(), options.sns.sdk.attempt_timeout, *this),
      kinds_(context.simulation.seed(), "producer/" + node.name() + "/kinds"),
      backoff_(context.simulation.seed(), "producer/" + node.name() + "/backoff"),
      group_(sqs::group_of(options.sns.message_group_id)),
      acknowledged_step_(context.steps.cell(node.entity(), Step::acknowledged)),
      timer_(context.simulation, node, [this] { turn(); }) {
  const std::string path = "producers." + options.name;
  const auto topic = service.find_topic(options.to);
  if (!topic) {
    std::vector<std::string_view> known;
    for (const TopicOptions& t : service.options().topics) known.push_back(t.name);
    throw ScenarioError(path + ".to",
                        "there is no topic '" + options.to + "' in [sns]" + did_you_mean(options.to, known));
  }
  const std::vector<MessageKind>& kinds = options.sns.messages;
  if (kinds.empty()) addresses_.push_back(service.address(*topic, {}));
  for (const MessageKind& kind : kinds) addresses_.push_back(service.address(*topic, kind));
  lanes_.resize(service.options().subscriptions.size());
  node.set_program(*this);
}

void Publisher::start() {
  source_.start(context_.now());
  turn();
}

void Publisher::stop_arrivals() {
  source_.stop(context_.now());
  turn();
}

bool Publisher::idle() {
  return !node_.up() || (source_.exhausted() && open_requests() == 0);
}

std::size_t Publisher::open_requests() const {
  return static_cast<std::size_t>(
      std::count_if(requests_.begin(), requests_.end(), [](const auto& r) { return r->open; }));
}

// ---- publishing ---------------------------------------------------------------------------------------------------

/// Publishes what has arisen, as far as it may, and waits for the next.
void Publisher::turn() {
  if (turning_ || !node_.up() || node_.paused()) return;
  turning_ = true;
  next_ = sim::kNever;
  while (open_requests() < options_.sns.requests) {
    const std::size_t count = due_now();
    if (count == 0) break;
    publish_next(count);
  }
  turning_ = false;
  if (open_requests() >= options_.sns.requests || next_ == sim::kNever)
    timer_.disarm();
  else
    timer_.arm_at(std::max(next_, context_.now()));
}

/// How many messages make a request now; else next_ says when there may be some.
std::size_t Publisher::due_now() {
  const std::size_t most = options_.sns.batch;
  const std::size_t known = std::min(source_.look_ahead(most), most);
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  while (count < known && source_.times()[count] <= context_.now()) {
    bytes += source_.size(count);
    if (count > 0 && bytes > kBatchSizeMost) return count;
    ++count;
  }
  if (count == most) return count;
  if (count == 0) {
    next_ = known > 0 ? source_.times()[0] : sim::kNever;
    return 0;
  }
  const sim::Time open_until = source_.times()[0] + options_.sns.batch_open;
  if (open_until <= context_.now()) return count;
  next_ = known == most ? std::min(open_until, source_.times()[most - 1]) : open_until;
  return 0;
}

Entry Publisher::next_entry(std::size_t i) {
  Entry entry;
  entry.created = source_.times()[i];
  entry.key = source_.keyed() ? static_cast<std::int64_t>(source_.key(i)) : -1;
  entry.size = source_.size(i);
  entry.group = options_.sns.message_group_id.empty() ? sqs::GroupKey{source_.key(i)} : group_;
  entry.deduplication = std::uint64_t{node_.entity().value} << 40 | number_++;
  std::size_t kind = 0;
  if (addresses_.size() > 1) {
    double left = kinds_.uniform();
    while (kind + 1 < addresses_.size() && left >= options_.sns.messages[kind].share)
      left -= options_.sns.messages[kind++].share;
  }
  entry.address = addresses_[kind];
  std::array<std::int64_t, 2> payload{sim::nanoseconds(entry.created), entry.key};
  for (const std::uint16_t target : service_.targets(entry.address)) {
    Lane& lane = lanes_[target];
    const EntityId place = service_.subscription(target).place();
    if (lane.id == LaneId{}) lane.id = context_.entities.add_lane(node_.entity(), place);
    entry.copies.push_back({target, lane.id, lane.next++});
    context_.emit(Kind::offered,
                  {.code = entry.key >= 0 ? kHasKeys : std::uint16_t{0},
                   .actor = node_.entity().value,
                   .place = place.value,
                   .peer = lane.id.value,
                   .a = static_cast<std::int64_t>(entry.copies.back().seq),
                   .b = 1},
                  std::span(payload).first(entry.key >= 0 ? 2 : 1));
  }
  return entry;
}

Publisher::Request& Publisher::free_request() {
  for (const auto& request : requests_) {
    if (!request->open) return *request;
  }
  requests_.push_back(std::make_unique<Request>());
  Request& request = *requests_.back();
  request.retry_timer = std::make_unique<NodeTimer<std::function<void()>>>(
      context_.simulation, node_, [this, &request] { attempt(request); });
  return request;
}

void Publisher::publish_next(std::size_t count) {
  Request& request = free_request();
  request.entries.clear();
  request.attempts = 0;
  request.open = true;
  for (std::size_t i = 0; i < count; ++i) request.entries.push_back(next_entry(i));
  source_.pop(count);
  attempt(request);
}

void Publisher::attempt(Request& request) {
  ++request.attempts;
  request.asking = true;
  std::uint32_t bytes = 0;
  for (Entry& entry : request.entries) {
    bytes += entry.size;
    if (options_.sns.new_deduplication_id_each_call && request.attempts > 1)
      entry.deduplication = std::uint64_t{node_.entity().value} << 40 | number_++;
  }
  request.asked = channel_.ask(bytes);
}

Publisher::Request* Publisher::request_of(std::uint64_t asked) {
  const auto at = std::find_if(requests_.begin(), requests_.end(),
                               [asked](const auto& r) { return r->open && r->asking && r->asked == asked; });
  return at == requests_.end() ? nullptr : at->get();
}

// ---- at SNS -------------------------------------------------------------------------------------------------------

/// Model: a request that the publisher has given up when it comes to SNS is not carried out.
std::uint16_t Publisher::carry_out(std::uint64_t asked) {
  const Request* const request = request_of(asked);
  return static_cast<std::uint16_t>(request == nullptr ? Error::none : service_.publish(request->entries));
}

// ---- answers ------------------------------------------------------------------------------------------------------

void Publisher::report(Kind kind, const Request& request, std::uint16_t code, std::int64_t c) {
  for (const Entry& entry : request.entries) {
    for (const Entry::Copy& copy : entry.copies) {
      context_.emit(kind, {.code = code,
                           .actor = node_.entity().value,
                           .place = service_.subscription(copy.subscription).place().value,
                           .peer = copy.lane.value,
                           .a = static_cast<std::int64_t>(copy.seq),
                           .b = 1,
                           .c = c});
    }
  }
}

void Publisher::answered(std::uint64_t asked, std::optional<std::uint16_t> answer) {
  Request* const request = request_of(asked);
  if (request == nullptr) return;
  request->asking = false;
  ended(*request, answer ? static_cast<Error>(*answer) : Error::timed_out);
}

void Publisher::ended(Request& request, Error error) {
  const sqs::SdkOptions& sdk = options_.sns.sdk;
  if (error != Error::none && request.attempts < sdk.max_attempts) {
    sim::Duration most = sdk.backoff_base;
    for (std::uint32_t i = 1; i < request.attempts && most < sdk.backoff_max; ++i) most *= 2;
    most = std::min(most, sdk.backoff_max);
    request.retry_timer->arm_after(
        sim::Duration{static_cast<std::int64_t>(backoff_.uniform() * static_cast<double>(most.count()))});
    return;
  }
  request.open = false;
  const std::size_t count = request.entries.size();
  if (error == Error::none)
    report(Kind::acknowledged, request, 0, -1);
  else
    report(Kind::failed, request, static_cast<std::uint16_t>(error), in_doubt(error) ? 1 : 0);
  if (options_.closed_loop) source_.release(context_.now(), count);
  if (error != Error::none) return turn();
  step_then(acknowledged_step_, node_, [this] { turn(); });
}

/// Nobody is left to be told.
void Publisher::crashed() {
  timer_.disarm();
  channel_.abandon();
  for (const auto& request : requests_) {
    if (!request->open) continue;
    report(Kind::failed, *request, static_cast<std::uint16_t>(Error::connection_lost), 1);
    request->open = false;
    request->retry_timer->disarm();
  }
}

void Publisher::restarted() {
  source_.skip_to(context_.now());
  turn();
}

}  // namespace models::sns
