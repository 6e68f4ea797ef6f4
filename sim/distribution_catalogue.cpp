// The rows that `mqlab list` prints and the scenario reader accepts.
#include "sim/distributions.hpp"

namespace sim {
namespace {

constexpr ParameterInfo kConstant[] = {{"value", "value", "", "what is drawn every time"}};
constexpr ParameterInfo kUniform[] = {{"low", "value", "", "lower end"}, {"high", "value", "", "upper end"}};
constexpr ParameterInfo kBernoulli[] = {{"p", "1", "", "probability of 1"}};
constexpr ParameterInfo kExponential[] = {{"mean", "value", "", "mean"}};
constexpr ParameterInfo kErlang[] = {{"k", "1", "", "phases, 1 to 1000; cv = 1/sqrt(k)"},
                                     {"mean", "value", "", "mean of the sum"}};
constexpr ParameterInfo kHyperexponential[] = {{"mean", "value", "", "mean"},
                                               {"cv", "1", "", "coefficient of variation, 1 to 10000"}};
constexpr ParameterInfo kHyperexponentialPhases[] = {{"p", "1", "", "probability of the first phase"},
                                                     {"mean1", "value", "", "mean of the first phase"},
                                                     {"mean2", "value", "", "mean of the second phase"}};
constexpr ParameterInfo kNormal[] = {
    {"mean", "value", "", "mean before truncation"},
    {"sd", "value", "", "standard deviation before truncation"},
    {"truncated", "boolean", "false", "draw again below 0; needs mean >= 0"}};
constexpr ParameterInfo kLognormal[] = {{"mean", "value", "", "mean (of the value, not of its logarithm)"},
                                        {"cv", "1", "", "coefficient of variation, at most 10000"}};
constexpr ParameterInfo kPareto[] = {{"shape", "1", "", "tail index; small is heavy"},
                                     {"low", "value", "", "smallest value, above 0"},
                                     {"high", "value", "", "largest value"}};
constexpr ParameterInfo kWeibull[] = {{"shape", "1", "", "at least 0.1; 1 is exponential, below 1 heavier"},
                                      {"mean", "value", "", "mean"}};
constexpr ParameterInfo kZipf[] = {{"count", "1", "", "ranks 0 to count-1, at most 2^40"},
                                   {"exponent", "1", "", "0 is uniform; at most 20"}};
constexpr ParameterInfo kEmpirical[] = {{"values", "list of value", "", "what may be drawn"},
                                        {"weights", "list of 1", "all alike", "one for each value"}};
constexpr ParameterInfo kSchedule[] = {{"values", "list of value", "", "drawn in order, over and over"}};

constexpr CatalogueEntry kDistributions[] = {
    {"constant", "the same value every time", kConstant},
    {"uniform", "between low and high, all alike", kUniform},
    {"bernoulli", "1 with probability p, else 0", kBernoulli},
    {"exponential", "memoryless; cv 1", kExponential},
    {"erlang", "sum of k exponentials; cv below 1", kErlang},
    {"hyperexponential", "one of two exponentials with balanced means; cv above 1", kHyperexponential},
    {"hyperexponential_phases", "one of two given exponentials", kHyperexponentialPhases},
    {"normal", "the bell curve, if wanted given that it is not negative", kNormal},
    {"lognormal", "e to a normal; the usual shape of latencies", kLognormal},
    {"pareto_bounded", "power law between two bounds", kPareto},
    {"weibull", "stretched or compressed exponential", kWeibull},
    {"zipf", "ranks by popularity: rank r as 1/(r+1)^exponent", kZipf},
    {"empirical", "one of given values, by weight", kEmpirical},
    {"schedule", "given values in order", kSchedule},
};

}  // namespace

std::span<const CatalogueEntry> distribution_catalogue() {
  return kDistributions;
}

}  // namespace sim
