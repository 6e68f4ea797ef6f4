#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/structure/rules.hpp"

namespace {

namespace fs = std::filesystem;

/// Runs a rule over every source file of the tree.
structure::Violations over_the_tree(structure::Violations (*rule)(std::string_view, std::string_view)) {
  structure::Violations found;
  const fs::path root = MQLAB_SOURCE_DIR;
  std::size_t files = 0;
  for (const char* folder : {"sim", "models", "experiments", "tests"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".hpp" && extension != ".cpp" && extension != ".inc") continue;
      std::ifstream in(entry.path());
      std::ostringstream text;
      text << in.rdbuf();
      const auto more = rule(fs::relative(entry.path(), root).generic_string(), text.str());
      found.insert(found.end(), more.begin(), more.end());
      ++files;
    }
  }
  REQUIRE(files > 20);
  return found;
}

std::string joined(const structure::Violations& violations) {
  std::string text;
  for (const std::string& v : violations) text += v + "\n";
  return text;
}

}  // namespace

TEST_CASE("includes run downwards, families do not know one another, judges know no broker") {
  const auto violations = over_the_tree(structure::layers);
  INFO(joined(violations));
  CHECK(violations.empty());
}

TEST_CASE("nothing in sim and models can differ from machine to machine") {
  const auto violations = over_the_tree(structure::determinism);
  INFO(joined(violations));
  CHECK(violations.empty());
}

TEST_CASE("nothing in sim and models outlives a run") {
  const auto violations = over_the_tree(structure::globals);
  INFO(joined(violations));
  CHECK(violations.empty());
}

TEST_CASE("files keep to the house's shape") {
  const auto violations = over_the_tree(structure::shape);
  INFO(joined(violations));
  CHECK(violations.empty());
}

TEST_CASE("an include that runs upwards or sideways is found, with quotation marks or without") {
  const auto layer = [](const char* path, const std::string& target) {
    const std::size_t quoted = structure::layers(path, "#include \"" + target + "\"\n").size();
    const std::size_t angled = structure::layers(path, "#  include <" + target + ">\n").size();
    INFO(path << " includes " << target);
    CHECK(quoted == angled);
    return quoted;
  };
  CHECK(layer("sim/a.cpp", "models/x.hpp") == 1);
  CHECK(layer("sim/a.cpp", "experiments/x.hpp") == 1);
  CHECK(layer("sim/a.cpp", "tests/x.hpp") == 1);
  CHECK(layer("models/a.cpp", "experiments/x.hpp") == 1);
  CHECK(layer("models/kafka/a.cpp", "models/rabbitmq/x.hpp") == 1);
  CHECK(layer("models/checkers/a.cpp", "models/kafka/x.hpp") == 1);
  CHECK(layer("models/metrics/a.cpp", "models/sqs/broker/x.hpp") == 1);
  CHECK(layer("models/a.cpp", "models/theory/x.hpp") == 1);
  CHECK(layer("models/kafka/a.cpp", "sim/x.hpp") == 0);
  CHECK(layer("models/kafka/a.cpp", "models/kafka/broker/x.hpp") == 0);
  CHECK(layer("tests/models/a.cpp", "models/theory/x.hpp") == 0);
  CHECK(structure::layers("models/kafka/a.cpp", "#include \"../rabbitmq/x.hpp\"\n").size() == 1);
  CHECK(structure::layers("models/kafka/a.cpp", "#include <vector>\n").empty());
}

namespace {

/// One line for each word of the ban.
const std::vector<std::string> kDiffer{"std::unordered_map<int, int> m;",
                                       "std::hash<int> h;",
                                       "std::random_device d;",
                                       "std::random_shuffle(a, b);",
                                       "std::shuffle(a, b, g);",
                                       "std::sample(a, b, c, 1, g);",
                                       "std::mt19937 g;",
                                       "std::mt19937_64 g;",
                                       "std::minstd_rand g;",
                                       "std::ranlux24 g;",
                                       "std::knuth_b g;",
                                       "std::default_random_engine g;",
                                       "std::linear_congruential_engine<int, 1, 2, 3> g;",
                                       "std::mersenne_twister_engine<int> g;",
                                       "std::subtract_with_carry_engine<int> g;",
                                       "std::normal_distribution<> n;",
                                       "std::geometric_distribution<> n;",
                                       "std::thread t(f);",
                                       "std::jthread t(f);",
                                       "auto r = std::async(f);",
                                       "std::mutex m;",
                                       "std::atomic<int> n;",
                                       "thread_local int n = 0;",
                                       "pthread_create(t);",
                                       "auto t = std::chrono::steady_clock::now();",
                                       "auto t = system_clock::now();",
                                       "auto t = high_resolution_clock::now();",
                                       "auto t = utc_clock::now();",
                                       "auto t = file_clock::now();",
                                       "gettimeofday(&t, nullptr);",
                                       "clock_gettime(0, &t);",
                                       "timespec_get(&t, 1);",
                                       "localtime(&t);",
                                       "gmtime(&t);",
                                       "mktime(&t);",
                                       "getenv(name);",
                                       "int r = rand();",
                                       "std::srand(1);",
                                       "double r = drand48();",
                                       "double r = erand48(s);",
                                       "long r = jrand48(s);",
                                       "long r = mrand48();",
                                       "long r = nrand48(s);",
                                       "int r = rand_r(&s);",
                                       "long r = lrand48();",
                                       "arc4random();",
                                       "getrandom(a, b, c);",
                                       "std::map<Node*, int> by_node;",
                                       "std::set<const Node*> nodes;",
                                       "std::multimap<Node*, int> by_node;",
                                       "std::multiset<Node*> nodes;",
                                       "#include <thread>",
                                       "#include <mutex>",
                                       "#include <shared_mutex>",
                                       "#include <condition_variable>",
                                       "#include <future>",
                                       "#include <semaphore>",
                                       "#include <latch>",
                                       "#include <barrier>",
                                       "#include <stop_token>",
                                       "#include <random>",
                                       "#include <iostream>",
                                       "#include <atomic>",
                                       "#include <execution>",
                                       "#include <unordered_map>",
                                       "#include <unordered_set>",
                                       "#include <ctime>",
                                       "#include <time.h>",
                                       "#include <sys/time.h>",
                                       "# include <pthread.h>",
                                       "auto t = time(nullptr);",
                                       "auto t = std::time(NULL);",
                                       "auto t = ::time(0);",
                                       "time(&t);",
                                       "auto t = clock();",
                                       "auto t = std::clock();",
                                       "long r = random();"};

const std::vector<std::string> kLibm{"log",   "log2",  "log10", "log1p", "exp",  "exp2",   "expm1",
                                     "pow",   "cbrt",  "hypot", "fma",   "sin",  "cos",    "tan",
                                     "asin",  "acos",  "atan",  "atan2", "sinh", "cosh",   "tanh",
                                     "asinh", "acosh", "atanh", "erf",   "erfc", "tgamma", "lgamma"};

void check_found(const std::string& line) {
  INFO(line);
  CHECK(structure::determinism("models/a.cpp", line).size() == 1);
  CHECK(structure::determinism("experiments/a.cpp", line).empty());
  CHECK(structure::determinism("models/theory/a.cpp", line).empty());
  CHECK(structure::determinism("sim/a.cpp", "// " + line).empty());
}

}  // namespace

TEST_CASE("what may differ from machine to machine is found, in code and not in comments or texts") {
  for (const std::string& line : kDiffer) check_found(line);
  for (const char* line :
       {"double a = \"std::thread t\"", "x.time(nullptr);", "sim::Time time(0s);", "operand(1);",
        "std::map<int, Node*> nodes;", "clock(a);", "Distribution::normal(1, 2);"}) {
    INFO(line);
    CHECK(structure::determinism("models/a.cpp", line).empty());
  }
}

TEST_CASE("libm is found however it is called") {
  for (const std::string& name : kLibm) {
    check_found("double x = std::" + name + "(y);");
    check_found("double x = ::" + name + "(y);");
    check_found(name + "(y);");
    check_found("      : a_(1), b_(2 * " + name + "(y)) {}");
    check_found("float x = " + name + "f(y);");
    check_found("double x = " + name + "l(y);");
    INFO(name);
    CHECK(structure::determinism("models/a.cpp", "double x = sim::" + name + "(y);").empty());
    CHECK(structure::determinism("models/a.cpp", "x." + name + "(y) + z->" + name + "(y);").empty());
    CHECK(structure::determinism("models/a.cpp", "      : a(1), " + name + "(y) {}").empty());
  }
  CHECK(structure::determinism("sim/math.cpp", "return exp(y * log(x)) * pow(x, y);").empty());
  CHECK(structure::determinism("sim/math.cpp", "return std::exp(x);").size() == 1);
  CHECK(structure::determinism("sim/math.cpp", "return tan(x);").size() == 1);
}

TEST_CASE("a variable that outlives a run is found, a constant or a function is not") {
  for (const char* line : {"int count = 0;",
                           "int count;",
                           "std::vector<int> cache{1, 2};",
                           "std::array<int, 3> table = {",
                           "Node* last =",
                           "inline int count = 0;",
                           "extern int count;",
                           "static int count = 0;",
                           "std::map<int, int> cache;",
                           "int Node::count = 0;",
                           "const char* name = \"a\";",
                           "int table[3] = {1, 2, 3};",
                           "std::string name(\"a\");",
                           "} state;",
                           "  static int calls = 0;",
                           "  static std::vector<int> cache;",
                           "  static Node node{1};",
                           "  static const char* name = \"a\";",
                           "  static inline int count = 0;",
                           "  inline static int count = 0;",
                           "  static std::vector<int> cache(10);",
                           "  static constinit int count = 0;",
                           "constinit int count = 0;"}) {
    INFO(line);
    CHECK(structure::globals("models/a.cpp", line).size() == 1);
    CHECK(structure::globals("sim/a.hpp", line).size() == 1);
    CHECK(structure::globals("models/theory/a.cpp", line).empty());
    CHECK(structure::globals("sim/a.cpp", "// " + std::string(line)).empty());
  }
  for (const char* line : {"constexpr int kCount = 1;",
                           "inline constexpr std::array<int, 3> kTable{",
                           "const std::string kName = \"a\";",
                           "constexpr const char* kName = \"a\";",
                           "const char* const kName = \"a\";",
                           "extern const int kCount;",
                           "int count() {",
                           "std::vector<int> cache(const Node& node);",
                           "bool operator==(const Node& other) const;",
                           "struct Node {",
                           "class Node;",
                           "enum class Kind : int {",
                           "using Id = int;",
                           "template <class T>",
                           "};",
                           "namespace models::kafka {",
                           "return count;",
                           "  static constexpr int kCount = 1;",
                           "  static Node make(int x);",
                           "  static const std::regex pattern(\"a\");",
                           "  static bool less(int a, int b) { return a < b; }",
                           "  int x = 0;",
                           "  static const Table table = make();",
                           "static Node make() {",
                           "double f(double x, double y = 1.0);"}) {
    INFO(line);
    CHECK(structure::globals("models/a.cpp", line).empty());
  }
}

TEST_CASE("a file that is too long or too wide is found") {
  std::string text;
  for (int i = 0; i < 701; ++i) text += "int x;\n";
  CHECK(structure::shape("sim/a.cpp", text).size() == 1);
  CHECK(structure::shape("sim/a.cpp", std::string(131, 'x') + "\n").size() == 1);
  CHECK(structure::shape("sim/a.cpp", "no newline").size() == 1);
  CHECK(structure::shape("tests/a.cpp",
                         "TEST_CASE(\"one"
                         "; two\", \"[x]\") {\n")
            .size() == 1);
  CHECK(structure::shape("tests/a.cpp", "TEST_CASE(\"one and two\") { f(); }\n").empty());
}
