// What an operator, or a client that may, does to a topic: create-topic, grow, reassign, elect-preferred-leaders,
// elect-unclean-leaders, alter-config, delete-records.
#pragma once

#include "models/faults/catalogue.hpp"

namespace models::faults {

Striker grow(const FaultBinding& binding);
Striker create_topic(const FaultBinding& binding);
Striker reassign(const FaultBinding& binding);
Striker elect_preferred_leaders(const FaultBinding& binding);
Striker elect_unclean_leaders(const FaultBinding& binding);
Striker alter_config(const FaultBinding& binding);
Striker delete_records(const FaultBinding& binding);
/// 3 of "kafka/3"; -1 of anything else.
std::int32_t broker_number(const std::string& name, const std::string& cluster);

}  // namespace models::faults
