// Requests from one host to another, each with an answer: a publisher's to SNS, SNS's to a queue. Over one connection, which is
// set up when it is needed; a request whose connection dies, or that is not answered in time, ends without an answer, and may
// have been carried out all the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "models/context.hpp"
#include "models/network/network.hpp"
#include "models/network/node.hpp"
#include "models/rabbitmq/window.hpp"

namespace models::sns {

class ChannelOwner {
 public:
  virtual ~ChannelOwner() = default;
  /// At the server, when the request is there: what it is answered.
  virtual std::uint16_t carry_out(std::uint64_t request) = 0;
  /// At the client; nullopt: nobody has answered. Not from inside ask().
  virtual void answered(std::uint64_t request, std::optional<std::uint16_t> answer) = 0;
  /// How long the server works on it.
  virtual sim::Duration work() { return {}; }
};

class Channel final : public ConnectionListener {
 public:
  Channel(Context& context, Node& client, Node& server, sim::Duration timeout, ChannelOwner& owner);
  ~Channel() override;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Numbers rise by 1 from 0; `bytes` of what is asked.
  std::uint64_t ask(std::uint32_t bytes);
  /// The process at the client has died: nobody waits for answers.
  void abandon();

  // ConnectionListener
  void connected(ConnectionId id) override;
  void disconnected(ConnectionId id) override;

 private:
  struct Request {
    sim::Time deadline{};
    std::uint32_t bytes = 0;
    bool sent = false;
    bool open = false;  ///< not answered
  };

  void send(std::uint64_t request);
  void arrived(std::uint64_t request, std::uint32_t life);
  void respond(std::uint64_t request, std::uint16_t answer, std::uint32_t life);
  void end(std::uint64_t request, std::optional<std::uint16_t> answer);
  void timed_out();
  void arm();

  Context& context_;
  Node& client_;
  Node& server_;
  sim::Duration timeout_;
  ChannelOwner& owner_;
  ConnectionId connection_{};
  bool open_ = false;
  std::uint32_t life_ = 0;  // of the connection
  rabbitmq::Window<Request> requests_;
  NodeTimer<std::function<void()>> timer_;
};

/// Bytes of a request's or an answer's headers.
inline constexpr std::uint32_t kCallBytes = 700;

}  // namespace models::sns
