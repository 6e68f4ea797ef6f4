// The rows of the scenario format by the part of models::Scenario that they fill.
#pragma once

#include <vector>

#include "experiments/scenario/keys.hpp"

namespace experiments {

const std::vector<Row<models::Scenario>>& scenario_rows();  ///< [scenario]
const std::vector<Row<models::NetworkOptions>>& network_rows();
const std::vector<Row<models::kafka::ClusterOptions>>& kafka_rows();
const std::vector<Row<models::kafka::ClusterOptions>>& cluster_rows();  ///< those, and a name
const std::vector<Row<models::kafka::MirrorOptions>>& mirror_rows();
const std::vector<Row<models::ProducerOptions>>& producer_rows();
const std::vector<Row<models::GroupOptions>>& group_rows();
const std::vector<Row<models::FaultSpec>>& fault_rows();

// application_tables.cpp, gateway_tables.cpp
const std::vector<Row<models::DatabaseOptions>>& database_rows();
const std::vector<Row<models::ServiceOptions>>& application_service_rows();
const std::vector<Row<models::RelayOptions>>& relay_rows();
const std::vector<Row<models::GatewayOptions>>& gateway_rows();
const std::vector<Row<models::SagaOptions>>& saga_rows();  ///< [saga]

}  // namespace experiments
