// Which facts the services of a scenario make, where they are said, and whether somebody waits for one that never comes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/scenario/misfit.hpp"
#include "models/scenario.hpp"

namespace experiments {

/// Types of the facts that a service makes.
std::vector<std::string_view> facts_of(const models::ServiceOptions& service);
/// It sends its events itself: a dual write.
bool sends_itself(const models::ServiceOptions& service);
bool takes_requests(const models::ServiceOptions& service);

/// The first name of a type of fact that nobody makes, or that never comes to where it is waited for; or a view that is none.
FoundMisfit fact_misfit(const models::Scenario& scenario);

}  // namespace experiments
