// What the tests of the program share: a folder that vanishes, a small scenario, and what the reader says of
// a file.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "experiments/scenario/experiment.hpp"

namespace experiments_test {

/// A folder of its own, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mqlab_test_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

 private:
  std::string path_;
};

/// One broker, one producer, a group of two; a trial takes about a millisecond.
inline constexpr std::string_view kSmall = R"([scenario]
name = "small"
duration = "3s"

[kafka]
brokers = 1

[[kafka.topics]]
name = "orders"
partitions = 2

[[producers]]
name = "shop"
to = "orders"
arrivals = { process = "poisson", rate = 100 }

[[groups]]
name = "billing"
topics = ["orders"]
members = 2
service = "1ms"
[groups.config]
auto.offset.reset = "earliest"
)";

/// kSmall with `old`, which it holds once, replaced.
inline std::string small_with(std::string_view old, std::string_view by) {
  std::string text(kSmall);
  const std::size_t at = text.find(old);
  if (at == std::string::npos) throw std::logic_error("kSmall holds no '" + std::string(old) + "'");
  return text.replace(at, old.size(), by);
}

/// kSmall with more at its end.
inline std::string small_and(std::string_view more) {
  return std::string(kSmall) + std::string(more);
}

inline experiments::Experiment load(const std::string& text, const experiments::Overrides& overrides = {}) {
  const TempFolder folder;
  return experiments::load_experiment(folder.write("s.toml", text), overrides);
}

/// What is said of a file with this text, "s.toml:line:column: …"; empty when it is a good scenario.
inline std::string complaint(std::string_view text, const experiments::Overrides& overrides = {}) {
  const TempFolder folder;
  const std::string file = folder.write("s.toml", text);
  std::string said;
  try {
    const experiments::Experiment e = experiments::load_experiment(file, overrides);
    for (std::uint64_t point = 0; point < e.points; ++point) {
      for (std::size_t variant = 0; variant < e.variants.size(); ++variant)
        experiments::resolve(e, point, variant);
    }
  } catch (const std::exception& error) {
    said = error.what();
  }
  for (std::size_t at = said.find(file); at != std::string::npos; at = said.find(file))
    said.replace(at, file.size(), "s.toml");
  return said;
}

}  // namespace experiments_test
