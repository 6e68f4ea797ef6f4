// Who is let in to an application that sends: a token bucket, and a gate that is shut while somebody's lag is high.
//
// The bucket holds up to `burst` tokens, gets `rate` of them a second, and gives one to each message that it admits: in any
// time t no more than rate * t + burst messages pass.
#pragma once

#include <algorithm>

#include "models/clients/workload.hpp"
#include "models/trace_kinds.hpp"
#include "sim/time.hpp"

namespace models {

class Admission {
 public:
  explicit Admission(const AdmissionOptions& options) : options_(options), tokens_(options.burst) {}

  /// A message arises at `at`: RefusedCode::none when it may pass. Called in order of time.
  RefusedCode judge(sim::Time at) {
    if (shut_) return RefusedCode::shed;
    if (options_.rate <= 0) return RefusedCode::none;
    tokens_ = std::min(options_.burst, tokens_ + options_.rate * sim::seconds(at - filled_at_));
    filled_at_ = at;
    if (tokens_ < 1) return RefusedCode::over_rate;
    tokens_ -= 1;
    return RefusedCode::none;
  }
  /// A lag of so many records was seen. Requires AdmissionOptions::shed.
  void see_lag(std::int64_t records) {
    if (records > options_.shed->above) shut_ = true;
    if (records < options_.shed->below) shut_ = false;
  }

 private:
  AdmissionOptions options_;
  double tokens_;
  sim::Time filled_at_{};
  bool shut_ = false;
};

}  // namespace models
