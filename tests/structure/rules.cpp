#include "tests/structure/rules.hpp"

#include <array>
#include <cctype>
#include <regex>

namespace structure {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// A line without its comment and without what stands between quotation marks.
std::string code_of(std::string_view line) {
  std::string code;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote == 0 && line.substr(i, 2) == "//") break;
    const bool separator =
        line[i] == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(line[i - 1])) != 0;
    const bool mark = line[i] == '"' || (line[i] == '\'' && !separator);
    if (quote == 0 || line[i] == quote) code += line[i];
    if (quote == 0 && mark) {
      quote = line[i];
    } else if (quote != 0 && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      quote = 0;
    }
  }
  return code;
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
  static const std::regex include(R"(^\s*#\s*include\s*["<]([^">]+)[">])");
  for_each_line(text, [&](std::size_t line, std::string_view content) {
    std::cmatch match;
    if (!std::regex_search(content.data(), content.data() + content.size(), match, include)) return;
    const std::string target = match.str(1);
    const std::string_view target_part = part_of_models(target);
    const bool ours = starts_with(target, "sim/") || starts_with(target, "models/") ||
                      starts_with(target, "experiments/") || starts_with(target, "tests/");
    if (!ours && match.str().back() == '"') {
      found.push_back(at(path, line, "an include that does not begin at the root: " + target));
    }
    const bool upwards = (starts_with(path, "sim/") && ours && !starts_with(target, "sim/")) ||
                         (starts_with(path, "models/") && starts_with(target, "experiments/")) ||
                         (!starts_with(path, "tests/") && starts_with(target, "tests/"));
    if (upwards) found.push_back(at(path, line, "includes upwards: " + target));
    if (is_family(part) && is_family(target_part) && part != target_part) {
      found.push_back(at(path, line, "a broker family includes another: " + target));
    }
    if ((part == "checkers" || part == "metrics") && is_family(target_part)) {
      found.push_back(at(path, line, "a judge includes a broker: " + target));
    }
    if (!starts_with(path, "tests/") && part != "theory" && target_part == "theory") {
      found.push_back(at(path, line, "theory feeds no run: " + target));
    }
  });
  return found;
}

namespace {

/// What sim/ and models/ promise of themselves; theory feeds no run, and the planted leak breaks the law on
/// purpose, in builds of the gate's own.
bool bound_by_determinism(std::string_view path) {
  return (starts_with(path, "sim/") || starts_with(path, "models/")) &&
         !starts_with(path, "models/theory/") && path != "models/planted_leak.cpp";
}

/// Names that are banned wherever they stand.
const std::regex& banned_names() {
  static const std::regex names(
      R"(\bstd::(unordered_|hash\b|random_device|random_shuffle\b|shuffle\b|sample\b))"
      R"(|\bstd::(mt19937|minstd_rand|ranlux|knuth_b|default_random_engine|linear_congruential_engine))"
      R"(|\bstd::(mersenne_twister_engine|subtract_with_carry_engine))"
      R"(|\bstd::\w+_distribution\b)"
      R"(|\bstd::(thread|jthread|async|mutex|atomic)\b|\bthread_local\b|\bpthread_)"
      R"(|\b(system|steady|high_resolution|utc|file)_clock\b)"
      R"(|\b(gettimeofday|clock_gettime|timespec_get|localtime|gmtime|mktime|getenv)\b)"
      R"(|\b[dejlmn]?s?rand(48)?(_r)?\(|\barc4random|\bgetrandom\b)"
      R"(|\bstd::(multi)?(map|set)<[^,<>]*\*)");
  return names;
}

const std::regex& banned_includes() {
  static const std::regex includes(
      R"(#\s*include\s*<(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token)>)"
      R"(|#\s*include\s*<(random|iostream|atomic|execution|unordered_map|unordered_set)>)"
      R"(|#\s*include\s*<(ctime|time\.h|sys/time\.h|pthread\.h)>)");
  return includes;
}

/// Functions that are banned however they are called: std::exp(x), ::exp(x), exp(x), expf(x); neither x.exp()
/// nor sim::exp(x).
const std::regex& banned_calls() {
  static const std::regex calls(
      R"((^|[^\w.>:])(std::|::)?()"
      R"((log|log2|log10|log1p|exp|exp2|expm1|pow|cbrt|hypot|fma|sin|cos|tan|asin|acos|atan|atan2)[fl]?)"
      R"(|(sinh|cosh|tanh|asinh|acosh|atanh|erf|erfc|tgamma|lgamma)[fl]?)"
      R"(|time(?=\(((nullptr|NULL|0)\)|&))|clock(?=\(\))|random(?=\(\)))\()");
  return calls;
}

/// sim/math.hpp declares functions of these names, which its own files call.
const std::regex& own_calls() {
  static const std::regex calls(R"((^|[^\w.>:])(log|exp|pow)\()");
  return calls;
}

/// A member called log is initialised like a call: "    : size(1), log(store) {}" without the names.
std::string without_initialisers(const std::string& code) {
  static const std::regex begins(R"(^\s+[:,] )"), name(R"([:,] \w+\()");
  return std::regex_search(code, begins) ? std::regex_replace(code, name, "(") : code;
}

}  // namespace

Violations determinism(std::string_view path, std::string_view text) {
  Violations found;
  if (!bound_by_determinism(path)) return found;
  const bool own = path == "sim/math.cpp" || path == "sim/math.hpp";
  for_each_line(text, [&](std::size_t line, std::string_view content) {
    const std::string code = code_of(content);
    std::string calls = without_initialisers(code);
    if (own) calls = std::regex_replace(calls, own_calls(), "$1(");
    std::smatch match;
    if (std::regex_search(code, match, banned_names()) || std::regex_search(code, match, banned_includes()) ||
        std::regex_search(calls, match, banned_calls())) {
      found.push_back(at(path, line, "may differ from machine to machine: " + match.str()));
    }
  });
  return found;
}

namespace {

/// "const T name" and "T* const name" cannot change; "const T* name" can.
bool is_constant(const std::string& code) {
  static const std::regex constant(R"(\bconstexpr\b|^\s*((inline|static|extern) )*const\b)");
  static const std::regex pointer(R"(\*\s*\w+\s*(\[[^\]]*\])*\s*(=|\{|;|$))"), fixed(R"(\*\s*const\b)");
  if (std::regex_search(code, fixed)) return true;
  return std::regex_search(code, constant) &&
         (!std::regex_search(code, pointer) || code.find("constexpr") != std::string::npos);
}

/// A declaration of a variable that begins in the first column, where only namespaces have their members.
bool is_namespace_variable(const std::string& code) {
  static const std::regex other(
      R"(^(namespace|using|class|struct|enum|union|template|typedef|friend|return|static_assert|__extension__)\b)");
  static const std::regex variable(
      R"(^[A-Za-z_][\w:<>,*&\[\] ]*[ *&>][A-Za-z_][\w:]*(\[[^\]]*\])*( =|\{|;|\(["0-9.-])|^\} *[A-Za-z_]\w*[^()]*;)");
  return !std::regex_search(code, other) && std::regex_search(code, variable);
}

/// A static variable, of a function or of a class: no parenthesis, unless what it holds is a literal.
bool is_static_variable(const std::string& code) {
  static const std::regex variable(
      R"(\bstatic (inline )?[A-Za-z_][\w:<>,*& ]*[ *&>][A-Za-z_]\w*(\[[^\]]*\])*( =|\{|;|\(["0-9.-]))");
  return std::regex_search(code, variable);
}

}  // namespace

Violations globals(std::string_view path, std::string_view text) {
  Violations found;
  if (!bound_by_determinism(path)) return found;
  for_each_line(text, [&](std::size_t line, std::string_view content) {
    const std::string code = code_of(content);
    if ((is_namespace_variable(code) || is_static_variable(code)) && !is_constant(code)) {
      found.push_back(at(path, line, "outlives a run: " + code));
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
    // ctest makes two tests of a name with a semicolon, and finds neither.
    if (content.find("TEST_CASE(\"") == 0 && content.find(';', 0) < content.rfind('"'))
      found.push_back(at(path, line, "a semicolon in a test's name"));
  });
  const bool table = path.size() > 4 && path.substr(path.size() - 4) == ".inc";
  if (lines > 700 && !table) found.push_back(at(path, lines, "longer than 700 lines"));
  if (!text.empty() && text.back() != '\n') found.push_back(at(path, lines, "does not end with a newline"));
  return found;
}

}  // namespace structure
