#include "tests/structure/rules.hpp"

#include <array>
#include <regex>

namespace structure {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string_view without_comment(std::string_view line) {
  return line.substr(0, line.find("//"));
}

template <class Visit>
void for_each_line(std::string_view text, Visit&& visit) {
  std::size_t number = 1;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    visit(number++, text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::string at(std::string_view path, std::size_t line, std::string_view what) {
  return std::string(path) + ":" + std::to_string(line) + ": " + std::string(what);
}

/// The folder right below models/, as "kafka".
std::string_view part_of_models(std::string_view path) {
  if (!starts_with(path, "models/")) return {};
  path.remove_prefix(7);
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

constexpr std::array<std::string_view, 3> kFamilies{"kafka", "rabbitmq", "sqs"};

bool is_family(std::string_view part) {
  for (const std::string_view family : kFamilies) {
    if (part == family) return true;
  }
  return false;
}

}  // namespace

Violations layers(std::string_view path, std::string_view text) {
  Violations found;
  const std::string_view part = part_of_models(path);
  for_each_line(text, [&](std::size_t line, std::string_view content) {
    constexpr std::string_view kInclude = "#include \"";
    if (!starts_with(content, kInclude)) return;
    content.remove_prefix(kInclude.size());
    const std::string_view target = content.substr(0, content.find('"'));
    const std::string_view target_part = part_of_models(target);
    const bool upwards = (starts_with(path, "sim/") && !starts_with(target, "sim/")) ||
                         (starts_with(path, "models/") && starts_with(target, "experiments/"));
    if (upwards) found.push_back(at(path, line, "includes upwards: " + std::string(target)));
    if (is_family(part) && is_family(target_part) && part != target_part) {
      found.push_back(at(path, line, "a broker family includes another: " + std::string(target)));
    }
    if ((part == "checkers" || part == "metrics") && is_family(target_part)) {
      found.push_back(at(path, line, "a judge includes a broker: " + std::string(target)));
    }
  });
  return found;
}

Violations determinism(std::string_view path, std::string_view text) {
  Violations found;
  if (!starts_with(path, "sim/") && !starts_with(path, "models/")) return found;
  if (starts_with(path, "models/theory/")) return found;
  if (path == "models/planted_leak.cpp") return found;  // breaks the law on purpose, in the gate's own builds
  static const std::regex banned(
      R"(std::unordered_|std::random_device|\bs?rand\(|std::(mt19937|minstd_rand|default_random_engine))"
      R"(|std::(uniform_real|uniform_int|bernoulli|exponential|normal|poisson|lognormal|gamma|weibull|discrete)_distribution)"
      R"(|(system|steady|high_resolution)_clock|\bgettimeofday\b|\bclock_gettime\b)"
      R"(|#include <(thread|mutex|shared_mutex|condition_variable|future|random|iostream|atomic|ctime|time\.h)>)"
      R"(|std::(log|log2|log10|log1p|exp|exp2|expm1|pow|sin|cos|tan|atan|atan2)\()"
      R"(|std::(sinh|cosh|tanh|erf|erfc|tgamma|lgamma|cbrt|hypot)\()"
      R"(|\bthread_local\b|std::(map|set)<[^,<>]*\*)");
  for_each_line(text, [&](std::size_t line, std::string_view content) {
    const std::string code(without_comment(content));
    std::smatch match;
    if (std::regex_search(code, match, banned)) {
      found.push_back(at(path, line, "may differ from machine to machine: " + match.str()));
    }
  });
  return found;
}

Violations shape(std::string_view path, std::string_view text) {
  Violations found;
  std::size_t lines = 0;
  for_each_line(text, [&](std::size_t line, std::string_view content) {
    if (!content.empty()) lines = line;
    if (content.size() > 130) found.push_back(at(path, line, "longer than 130 columns"));
    if (content.find('\t') != std::string_view::npos) found.push_back(at(path, line, "holds a tab"));
  });
  const bool table = path.size() > 4 && path.substr(path.size() - 4) == ".inc";
  if (lines > 700 && !table) found.push_back(at(path, lines, "longer than 700 lines"));
  if (!text.empty() && text.back() != '\n') found.push_back(at(path, lines, "does not end with a newline"));
  return found;
}

}  // namespace structure
