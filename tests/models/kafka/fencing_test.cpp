// A holder that stood still while another was given its partition: what its late act comes to.
#include "tests/models/kafka/consumer_fixture.hpp"

using namespace models::kafka;
using models::EffectOptions;
using models::GroupOptions;
using models::Kind;
using models::Step;

namespace {

/// Effects applied and left out of the record that billing/0 had in hand when it stopped.
std::pair<std::int64_t, std::int64_t> late_act(bool token, bool lanes = false) {
  GroupOptions group = WorldOfGroup::default_group();
  group.members = 2;
  group.effect = EffectOptions{};
  group.effect->fencing_token = token;
  group.config.session_timeout = 6s;
  group.config.max_poll_records = 1;
  if (lanes) {
    group.commit = models::CommitMode::completed;
    group.hand_off = models::HandOff{.threads = 1, .order = models::HandOff::Order::partition};
  }
  WorldOfGroup world(with(group));
  world.run_for(3s);
  const std::string owner = world.owners("orders/0").at(0);
  const std::size_t index = owner == "billing/0" ? 0 : 1;
  world.steps.watch(world.node(index).entity(), Step::delivered, 1, [&] { world.node(index).pause(); });
  world.feed(0, 1);
  world.run_for(15s);
  world.node(index).resume();
  world.run_for(10s);
  std::int64_t applied = 0;
  std::int64_t left_out = 0;
  for (const Row& row : world.all(Kind::effect)) (row.code == models::kApplied ? applied : left_out) += row.b;
  return {applied, left_out};
}

}  // namespace

TEST_CASE("a lease that has ended keeps nobody from acting", "[fencing]") {
  CHECK(late_act(false) == std::pair<std::int64_t, std::int64_t>{2, 0});
  CHECK(late_act(false, true) == std::pair<std::int64_t, std::int64_t>{2, 0});
}

TEST_CASE("a fencing token does, once a later holder has acted", "[fencing]") {
  CHECK(late_act(true) == std::pair<std::int64_t, std::int64_t>{1, 1});
  CHECK(late_act(true, true) == std::pair<std::int64_t, std::int64_t>{1, 1});
}
