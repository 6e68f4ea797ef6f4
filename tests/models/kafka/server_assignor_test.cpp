// The coordinator's assignors and its reconciliation on the examples of Kafka's own unit tests: UniformAssignor
// (OptimizedUniformAssignmentBuilderTest, UniformHeterogeneousAssignmentBuilderTest), RangeAssignorTest,
// CurrentAssignmentBuilderTest. Topics are given in the order in which Kafka's maps happen to hand them out there.

#include <map>
#include <string>
#include <vector>

#include "models/kafka/group/modern_group.hpp"
#include "tests/catch.hpp"

using namespace models::kafka;
using models::EntityId;

namespace {

using Numbers = std::vector<std::uint32_t>;
/// Topic -> numbers of partitions.
using Parts = std::map<std::uint32_t, Numbers>;

constexpr std::uint32_t kStride = 100;  // topic t has its partitions from 100 t on

std::vector<PartitionIndex> dense(const Parts& parts) {
  std::vector<PartitionIndex> all;
  for (const auto& [topic, numbers] : parts) {
    for (const std::uint32_t n : numbers) all.push_back(PartitionIndex{kStride * topic + n});
  }
  return all;
}

struct Who {
  std::string id;
  std::vector<std::uint32_t> topics;
  Parts has = {};
  std::string instance = {};
};

/// The result in words: "A 1:0,1 3:2 | B ...".
std::string words(const std::vector<Who>& who, const TargetAssignment& target) {
  std::string text;
  for (std::size_t m = 0; m < who.size(); ++m) {
    text += (m == 0 ? "" : " | ") + who[m].id;
    std::uint32_t topic = 0;
    for (const PartitionIndex p : target[m]) {
      text += topic == p.value / kStride ? "," : " " + std::to_string(p.value / kStride) + ":";
      topic = p.value / kStride;
      text += std::to_string(p.value % kStride);
    }
  }
  return text;
}

std::string assigned(ServerAssignor assignor,
                     const std::vector<std::pair<std::uint32_t, std::int32_t>>& topics,
                     const std::vector<Who>& who) {
  std::vector<AssignorTopic> all;
  for (const auto& [topic, partitions] : topics)
    all.push_back({TopicIndex{topic}, "", PartitionIndex{kStride * topic}, partitions});
  std::vector<std::vector<TopicIndex>> wanted;
  std::vector<std::vector<PartitionIndex>> has;
  for (const Who& one : who) {
    wanted.emplace_back();
    for (const std::uint32_t t : one.topics) wanted.back().push_back(TopicIndex{t});
    has.push_back(dense(one.has));
  }
  std::vector<AssignorMember> members;
  for (std::size_t m = 0; m < who.size(); ++m)
    members.push_back({who[m].id, who[m].instance, wanted[m], has[m]});
  return words(who, assign(assignor, members, all));
}

std::string uniform(const std::vector<std::pair<std::uint32_t, std::int32_t>>& topics,
                    const std::vector<Who>& who) {
  return assigned(ServerAssignor::uniform, topics, who);
}
std::string range(const std::vector<std::pair<std::uint32_t, std::int32_t>>& topics,
                  const std::vector<Who>& who) {
  return assigned(ServerAssignor::range, topics, who);
}

}  // namespace

// ---- uniform, equal subscriptions ---------------------------------------------------------------------------------

TEST_CASE("uniform: a member without topics gets nothing", "[assignor][kip848]") {
  CHECK(uniform({}, {{"A", {}}}) == "A");
}

TEST_CASE("uniform: a first assignment is even", "[assignor][kip848]") {
  CHECK(uniform({{3, 2}, {1, 3}}, {{"A", {1, 3}}, {"B", {1, 3}}}) == "A 1:0 3:0,1 | B 1:1,2");
  CHECK(uniform({{3, 2}}, {{"A", {3}}, {"B", {3}}, {"C", {3}}}) == "A 3:0 | B 3:1 | C");
}

TEST_CASE("uniform: whoever has too much gives the last of it up", "[assignor][kip848]") {
  CHECK(uniform({{1, 3}, {2, 3}}, {{"A", {1, 2}, {{1, {0, 1}}, {2, {0, 1}}}},
                                   {"B", {1, 2}, {{1, {2}}, {2, {2}}}}}) == "A 1:0,1 2:0 | B 1:2 2:1,2");
}

TEST_CASE("uniform: new partitions go to those that have too little", "[assignor][kip848]") {
  CHECK(uniform({{2, 5}, {1, 6}},
                {{"A", {1, 2}, {{1, {0, 2}}, {2, {0}}}}, {"B", {1, 2}, {{1, {1}}, {2, {1, 2}}}}}) ==
        "A 1:0,2,3 2:0,3,4 | B 1:1,4,5 2:1,2");
}

TEST_CASE("uniform: a new member gets of what the others have too much", "[assignor][kip848]") {
  CHECK(uniform({{1, 3}, {2, 3}}, {{"A", {1, 2}, {{1, {0, 2}}, {2, {0}}}},
                                   {"B", {1, 2}, {{1, {1}}, {2, {1, 2}}}},
                                   {"C", {1, 2}}}) == "A 1:0,2 | B 1:1 2:1 | C 2:0,2");
}

TEST_CASE("uniform: what a member had that left is shared out", "[assignor][kip848]") {
  CHECK(uniform({{2, 3}, {1, 3}}, {{"A", {1, 2}, {{1, {0}}, {2, {0}}}},
                                   {"B", {1, 2}, {{1, {1}}, {2, {1}}}}}) == "A 1:0 2:0,2 | B 1:1,2 2:1");
}

TEST_CASE("uniform: of a topic that nobody wants any more nothing stays", "[assignor][kip848]") {
  CHECK(uniform({{2, 2}}, {{"A", {2}, {{1, {0}}, {2, {0}}}}, {"B", {2}, {{1, {1}}, {2, {1}}}}}) ==
        "A 2:0 | B 2:1");
}

TEST_CASE("uniform: a large group differs by one partition at most", "[assignor][kip848]") {
  std::vector<std::pair<std::uint32_t, std::int32_t>> topics;
  std::vector<std::uint32_t> wanted;
  for (std::uint32_t t = 1; t < 100; ++t) {
    topics.push_back({t, 3});
    wanted.push_back(t);
  }
  std::vector<Who> who;
  for (int m = 10; m < 59; ++m) who.push_back({"member" + std::to_string(m), wanted});
  const std::string all = uniform(topics, who);
  std::size_t least = 1000, most = 0;
  for (std::size_t at = 0; at != std::string::npos;) {
    const std::size_t end = all.find(" | ", at);
    const std::string one = all.substr(at, end - at);
    const auto commas = static_cast<std::size_t>(std::count(one.begin(), one.end(), ','));
    const auto colons = static_cast<std::size_t>(std::count(one.begin(), one.end(), ':'));
    least = std::min(least, commas + colons);
    most = std::max(most, commas + colons);
    at = end == std::string::npos ? end : end + 3;
  }
  CHECK(least == 297 / 49);
  CHECK(most == 297 / 49 + 1);
}

// ---- uniform, subscriptions that differ ---------------------------------------------------------------------------

TEST_CASE("uniform: a first assignment where subscriptions differ", "[assignor][kip848]") {
  CHECK(uniform({{1, 3}, {3, 6}}, {{"A", {1, 3}}, {"B", {3}}}) == "A 1:0,1,2 3:4 | B 3:0,1,2,3,5");
  CHECK(uniform({{1, 2}, {3, 1}}, {{"A", {3}}, {"B", {3}}, {"C", {1}}}) == "A 3:0 | B | C 1:0,1");
  CHECK(uniform({{1, 3}}, {{"A", {1}}, {"B", {}}}) == "A 1:0,1,2 | B");
}

TEST_CASE("uniform: an uneven assignment is evened out where subscriptions differ", "[assignor][kip848]") {
  CHECK(uniform({{1, 6}, {2, 4}, {3, 4}},
                {{"A", {1}, {{1, {0, 1, 2}}}},
                 {"B", {1, 2}, {{1, {3}}, {2, {0}}}},
                 {"C", {1, 2, 3}, {{1, {4, 5}}, {2, {1, 2, 3}}, {3, {0, 1, 2, 3}}}}}) ==
        "A 1:0,1,2,5 | B 1:3 2:0,1,2,3 | C 1:4 3:0,1,2,3");
}

TEST_CASE("uniform: new partitions and members where subscriptions differ", "[assignor][kip848]") {
  CHECK(uniform({{1, 6}, {2, 5}, {3, 3}, {4, 3}}, {{"A", {1, 3}, {{1, {0, 1, 2, 3}}, {3, {0, 1}}}},
                                                   {"B", {1, 2, 3, 4}, {{2, {0, 1, 2}}, {4, {0, 1, 2}}}}}) ==
        "A 1:0,1,2,3,4,5 3:0,1,2 | B 2:0,1,2,3,4 4:0,1,2");
  CHECK(uniform({{1, 6}, {2, 7}}, {{"A", {1}, {{1, {0, 2}}, {2, {0}}}},
                                   {"B", {1, 2}, {{1, {1}}, {2, {1, 2}}}},
                                   {"C", {1, 2}}}) == "A 1:0,2,3,4,5 | B 1:1 2:1,2,6 | C 2:0,3,4,5");
}

TEST_CASE("uniform: what is left behind where subscriptions differ", "[assignor][kip848]") {
  CHECK(uniform({{1, 3}, {2, 8}, {3, 3}},
                {{"A", {1, 3}, {{1, {0, 1, 2}}, {3, {0, 1}}}}, {"B", {2}, {{2, {3, 4, 5, 6}}}}}) ==
        "A 1:0,1,2 3:0,1,2 | B 2:0,1,2,3,4,5,6,7");
  CHECK(uniform({{1, 3}, {2, 5}},
                {{"A", {1}, {{1, {0, 2}}, {2, {1, 3}}}}, {"B", {1, 2}, {{1, {1}}, {2, {0, 2, 4}}}}}) ==
        "A 1:0,1,2 | B 2:0,1,2,3,4");
}

TEST_CASE("uniform: a topic may run out of partitions before its subscribers are even",
          "[assignor][kip848]") {
  const std::vector<PartitionIndex> all = dense({{1, {0, 1}}, {2, {0, 1}}, {3, {0, 1}}});
  const std::vector<TopicIndex> topics{TopicIndex{1}, TopicIndex{2}, TopicIndex{3}};
  const std::vector<AssignorMember> members{{"A", "", topics, all}, {"B", "", topics, {}}};
  const std::vector<AssignorTopic> known{{TopicIndex{1}, "", PartitionIndex{100}, 2},
                                         {TopicIndex{2}, "", PartitionIndex{200}, 2},
                                         {TopicIndex{3}, "", PartitionIndex{300}, 2}};
  CHECK(words({{"A", {}}, {"B", {}}}, assign_heterogeneous(members, known)) == "A 2:0 3:0,1 | B 1:0,1 2:1");
}

// ---- range --------------------------------------------------------------------------------------------------------

TEST_CASE("range: of each topic a run for each member", "[assignor][kip848]") {
  CHECK(range({}, {{"A", {}}}) == "A");
  CHECK(range({{1, 3}, {3, 2}}, {{"A", {1, 3}}, {"B", {1, 3}}}) == "A 1:0,1 3:0 | B 1:2 3:1");
  CHECK(range({{1, 3}, {2, 3}, {3, 2}}, {{"A", {1, 2}}, {"B", {3}}, {"C", {2, 3}}}) ==
        "A 1:0,1,2 2:0,1 | B 3:0 | C 2:2 3:1");
  CHECK(range({{1, 3}, {3, 2}}, {{"A", {1, 3}}, {"B", {1, 3}}, {"C", {1, 3}}}) ==
        "A 1:0 3:0 | B 1:1 3:1 | C 1:2");
}

TEST_CASE("range: a static member's place does not depend on its member id", "[assignor][kip848]") {
  CHECK(range({{1, 3}}, {{"A", {1}, {}, "instanceA"}, {"B", {1}, {}, "instanceB"}}) == "A 1:0,1 | B 1:2");
  CHECK(range({{1, 3}}, {{"B", {1}, {}, "instanceB"}, {"memberA1", {1}, {}, "instanceA"}}) ==
        "B 1:2 | memberA1 1:0,1");
  CHECK(range({{1, 5}}, {{"A", {1}, {}, "instanceA"}, {"B", {1}}, {"C", {1}, {}, "instanceC"}}) ==
        "A 1:0,1 | B 1:4 | C 1:2,3");
  CHECK(range({{1, 5}}, {{"B", {1}}, {"C", {1}, {}, "instanceC"}, {"memberA1", {1}, {}, "instanceA"}}) ==
        "B 1:4 | C 1:2,3 | memberA1 1:0,1");
}

TEST_CASE("range: nothing is kept for its own sake", "[assignor][kip848]") {
  const std::vector<Who> two{{"A", {1, 2}, {{1, {0, 1}}, {2, {0, 1}}}}, {"B", {1, 2}, {{1, {2}}, {2, {2}}}}};
  CHECK(range({{1, 4}, {2, 4}}, two) == "A 1:0,1 2:0,1 | B 1:2,3 2:2,3");
  CHECK(range({{1, 3}, {2, 3}}, {two[0], two[1], {"C", {1, 2}}}) == "A 1:0 2:0 | B 1:1 2:1 | C 1:2 2:2");
  CHECK(range({{1, 4}, {2, 3}}, {two[0], two[1], {"C", {1}}}) == "A 1:0,1 2:0,1 | B 1:2 2:2 | C 1:3");
  CHECK(range({{1, 3}, {2, 3}}, {two[1]}) == "B 1:0,1,2 2:0,1,2");
  CHECK(range({{1, 2}, {2, 2}},
              {{"A", {1, 2}, {{1, {0}}, {2, {0}}}}, {"B", {1, 2}, {{1, {1}}, {2, {1}}}}, {"C", {1, 2}}}) ==
        "A 1:0 2:0 | B 1:1 2:1 | C");
  CHECK(range({{1, 3}, {2, 3}, {3, 2}}, {{"A", {1}, {{1, {0, 1, 2}}, {2, {0}}}},
                                         {"B", {1, 2, 3}, {{2, {1}}}},
                                         {"C", {2}, {{2, {2}}, {3, {0, 1}}}}}) ==
        "A 1:0,1 | B 1:2 2:0,1 3:0,1 | C 2:2");
}

// ---- CurrentAssignmentBuilder -------------------------------------------------------------------------------------

namespace {

AssignedPartitions held(const Parts& parts) {
  AssignedPartitions all;
  for (const PartitionIndex p : dense(parts)) all.push_back({p, 10});
  return all;
}

/// Epochs of partitions are left out, as the examples have none.
struct Step {
  Reconciliation state;
  std::int32_t epoch, previous;
  Parts assigned;
  Parts revoking = {};
};

ModernMember member(const Step& step) {
  ModernMember m;
  m.id = "member";
  m.state = step.state;
  m.epoch = step.epoch;
  m.previous_epoch = step.previous;
  m.assigned = held(step.assigned);
  m.pending_revocation = held(step.revoking);
  return m;
}

std::vector<PartitionIndex> partitions_of(const AssignedPartitions& assigned) {
  std::vector<PartitionIndex> all;
  for (const AssignedPartition& one : assigned) all.push_back(one.partition);
  return all;
}

struct To {
  std::int32_t epoch;
  Parts target;
  std::vector<PartitionIndex> held_by_others = {};
  std::optional<Parts> owned = {};
};

void check(const Step& from, const To& to, const Step& expected) {
  ModernMember before = member(from);
  before.target = dense(to.target);
  std::vector<PartitionIndex> owned;
  if (to.owned) owned = dense(*to.owned);
  const ModernMember after = reconcile(before, to.epoch, to.owned ? &owned : nullptr, to.held_by_others);
  CHECK(after.state == expected.state);
  CHECK(after.epoch == expected.epoch);
  CHECK(after.previous_epoch == expected.previous);
  CHECK(partitions_of(after.assigned) == dense(expected.assigned));
  CHECK(partitions_of(after.pending_revocation) == dense(expected.revoking));
}

constexpr auto kStable = Reconciliation::stable;
constexpr auto kUnrevoked = Reconciliation::unrevoked_partitions;
constexpr auto kUnreleased = Reconciliation::unreleased_partitions;
const Parts kSix{{1, {1, 2, 3}}, {2, {4, 5, 6}}};
const Parts kEight{{1, {1, 2, 3, 4}}, {2, {4, 5, 6, 7}}};
const Parts kFour{{1, {2, 3}}, {2, {5, 6}}};
const Parts kTwo{{1, {3}}, {2, {6}}};
const std::vector<PartitionIndex> kNewOnesHeld{PartitionIndex{104}, PartitionIndex{207}};

}  // namespace

TEST_CASE("a member that keeps all goes to the new epoch at once", "[kip848]") {
  check({kStable, 10, 10, kSix}, {11, kSix}, {kStable, 11, 10, kSix});
}

TEST_CASE("a member gets free partitions at once", "[kip848]") {
  check({kStable, 10, 10, kSix}, {11, kEight}, {kStable, 11, 10, kEight});
}

TEST_CASE("a member that is to give something up stays in its epoch until it has", "[kip848]") {
  check({kStable, 10, 10, kSix}, {11, {{1, {2, 3, 4}}, {2, {5, 6, 7}}}},
        {kUnrevoked, 10, 10, kFour, {{1, {1}}, {2, {4}}}});
}

TEST_CASE("a member waits in the new epoch for what others hold", "[kip848]") {
  check({kStable, 10, 10, kSix}, {11, kEight, kNewOnesHeld}, {kUnreleased, 11, 10, kSix});
}

TEST_CASE("what a member does not name any more it need not confirm", "[kip848]") {
  check({kStable, 10, 10, kSix}, {11, {{1, {1, 2, 3}}, {2, {4, 5, 7}}}, {PartitionIndex{207}}, Parts{}},
        {kUnreleased, 11, 10, {{1, {1, 2, 3}}, {2, {4, 5}}}});
}

TEST_CASE("a member that has given up goes on", "[kip848]") {
  check({kUnrevoked, 10, 10, kFour, {{1, {1}}, {2, {4}}}}, {11, kFour, {}, kFour}, {kStable, 11, 10, kFour});
}

TEST_CASE("a member that has not given up stays where it is", "[kip848]") {
  const Step waiting{kUnrevoked, 10, 10, kFour, {{1, {1}}, {2, {4}}}};
  check(waiting, {12, kTwo}, waiting);
  check(waiting, {12, kTwo, {}, Parts{{1, {1, 2, 3}}, {2, {5, 6}}}}, waiting);
  check(waiting, {12, kTwo, {}, Parts{{1, {2, 3}}, {2, {4, 5, 6}}}}, waiting);
}

TEST_CASE("a member may have to give up more", "[kip848]") {
  // Kafka 4.0 counts the epoch up on the way (memberEpoch() + 1); 4.3 leaves it, as the member has not been told of one.
  check({kUnrevoked, 10, 10, kFour, {{1, {1}}, {2, {4}}}}, {12, kTwo, {}, kFour},
        {kUnrevoked, 10, 10, kTwo, {{1, {2}}, {2, {5}}}});
}

TEST_CASE("a member that has given up may have to wait for others", "[kip848]") {
  check({kUnrevoked, 11, 10, kFour}, {11, {{1, {2, 3, 4}}, {2, {5, 6, 7}}}, kNewOnesHeld, kFour},
        {kUnreleased, 11, 11, kFour});
}

TEST_CASE("a member that waits gets what has become free", "[kip848]") {
  const Step waiting{kUnreleased, 11, 11, kFour};
  check(waiting, {12, kFour}, {kStable, 12, 11, kFour});
  check(waiting, {11, {{1, {2, 3, 4}}, {2, {5, 6, 7}}}}, {kStable, 11, 11, {{1, {2, 3, 4}}, {2, {5, 6, 7}}}});
  check(waiting, {11, {{1, {2, 3, 4}}, {2, {5, 6, 7}}}, kNewOnesHeld}, waiting);
  check(waiting, {12, kTwo}, {kUnrevoked, 11, 11, kTwo, {{1, {2}}, {2, {5}}}});
}

TEST_CASE("what a member has still to give up it may get back", "[kip848]") {
  check({kUnrevoked, 10, 10, kFour, {{1, {1}}, {2, {4}}}}, {12, kSix, {}, kFour}, {kStable, 12, 10, kSix});
}

TEST_CASE("a partition carries the epoch in which it was assigned", "[kip848]") {
  ModernMember before = member({kStable, 10, 9, {{1, {1}}}});
  before.target = dense({{1, {1, 2}}});
  const ModernMember after = reconcile(before, 12, nullptr, {});
  REQUIRE(after.assigned.size() == 2);
  CHECK(after.assigned[0].epoch == 10);
  CHECK(after.assigned[1].epoch == 12);
}

// ---- TargetAssignmentBuilder --------------------------------------------------------------------------------------

namespace {

/// Topics foo and bar are 1 and 2, and each member has the same numbers of both, as in TargetAssignmentBuilderTest.
Parts both(const Numbers& numbers) {
  return {{1, numbers}, {2, numbers}};
}

/// How many records tell of the change from what members have to what they are to have.
std::int32_t records(const std::vector<Parts>& has, const std::vector<Parts>& wanted) {
  ModernGroupImage image;
  image.epoch = 20;
  image.target_epoch = 19;
  for (std::size_t m = 0; m < has.size(); ++m) {
    ModernMember one;
    one.id = "member-" + std::to_string(m + 1);
    one.target = dense(has[m]);
    image.insert(std::move(one));
  }
  TargetAssignment target;
  for (const Parts& parts : wanted) target.push_back(dense(parts));
  const std::int32_t written = image.set_target(target, sim::Time{});
  CHECK(image.target_epoch == 20);
  for (std::size_t m = 0; m < wanted.size(); ++m) CHECK(image.members[m]->target == dense(wanted[m]));
  return written;
}

}  // namespace

TEST_CASE("a target is written for the members whose it changes, and for its epoch", "[kip848]") {
  CHECK(records({}, {}) == 1);
  CHECK(records({both({1, 2, 3}), both({4, 5, 6})}, {both({1, 2, 3}), both({4, 5, 6})}) == 1);
  CHECK(records({both({1, 2, 3}), both({4, 5, 6})}, {both({4, 5, 6}), both({1, 2, 3})}) == 3);
  CHECK(records({both({1, 2, 3}), both({4, 5, 6}), {}}, {both({1, 2}), both({3, 4}), both({5, 6})}) == 4);
  CHECK(records({{{1, {1, 2, 3}}, {2, {1, 2}}}, {{1, {4, 5, 6}}, {2, {3, 4}}}, {{2, {5, 6}}}},
                {both({1, 2}), both({3, 4}), both({5, 6})}) == 4);
  CHECK(records({both({1, 2}), both({3, 4}), both({5, 6})}, {both({1, 2}), both({3, 4, 5}), both({6})}) == 3);
  // The third has left, and its target with it.
  CHECK(records({both({1, 2}), both({3, 4})}, {both({1, 2, 3}), both({4, 5, 6})}) == 3);
}
