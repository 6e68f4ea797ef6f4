// Placement of replicas over racks, with the assignments of StripedReplicaPlacerTest.java where it begins at the first.
#include "models/kafka/placement.hpp"

#include "tests/catch.hpp"

using namespace models::kafka;

namespace {

std::vector<std::vector<int>> placed(const std::vector<std::int32_t>& racks, int partitions, int replicas) {
  StripedPlacer placer(racks);
  std::vector<std::vector<int>> all;
  for (int p = 0; p < partitions; ++p) {
    std::vector<int> one;
    for (const BrokerId b : placer.place(replicas)) one.push_back(b.value);
    all.push_back(one);
  }
  return all;
}

using Lists = std::vector<std::vector<int>>;

}  // namespace

TEST_CASE("without racks leaders go round the brokers and followers are the next ones") {
  CHECK(placed({-1, -1, -1}, 4, 2) == Lists{{0, 1}, {1, 2}, {2, 0}, {0, 1}});
  CHECK(placed({-1}, 2, 1) == Lists{{0}, {0}});
}

TEST_CASE("with racks each replica is in another rack, and leaders go round racks and brokers") {
  // a: 0 1 2, b: 3 4 5, c: 6 7 8
  const Lists lists = placed({0, 0, 0, 1, 1, 1, 2, 2, 2}, 9, 3);
  std::vector<int> led(9);
  for (const std::vector<int>& replicas : lists) {
    ++led[static_cast<std::size_t>(replicas.front())];
    CHECK(replicas[0] / 3 != replicas[1] / 3);
    CHECK(replicas[1] / 3 != replicas[2] / 3);
    CHECK(replicas[0] / 3 != replicas[2] / 3);
  }
  for (const int n : led) CHECK(n <= 3);
  CHECK(lists[0] == std::vector{0, 3, 6});
  CHECK(lists[1] == std::vector{4, 7, 1});
}

TEST_CASE("more replicas than racks: each rack has one before any has two") {
  const Lists lists = placed({0, 0, 1, 1}, 2, 3);
  CHECK(lists[0] == std::vector{0, 2, 1});
  for (const std::vector<int>& replicas : lists) CHECK(replicas[0] / 2 != replicas[1] / 2);
}

TEST_CASE("a rack's name stands for its placeholder") {
  CHECK(with_rack("{rack}", "a") == "a");
  CHECK(with_rack("eu-{rack}-1", "a") == "eu-a-1");
  CHECK(with_rack("here", "a") == "here");
  CHECK(with_rack("", "a").empty());
}
