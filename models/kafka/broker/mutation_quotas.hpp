// How many partitions clients may create: a token bucket for each user, client id or pair of them at the controller
// (KIP-599, controller_mutation_rate; ControllerMutationQuotaManager.scala, TokenBucket.java).
//
// A bucket holds controller.quota.window.num times controller.quota.window.size.seconds times its rate, and is full at first. A
// request takes as many tokens as it creates partitions, and may leave a debt. Of a client that knows the quota (CreateTopics
// from version 6 and CreatePartitions from version 3 on, with 2.7) nothing is accepted while there is a debt: it is refused
// with THROTTLING_QUOTA_EXCEEDED (StrictControllerMutationQuota). Of an older one everything is accepted, so that debts add up,
// and its connection is not read from until they are paid (PermissiveControllerMutationQuota).
//
// Model: a strict request comes on a connection of its own, as those of kafka-topics, which does not try again either
// (retryOnQuotaViolation(false)); permissive ones of a client share one. Deleted partitions, which count as well, do not exist.
#pragma once

#include <string>
#include <vector>

#include "models/kafka/broker/quotas.hpp"
#include "sim/time.hpp"

namespace models::kafka {

class MutationQuotas {
 public:
  explicit MutationQuotas(const ClusterOptions& options);

  /// Accepted, and counted; false: over its quota. Who has none is always accepted.
  bool accept(const std::string& client, bool permissive, std::int32_t partitions, sim::Time now);
  /// How long a permissive request of that client still waits unread.
  sim::Duration muted(const std::string& client, sim::Time now) const;
  /// Nobody owes anything.
  void forget() {
    buckets_.clear();
    muted_.clear();
  }

 private:
  struct Bucket {
    std::string id;  ///< QuotaTable::Limit
    double rate;
    double tokens;
    sim::Time filled_at;
  };
  /// The connection of a client that does not know the quota: others of its user have their own.
  struct Muted {
    std::string client;
    sim::Time until{};
  };
  void mute(const std::string& client, sim::Time until);
  Bucket* bucket(const QuotaTable::Limit& limit, sim::Time now);

  QuotaTable table_;
  double windows_s_;  // all of them
  std::vector<Bucket> buckets_;
  std::vector<Muted> muted_;
};

}  // namespace models::kafka
