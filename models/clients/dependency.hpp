// A service outside of the cluster that applications call: a payment provider, a database behind an interface.
//
// It works on so many calls at a time, lets so many wait, and turns the others away. It knows nothing of its callers' time-outs:
// what a caller has given up is worked on all the same, so that callers who try again too eagerly keep it busy with what nobody
// waits for. Its node is a fault's target like any other: while its process is down calls are refused, and what it had is lost;
// while it stands still calls wait.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/clients/workload.hpp"
#include "models/context.hpp"
#include "models/network/node.hpp"
#include "models/network/timetable.hpp"
#include "sim/random.hpp"

namespace models {

class DependencyClient {
 public:
  virtual ~DependencyClient() = default;
  /// What became of the call of that token.
  virtual void answered(std::uint64_t token, CallCode code) = 0;
};

class Dependency final : public NodeProgram {
 public:
  /// Becomes the node's program.
  Dependency(Context& context, Node& node, const DependencyOptions& options);

  struct Caller {
    EntityId entity{};
    EntityId group{};
    std::uint32_t attempt = 1;
  };
  /// `client` hears of it later, never before this returns; it outlives the run. How long the work takes is drawn from `draws`.
  void call(DependencyClient& client, std::uint64_t token, const Caller& caller, sim::Stream& draws);

  const std::string& name() const { return options_.name; }
  EntityId entity() const { return node_.entity(); }

  // NodeProgram
  void crashed() override;
  void restarted() override {}
  void paused() override { desks_.paused(); }
  void resumed() override;
  /// Model: what it works on already ends as it was to end.
  bool takes_time() const override { return options_.service.mean() > 0; }

 private:
  struct Request {
    DependencyClient* client = nullptr;
    std::uint64_t token = 0;
    std::int64_t service = 0;  ///< ns
    std::uint32_t entity = 0, group = 0, attempt = 0;
  };

  void arrived(const Request& request);
  void begin(std::size_t desk, const Request& request);
  void done(std::size_t desk);
  void begin_waiting();
  void answer(const Request& request, CallCode code);
  std::size_t waiting() const { return waiting_.size() - head_; }

  Context& context_;
  Node& node_;
  DependencyOptions options_;
  std::vector<Request> at_work_;  // by desk
  std::vector<std::size_t> free_;
  std::vector<Request> waiting_;  // from head_ on
  std::size_t head_ = 0;
  Timetable desks_;
};

}  // namespace models
