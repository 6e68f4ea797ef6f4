// Continuous-time Markov chains for what has no closed form: from a list of transitions to the steady state and to the state at
// a time. Solved with Eigen.
#pragma once

#include <cstddef>
#include <vector>

namespace theory {

/// A chain over states 0 .. states-1. Rates per second.
class MarkovChain {
 public:
  explicit MarkovChain(std::size_t states) : states_(states) {}

  /// Adds a transition. Throws std::invalid_argument for a state that does not exist, from == to, or a rate < 0.
  void add(std::size_t from, std::size_t to, double rate_per_s);
  std::size_t states() const { return states_; }

  /// Probability of each state in steady state. Requires one recurrent class; throws std::runtime_error when the equations
  /// have no unique solution.
  std::vector<double> steady_state() const;
  /// Probability of each state `time_s` after starting with probabilities `start` (uniformisation; error below 1e-12).
  std::vector<double> transient(const std::vector<double>& start, double time_s) const;

 private:
  struct Transition {
    std::size_t from, to;
    double rate;
  };
  std::size_t states_;
  std::vector<Transition> transitions_;
};

/// M/M/c/K: at most `capacity` in the system, arrivals beyond are refused.
struct BoundedQueue {
  double refused = 0;    ///< share of arrivals
  double in_system = 0;  ///< mean number
  double sojourn_s = 0;  ///< mean, of those admitted
};
BoundedQueue mmck(double arrivals_per_s, double service_s, std::size_t servers, std::size_t capacity);

/// A finite number of customers before M/M/1/K, who come again when they are refused (retrial queue): each thinks, calls, and
/// hears whether it has been let in; who was refused calls again. Times to think, of a call's way, of the answer's way, and of
/// service are exponential. A customer does not wait for its service: once it knows that it is let in it thinks again.
struct RetrialQueue {
  double refused = 0;  ///< share of calls
  double admitted_per_s = 0;
  double in_system = 0;  ///< mean number let in and not served
};
RetrialQueue finite_retrial(std::size_t customers, double think_s, double way_s, double service_s,
                            std::size_t capacity);

/// `members` that each fail at `failures_per_s` and are replaced after an exponential time of mean `replacement_s` each:
/// probability of k members at work, k = 0 .. members.
std::vector<double> members_at_work(std::size_t members, double failures_per_s, double replacement_s);

}  // namespace theory
