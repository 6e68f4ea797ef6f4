#include "models/sns/filter_policy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace models::sns {
namespace {

using Type = Json::Type;

constexpr std::array<std::string_view, 7> kReserved{"exists",  "prefix",       "suffix", "equals-ignore-case",
                                                    "numeric", "anything-but", "cidr"};

[[noreturn]] void fail(const std::string& what) {
  throw FilterPolicyError("Invalid parameter: FilterPolicy: " + what);
}

/// Five digits after the point are looked at.
std::int64_t fixed(double number) {
  return std::llround(number * 100'000.0);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// "$or" is an operator before a list of at least two objects none of whose names is an operator's; else a name like others.
bool is_or(const std::string& name, const Json& value) {
  if (name != "$or" || !value.is(Type::array) || value.items.size() < 2) return false;
  return std::all_of(value.items.begin(), value.items.end(), [](const Json& item) {
    return item.is(Type::object) && std::none_of(item.names.begin(), item.names.end(), [](const auto& own) {
             return std::find(kReserved.begin(), kReserved.end(), own) != kReserved.end();
           });
  });
}

std::size_t count(const Json& policy, std::size_t level, std::size_t product) {
  for (std::size_t i = 0; i < policy.names.size(); ++i) {
    const Json& value = policy.values[i];
    if (is_or(policy.names[i], value)) {
      std::size_t sum = 0;
      for (const Json& one : value.items) sum += count(one, level, product);
      product = sum;
    } else if (value.is(Type::object)) {
      product = count(value, level + 1, product);
    } else {
      product *= value.items.size() * level;
    }
  }
  return product;
}

bool equal(const Json& a, const Json& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case Type::string:
      return a.string == b.string;
    case Type::number:
      return fixed(a.number) == fixed(b.number);
    case Type::boolean:
      return a.boolean == b.boolean;
    default:
      return a.is(Type::null);
  }
}

/// Four numbers with points between them. Model: IPv4 alone.
std::optional<std::uint32_t> address(std::string_view text) {
  std::uint32_t out = 0;
  for (int part = 0; part < 4; ++part) {
    std::uint32_t byte = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), byte);
    if (error != std::errc{} || byte > 255) return std::nullopt;
    out = out << 8 | byte;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (part == 3) break;
    if (text.empty() || text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

/// Calls visit(value) for each value at the path below `from`, through arrays.
template <class Visit>
void at_path(const Json& from, std::string_view path, const Visit& visit) {
  if (from.is(Type::array)) {
    for (const Json& item : from.items) at_path(item, path, visit);
    return;
  }
  if (path.empty()) {
    if (!from.is(Type::object)) visit(from);
    return;
  }
  for (std::size_t i = 0; i < from.names.size(); ++i) {
    const std::string& name = from.names[i];
    if (path.substr(0, name.size()) != name) continue;
    if (path.size() == name.size()) {
      at_path(from.values[i], {}, visit);
    } else if (path[name.size()] == '.') {
      at_path(from.values[i], path.substr(name.size() + 1), visit);
    }
  }
}

}  // namespace

FilterPolicy::FilterPolicy(const Json& policy, FilterPolicyScope scope) {
  if (!policy.is(Type::object)) fail("it must be a JSON object");
  if (policy.names.size() > kKeysMost) fail("Filter policy can not have more than 5 keys");
  alternatives_ = flatten(policy, {{}}, {});
  if (scope == FilterPolicyScope::message_attributes &&
      std::any_of(policy.values.begin(), policy.values.end(),
                  [](const Json& value) { return value.is(Type::object); }))
    throw FilterPolicyError(
        "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy");
  if (combinations(policy) > kCombinationsMost) fail("Filter policy is too complex");
}

std::size_t FilterPolicy::combinations(const Json& policy) {
  return count(policy, 1, 1);
}

std::vector<FilterPolicy::Properties> FilterPolicy::flatten(const Json& policy,
                                                            std::vector<Properties> before,
                                                            const std::string& path) {
  for (std::size_t i = 0; i < policy.names.size(); ++i) {
    const std::string& name = policy.names[i];
    const Json& value = policy.values[i];
    if (is_or(name, value)) {
      std::vector<Properties> all;
      for (const Json& one : value.items) {
        std::vector<Properties> branch = flatten(one, before, path);
        all.insert(all.end(), branch.begin(), branch.end());
      }
      before = std::move(all);
      continue;
    }
    const std::string own = path.empty() ? name : path + "." + name;
    if (value.is(Type::object)) {
      before = flatten(value, std::move(before), own);
      continue;
    }
    if (!value.is(Type::array)) fail("\"" + name + "\" must be an object or an array");
    if (value.items.empty()) fail("Empty arrays are not allowed");
    Property property{own, {}};
    for (const Json& item : value.items) property.any.push_back(condition(item));
    for (Properties& properties : before) properties.push_back(property);
  }
  return before;
}

FilterPolicy::Condition FilterPolicy::condition(const Json& value) {
  if (value.is(Type::array)) fail("Match value must be String, number, true, false, or null");
  if (value.is(Type::number) && std::abs(value.number) > 1e9) fail("numbers are from -10^9 to 10^9");
  if (!value.is(Type::object)) {
    Condition equals;
    equals.values.push_back(value);
    return equals;
  }
  if (value.names.size() != 1) fail("Only one key allowed in match expression");
  return operation(value.names.front(), value.values.front());
}

FilterPolicy::Condition FilterPolicy::operation(const std::string& op, const Json& operand) {
  using Operator = Condition::Operator;
  if (op == "numeric") return numeric(operand);
  if (op == "anything-but") return anything_but(operand);
  Condition out;
  if (op == "exists") {
    if (!operand.is(Type::boolean)) fail("exists match pattern must be either true or false.");
    out.op = Operator::exists;
    out.exists = operand.boolean;
    return out;
  }
  if (op == "cidr") {
    if (!operand.is(Type::string)) fail("prefix match pattern must be a string");
    return cidr(operand.string);
  }
  const bool known = op == "prefix" || op == "suffix" || op == "equals-ignore-case";
  if (!known) fail("Unrecognized match type " + op);
  if (!operand.is(Type::string)) fail(op + " match pattern must be a string");
  out.op = op == "prefix"   ? Operator::prefix
           : op == "suffix" ? Operator::suffix
                            : Operator::equals_ignore_case;
  out.text = out.op == Operator::equals_ignore_case ? lower(operand.string) : operand.string;
  return out;
}

FilterPolicy::Condition FilterPolicy::anything_but(const Json& operand) {
  Condition out;
  out.op = Condition::Operator::anything_but;
  if (!operand.is(Type::object)) {
    out.values = operand.is(Type::array) ? operand.items : std::vector<Json>{operand};
    for (const Json& value : out.values) {
      if (value.is(Type::object) || value.is(Type::array))
        fail("Match value must be String, number, true, false, or null");
    }
    return out;
  }
  if (operand.names.size() != 1 || operand.names.front() != "prefix")
    fail("Unsupported anything-but pattern: " + (operand.names.empty() ? "" : operand.names.front()));
  if (!operand.values.front().is(Type::string)) fail("prefix match pattern must be a string");
  out.op = Condition::Operator::anything_but_prefix;
  out.text = operand.values.front().string;
  return out;
}

/// One comparison, or a lower bound and then an upper one.
FilterPolicy::Condition FilterPolicy::numeric(const Json& operand) {
  Condition out;
  out.op = Condition::Operator::numeric;
  const std::vector<Json>& given = operand.items;
  if (given.empty()) fail("Invalid member in numeric match: ]");
  for (std::size_t i = 0; i < given.size(); i += 2) {
    if (!given[i].is(Type::string)) fail("Invalid member in numeric match");
    const std::string& comparison = given[i].string;
    static constexpr std::array<std::string_view, 5> kComparisons{"<", "<=", "=", ">", ">="};
    if (std::find(kComparisons.begin(), kComparisons.end(), comparison) == kComparisons.end())
      fail("Unrecognized numeric range operator: " + comparison);
    if (i + 1 == given.size() || !given[i + 1].is(Type::number))
      fail("Value of " + (comparison == "=" ? "equals" : comparison) + " must be numeric");
    if (std::abs(given[i + 1].number) > 1e9) fail("numbers are from -10^9 to 10^9");
    out.bounds.push_back({comparison, fixed(given[i + 1].number)});
  }
  if (out.bounds.size() == 1) return out;
  if (out.bounds[0].comparison[0] != '>') fail("Too many elements in numeric expression");
  if (out.bounds[1].comparison[0] != '<') fail("Bad numeric range operator: " + out.bounds[1].comparison);
  if (out.bounds[1].value <= out.bounds[0].value) fail("Bottom must be less than top");
  if (out.bounds.size() > 2) fail("Too many terms in numeric range expression");
  return out;
}

FilterPolicy::Condition FilterPolicy::cidr(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || text.find('/', slash + 1) != std::string::npos)
    fail("Malformed CIDR, one '/' required");
  std::uint32_t bits = 0;
  const auto [end, error] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
  if (error != std::errc{} || end != text.data() + text.size() || bits > 32)
    fail("Malformed CIDR, mask bits must be an integer");
  const std::optional<std::uint32_t> network = address(std::string_view(text).substr(0, slash));
  if (!network) fail("Nonstandard IP address: " + text.substr(0, slash));
  Condition out;
  out.op = Condition::Operator::cidr;
  out.mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  out.network = *network & out.mask;
  return out;
}

bool FilterPolicy::Condition::accepts(const Json& value) const {
  const auto is_listed = [&] {
    return std::any_of(values.begin(), values.end(), [&](const Json& own) { return equal(own, value); });
  };
  const std::string& given = value.string;
  const bool is_text = value.is(Type::string);
  switch (op) {
    case Operator::equals:
      return is_listed();
    case Operator::anything_but:
      return !value.is(Type::null) && !is_listed();
    case Operator::anything_but_prefix:
      return is_text && given.compare(0, text.size(), text) != 0;
    case Operator::prefix:
      return is_text && given.compare(0, text.size(), text) == 0;
    case Operator::suffix:
      return is_text && given.size() >= text.size() &&
             given.compare(given.size() - text.size(), text.size(), text) == 0;
    case Operator::equals_ignore_case:
      return is_text && lower(given) == text;
    case Operator::exists:
      return exists;
    case Operator::cidr: {
      const std::optional<std::uint32_t> from = is_text ? address(given) : std::nullopt;
      return from && (*from & mask) == network;
    }
    case Operator::numeric:
      break;
  }
  if (!value.is(Type::number)) return false;
  const std::int64_t number = fixed(value.number);
  return std::all_of(bounds.begin(), bounds.end(), [number](const Bound& bound) {
    return bound.comparison == "="    ? number == bound.value
           : bound.comparison == "<"  ? number < bound.value
           : bound.comparison == "<=" ? number <= bound.value
           : bound.comparison == ">"  ? number > bound.value
                                      : number >= bound.value;
  });
}

bool FilterPolicy::matches(const Json& message) const {
  const auto meets = [&message](const Property& property) {
    bool found = false;
    bool accepted = false;
    if (message.is(Type::object)) {
      at_path(message, property.path, [&](const Json& value) {
        found = true;
        accepted = accepted || std::any_of(property.any.begin(), property.any.end(),
                                           [&](const Condition& c) { return c.accepts(value); });
      });
    }
    if (found) return accepted;
    return std::any_of(property.any.begin(), property.any.end(),
                       [](const Condition& c) { return c.op == Condition::Operator::exists && !c.exists; });
  };
  return std::any_of(alternatives_.begin(), alternatives_.end(), [&](const Properties& properties) {
    return std::all_of(properties.begin(), properties.end(), meets);
  });
}

}  // namespace models::sns
