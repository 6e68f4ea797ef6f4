// Quotas of clients on one broker: bytes produced, bytes fetched, time of request handler threads, each per user, per client.id
// or per pair of them (ClientQuotaManager.scala, ClientRequestQuotaManager.scala, KIP-55).
//
// A rate is measured over quota.window.num samples of quota.window.size.seconds. What goes beyond its bound is not refused:
// the broker answers at once, a fetch with nothing in it, says for how long the client is throttled, and reads nothing from its
// connection meanwhile: as long as it takes for the rate to fall to its bound, (O - T) / T * W (QuotaUtils.throttleTime). The
// time for a request quota is a window at most.
//
// Of the quotas that apply the most specific one holds: that of user and client id, of user and any other client id, of the
// user, of any other user and client id, of any other user and any other client id, of any other user, of the client id, of any
// other client id (DefaultQuotaCallback.quotaMetricTags). Clients of a user's own quota share it; so do all clients of one name.
//
// Model: nobody is authenticated: [[kafka.users]] says who is whom, the others are one user, ANONYMOUS. client.id is the name of
// the client's table: all members of a group share one, and all instances of a producer. Produce and Fetch count, other requests
// are free.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/context.hpp"
#include "models/kafka/options.hpp"
#include "sim/time.hpp"

namespace models::kafka {

/// SampledStat.java, Rate.java: an amount per second over the last windows.
class SampledRate {
 public:
  SampledRate(std::int32_t samples, sim::Duration window) : samples_max_(samples), window_(window) {}

  void record(double amount, sim::Time now);
  /// How long the samples cover, taken to be at least samples - 1 windows.
  sim::Duration window_size(sim::Time now);
  double per_second(sim::Time now);
  /// How long to wait so that the rate falls to `bound`; 0 when it is not above. Whole milliseconds.
  sim::Duration throttle(double bound, sim::Time now);

 private:
  struct Sample {
    sim::Time start{};
    sim::Time last_event{};
    double sum = 0;
  };
  void purge(sim::Time now);

  std::int32_t samples_max_;
  sim::Duration window_;
  std::vector<Sample> samples_;
  std::size_t current_ = 0;
};

/// Which quota is whose.
class QuotaTable {
 public:
  explicit QuotaTable(const ClusterOptions& options) : limits_(options.quotas), users_(options.users) {}

  bool empty() const { return limits_.empty(); }
  /// Those who share a limit share its id: "user/client", either empty where it does not matter. `most` 0: no limit.
  struct Limit {
    std::string id;
    double most = 0;
  };
  Limit find(double QuotaOptions::*most, const std::string& client) const;

 private:
  std::string user_of(const std::string& client) const;
  const QuotaOptions* best(double QuotaOptions::*most, const std::string& user,
                           const std::string& client) const;

  const std::vector<QuotaOptions>& limits_;
  const std::vector<UserOptions>& users_;
};

class ClientQuotas {
 public:
  ClientQuotas(Context& context, const ClusterOptions& options);

  /// False: nobody is limited, and nothing need be asked.
  bool any() const { return !table_.empty(); }
  /// A produce request of `bytes` took `busy` of a thread's time. How long its client is throttled.
  sim::Duration produced(EntityId client, std::int64_t bytes, sim::Duration busy, bool acknowledged);
  /// A fetch would be answered with `bytes`. When its client is throttled they do not count, as they are not sent.
  sim::Duration fetched(EntityId client, std::int64_t bytes, sim::Duration busy);
  /// The most that a fetch may ever be answered with: more would be throttled without end, and never sent
  /// (getMaxValueInQuotaWindow).
  std::int64_t fetch_most(EntityId client);
  /// The process died.
  void forget();

 private:
  /// Those who share a limit.
  struct Share {
    std::string id;   ///< QuotaTable::Limit
    double most = 0;  ///< 0: no limit
    SampledRate used;
  };
  /// One kind of quota: each is looked up by itself (ClientQuotaManager and its subclasses).
  struct Manager {
    double QuotaOptions::*most;
    std::vector<Share> shares{};
    std::vector<std::int32_t> by_entity{};  ///< index into shares, -1: not looked up yet
    void forget();
  };
  Share* share(Manager& manager, EntityId entity) const;
  sim::Duration busy(EntityId entity, sim::Duration time, sim::Time now);

  Context& context_;
  const BrokerConfig& config_;
  QuotaTable table_;
  Manager produce_{&QuotaOptions::producer_byte_rate};
  Manager fetch_{&QuotaOptions::consumer_byte_rate};
  Manager request_{&QuotaOptions::request_percentage};
};

}  // namespace models::kafka
