// The bounded queue of requests in front of the request handlers, and what waits when it is full.
#include "models/kafka/broker/request_queue.hpp"

#include "tests/catch.hpp"
#include "tests/models/kafka/cluster_fixture.hpp"

using namespace kafka_test;

namespace {

/// Heartbeats, told apart by their generation.
struct Calls {
  AnyCall from(std::uint64_t connection, std::int32_t number) {
    Ref<HeartbeatCall> call = pool.take();
    call->connection = ConnectionId{connection};
    call->generation = number;
    return call;
  }
  static std::int32_t number(const AnyCall& call) { return call.get_if<HeartbeatCall>()->generation; }
  Pool<HeartbeatCall> pool;
};

BrokerConfig config(std::int32_t most, std::int32_t threads) {
  BrokerConfig config;
  config.queued_max_requests = most;
  config.num_network_threads = threads;
  return config;
}

}  // namespace

TEST_CASE("what finds no room waits with its network thread, and what comes after it over the same") {
  Calls calls;
  RequestQueue queue(config(1, 2));
  std::vector<AnyCall> released;
  queue.push(calls.from(1, 10));
  queue.push(calls.from(1, 11));  // no room: thread 1 stands still
  queue.push(calls.from(2, 20));  // no room for thread 0 either
  queue.push(calls.from(3, 12));  // thread 1 does not read this
  std::vector<std::int32_t> order;
  while (!queue.empty()) order.push_back(Calls::number(queue.pop(released)));
  CHECK(order == std::vector<std::int32_t>{10, 11, 20, 12});
  CHECK(released.empty());
}

TEST_CASE("a network thread that stands still sends no answers") {
  Calls calls;
  RequestQueue queue(config(1, 2));
  std::vector<AnyCall> released;
  queue.push(calls.from(1, 10));
  AnyCall of_thread_1 = calls.from(3, 1);
  CHECK_FALSE(queue.keeps(of_thread_1));
  queue.push(calls.from(1, 11));
  AnyCall of_thread_0 = calls.from(2, 2);
  CHECK_FALSE(queue.keeps(of_thread_0));
  CHECK(queue.keeps(of_thread_1));
  CHECK(Calls::number(queue.pop(released)) == 10);
  REQUIRE(released.size() == 1);
  CHECK(Calls::number(released[0]) == 1);
  queue.clear();
  CHECK(queue.empty());
}
