#include "models/kafka/consumer/ruled_options.hpp"

#include <algorithm>

namespace models::kafka {

GroupOptions as_ruled(GroupOptions options, const ProtocolRules& rules) {
  ConsumerConfig& config = options.config;
  if (!rules.has(Rule::static_members)) config.group_instance_id.clear();
  if (!rules.has(Rule::consumer_protocol)) {
    config.group_protocol = GroupProtocol::classic;
    config.group_remote_assignor.reset();
  }
  if (!rules.has(Rule::cooperative_rebalancing)) {
    std::vector<Assignor>& wanted = config.partition_assignment_strategy;
    const bool sticky = std::find(wanted.begin(), wanted.end(), Assignor::sticky) != wanted.end();
    if (sticky) std::erase(wanted, Assignor::cooperative_sticky);
    std::replace(wanted.begin(), wanted.end(), Assignor::cooperative_sticky, Assignor::sticky);
  }
  return options;
}

}  // namespace models::kafka
