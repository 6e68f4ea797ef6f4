#include "models/theory/markov_chain.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace theory {

void MarkovChain::add(std::size_t from, std::size_t to, double rate_per_s) {
  if (from >= states_ || to >= states_ || from == to)
    throw std::invalid_argument("no such transition in this chain");
  if (!(rate_per_s >= 0)) throw std::invalid_argument("a rate is negative");
  transitions_.push_back({from, to, rate_per_s});
}

std::vector<double> MarkovChain::steady_state() const {
  // pi Q = 0 with the last equation replaced by sum(pi) = 1.
  const auto n = static_cast<Eigen::Index>(states_);
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(n, n);
  for (const Transition& t : transitions_) {
    const auto from = static_cast<Eigen::Index>(t.from);
    const auto to = static_cast<Eigen::Index>(t.to);
    a(to, from) += t.rate;
    a(from, from) -= t.rate;
  }
  a.row(n - 1).setOnes();
  Eigen::VectorXd b = Eigen::VectorXd::Zero(n);
  b(n - 1) = 1;
  const Eigen::FullPivLU<Eigen::MatrixXd> lu(a);
  if (!lu.isInvertible()) throw std::runtime_error("the chain has no unique steady state");
  const Eigen::VectorXd pi = lu.solve(b);
  return {pi.data(), pi.data() + pi.size()};
}

std::vector<double> MarkovChain::transient(const std::vector<double>& start, double time_s) const {
  const auto n = static_cast<Eigen::Index>(states_);
  if (start.size() != states_) throw std::invalid_argument("one starting probability per state");
  Eigen::VectorXd leaving = Eigen::VectorXd::Zero(n);
  for (const Transition& t : transitions_) leaving(static_cast<Eigen::Index>(t.from)) += t.rate;
  const double rate = std::max(leaving.maxCoeff(), 1e-300);
  Eigen::MatrixXd step = Eigen::MatrixXd::Identity(n, n);  // column-stochastic
  for (const Transition& t : transitions_) {
    const auto from = static_cast<Eigen::Index>(t.from);
    step(static_cast<Eigen::Index>(t.to), from) += t.rate / rate;
    step(from, from) -= t.rate / rate;
  }
  Eigen::VectorXd state = Eigen::Map<const Eigen::VectorXd>(start.data(), n);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(n);
  // Poisson(rate * time) jumps; beyond mean + 10 sigma + 50 what is left weighs less than 1e-12.
  const double mean = rate * time_s;
  const double last = mean + 10 * std::sqrt(mean) + 50;
  for (double k = 0; k <= last; ++k) {
    const double weight = std::exp(k * std::log(std::max(mean, 1e-300)) - mean - std::lgamma(k + 1));
    sum += weight * state;
    state = step * state;
  }
  return {sum.data(), sum.data() + sum.size()};
}

BoundedQueue mmck(double arrivals_per_s, double service_s, std::size_t servers, std::size_t capacity) {
  MarkovChain chain(capacity + 1);
  for (std::size_t n = 0; n < capacity; ++n) {
    chain.add(n, n + 1, arrivals_per_s);
    chain.add(n + 1, n, static_cast<double>(std::min(n + 1, servers)) / service_s);
  }
  const std::vector<double> pi = chain.steady_state();
  BoundedQueue q;
  q.refused = pi[capacity];
  for (std::size_t n = 0; n <= capacity; ++n) q.in_system += static_cast<double>(n) * pi[n];
  q.sojourn_s = q.in_system / (arrivals_per_s * (1 - q.refused));
  return q;
}

RetrialQueue finite_retrial(std::size_t customers, double think_s, double way_s, double service_s,
                            std::size_t capacity) {
  // State: (in the system, calls on their way, refusals on their way, admissions on their way). The others think.
  struct State {
    std::size_t in, calls, refusals, admissions;
  };
  std::vector<State> states;
  for (std::size_t in = 0; in <= capacity; ++in) {
    for (std::size_t calls = 0; calls <= customers; ++calls) {
      for (std::size_t refusals = 0; calls + refusals <= customers; ++refusals) {
        for (std::size_t admissions = 0; calls + refusals + admissions <= customers; ++admissions)
          states.push_back({in, calls, refusals, admissions});
      }
    }
  }
  const auto number = [&states](const State& s) {
    const auto at = std::find_if(states.begin(), states.end(), [&s](const State& known) {
      return known.in == s.in && known.calls == s.calls && known.refusals == s.refusals &&
             known.admissions == s.admissions;
    });
    return static_cast<std::size_t>(at - states.begin());
  };
  MarkovChain chain(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto [in, calls, refusals, admissions] = states[i];
    const std::size_t think = customers - calls - refusals - admissions;
    const auto go = [&](std::size_t count, double time_s, const State& to) {
      if (count > 0) chain.add(i, number(to), static_cast<double>(count) / time_s);
    };
    go(think, think_s, {in, calls + 1, refusals, admissions});
    if (in < capacity)
      go(calls, way_s, {in + 1, calls - 1, refusals, admissions + 1});
    else
      go(calls, way_s, {in, calls - 1, refusals + 1, admissions});
    go(refusals, way_s, {in, calls + 1, refusals - 1, admissions});
    go(admissions, way_s, {in, calls, refusals, admissions - 1});
    go(std::min<std::size_t>(in, 1), service_s, {in - 1, calls, refusals, admissions});
  }
  const std::vector<double> share = chain.steady_state();
  double calls_per_s = 0;
  RetrialQueue q;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const double rate = static_cast<double>(states[i].calls) / way_s * share[i];
    calls_per_s += rate;
    if (states[i].in < capacity) q.admitted_per_s += rate;
    q.in_system += static_cast<double>(states[i].in) * share[i];
  }
  q.refused = 1 - q.admitted_per_s / calls_per_s;
  return q;
}

std::vector<double> members_at_work(std::size_t members, double failures_per_s, double replacement_s) {
  MarkovChain chain(members + 1);
  for (std::size_t k = 0; k < members; ++k) {
    chain.add(k + 1, k, static_cast<double>(k + 1) * failures_per_s);
    chain.add(k, k + 1, static_cast<double>(members - k) / replacement_s);
  }
  return chain.steady_state();
}

}  // namespace theory
