#include "experiments/scenario/application_facts.hpp"

#include <algorithm>

#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"
#include "models/apps/facts.hpp"

namespace experiments {
namespace {

using models::Publishing;
using models::ReactionOptions;
using models::RelayKind;
using models::RelayOptions;
using models::SagaOptions;
using models::ServiceOptions;
using Names = std::vector<std::string_view>;

bool among(std::string_view name, const Names& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add(Names& names, const Names& more) {
  for (const std::string_view name : more) {
    if (!among(name, names)) names.push_back(name);
  }
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

class FactTypes {
 public:
  explicit FactTypes(const models::Scenario& scenario) : s_(scenario) {
    for (const ServiceOptions& service : s_.services) add(made_, facts_of(service));
  }

  FoundMisfit find() const {
    if (made_.size() > models::kMostFactTypes) return Misfit{"services", "have too many types of facts"};
    FoundMisfit found;
    for (const ServiceOptions& service : s_.services) {
      const std::string path = join_path("services", service.name);
      for (std::size_t i = 0; i < service.reactions.size() && !found; ++i)
        found = of(path + ".reactions." + std::to_string(i), service, service.reactions[i]);
      if (!found && service.own_read) found = of_view(path + ".own_read.view", service);
    }
    return found ? found : of_saga();
  }

 private:
  /// Types of which a topic has events.
  Names said_in(const std::string& topic) const {
    Names said;
    for (const ServiceOptions& service : s_.services) {
      const bool told = std::any_of(s_.relays.begin(), s_.relays.end(), [&](const RelayOptions& r) {
        return r.to == topic && r.database == service.database &&
               (r.kind == RelayKind::capture || service.publish == Publishing::outbox);
      });
      if (told || (sends_itself(service) && service.to == topic)) add(said, facts_of(service));
    }
    return said;
  }

  FoundMisfit known(const std::string& path, const std::string& name) const {
    if (among(name, made_)) return std::nullopt;
    return Misfit{path, "there is no service that makes a fact '" + name + "'" + hint(name, made_)};
  }

  FoundMisfit of(const std::string& path, const ServiceOptions& s, const ReactionOptions& r) const {
    if (auto wrong = known(path + ".on", r.on)) return wrong;
    Names said;
    for (const std::string& topic : s.reads) add(said, said_in(topic));
    if (!among(r.on, said))
      return Misfit{path + ".on", "'" + r.on + "' is never said in what it reads (" + listed(s.reads) + ")" +
                                      hint(r.on, said)};
    for (const std::string& name : r.unless) {
      if (auto wrong = there(path + ".unless", s, name)) return wrong;
    }
    for (const std::string& name : r.needs) {
      if (auto wrong = there(path + ".needs", s, name)) return wrong;
    }
    return std::nullopt;
  }

  /// `unless` and `needs` look at the service's own database.
  FoundMisfit there(const std::string& path, const ServiceOptions& s, const std::string& name) const {
    if (auto wrong = known(path, name)) return wrong;
    Names own;
    for (const ServiceOptions& other : s_.services) {
      if (other.database == s.database) add(own, facts_of(other));
    }
    if (among(name, own)) return std::nullopt;
    return Misfit{path, "looks into the database '" + s.database + "', where nobody makes a fact '" + name +
                            "'" + hint(name, own)};
  }

  static bool takes_into_view(const ServiceOptions& s, const std::string& fact) {
    return std::any_of(s.reactions.begin(), s.reactions.end(),
                       [&fact](const ReactionOptions& r) { return r.on == fact && r.then.empty(); });
  }

  FoundMisfit of_view(const std::string& path, const ServiceOptions& s) const {
    Names views;
    const ServiceOptions* named = nullptr;
    for (const ServiceOptions& other : s_.services) {
      if (takes_into_view(other, s.begins)) views.push_back(other.name);
      if (other.name == s.own_read->view) named = &other;
    }
    if (named == nullptr)
      return Misfit{path, "there is no service '" + s.own_read->view + "'" + hint(s.own_read->view, views)};
    if (takes_into_view(*named, s.begins)) return std::nullopt;
    return Misfit{path, "'" + named->name + "' takes no '" + s.begins +
                            "' into a view: it needs a reaction { on = \"" + s.begins +
                            "\" } without `then`" + hint(named->name, views)};
  }

  FoundMisfit of_saga() const {
    FoundMisfit wrong;
    const auto check = [&](const std::string& path, const std::string& name) {
      if (!wrong) wrong = known(path, name);
    };
    for (const std::string& name : s_.saga.succeeds) check("saga.succeeds", name);
    for (const std::string& name : s_.saga.fails) check("saga.fails", name);
    for (const SagaOptions::Undo& undo : s_.saga.undo) {
      check("saga.undo", undo.fact);
      check("saga.undo", undo.by);
    }
    return wrong;
  }

  const models::Scenario& s_;
  Names made_;  ///< by anybody
};

}  // namespace

std::vector<std::string_view> facts_of(const ServiceOptions& service) {
  Names facts;
  if (!service.begins.empty()) facts.push_back(service.begins);
  for (const ReactionOptions& r : service.reactions) {
    if (!r.then.empty()) add(facts, {r.then});
    if (!r.otherwise.empty()) add(facts, {r.otherwise});
  }
  return facts;
}

bool sends_itself(const ServiceOptions& service) {
  return service.publish == Publishing::after_commit || service.publish == Publishing::before_commit;
}

bool takes_requests(const ServiceOptions& service) {
  return service.arrivals || service.closed_loop;
}

FoundMisfit fact_misfit(const models::Scenario& scenario) {
  return FactTypes(scenario).find();
}

}  // namespace experiments
