// The rows that `mqlab list` prints and the scenario reader accepts.
#include "sim/arrivals.hpp"

namespace sim {
namespace {

constexpr ParameterInfo kPoisson[] = {{"rate", "1/s", "", "mean arrivals per second"}};
constexpr ParameterInfo kConstant[] = {{"rate", "1/s", "", "arrivals per second"}};
constexpr ParameterInfo kOnOff[] = {{"rate_on", "1/s", "", "rate while on"},
                                    {"rate_off", "1/s", "0", "rate while off"},
                                    {"mean_on", "duration", "", "mean length of an on phase"},
                                    {"mean_off", "duration", "", "mean length of an off phase"}};
constexpr ParameterInfo kProfile[] = {
    {"points", "list of [duration, 1/s]", "", "corners of the rate over time, linear between"},
    {"repeat", "boolean", "false", "start again at the last corner; else its rate stays"}};
constexpr ParameterInfo kReplay[] = {{"file", "path", "", "CSV file, times in its first column"},
                                     {"unit", "duration", "1s", "what the numbers count"}};
constexpr ParameterInfo kRenewal[] = {{"gap", "distribution of duration", "", "time between arrivals"}};
constexpr ParameterInfo kClosedLoop[] = {
    {"outstanding", "1", "1", "messages under way at a time"},
    {"think", "distribution of duration", "0", "from an acknowledgement to the next message"}};

constexpr CatalogueEntry kArrivals[] = {
    {"poisson", "independent arrivals at a mean rate", kPoisson},
    {"constant", "equal gaps", kConstant},
    {"on_off", "Poisson alternating between two rates (MMPP)", kOnOff},
    {"profile", "Poisson with a rate that changes over time", kProfile},
    {"replay", "given timestamps", kReplay},
    {"renewal", "independent gaps of any distribution", kRenewal},
    {"closed_loop", "the next message waits for an acknowledgement", kClosedLoop},
};

}  // namespace

std::span<const CatalogueEntry> arrival_catalogue() {
  return kArrivals;
}

}  // namespace sim
