// What a consumer makes of its settings where the rules of its cluster's version lack what they ask for: what the release before
// would have done.
#pragma once

#include "models/clients/workload.hpp"
#include "models/kafka/protocol_rules.hpp"

namespace models::kafka {

/// Without static members group.instance.id says nothing; without cooperative rebalancing CooperativeStickyAssignor is the
/// StickyAssignor, whose members give up everything first; without the consumer protocol groups are classic.
GroupOptions as_ruled(GroupOptions options, const ProtocolRules& rules);

}  // namespace models::kafka
