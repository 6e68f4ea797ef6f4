#include "models/sns/system.hpp"

#include <algorithm>
#include <array>

#include "models/near_miss.hpp"
#include "models/scenario_error.hpp"
#include "models/sns/called_endpoint.hpp"
#include "models/sns/publisher.hpp"
#include "models/sns/queue_endpoint.hpp"
#include "models/sns/service.hpp"

namespace models::sns {
namespace {

std::string path_of(const SubscriptionOptions& options) {
  return "sns.subscriptions." + options.name;
}

RetryPolicy retry_policy(const SubscriptionOptions& own, const TopicOptions& topic) {
  if (own.protocol != Protocol::http && own.protocol != Protocol::https) return aws_managed_policy();
  if (own.delivery_policy) return own.delivery_policy->retry;
  return topic.delivery_policy ? topic.delivery_policy->retry : RetryPolicy{};
}

std::uint32_t throttle(const SubscriptionOptions& own, const TopicOptions& topic) {
  if (own.delivery_policy) return own.delivery_policy->receives_per_second;
  return topic.delivery_policy ? topic.delivery_policy->receives_per_second : 0;
}

}  // namespace

System::System(const Site& site, sqs::Service* sqs) : site_(site), sqs_(sqs) {
  const ServiceOptions& options = *site.scenario.sns;
  Node& node = site.add_node(EntityKind::broker, std::string(kSns) + "/0", {}, 0,
                             {options.rack, options.zone, options.region});
  service_ = std::make_unique<Service>(site.context, options, node);
}

System::~System() {
  // Clients close their connections while SNS is there, and SNS while its endpoints are.
  publishers_.clear();
}

void System::add_writers() {
  for (const ProducerOptions& options : site_.scenario.producers) {
    if (!of_sns(site_.scenario, options.cluster)) continue;
    for (std::uint32_t i = 0; i < options.instances; ++i) {
      const std::string name = options.instances == 1 ? options.name : options.name + "/" + std::to_string(i);
      Node& node =
          site_.add_node(EntityKind::producer, name, {}, i, {options.rack, options.zone, options.region});
      publishers_.push_back(std::make_unique<Publisher>(site_.context, *service_, node, options));
    }
  }
}

void System::add_readers() {
  for (const SubscriptionOptions& options : service_->options().subscriptions) add_subscription(options);
}

std::unique_ptr<Endpoint> System::queue_endpoint(const std::string& path, const std::string& queue,
                                                 bool fifo_topic, EndpointOwner& owner) {
  if (sqs_ == nullptr) throw ScenarioError(path, "there is no [sqs]");
  const auto found = sqs_->find_queue(queue);
  if (!found) {
    std::vector<std::string_view> known;
    for (const sqs::QueueOptions& q : sqs_->options().queues) known.push_back(q.name);
    throw ScenarioError(path, "there is no queue '" + queue + "' in [sqs]" + did_you_mean(queue, known));
  }
  // "Invalid parameter: Invalid parameter: Endpoint Reason: Please use SQS standard queue".
  if (sqs_->queue(*found).options().fifo && !fifo_topic)
    throw ScenarioError(path,
                        "'" + queue + "' is a FIFO queue: a standard topic delivers to standard queues");
  return std::make_unique<QueueEndpoint>(site_.context, service_->node(), *sqs_, *found,
                                         service_->options().endpoint_timeout, owner);
}

void System::add_subscription(const SubscriptionOptions& options) {
  const auto topic = service_->find_topic(options.topic);
  if (!topic) {
    std::vector<std::string_view> known;
    for (const TopicOptions& t : service_->options().topics) known.push_back(t.name);
    throw ScenarioError(path_of(options) + ".topic", "there is no topic '" + options.topic + "' in [sns]" +
                                                         did_you_mean(options.topic, known));
  }
  const TopicOptions& of = service_->topic(*topic);
  Context& context = site_.context;
  Subscription::Setup setup;
  setup.name = options.name;
  setup.entity = context.entities.add(EntityKind::subscription, "sns/" + options.topic + "/" + options.name);
  setup.fifo = of.fifo;
  setup.raw = options.raw_message_delivery;
  setup.policy = retry_policy(options, of);
  setup.receives_per_second = throttle(options, of);
  setup.http = options.protocol == Protocol::http || options.protocol == Protocol::https;
  if (calls(options.protocol)) {
    Dependency& service = site_.dependency(path_of(options) + ".endpoint", options.endpoint);
    const EntityId group = context.entities.add(EntityKind::group, options.name);
    setup.endpoint = [this, &service, group, entity = setup.entity,
                      name = options.name](EndpointOwner& owner) {
      return std::make_unique<CalledEndpoint>(site_.context, service_->node(), entity, group, name, service,
                                              service_->options().endpoint_timeout, owner);
    };
  } else {
    setup.endpoint = [this, &options, fifo = of.fifo](EndpointOwner& owner) {
      return queue_endpoint(path_of(options) + ".endpoint", options.endpoint, fifo, owner);
    };
  }
  if (!options.dead_letter_queue.empty()) {
    redrive_to(options, of.fifo);
    setup.dead_letters = [this, letters = dead_letters_.back().get()](const Notification& n) {
      Context& at = site_.context;
      const EntityId actor = service_->node().entity();
      const EntityId place = letters->way->place();
      if (letters->lane == LaneId{}) letters->lane = at.entities.add_lane(actor, place);
      Notification letter = n;
      letter.lane = letters->lane;
      letter.seq = letters->seq++;
      letter.retries = 0;
      const std::array<std::int64_t, 1> created{sim::nanoseconds(at.now())};
      at.emit(Kind::offered,
              {.actor = actor.value,
               .place = place.value,
               .peer = letter.lane.value,
               .a = static_cast<std::int64_t>(letter.seq),
               .b = 1},
              created);
      letters->way->take(letter);
    };
  }
  service_->add_subscription(
      std::make_unique<Subscription>(context, service_->node(), service_->options().delivery, setup));
}

/// Model: the way to a dead-letter queue is that to any queue, with its retries.
void System::redrive_to(const SubscriptionOptions& options, bool fifo) {
  Subscription::Setup setup;
  setup.name = options.name + "/dead-letters";
  setup.fifo = fifo;
  setup.policy = aws_managed_policy();
  setup.takes_dead_letters = true;
  setup.endpoint = [this, &options, fifo](EndpointOwner& owner) {
    return queue_endpoint(path_of(options) + ".RedrivePolicy.deadLetterTargetArn", options.dead_letter_queue,
                          fifo, owner);
  };
  dead_letters_.push_back(std::make_unique<DeadLetters>());
  dead_letters_.back()->way =
      std::make_unique<Subscription>(site_.context, service_->node(), sim::Distribution::constant(0), setup);
  service_->add_way(*dead_letters_.back()->way);
}

void System::add_targets(FaultInjector& faults) {
  const auto& all = service_->options().subscriptions;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Subscription& subscription = service_->subscription(i);
    faults.add_subscription(
        all[i].name, {subscription.entity(), [&subscription](bool denied) { subscription.deny(denied); }});
  }
}

void System::tell() {
  service_->tell();
}

void System::start_writers() {
  for (const auto& publisher : publishers_) publisher->start();
}

void System::stop_arrivals() {
  for (const auto& publisher : publishers_) publisher->stop_arrivals();
}

bool System::idle() const {
  return service_->idle() &&
         std::all_of(publishers_.begin(), publishers_.end(), [](const auto& p) { return p->idle(); }) &&
         std::all_of(dead_letters_.begin(), dead_letters_.end(),
                     [](const auto& d) { return d->way->idle(); });
}

void System::tell_unfinished(std::vector<std::string>& lines) const {
  for (const auto& publisher : publishers_) {
    if (!publisher->idle()) lines.push_back(publisher->node().name() + " waits for answers of SNS");
  }
  for (std::size_t i = 0; i < service_->options().subscriptions.size(); ++i) {
    const Subscription& subscription = service_->subscription(i);
    if (!subscription.idle())
      lines.push_back("SNS has messages for the subscription '" + subscription.name() + "'");
  }
}

void System::tell_end() {
  service_->tell_end();
}

}  // namespace models::sns
