// What Raft promises, checked as a run goes on (Ongaro and Ousterhout, figure 3): a term has one leader (election safety);
// members apply the same entries in the same order (state machine safety). A violation is kept until somebody asks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace models::rabbitmq {

class RaftInvariants {
 public:
  explicit RaftInvariants(std::string queue) : queue_(std::move(queue)) {}

  void leads(std::uint64_t term, std::uint16_t member);
  void applied(std::uint64_t index, std::uint64_t term);

  /// The first promise that was broken, in words.
  const std::optional<std::string>& broken() const { return broken_; }

 private:
  std::string queue_;
  std::map<std::uint64_t, std::uint16_t> leaders_;  // by term
  std::map<std::uint64_t, std::uint64_t> terms_;    // of applied entries: index at which a term begins
  std::uint64_t last_ = 0;                          // applied by anybody
  std::optional<std::string> broken_;
};

}  // namespace models::rabbitmq
