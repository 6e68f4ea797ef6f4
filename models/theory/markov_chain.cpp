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

std::vector<double> members_at_work(std::size_t members, double failures_per_s, double replacement_s) {
  MarkovChain chain(members + 1);
  for (std::size_t k = 0; k < members; ++k) {
    chain.add(k + 1, k, static_cast<double>(k + 1) * failures_per_s);
    chain.add(k, k + 1, static_cast<double>(members - k) / replacement_s);
  }
  return chain.steady_state();
}

}  // namespace theory
