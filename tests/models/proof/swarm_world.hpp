// Random worlds for the swarm: a configuration that promises everything, of which one promise may be taken back.
//
// Everything that no cure settles is drawn: sizes, features, timeouts, faults (swarm testing: Groce et al., "Swarm Testing",
// ISSTA 2012: leaving features out at random finds more).
#pragma once

#include "tests/models/proof/cures_clients.hpp"
#include "tests/models/proof/cures_rules.hpp"
#include "tests/models/proof/cures_storage.hpp"
#include "tests/models/proof/features_clients.hpp"
#include "tests/models/proof/features_storage.hpp"
#include "tests/models/proof/swarm_cures.hpp"
#include "tests/models/proof/swarm_features.hpp"

namespace proof {
namespace detail {

/// A fault that ends: what never comes back leaves messages that nobody is there to read.
inline models::FaultSpec passing_fault(const Names& names) {
  models::FaultSpec fault = arbitrary_fault(names);
  if (!fault.duration) fault.duration = 1ms * *rc::gen::inRange(1, 6000);
  return fault;
}

/// One of 0 … n-1, each as likely in every case: RapidCheck's ranges begin small and grow from case to case.
inline std::size_t pick(std::size_t n) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, n));
}

template <class Row>
std::vector<Row> joined(std::initializer_list<const std::vector<Row>*> tables) {
  std::vector<Row> all;
  for (const std::vector<Row>* table : tables) all.insert(all.end(), table->begin(), table->end());
  return all;
}

}  // namespace detail

/// The rows of every table, in the order in which they are drawn.
inline const std::vector<Feature>& all_features() {
  static const std::vector<Feature> kAll =
      detail::joined({&features(), &client_features(), &storage_features()});
  return kAll;
}
inline const std::vector<Cure>& all_cures() {
  static const std::vector<Cure> kAll = detail::joined({&cures(), &client_cures(), &storage_cures()});
  return kAll;
}

/// Those that make a difference to this world; never none.
inline std::vector<const Cure*> those_of(const std::vector<Cure>& rows, const models::Scenario& s) {
  std::vector<const Cure*> all;
  for (const Cure& cure : rows)
    if (cure.concerns == nullptr || cure.concerns(s)) all.push_back(&cure);
  return all;
}

inline const Cure& some_cure(const models::Scenario& s) {
  const std::vector<const Cure*> all = those_of(all_cures(), s);
  return *all[detail::pick(all.size())];
}
/// One of the protocol's rules that are in force in this world.
inline const Cure& some_rule(const models::Scenario& s) {
  const std::vector<const Cure*> all = those_of(rule_cures(), s);
  return *all[detail::pick(all.size())];
}

/// With every cure; features are drawn in order of their table, so that a case shrinks to few of them.
inline ArbitraryWorld cured_world() {
  ArbitraryWorld world = arbitrary_world();
  models::Scenario& s = world.scenario;
  s.drain =
      1000s;  // longer than whatever waits: max.poll.interval.ms, delivery.timeout.ms, 5 min of a first join
  if (s.groups.empty()) s.groups.push_back(detail::arbitrary_group("group0"));
  s.faults.clear();
  std::vector<const Feature*> with;
  for (const Feature& feature : all_features()) {
    if (detail::pick(10) + static_cast<std::size_t>(feature.tenths) <= 9 ||
        (feature.fits != nullptr && !feature.fits(s)))
      continue;
    feature.add(s);
    world.features.emplace_back(feature.name);
    world.not_promised.insert(world.not_promised.end(), feature.not_promised.begin(),
                              feature.not_promised.end());
    with.push_back(&feature);
  }
  const detail::Names names = swarm_names(s);
  const int faults = *rc::gen::inRange(0, 6);
  for (int i = 0; i < faults; ++i) s.faults.push_back(detail::passing_fault(names));
  detail::cure(s);
  detail::cure_clients(s);
  for (const Feature* feature : with)
    if (feature->finish != nullptr) feature->finish(s);
  return world;
}

}  // namespace proof
