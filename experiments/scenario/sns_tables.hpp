// The tables of SNS: [sns], and what producers say to it; and what of them makes no sense together.
#pragma once

#include "experiments/scenario/keys.hpp"
#include "experiments/scenario/misfit.hpp"
#include "models/sns/options.hpp"

namespace experiments {

const std::vector<Row<models::sns::ServiceOptions>>& sns_rows();
const std::vector<Row<models::sns::PublisherOptions>>& sns_publisher_rows();

/// The same as a key of [[producers]].
Row<models::ProducerOptions> sns_publisher_row();

/// What is wrong with [sns] or who publishes there. Requires that the scenario has it.
FoundMisfit sns_misfit(const Value& checked, const models::Scenario& scenario);
/// The same without SNS and its clients.
models::Scenario without_sns(models::Scenario scenario);

}  // namespace experiments
