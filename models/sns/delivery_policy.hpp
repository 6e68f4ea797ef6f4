// When SNS tries again to deliver a message whose endpoint is unavailable, and when it gives up. Pure.
//
// A policy has four phases: retries without delay, retries `minDelayTarget` apart (pre-backoff), retries whose delay grows from
// minDelayTarget to maxDelayTarget (backoff), retries maxDelayTarget apart (post-backoff). Endpoints of AWS and those that are
// the customer's have a policy that nobody can change; that of HTTP and HTTPS can be set at the topic or the subscription
// (Amazon SNS developer guide, "message delivery retries").
//
// Model: the guide draws the curves of the four backoff functions and gives no formulas. With x from 0 (first retry of the phase)
// to 1 (last) and n retries: linear min + (max - min) x; arithmetic: increments grow as 1, 2, 3 …; geometric: each delay is the
// last one times a constant; exponential: increments double. They lie below each other in this order, as the guide's do.
// Model: SNS jitters retries and does not say how; here they come at these times exactly.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "sim/time.hpp"

namespace models::sns {

enum class BackoffFunction : std::uint8_t { linear, arithmetic, geometric, exponential };

/// healthyRetryPolicy, with the defaults of HTTP/S.
struct RetryPolicy {
  sim::Duration min_delay = std::chrono::seconds{20};  ///< minDelayTarget
  sim::Duration max_delay = std::chrono::seconds{20};  ///< maxDelayTarget
  std::int64_t retries = 3;                            ///< numRetries: of all phases
  std::int64_t no_delay_retries = 0;                   ///< numNoDelayRetries
  std::int64_t min_delay_retries = 0;                  ///< numMinDelayRetries
  std::int64_t max_delay_retries = 0;                  ///< numMaxDelayRetries
  BackoffFunction backoff = BackoffFunction::linear;   ///< backoffFunction

  /// numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries
  std::int64_t backoff_retries() const {
    return retries - no_delay_retries - min_delay_retries - max_delay_retries;
  }
  /// Before the retry of that number, from 1; none: there is no such retry.
  std::optional<sim::Duration> delay(std::int64_t retry) const;
  /// From the first attempt to the last.
  sim::Duration total() const;
};

/// How long the retries of an HTTP/S policy may take.
inline constexpr sim::Duration kHttpRetriesMost = std::chrono::seconds{3600};

/// Of Amazon SQS, AWS Lambda and Amazon Data Firehose: 100,015 retries over 23 days.
RetryPolicy aws_managed_policy();
/// Of SMTP, SMS and mobile push: 50 retries over 6 hours.
RetryPolicy customer_managed_policy();

}  // namespace models::sns
