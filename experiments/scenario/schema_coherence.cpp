#include "experiments/scenario/schema_coherence.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"
#include "models/kafka/producer/serializer.hpp"

namespace experiments {
namespace {

using models::Scenario;
using models::schema::ClientOptions;
using models::schema::SubjectOptions;
using models::schema::VersionOptions;

class Schemas {
 public:
  explicit Schemas(const Scenario& scenario) : s_(scenario) {}

  FoundMisfit find() const {
    for (const SubjectOptions& subject : s_.subjects) {
      if (auto wrong = of(subject)) return wrong;
    }
    for (const models::ProducerOptions& producer : s_.producers) {
      if (auto wrong = of(producer)) return wrong;
    }
    for (const models::GroupOptions& group : s_.groups) {
      if (auto wrong = of(group)) return wrong;
    }
    for (const models::GatewayOptions& gateway : s_.gateways) {
      if (auto wrong = plain_writer(join_path("gateways", gateway.name), gateway.to)) return wrong;
    }
    for (const models::ServiceOptions& service : s_.services) {
      if (auto wrong = plain_writer(join_path("services", service.name), service.to)) return wrong;
    }
    for (const models::RelayOptions& relay : s_.relays) {
      if (auto wrong = plain_writer(join_path("relays", relay.name), relay.to)) return wrong;
    }
    for (std::size_t i = 0; i < s_.faults.size(); ++i) {
      if (auto wrong = of(s_.faults[i], i)) return wrong;
    }
    return {};
  }

 private:
  const SubjectOptions* subject_of(const std::string& topic) const {
    const std::string name = models::kafka::value_subject(topic);
    for (const SubjectOptions& subject : s_.subjects) {
      if (subject.name == name) return &subject;
    }
    return nullptr;
  }

  FoundMisfit of(const SubjectOptions& subject) const {
    const std::string path = join_path("subjects", subject.name);
    std::vector<std::string> subjects;
    const auto add = [&](const models::kafka::ClusterOptions& cluster) {
      for (const auto& topic : cluster.topics) subjects.push_back(models::kafka::value_subject(topic.name));
    };
    add(*s_.kafka);
    for (const auto& cluster : s_.clusters) add(cluster);
    const std::vector<std::string_view> known(subjects.begin(), subjects.end());
    if (std::find(subjects.begin(), subjects.end(), subject.name) == subjects.end())
      return Misfit{path + ".name", "is TOPIC-value of no topic" + hint(subject.name, known)};
    if (subject.versions.empty()) return Misfit{path + ".versions", "are missing"};
    for (const VersionOptions& version : subject.versions) {
      if (auto wrong = of(join_path(path + ".versions", version.name), subject, version)) return wrong;
    }
    return {};
  }

  static FoundMisfit of(const std::string& path, const SubjectOptions& subject,
                        const VersionOptions& version) {
    for (const VersionOptions& other : subject.versions) {
      if (&other == &version) break;
      if (other.schema == version.schema)
        return Misfit{path + ".fields",
                      "are those of '" + other.name + "': a registry would give both one id"};
    }
    return {};
  }

  static std::vector<std::string_view> names_of(const SubjectOptions& subject) {
    std::vector<std::string_view> names;
    for (const VersionOptions& one : subject.versions) names.push_back(one.name);
    return names;
  }

  static FoundMisfit known(const std::string& path, const std::string& version,
                           const std::vector<const SubjectOptions*>& subjects) {
    std::vector<std::string_view> names;
    for (const SubjectOptions* subject : subjects) {
      for (const VersionOptions& one : subject->versions) names.push_back(one.name);
    }
    if (std::find(names.begin(), names.end(), version) != names.end()) return {};
    return Misfit{path, "there is no version '" + version + "'" + hint(version, names)};
  }

  FoundMisfit client(const std::string& path, const ClientOptions& options,
                     const std::vector<const SubjectOptions*>& subjects) const {
    for (const SubjectOptions* subject : subjects) {
      if (auto wrong = known(path + ".version", options.version, {subject})) return wrong;
    }
    sim::Duration before{-1};
    for (std::size_t i = 0; i < options.upgrades.size(); ++i) {
      const models::schema::Upgrade& upgrade = options.upgrades[i];
      const std::string at = path + ".upgrades." + std::to_string(i);
      if (auto wrong = known(at + ".to", upgrade.to, subjects)) return wrong;
      if (upgrade.at >= s_.duration) return Misfit{at + ".at", "is after the end of the run's duration"};
      if (upgrade.at < before) return Misfit{at + ".at", "is before the upgrade that it follows"};
      before = upgrade.at;
    }
    return {};
  }

  FoundMisfit of(const models::ProducerOptions& p) const {
    const std::string path = join_path("producers", p.name) + ".schema";
    const SubjectOptions* const subject = subject_of(p.to);
    if (!p.schema) {
      if (subject == nullptr) return {};
      return Misfit{join_path("producers", p.name), "writes to a topic whose values have a schema ('" +
                                                        subject->name +
                                                        "'): `schema = { version = … }` says which"};
    }
    if (subject == nullptr)
      return Misfit{path, "needs a subject: there is no '" + models::kafka::value_subject(p.to) + "'"};
    return client(path, *p.schema, {subject});
  }

  /// Of what writes without a serializer.
  FoundMisfit plain_writer(const std::string& path, const std::string& topic) const {
    const SubjectOptions* const subject = subject_of(topic);
    if (subject == nullptr) return {};
    return Misfit{path, "writes to a topic whose values have a schema ('" + subject->name +
                            "'), which is modelled of [[producers]] alone"};
  }

  FoundMisfit of(const models::GroupOptions& g) const {
    if (g.calls && !g.calls->dead_letters.empty()) {
      if (auto wrong =
              plain_writer(join_path("groups", g.name) + ".calls.dead_letters", g.calls->dead_letters))
        return wrong;
    }
    if (!g.schema && g.transform) return plain_writer(join_path("groups", g.name), g.transform->to);
    if (!g.schema) return {};
    const std::string path = join_path("groups", g.name) + ".schema";
    std::vector<const SubjectOptions*> subjects;
    for (const std::string& topic : g.topics) {
      if (const SubjectOptions* subject = subject_of(topic)) subjects.push_back(subject);
    }
    if (subjects.empty()) return Misfit{path, "needs a subject: none of the group's topics has one"};
    if (g.hand_off) return Misfit{path, "is not modelled of work that is handed to other threads"};
    if (g.transform) return Misfit{path, "is not modelled of groups that transform"};
    return client(path, *g.schema, subjects);
  }

  FoundMisfit of(const models::FaultSpec& fault, std::size_t index) const {
    if (fault.kind != "wrong-schema") return {};
    const std::string path = join_path("faults", fault.name.empty() ? std::to_string(index) : fault.name);
    const std::string producer = fault.target.substr(0, fault.target.find('/'));
    for (const models::ProducerOptions& p : s_.producers) {
      if (p.name != producer) continue;
      const SubjectOptions* const subject = subject_of(p.to);
      if (subject == nullptr) return Misfit{path + ".target", "writes values without a schema"};
      if (fault.version.empty())
        return Misfit{path + ".version",
                      "is missing: what the messages are written with" + hint("", names_of(*subject))};
      return known(path + ".version", fault.version, {subject});
    }
    std::vector<std::string_view> producers;
    for (const models::ProducerOptions& p : s_.producers) producers.push_back(p.name);
    return Misfit{path + ".target",
                  "there is no producer '" + fault.target + "'" + hint(fault.target, producers)};
  }

  const Scenario& s_;
};

}  // namespace

FoundMisfit schema_misfit(const Scenario& scenario) {
  return Schemas(scenario).find();
}

}  // namespace experiments
