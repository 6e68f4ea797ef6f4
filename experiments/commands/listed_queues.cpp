#include "experiments/commands/listed_queues.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "experiments/errors.hpp"
#include "experiments/scenario/units.hpp"

namespace experiments {
namespace {

/// collect_statistics_interval: over which the management page takes its rates.
constexpr sim::Duration kRateOver = std::chrono::seconds{5};

std::vector<sim::Time> times_of(const RunCommand& o, const models::Scenario& scenario) {
  if (!scenario.rabbitmq) throw UsageError("--queues: the scenario has no queues");
  const sim::Duration last = scenario.duration + scenario.drain;
  std::vector<sim::Time> times;
  for (const std::string& text : o.at) {
    times.push_back(sim::Time{duration_option("--at", text)});
    if (times.back() > sim::Time{last})
      throw UsageError("--at " + text + ": the run ends at " + duration_text(last) + " at the latest");
  }
  if (times.empty()) times.push_back(sim::Time{last});
  std::sort(times.begin(), times.end());
  return times;
}

/// All times that the board is asked for, in order.
std::vector<sim::Time> with_earlier(const std::vector<sim::Time>& at) {
  std::vector<sim::Time> times = at;
  for (const sim::Time t : at) times.push_back(std::max(sim::Time{}, t - kRateOver));
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

std::int64_t delivered(const QueueCounts& counts) {
  return counts.delivered_manual + counts.delivered_automatic;
}

}  // namespace

QueueList::QueueList(const RunCommand& o, const models::Scenario& scenario)
    : at_(times_of(o, scenario)),
      times_(with_earlier(at_)),
      views_(at_.size()),
      states_(times_.size()),
      seen_(at_.size()),
      board_(times_, [this](std::size_t i, const BoardState& state) { states_[i] = state; }) {
  for (const models::ProducerOptions& p : scenario.producers) {
    if (p.rabbitmq.confirms > 0) confirming_.insert(p.name);
  }
}

std::vector<models::Look> QueueList::looks() {
  std::vector<models::Look> looks;
  for (std::size_t i = 0; i < at_.size(); ++i)
    looks.push_back({at_[i], [this, i](models::World& world) { attach(world, i); }});
  return looks;
}

void QueueList::attach(models::World& world, std::size_t index) {
  views_[index] = world.queues();
  seen_[index] = world.simulation().now();
  names_.clear();
  for (const models::Entity& entity : world.entities().all()) names_.push_back(entity.name);
}

std::vector<ListedQueues> QueueList::lists() const {
  std::vector<ListedQueues> out;
  const auto state_at = [this](sim::Time t) -> const BoardState& {
    return states_[static_cast<std::size_t>(std::lower_bound(times_.begin(), times_.end(), t) -
                                            times_.begin())];
  };
  for (std::size_t i = 0; i < at_.size(); ++i) {
    const sim::Time before = std::max(sim::Time{}, at_[i] - kRateOver);
    const BoardState& now = state_at(at_[i]);
    const BoardState& then = state_at(before);
    const double seconds = sim::seconds(at_[i] - before);
    ListedQueues list{seen_[i], {}, {}};
    for (const models::QueueView& view : views_[i]) {
      const auto of = [&view](const BoardState& state) {
        const auto found = state.queues.find(view.queue.value);
        return found == state.queues.end() ? QueueCounts{} : found->second;
      };
      const QueueCounts a = of(then);
      const QueueCounts b = of(now);
      const auto rate = [seconds](std::int64_t from, std::int64_t to) {
        return seconds > 0 ? static_cast<double>(to - from) / seconds : 0;
      };
      list.queues.push_back({names_[view.queue.value], view, rate(a.published, b.published),
                             rate(delivered(a), delivered(b)), rate(a.redelivered, b.redelivered),
                             rate(a.acknowledged, b.acknowledged)});
    }
    for (const auto& [entity, counts] : now.publishers) {
      const std::string& name = names_[entity];
      list.publishers.push_back({name, counts});
      // Without confirms nothing is: that it was sent is all there is to know.
      if (confirming_.count(name.substr(0, name.find('/'))) == 0) list.publishers.back().counts.confirmed = 0;
    }
    out.push_back(std::move(list));
  }
  return out;
}

std::string as_text(const ListedQueues& list) {
  constexpr std::string_view kRow = "{:<24} {:<8} {:>14} {:>23} {:>8} {:>9} {:>9} {:>9} {:>11} {:>9}  {}\n";
  std::string text = fmt::format("queues at {:.6g} s\n", sim::seconds(list.at));
  text += fmt::format(fmt::runtime(kRow), "name", "type", "messages_ready", "messages_unacknowledged",
                      "messages", "consumers", "publish/s", "deliver/s", "redeliver/s", "ack/s", "policy");
  for (const ListedQueues::Row& row : list.queues) {
    const models::QueueView& v = row.view;
    std::string policy = v.policy;
    if (!v.operator_policy.empty())
      policy += (policy.empty() ? "operator: " : ", operator: ") + v.operator_policy;
    if (!v.exists) policy = "(deleted)";
    text += fmt::format(fmt::runtime(kRow), row.name, v.type, v.ready, v.unacknowledged,
                        v.ready + v.unacknowledged, v.consumers, fmt::format("{:.4g}", row.published),
                        fmt::format("{:.4g}", row.delivered), fmt::format("{:.4g}", row.redelivered),
                        fmt::format("{:.4g}", row.acknowledged), policy);
  }
  if (list.publishers.empty()) return text;
  constexpr std::string_view kPublisher = "{:<24} {:>10} {:>10} {:>8} {:>20} {:>18}\n";
  text += fmt::format(fmt::runtime(kPublisher), "publisher", "published", "confirmed", "failed",
                      "unroutable_returned", "unroutable_dropped");
  for (const ListedQueues::Publisher& p : list.publishers)
    text +=
        fmt::format(fmt::runtime(kPublisher), p.name, p.counts.routed + p.counts.returned + p.counts.dropped,
                    p.counts.confirmed, p.counts.failed, p.counts.returned, p.counts.dropped);
  return text;
}

nlohmann::ordered_json as_json(const ListedQueues& list) {
  nlohmann::ordered_json queues = nlohmann::ordered_json::array();
  for (const ListedQueues::Row& row : list.queues) {
    const models::QueueView& v = row.view;
    queues.push_back({{"name", row.name},
                      {"type", v.type},
                      {"policy", v.policy},
                      {"operator_policy", v.operator_policy},
                      {"exists", v.exists},
                      {"messages_ready", v.ready},
                      {"messages_unacknowledged", v.unacknowledged},
                      {"messages", v.ready + v.unacknowledged},
                      {"consumers", v.consumers},
                      {"publish_rate", row.published},
                      {"deliver_rate", row.delivered},
                      {"redeliver_rate", row.redelivered},
                      {"ack_rate", row.acknowledged}});
  }
  nlohmann::ordered_json publishers = nlohmann::ordered_json::array();
  for (const ListedQueues::Publisher& p : list.publishers) {
    publishers.push_back({{"name", p.name},
                          {"publish", p.counts.routed + p.counts.returned + p.counts.dropped},
                          {"confirm", p.counts.confirmed},
                          {"failed", p.counts.failed},
                          {"return_unroutable", p.counts.returned},
                          {"drop_unroutable", p.counts.dropped}});
  }
  return {
      {"at_s", sim::seconds(list.at)}, {"queues", std::move(queues)}, {"publishers", std::move(publishers)}};
}

}  // namespace experiments
