#include "experiments/scenario/metric_sum.hpp"

#include <sstream>

#include "experiments/errors.hpp"
#include "experiments/scenario/check.hpp"
#include "models/metrics/catalogue.hpp"

namespace experiments {
namespace {

std::size_t metric_index(const std::string& name, const Place& place, const std::string& path) {
  std::vector<std::string_view> names;
  for (const models::MetricInfo& row : models::metric_catalogue()) {
    if (row.name == name) return names.size();
    names.push_back(row.name);
  }
  throw BadScenario(place, path,
                    "there is no metric '" + name + "' (see `mqlab list metrics`)" + hint(name, names));
}

}  // namespace

std::optional<double> MetricSum::of(
    const std::function<std::optional<double>(std::size_t metric)>& value_of) const {
  double sum = 0;
  for (const Term& term : terms) {
    const std::optional<double> value = value_of(term.metric);
    if (!value) return std::nullopt;
    sum += term.minus ? -*value : *value;
  }
  return sum;
}

MetricSum read_metric_sum(const Value& text, const std::string& path) {
  MetricSum sum{text.text, {}};
  std::istringstream words(text.text);
  std::string word, sign;
  while (words >> word) {
    if (!sum.terms.empty()) {
      sign = word;
      if ((sign != "+" && sign != "-") || !(words >> word))
        throw BadScenario(text.place, path, "is a metric, or several joined by ' + ' and ' - '");
    }
    sum.terms.push_back({metric_index(word, text.place, path), sign == "-"});
    const auto unit = [&](const MetricSum::Term& term) {
      return models::metric_catalogue()[term.metric].unit;
    };
    const std::string_view first = unit(sum.terms.front());
    const std::string_view last = unit(sum.terms.back());
    if (first != last) {
      throw BadScenario(
          text.place, path,
          "mixes units: '" + word + "' is in " + std::string(last) + ", not in " + std::string(first));
    }
  }
  if (sum.terms.empty()) throw BadScenario(text.place, path, "names no metric");
  return sum;
}

}  // namespace experiments
