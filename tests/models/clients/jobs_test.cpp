// What a group of workers knows of a queue's messages.
#include "models/clients/jobs.hpp"
#include "models/world.hpp"
#include "tests/catch.hpp"
#include "tests/models/sqs/desk.hpp"

namespace {

models::Job job(std::uint64_t seq) {
  models::Job out;
  out.lane = models::LaneId{1};
  out.seq = seq;
  return out;
}

}  // namespace

TEST_CASE("how often a message has failed is known of so many messages and no more", "[clients]") {
  models::Scenario s = sqs_test::desk(1);
  s.groups[0].poison = models::PoisonOptions{.share = 1, .failures = 2};
  models::World world(s, 1);
  models::Jobs jobs(world.context(), s.groups[0]);
  for (std::uint64_t seq = 0; seq < 100'000; ++seq) {
    for (int i = 0; i < 2; ++i) {
      REQUIRE(jobs.poisoned(job(seq)));
      jobs.failed(job(seq));
    }
    REQUIRE_FALSE(jobs.poisoned(job(seq)));
    if (seq > 60'000) REQUIRE_FALSE(jobs.poisoned(job(seq - 60'000)));
  }
  CHECK(jobs.failures() == 65'536);
  CHECK(jobs.poisoned(job(0)));  // so long ago that it would fail anew
}
