// Numbers with units, as scenario files write them: "45s", "16KiB", "100Mbit/s", "1/10min", "0.1%".
//
// All arithmetic is exact: what does not come to whole nanoseconds or bytes, or does not fit, is refused.
// Every function throws BadValue, whose text says what is wrong and which units there are; the reader adds
// file, line and key.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "sim/time.hpp"

namespace experiments {

class BadValue : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// ns, us, ms, s, min, h or d; not negative, at most a hundred years.
sim::Duration parse_duration(std::string_view text);
/// The same for the value of an option of the command line: throws UsageError, which names the option.
sim::Duration duration_option(std::string_view option, std::string_view text);
/// Bytes: B, kB, MB, GB, TB, KiB, MiB, GiB, TiB; not negative.
std::int64_t parse_size(std::string_view text);
/// Bits per second: bit/s, kbit/s, Mbit/s, Gbit/s, or B/s, kB/s, MB/s, GB/s, KiB/s …; above zero.
std::int64_t parse_bandwidth(std::string_view text);
/// Events per second from "5/s", "1/10min", "120/h"; above zero.
double parse_rate(std::string_view text);
/// "0.1%" as 0.001.
double parse_percent(std::string_view text);

/// The shortest exact spelling in ns, us, ms or s: 120 s, not 2 min, so that equal spans have one spelling.
std::string duration_text(sim::Duration d);
/// Bytes with "B".
std::string size_text(std::int64_t bytes);

/// The number and the unit of "4.5ms": for ranges whose two ends share a unit.
struct WithUnit {
  std::string number;
  std::string unit;
};
WithUnit split_unit(std::string_view text);

}  // namespace experiments
