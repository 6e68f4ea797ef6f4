// The members of a group that are instances of a service: what a poll has brought is handed to it, as the facts that the
// records say, and is committed when it has reacted to all of them. Part of the member's program.
#pragma once

#include <vector>

#include "models/apps/service.hpp"
#include "models/kafka/consumer/outlet.hpp"

namespace models::kafka {

class Cluster;

class ServiceOutlet final : public Outlet {
 public:
  ServiceOutlet(Cluster& cluster, Service& service, const FactBook& book, OutletOwner& owner)
      : cluster_(cluster), service_(service), book_(book), owner_(owner) {}

  void start() override { service_.start(); }
  void close() override { service_.crashed(); }
  void take(const Work& work, const GroupMembership& membership) override;
  void crashed() override { service_.crashed(); }
  void paused() override { service_.paused(); }
  void resumed() override { service_.resumed(); }

 private:
  Cluster& cluster_;
  Service& service_;
  const FactBook& book_;
  OutletOwner& owner_;
  std::vector<FactId> events_;
};

}  // namespace models::kafka
