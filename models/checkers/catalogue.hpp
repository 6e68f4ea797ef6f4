// Every checker: to add one, write its file pair, its test, its verdicts (verdicts.hpp) and one row here.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "models/checkers/checker.hpp"

namespace models {

struct CheckerInfo {
  std::string_view name;
  std::string_view about;
  std::unique_ptr<Checker> (*make)(const Ledger&, Anomalies&);
};
std::span<const CheckerInfo> checker_catalogue();

}  // namespace models
