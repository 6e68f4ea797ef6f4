#include "models/kafka/producer/serializer.hpp"

#include <algorithm>
#include <utility>

#include "models/scenario_error.hpp"

namespace models::kafka {
namespace {

std::uint32_t subject_of(const schema::Registry& registry, const ProducerOptions& options) {
  const auto found = registry.find_subject(value_subject(options.to));
  if (!found)
    throw ScenarioError("producers." + options.name + ".schema",
                        "there is no subject '" + value_subject(options.to) + "'");
  return *found;
}

std::uint32_t version_of(const schema::Registry& registry, std::uint32_t subject,
                         const ProducerOptions& options) {
  const auto found = registry.find_version(subject, options.schema->version);
  if (!found)
    throw ScenarioError("producers." + options.name + ".schema.version",
                        "there is no version '" + options.schema->version + "'");
  return *found;
}

}  // namespace

std::string value_subject(const std::string& topic) {
  return topic + "-value";
}

Serializer::Serializer(schema::Schemas& schemas, Context& context, Node& node, const ProducerOptions& options,
                       Accumulator& accumulator, Owner owner)
    : schemas_(schemas),
      context_(context),
      node_(node),
      options_(*options.schema),
      accumulator_(accumulator),
      owner_(std::move(owner)),
      subject_(subject_of(schemas.registry, options)),
      version_(version_of(schemas.registry, subject_, options)),
      caller_(schemas.registry, context, node, [this](RegistryCode code) { answered(code); }) {
  known_.assign(schemas.registry.versions(subject_), false);
}

void Serializer::start() {
  use(version_);
  context_.emit(Kind::deployed, {.actor = node_.entity().value,
                                 .place = schemas_.registry.subject_entity(subject_).value,
                                 .a = std::int64_t{version_} + 1,
                                 .b = -1});
  for (const schema::Upgrade& upgrade : options_.upgrades) {
    const sim::Time at = std::max(sim::Time{upgrade.at}, context_.now());
    context_.simulation.schedule_at(at, [this, &upgrade] { deploy(upgrade); });
  }
}

void Serializer::deploy(const schema::Upgrade& upgrade) {
  const auto version = schemas_.registry.find_version(subject_, upgrade.to);
  if (options_.when_refused == schema::WhenRefused::keep) {
    const RegistryCode code = schemas_.registry.add_now(ref(*version), node_.entity());
    if (code != RegistryCode::registered && code != RegistryCode::known)
      return tell(*version, DeploymentCode::kept_old);
  }
  tell(*version, DeploymentCode::accepted);
  owner_.deployed(*version);
}

void Serializer::tell(std::uint32_t version, DeploymentCode code) const {
  context_.emit(Kind::deployed, {.code = static_cast<std::uint16_t>(code),
                                 .actor = node_.entity().value,
                                 .place = schemas_.registry.subject_entity(subject_).value,
                                 .a = std::int64_t{version} + 1,
                                 .b = std::int64_t{version_} + 1});
}

void Serializer::use(std::uint32_t version) {
  version_ = version;
  for (const PartitionQueue& queue : accumulator_.partitions())
    schemas_.written.note(node_.entity(), queue.entity, queue.next_seq, ref(version));
}

void Serializer::ask() {
  if (caller_.waiting()) return;
  asked_ = version_;
  const auto what = options_.auto_register ? schema::Registry::Request::add : schema::Registry::Request::find;
  caller_.ask(what, ref(asked_));
}

void Serializer::answered(RegistryCode code) {
  const bool ready = code == RegistryCode::registered || code == RegistryCode::known;
  if (ready) known_[asked_] = true;
  owner_.answered(ready);
}

void Serializer::crashed() {
  std::fill(known_.begin(), known_.end(), false);
  caller_.forget();
}

bool Serializer::write_wrong(const std::string& version, std::int64_t messages) {
  const auto found = schemas_.registry.find_version(subject_, version);
  if (!found) return false;
  wrong_ = *found;
  wrong_left_ = messages;
  return true;
}

void Serializer::appended_wrong(const PartitionQueue& queue) {
  --wrong_left_;
  schemas_.written.note(node_.entity(), queue.entity, queue.next_seq - 1, ref(wrong_));
  schemas_.written.note(node_.entity(), queue.entity, queue.next_seq, ref(version_));
}

}  // namespace models::kafka
