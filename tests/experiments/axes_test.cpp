#include "experiments/scenario/axes.hpp"

#include "experiments/errors.hpp"
#include "experiments/scenario/toml_document.hpp"
#include "tests/catch.hpp"

using namespace experiments;

namespace {

std::vector<std::string> values_of(std::string_view axis) {
  std::vector<std::string> out;
  for (const Value& v : parse_axis(axis).values) out.push_back(to_toml(v));
  return out;
}

using Texts = std::vector<std::string>;

std::string refusal(std::string_view axis) {
  try {
    parse_axis(axis);
  } catch (const std::runtime_error& bad) {
    return bad.what();
  }
  return {};
}

}  // namespace

TEST_CASE("an axis is a list of values, each a TOML value or a bare word") {
  CHECK(values_of("a.b=1,2.5,three,true") == Texts{"1", "2.5", "\"three\"", "true"});
  CHECK(values_of("a.b=\"x,y\",[1, 2],{ c = 1, d = 2 }") == Texts{"\"x,y\"", "[1, 2]", "{ c = 1, d = 2 }"});
}

TEST_CASE("a range has both its ends, whole steps stay whole") {
  CHECK(values_of("a.b=500..4000/8") == Texts{"500", "1000", "1500", "2000", "2500", "3000", "3500", "4000"});
  CHECK(values_of("a.b=0..1/3") == Texts{"0.0", "0.5", "1.0"});
  CHECK(values_of("a.b=4..1/4") == Texts{"4", "3", "2", "1"});
}

TEST_CASE("a log range steps by a factor, with a unit if its ends have one") {
  CHECK(values_of("a.b=1..1000/log/4") == Texts{"1", "10", "100", "1000"});
  CHECK(values_of("a.b=1s..1000s/log/4") == Texts{"\"1s\"", "\"10s\"", "\"100s\"", "\"1000s\""});
  CHECK(values_of("a.b=0.1..0.4/log/3") == Texts{"0.1", "0.2", "0.4"});
}

TEST_CASE("an axis that is none says why") {
  CHECK(refusal("a.b") == "--axis 'a.b': write PATH=VALUE");
  CHECK(refusal("a.b=1,,2").find("one of the values is empty") != std::string::npos);
  CHECK(refusal("a.b=1,1").find("has the value 1 twice") != std::string::npos);
  CHECK(refusal("a.b=1..2/1").find("steps is an integer from 2") != std::string::npos);
  CHECK(refusal("a.b=1..2/x").find("steps is an integer from 2") != std::string::npos);
  CHECK(refusal("a.b=0..2/log/3").find("a log range needs ends above 0") != std::string::npos);
  CHECK(refusal("a.b=1s..2min/3").find("both ends of a range have the same unit") != std::string::npos);
  CHECK(refusal("a.b=1..y/3").find("neither a number nor a number with a unit") != std::string::npos);
  CHECK(refusal("a.b=1..2").find("a range is FROM..TO/STEPS") != std::string::npos);
}

TEST_CASE("a path of files is a word, not a range") {
  CHECK(values_of("a.file=../one.csv,../two.csv") == Texts{"\"../one.csv\"", "\"../two.csv\""});
}

TEST_CASE("the last axis moves fastest") {
  const std::vector<Axis> axes{parse_axis("a.b=1,2"), parse_axis("a.c=1,2,3")};
  CHECK(count_points(axes, 1000) == 6);
  CHECK(axis_indices(axes, 0) == std::vector<std::size_t>{0, 0});
  CHECK(axis_indices(axes, 1) == std::vector<std::size_t>{0, 1});
  CHECK(axis_indices(axes, 5) == std::vector<std::size_t>{1, 2});
  CHECK(count_points({}, 1000) == 1);
}

TEST_CASE("more points than can be run are refused before any is made") {
  std::vector<Axis> axes;
  for (const char* path : {"a.b", "a.c", "a.d", "a.e"})
    axes.push_back(parse_axis(std::string(path) + "=1..100000/100000"));
  CHECK_THROWS_AS(count_points(axes, 1'000'000), BadScenario);
}
