// Random worlds for the swarm: a configuration that promises everything, of which one promise may be taken back.
//
// Everything that no cure settles is drawn: sizes, features, timeouts, faults (swarm testing: Groce et al., "Swarm Testing",
// ISSTA 2012: leaving features out at random finds more).
#pragma once

#include "tests/models/proof/cures_clients.hpp"
#include "tests/models/proof/features_clients.hpp"

namespace proof {

/// Of every table. What is added later may look at what is there.
inline std::vector<const Feature*> all_features() {
  std::vector<const Feature*> all;
  for (const auto* const table : {&features(), &client_features()})
    for (const Feature& feature : *table) all.push_back(&feature);
  return all;
}
inline std::vector<const Cure*> all_cures() {
  std::vector<const Cure*> all;
  for (const auto* const table : {&cures(), &client_cures()})
    for (const Cure& cure : *table) all.push_back(&cure);
  return all;
}
/// Those that make a difference to this world; never none.
inline std::vector<const Cure*> cures_of(const models::Scenario& s) {
  std::vector<const Cure*> all = all_cures();
  std::erase_if(all, [&s](const Cure* cure) { return cure->concerns != nullptr && !cure->concerns(s); });
  return all;
}
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

}  // namespace detail

/// One of the cures that make a difference to this world.
inline const Cure& some_cure(const models::Scenario& s) {
  const std::vector<const Cure*> all = cures_of(s);
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
  for (const Feature* const feature : all_features()) {
    if (detail::pick(10) + static_cast<std::size_t>(feature->tenths) <= 9 ||
        (feature->fits != nullptr && !feature->fits(s)))
      continue;
    feature->add(s);
    world.features.emplace_back(feature->name);
    world.not_promised.insert(world.not_promised.end(), feature->not_promised.begin(),
                              feature->not_promised.end());
    with.push_back(feature);
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
