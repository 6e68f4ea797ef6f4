#include "experiments/scenario/application_steps.hpp"

#include <algorithm>
#include <string>

#include "experiments/scenario/application_facts.hpp"
#include "experiments/scenario/check.hpp"
#include "experiments/scenario/paths.hpp"

namespace experiments {
namespace {

using models::DatabaseOptions;
using models::Publishing;
using models::RelayKind;
using models::RelayOptions;
using models::ServiceOptions;
using models::Step;

class ReachedSteps {
 public:
  explicit ReachedSteps(const models::Scenario& scenario) : s_(scenario) {}

  FoundMisfit find() const {
    for (std::size_t i = 0; i < s_.faults.size(); ++i) {
      const models::FaultSpec& f = s_.faults[i];
      if (!f.when) continue;
      const std::string& subject = f.when->subject.empty() ? f.target : f.when->subject;
      const std::string why = why_never(f.when->step, subject.substr(0, subject.find('/')));
      if (why.empty()) continue;
      const std::string path = f.name.empty() ? "faults." + std::to_string(i) : join_path("faults", f.name);
      return Misfit{path + ".when.step", "never happens at '" + subject + "': " + why};
    }
    return std::nullopt;
  }

 private:
  /// Empty: it does, or the subject is nothing of these. A step of another kind of process is found when it is armed.
  std::string why_never(Step step, const std::string& name) const {
    for (const ServiceOptions& s : s_.services) {
      if (s.name == name) return at_service(step, s);
    }
    for (const RelayOptions& r : s_.relays) {
      if (r.name == name) return at_relay(step, r);
    }
    for (const DatabaseOptions& d : s_.databases) {
      if (d.name == name) return at_database(step, d);
    }
    const bool group = std::any_of(s_.groups.begin(), s_.groups.end(),
                                   [&name](const models::GroupOptions& g) { return g.name == name; });
    return group ? at_group(step, name) : std::string();
  }

  static bool of_sends(Step step) { return step == Step::acknowledged || step == Step::event_acknowledged; }
  static bool of_transactions(Step step) {
    return step == Step::offsets_added || step == Step::end_txn_sent || step == Step::transaction_ended;
  }
  static bool of_votes(Step step) {
    return step == Step::prepare_sent || step == Step::votes_collected || step == Step::decision_recorded ||
           step == Step::participant_asked || step == Step::participant_told;
  }

  static std::string at_service(Step step, const ServiceOptions& s) {
    const bool two_phase = s.publish == Publishing::two_phase;
    if (of_sends(step) && !sends_itself(s)) return "it sends no events itself";
    if (of_transactions(step)) return "it takes part in no transaction of the log";
    if (of_votes(step) && !two_phase) return "it commits in one phase";
    if ((step == Step::transaction_sent || step == Step::transaction_committed) && two_phase)
      return "it commits in two phases: its steps are prepare-sent, votes-collected, decision-recorded and "
             "those between";
    if (step == Step::effect_applied || step == Step::id_recorded)
      return "what it does is a transaction of its database: its steps are transaction-sent and "
             "transaction-committed";
    return {};
  }

  std::string at_relay(Step step, const RelayOptions& r) const {
    if (of_transactions(step)) return "it takes part in no transaction of the log";
    if (step == Step::rows_marked && r.kind == RelayKind::capture)
      return "a capture marks no rows: it saves its position now and then";
    const bool reads = step == Step::rows_read || step == Step::rows_sent || step == Step::rows_marked ||
                       step == Step::acknowledged;
    const bool has_rows = std::any_of(s_.services.begin(), s_.services.end(), [&](const ServiceOptions& s) {
      return s.database == r.database && !facts_of(s).empty() &&
             (r.kind == RelayKind::capture || s.publish == Publishing::outbox);
    });
    if (!reads || has_rows) return {};
    return r.kind == RelayKind::capture
               ? "no service makes facts in '" + r.database + "'"
               : "no service of '" + r.database + "' has publish = \"outbox\", and there are no rows";
  }

  std::string at_database(Step step, const DatabaseOptions& d) const {
    bool votes = false, writes = false, facts = false;
    for (const ServiceOptions& s : s_.services) {
      const bool takes_part =
          s.publish == Publishing::two_phase && (s.database == d.name || s.queue == d.name);
      votes = votes || takes_part;
      writes = writes || takes_part || s.database == d.name;
      facts = facts || takes_part || (s.database == d.name && !facts_of(s).empty());
    }
    if (step == Step::vote_given && !votes)
      return "it takes part in no two-phase commit: no service with that names it as its database or queue";
    if (step == Step::row_inserted && !writes) return "no service has it for its database";
    if (step == Step::transaction_stored && !facts) return "nobody makes facts in it";
    return {};
  }

  static std::string at_group(Step step, const std::string& name) {
    const bool of_service = step == Step::transaction_sent || step == Step::transaction_committed ||
                            step == Step::event_acknowledged || of_votes(step);
    return of_service ? "the group '" + name + "' is no service with a database" : std::string();
  }

  const models::Scenario& s_;
};

}  // namespace

FoundMisfit application_step_misfit(const models::Scenario& scenario) {
  return ReachedSteps(scenario).find();
}

}  // namespace experiments
