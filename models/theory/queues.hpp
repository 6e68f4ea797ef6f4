// Closed forms of queueing theory, as oracles for tests and for `mqlab theory`. Never part of a run: libm is
// allowed here.
//
// Shapes and units: rates per second, times in seconds. Every function requires a stable system unless it
// says otherwise. Sources: Kleinrock, Queueing Systems I (1975), chapters 3 and 5; Gross et al., Fundamentals
// of Queueing Theory (2008).
#pragma once

#include <cstdint>
#include <vector>

namespace theory {

/// What is known of one first-come-first-served queue in steady state.
struct Queue {
  double utilisation = 0;  ///< share of time that a server is busy
  double wait_s = 0;       ///< mean time before service
  double sojourn_s = 0;    ///< mean time in the system
  double waiting = 0;      ///< mean number waiting (Little)
  double in_system = 0;    ///< mean number in the system
};

/// M/G/1 by Pollaczek and Khinchine: service of mean `service_s` and coefficient of variation `cv`.
/// M/M/1 is cv = 1, M/D/1 is cv = 0. Requires arrivals_per_s * service_s < 1.
Queue mg1(double arrivals_per_s, double service_s, double cv);
/// p-quantile of the sojourn time of M/M/1, which is exponential.
double mm1_sojourn_quantile_s(double arrivals_per_s, double service_s, double p);

/// M/M/c by Erlang. Requires arrivals_per_s * service_s < servers.
Queue mmc(double arrivals_per_s, double service_s, std::uint32_t servers);
/// Probability that an arrival waits (Erlang C).
double erlang_c(double offered_load, std::uint32_t servers);

// Tails: the probability that a customer of M/M/c waits, or stays, longer than `t_s` >= 0.
double mmc_wait_tail(double arrivals_per_s, double service_s, std::uint32_t servers, double t_s);
double mmc_sojourn_tail(double arrivals_per_s, double service_s, std::uint32_t servers, double t_s);
/// The wait of M/D/1 (Erlang's series). Terms alternate: t_s up to some ten service times.
double md1_wait_tail(double arrivals_per_s, double service_s, double t_s);

/// Mean wait of each class of M/G/1 where the highest class that waits is served next and nobody is interrupted (Cobham,
/// Operations Research 2, 1954). `arrivals_per_s`: of the classes, highest first. Service as of mg1().
std::vector<double> priority_waits_s(const std::vector<double>& arrivals_per_s, double service_s, double cv);

/// M/M/c of customers who leave when they have waited `patience_s` (M/M/c+D; Barrer, Operations Research 5, 1957). Stable
/// under any load.
struct Impatient {
  double gave_up = 0;  ///< share of arrivals
  double wait_s = 0;   ///< mean time before service or before leaving, of all
  double busy = 0;     ///< mean number of servers at work
};
Impatient mmc_patience(double arrivals_per_s, double service_s, std::uint32_t servers, double patience_s);

}  // namespace theory
