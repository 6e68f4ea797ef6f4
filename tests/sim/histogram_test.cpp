#include "sim/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/assert.hpp"
#include "sim/distributions.hpp"
#include "tests/catch.hpp"

using sim::Histogram;

namespace {

std::vector<std::int64_t> latencies(int count, const char* name, double mean = 3e6) {
  const sim::Distribution d = sim::Distribution::lognormal(mean, 3.0);
  sim::Stream stream(1, name);
  std::vector<std::int64_t> out;
  for (int i = 0; i < count; ++i) out.push_back(d.sample_duration(stream).count());
  return out;
}

Histogram histogram_of(const std::vector<std::int64_t>& values) {
  Histogram h;
  for (const std::int64_t v : values) h.record(v);
  return h;
}

}  // namespace

TEST_CASE("an empty histogram answers 0 to everything") {
  const Histogram h;
  CHECK(h.count() == 0);
  CHECK(h.min() == 0);
  CHECK(h.max() == 0);
  CHECK(h.mean() == 0.0);
  CHECK(h.quantile(0.5) == 0);
  CHECK(h.count_at_most(100) == 0);
}

TEST_CASE("values below 256 are held exactly") {
  Histogram h;
  for (std::int64_t v = 0; v < 256; ++v) h.record(v);
  for (std::int64_t v = 1; v <= 256; ++v) CHECK(h.quantile(static_cast<double>(v) / 256.0) == v - 1);
  CHECK(h.count_at_most(99) == 100);
}

TEST_CASE("count, sum, minimum, maximum and mean are exact") {
  const std::vector<std::int64_t> values = latencies(10000, "exact");
  const Histogram h = histogram_of(values);
  std::int64_t sum = 0;
  for (const std::int64_t v : values) sum += v;
  CHECK(h.count() == 10000);
  CHECK(static_cast<std::int64_t>(h.sum()) == sum);
  CHECK(h.min() == *std::min_element(values.begin(), values.end()));
  CHECK(h.max() == *std::max_element(values.begin(), values.end()));
  CHECK(h.mean() == Approx(static_cast<double>(sum) / 10000.0));
}

TEST_CASE("every quantile lies within 1/256 of the true order statistic") {
  std::vector<std::int64_t> values = latencies(5000, "quantiles");
  const Histogram h = histogram_of(values);
  std::sort(values.begin(), values.end());
  for (std::size_t rank = 1; rank <= values.size(); ++rank) {
    const double q = (static_cast<double>(rank) - 0.5) / 5000.0;
    const auto truth = static_cast<double>(values[rank - 1]);
    REQUIRE(std::abs(static_cast<double>(h.quantile(q)) - truth) <= truth / 256.0 + 0.5);
  }
  CHECK(h.quantile(0.0) == values.front());
  CHECK(h.quantile(1.0) == values.back());
}

TEST_CASE("buckets tile the whole range without gap or overlap, none wider than 1/128 of its values") {
  Histogram h;
  for (int bit = 0; bit < 63; ++bit) {
    const std::int64_t power = std::int64_t{1} << bit;
    for (const std::int64_t v : {power - 1, power, power + power / 2, power + power / 128}) h.record(v);
  }
  h.record(std::numeric_limits<std::int64_t>::max());
  std::int64_t before = -1;
  std::uint64_t total = 0;
  h.for_each_bucket([&](std::int64_t low, std::int64_t high, std::uint64_t count) {
    REQUIRE(low > before);
    REQUIRE(high >= low);
    REQUIRE(high - low <= low / 128);
    before = high;
    total += count;
  });
  CHECK(before == std::numeric_limits<std::int64_t>::max());
  CHECK(total == h.count());
}

TEST_CASE("merging is exact and leaves no trace of order or shape") {
  const Histogram a = histogram_of(latencies(1000, "a", 1e3));
  const Histogram b = histogram_of(latencies(1000, "b", 1e9));
  const Histogram c = histogram_of(latencies(1000, "c", 1e6));
  Histogram all;
  for (const auto& [name, mean] : {std::pair{"c", 1e6}, std::pair{"a", 1e3}, std::pair{"b", 1e9}}) {
    for (const std::int64_t v : latencies(1000, name, mean)) all.record(v);
  }
  Histogram abc = a, cba = c;
  abc.merge(b);
  abc.merge(c);
  cba.merge(b);
  cba.merge(a);
  CHECK(abc == all);
  CHECK(cba == all);
  CHECK(abc.quantile(0.37) == all.quantile(0.37));
  Histogram with_empty = all;
  with_empty.merge(Histogram{});
  CHECK(with_empty == all);
  Histogram from_empty;
  from_empty.merge(all);
  CHECK(from_empty == all);
  CHECK_FALSE(a == b);
  Histogram one_more = all;
  one_more.record(5);
  CHECK_FALSE(one_more == all);
}

TEST_CASE("a value can be recorded many times at once, and zero times") {
  Histogram many, single;
  many.record(1234567, 1000);
  many.record(99, 0);
  for (int i = 0; i < 1000; ++i) single.record(1234567);
  CHECK(many == single);
  CHECK(many.min() == 1234567);
}

TEST_CASE("a sum beyond 64 bits stays exact") {
  Histogram h;
  h.record(std::numeric_limits<std::int64_t>::max(), 1'000'000);
  CHECK(h.mean() == Approx(9.223372036854775807e18));
  CHECK(h.sum() == static_cast<sim::WideSum>(std::numeric_limits<std::int64_t>::max()) * 1'000'000);
}

TEST_CASE("clearing forgets everything") {
  Histogram h = histogram_of(latencies(100, "clear"));
  h.clear();
  CHECK(h == Histogram{});
  h.record(7);
  CHECK(h.quantile(0.5) == 7);
}

TEST_CASE("a negative value is an assertion") {
  Histogram h;
  CHECK_THROWS_AS(h.record(-1), sim::AssertionError);
  h.record(std::numeric_limits<std::int64_t>::max());
  CHECK_THROWS_AS(h.record(std::numeric_limits<std::int64_t>::min()), sim::AssertionError);
  CHECK(h.count() == 1);
}
