// Assignors and racks (KIP-881): the examples of RangeAssignorTest and AbstractStickyAssignorTest.
#include "tests/models/kafka/assignor_case.hpp"

using namespace models::kafka;

namespace {

using Racks = std::vector<std::string>;
const Racks kAbc{"a", "b", "c"};

/// Members consumer0, consumer1, … of these topics in these racks, and what each gets.
struct Example {
  std::vector<AssignorCase::Topic> topics;
  std::vector<std::string> subscriptions;

  std::vector<std::string> solve(Assignor assignor, std::size_t copies, const Racks& brokers,
                                 const Racks& members, const std::vector<std::string>& owned = {}) const {
    AssignorCase c(topics);
    c.spread(copies, brokers);
    for (std::size_t i = 0; i < subscriptions.size(); ++i) {
      const std::string id = "consumer" + std::to_string(i);
      c.member(id, subscriptions[i], owned.empty() ? "" : owned[i], owned.empty() ? -1 : 1)
          .near(id, members[i]);
    }
    std::vector<std::string> result;
    for (const auto& [id, text] : c.solve(assignor)) result.push_back(text);
    return result;
  }
};

using Words = std::vector<std::string>;
const Example kAllAlike{{{"t1", 6}, {"t2", 7}, {"t3", 2}}, {"t1 t2 t3", "t1 t2 t3", "t1 t2 t3"}};
const Example kOneLess{{{"t1", 6}, {"t2", 7}, {"t3", 2}}, {"t1 t2 t3", "t1 t2 t3", "t1 t3"}};
const Words kMisplaced{"t1:0,1,2,3,4", "t1:5 t2:0,1,2,3", "t2:4,5,6 t3:0,1"};

}  // namespace

TEST_CASE("range gives what is near first, to as many each as ever") {
  const Words without{"t1:0,1 t2:0,1,2 t3:0", "t1:2,3 t2:3,4 t3:1", "t1:4,5 t2:5,6"};
  CHECK(kAllAlike.solve(Assignor::range, 3, kAbc, kAbc) == without);
  CHECK(kAllAlike.solve(Assignor::range, 1, kAbc, {"", "", ""}) == without);
  CHECK(kAllAlike.solve(Assignor::range, 1, kAbc, {"d", "e", "f"}) == without);
  CHECK(kAllAlike.solve(Assignor::range, 1, kAbc, kAbc) ==
        Words{"t1:0,3 t2:0,3,6", "t1:1,4 t2:1,4 t3:0", "t1:2,5 t2:2,5 t3:1"});
  CHECK(kAllAlike.solve(Assignor::range, 2, kAbc, kAbc) ==
        Words{"t1:0,2 t2:0,2,3 t3:1", "t1:1,3 t2:1,4 t3:0", "t1:4,5 t2:5,6"});
}

TEST_CASE("range gives what is near to those that subscribe to it") {
  CHECK(kOneLess.solve(Assignor::range, 3, kAbc, kAbc) ==
        Words{"t1:0,1 t2:0,1,2,3 t3:0", "t1:2,3 t2:4,5,6 t3:1", "t1:4,5"});
  CHECK(kOneLess.solve(Assignor::range, 1, kAbc, kAbc) ==
        Words{"t1:0,3 t2:0,2,3,6", "t1:1,4 t2:1,4,5 t3:0", "t1:2,5 t3:1"});
  CHECK(kOneLess.solve(Assignor::range, 2, kAbc, kAbc) ==
        Words{"t1:0,2 t2:0,2,3,5 t3:1", "t1:1,3 t2:1,4,6 t3:0", "t1:4,5"});
}

TEST_CASE("range keeps partitions of one number together before it looks at racks") {
  const Example uniform{{{"t1", 5}, {"t2", 5}, {"t3", 5}}, {"t1 t2 t3", "t1 t2 t3", "t1 t2 t3"}};
  const Words without{"t1:0,1 t2:0,1 t3:0,1", "t1:2,3 t2:2,3 t3:2,3", "t1:4 t2:4 t3:4"};
  for (const std::size_t copies : {1U, 2U, 3U})
    CHECK(uniform.solve(Assignor::range, copies, kAbc, kAbc) == without);

  const Example pairs{{{"t1", 6}, {"t2", 6}, {"t3", 2}, {"t4", 2}}, {"t1 t2", "t1 t2", "t3 t4", "t3 t4"}};
  CHECK(pairs.solve(Assignor::range, 1, {"a", "b"}, {"a", "b", "b", "a"}) ==
        Words{"t1:0,2,4 t2:0,2,4", "t1:1,3,5 t2:1,3,5", "t3:1 t4:1", "t3:0 t4:0"});
  CHECK(pairs.solve(Assignor::range, 2, {"a", "b"}, {"a", "b", "b", "a"}) ==
        Words{"t1:0,1,2 t2:0,1,2", "t1:3,4,5 t2:3,4,5", "t3:0 t4:0", "t3:1 t4:1"});

  const std::string all = "t1 t2 t3 t4 t5 t6";
  const Example many{{{"t1", 6}, {"t2", 6}, {"t3", 2}, {"t4", 2}, {"t5", 4}, {"t6", 4}}, {all, all, all}};
  CHECK(many.solve(Assignor::range, 2, kAbc, kAbc) == Words{"t1:0,2 t2:0,2 t3:0 t4:0 t5:1 t6:1",
                                                            "t1:1,3 t2:1,3 t3:1 t4:1 t5:2 t6:2",
                                                            "t1:4,5 t2:4,5 t5:0,3 t6:0,3"});
}

TEST_CASE("range keeps a static member's partitions in its rack when its member id changes") {
  const auto solve = [](const std::vector<std::string>& ids) {
    AssignorCase c({{"t1", 5}, {"t2", 5}});
    c.spread(2, {"a", "b", "c", "a", "b", "c"});
    for (std::size_t i = 0; i < 3; ++i)
      c.member(ids[i], "t1 t2", "", -1, "instance" + std::to_string(i)).near(ids[i], kAbc[i]);
    const Solution found = c.solve(Assignor::range);
    return Words{found.at(ids[0]), found.at(ids[1]), found.at(ids[2])};
  };
  CHECK(solve({"consumer1", "consumer2", "consumer3"}) == solve({"consumer1", "consumer5", "consumer4"}));
}

TEST_CASE("sticky gives each member what is near it, as far as balance allows") {
  const Words near{"t1:0,3 t2:0,3,6", "t1:1,4 t2:1,4 t3:0", "t1:2,5 t2:2,5 t3:1"};
  for (const Assignor assignor : {Assignor::sticky, Assignor::cooperative_sticky}) {
    for (const std::size_t copies : {1U, 2U, 3U})
      CHECK(kAllAlike.solve(assignor, copies, kAbc, kAbc) == near);
    CHECK(kAllAlike.solve(assignor, 3, kAbc, {"d", "e", "f"}) == near);
    CHECK(kAllAlike.solve(assignor, 1, {"a", "b"}, kAbc).size() == 3);
  }
  CHECK(kAllAlike.solve(Assignor::sticky, 1, kAbc, kAbc, kMisplaced) == near);
  CHECK(kAllAlike.solve(Assignor::sticky, 3, kAbc, kAbc, near) == near);
  CHECK(kAllAlike.solve(Assignor::cooperative_sticky, 1, kAbc, kAbc, kMisplaced) ==
        Words{"t1:0,3", "t2:1", "t2:5 t3:1"});
}

TEST_CASE("sticky with mixed subscriptions begins within racks") {
  for (const Assignor assignor : {Assignor::sticky, Assignor::cooperative_sticky}) {
    CHECK(kOneLess.solve(assignor, 3, kAbc, kAbc) ==
          Words{"t1:5 t2:0,2,4,6", "t1:3 t2:1,3,5 t3:0", "t1:0,1,2,4 t3:1"});
    CHECK(kOneLess.solve(assignor, 1, kAbc, kAbc) ==
          Words{"t1:3 t2:0,2,3,6", "t1:4 t2:1,4,5 t3:0", "t1:0,1,2,5 t3:1"});
    CHECK(kOneLess.solve(assignor, 2, kAbc, kAbc) ==
          Words{"t1:3 t2:0,2,5,6", "t1:0 t2:1,3,4 t3:0", "t1:1,2,4,5 t3:1"});
  }
  CHECK(kOneLess.solve(Assignor::sticky, 1, kAbc, kAbc, kMisplaced) ==
        Words{"t1:3 t2:0,2,3,6", "t1:4 t2:1,4,5 t3:0", "t1:0,1,2,5 t3:1"});
  CHECK(kOneLess.solve(Assignor::cooperative_sticky, 1, kAbc, kAbc, kMisplaced) ==
        Words{"t1:3", "t2:1", "t3:1"});
}
