// Facts from AbstractStickyAssignorTest.java, StickyAssignorTest.java, CooperativeStickyAssignorTest.java and
// Javadoc. Where Kafka's answer hangs on the order of a hash map, only what holds in any order is checked.
#include <numeric>
#include <set>

#include "sim/random.hpp"
#include "tests/models/kafka/assignor_case.hpp"

using namespace models::kafka;

namespace {

using Sizes = std::vector<std::size_t>;

Sizes sizes(const std::vector<SyncGroupCall::Assignment>& result) {
  Sizes all;
  for (const SyncGroupCall::Assignment& one : result) all.push_back(one.partitions.size());
  std::sort(all.begin(), all.end());
  return all;
}

std::size_t kept(const AssignorCase& c, std::vector<JoinGroupCall::Member>& members, Assignor assignor) {
  std::size_t count = 0;
  const auto result = c.raw(assignor);
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const PartitionIndex p : members[i].subscription.owned) {
      count +=
          static_cast<std::size_t>(std::count(result[i].partitions.begin(), result[i].partitions.end(), p));
    }
  }
  return count;
}

/// Every partition of a topic with a subscriber is given once, to a subscriber; or, cooperative, withheld.
void check_valid(AssignorCase& c, const std::vector<SyncGroupCall::Assignment>& result, bool complete) {
  std::set<PartitionIndex> given;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::vector<TopicIndex>& subscribed = c.members()[i].subscription.topics;
    CHECK(result[i].member_id == c.members()[i].member_id);
    CHECK(std::is_sorted(result[i].partitions.begin(), result[i].partitions.end()));
    for (const PartitionIndex p : result[i].partitions) {
      CHECK(given.insert(p).second);
      const auto topic = std::find_if(c.topics().begin(), c.topics().end(), [&](const AssignorTopic& t) {
        return t.first <= p && p.value < t.first.value + static_cast<std::uint32_t>(t.partitions);
      });
      REQUIRE(topic != c.topics().end());
      CHECK(std::count(subscribed.begin(), subscribed.end(), topic->topic) == 1);
    }
  }
  if (!complete) return;
  std::set<PartitionIndex> wanted;
  for (const AssignorTopic& topic : c.topics()) {
    const bool read = std::any_of(c.members().begin(), c.members().end(), [&](const auto& m) {
      const auto& topics = m.subscription.topics;
      return std::find(topics.begin(), topics.end(), topic.topic) != topics.end();
    });
    for (std::int32_t i = 0; read && i < topic.partitions; ++i) {
      wanted.insert(PartitionIndex{topic.first.value + static_cast<std::uint32_t>(i)});
    }
  }
  CHECK(given == wanted);
}

}  // namespace

TEST_CASE("sticky spreads a fresh group evenly and moves only what new members need") {
  AssignorCase c({{"t1", 3}, {"t2", 4}});
  c.member("c1", "t1 t2").member("c2", "t1 t2");
  CHECK(c.adopt(Assignor::sticky, 1) == Solution{{"c1", "t1:0,2 t2:1,3"}, {"c2", "t1:1 t2:0,2"}});
  c.member("c3", "t1 t2").member("c4", "t1 t2");
  CHECK(c.adopt(Assignor::sticky, 2) ==
        Solution{{"c1", "t1:0 t2:1"}, {"c2", "t1:1 t2:0"}, {"c3", "t1:2 t2:3"}, {"c4", "t2:2"}});
  c.leave("c1").leave("c2");
  CHECK(c.solve(Assignor::sticky) == Solution{{"c3", "t1:0,2 t2:1,3"}, {"c4", "t1:1 t2:0,2"}});
}

TEST_CASE("sticky takes back from one member what a second one needs, and gives it back") {
  AssignorCase c({{"t", 3}});
  c.member("c1", "t");
  CHECK(c.adopt(Assignor::sticky, 1) == Solution{{"c1", "t:0,1,2"}});
  c.member("c2", "t");
  CHECK(c.adopt(Assignor::sticky, 2) == Solution{{"c1", "t:0,1"}, {"c2", "t:2"}});
  c.leave("c1");
  CHECK(c.solve(Assignor::sticky) == Solution{{"c2", "t:0,1,2"}});
}

TEST_CASE("a member at the quota gets the one more that is left") {
  AssignorCase c({{"t1", 2}, {"t2", 3}});
  c.member("c1", "t1 t2", "t1:0 t2:1", 1).member("c2", "t1 t2", "t1:1 t2:2", 1);
  CHECK(c.solve(Assignor::sticky) == Solution{{"c1", "t1:0 t2:0,1"}, {"c2", "t1:1 t2:2"}});
}

TEST_CASE("members below the quota are filled in turn") {
  AssignorCase c({{"t1", 2}, {"t2", 3}});
  c.member("c1", "t1 t2", "t1:0", 1).member("c2", "t1 t2", "t1:1", 1).member("c3", "t1 t2", "", 1);
  CHECK(c.solve(Assignor::sticky) == Solution{{"c1", "t1:0 t2:1"}, {"c2", "t1:1 t2:2"}, {"c3", "t2:0"}});
}

TEST_CASE("who has all it may have is not disturbed") {
  AssignorCase c({{"t", 4}});
  c.member("c1", "t", "t:0,1", 1).member("c2", "t", "t:2", 1).member("c3", "t", "", 1);
  const Solution expected{{"c1", "t:0,1"}, {"c2", "t:2"}, {"c3", "t:3"}};
  CHECK(c.solve(Assignor::sticky) == expected);
  CHECK(c.solve(Assignor::cooperative_sticky) == expected);
}

TEST_CASE("a claim of an older generation yields to a newer one") {
  AssignorCase c({{"t", 3}, {"t2", 3}});
  c.member("c1", "t t2", "t:0,2 t2:1", 10).member("c2", "t t2", "t:0,2 t2:1", 9);
  const Solution expected{{"c1", "t:0,2 t2:1"}, {"c2", "t:1 t2:0,2"}};
  CHECK(c.solve(Assignor::sticky) == expected);
  CHECK(c.solve(Assignor::cooperative_sticky) == expected);
}

TEST_CASE("of three generations each partition stays with the newest that claims it") {
  AssignorCase c({{"t", 3}, {"t2", 3}, {"t3", 3}});
  c.member("c1", "t t2 t3", "t:0 t2:0 t3:0", 10);
  c.member("c2", "t t2 t3", "t:1 t2:1 t3:1", 9);
  c.member("c3", "t t2 t3", "t2:1 t3:0,2", 8);
  const Solution expected{{"c1", "t:0 t2:0 t3:0"}, {"c2", "t:1 t2:1 t3:1"}, {"c3", "t:2 t2:2 t3:2"}};
  CHECK(c.solve(Assignor::sticky) == expected);
  CHECK(c.solve(Assignor::cooperative_sticky) == expected);
}

TEST_CASE("members of older generations keep what nobody else claims") {
  AssignorCase c({{"t", 3}, {"t1", 3}, {"t2", 3}, {"t3", 3}});
  c.member("c1", "t t1 t2 t3");
  c.member("c2", "t t1 t2 t3", "t:0 t2:0 t1:0", 9);
  c.member("c3", "t t1 t2 t3", "t3:2 t2:2 t1:1", 8);
  c.member("c4", "t t1 t2 t3", "t3:1 t:1,2", 7);
  CHECK(c.solve(Assignor::cooperative_sticky) == Solution{{"c1", "t1:2 t2:1 t3:0"},
                                                          {"c2", "t:0 t1:0 t2:0"},
                                                          {"c3", "t1:1 t2:2 t3:2"},
                                                          {"c4", "t:1,2 t3:1"}});
}

TEST_CASE("a partition claimed twice in one generation is nobody's") {
  AssignorCase c({{"t", 3}});
  c.member("c1", "t", "t:0,1", 1).member("c2", "t", "t:0,2", 1).member("c3", "t", "", 1);
  CHECK(c.solve(Assignor::sticky) == Solution{{"c1", "t:1"}, {"c2", "t:2"}, {"c3", "t:0"}});
  // Cooperative: both may still be reading it, so nobody gets it in this round.
  CHECK(c.solve(Assignor::cooperative_sticky) == Solution{{"c1", "t:1"}, {"c2", "t:2"}, {"c3", ""}});
}

TEST_CASE("cooperative withholds what changes its owner until the second round") {
  AssignorCase c({{"t", 3}});
  c.member("c1", "t");
  CHECK(c.adopt(Assignor::cooperative_sticky, 1) == Solution{{"c1", "t:0,1,2"}});
  c.member("c2", "t");
  CHECK(c.adopt(Assignor::cooperative_sticky, 2) == Solution{{"c1", "t:0,1"}, {"c2", ""}});
  CHECK(c.adopt(Assignor::cooperative_sticky, 3) == Solution{{"c1", "t:0,1"}, {"c2", "t:2"}});
  CHECK(c.adopt(Assignor::cooperative_sticky, 4) == Solution{{"c1", "t:0,1"}, {"c2", "t:2"}});
}

TEST_CASE("cooperative gives at once what nobody owns") {
  AssignorCase c({{"t", 4}});
  c.member("c1", "t", "t:0,1", 5).member("c2", "t");
  CHECK(c.solve(Assignor::cooperative_sticky) == Solution{{"c1", "t:0,1"}, {"c2", "t:2,3"}});
}

TEST_CASE("cooperative withholds with mixed subscriptions too") {
  AssignorCase c({{"t1", 4}, {"t2", 1}});
  c.member("c1", "t1 t2", "t1:0,1,2,3 t2:0", 1).member("c2", "t1");
  const Solution first = c.adopt(Assignor::cooperative_sticky, 2);
  CHECK(first.at("c2").empty());
  CHECK(sizes(c.raw(Assignor::cooperative_sticky)) == Sizes{2, 3});
}

TEST_CASE("sticky with mixed subscriptions balances") {
  SECTION("members of one and of two topics") {
    AssignorCase c({{"t1", 3}, {"t2", 2}});
    c.member("c1", "t1").member("c2", "t1 t2").member("c3", "t1");
    CHECK(c.solve(Assignor::sticky) == Solution{{"c1", "t1:0,2"}, {"c2", "t2:0,1"}, {"c3", "t1:1"}});
  }
  SECTION("better than round robin, and keeps everything when a member leaves") {
    AssignorCase c({{"t0", 1}, {"t1", 2}, {"t2", 3}});
    c.member("C0", "t0").member("C1", "t0 t1").member("C2", "t0 t1 t2");
    CHECK(c.adopt(Assignor::sticky, 1) == Solution{{"C0", "t0:0"}, {"C1", "t1:0,1"}, {"C2", "t2:0,1,2"}});
    c.leave("C0");
    CHECK(c.solve(Assignor::sticky) == Solution{{"C1", "t0:0 t1:0,1"}, {"C2", "t2:0,1,2"}});
  }
}

TEST_CASE("what a member no longer subscribes to is taken from it") {
  AssignorCase c({{"t1", 2}, {"t2", 2}});
  c.member("c1", "t1", "t1:0 t2:0", 1).member("c2", "t1 t2", "t1:1 t2:1", 1);
  CHECK(c.solve(Assignor::sticky) == Solution{{"c1", "t1:0,1"}, {"c2", "t2:0,1"}});
}

TEST_CASE("with mixed subscriptions a former owner of an older generation gets its partition back first") {
  AssignorCase c({{"t", 6}, {"t2", 6}});
  c.member("c2", "t", "t:0,1,2,3,4,5", 2).member("c3", "t t2", "t:2,5 t2:0,1", 1);
  const auto result = c.raw(Assignor::sticky);
  CHECK(sizes(result) == Sizes{6, 6});
  check_valid(c, result, true);
}

TEST_CASE("sticky keeps all that balance allows when one of many members leaves") {
  AssignorCase c({{"t0", 2}, {"t1", 2}, {"t2", 2}, {"t3", 2}});
  c.member("C0", "t0 t1 t2 t3").member("C1", "t0 t1 t2 t3").member("C2", "t0 t1 t2 t3");
  CHECK(c.adopt(Assignor::sticky, 1) ==
        Solution{{"C0", "t0:0 t1:1 t3:0"}, {"C1", "t0:1 t2:0 t3:1"}, {"C2", "t1:0 t2:1"}});
  c.leave("C1");
  CHECK(kept(c, c.members(), Assignor::sticky) == 5);
  CHECK(sizes(c.raw(Assignor::sticky)) == Sizes{4, 4});
}

TEST_CASE("assignments do not depend on the order in which members are listed") {
  for (const Assignor assignor :
       {Assignor::range, Assignor::round_robin, Assignor::sticky, Assignor::cooperative_sticky}) {
    AssignorCase c({{"t1", 7}, {"t2", 5}, {"t3", 2}});
    c.member("c1", "t1 t2", "t1:0,1,2", 3).member("c2", "t1", "t1:2,3", 3).member("c3", "t2 t3", "t2:0", 2);
    const Solution listed = c.solve(assignor);
    std::reverse(c.members().begin(), c.members().end());
    CHECK(c.solve(assignor) == listed);
  }
}

TEST_CASE(
    "claims without generations are all believed: one partition for two, or none for anybody (KAFKA-12984)") {
  AssignorCase c({{"t", 2}});
  // Of a generation ago is what a claims; b has both by now.
  c.member("a", "t", "t:0", 3).member("b", "t", "t:0,1", 5);
  CHECK(c.solve(Assignor::cooperative_sticky) == Solution{{"a", ""}, {"b", "t:0"}});
  CHECK(c.raw(Assignor::cooperative_sticky, Claims::undated).empty());
  CHECK(c.solve(Assignor::sticky, Claims::undated) == c.solve(Assignor::sticky));

  AssignorCase two({{"t", 2}});
  two.member("a", "t", "t:1", 3).member("b", "t", "t:0,1", 5);
  CHECK(two.solve(Assignor::cooperative_sticky, Claims::undated) == Solution{{"a", "t:1"}, {"b", "t:0"}});

  AssignorCase three({{"t", 2}});
  three.member("a", "t", "t:0", 3).member("b", "t", "t:0", 5).member("c", "t");
  CHECK(three.raw(Assignor::cooperative_sticky, Claims::undated).empty());
  CHECK_FALSE(three.raw(Assignor::cooperative_sticky).empty());
}

TEST_CASE(
    "random groups: every partition has one subscriber, cooperative groups settle and nothing then moves") {
  sim::Stream draw(1, "assignor test");
  for (int round = 0; round < 100; ++round) {
    std::vector<AssignorCase::Topic> topics;
    for (std::uint64_t t = 0; t < 3 + draw.uniform_int(8); ++t) {
      topics.push_back({"t" + std::to_string(t), static_cast<std::int32_t>(1 + draw.uniform_int(9))});
    }
    AssignorCase c(topics);
    const bool equal = draw.bernoulli(0.3);
    const auto subscription = [&] {
      std::string names;
      for (const AssignorCase::Topic& t : topics) names += equal || draw.bernoulli(0.5) ? t.name + " " : "";
      return names;
    };
    const std::uint64_t members = 2 + draw.uniform_int(12);
    for (std::uint64_t m = 0; m < members; ++m) c.member("c" + std::to_string(m), subscription());
    check_valid(c, c.raw(Assignor::sticky), true);
    c.adopt(Assignor::sticky, 1);

    c.leave("c1").member("d", subscription());
    check_valid(c, c.raw(Assignor::sticky), true);
    for (std::int32_t generation = 2; generation < 6; ++generation) {
      check_valid(c, c.raw(Assignor::cooperative_sticky), false);
      c.adopt(Assignor::cooperative_sticky, generation);
    }
    const auto settled = c.raw(Assignor::cooperative_sticky);
    check_valid(c, settled, true);
    for (std::size_t i = 0; i < settled.size(); ++i) {
      CHECK(settled[i].partitions == c.members()[i].subscription.owned);
    }
    if (equal) CHECK(sizes(settled).back() - sizes(settled).front() <= 1);
  }
}

TEST_CASE("a thousand members of five thousand partitions are assigned") {
  std::vector<AssignorCase::Topic> topics;
  for (int t = 0; t < 50; ++t) topics.push_back({"t" + std::to_string(t), 100});
  AssignorCase c(topics);
  std::string all, most;
  for (int t = 0; t < 50; ++t) {
    all += "t" + std::to_string(t) + " ";
    if (t > 0) most += "t" + std::to_string(t) + " ";
  }
  for (int m = 0; m < 1000; ++m) c.member("consumer-" + std::to_string(m), all);
  for (const Assignor assignor : {Assignor::range, Assignor::round_robin, Assignor::sticky}) {
    const auto result = c.raw(assignor);
    CHECK(std::accumulate(result.begin(), result.end(), std::size_t{0}, [](std::size_t sum, const auto& one) {
            return sum + one.partitions.size();
          }) == 5000);
  }
  CHECK(sizes(c.raw(Assignor::sticky)) == Sizes(1000, 5));
  c.adopt(Assignor::sticky, 1);
  c.leave("consumer-17");
  CHECK(sizes(c.raw(Assignor::cooperative_sticky)).front() == 5);
  CHECK(kept(c, c.members(), Assignor::cooperative_sticky) == 4995);

  c.member("consumer-17", most);
  CHECK(sizes(c.raw(Assignor::sticky)).front() == 5);
}
