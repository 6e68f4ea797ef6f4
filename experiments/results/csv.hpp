// CSV as mqlab writes it: UTF-8, LF, RFC 4180 quoting, numbers in their shortest exact spelling, empty for
// missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace experiments {

/// Shortest text that reads back as the same double (std::to_chars).
std::string csv_number(double value);
/// Quoted when it holds a comma, a quote or a line break.
std::string csv_field(std::string_view text);

/// Appends one row to a text.
class CsvRow {
 public:
  explicit CsvRow(std::string& out) : out_(out) {}
  CsvRow& text(std::string_view value) { return raw(csv_field(value)); }
  CsvRow& number(double value) { return raw(csv_number(value)); }
  CsvRow& number(const std::optional<double>& value) { return value ? number(*value) : empty(); }
  CsvRow& integer(std::int64_t value) { return raw(std::to_string(value)); }
  CsvRow& empty() { return raw({}); }
  void end() { out_ += '\n'; }

 private:
  CsvRow& raw(std::string_view field) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += field;
    return *this;
  }
  std::string& out_;
  bool first_ = true;
};

}  // namespace experiments
