#include "models/kafka/consumer/schema_reader.hpp"

#include <algorithm>
#include <utility>

#include "models/kafka/consumer/effect_site.hpp"
#include "models/kafka/producer/serializer.hpp"
#include "models/scenario_error.hpp"

namespace models::kafka {

GroupSchemas::GroupSchemas(schema::Schemas& schemas, Cluster& cluster, const GroupOptions& options,
                           EntityId group, const std::vector<TopicIndex>& topics)
    : schemas_(schemas),
      context_(cluster.context()),
      options_(*options.schema),
      group_(group),
      versions_(schemas.registry.subjects()) {
  for (const TopicIndex topic : topics) {
    const auto subject = schemas.registry.find_subject(value_subject(cluster.topic(topic).name));
    if (!subject) continue;
    const auto version = schemas.registry.find_version(*subject, options_.version);
    if (!version)
      throw ScenarioError("groups." + options.name + ".schema.version",
                          "there is no version '" + options_.version + "'");
    versions_[*subject] = *version;
    subjects_.push_back(*subject);
  }
}

void GroupSchemas::start(std::function<void()> deployed) {
  deployed_ = std::move(deployed);
  for (const std::uint32_t subject : subjects_) {
    context_.emit(Kind::deployed, {.actor = group_.value,
                                   .place = schemas_.registry.subject_entity(subject).value,
                                   .a = std::int64_t{*versions_[subject]} + 1,
                                   .b = -1});
  }
  for (const schema::Upgrade& upgrade : options_.upgrades)
    context_.simulation.schedule_at(sim::Time{upgrade.at}, [this, &upgrade] { deploy(upgrade); });
}

void GroupSchemas::deploy(const schema::Upgrade& upgrade) {
  for (const std::uint32_t subject : subjects_) {
    const auto version = schemas_.registry.find_version(subject, upgrade.to);
    if (!version) continue;
    if (options_.when_refused == schema::WhenRefused::keep &&
        schemas_.registry.probe_now({subject, *version}, group_) != RegistryCode::known) {
      tell(subject, *version, DeploymentCode::kept_old);
      continue;
    }
    tell(subject, *version, DeploymentCode::accepted);
    versions_[subject] = *version;
  }
  deployed_();
}

void GroupSchemas::tell(std::uint32_t subject, std::uint32_t version, DeploymentCode code) const {
  context_.emit(Kind::deployed, {.code = static_cast<std::uint16_t>(code),
                                 .actor = group_.value,
                                 .place = schemas_.registry.subject_entity(subject).value,
                                 .a = std::int64_t{version} + 1,
                                 .b = std::int64_t{*versions_[subject]} + 1});
}

SchemaReader::SchemaReader(GroupSchemas& group, Cluster& cluster, Node& node, std::function<void()> answered)
    : group_(group),
      cluster_(cluster),
      node_(node),
      answered_(std::move(answered)),
      caller_(group.all().registry, cluster.context(), node, [this](RegistryCode code) {
        if (code == RegistryCode::known)
          known_[asked_.subject][asked_.version] = true;
        else
          refused_ = code == RegistryCode::unreachable ? UnreadableCode::no_answer : UnreadableCode::unknown;
        answered_();
      }) {
  const schema::Registry& registry = group.all().registry;
  for (std::uint32_t s = 0; s < registry.subjects(); ++s) known_.emplace_back(registry.versions(s), false);
}

SchemaReader::Judged SchemaReader::judge(PartitionIndex partition, LeaderEpoch epoch, Offset offset) const {
  const MessageRun run = messages_at(cluster_, partition, epoch, offset);
  const schema::WrittenSchemas::Found found = group_.all().written.at(run.lane, run.first_seq);
  Judged judged;
  judged.count = std::min(run.count, found.until - run.first_seq);
  const auto reader = found.any ? group_.version(found.version.subject) : std::nullopt;
  if (!reader) return judged;
  judged.writer = found.version;
  judged.reader = *reader;
  if (!knows(found.version)) {
    judged.wrong = refused_;
    judged.unknown = !refused_;
  } else if (!group_.all().registry.readable(found.version.subject, *reader, found.version.version)) {
    judged.wrong = UnreadableCode::unresolved;
  }
  return judged;
}

Offset SchemaReader::first_unread(PartitionIndex partition, LeaderEpoch epoch, Offset from, Offset to) const {
  while (from < to) {
    const Judged judged = judge(partition, epoch, from);
    if (judged.unknown || judged.wrong) return from;
    from += judged.count;
  }
  return to;
}

bool SchemaReader::must_ask(PartitionIndex partition, LeaderEpoch epoch, Offset offset) const {
  return judge(partition, epoch, offset).unknown;
}

void SchemaReader::look_up(PartitionIndex partition, LeaderEpoch epoch, Offset offset) {
  if (caller_.waiting()) return;
  asked_ = judge(partition, epoch, offset).writer;
  caller_.ask(schema::Registry::Request::find, asked_);
}

void SchemaReader::failed(PartitionIndex partition, LeaderEpoch epoch, Offset offset, bool again) {
  const Judged judged = judge(partition, epoch, offset);
  refused_.reset();
  if (!judged.wrong || again) return;
  const bool nameless = *judged.wrong == UnreadableCode::unknown;
  cluster_.context().emit(Kind::unreadable, {.code = static_cast<std::uint16_t>(*judged.wrong),
                                             .actor = node_.entity().value,
                                             .place = cluster_.partition(partition).entity.value,
                                             .peer = group_.group().value,
                                             .a = offset,
                                             .b = nameless ? -1 : std::int64_t{judged.writer.version} + 1,
                                             .c = std::int64_t{judged.reader} + 1});
}

void SchemaReader::crashed() {
  for (std::vector<bool>& versions : known_) std::fill(versions.begin(), versions.end(), false);
  refused_.reset();
  caller_.forget();
}

}  // namespace models::kafka
