// Facts from RangeAssignorTest.java, RoundRobinAssignorTest.java and the Javadoc of the assignors.
#include "tests/models/kafka/assignor_case.hpp"

using namespace models::kafka;

TEST_CASE("range gives the first members of each topic the extra partitions") {
  AssignorCase c({{"t1", 3}, {"t2", 3}});
  c.member("c1", "t1 t2").member("c2", "t1 t2");
  CHECK(c.solve(Assignor::range) == Solution{{"c1", "t1:0,1 t2:0,1"}, {"c2", "t1:2 t2:2"}});
}

TEST_CASE("round robin deals all partitions of all topics in turn") {
  AssignorCase c({{"t1", 3}, {"t2", 3}});
  c.member("c1", "t1 t2").member("c2", "t1 t2");
  CHECK(c.solve(Assignor::round_robin) == Solution{{"c1", "t1:0,2 t2:1"}, {"c2", "t1:1 t2:0,2"}});
}

TEST_CASE("range and round robin leave out members that do not subscribe to a topic") {
  AssignorCase c({{"t1", 3}, {"t2", 2}});
  c.member("c1", "t1").member("c2", "t1 t2").member("c3", "t1");
  const Solution expected{{"c1", "t1:0"}, {"c2", "t1:1 t2:0,1"}, {"c3", "t1:2"}};
  CHECK(c.solve(Assignor::range) == expected);
  CHECK(c.solve(Assignor::round_robin) == expected);
}

TEST_CASE("more members than partitions leave the last members idle") {
  AssignorCase c({{"t", 2}});
  c.member("c1", "t").member("c2", "t").member("c3", "t");
  CHECK(c.solve(Assignor::range) == Solution{{"c1", "t:0"}, {"c2", "t:1"}, {"c3", ""}});
  CHECK(c.solve(Assignor::round_robin) == Solution{{"c1", "t:0"}, {"c2", "t:1"}, {"c3", ""}});
}

TEST_CASE("round robin makes up for uneven subscriptions only in part") {
  AssignorCase c({{"t0", 1}, {"t1", 2}, {"t2", 3}});
  c.member("C0", "t0").member("C1", "t0 t1").member("C2", "t0 t1 t2");
  CHECK(c.solve(Assignor::round_robin) == Solution{{"C0", "t0:0"}, {"C1", "t1:0"}, {"C2", "t1:1 t2:0,1,2"}});
  c.leave("C0");
  CHECK(c.solve(Assignor::round_robin) == Solution{{"C1", "t0:0 t1:1"}, {"C2", "t1:0 t2:0,1,2"}});
}

TEST_CASE("a static member comes before a dynamic one whatever their member ids") {
  AssignorCase c({{"t1", 3}, {"t2", 3}});
  c.member("consumer-b", "t1 t2", "", -1, "instance1").member("consumer-a", "t1 t2");
  CHECK(c.solve(Assignor::range) == Solution{{"consumer-b", "t1:0,1 t2:0,1"}, {"consumer-a", "t1:2 t2:2"}});
  CHECK(c.solve(Assignor::round_robin) ==
        Solution{{"consumer-b", "t1:0,2 t2:1"}, {"consumer-a", "t1:1 t2:0,2"}});
}

TEST_CASE("static members keep their partitions when their member ids change") {
  AssignorCase c({{"t1", 5}, {"t2", 5}});
  c.member("m3", "t1 t2", "", -1, "i1")
      .member("m2", "t1 t2", "", -1, "i2")
      .member("m1", "t1 t2", "", -1, "i3");
  CHECK(c.solve(Assignor::range) ==
        Solution{{"m3", "t1:0,1 t2:0,1"}, {"m2", "t1:2,3 t2:2,3"}, {"m1", "t1:4 t2:4"}});
  CHECK(c.solve(Assignor::round_robin) ==
        Solution{{"m3", "t1:0,3 t2:1,4"}, {"m2", "t1:1,4 t2:2"}, {"m1", "t1:2 t2:0,3"}});
}

TEST_CASE("a dynamic member that follows static ones leaves theirs alone when it is replaced") {
  AssignorCase c({{"t1", 5}, {"t2", 4}});
  c.member("c1", "t1 t2", "", -1, "i1")
      .member("c2", "t1 t2", "", -1, "i2")
      .member("c3", "t1 t2", "", -1, "i3");
  c.member("c4", "t1 t2");
  CHECK(c.solve(Assignor::range) ==
        Solution{{"c1", "t1:0,1 t2:0"}, {"c2", "t1:2 t2:1"}, {"c3", "t1:3 t2:2"}, {"c4", "t1:4 t2:3"}});
  c.leave("c4").member("c0", "t1 t2");
  CHECK(c.solve(Assignor::range) ==
        Solution{{"c1", "t1:0,1 t2:0"}, {"c2", "t1:2 t2:1"}, {"c3", "t1:3 t2:2"}, {"c0", "t1:4 t2:3"}});
}

TEST_CASE("topics are dealt with in order of their names, not of their declaration") {
  AssignorCase c({{"zebra", 1}, {"ant", 1}});
  c.member("c1", "zebra ant").member("c2", "zebra ant");
  CHECK(c.solve(Assignor::round_robin) == Solution{{"c1", "ant:0"}, {"c2", "zebra:0"}});
}

TEST_CASE("an unknown topic and a group without members give nothing") {
  for (const Assignor assignor :
       {Assignor::range, Assignor::round_robin, Assignor::sticky, Assignor::cooperative_sticky}) {
    AssignorCase c({{"t", 1}});
    CHECK(c.solve(assignor).empty());
    c.member("c1", "unknown");
    CHECK(c.solve(assignor) == Solution{{"c1", ""}});
    c.member("c1", "");
    CHECK(c.solve(assignor) == Solution{{"c1", ""}});
  }
}

TEST_CASE("a member id given twice is a programmer's error") {
  AssignorCase c({{"t", 1}});
  c.member("c1", "t");
  c.members().push_back(c.members().front());
  CHECK_THROWS_AS(c.solve(Assignor::range), sim::AssertionError);
}

TEST_CASE("assignors go by the names that they have on the wire") {
  CHECK(assignor_name(Assignor::range) == "range");
  CHECK(assignor_name(Assignor::round_robin) == "roundrobin");
  CHECK(assignor_name(Assignor::sticky) == "sticky");
  CHECK(assignor_name(Assignor::cooperative_sticky) == "cooperative-sticky");
  CHECK(find_assignor("roundrobin") == Assignor::round_robin);
  CHECK_FALSE(find_assignor("uniform").has_value());
  CHECK(is_cooperative(Assignor::cooperative_sticky));
  CHECK_FALSE(is_cooperative(Assignor::sticky));
}
