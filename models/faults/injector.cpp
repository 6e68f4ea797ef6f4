#include "models/faults/injector.hpp"

#include <algorithm>
#include <array>

#include "models/near_miss.hpp"
#include "models/scenario_error.hpp"
#include "sim/assert.hpp"

namespace models {
namespace {

/// As --set writes it: an element of an array is its name, in quotes if that holds a dot, or its place.
std::string fault_path(const FaultSpec& spec, std::size_t index) {
  if (spec.name.empty()) return "faults." + std::to_string(index);
  const bool dotted = spec.name.find('.') != std::string::npos;
  return "faults." + (dotted ? '"' + spec.name + '"' : spec.name);
}

const FaultInfo& known_kind(const FaultSpec& spec, const std::string& path) {
  if (const FaultInfo* const info = find_fault(spec.kind)) return *info;
  std::vector<std::string_view> kinds;
  for (const FaultInfo& row : fault_catalogue()) kinds.push_back(row.entry.name);
  throw ScenarioError(path + ".kind",
                      "there is no fault of kind '" + spec.kind + "'" + did_you_mean(spec.kind, kinds));
}

/// What a kind does not read must not be given: it would be ignored in silence.
void check_parameters(const FaultSpec& spec, const FaultInfo& info, const std::string& path) {
  const std::array<std::pair<std::string_view, bool>, 17> given{{{"other", !spec.other.empty()},
                                                                 {"one_way", spec.one_way},
                                                                 {"probability", spec.probability > 0},
                                                                 {"delay", spec.delay.has_value()},
                                                                 {"bandwidth", spec.bandwidth_bits_per_s > 0},
                                                                 {"gap", spec.gap.has_value()},
                                                                 {"partitions", spec.partitions.has_value()},
                                                                 {"brokers", !spec.brokers.empty()},
                                                                 {"throttle", spec.throttle > 0},
                                                                 {"version", !spec.version.empty()},
                                                                 {"messages", spec.messages.has_value()},
                                                                 {"client", !spec.client.empty()},
                                                                 {"permissive", spec.permissive},
                                                                 {"factor", spec.factor > 0},
                                                                 {"ahead", spec.ahead.has_value()},
                                                                 {"behind", spec.behind.has_value()},
                                                                 {"config", !spec.config.empty()}}};
  for (const auto& [key, is_given] : given) {
    const std::string_view name = key;
    const bool read = std::any_of(info.entry.parameters.begin(), info.entry.parameters.end(),
                                  [&](const sim::ParameterInfo& p) { return p.name == name; });
    if (is_given && !read) {
      throw ScenarioError(path + "." + std::string(name),
                          "means nothing to a fault of kind '" + spec.kind + "'");
    }
  }
}

void check_timing(const FaultSpec& spec, const std::string& path) {
  const int timings = (spec.at ? 1 : 0) + (spec.every ? 1 : 0) + (spec.when ? 1 : 0);
  if (timings != 1) throw ScenarioError(path, "a fault has exactly one of at, rate and when");
  if (spec.at && *spec.at < sim::Duration{}) throw ScenarioError(path + ".at", "is before the run");
  if (spec.spread && !spec.at)
    throw ScenarioError(path + ".spread", "goes with `at`: rate and when have no moment to spread");
  if (spec.spread && *spec.spread <= sim::Duration{})
    throw ScenarioError(path + ".spread", "is not positive");
  if (spec.every && *spec.every <= sim::Duration{}) throw ScenarioError(path + ".rate", "is not positive");
  if (spec.when && spec.when->nth < 1) throw ScenarioError(path + ".when.nth", "occurrences count from 1");
  if (spec.duration && *spec.duration <= sim::Duration{})
    throw ScenarioError(path + ".for", "is not positive");
}

const StepInfo& step_info(Step step) {
  const auto rows = step_catalogue();
  const auto at =
      std::find_if(rows.begin(), rows.end(), [&](const StepInfo& row) { return row.step == step; });
  MQLAB_ASSERT(at != rows.end(), "a step without a row in the catalogue");
  return *at;
}

std::string_view kind_word(EntityKind kind) {
  switch (kind) {
    case EntityKind::broker:
      return "broker";
    case EntityKind::controller:
      return "controller";
    case EntityKind::producer:
      return "producer";
    case EntityKind::member:
      return "member";
    case EntityKind::store:
      return "store";
    case EntityKind::database:
      return "database";
    case EntityKind::service:
      return "service";
    case EntityKind::relay:
      return "relay";
    case EntityKind::gateway:
      return "gateway";
    case EntityKind::registry:
      return "schema registry";
    default:
      return "thing of another kind";
  }
}

}  // namespace

FaultInjector::Armed::Armed(Context& context, const FaultTargets& targets, const FaultSpec& fault,
                            std::string path, const std::string& name)
    : spec(fault),
      info(&known_kind(fault, path)),
      entity(context.entities.add(EntityKind::fault, name)),
      times(context.simulation.seed(), "fault/" + name),
      choice(context.simulation.seed(), "fault/" + name + "/target"),
      binding{context, spec, std::move(path), targets, choice} {
  check_parameters(spec, *info, binding.path);
  check_timing(spec, binding.path);
}

FaultInjector::FaultInjector(Context& context, const std::vector<FaultSpec>& specs) : context_(context) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const FaultSpec& spec = specs[i];
    const std::string called = spec.name.empty() ? spec.kind + " " + spec.target : spec.name;
    std::string name = called;
    for (int n = 2; std::find(names.begin(), names.end(), name) != names.end(); ++n) {
      name = called + " #" + std::to_string(n);
    }
    faults_.emplace_back(context, targets_, spec, fault_path(spec, i), name);
    names.push_back(std::move(name));
  }
}

void FaultInjector::resolve() {
  MQLAB_ASSERT(!resolved_, "faults are resolved once");
  resolved_ = true;
  for (Armed& fault : faults_) {
    fault.striker = fault.info->bind(fault.binding);
    if (fault.spec.when) watch_step(fault);
  }
}

void FaultInjector::watch_step(Armed& fault) {
  const FaultSpec::When& when = *fault.spec.when;
  const std::string path = fault.binding.key(when.subject.empty() ? "target" : "when.subject");
  const Node& subject = targets_.resolve_node(path, when.subject.empty() ? fault.spec.target : when.subject);
  const StepInfo& step = step_info(when.step);
  const std::string_view kind = kind_word(context_.entities[subject.entity()].kind);
  // A member that transforms has a producer inside, as services and relays have; a service that reads topics is a member.
  const bool inside = (step.subject == "producer" &&
                       (kind == "member" || kind == "service" || kind == "relay" || kind == "gateway")) ||
                      (step.subject == "service" && kind == "member");
  if (kind != step.subject && !inside) {
    throw ScenarioError(path, "'" + std::string(step.name) + "' happens at a " + std::string(step.subject) +
                                  ", and '" + subject.name() + "' is a " + std::string(kind));
  }
  context_.steps.watch(subject.entity(), when.step, when.nth, [this, &fault] { strike(fault); });
}

void FaultInjector::start() {
  MQLAB_ASSERT(!started_, "faults start once");
  started_ = true;
  if (!resolved_) resolve();
  for (Armed& fault : faults_) {
    if (fault.spec.every) schedule_random(fault);
    if (fault.spec.at) schedule_once(fault);
  }
}

void FaultInjector::schedule_once(Armed& fault) {
  sim::Time when{*fault.spec.at};
  if (fault.spec.spread) {
    const auto width = static_cast<std::uint64_t>(fault.spec.spread->count());
    when += sim::Duration{static_cast<std::int64_t>(fault.times.uniform_int(width))};
  }
  fault.next = context_.simulation.schedule_at(when, [this, &fault] { strike(fault); });
}

void FaultInjector::schedule_random(Armed& fault) {
  const double mean_ns = static_cast<double>(fault.spec.every->count());
  const sim::Duration gap = sim::Distribution::to_duration(mean_ns * fault.times.exponential());
  fault.next = context_.simulation.schedule_after(gap, [this, &fault] {
    strike(fault);
    schedule_random(fault);
  });
}

void FaultInjector::strike(Armed& fault) {
  if (over_) return;
  std::optional<Strike> blow = fault.striker();
  if (!blow) return;
  const std::uint64_t number = ++fault.strikes;
  fault.lasting.push_back({number, std::move(*blow), false, {}});
  const auto act = fault.lasting.back().strike.act;
  const bool later = fault.lasting.back().strike.later;
  if (fault.spec.duration) {
    fault.lasting.back().heal = context_.simulation.schedule_after(
        *fault.spec.duration, [this, &fault, number] { heal(fault, number); });
  }
  const sim::RecordNumber cause_before = context_.trace.cause();
  if (!later) context_.trace.set_cause(took_effect(fault, number));
  act([this, &fault, number] { took_effect(fault, number); });
  context_.trace.set_cause(cause_before);
}

sim::RecordNumber FaultInjector::took_effect(Armed& fault, std::uint64_t number) {
  const auto at = find(fault, number);
  MQLAB_ASSERT(at != fault.lasting.end() && !at->struck,
               "a fault took effect twice, or after it was called off");
  at->struck = true;
  ++fault.fired;
  const sim::RecordNumber record = emit(fault, at->strike, true);
  if (at->strike.instant) {
    emit(fault, at->strike, false);
    context_.simulation.cancel(at->heal);
    fault.lasting.erase(at);
  }
  return record;
}

void FaultInjector::heal(Armed& fault, std::uint64_t number) {
  const auto at = find(fault, number);
  if (at == fault.lasting.end()) return;
  const Lasting ended = std::move(*at);
  fault.lasting.erase(at);
  context_.simulation.cancel(ended.heal);
  const sim::RecordNumber cause_before = context_.trace.cause();
  if (ended.struck) context_.trace.set_cause(emit(fault, ended.strike, false));
  ended.strike.heal();
  context_.trace.set_cause(cause_before);
  if (!ended.strike.again || over_) return;
  fault.next = context_.simulation.schedule_after(*ended.strike.again, [this, &fault] { strike(fault); });
}

void FaultInjector::heal_all() {
  over_ = true;
  for (Armed& fault : faults_) {
    context_.simulation.cancel(fault.next);
    std::vector<std::uint64_t> ending;
    for (const Lasting& lasting : fault.lasting) {
      const bool unless_said =
          fault.spec.duration.has_value() || lasting.strike.heals_by_itself || !lasting.struck;
      if (fault.spec.heals.value_or(unless_said)) ending.push_back(lasting.number);
    }
    for (const std::uint64_t number : ending) heal(fault, number);
  }
}

std::deque<FaultInjector::Lasting>::iterator FaultInjector::find(Armed& fault, std::uint64_t number) {
  return std::find_if(fault.lasting.begin(), fault.lasting.end(),
                      [&](const Lasting& lasting) { return lasting.number == number; });
}

sim::RecordNumber FaultInjector::emit(const Armed& fault, const Strike& strike, bool strikes) {
  sim::TraceRecord record;
  record.code = static_cast<std::uint16_t>(fault.info->code);
  record.actor = strike.actor.value;
  record.place = strike.place.value;
  record.peer = fault.entity.value;
  record.a = strikes ? 1 : 0;
  return context_.emit(Kind::fault, record);
}

std::vector<std::uint64_t> FaultInjector::fired() const {
  std::vector<std::uint64_t> counts;
  for (const Armed& fault : faults_) counts.push_back(fault.fired);
  return counts;
}

}  // namespace models
