#include "models/schema/registry.hpp"

#include <algorithm>
#include <utility>

#include "sim/assert.hpp"

namespace models::schema {

Registry::Registry(Context& context, Node& node, const RegistryOptions& options,
                   const std::vector<SubjectOptions>& subjects)
    : context_(context),
      node_(node),
      options_(options),
      service_(context.simulation.seed(), "schema-registry/service") {
  node.set_program(*this);
  for (const SubjectOptions& one : subjects) {
    Subject& subject = subjects_.emplace_back();
    subject.entity = context.entities.add(EntityKind::subject, one.name);
    subject.name = one.name;
    subject.level = one.compatibility;
    subject.versions = one.versions;
    subject.ids.assign(one.versions.size(), -1);
    for (const VersionOptions& reader : one.versions) {
      for (const VersionOptions& writer : one.versions)
        subject.readable.push_back(can_read(reader.schema, writer.schema));
    }
  }
}

void Registry::tell() {
  for (std::uint32_t s = 0; s < subjects_.size(); ++s) {
    Subject& subject = subjects_[s];
    for (std::uint32_t v = 0; v < subject.versions.size(); ++v) {
      if (!subject.versions[v].registered) continue;
      subject.ids[v] = next_id_++;
      subject.registered.push_back(&subject.versions[v].schema);
      emit(node_.entity(), {s, v}, RegistryCode::registered);
    }
  }
}

std::optional<std::uint32_t> Registry::find_subject(std::string_view name) const {
  const auto at =
      std::find_if(subjects_.begin(), subjects_.end(), [name](const Subject& s) { return s.name == name; });
  if (at == subjects_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(at - subjects_.begin());
}

std::optional<std::uint32_t> Registry::find_version(std::uint32_t subject, std::string_view name) const {
  const std::vector<VersionOptions>& all = subjects_[subject].versions;
  const auto at =
      std::find_if(all.begin(), all.end(), [name](const VersionOptions& v) { return v.name == name; });
  if (at == all.end()) return std::nullopt;
  return static_cast<std::uint32_t>(at - all.begin());
}

bool Registry::accepts(VersionRef version) const {
  const Subject& subject = subjects_[version.subject];
  if (registered(version)) return true;
  return !conflict(subject.level, subject.registered, subject.versions[version.version].schema);
}

RegistryCode Registry::add_now(VersionRef version, EntityId who) {
  const RegistryCode code = up() ? add(version) : RegistryCode::unreachable;
  emit(who, version, code);
  return code;
}

RegistryCode Registry::probe_now(VersionRef version, EntityId who) {
  RegistryCode code = accepts(version) ? RegistryCode::known : RegistryCode::incompatible;
  if (!up()) code = RegistryCode::unreachable;
  emit(who, version, code);
  return code;
}

void Registry::receive(RegistryCaller& caller, std::uint64_t token) {
  const Asked asked{&caller, token, caller.asked(), node_.incarnation(), caller.what()};
  context_.simulation.schedule_after(options_.service.sample_duration(service_),
                                     [this, asked] { carry_out(asked); });
}

void Registry::carry_out(const Asked& asked) {
  if (node_.incarnation() != asked.life) return;  // its clients hear of their connections' ends
  if (node_.paused()) return waiting_.push_back(asked);
  RegistryCode code = registered(asked.version) ? RegistryCode::known : RegistryCode::not_found;
  if (asked.what == Request::add) code = add(asked.version);
  emit(asked.caller->entity(), asked.version, code);
  asked.caller->answer(asked.token, code);
}

RegistryCode Registry::add(VersionRef version) {
  if (registered(version)) return RegistryCode::known;
  if (!accepts(version)) return RegistryCode::incompatible;
  Subject& subject = subjects_[version.subject];
  subject.ids[version.version] = next_id_++;
  subject.registered.push_back(&subject.versions[version.version].schema);
  return RegistryCode::registered;
}

void Registry::emit(EntityId actor, VersionRef version, RegistryCode code) {
  const Subject& subject = subjects_[version.subject];
  context_.emit(Kind::registry_answer, {.code = static_cast<std::uint16_t>(code),
                                        .actor = actor.value,
                                        .place = subject.entity.value,
                                        .a = std::int64_t{version.version} + 1,
                                        .b = subject.ids[version.version]});
}

void Registry::resumed() {
  std::vector<Asked> now;
  now.swap(waiting_);
  for (const Asked& asked : now) carry_out(asked);
}

// ---- its clients --------------------------------------------------------------------------------------------------

namespace {

// Sizes on the wire, about: a schema and HTTP's headers, and an id.
constexpr std::uint32_t kRequestBytes = 1000;
constexpr std::uint32_t kAnswerBytes = 300;

}  // namespace

RegistryCaller::RegistryCaller(Registry& registry, Context& context, Node& node,
                               std::function<void(RegistryCode)> answered)
    : registry_(registry),
      context_(context),
      node_(node),
      answered_(std::move(answered)),
      timeout_(context.simulation, node, [this] { unreachable(); }) {}

RegistryCaller::~RegistryCaller() {
  context_.network.close(connection_);
}

void RegistryCaller::ask(Registry::Request what, VersionRef version) {
  MQLAB_ASSERT(!waiting_, "one request at a time");
  waiting_ = true;
  what_ = what;
  asked_ = version;
  ++token_;
  timeout_.arm_after(registry_.options().timeout);
  if (open_) return transmit();
  if (connection_ == ConnectionId{}) connection_ = context_.network.connect(node_, registry_.node(), *this);
}

void RegistryCaller::connected(ConnectionId) {
  open_ = true;
  if (waiting_) transmit();
}

void RegistryCaller::disconnected(ConnectionId) {
  open_ = false;
  connection_ = {};
  if (!waiting_) return;
  node_.run_or_hold([this, token = token_] {
    if (waits_for(token)) unreachable();
  });
}

void RegistryCaller::transmit() {
  const auto send = [this, token = token_] {
    if (!waits_for(token)) return;
    context_.network.send(connection_, Side::client, kRequestBytes, [this, token] {
      if (waits_for(token)) registry_.receive(*this, token);
    });
  };
  if (registry_.options().latency > sim::Duration{})
    context_.simulation.schedule_after(registry_.options().latency, send);
  else
    send();
}

void RegistryCaller::answer(std::uint64_t token, RegistryCode code) {
  const auto send = [this, token, code] {
    if (!waits_for(token)) return;
    context_.network.send(connection_, Side::server, kAnswerBytes,
                          [this, token, code] { hear(token, code); });
  };
  if (registry_.options().latency > sim::Duration{})
    context_.simulation.schedule_after(registry_.options().latency, send);
  else
    send();
}

void RegistryCaller::forget() {
  waiting_ = false;
  timeout_.disarm();
  hang_up();
}

void RegistryCaller::hang_up() {
  context_.network.close(connection_);
  connection_ = {};
  open_ = false;
}

void RegistryCaller::hear(std::uint64_t token, RegistryCode code) {
  if (!waits_for(token)) return;
  waiting_ = false;
  timeout_.disarm();
  answered_(code);
}

void RegistryCaller::unreachable() {
  forget();
  context_.emit(Kind::registry_answer, {.code = static_cast<std::uint16_t>(RegistryCode::unreachable),
                                        .actor = node_.entity().value,
                                        .place = registry_.subject_entity(asked_.subject).value,
                                        .a = std::int64_t{asked_.version} + 1,
                                        .b = -1});
  answered_(RegistryCode::unreachable);
}

}  // namespace models::schema
