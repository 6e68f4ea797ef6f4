// Keys of what regulates load: threads that work is handed to, calls to dependencies, who is let in, scaling, alarms.
#pragma once

#include <vector>

#include "experiments/scenario/keys.hpp"

namespace experiments {

const std::vector<Row<models::HandOff>>& hand_off_rows();
const std::vector<Row<models::CallOptions>>& call_rows();
const std::vector<Row<models::DependencyOptions>>& dependency_rows();  ///< [[dependencies]]
const std::vector<Row<models::AdmissionOptions>>& admission_rows();
const std::vector<Row<models::AutoscaleOptions>>& autoscale_rows();
const std::vector<Row<models::AlertOptions>>& alert_rows();  ///< [alerts]

}  // namespace experiments
