// Arrival processes: when the next message arises at an open-loop producer.
//
// An ArrivalProcess is a value that carries its parameters and its place (phase, position, fraction of a
// nanosecond). Copy the one that a scenario made before drawing from it; copies share nothing that changes.
//
// Use: the first call of next() passes the time at which the producer starts, each later call the time that
// the previous one returned. Times never decrease; two arrivals may share a nanosecond. Rates are exact in
// the long run: what rounding to nanoseconds takes from one gap is given to the next. fill() is next() many
// times.
//
// A closed loop is no arrival process (the application sends when an answer comes); it has a row in the
// catalogue only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sim/catalogue.hpp"
#include "sim/distributions.hpp"
#include "sim/random.hpp"
#include "sim/time.hpp"

namespace sim {

/// One corner of a rate profile: the rate is linear between corners.
struct RatePoint {
  Duration at{};  ///< since the start of the run
  double rate_per_second = 0;
};

class ArrivalProcess {
 public:
  /// Independent arrivals. Rates are per second and must be positive and finite, here and below.
  static ArrivalProcess poisson(double rate);
  /// Equal gaps; the first arrival is one gap after the start.
  static ArrivalProcess constant(double rate);
  /// Poisson whose rate alternates between two phases of exponential length (MMPP-2); `rate_off` may be 0.
  /// The first phase is drawn by the phases' long-run shares.
  static ArrivalProcess on_off(double rate_on, double rate_off, Duration mean_on, Duration mean_off);
  /// Poisson with a piecewise-linear rate. Before the first corner and after the last the rate stays; with
  /// `repeat` the profile starts again at its last corner. Corners' times increase strictly from >= 0; rates
  /// are >= 0, one of them > 0.
  static ArrivalProcess profile(std::vector<RatePoint> points, bool repeat = false);
  /// The given times in order (they must not decrease); those before the start are left out.
  static ArrivalProcess replay(std::vector<Time> times);
  /// Independent gaps from any distribution, in nanoseconds.
  static ArrivalProcess renewal(Distribution gap);

  /// The next arrival, at or after `after`; kNever when there is none.
  Time next(Time after, Stream& stream);

  /// Fills `out` with arrivals after `state` and moves `state` to the last one. Returns how many there are:
  /// fewer than asked only when the process has ended.
  std::size_t fill(Time& state, Stream& stream, std::span<Time> out);

  /// Long-run arrivals per second. A replay: times over the span to the last one; a profile: its mean over
  /// the corners.
  double mean_rate() const noexcept { return mean_rate_; }
  std::string_view name() const noexcept;

 private:
  enum class Kind : std::uint8_t { poisson, constant, on_off, profile, replay, renewal };
  struct Data;

  ArrivalProcess(Kind kind, double mean_rate) : kind_(kind), mean_rate_(mean_rate) {}
  Time advance(Time from, double gap_ns);
  Time next_on_off(Time after, Stream& stream);
  Time next_profile(Time after, Stream& stream);
  Time next_replay(Time after);

  Kind kind_;
  bool on_ = false;       // on_off: the phase
  bool started_ = false;  // on_off: the first phase is drawn
  double mean_rate_;
  double gap_ = 0;                     // ns: mean gap (poisson), gap (constant), mean gap while on (on_off)
  double gap_off_ = 0;                 // ns: mean gap while off, 0 for no arrivals
  double mean_on_ = 0, mean_off_ = 0;  // ns
  double carry_ = 0;  // fraction of a nanosecond by which the last arrival was rounded down, in [0, 1)
  Time phase_end_{};  // on_off
  std::size_t position_ = 0;  // replay: the next time; profile: where to look first
  std::shared_ptr<const Data> data_;
};

/// Something wrong in a text of timestamps; line and column count from 1.
class TimestampError : public std::invalid_argument {
 public:
  TimestampError(const std::string& what, std::size_t error_line, std::size_t error_column)
      : std::invalid_argument(what), line(error_line), column(error_column) {}
  std::size_t line;
  std::size_t column;
};

/// Timestamps from the first column of a CSV text: decimal numbers in `unit` (1.25 with 1s is
/// 1,250,000,000 ns), exact to the nanosecond (digits beyond are cut). A first line that begins with a letter
/// or a quote is a header; empty lines and lines that begin with # are left out. Negative, decreasing or
/// malformed times throw TimestampError.
std::vector<Time> parse_timestamps(std::string_view csv, Duration unit = std::chrono::seconds(1));

/// Every arrival process that a scenario can name.
std::span<const CatalogueEntry> arrival_catalogue();

}  // namespace sim
