#include <filesystem>
#include <fstream>
#include <sstream>

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

TEST_CASE("files keep to the house's shape") {
  const auto violations = over_the_tree(structure::shape);
  INFO(joined(violations));
  CHECK(violations.empty());
}

TEST_CASE("an include that runs upwards is found") {
  CHECK(structure::layers("sim/a.cpp", "#include \"models/x.hpp\"\n").size() == 1);
  CHECK(structure::layers("models/a.cpp", "#include \"experiments/x.hpp\"\n").size() == 1);
  CHECK(structure::layers("models/kafka/a.cpp", "#include \"models/rabbitmq/x.hpp\"\n").size() == 1);
  CHECK(structure::layers("models/checkers/a.cpp", "#include \"models/kafka/x.hpp\"\n").size() == 1);
  CHECK(structure::layers("models/kafka/a.cpp", "#include \"sim/x.hpp\"\n").empty());
}

TEST_CASE("what may differ from machine to machine is found, in code and not in comments") {
  for (const char* line :
       {"std::unordered_map<int, int> m;", "double x = std::exp(1.0);", "#include <random>",
        "auto t = std::chrono::steady_clock::now();", "std::map<Node*, int> by_node;", "int r = rand();"}) {
    INFO(line);
    CHECK(structure::determinism("models/a.cpp", line).size() == 1);
    CHECK(structure::determinism("experiments/a.cpp", line).empty());
    CHECK(structure::determinism("models/theory/a.cpp", line).empty());
    CHECK(structure::determinism("sim/a.cpp", "// " + std::string(line)).empty());
  }
}

TEST_CASE("a file that is too long or too wide is found") {
  std::string text;
  for (int i = 0; i < 701; ++i) text += "int x;\n";
  CHECK(structure::shape("sim/a.cpp", text).size() == 1);
  CHECK(structure::shape("sim/a.cpp", std::string(131, 'x') + "\n").size() == 1);
  CHECK(structure::shape("sim/a.cpp", "no newline").size() == 1);
}
