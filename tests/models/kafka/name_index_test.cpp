#include "models/kafka/group/name_index.hpp"

#include <rapidcheck.h>

#include <map>
#include <memory>
#include <string>

#include "models/kafka/group/copy_on_write.hpp"
#include "tests/catch.hpp"

using namespace models::kafka;

namespace {
struct Thing {
  std::string id;
};
}  // namespace

TEST_CASE("things are found by their names through any programme of putting in and taking out", "[group]") {
  CHECK(rc::check([] {
    NameIndex<Thing> index;
    std::map<std::string, std::unique_ptr<Thing>> wanted;
    const auto steps =
        *rc::gen::container<std::vector<std::uint8_t>>(300, rc::gen::arbitrary<std::uint8_t>());
    for (const std::uint8_t step : steps) {
      const std::string name = "member-" + std::to_string(step % 60);
      const auto at = wanted.find(name);
      if (at == wanted.end()) {
        auto& made = wanted[name] = std::make_unique<Thing>(Thing{name});
        index.insert(*made);
      } else {
        index.erase(*at->second);
        wanted.erase(at);
      }
      for (int n = 0; n < 60; ++n) {
        const std::string sought = "member-" + std::to_string(n);
        const auto known = wanted.find(sought);
        RC_ASSERT(index.find(sought) == (known == wanted.end() ? nullptr : known->second.get()));
      }
    }
  }));
}

TEST_CASE("a copy is shared until it is edited", "[group]") {
  CopyOnWrite<std::string> first("stable");
  CopyOnWrite<std::string> second = first;
  CHECK(&*first == &*second);
  second.edit() = "assigning";
  CHECK(*first == "stable");
  CHECK(*second == "assigning");
  CHECK_FALSE(first == second);
  const std::string* const alone = &*second;
  second.edit() = "stable";
  CHECK(&*second == alone);
  CHECK(first == second);
}
