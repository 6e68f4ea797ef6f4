#include "models/sqs/system.hpp"

#include <algorithm>

#include "models/sqs/sender.hpp"
#include "models/sqs/service.hpp"
#include "models/sqs/workers.hpp"

namespace models::sqs {
namespace {

bool joins_later(const Scenario& scenario, const std::string& member) {
  return std::any_of(scenario.faults.begin(), scenario.faults.end(), [&member](const FaultSpec& fault) {
    return fault.kind == "join" && fault.target == member;
  });
}

}  // namespace

System::System(const Site& site) : site_(site) {
  const ServiceOptions& options = *site.scenario.sqs;
  Node& node = site.add_node(EntityKind::broker, std::string(kSqs) + "/0", {}, 0,
                             {options.rack, options.zone, options.region});
  service_ = std::make_unique<Service>(site.context, options, node);
}

System::~System() {
  // Clients close their connections while the service is there.
  workers_.clear();
  senders_.clear();
}

void System::add_writers() {
  for (const ProducerOptions& options : site_.scenario.producers) {
    if (!of_sqs(site_.scenario, options.cluster)) continue;
    for (std::uint32_t i = 0; i < options.instances; ++i) {
      const std::string name = options.instances == 1 ? options.name : options.name + "/" + std::to_string(i);
      Node& node =
          site_.add_node(EntityKind::producer, name, {}, i, {options.rack, options.zone, options.region});
      senders_.push_back(std::make_unique<Sender>(site_.context, *service_, node, options));
    }
  }
}

void System::add_readers() {
  for (const GroupOptions& options : site_.scenario.groups) {
    if (!of_sqs(site_.scenario, options.cluster)) continue;
    const EntityId group = site_.context.entities.add(EntityKind::group, options.name);
    workers_.push_back(std::make_unique<Workers>(site_.context, *service_, options, group));
    for (std::uint32_t i = 0; i < options.members; ++i) {
      const std::string name = options.name + "/" + std::to_string(i);
      const std::string rack = options.racks.empty() ? options.rack : options.racks[i % options.racks.size()];
      workers_.back()->add_member(
          site_.add_node(EntityKind::member, name, group, i, {rack, options.zone, options.region}));
      if (joins_later(site_.scenario, name)) workers_.back()->stand_by();
    }
  }
}

/// The service's node is the World's, which has added it: it is a host with one node on it as a client's is.
void System::add_targets(FaultInjector&) {}

void System::tell() {
  service_->tell();
}

void System::start_brokers() {
  service_->start();
}

void System::start_readers() {
  for (const auto& group : workers_) group->start();
}

void System::start_writers() {
  for (const auto& sender : senders_) sender->start();
}

void System::stop_arrivals() {
  for (const auto& sender : senders_) sender->stop_arrivals();
}

bool System::idle() const {
  return service_->idle() &&
         std::all_of(senders_.begin(), senders_.end(), [](const auto& s) { return s->idle(); }) &&
         std::all_of(workers_.begin(), workers_.end(), [](const auto& g) { return g->idle(); });
}

void System::tell_unfinished(std::vector<std::string>& lines) const {
  for (const auto& sender : senders_) sender->tell_unfinished(lines);
  service_->tell_unfinished(lines);
}

void System::tell_end() {
  service_->tell_depths();
}

std::optional<std::string> System::broken() {
  return service_->broken();
}

}  // namespace models::sqs
