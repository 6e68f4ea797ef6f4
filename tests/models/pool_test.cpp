#include "models/pool.hpp"

#include "tests/catch.hpp"

namespace {

struct Part {
  std::uint32_t refs = 0;
  models::Shelf<Part>* home = nullptr;
  void clear() {}
};

struct Whole {
  models::Ref<Part> part;
  std::uint32_t refs = 0;
  models::Shelf<Whole>* home = nullptr;
  void clear() { part = {}; }
};

}  // namespace

TEST_CASE("what is put back into a pool holds on to nothing") {
  models::Pool<Part> parts;
  models::Pool<Whole> wholes;
  models::Ref<Whole> whole = wholes.take();
  whole->part = parts.take();
  CHECK(parts.out() == 1);
  whole = {};
  CHECK(wholes.out() == 0);
  CHECK(parts.out() == 0);
  whole = wholes.take();
  CHECK_FALSE(whole->part);
}
