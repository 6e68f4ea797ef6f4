#include "experiments/scenario/application_coherence.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "experiments/scenario/application_facts.hpp"
#include "experiments/scenario/application_steps.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"
#include "models/apps/database.hpp"

namespace experiments {
namespace {

using models::Publishing;
using models::RelayKind;

class Applications {
 public:
  explicit Applications(const models::Scenario& scenario) : s_(scenario) {}

  std::optional<Misfit> find() const {
    std::optional<Misfit> found;
    for (const models::ServiceOptions& service : s_.services) {
      if (!found) found = of(join_path("services", service.name), service);
    }
    for (const models::DatabaseOptions& database : s_.databases) {
      if (!found) found = of(join_path("databases", database.name), database);
    }
    for (const models::RelayOptions& relay : s_.relays) {
      if (!found) found = of(join_path("relays", relay.name), relay);
    }
    for (const models::GatewayOptions& gateway : s_.gateways) {
      if (!found) found = of(join_path("gateways", gateway.name), gateway);
    }
    if (!found) found = fact_misfit(s_);
    return found ? found : application_step_misfit(s_);
  }

 private:
  template <class Named>
  static std::optional<Misfit> known(const std::string& path, const std::string& name, const char* what,
                                     const std::vector<Named>& all) {
    std::vector<std::string_view> names;
    for (const Named& one : all) names.push_back(one.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;
    return Misfit{path, "there is no " + std::string(what) + " '" + name + "'" + hint(name, names)};
  }
  std::optional<Misfit> topic(const std::string& path, const std::string& name) const {
    return known(path, name, "topic", s_.kafka->topics);
  }
  static std::optional<Misfit> config(const std::string& path,
                                      const std::optional<models::kafka::ConfigError>& error) {
    if (!error) return std::nullopt;
    return Misfit{path + ".config." + error->key, error->message};
  }
  /// Of what sends events.
  static std::optional<Misfit> sender(const std::string& path, const models::kafka::ProducerConfig& c) {
    if (!c.transactional_id.empty())
      return Misfit{
          path + ".config.transactional.id",
          "does nothing here: services, relays and gateways send outside transactions; producers have "
          "`transactions`, and groups commit = \"in-transaction\""};
    return config(path, models::kafka::validate(c));
  }
  bool has_relay(const std::string& database, bool capture) const {
    return std::any_of(s_.relays.begin(), s_.relays.end(), [&](const models::RelayOptions& r) {
      return r.database == database && (r.kind == RelayKind::capture) == capture;
    });
  }

  std::optional<Misfit> of(const std::string& path, const models::ServiceOptions& s) const {
    if (auto wrong = known(path + ".database", s.database, "database", s_.databases)) return wrong;
    const bool requests = takes_requests(s);
    if (requests && s.begins.empty())
      return Misfit{path + ".begins", "is missing: what a request leaves in the database"};
    if (!requests && !s.begins.empty()) return Misfit{path + ".begins", "needs requests: `arrivals`"};
    if (!requests && s.own_read) return Misfit{path + ".own_read", "needs requests: `arrivals`"};
    if (!requests && s.reads.empty())
      return Misfit{path, "does nothing: it needs `arrivals` of requests, or topics that it `reads`"};
    if (s.reads.empty() && !s.reactions.empty())
      return Misfit{path + ".reactions", "need events: `reads` names topics"};
    if (!s.reads.empty() && s.reactions.empty())
      return Misfit{path + ".reactions",
                    "are missing: it reads topics and would do nothing about what it reads"};
    if (s.reads.empty() && !s.processed_ids)
      return Misfit{path + ".processed_ids", "goes with events: `reads` names topics"};
    if (s.reads.empty() && s.start > sim::Duration{})
      return Misfit{path + ".start", "is when it begins to read: `reads` names topics"};
    if (!requests && s.messages > 0) return Misfit{path + ".messages", "bounds requests: `arrivals`"};
    if (!requests && s.keys.count > 0) return Misfit{path + ".keys", "are of requests: `arrivals`"};
    for (const std::string& name : s.reads) {
      if (auto wrong = topic(path + ".reads", name)) return wrong;
    }
    if (sends_itself(s) && s.to.empty()) return Misfit{path + ".to", "is missing: the topic of its events"};
    if (!sends_itself(s) && !s.to.empty())
      return Misfit{path + ".to", "goes with a dual write: otherwise a relay says where"};
    if (sends_itself(s)) {
      if (auto wrong = topic(path + ".to", s.to)) return wrong;
    }
    const bool two_phase = s.publish == Publishing::two_phase;
    if (two_phase == s.queue.empty())
      return Misfit{path + ".queue", "goes with publish = \"two-phase-commit\", and that with it"};
    if (two_phase) {
      if (auto wrong = known(path + ".queue", s.queue, "database", s_.databases)) return wrong;
      if (s.queue == s.database) return Misfit{path + ".queue", "is its own database: one transaction does"};
      if (!s.reads.empty())
        return Misfit{path + ".publish", "in two phases is modelled of services that take requests alone"};
    }
    if (s.publish == Publishing::outbox && !has_relay(s.database, false) && !has_relay(s.database, true))
      return Misfit{path + ".publish", "by an outbox needs a relay that reads its database"};
    if (has_relay(s.database, true) && has_relay(s.database, false))
      return Misfit{path + ".database",
                    "is read by a capture and by a relay that polls: all would be sent twice"};
    if (sends_itself(s) && has_relay(s.database, true))
      return Misfit{path + ".publish", "is done already by the relay that captures its database's log"};
    if (auto wrong = sender(path, s.config)) return wrong;
    if (auto wrong = config(path + ".consumer", models::kafka::validate(s.consumer, s_.kafka->config)))
      return wrong;
    return of_reactions(path, s);
  }

  std::optional<Misfit> of(const std::string& path, const models::DatabaseOptions& d) const {
    const bool votes =
        std::any_of(s_.services.begin(), s_.services.end(), [&d](const models::ServiceOptions& s) {
          return s.publish == Publishing::two_phase && (s.database == d.name || s.queue == d.name);
        });
    if (!d.in_doubt_most || votes) return std::nullopt;
    return Misfit{path + ".in_doubt_most",
                  "goes with a two-phase commit: no service with that names it as its database or queue"};
  }

  static std::optional<Misfit> of_reactions(const std::string& path, const models::ServiceOptions& s) {
    if (s.reactions.size() > models::Database::kMostReactions / 2)
      return Misfit{path + ".reactions",
                    "are more than " + std::to_string(models::Database::kMostReactions / 2)};
    for (std::size_t i = 0; i < s.reactions.size(); ++i) {
      const models::ReactionOptions& r = s.reactions[i];
      const std::string at = path + ".reactions." + std::to_string(i);
      if (!r.otherwise.empty() && r.fails <= 0) return Misfit{at + ".otherwise", "needs `fails`: how often"};
      if (r.after && !s.processed_ids)
        return Misfit{at + ".after", "needs processed_ids: by it a timer is known again"};
    }
    return std::nullopt;
  }

  std::optional<Misfit> of(const std::string& path, const models::RelayOptions& r) const {
    if (auto wrong = known(path + ".database", r.database, "database", s_.databases)) return wrong;
    if (auto wrong = topic(path + ".to", r.to)) return wrong;
    if (r.every.count() <= 0) return Misfit{path + ".every", "must be above 0"};
    if (r.instances > 1 && r.kind != RelayKind::polling)
      return Misfit{path + ".instances", "share rows by locking them: that goes with kind = \"polling\""};
    const auto first =
        std::find_if(s_.relays.begin(), s_.relays.end(), [&r](const models::RelayOptions& other) {
          return other.database == r.database && other.kind != RelayKind::capture;
        });
    if (r.kind != RelayKind::capture && &*first != &r)
      return Misfit{path + ".database",
                    "has an outbox that '" + first->name + "' reads: each would remove the other's rows"};
    return sender(path, r.config);
  }

  std::optional<Misfit> of(const std::string& path, const models::GatewayOptions& g) const {
    if (auto wrong = topic(path + ".to", g.to)) return wrong;
    if (!g.devices.arrivals)
      return Misfit{path + ".arrivals", "of devices arise by themselves: a closed loop waits"};
    return sender(path, g.config);
  }

  const models::Scenario& s_;
};

}  // namespace

std::optional<Misfit> application_misfit(const models::Scenario& scenario) {
  return Applications(scenario).find();
}

}  // namespace experiments
