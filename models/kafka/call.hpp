// What calls have in common: which API, on which connection, how large, and how they live in pools.
#pragma once

#include <cstdint>

#include "models/kafka/types.hpp"
#include "models/network/network.hpp"
#include "models/pool.hpp"
#include "sim/time.hpp"

namespace models::kafka {

using models::Pool;
using models::Ref;

class RpcChannel;

enum class Api : std::uint8_t {
  produce,
  fetch,
  list_offsets,
  metadata,
  init_producer_id,
  find_coordinator,
  join_group,
  sync_group,
  heartbeat,
  leave_group,
  offset_commit,
  offset_fetch,
  offset_for_leader_epoch,
  add_partitions_to_txn,
  add_offsets_to_txn,
  txn_offset_commit,
  end_txn,
  write_txn_markers,
  broker_heartbeat,
  alter_partition,
  metadata_log,
  consumer_group_heartbeat,
  vote,
  begin_quorum_epoch,
  end_quorum_epoch,
  share_fetch,
  share_acknowledge,
  share_group_state,
  zookeeper,
  update_metadata,
};

/// What all calls share.
struct CallBase {
  Api api{};
  ConnectionId connection{};          ///< set by RpcChannel
  RpcChannel* origin = nullptr;       ///< set by RpcChannel
  ErrorCode error = ErrorCode::none;  ///< top-level error of the response
  std::uint32_t request_bytes = 100;
  std::uint32_t response_bytes = 100;
  sim::Duration service{};  ///< how long a request handler worked on it
  sim::Duration
      throttle{};  ///< response: for so long nothing more is read from the connection (throttle_time_ms)
};

/// A call of any kind, as AnyCall holds it.
struct PooledCall : CallBase {
  std::uint32_t refs = 0;
  void (*put_back)(PooledCall&) = nullptr;
};

/// Base of the calls of one kind, which live in a Pool. `Derived` provides clear(), which forgets the contents but keeps
/// capacity.
template <class Derived, Api kOf>
struct Call : PooledCall {
  static constexpr Api kApi = kOf;
  Call() {
    api = kApi;
    put_back = [](PooledCall& call) {
      auto& self = static_cast<Derived&>(call);
      self.home->put_back(&self);
    };
  }
  Shelf<Derived>* home = nullptr;

 protected:
  void clear_base() { static_cast<CallBase&>(*this) = CallBase{.api = kApi}; }
};

}  // namespace models::kafka
