#include "sim/arrivals.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>  // sqrt only
#include <optional>

namespace sim {

namespace {

/// A corner in the units of the solver.
struct Corner {
  std::int64_t at;  // ns
  double rate;      // per ns
};

}  // namespace

/// Parameters too long for the value itself; never changed, shared by copies.
struct ArrivalProcess::Data {
  std::vector<Corner> corners;      // profile; the first at 0
  bool repeat = false;              // profile
  double per_cycle = 0;             // profile: mean arrivals over all corners
  std::vector<Time> times;          // replay
  std::optional<Distribution> gap;  // renewal
};

namespace {

void require(bool ok, const std::string& what) {
  if (!ok) throw std::invalid_argument(what);
}

std::string text(double x) {
  char buffer[40];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, x).ptr);
}

double gap_of_rate(const char* key, double rate) {
  // Slower than one in 146 years is never; faster than one a picosecond is a slip of the pen.
  require(rate >= 1e9 / 0x1p62 && rate <= 1e12,
          std::string(key) + " must be above 0 and at most 1e12 per second, not " + text(rate));
  return 1e9 / rate;
}

Time later(Time from, double nanoseconds_on) {
  if (nanoseconds_on >= 0x1p62) return kNever;
  const auto whole = static_cast<std::int64_t>(nanoseconds_on);
  return nanoseconds(from) > nanoseconds(kNever) - whole ? kNever : from + Duration{whole};
}

/// Mean arrivals between offset x of a segment and its end.
double area_to_end(const Corner& left, const Corner& right, double x) {
  const auto length = static_cast<double>(right.at - left.at);
  const double rate = left.rate + (right.rate - left.rate) * (x / length);
  return (length - x) * (rate + right.rate) * 0.5;
}

/// The offset at which `area` mean arrivals have passed since offset x. Requires area < area_to_end().
double offset_after(const Corner& left, const Corner& right, double x, double area) {
  const auto length = static_cast<double>(right.at - left.at);
  const double slope = (right.rate - left.rate) / length;
  const double rate = left.rate + slope * x;
  const double discriminant = std::max(0.0, rate * rate + 2.0 * slope * area);
  return std::min(length, x + 2.0 * area / (rate + std::sqrt(discriminant)));
}

}  // namespace

ArrivalProcess ArrivalProcess::poisson(double rate) {
  ArrivalProcess p(Kind::poisson, rate);
  p.gap_ = gap_of_rate("rate", rate);
  return p;
}

ArrivalProcess ArrivalProcess::constant(double rate) {
  ArrivalProcess p(Kind::constant, rate);
  p.gap_ = gap_of_rate("rate", rate);
  return p;
}

ArrivalProcess ArrivalProcess::on_off(double rate_on, double rate_off, Duration mean_on, Duration mean_off) {
  require(mean_on.count() > 0, "mean_on must be above 0");
  require(mean_off.count() > 0, "mean_off must be above 0");
  const auto on = static_cast<double>(mean_on.count());
  const auto off = static_cast<double>(mean_off.count());
  ArrivalProcess p(Kind::on_off, (rate_on * on + rate_off * off) / (on + off));
  p.gap_ = gap_of_rate("rate_on", rate_on);
  p.gap_off_ = rate_off == 0.0 ? 0.0 : gap_of_rate("rate_off", rate_off);
  p.mean_on_ = on;
  p.mean_off_ = off;
  return p;
}

ArrivalProcess ArrivalProcess::profile(std::vector<RatePoint> points, bool repeat) {
  require(!points.empty(), "points must not be empty");
  auto data = std::make_shared<Data>();
  data->repeat = repeat;
  if (points.front().at.count() > 0) data->corners.push_back({0, points.front().rate_per_second * 1e-9});
  double highest = 0.0;
  for (const RatePoint& point : points) {
    require(point.at.count() >= 0, "points must not lie before time 0");
    require(point.rate_per_second >= 0.0 && point.rate_per_second <= 1e12,
            "points must have rates between 0 and 1e12 per second, not " + text(point.rate_per_second));
    require(data->corners.empty() || point.at.count() > data->corners.back().at,
            "points must have increasing times");
    data->corners.push_back({point.at.count(), point.rate_per_second * 1e-9});
    highest = std::max(highest, point.rate_per_second);
  }
  require(highest > 0.0, "points must have a rate above 0 somewhere");
  require(!repeat || data->corners.size() > 1, "points must reach beyond time 0 to be repeated");
  for (std::size_t i = 0; i + 1 < data->corners.size(); ++i) {
    data->per_cycle += area_to_end(data->corners[i], data->corners[i + 1], 0.0);
  }
  const double span = seconds(Duration{data->corners.back().at});
  ArrivalProcess p(Kind::profile, span == 0.0 ? highest : data->per_cycle / span);
  p.data_ = std::move(data);
  return p;
}

ArrivalProcess ArrivalProcess::replay(std::vector<Time> times) {
  require(std::is_sorted(times.begin(), times.end()), "times must not decrease");
  require(times.empty() || times.front() >= Time{}, "times must not lie before time 0");
  const double span = times.empty() ? 0.0 : seconds(times.back());
  ArrivalProcess p(Kind::replay, span == 0.0 ? 0.0 : static_cast<double>(times.size()) / span);
  auto data = std::make_shared<Data>();
  data->times = std::move(times);
  p.data_ = std::move(data);
  return p;
}

ArrivalProcess ArrivalProcess::renewal(Distribution gap) {
  require(gap.mean() > 0.0, "gap must have a mean above 0");
  ArrivalProcess p(Kind::renewal, 1e9 / gap.mean());
  auto data = std::make_shared<Data>();
  data->gap.emplace(std::move(gap));
  p.data_ = std::move(data);
  return p;
}

Time ArrivalProcess::advance(Time from, double gap_ns) {
  const double total = gap_ns + carry_;
  const Time arrival = later(from, total);
  carry_ = arrival == kNever ? 0.0 : total - static_cast<double>(static_cast<std::int64_t>(total));
  return arrival;
}

Time ArrivalProcess::next(Time after, Stream& stream) {
  if (after == kNever) return kNever;
  switch (kind_) {
    case Kind::poisson:
      return advance(after, gap_ * stream.exponential());
    case Kind::constant:
      return advance(after, gap_);
    case Kind::on_off:
      return next_on_off(after, stream);
    case Kind::profile:
      return next_profile(after, stream);
    case Kind::replay:
      return next_replay(after);
    case Kind::renewal:
      return advance(after, std::max(0.0, data_->gap->sample(stream)));
  }
  return kNever;
}

std::size_t ArrivalProcess::fill(Time& state, Stream& stream, std::span<Time> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Time arrival = next(state, stream);
    if (arrival == kNever) return i;
    out[i] = state = arrival;
  }
  return out.size();
}

Time ArrivalProcess::next_on_off(Time after, Stream& stream) {
  if (!started_) {
    started_ = true;
    on_ = stream.bernoulli(mean_on_ / (mean_on_ + mean_off_));
    phase_end_ = later(after, (on_ ? mean_on_ : mean_off_) * stream.exponential());
  }
  for (Time from = after;;) {
    const double gap = on_ ? gap_ : gap_off_;
    const Time arrival = gap > 0.0 ? advance(from, gap * stream.exponential()) : kNever;
    if (arrival <= phase_end_) return arrival;
    // The gap is memoryless: what is left of it after the change of phase is drawn anew at the other rate.
    carry_ = 0.0;
    from = std::max(from, phase_end_);
    on_ = !on_;
    phase_end_ = later(from, (on_ ? mean_on_ : mean_off_) * stream.exponential());
  }
}

Time ArrivalProcess::next_profile(Time after, Stream& stream) {
  // Inversion: the integral of the rate between arrivals is exponential with mean 1.
  const std::vector<Corner>& corners = data_->corners;
  const std::int64_t cycle = corners.back().at;
  std::int64_t origin = data_->repeat ? nanoseconds(after) / cycle * cycle : 0;
  const std::int64_t offset = nanoseconds(after) - origin;
  const auto beyond = std::upper_bound(corners.begin(), corners.end(), offset,
                                       [](std::int64_t t, const Corner& c) { return t < c.at; });
  auto segment = static_cast<std::size_t>(beyond - corners.begin()) - 1;
  double x = static_cast<double>(offset - corners[segment].at) + carry_;
  double area = stream.exponential();
  for (;;) {
    if (segment + 1 == corners.size()) {
      if (!data_->repeat) {
        if (corners[segment].rate == 0.0) return kNever;
        x += area / corners[segment].rate;
        break;
      }
      const double cycles =
          static_cast<double>(static_cast<std::int64_t>(std::min(area / data_->per_cycle, 0x1p62)));
      if ((cycles + 1.0) * static_cast<double>(cycle) >= 0x1p61 - static_cast<double>(origin)) return kNever;
      origin += cycle * (1 + static_cast<std::int64_t>(cycles));
      area = std::max(0.0, area - cycles * data_->per_cycle);
      segment = 0;
      x = 0.0;
    }
    const double whole = area_to_end(corners[segment], corners[segment + 1], x);
    if (area < whole) {
      x = offset_after(corners[segment], corners[segment + 1], x, area);
      break;
    }
    area -= whole;
    ++segment;
    x = 0.0;
  }
  carry_ = 0.0;
  return std::max(after, advance(Time{Duration{origin + corners[segment].at}}, x));
}

Time ArrivalProcess::next_replay(Time after) {
  const std::vector<Time>& times = data_->times;
  while (position_ < times.size() && times[position_] < after) ++position_;
  return position_ < times.size() ? times[position_++] : kNever;
}

std::string_view ArrivalProcess::name() const noexcept {
  switch (kind_) {
    case Kind::poisson:
      return "poisson";
    case Kind::constant:
      return "constant";
    case Kind::on_off:
      return "on_off";
    case Kind::profile:
      return "profile";
    case Kind::replay:
      return "replay";
    case Kind::renewal:
      return "renewal";
  }
  return "";
}

}  // namespace sim
