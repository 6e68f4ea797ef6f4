#include "models/theory/queues.hpp"

#include <cmath>
#include <stdexcept>

namespace theory {
namespace {

void require_stable(double utilisation) {
  if (!(utilisation >= 0 && utilisation < 1))
    throw std::invalid_argument("the queue is not stable: utilisation >= 1");
}

Queue from_wait(double arrivals_per_s, double service_s, double utilisation, double wait_s) {
  Queue q;
  q.utilisation = utilisation;
  q.wait_s = wait_s;
  q.sojourn_s = wait_s + service_s;
  q.waiting = arrivals_per_s * wait_s;
  q.in_system = arrivals_per_s * q.sojourn_s;
  return q;
}

}  // namespace

Queue mg1(double arrivals_per_s, double service_s, double cv) {
  const double rho = arrivals_per_s * service_s;
  require_stable(rho);
  const double second_moment = service_s * service_s * (1 + cv * cv);
  return from_wait(arrivals_per_s, service_s, rho, arrivals_per_s * second_moment / (2 * (1 - rho)));
}

double mm1_sojourn_quantile_s(double arrivals_per_s, double service_s, double p) {
  require_stable(arrivals_per_s * service_s);
  return -std::log1p(-p) / (1 / service_s - arrivals_per_s);
}

double erlang_c(double offered_load, std::uint32_t servers) {
  require_stable(offered_load / servers);
  double blocking = 1;  // Erlang B by its recursion
  for (std::uint32_t k = 1; k <= servers; ++k)
    blocking = offered_load * blocking / (k + offered_load * blocking);
  return blocking / (1 - offered_load / servers * (1 - blocking));
}

Queue mmc(double arrivals_per_s, double service_s, std::uint32_t servers) {
  const double load = arrivals_per_s * service_s;
  const double rho = load / servers;
  require_stable(rho);
  const double wait = erlang_c(load, servers) / (servers / service_s - arrivals_per_s);
  return from_wait(arrivals_per_s, service_s, rho, wait);
}

double mmc_wait_tail(double arrivals_per_s, double service_s, std::uint32_t servers, double t_s) {
  const double spare = servers / service_s - arrivals_per_s;
  return erlang_c(arrivals_per_s * service_s, servers) * std::exp(-spare * t_s);
}

double mmc_sojourn_tail(double arrivals_per_s, double service_s, std::uint32_t servers, double t_s) {
  const double waits = erlang_c(arrivals_per_s * service_s, servers);
  const double served = 1 / service_s;
  const double spare = servers / service_s - arrivals_per_s;
  const double served_only = std::exp(-served * t_s);
  // Who waits stays for the sum of two exponentials, of rates `spare` and `served`.
  const bool equal = std::abs(spare - served) < 1e-9 * served;
  const double both = equal ? (1 + served * t_s) * served_only
                            : (spare * served_only - served * std::exp(-spare * t_s)) / (spare - served);
  return (1 - waits) * served_only + waits * both;
}

double md1_wait_tail(double arrivals_per_s, double service_s, double t_s) {
  const double rho = arrivals_per_s * service_s;
  require_stable(rho);
  double within = 0;
  for (int k = 0; k * service_s <= t_s; ++k) {
    const double x = arrivals_per_s * (k * service_s - t_s);
    double term = std::exp(-x);
    for (int i = 1; i <= k; ++i) term *= x / i;
    within += term;
  }
  return 1 - (1 - rho) * within;
}

std::vector<double> priority_waits_s(const std::vector<double>& arrivals_per_s, double service_s, double cv) {
  double load = 0;
  for (const double rate : arrivals_per_s) load += rate * service_s;
  require_stable(load);
  const double left_of_service = load * service_s * (1 + cv * cv) / 2;  // that an arrival finds
  std::vector<double> waits;
  double above = 0;  // load of higher classes
  for (const double rate : arrivals_per_s) {
    const double with_own = above + rate * service_s;
    waits.push_back(left_of_service / ((1 - above) * (1 - with_own)));
    above = with_own;
  }
  return waits;
}

Impatient mmc_patience(double arrivals_per_s, double service_s, std::uint32_t servers, double patience_s) {
  // Below c customers it is M/M/c. The wait V that an arrival would have has the density f(0) e^(-d x) up to the patience,
  // f(0) = arrivals * P(c - 1 customers), d = services - arrivals, and falls with the services alone beyond.
  const double load = arrivals_per_s * service_s;
  const double services = servers / service_s;
  const double d = services - arrivals_per_s;
  double share = 1, below = 0, busy = 0;  // of k customers, as multiples of none's; k < c
  for (std::uint32_t k = 0; k < servers; ++k) {
    if (k > 0) share *= load / k;
    below += share;
    busy += k * share;
  }
  const double at_0 = arrivals_per_s * share;
  const double fall = std::exp(-d * patience_s);
  const bool balanced = std::abs(d) * patience_s < 1e-6;
  const double within = at_0 * (balanced ? patience_s : (1 - fall) / d);
  const double moment =
      at_0 * (balanced ? patience_s * patience_s / 2 : (1 - fall * (1 + d * patience_s)) / (d * d));
  const double beyond = at_0 * fall / services;
  const double total = below + within + beyond;
  Impatient q;
  q.gave_up = beyond / total;
  q.wait_s = (moment + patience_s * beyond) / total;
  q.busy = (busy + servers * (within + beyond)) / total;
  return q;
}

}  // namespace theory
