#include "models/sns/delivery_policy.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace models::sns {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// The guide's example of an HTTP/S policy.
const RetryPolicy kSample{.min_delay = seconds{1},
                          .max_delay = seconds{60},
                          .retries = 50,
                          .no_delay_retries = 3,
                          .min_delay_retries = 2,
                          .max_delay_retries = 35,
                          .backoff = BackoffFunction::exponential};

TEST_CASE("the sample policy of the guide is carried out as it is written", "[sns]") {
  std::int64_t retry = 1;
  for (; retry <= 3; ++retry) CHECK(kSample.delay(retry) == sim::Duration{});
  for (; retry <= 5; ++retry) CHECK(kSample.delay(retry) == seconds{1});
  CHECK(kSample.backoff_retries() == 10);
  CHECK(kSample.delay(6) == seconds{1});
  sim::Duration before{};
  for (; retry <= 15; ++retry) {
    CHECK(*kSample.delay(retry) > before);
    // 1 s + 59 s (2^i - 1) / (2^9 - 1)
    const std::int64_t i = retry - 6;
    const double exact = 1e9 + 59e9 * static_cast<double>((std::int64_t{1} << i) - 1) / 511;
    CHECK(static_cast<double>(kSample.delay(retry)->count()) == Approx(exact).margin(10));
    before = *kSample.delay(retry);
  }
  CHECK(kSample.delay(15) == seconds{60});
  for (; retry <= 50; ++retry) CHECK(kSample.delay(retry) == seconds{60});
  CHECK_FALSE(kSample.delay(51));
  CHECK_FALSE(kSample.delay(0));
  CHECK(kSample.total() < kHttpRetriesMost);
}

TEST_CASE("HTTP endpoints have three retries 20 s apart unless told otherwise", "[sns]") {
  const RetryPolicy policy;
  for (std::int64_t retry = 1; retry <= 3; ++retry) CHECK(policy.delay(retry) == seconds{20});
  CHECK_FALSE(policy.delay(4));
  CHECK(policy.total() == seconds{60});
}

TEST_CASE("queues and functions of AWS are tried 100015 times over 23 days", "[sns]") {
  const RetryPolicy policy = aws_managed_policy();
  CHECK(policy.backoff_retries() == 10);
  CHECK(policy.delay(3) == sim::Duration{});
  CHECK(policy.delay(5) == seconds{1});
  CHECK(policy.delay(15) == seconds{20});
  CHECK(policy.delay(100'015) == seconds{20});
  CHECK_FALSE(policy.delay(100'016));
  CHECK(policy.total() > hours{24 * 23});
  CHECK(policy.total() < hours{24 * 24});
}

TEST_CASE("mail and telephones are tried 50 times over 6 hours", "[sns]") {
  const RetryPolicy policy = customer_managed_policy();
  CHECK(policy.delay(1) == seconds{10});
  CHECK(policy.delay(12) == seconds{600});
  CHECK(policy.total() > hours{6});
  CHECK(policy.total() < hours{8});
}

TEST_CASE("the four backoff functions begin and end alike and lie below each other between", "[sns]") {
  // The guide's figure: 10 retries from 5 s to 260 s.
  std::vector<std::vector<sim::Duration>> curves;
  for (const BackoffFunction function : {BackoffFunction::linear, BackoffFunction::arithmetic,
                                         BackoffFunction::geometric, BackoffFunction::exponential}) {
    const RetryPolicy policy{
        .min_delay = seconds{5}, .max_delay = seconds{260}, .retries = 10, .backoff = function};
    auto& curve = curves.emplace_back();
    for (std::int64_t retry = 1; retry <= 10; ++retry) curve.push_back(*policy.delay(retry));
    CHECK(curve.front() == seconds{5});
    CHECK(curve.back() == seconds{260});
  }
  for (std::size_t i = 1; i < 9; ++i) {
    CHECK(curves[0][i] > curves[1][i]);
    CHECK(curves[1][i] > curves[2][i]);
    CHECK(curves[2][i] > curves[3][i]);
  }
}

TEST_CASE("a phase of one retry has the least delay", "[sns]") {
  const RetryPolicy policy{
      .min_delay = seconds{2}, .max_delay = seconds{9}, .retries = 1, .backoff = BackoffFunction::geometric};
  CHECK(policy.delay(1) == seconds{2});
}

}  // namespace
}  // namespace models::sns
