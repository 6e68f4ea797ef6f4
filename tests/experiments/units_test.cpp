#include "experiments/scenario/units.hpp"

#include "tests/catch.hpp"

using namespace experiments;

namespace {

template <class Parse>
std::string refusal(Parse parse, std::string_view text) {
  try {
    parse(text);
  } catch (const BadValue& bad) {
    return bad.what();
  }
  return {};
}

}  // namespace

TEST_CASE("durations are read exactly, in every unit") {
  CHECK(parse_duration("1ns").count() == 1);
  CHECK(parse_duration("1.5us").count() == 1'500);
  CHECK(parse_duration("45 s").count() == 45'000'000'000);
  CHECK(parse_duration("0.000000001s").count() == 1);
  CHECK(parse_duration("2min") == parse_duration("120s"));
  CHECK(parse_duration("1h") == parse_duration("60min"));
  CHECK(parse_duration("1d") == parse_duration("24h"));
  CHECK(parse_duration("0s").count() == 0);
}

TEST_CASE("a duration that has no unit, a wrong one or a rest is refused and told the units") {
  CHECK(refusal(parse_duration, "45") == "'45' needs a unit: ns, us, ms, s, min, h, d");
  CHECK(refusal(parse_duration, "45sec") ==
        "'45sec' is no duration: 'sec' is none of ns, us, ms, s, min, h, d");
  CHECK(refusal(parse_duration, "soon") ==
        "'soon' is no duration: write a number and ns, us, ms, s, min, h, d");
  CHECK(refusal(parse_duration, "") == "'' is no duration: write a number and ns, us, ms, s, min, h, d");
  CHECK(refusal(parse_duration, "-1s") == "'-1s' is negative");
  CHECK(refusal(parse_duration, "0.5ns") == "'0.5ns' is not a whole number of nanoseconds");
}

TEST_CASE("what does not fit is refused, never wrapped round") {
  CHECK(parse_duration("36525d").count() == 3'155'760'000'000'000'000);  // a hundred years
  CHECK(refusal(parse_duration, "36526d") == "'36526d' is too large");
  CHECK(refusal(parse_duration, "99999999999999999999999999999999999999999999s").find("is too large") !=
        std::string::npos);
  CHECK(refusal(parse_size, "8388608TiB") == "'8388608TiB' is too large");
  CHECK(refusal(parse_bandwidth, "9999999999GB/s") == "'9999999999GB/s' is too large");
}

TEST_CASE("sizes, bandwidths, rates and percentages have their own units") {
  CHECK(parse_size("16KiB") == 16384);
  CHECK(parse_size("1.5kB") == 1500);
  CHECK(refusal(parse_size, "1.0005kB").find("is not a whole number of bytes") != std::string::npos);
  CHECK(refusal(parse_size, "16kb").find("'kb' is none of B, kB") != std::string::npos);
  CHECK(parse_bandwidth("1Gbit/s") == 1'000'000'000);
  CHECK(parse_bandwidth("1MB/s") == 8'000'000);
  CHECK(refusal(parse_bandwidth, "0bit/s") == "'0bit/s': a bandwidth is above zero");
  CHECK(parse_rate("1/10min") == Approx(1.0 / 600));
  CHECK(parse_rate("500/s") == 500);
  CHECK(refusal(parse_rate, "10 per second").find("is no rate") != std::string::npos);
  CHECK(refusal(parse_rate, "0/s") == "'0/s': a rate is above zero");
  CHECK(refusal(parse_rate, "1/0s") == "'1/0s': a rate is above zero");
  CHECK(parse_percent("0.1%") == Approx(0.001));
  CHECK(refusal(parse_percent, "a bit").find("is no share") != std::string::npos);
}

TEST_CASE("equal durations have one spelling, which reads back as the same") {
  CHECK(duration_text(parse_duration("2min")) == "120s");
  CHECK(duration_text(parse_duration("1.5s")) == "1500ms");
  CHECK(duration_text(parse_duration("0s")) == "0s");
  for (const std::int64_t ns : {1LL, 999LL, 1000LL, 1'000'001LL, 3'600'000'000'000LL}) {
    CHECK(parse_duration(duration_text(sim::Duration{ns})).count() == ns);
  }
}
